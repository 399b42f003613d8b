//! An event of the record as the fold takes it in, wherever it stands.

use crate::{
    Error, ExecutionId, StepId, Text, Timestamp,
    event::{Body, Recorded},
    log::LoggedEvent,
};
use std::borrow::Cow;

pub(crate) struct Entry<'a> {
    pub(crate) execution_id: &'a ExecutionId,
    pub(crate) tenant_id: Option<&'a Text>,
    pub(crate) user_id: Option<&'a Text>,
    pub(crate) step_id: Option<&'a StepId>,
    /// Its place in its execution, from 1.
    pub(crate) sequence: u64,
    pub(crate) time: Timestamp,
    pub(crate) body: Cow<'a, Body>,
}

impl<'a> Entry<'a> {
    /// # Errors
    /// `is_corrupt` when its fields do not fit its kind.
    pub(crate) fn logged(event: &'a LoggedEvent) -> Result<Self, Error> {
        let context = &event.context;
        Ok(Self {
            execution_id: &context.execution_id,
            tenant_id: context.tenant_id.as_ref(),
            user_id: context.user_id.as_ref(),
            step_id: context.step_id.as_ref(),
            sequence: event.sequence,
            time: event.time,
            body: Cow::Owned(event.body()?),
        })
    }

    /// None for what is never logged. For whom it runs, its start says.
    pub(crate) fn held(recorded: &'a Recorded) -> Option<Self> {
        let event = &recorded.event;
        Some(Self {
            execution_id: event.execution_id.as_ref()?,
            tenant_id: recorded.tenant_id.as_ref(),
            user_id: None,
            step_id: event.step_id.as_ref(),
            sequence: recorded.sequence,
            time: event.time?,
            body: Cow::Borrowed(&event.body),
        })
    }
}
