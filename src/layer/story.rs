//! What an open span tells first: its start.

use super::{
    contract::{Slot, SpanKind},
    listener::Listener,
    open::{OpenSpan, Role},
};
use crate::{
    Json, Text,
    event::{
        AgentStart, Body, ExecutionStart, LlmCallStart, Operation, ParentType, StepStart, StepType, ToolInputAvailable,
    },
};

impl OpenSpan {
    /// Emits the start, once.
    pub(super) fn announce(&mut self, listener: &impl Listener) {
        if std::mem::replace(&mut self.announced, true) {
            return;
        }
        if self.kind() == SpanKind::Tool {
            self.call_id = Some(self.choose_call_id());
        }
        match self.role {
            Role::Root => self.emit_start(listener, self.execution_start()),
            Role::Alone(kind) => {
                self.emit_start(listener, self.execution_start());
                self.emit_start(listener, self.start(kind));
            }
            Role::Inner(kind) => self.emit_start(listener, self.start(kind)),
        }
    }

    /// A start has the time at which the span began, even when it was not known then what it is.
    fn emit_start(&self, listener: &impl Listener, body: impl Into<Body>) {
        listener.hear(self.event(body).at(self.started_at));
    }

    fn execution_start(&self) -> ExecutionStart {
        let mut start = ExecutionStart::new().name(self.display_name());
        start.session_id = self.fields.text(Slot::SessionId);
        start.tenant_id = self.fields.text(Slot::TenantId);
        start.user_id = self.fields.text(Slot::UserId);
        start.input = self.input();
        start.fields = self.fields.json(Slot::Fields);
        start.operation = self.operation(SpanKind::Agent);
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
            SpanKind::Evaluator => self.step_start(StepType::EvaluatorNode),
        }
    }

    fn agent_start(&self) -> AgentStart {
        let mut start = AgentStart::new(self.display_name());
        start.parent_step_id.clone_from(&self.parent_step_id);
        start.input = self.input();
        start.fields = self.fields.json(Slot::Fields);
        start.operation = self.operation(SpanKind::Agent);
        start
    }

    fn llm_start(&self) -> LlmCallStart {
        let callable = self.fields.text(Slot::CallableName).or_else(|| self.fields.text(Slot::AgentName));
        let history =
            self.fields.unsigned(Slot::HistoryLength).unwrap_or_else(|| self.fields.count(Slot::InputMessages));
        let mut start = LlmCallStart::new(callable.unwrap_or_else(|| self.name.clone()), history);
        start.model = self.fields.text(Slot::RequestModel);
        start.provider = self.fields.text(Slot::Provider);
        start.parent_step_id.clone_from(&self.parent_step_id);
        start.input = self.input();
        start.fields = self.fields.json(Slot::Fields);
        start.operation = self.operation(SpanKind::Llm);
        start.tool_definitions = self.fields.json(Slot::ToolDefinitions);
        start
    }

    /// What it does, where it is one of this kind and its start does not say that by itself.
    fn operation(&self, kind: SpanKind) -> Option<Operation> {
        let told = self.fields.str(Slot::Operation).filter(|name| SpanKind::of_operation(name) == Some(kind));
        let is_workflow = || kind == SpanKind::Agent && self.kind() == kind && self.is_observed_workflow();
        let operation = told.map(Operation::from).or_else(|| is_workflow().then_some(Operation::InvokeWorkflow))?;
        let is_plain = matches!(operation, Operation::Chat | Operation::InvokeAgent | Operation::Other(_));
        (!is_plain).then_some(operation)
    }

    /// By the kind that Traceloop gives it.
    fn is_observed_workflow(&self) -> bool {
        self.fields.str(Slot::ObservationKind).is_some_and(|kind| kind.eq_ignore_ascii_case("workflow"))
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
        start.description = self.fields.text(Slot::ToolDescription);
        start
    }

    /// As the start said it: the end must find it.
    pub(super) fn tool_call_id(&self) -> Text {
        self.call_id.clone().unwrap_or_else(|| self.choose_call_id())
    }

    fn step_start(&self, step_type: StepType) -> Body {
        let mut start = StepStart::new(step_type, self.display_name());
        start.parent_step_id.clone_from(&self.parent_step_id);
        start.index = self.fields.unsigned(Slot::StepIndex);
        start.input = self.input();
        start.fields = self.fields.json(Slot::Fields);
        start.operation = self.operation(self.kind());
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
            SpanKind::Evaluator => self.fields.text(Slot::EvaluationName),
            _ => self.fields.text(Slot::CallableName),
        };
        named.or_else(|| self.fields.text(Slot::EntityName)).unwrap_or_else(|| self.title())
    }

    /// The span's name; where others see a title instead, that, without the word that says that it is a tool.
    fn title(&self) -> Text {
        let title = self.fields.str(Slot::OtelName).unwrap_or(&self.name);
        let words = ["execute_tool ", "tool."].iter().find_map(|prefix| title.strip_prefix(prefix));
        words.map_or_else(|| Text::from(title), Text::from)
    }
}
