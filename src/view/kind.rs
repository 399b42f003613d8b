//! What kind of thing a node is, and how far it is.

use crate::event::{Outcome, StepType, ToolFailure};

macro_rules! node_kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)+) => {
        /// What kind of thing a node is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum NodeKind {
            $($(#[$doc])* $name,)+
        }

        impl NodeKind {
            /// The word that is shown.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }
        }
    };
}

node_kinds! {
    /// The whole execution: the root.
    Run = "run",
    /// An agent inside it.
    Agent = "agent",
    /// Plain code, or a step of a kind that this version does not know.
    Step = "step",
    /// A graph run as one step.
    Graph = "graph",
    /// Chooses where to go next.
    Router = "router",
    /// One of several ways.
    Branch = "branch",
    /// Repeats.
    Loop = "loop",
    /// A model call.
    Llm = "llm",
    /// A tool call.
    Tool = "tool",
    /// A look into memory, or a change of it.
    Memory = "memory",
    /// A check of input, output or a tool call.
    Guardrail = "guardrail",
    /// A search of a data source.
    Retriever = "retriever",
    /// An embedding.
    Embedding = "embedding",
    /// An evaluation's score.
    Evaluator = "evaluator",
    /// A question to a person that belongs to no tool call that was seen.
    Permission = "permission",
    /// A policy's decision that belongs to no tool call that was seen.
    Policy = "policy",
    /// A download, an installation or another job.
    Job = "job",
    /// Something that was made.
    Artifact = "artifact",
    /// Something that the author wants kept.
    Note = "note",
    /// The work goes on in another agent.
    Handoff = "handoff",
    /// A place to go back to.
    Checkpoint = "checkpoint",
    /// How far a goal is.
    Goal = "goal",
    /// What a person thought of it.
    Feedback = "feedback",
    /// A message to the running agent.
    Inbox = "inbox",
    /// Work that was not planned.
    Discovered = "discovered",
    /// What went wrong and belongs to no step.
    Error = "error",
}

impl From<&StepType> for NodeKind {
    fn from(step: &StepType) -> Self {
        match step {
            StepType::LlmNode => Self::Llm,
            StepType::GraphNode => Self::Graph,
            StepType::ToolNode => Self::Tool,
            StepType::RouterNode => Self::Router,
            StepType::BranchNode => Self::Branch,
            StepType::LoopNode => Self::Loop,
            StepType::MemoryNode => Self::Memory,
            StepType::GuardrailNode => Self::Guardrail,
            StepType::RetrieverNode => Self::Retriever,
            StepType::EmbeddingNode => Self::Embedding,
            StepType::EvaluatorNode => Self::Evaluator,
            StepType::FunctionNode | StepType::Other(_) => Self::Step,
        }
    }
}

/// How far a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Status {
    /// Not ended yet.
    #[default]
    Running,
    /// Ended as intended.
    Ok,
    /// Ended with an error.
    Error,
    /// Not allowed to run.
    Denied,
    /// Given up from outside, left out on purpose, or asked for and never begun.
    Cancelled,
    /// Ended by a panic.
    Panicked,
    /// Its time ran out.
    TimedOut,
    /// Found open after its process had ended.
    Lost,
}

impl Status {
    /// The word that is shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Denied => "denied",
            Self::Cancelled => "cancelled",
            Self::Panicked => "panicked",
            Self::TimedOut => "timed out",
            Self::Lost => "lost",
        }
    }

    /// The word in JSON.
    pub(super) const fn as_snake(self) -> &'static str {
        match self {
            Self::TimedOut => "timed_out",
            _ => self.as_str(),
        }
    }

    /// True until the thing has ended.
    pub const fn is_running(self) -> bool {
        matches!(self, Self::Running)
    }
}

impl From<&Outcome> for Status {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Ok => Self::Ok,
            Outcome::Cancelled => Self::Cancelled,
            Outcome::Panicked => Self::Panicked,
            Outcome::TimedOut => Self::TimedOut,
            Outcome::Lost => Self::Lost,
            // A word of another version stands where something did not end well.
            Outcome::Error | Outcome::Other(_) => Self::Error,
        }
    }
}

impl From<&ToolFailure> for Status {
    fn from(failure: &ToolFailure) -> Self {
        match failure {
            ToolFailure::Cancelled | ToolFailure::Skipped | ToolFailure::Unanswered => Self::Cancelled,
            ToolFailure::Panicked => Self::Panicked,
            ToolFailure::TimedOut => Self::TimedOut,
            ToolFailure::Lost => Self::Lost,
            ToolFailure::Denied => Self::Denied,
            ToolFailure::Error | ToolFailure::Other(_) => Self::Error,
        }
    }
}
