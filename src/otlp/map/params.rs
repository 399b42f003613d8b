//! What the author said of a call with `fields(..)` and the convention has a name for: parameters of the request, and the
//! server that it went to.

use super::{content::decoded, messages::json::Object, pen::Pen, subject::Subject};
use crate::{
    otlp::sink::{SpanSink, Value},
    semconv::{self, openinference},
};

#[derive(Clone, Copy)]
enum Form {
    Int,
    Double,
    Text,
}

const PREFIX: &str = "gen_ai.request.";

/// Each begins with [`PREFIX`]; the author may have said them with or without it.
const PARAMETERS: &[(&str, Form)] = &[
    ("gen_ai.request.max_tokens", Form::Int),
    ("gen_ai.request.temperature", Form::Double),
    ("gen_ai.request.top_p", Form::Double),
    ("gen_ai.request.top_k", Form::Int),
    ("gen_ai.request.frequency_penalty", Form::Double),
    ("gen_ai.request.presence_penalty", Form::Double),
    ("gen_ai.request.seed", Form::Int),
    ("gen_ai.request.choice.count", Form::Int),
    ("gen_ai.request.reasoning.level", Form::Text),
    ("gen_ai.request.previous_response.id", Form::Text),
];

const SERVER: &[(&str, Form)] = &[(semconv::SERVER_ADDRESS, Form::Text), (semconv::SERVER_PORT, Form::Int)];

const OTHERS: &[(&str, Form)] =
    &[("gen_ai.output.type", Form::Text), ("gen_ai.prompt.name", Form::Text), ("gen_ai.prompt.version", Form::Text)];

impl<S: SpanSink> Pen<'_, S> {
    pub(super) fn parameters(&mut self, subject: &Subject<'_>) {
        let Some(fields) = subject.fields().and_then(|fields| Object::read(fields.as_str())) else { return };
        let mut said = Vec::new();
        let is_full = self.dialect.is_full_openinference();
        for (key, form) in PARAMETERS {
            let name = key.strip_prefix(PREFIX).unwrap_or(key);
            if let Some(value) = fields.get(key).or_else(|| fields.get(name))
                && self.formed(key, value, *form)
                && is_full
            {
                said.push((name, value));
            }
        }
        self.named(SERVER, &fields);
        self.named(OTHERS, &fields);
        if !said.is_empty() {
            self.fitted(openinference::LLM_INVOCATION_PARAMETERS, |_, out| write_object(&said, out));
        }
    }

    /// The server alone, of calls that have no parameters.
    pub(super) fn server(&mut self, subject: &Subject<'_>) {
        if let Some(fields) = subject.fields().and_then(|fields| Object::read(fields.as_str())) {
            self.named(SERVER, &fields);
        }
    }

    fn named(&mut self, names: &[(&str, Form)], fields: &Object<'_>) {
        for (key, form) in names {
            fields.get(key).map(|value| self.formed(key, value, *form));
        }
    }

    /// False where the value is not of this form: then it stays among the author's fields only.
    fn formed(&mut self, key: &str, json: &str, form: Form) -> bool {
        let value = match form {
            Form::Int => json.parse().ok().map(Value::Int),
            Form::Double => json.parse().ok().filter(|number: &f64| number.is_finite()).map(Value::Double),
            Form::Text => {
                let text = decoded(json).filter(|text| !text.is_empty());
                self.text(key, text.as_deref().unwrap_or_default());
                return text.is_some();
            }
        };
        if let Some(value) = value {
            self.sink().attribute(key, value);
        }
        value.is_some()
    }
}

fn write_object(members: &[(&str, &str)], out: &mut String) {
    out.push('{');
    for (index, (name, value)) in members.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        crate::json::write_str(name, out);
        out.push(':');
        out.push_str(value);
    }
    out.push('}');
}
