//! What the naive design keeps of an event: a tree under a fresh id, then a text.

use crate::naive::NaiveEvent;
use serde::Serialize;
use serde_json::Value;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the naive design keeps.
#[derive(Serialize)]
struct NaiveRecord {
    event_id: String,
    event_type: &'static str,
    context: NaiveContext,
    timestamp: String,
    payload: Value,
}

#[derive(Serialize)]
struct NaiveContext {
    execution_id: String,
    step_id: Option<String>,
    artifact_id: Option<String>,
    parent: Option<String>,
    tenant_id: Option<String>,
    user_id: Option<String>,
}

impl NaiveEvent {
    fn ids(&self) -> (&String, &String) {
        match self {
            Self::CallStart { execution_id, step_id, .. }
            | Self::CallEnd { execution_id, step_id, .. }
            | Self::StepStart { execution_id, step_id, .. }
            | Self::StepEnd { execution_id, step_id, .. }
            | Self::Usage { execution_id, step_id, .. }
            | Self::Delta { execution_id, step_id, .. }
            | Self::TextEnd { execution_id, step_id, .. } => (execution_id, step_id),
        }
    }

    fn event_type(&self) -> &'static str {
        match self {
            Self::CallStart { .. } => "llm_call_start",
            Self::CallEnd { .. } => "llm_call_end",
            Self::StepStart { .. } => "step_start",
            Self::StepEnd { .. } => "step_end",
            Self::Usage { .. } => "token_usage_recorded",
            Self::Delta { .. } => "text_delta",
            Self::TextEnd { .. } => "text_end",
        }
    }

    /// Context, payload tree, fresh id, time as text; then the text of it all. Pieces are not kept.
    pub(crate) fn persisted(&self) -> Option<String> {
        if matches!(self, Self::Delta { .. }) {
            return None;
        }
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let (execution_id, step_id) = self.ids();
        let record = NaiveRecord {
            event_id: format!("evt_{:032x}", NEXT.fetch_add(1, Ordering::Relaxed)),
            event_type: self.event_type(),
            context: NaiveContext {
                execution_id: execution_id.clone(),
                step_id: Some(step_id.clone()),
                artifact_id: None,
                parent: None,
                tenant_id: None,
                user_id: None,
            },
            timestamp: spanwright::Timestamp::now().to_string(),
            payload: serde_json::to_value(self).unwrap_or_default(),
        };
        serde_json::to_string(&record).ok()
    }
}
