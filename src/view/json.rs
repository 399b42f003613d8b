//! A run's tree as JSON: a list of nodes, each with the number of the one around it, since a tree may be as deep as it has
//! nodes, and readers of JSON stop at some depth.

use super::{Inert, Node, NodeKind, RunTree, Spent, Status};
use crate::{ExecutionId, StepId, Timestamp};
use serde::{Serialize, Serializer};

/// What an execution does and did, as a tree.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "RunTree"))]
struct Written<'a> {
    /// The execution.
    execution_id: Option<&'a ExecutionId>,
    /// Tokens and money.
    totals: Spent,
    /// How many nodes were left out, the oldest.
    forgotten: usize,
    /// In the order in which they were first seen; the first is the execution itself.
    nodes: Vec<WrittenNode<'a>>,
}

/// One thing that an agent does. What is absent is left out.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Node"))]
struct WrittenNode<'a> {
    /// Place in the list of the node around it; its own for the first.
    parent: usize,
    /// What kind of thing.
    kind: NodeKind,
    /// What it is called; may be empty.
    name: &'a Inert,
    /// How far it is.
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    step_id: Option<&'a StepId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<u64>,
    /// What it was called with or asked, in a few words.
    #[serde(skip_serializing_if = "is_empty")]
    preview: &'a Inert,
    /// What is said of it in a few words.
    #[serde(skip_serializing_if = "is_empty")]
    remark: &'a Inert,
    /// What went wrong.
    #[serde(skip_serializing_if = "is_empty")]
    error: &'a Inert,
    /// What it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting: Option<&'a Inert>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    completion_tokens: Option<u64>,
    /// Price in USD.
    #[serde(skip_serializing_if = "Option::is_none")]
    cost_usd: Option<f64>,
    /// A guardrail's verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<&'a str>,
    /// How many memories or documents were found.
    #[serde(skip_serializing_if = "Option::is_none")]
    hits: Option<u64>,
    /// Which try, where not the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u64>,
    /// How much of a job is done, and how much there is to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<(u64, Option<u64>)>,
}

fn is_empty(text: &&Inert) -> bool {
    text.is_empty()
}

impl<'a> WrittenNode<'a> {
    fn new(node: &'a Node, parent: usize) -> Self {
        let facts = &*node.facts;
        Self {
            parent,
            kind: node.kind,
            name: &node.name,
            status: node.status,
            step_id: node.step_id.as_ref(),
            started_at: node.started,
            duration_ms: node.duration.map(|duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)),
            preview: &facts.preview,
            remark: &facts.remark,
            error: &facts.error,
            waiting: facts.waiting.as_ref(),
            prompt_tokens: facts.usage.input,
            completion_tokens: facts.usage.output,
            cost_usd: facts.usage.cost_usd,
            verdict: facts.verdict.as_ref().map(|verdict| verdict.as_str()),
            hits: facts.hits,
            attempt: facts.attempt,
            progress: facts.progress,
        }
    }
}

/// A list of nodes, each with the place of the one around it.
impl Serialize for RunTree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let nodes = self.nodes().iter().zip(self.parents());
        let written = Written {
            execution_id: self.id(),
            totals: Spent::of(self),
            forgotten: self.forgotten(),
            nodes: nodes.map(|(node, parent)| WrittenNode::new(node, parent)).collect(),
        };
        written.serialize(serializer)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for RunTree {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RunTree".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Written::json_schema(generator)
    }
}

macro_rules! as_words {
    ($($name:ident: $word:expr, $schema:tt;)+) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let word: fn(&Self) -> &str = $word;
                serializer.serialize_str(word(self))
            }
        }

        #[cfg(feature = "schema")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    )+};
}

as_words! {
    Inert: |text| text.as_str(), { "type": "string" };
    NodeKind: |kind| kind.as_str(), { "type": "string", "description": "More kinds may come." };
    Status: |status| status.as_snake(), {
        "enum": ["running", "ok", "error", "denied", "cancelled", "panicked", "timed_out", "lost"],
    };
}
