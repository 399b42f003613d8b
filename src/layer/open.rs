//! What is remembered of an open span: a small fixed state and the values of its fields.

use super::{
    calls::Calls,
    contract::{Slot, SpanKind},
    fields::Fields,
    listener::Listener,
    otel::Ids,
    rules,
    same::Inner,
    shape::Shape,
};
use crate::{ExecutionId, StepId, StreamEvent, Text, Timestamp, context::TraceContext, event::Body};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

/// One execution, as its spans share it.
pub(super) struct Run {
    pub(super) execution_id: ExecutionId,
    /// Where it goes on from, if it was begun elsewhere.
    pub(super) remote: Option<TraceContext>,
    calls: Mutex<Calls>,
}

impl Run {
    /// An id that the span itself chose counts before that of the trace that it goes on with; then comes that of the
    /// trace which a tracing-opentelemetry layer has put it in.
    pub(super) fn new(fields: &Fields, remote: Option<TraceContext>, trace: Option<ExecutionId>) -> Arc<Self> {
        let chosen = fields.str(Slot::ExecutionId).and_then(|text| ExecutionId::parse(text).ok());
        let carried = || remote.as_ref().map(|remote| remote.execution_id().clone());
        let execution_id = chosen.or_else(carried).or(trace).unwrap_or_else(ExecutionId::new);
        Arc::new(Self::with_id(execution_id, remote))
    }

    pub(super) fn with_id(execution_id: ExecutionId, remote: Option<TraceContext>) -> Self {
        Self { execution_id, remote, calls: Mutex::default() }
    }

    /// The tool calls that models announced and nobody has run yet. Held for a look-up and never while emitting.
    pub(super) fn calls(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a span stands for in its execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It is the execution: the outermost agent, or the span that others made one.
    Root,
    /// It is a thing inside.
    Inner(SpanKind),
    /// It is a thing of its own with an execution made for it, because nothing was around it.
    Alone(SpanKind),
}

pub(super) struct OpenSpan {
    pub(super) run: Arc<Run>,
    pub(super) role: Role,
    pub(super) step_id: StepId,
    pub(super) parent_step_id: Option<StepId>,
    pub(super) fields: Fields,
    /// The span's own name: what is shown where no field says more.
    pub(super) name: Text,
    /// The crate that opened it.
    pub(super) emitter: &'static str,
    /// Whether its crate says nothing of a call that failed.
    pub(super) silent_on_failure: bool,
    /// Whether its start has been emitted.
    pub(super) announced: bool,
    /// Whether the layer counts it among those whose start waits for a field.
    pub(super) waits: bool,
    /// A tool call's id, as its start said it: the end must say the same.
    pub(super) call_id: Option<Text>,
    /// When it said how it ended; a span may stay open longer, for a child that outlives it.
    pub(super) ended: Option<Instant>,
    /// A field that is declared and empty, without which the start would not say what began.
    pub(super) awaits_name: Option<Slot>,
    /// Whether a field is declared and empty that the start would want.
    pub(super) awaits_input: bool,
    /// What is known of calls directly inside that are this one, or like it.
    pub(super) inner: Inner,
    pub(super) started: Instant,
    pub(super) started_at: Timestamp,
    pub(super) segment: Segment,
    /// Ids of the tool calls whose input was written in it.
    pub(super) announced_calls: Vec<Text>,
}

/// The text that is being written in a span.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Segment {
    pub(super) open: Option<(SegmentKind, Text)>,
    count: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SegmentKind {
    Text,
    Reasoning,
}

impl OpenSpan {
    /// A span of this role, not announced yet.
    pub(super) fn new(run: Arc<Run>, role: Role, fields: Fields, name: Text) -> Self {
        Self {
            run,
            role,
            step_id: StepId::new(),
            parent_step_id: None,
            fields,
            name,
            emitter: rules::OURS,
            silent_on_failure: false,
            announced: false,
            waits: false,
            call_id: None,
            ended: None,
            awaits_name: None,
            awaits_input: false,
            inner: Inner::default(),
            started: Instant::now(),
            started_at: Timestamp::now(),
            segment: Segment::default(),
            announced_calls: Vec::new(),
        }
    }

    /// What its call site says of it: who opened it, and what it may still say.
    pub(super) fn of_call_site(&mut self, shape: &Shape) {
        let kind = self.kind();
        (self.emitter, self.silent_on_failure) = (shape.emitter, shape.is_silent_on_failure);
        let unsaid = |slot: Slot| shape.declares(slot) && !self.fields.has(slot);
        let title = (!shape.known.is_nothing()).then_some(Slot::OtelName);
        self.awaits_name =
            kind.identity().filter(|slot| !self.fields.has(*slot)).or(title).filter(|slot| unsaid(*slot));
        self.awaits_input = unsaid(kind.input()) && !shape.withholds_content;
    }

    /// Where a span inside this one belongs.
    pub(super) fn place(&self) -> (Arc<Run>, StepId) {
        (self.run.clone(), self.step_id.clone())
    }

    pub(super) fn kind(&self) -> SpanKind {
        match self.role {
            Role::Root => SpanKind::Agent,
            Role::Inner(kind) | Role::Alone(kind) => kind,
        }
    }

    pub(super) fn duration_ms(&self) -> u64 {
        let ended = self.ended.unwrap_or_else(Instant::now);
        u64::try_from(ended.duration_since(self.started).as_millis()).unwrap_or(u64::MAX)
    }

    /// Fixes the moment of the end, if nothing has yet. One look at the clock serves all that the end tells.
    pub(super) fn stop(&mut self) {
        self.ended.get_or_insert_with(Instant::now);
    }

    /// When it ended: its start and what a clock that never steps back has counted since.
    fn ended_at(&self) -> Option<Timestamp> {
        self.ended.map(|ended| self.started_at.after(ended.duration_since(self.started)))
    }

    /// Whether a start would say now what began. A model call is known by its caller too: not every one names a model.
    pub(super) fn has_identity(&self) -> bool {
        let called = self.kind() == SpanKind::Llm && self.fields.has(Slot::CallableName);
        called || self.awaits_name.is_none_or(|slot| self.fields.has(slot))
    }

    /// Takes in what was recorded later. An execution's own id counts until its start has been told.
    pub(super) fn merge(&mut self, newer: Fields) {
        let names_execution = newer.has(Slot::ExecutionId);
        if newer.has(Slot::Outcome) {
            self.ended = Some(Instant::now());
        }
        self.fields.merge(newer);
        if names_execution && !self.announced && !matches!(self.role, Role::Inner(_)) {
            self.run = Run::new(&self.fields, self.run.remote.clone(), None);
        }
    }

    /// Takes the ids that another layer gave it, unless it has told its own.
    pub(super) fn take(&mut self, ids: Ids) {
        if self.announced {
            return;
        }
        self.step_id = ids.step;
        if !matches!(self.role, Role::Inner(_)) {
            self.run = Run::new(&self.fields, self.run.remote.clone(), Some(ids.trace));
        }
    }

    /// Whether a start would have all that it can have.
    pub(super) fn is_ready(&self) -> bool {
        self.has_identity() && (!self.awaits_input || self.fields.has(self.kind().input()))
    }

    /// Whether its start is to be told: it has all, or nothing more will come. (When a span is closed, other layers may
    /// have forgotten it already.)
    pub(super) fn is_due(&self) -> bool {
        self.is_ready() || self.ended.is_some()
    }

    /// Of a text written in this span: its next segment's id. Short enough to need no allocation.
    pub(super) fn next_segment_id(&mut self) -> Text {
        self.segment.count += 1;
        Text::from(format!("{:016x}-{}", self.step_id.span_id(), self.segment.count))
    }

    /// An event of this span's execution and step.
    pub(super) fn event(&self, body: impl Into<Body>) -> StreamEvent {
        let mut event = StreamEvent::new(body).of_execution(self.run.execution_id.clone());
        (event.step_id, event.time) = (Some(self.step_id.clone()), self.ended_at());
        event
    }

    pub(super) fn emit(&self, listener: &impl Listener, body: impl Into<Body>) {
        listener.hear(self.event(body));
    }
}
