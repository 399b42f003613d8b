//! What OpenInference has a name for, beside the names of the convention. The small part makes kinds, inputs and outputs
//! show where the convention's names are not understood; the full one is the whole vocabulary.

use super::{
    concept::Concept,
    content::{self, Content},
    cut,
    messages::json::{Object, elements},
    pen::Pen,
    subject::Subject,
    usage::Usage,
};
use crate::{
    event::Body,
    json::WriteJson,
    otlp::sink::SpanSink,
    semconv::{self, openinference},
};

/// Documents that are flattened.
const MAX_DOCUMENTS: usize = 64;

impl<S: SpanSink> Pen<'_, S> {
    pub(super) fn openinference(&mut self, subject: &Subject<'_>, usage: &Usage<'_>) {
        self.text(semconv::OPENINFERENCE_KIND, subject.concept.words().openinference);
        let full = self.dialect.is_full_openinference();
        // A model call's are its messages. Viewers take this before the messages, and would show a text in their place.
        if subject.concept != Concept::Model || full {
            self.typed_content(semconv::INPUT_VALUE, semconv::INPUT_MIME_TYPE, subject.input());
            self.typed_content(semconv::OUTPUT_VALUE, semconv::OUTPUT_MIME_TYPE, subject.output());
        }
        self.verdict(subject);
        if full {
            self.full(subject, usage);
        }
    }

    /// There is no name for a verdict: viewers show this one.
    fn verdict(&mut self, subject: &Subject<'_>) {
        let Some(Body::GuardrailEvaluated(event)) = subject.told else { return };
        self.fitted(semconv::METADATA, |longest, out| {
            out.push_str("{\"decision\":");
            event.decision.write_json(out);
            if let Some(score) = event.score {
                out.push_str(",\"score\":");
                score.write_json(out);
            }
            if let Some(reason) = &event.reason {
                out.push_str(",\"reason\":");
                cut::text(reason, longest).write_json(out);
            }
            out.push('}');
        });
    }

    fn full(&mut self, subject: &Subject<'_>, usage: &Usage<'_>) {
        match subject.concept {
            Concept::Agent => self.name(openinference::AGENT_NAME, subject.name()),
            Concept::Model => self.full_model(subject, usage),
            Concept::Tool => {
                self.name(openinference::TOOL_NAME, subject.name());
                self.name(openinference::TOOL_DESCRIPTION, subject.tool_description());
                self.name(openinference::TOOL_ID, subject.span.opener.key());
                self.content(openinference::TOOL_PARAMETERS, subject.input());
            }
            Concept::Embedding => self.name(openinference::EMBEDDING_MODEL_NAME, subject.embedding_model()),
            Concept::Retrieval | Concept::MemorySearch => self.documents(subject),
            _ => {}
        }
    }

    fn full_model(&mut self, subject: &Subject<'_>, usage: &Usage<'_>) {
        let (start, end) = (subject.model_start(), subject.model_end());
        let provider =
            end.and_then(|end| end.provider.as_ref()).or(usage.provider).or_else(|| start?.provider.as_ref());
        if let Some(provider) = provider {
            let (name, system) = provider_and_system(provider);
            self.text(openinference::LLM_PROVIDER, name);
            self.text(openinference::LLM_SYSTEM, system);
        }
        let model = end.and_then(|end| end.model.as_ref()).or(usage.model).or_else(|| subject.request_model());
        self.name(openinference::LLM_MODEL_NAME, model);
        let reason = end.and_then(|end| end.finish_reasons.as_ref()?.first());
        self.name(openinference::LLM_FINISH_REASON, reason);
        self.flat_messages(openinference::LLM_INPUT_MESSAGES, &subject.messages_in());
        self.flat_messages(openinference::LLM_OUTPUT_MESSAGES, &subject.messages_out());
    }

    fn documents(&mut self, subject: &Subject<'_>) {
        let Some(Content::Json(json)) = subject.output() else { return };
        let documents = elements(json).unwrap_or_else(|| vec![json]);
        for (index, document) in documents.into_iter().take(MAX_DOCUMENTS).enumerate() {
            self.document(index, document);
        }
    }

    fn document(&mut self, index: usize, document: &str) {
        let prefix = openinference::RETRIEVAL_DOCUMENTS;
        let object = Object::read(document);
        let member = |name: &str| object.as_ref().and_then(|object| object.get(name));
        let content = member("content").or_else(|| member("text")).unwrap_or(document);
        self.of_document(index, ".document.id", member("id").unwrap_or_default());
        self.of_document(index, ".document.content", content);
        self.indexed_json(prefix, index, ".document.metadata", member("metadata").unwrap_or_default());
        let score = member("score").and_then(|score| score.parse().ok());
        self.indexed_float(prefix, index, ".document.score", score);
    }

    fn of_document(&mut self, index: usize, rest: &str, json: &str) {
        match content::decoded(json) {
            Some(text) => self.indexed(openinference::RETRIEVAL_DOCUMENTS, index, rest, &text),
            None => self.indexed_json(openinference::RETRIEVAL_DOCUMENTS, index, rest, json),
        }
    }
}

/// `llm.provider` and `llm.system` for a `gen_ai.provider.name`.
fn provider_and_system(provider: &str) -> (&str, &str) {
    match provider {
        "mistral_ai" => ("mistralai", "mistralai"),
        "aws.bedrock" => ("aws", "aws.bedrock"),
        "azure.ai.openai" => ("azure", "openai"),
        "gcp.vertex_ai" => ("google", "vertexai"),
        "x_ai" => ("xai", "xai"),
        "moonshot_ai" => ("moonshot", "moonshot"),
        other if other.starts_with("gcp.") => ("google", "google"),
        other => (other, other),
    }
}
