//! Lists as a gateway's clients read them.

use super::{
    failure::{Failure, json},
    params::{Params, refuse},
    sessions::{Session, SessionList, Tasks},
};
use crate::{
    Text,
    view::{BlockedOn, Task},
    wire::{
        Dialect,
        gateway::{ServerMessage, SessionInfo, TaskInfo, number_of},
    },
};
use axum::response::Response;
use serde::Serialize;

/// A list in its own form, or as a gateway says it.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub(super) enum Listed<T> {
    Native(T),
    Gateway(ServerMessage),
}

/// In which form a list is asked for.
pub(super) enum Form {
    Native,
    Gateway,
}

impl Form {
    pub(super) fn of(params: &Params) -> Result<Self, Failure> {
        match params.dialect()? {
            Dialect::Native => Ok(Self::Native),
            Dialect::Gateway => Ok(Self::Gateway),
            other => Err(refuse(format!("dialect {}: native or gateway is accepted for lists", other.as_str()))),
        }
    }

    pub(super) fn answer<T: Into<ServerMessage> + Serialize>(self, list: T) -> Response {
        json(&match self {
            Self::Native => Listed::Native(list),
            Self::Gateway => Listed::Gateway(list.into()),
        })
    }
}

impl From<SessionList> for ServerMessage {
    fn from(list: SessionList) -> Self {
        Self::Sessions { sessions: list.sessions.iter().map(session).collect() }
    }
}

impl From<Tasks> for ServerMessage {
    fn from(list: Tasks) -> Self {
        Self::Tasks { tasks: list.tasks.iter().map(task).collect() }
    }
}

fn session(session: &Session) -> SessionInfo {
    let agent = session.agent.clone().unwrap_or_default();
    SessionInfo::new(number_of(&session.session_id), agent, session.messages, session.alive_seconds as u64)
}

fn task(task: &Task) -> TaskInfo {
    let mut info = TaskInfo::new(number_of(&task.id), task.agent.as_str(), task.status);
    info.parent_id = task.parent_id.as_deref().map(number_of);
    (info.prompt_tokens, info.completion_tokens) = (task.prompt_tokens, task.completion_tokens);
    info.alive_secs = task.alive_seconds.unwrap_or(0.0) as u64;
    info.blocked_on = task.blocked_on.as_ref().map(words);
    info
}

fn words(waits: &BlockedOn) -> Text {
    match waits {
        BlockedOn::Permission { tool_name, .. } => Text::from(format!("permission: {tool_name}")),
        BlockedOn::Pause { reason } => Text::from(format!("paused: {reason}")),
        BlockedOn::RateLimit { reason } => Text::from(format!("rate limit: {reason}")),
    }
}
