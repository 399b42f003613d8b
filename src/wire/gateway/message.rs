//! What a gateway says to its clients, as types: also for programs that answer with sessions and tasks.

use crate::Text;
use serde::{Deserialize, Serialize};

/// One message of a gateway: a JSON object whose `type` says what it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum ServerMessage {
    /// Of a run.
    Stream(Streamed),
    /// Of a download.
    Download(Download),
    /// Of an installation.
    Hub(Install),
    /// A whole answer.
    Response {
        /// The agent that answers.
        agent: Text,
        /// What it says.
        content: Text,
        /// The session's number.
        session: u64,
    },
    /// Something went wrong.
    Error {
        /// As the status codes of HTTP.
        code: u16,
        /// What.
        message: Text,
    },
    /// It is there.
    Pong,
    /// The sessions there are. A list in a member of its own: an object with a `type` cannot be a list.
    Sessions {
        /// Each.
        sessions: Vec<SessionInfo>,
    },
    /// The tasks there are.
    Tasks {
        /// Each.
        tasks: Vec<TaskInfo>,
    },
}

/// What happens in a run: `Start (Thinking | Chunk | ToolStart ToolResult* ToolsComplete)* End`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Streamed {
    /// It begins.
    Start {
        /// The agent.
        agent: Text,
        /// The session's number.
        session: u64,
    },
    /// A piece of the answer.
    Chunk {
        /// The piece.
        content: Text,
    },
    /// A piece of the model's reasoning.
    Thinking {
        /// The piece.
        content: Text,
    },
    /// Tools are called.
    ToolStart {
        /// Which.
        calls: Vec<ToolCall>,
    },
    /// A tool answered.
    ToolResult {
        /// Which call.
        call_id: Text,
        /// What it said.
        output: Text,
    },
    /// All tools that were called have answered.
    ToolsComplete,
    /// It is over; always the last.
    End {
        /// The agent.
        agent: Text,
    },
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ToolCall {
    /// What its result is told by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Text>,
    /// The tool.
    pub name: Text,
    /// What it was called with: a JSON text.
    pub arguments: Text,
}

impl ToolCall {
    /// A call.
    pub fn new(id: impl Into<Text>, name: impl Into<Text>, arguments: impl Into<Text>) -> Self {
        Self { id: Some(id.into()), name: name.into(), arguments: arguments.into() }
    }
}

/// How far a download is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Download {
    /// It begins.
    Start {
        /// What is downloaded.
        model: Text,
    },
    /// A file of it begins.
    FileStart {
        /// What is downloaded.
        model: Text,
        /// The file.
        filename: Text,
        /// Its size, in bytes.
        size: u64,
    },
    /// Some of it is here.
    Progress {
        /// What is downloaded.
        model: Text,
        /// How many bytes more.
        bytes: u64,
    },
    /// A file of it is here.
    FileEnd {
        /// What is downloaded.
        model: Text,
        /// The file.
        filename: Text,
    },
    /// All of it is here.
    End {
        /// What was downloaded.
        model: Text,
    },
}

/// How far an installation is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum Install {
    /// It begins.
    Start {
        /// What is installed.
        package: Text,
    },
    /// What it does now.
    Step {
        /// In words.
        message: Text,
    },
    /// It is done.
    End {
        /// What was installed.
        package: Text,
    },
}

/// A session, as a gateway lists it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct SessionInfo {
    /// Its number.
    pub id: u64,
    /// The agent.
    pub agent: Text,
    /// How many messages it has.
    pub message_count: u64,
    /// How long it lives, in s.
    pub alive_secs: u64,
}

impl SessionInfo {
    /// A session.
    pub fn new(id: u64, agent: impl Into<Text>, message_count: u64, alive_secs: u64) -> Self {
        Self { id, agent: agent.into(), message_count, alive_secs }
    }
}

/// A task, as a gateway lists it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct TaskInfo {
    /// Its number.
    pub id: u64,
    /// The task that it is part of.
    pub parent_id: Option<u64>,
    /// The agent.
    pub agent: Text,
    /// How far it is.
    pub status: Text,
    /// Tokens read.
    pub prompt_tokens: u64,
    /// Tokens written.
    pub completion_tokens: u64,
    /// How long it lives, in s.
    pub alive_secs: u64,
    /// For what it waits.
    pub blocked_on: Option<Text>,
}

impl TaskInfo {
    /// A task that has used nothing and waits for nothing.
    pub fn new(id: u64, agent: impl Into<Text>, status: impl Into<Text>) -> Self {
        let (agent, status) = (agent.into(), status.into());
        Self {
            id,
            parent_id: None,
            agent,
            status,
            prompt_tokens: 0,
            completion_tokens: 0,
            alive_secs: 0,
            blocked_on: None,
        }
    }
}
