//! Memory and operations: what was stored, recalled, forgotten, and how far work is.
//!
//! Two families share the stream. What is about memory has `event_type`; what is about operations, namespaces and the
//! stream itself has `type`, which readers of the first family take as another name of theirs.

use super::frame;
use crate::{
    Cursor, Json, StreamEvent, Text,
    event::{Body, Note, OperationProgress},
};
use serde::Serialize;

#[derive(Serialize)]
struct MemoryEvent<'a> {
    event_type: &'a str,
    agent_id: String,
    /// When it happened, Unix time in ms.
    timestamp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_id: Option<&'a Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<&'a Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<&'a Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a Json>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Operation<'a> {
    Connected {
        timestamp: i64,
    },
    StreamLagged {
        dropped: u64,
        hint: &'static str,
    },
    OperationProgress {
        operation_id: &'a Text,
        op_type: &'a Text,
        /// In percent.
        progress: u64,
        status: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<&'a Text>,
        updated_at: i64,
    },
    JobProgress {
        job_id: &'a Text,
        job_type: &'a str,
        progress: u64,
        status: &'a str,
    },
}

/// Notes of these names are events of the dialect, their value the event's fields.
const NOTED: [&str; 3] = ["namespace_created", "namespace_deleted", "vectors_mutated"];
/// Operations whose type begins so are jobs; what follows is the job's type.
const JOB: &str = "job.";
const HINT: &str = "reconnect with Last-Event-ID: what the record has is sent again";

/// Writes one event; nothing for those that are about neither memory nor operations.
pub(crate) fn write(cursor: Option<Cursor>, event: &StreamEvent, out: &mut String) {
    let timestamp = event.time.map_or(0, |time| time.unix_millis());
    match &event.body {
        Body::Connected(_) => say(cursor, "connected", &Operation::Connected { timestamp }, out),
        Body::StreamLagged(lagged) => lost(lagged.dropped, out),
        // How much is missing, nobody knows.
        Body::StreamGap(_) => lost(0, out),
        Body::OperationProgress(progress) => operation(cursor, progress, timestamp, out),
        Body::Note(note) => noted(cursor, note, out),
        body => {
            if let Some(told) = memory(body) {
                let agent_id = event.execution_id.as_ref().map_or_else(String::new, ToString::to_string);
                say(cursor, told.event_type, &MemoryEvent { agent_id, timestamp, ..told }, out);
            }
        }
    }
}

fn say(cursor: Option<Cursor>, name: &str, data: &impl Serialize, out: &mut String) {
    frame::write(cursor, Some(name), data, out);
}

fn lost(dropped: u64, out: &mut String) {
    say(None, "stream_lagged", &Operation::StreamLagged { dropped, hint: HINT }, out);
}

fn memory(body: &Body) -> Option<MemoryEvent<'_>> {
    Some(match body {
        Body::MemoryStored(stored) => MemoryEvent {
            memory_id: stored.record_id.as_ref(),
            session_id: stored.session_id.as_ref(),
            memory_type: Some(stored.memory_type.as_str()),
            content: stored.record.as_ref(),
            ..of("stored")
        },
        Body::MemoryRecalled(recalled) => MemoryEvent {
            session_id: recalled.session_id.as_ref(),
            query: Some(&recalled.query),
            count: Some(recalled.memories_count),
            content: recalled.records.as_ref(),
            ..of("recalled")
        },
        Body::MemoryUpdated(updated) => MemoryEvent {
            memory_id: updated.record_id.as_ref(),
            session_id: updated.session_id.as_ref(),
            count: updated.count,
            ..of(updated.operation.as_str())
        },
        Body::SessionStarted(session) => MemoryEvent { session_id: Some(&session.session_id), ..of("session_started") },
        Body::SessionEnded(session) => MemoryEvent { session_id: Some(&session.session_id), ..of("session_ended") },
        _ => return None,
    })
}

fn of(event_type: &str) -> MemoryEvent<'_> {
    let (agent_id, timestamp) = (String::new(), 0);
    MemoryEvent {
        event_type,
        agent_id,
        timestamp,
        memory_id: None,
        session_id: None,
        memory_type: None,
        query: None,
        count: None,
        content: None,
    }
}

fn operation(cursor: Option<Cursor>, told: &OperationProgress, updated_at: i64, out: &mut String) {
    let (progress, status) = (percent(told), told.status.as_str());
    match told.operation_type.strip_prefix(JOB) {
        Some(job_type) => {
            let job = Operation::JobProgress { job_id: &told.operation_id, job_type, progress, status };
            say(cursor, "job_progress", &job, out);
        }
        None => {
            let (operation_id, op_type, message) = (&told.operation_id, &told.operation_type, told.message.as_ref());
            let operation =
                Operation::OperationProgress { operation_id, op_type, progress, status, message, updated_at };
            say(cursor, "operation_progress", &operation, out);
        }
    }
}

/// 0 to 100; of work whose size nobody knows, 0 until it is completed.
fn percent(told: &OperationProgress) -> u64 {
    if told.status == crate::event::ProgressStatus::Completed {
        return 100;
    }
    let total = told.total.filter(|total| *total > 0);
    total.map_or(0, |total| (u128::from(told.done) * 100 / u128::from(total)).min(100) as u64)
}

fn noted(cursor: Option<Cursor>, note: &Note, out: &mut String) {
    let serde_json::Value::Object(mut fields) = note.value.to_value() else { return };
    if let Some(name) = NOTED.into_iter().find(|name| note.name == *name) {
        fields.insert("type".into(), name.into());
        say(cursor, name, &fields, out);
    }
}
