//! The attributes of each concept under the names of the GenAI convention, and ours where it has none.

use super::{concept::Concept, content::Content, failure, pen::Pen, records, subject::Subject, usage::Usage};
use crate::{
    event::{Body, MemoryUpdated},
    otlp::sink::SpanSink,
    semconv::{self, langfuse},
};

impl<S: SpanSink> Pen<'_, S> {
    pub(super) fn attributes(&mut self, subject: &Subject<'_>, usage: &Usage<'_>) {
        self.text(semconv::OPERATION_NAME, subject.concept.operation(subject.span));
        match subject.concept {
            Concept::Agent => self.agent(subject),
            Concept::Workflow => self.workflow(subject),
            Concept::Model => self.model(subject, usage),
            Concept::Tool => self.tool(subject),
            Concept::Guardrail => self.guardrail(subject),
            Concept::Evaluation => self.evaluation(subject),
            Concept::Retrieval => self.retrieval(subject),
            Concept::Embedding => self.embedding(subject, usage),
            Concept::Step => self.plain_step(subject),
            _ => self.memory(subject),
        }
        usage.write(subject.concept, self);
        self.step(subject);
        self.whose(subject);
        self.ending(subject);
        if let Some(fields) = Content::of_json(subject.fields()) {
            self.content(semconv::FIELDS, Some(fields));
        }
    }

    fn agent(&mut self, subject: &Subject<'_>) {
        self.name(semconv::AGENT_NAME, subject.name());
        self.conversation(subject);
        self.messages_in_and_out(subject);
        let calls = subject.span.calls;
        self.count(semconv::INFERENCE_CALLS, Some(calls.inference).filter(|count| *count > 0));
        self.count(semconv::TOOL_CALLS, Some(calls.tool).filter(|count| *count > 0));
    }

    fn workflow(&mut self, subject: &Subject<'_>) {
        self.name(semconv::WORKFLOW_NAME, subject.name());
        self.conversation(subject);
        self.messages_in_and_out(subject);
    }

    fn model(&mut self, subject: &Subject<'_>, usage: &Usage<'_>) {
        let (start, end) = (subject.model_start(), subject.model_end());
        let provider = end.and_then(|end| end.provider.as_ref()).or(usage.provider);
        self.name(semconv::PROVIDER_NAME, provider.or_else(|| start?.provider.as_ref()));
        self.name(semconv::REQUEST_MODEL, subject.request_model());
        self.parameters(subject);
        self.conversation(subject);
        if let Some(end) = end {
            // Only a stream has a first chunk.
            self.yes(semconv::REQUEST_STREAM, end.time_to_first_chunk_ms.is_some());
            self.name(semconv::RESPONSE_ID, end.response_id.as_ref());
            self.texts(semconv::FINISH_REASONS, end.finish_reasons.as_ref());
            let seconds = end.time_to_first_chunk_ms.map(|millis| millis as f64 / 1e3);
            self.float(semconv::TIME_TO_FIRST_CHUNK, seconds);
            self.float(semconv::TOKENS_PER_SECOND, end.tokens_per_second);
        }
        self.name(semconv::RESPONSE_MODEL, end.and_then(|end| end.model.as_ref()).or(usage.model));
        self.messages_in_and_out(subject);
        self.content(
            semconv::TOOL_DEFINITIONS,
            Content::of_json(start.and_then(|start| start.tool_definitions.as_ref())),
        );
        self.name(semconv::CALLABLE_NAME, start.map(|start| &start.callable_name));
        self.count(semconv::HISTORY_LENGTH, start.map(|start| start.history_length).filter(|length| *length > 0));
    }

    fn tool(&mut self, subject: &Subject<'_>) {
        self.name(semconv::TOOL_NAME, subject.name());
        // "A tool that is executed on the side of the client": who runs it is who told us of it.
        self.text(semconv::TOOL_TYPE, "function");
        self.name(semconv::TOOL_DESCRIPTION, subject.tool_description());
        self.name(semconv::TOOL_CALL_ID, subject.call_id());
        self.name(semconv::AGENT_NAME, subject.span.agent.as_ref());
        self.conversation(subject);
        self.content(semconv::TOOL_CALL_ARGUMENTS, subject.input());
        self.content(semconv::TOOL_CALL_RESULT, subject.output());
    }

    fn memory(&mut self, subject: &Subject<'_>) {
        match subject.told {
            Some(Body::MemoryRecalled(event)) => {
                self.name(semconv::MEMORY_STORE_ID, event.store_id.as_ref());
                self.count(semconv::MEMORY_RECORD_COUNT, Some(event.memories_count));
                self.content(semconv::MEMORY_QUERY_TEXT, Content::of_text(Some(&event.query)));
                self.records(semconv::MEMORY_RECORDS, Content::of_json(event.records.as_ref()));
            }
            Some(Body::MemoryStored(event)) => {
                self.name(semconv::MEMORY_STORE_ID, event.store_id.as_ref());
                self.text(semconv::MEMORY_TYPE, event.memory_type.as_str());
                self.name(semconv::MEMORY_RECORD_ID, event.record_id.as_ref());
                self.records(semconv::MEMORY_RECORDS, Content::of_json(event.record.as_ref()));
            }
            Some(Body::MemoryUpdated(event)) => self.memory_change(event),
            _ => {}
        }
        self.name(semconv::CALLABLE_NAME, subject.step_start().map(|start| &start.name));
        self.server(subject);
    }

    fn memory_change(&mut self, event: &MemoryUpdated) {
        self.name(semconv::MEMORY_STORE_ID, event.store_id.as_ref());
        self.text(semconv::MEMORY_OPERATION, event.operation.as_str());
        self.name(semconv::MEMORY_RECORD_ID, event.record_id.as_ref());
        self.count(semconv::MEMORY_RECORD_COUNT, event.count);
    }

    fn records(&mut self, key: &str, content: Option<Content<'_>>) {
        if let Some(Content::Json(json) | Content::Text(json)) = content {
            let mut listed = String::new();
            records::write(json, key == semconv::MEMORY_RECORDS, &mut listed);
            self.json(key, &listed);
        }
    }

    fn retrieval(&mut self, subject: &Subject<'_>) {
        self.server(subject);
        let Some(Body::Retrieval(event)) = subject.told else { return };
        self.name(semconv::DATA_SOURCE_ID, event.data_source_id.as_ref());
        self.count(semconv::RETRIEVAL_COUNT, Some(event.documents_count));
        self.content(semconv::RETRIEVAL_QUERY_TEXT, Content::of_text(Some(&event.query)));
        self.records(semconv::RETRIEVAL_DOCUMENTS, Content::of_json(event.documents.as_ref()));
    }

    fn embedding(&mut self, subject: &Subject<'_>, usage: &Usage<'_>) {
        self.name(semconv::PROVIDER_NAME, usage.provider);
        self.name(semconv::REQUEST_MODEL, subject.embedding_model());
        self.server(subject);
        if let Some(Body::Embedding(event)) = subject.told {
            self.count(semconv::EMBEDDINGS_DIMENSIONS, event.dimensions);
        }
    }

    fn plain_step(&mut self, subject: &Subject<'_>) {
        self.name(semconv::STEP_NAME, subject.name());
        self.text(semconv::STEP_TYPE, subject.step_start().map_or("", |start| start.step_type.as_str()));
    }

    /// The convention has no span for it, and forbids to infer a verdict: ours stands in our own namespace.
    fn guardrail(&mut self, subject: &Subject<'_>) {
        self.name(semconv::GUARDRAIL_NAME, subject.name());
        let Some(Body::GuardrailEvaluated(event)) = subject.told else { return };
        self.text(semconv::GUARDRAIL_DECISION, event.decision.as_str());
        self.name(semconv::GUARDRAIL_REASON, event.reason.as_ref());
        self.float(semconv::GUARDRAIL_SCORE, event.score);
        self.text(semconv::GUARDRAIL_STAGE, event.stage.as_ref().map_or("", |stage| stage.as_str()));
    }

    fn evaluation(&mut self, subject: &Subject<'_>) {
        self.name(semconv::EVALUATION_NAME, subject.name());
        let Some(Body::EvaluationScored(event)) = subject.told else { return };
        self.float(semconv::EVALUATION_SCORE, event.score);
        self.name(semconv::EVALUATION_LABEL, event.label.as_ref());
        self.content(semconv::EVALUATION_EXPLANATION, Content::of_text(event.explanation.as_ref()));
    }

    fn step(&mut self, subject: &Subject<'_>) {
        let start = subject.step_start();
        self.count(semconv::STEP_INDEX, start.and_then(|start| start.index));
        let own = start.and_then(|start| start.attempt);
        let own = own.or_else(|| subject.model_start()?.attempt).or_else(|| subject.execution_start()?.attempt);
        self.count(semconv::ATTEMPT, own);
    }

    /// "Populate only when a real id exists, never synthesize" (GenAI conventions, conversation id).
    fn conversation(&mut self, subject: &Subject<'_>) {
        self.name(semconv::CONVERSATION_ID, subject.span.run.session_id.as_ref());
    }

    fn whose(&mut self, subject: &Subject<'_>) {
        let run = &subject.span.run;
        self.name(semconv::SESSION_ID, run.session_id.as_ref());
        self.name(semconv::USER_ID, run.user_id.as_ref());
        self.name(semconv::TENANT_ID, run.tenant_id.as_ref());
        let Some(start) = subject.execution_start() else { return };
        self.text(semconv::EXECUTION_ID, &run.execution_id.to_string());
        self.name(semconv::PARENT_ID, start.parent_id.as_ref());
        self.text(semconv::PARENT_TYPE, start.parent_type.as_ref().map_or("", |kind| kind.as_str()));
    }

    /// What went in and out of what the convention has no names for: OpenInference's where they go along, else those that
    /// the destination reads.
    pub(super) fn unnamed_content(&mut self, subject: &Subject<'_>) {
        let (input, output) = match subject.concept {
            _ if self.dialect.has_openinference() => return,
            // Everybody reads the convention's names of messages, arguments and results.
            Concept::Agent | Concept::Workflow | Concept::Model | Concept::Tool => return,
            _ if self.dialect.langfuse => (langfuse::INPUT, langfuse::OUTPUT),
            Concept::Retrieval | Concept::MemorySearch | Concept::MemoryCreate => return,
            _ => (semconv::INPUT, semconv::OUTPUT),
        };
        self.content(input, subject.input());
        self.content(output, subject.output());
    }

    fn ending(&mut self, subject: &Subject<'_>) {
        if let Some(failure) = &subject.failure {
            self.text(semconv::ERROR_TYPE, &failure.error_type);
        }
        if let Some(outcome) = &subject.outcome {
            self.text(semconv::OUTCOME, outcome.as_str());
        }
        self.text(semconv::OUTCOME_REASON, failure::reason(subject));
        self.yes(semconv::UNENDED, subject.span.unended);
    }
}
