//! What an open span tells while it is open: its start, and its text.

use super::{
    contract::{Slot, SpanKind},
    open::{OpenSpan, Role, SegmentKind},
};
use crate::{
    Json, Recorder, Text,
    event::{
        AgentStart, Body, ExecutionStart, LlmCallStart, Outcome, ParentType, ReasoningDelta, ReasoningEnd,
        ReasoningStart, StepStart, StepType, TextDelta, TextEnd, TextStart, ToolInputAvailable,
    },
};

impl OpenSpan {
    // -- the start -------------------------------------------------------------------------------------------------

    /// Emits the start, once.
    pub(super) fn announce(&mut self, recorder: &Recorder) {
        if std::mem::replace(&mut self.announced, true) {
            return;
        }
        if self.kind() == SpanKind::Tool {
            self.call_id = Some(self.tool_call_id());
        }
        match self.role {
            Role::Root => self.emit_start(recorder, self.execution_start()),
            Role::Alone(kind) => {
                self.emit_start(recorder, self.execution_start());
                self.emit_start(recorder, self.start(kind));
            }
            Role::Inner(kind) => self.emit_start(recorder, self.start(kind)),
        }
    }

    /// A start has the time at which the span began, even when it was not known then what it is.
    fn emit_start(&self, recorder: &Recorder, body: impl Into<Body>) {
        recorder.emit(self.event(body).at(self.started_at));
    }

    fn execution_start(&self) -> ExecutionStart {
        let mut start = ExecutionStart::new().name(self.display_name());
        start.session_id = self.fields.text(Slot::SessionId);
        start.tenant_id = self.fields.text(Slot::TenantId);
        start.user_id = self.fields.text(Slot::UserId);
        start.input = self.input();
        start.fields = self.fields.json(Slot::Fields);
        if let Some(remote) = &self.run.remote {
            start = start.parent_id(remote.step_id().to_string()).parent_type(ParentType::StepExecution);
        }
        start
    }

    fn start(&self, kind: SpanKind) -> Body {
        match kind {
            SpanKind::Agent => self.agent_start().into(),
            SpanKind::Llm => self.llm_start().into(),
            SpanKind::Tool => self.tool_start().into(),
            SpanKind::Step => self.step_start(StepType::FunctionNode),
            SpanKind::MemoryRead | SpanKind::MemoryWrite | SpanKind::MemoryChange => {
                self.step_start(StepType::MemoryNode)
            }
            SpanKind::Guardrail => self.step_start(StepType::GuardrailNode),
            SpanKind::Retriever => self.step_start(StepType::RetrieverNode),
            SpanKind::Embedding => self.step_start(StepType::EmbeddingNode),
        }
    }

    fn agent_start(&self) -> AgentStart {
        let mut start = AgentStart::new(self.display_name());
        start.parent_step_id.clone_from(&self.parent_step_id);
        start.input = self.input();
        start.fields = self.fields.json(Slot::Fields);
        start
    }

    fn llm_start(&self) -> LlmCallStart {
        let callable = self.fields.text(Slot::CallableName).or_else(|| self.fields.text(Slot::AgentName));
        let history =
            self.fields.unsigned(Slot::HistoryLength).unwrap_or_else(|| self.fields.count(Slot::InputMessages));
        let mut start = LlmCallStart::new(callable.unwrap_or_else(|| Text::from_static(self.name)), history);
        start.model = self.fields.text(Slot::RequestModel);
        start.provider = self.fields.text(Slot::Provider);
        start.parent_step_id.clone_from(&self.parent_step_id);
        start.input = self.input();
        start.fields = self.fields.json(Slot::Fields);
        start
    }

    /// What went in: under the name for its kind, else under any.
    fn input(&self) -> Option<Json> {
        let slots = [self.kind().input(), Slot::InputValue, Slot::InputMessages];
        slots.into_iter().find_map(|slot| self.fields.json(slot))
    }

    fn tool_start(&self) -> ToolInputAvailable {
        let input = self.input().unwrap_or_else(Json::null);
        let mut start = ToolInputAvailable::new(self.tool_call_id(), self.display_name(), input);
        start.parent_step_id.clone_from(&self.parent_step_id);
        start.fields = self.fields.json(Slot::Fields);
        start
    }

    /// The provider's id of the call, else the step's own. As the start said it: the end must find it.
    pub(super) fn tool_call_id(&self) -> Text {
        let named = self.call_id.clone().or_else(|| self.fields.text(Slot::ToolCallId));
        named.unwrap_or_else(|| Text::from(self.step_id.to_string()))
    }

    fn step_start(&self, step_type: StepType) -> Body {
        let mut start = StepStart::new(step_type, self.display_name());
        start.parent_step_id.clone_from(&self.parent_step_id);
        start.index = self.fields.unsigned(Slot::StepIndex);
        start.input = self.input();
        start.fields = self.fields.json(Slot::Fields);
        start.into()
    }

    /// What a person would call it: the name that its fields give, else the span's own.
    pub(super) fn display_name(&self) -> Text {
        let named = match self.kind() {
            SpanKind::Agent => self.fields.text(Slot::AgentName),
            SpanKind::Step => self.fields.text(Slot::StepName),
            SpanKind::Tool => self.fields.text(Slot::ToolName),
            SpanKind::Guardrail => self.fields.text(Slot::GuardrailName),
            SpanKind::Llm | SpanKind::Embedding => self.fields.text(Slot::RequestModel),
            SpanKind::Retriever => self.fields.text(Slot::DataSourceId),
            _ => self.fields.text(Slot::CallableName),
        };
        named.or_else(|| self.fields.text(Slot::EntityName)).unwrap_or_else(|| self.title())
    }

    /// The span's name; where others see a title instead, that, without the word that says that it is a tool.
    fn title(&self) -> Text {
        let title = self.fields.str(Slot::OtelName).unwrap_or(self.name);
        let words = ["execute_tool ", "tool."].iter().find_map(|prefix| title.strip_prefix(prefix));
        words.map_or_else(|| Text::from(title), Text::from)
    }

    // -- the text --------------------------------------------------------------------------------------------------

    /// Emits a piece of text, opening its segment and closing one of the other kind.
    pub(super) fn write(&mut self, recorder: &Recorder, kind: SegmentKind, piece: Text) {
        let id = match &self.segment.open {
            Some((open, id)) if *open == kind => id.clone(),
            _ => self.open_segment(recorder, kind),
        };
        match kind {
            SegmentKind::Text => self.emit(recorder, TextDelta::new(id, piece)),
            SegmentKind::Reasoning => self.emit(recorder, ReasoningDelta::new(id, piece)),
        }
    }

    fn open_segment(&mut self, recorder: &Recorder, kind: SegmentKind) -> Text {
        self.close_segment(recorder, None);
        let id = self.next_segment_id();
        match kind {
            SegmentKind::Text => self.emit(recorder, TextStart::new(id.clone())),
            SegmentKind::Reasoning => self.emit(recorder, ReasoningStart::new(id.clone())),
        }
        self.segment.open = Some((kind, id.clone()));
        id
    }

    /// Ends the open segment, if any: something else begins, or the span is over.
    pub(super) fn close_segment(&mut self, recorder: &Recorder, outcome: Option<Outcome>) {
        let Some((kind, id)) = self.segment.open.take() else { return };
        match kind {
            SegmentKind::Text => {
                let mut end = TextEnd::new(id);
                end.outcome = outcome;
                self.emit(recorder, end);
            }
            SegmentKind::Reasoning => {
                let mut end = ReasoningEnd::new(id);
                end.outcome = outcome;
                self.emit(recorder, end);
            }
        }
    }
}
