//! Which attribute it is, and what that makes different.

/// One for each attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Agent,
    Embedding,
    Evaluator,
    Guardrail,
    Llm,
    Memory,
    Retriever,
    Step,
    Tool,
    Workflow,
}

impl Kind {
    /// The attribute's name, which is also that of the constructor in `__private`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Embedding => "embedding",
            Self::Evaluator => "evaluator",
            Self::Guardrail => "guardrail",
            Self::Llm => "llm",
            Self::Memory => "memory",
            Self::Retriever => "retriever",
            Self::Step => "step",
            Self::Tool => "tool",
            Self::Workflow => "workflow",
        }
    }

    /// Whether it calls a model, so that its span is named after that and not after the function.
    pub(crate) fn has_model(self) -> bool {
        matches!(self, Self::Embedding | Self::Llm)
    }

    /// Whether the span bears the name that the author gave.
    pub(crate) fn is_named(self) -> bool {
        !self.has_model() && self != Self::Memory
    }

    /// What may stand in the parentheses, as an error message says it.
    pub(crate) fn accepted(self) -> String {
        let own = match self {
            Self::Embedding | Self::Llm => "`model = expr`, ",
            Self::Memory => "`recall`, `store`, `update` or `forget`, then ",
            _ => "",
        };
        format!("{own}`name = \"..\"`, `skip(..)`, `redact(..)`, `fields(..)`, `ret = false`, `err = false`")
    }
}

/// What is done with a memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Forget,
    Recall,
    Store,
    Update,
}

impl Verb {
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        match word {
            "forget" => Some(Self::Forget),
            "recall" => Some(Self::Recall),
            "store" => Some(Self::Store),
            "update" => Some(Self::Update),
            _ => None,
        }
    }

    /// The constant in `__private::operation`.
    pub(crate) fn operation(self) -> &'static str {
        match self {
            Self::Forget => "DELETE_MEMORY",
            Self::Recall => "SEARCH_MEMORY",
            Self::Store => "CREATE_MEMORY",
            Self::Update => "UPDATE_MEMORY",
        }
    }
}
