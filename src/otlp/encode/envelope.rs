//! What stands around the spans, log records or metrics of a request: who says it (resource), by which means (scope).

use super::{
    Item,
    fields::{self, Field},
    form::{Form, Scalar},
    json::Json,
    proto::{LEN, Protobuf, field_bytes, varint},
};
use crate::otlp::{settings::Encoding, sink::Value, transport::Signal};

/// The two halves of a request, written once: items go between them.
#[derive(Debug, Clone)]
pub(crate) struct Envelope {
    signal: Signal,
    halves: Halves,
    /// Where JSON is put together.
    text: String,
}

#[derive(Debug, Clone)]
enum Halves {
    /// Each is a field with its tag and length, as it stands in its message.
    Protobuf {
        resource: Vec<u8>,
        scope: Vec<u8>,
        schema: Vec<u8>,
    },
    Json {
        before: String,
        after: String,
    },
}

/// The conventions that names of spans, metrics and log events follow. They are in development and have no other release.
pub(crate) const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/gen-ai-dev/1.42.0-dev";

impl Envelope {
    /// Of this resource's attributes, in their order.
    pub(crate) fn new(encoding: Encoding, signal: Signal, resource: &[(String, String)]) -> Self {
        let halves = match encoding {
            Encoding::Protobuf => protobuf_halves(resource),
            Encoding::Json => json_halves(signal, resource),
        };
        Self { signal, halves, text: String::new() }
    }

    /// Appends one item, as it stands in a request.
    pub(crate) fn encode(&mut self, item: &impl Item, out: &mut Vec<u8>) {
        match &self.halves {
            Halves::Protobuf { .. } => item.write(&mut Protobuf::new(out)),
            Halves::Json { .. } => {
                self.text.clear();
                item.write(&mut Json::new(&mut self.text));
                out.extend_from_slice(self.text.as_bytes());
            }
        }
    }

    /// Appends a whole request of encoded items.
    pub(crate) fn wrap(&self, items: &[&[u8]], out: &mut Vec<u8>) {
        let bytes: usize = items.iter().map(|item| item.len()).sum();
        match &self.halves {
            Halves::Json { before, after } => {
                out.reserve(before.len() + bytes + items.len() + after.len());
                out.extend_from_slice(before.as_bytes());
                for (index, item) in items.iter().enumerate() {
                    out.extend_from_slice(if index > 0 { b"," } else { b"" });
                    out.extend_from_slice(item);
                }
                out.extend_from_slice(after.as_bytes());
            }
            Halves::Protobuf { resource, scope, schema } => {
                let [outer, inner, _] = names(self.signal);
                let of_scope = scope.len() + bytes + schema.len();
                let of_resource = resource.len() + field_bytes(of_scope);
                out.reserve(field_bytes(of_resource));
                message(outer, of_resource, out);
                out.extend_from_slice(resource);
                message(inner, of_scope, out);
                out.extend_from_slice(scope);
                items.iter().for_each(|item| out.extend_from_slice(item));
                out.extend_from_slice(schema);
            }
        }
    }
}

/// From the request's list to the item's.
fn names(signal: Signal) -> [Field; 3] {
    match signal {
        Signal::Traces => [fields::request::SPANS, fields::of_resource::SPANS, fields::of_scope::SPANS],
        Signal::Metrics => [fields::request::METRICS, fields::of_resource::METRICS, fields::of_scope::METRICS],
        Signal::Logs => [fields::request::LOGS, fields::of_resource::LOGS, fields::of_scope::LOGS],
    }
}

fn protobuf_halves(resource: &[(String, String)]) -> Halves {
    let written = |write: fn(&mut Protobuf<'_>, &[(String, String)])| {
        let mut out = Vec::new();
        write(&mut Protobuf::new(&mut out), resource);
        out
    };
    Halves::Protobuf {
        resource: written(|form, resource| write_resource(form, resource)),
        scope: written(|form, _| write_scope(form)),
        schema: written(|form, _| write_schema(form)),
    }
}

/// Written around one empty item, which is then cut out.
fn json_halves(signal: Signal, resource: &[(String, String)]) -> Halves {
    let [outer, inner, item] = names(signal);
    let mut text = String::new();
    let mut form = Json::new(&mut text);
    let request = form.begin(outer, 0);
    let of_resource = form.open(outer, 0);
    write_resource(&mut form, resource);
    let of_scope = form.open(inner, 0);
    write_scope(&mut form);
    let empty = form.open(item, 0);
    let inside = form.place();
    form.close(empty);
    write_schema(&mut form);
    form.close(of_scope);
    form.close(of_resource);
    form.close(request);
    let after = text.split_off(inside + 1);
    text.truncate(inside - 1);
    Halves::Json { before: text, after }
}

fn write_resource(form: &mut impl Form, resource: &[(String, String)]) {
    let open = form.open(fields::of_resource::RESOURCE, resource.len() * ABOUT_ATTRIBUTE_BYTES);
    for (key, value) in resource {
        form.attribute(fields::resource::ATTRIBUTES, key, Value::Text(value));
    }
    form.close(open);
}

fn write_scope(form: &mut impl Form) {
    let open = form.open(fields::of_scope::SCOPE, ABOUT_ATTRIBUTE_BYTES);
    form.field(fields::scope::NAME, Scalar::Text(env!("CARGO_PKG_NAME")));
    form.field(fields::scope::VERSION, Scalar::Text(env!("CARGO_PKG_VERSION")));
    form.close(open);
}

fn write_schema(form: &mut impl Form) {
    form.field(fields::of_scope::SCHEMA_URL, Scalar::Text(SCHEMA_URL));
}

const ABOUT_ATTRIBUTE_BYTES: usize = 40;

/// Tag and length of a message.
fn message(field: Field, bytes: usize, out: &mut Vec<u8>) {
    varint(u64::from(field.number << 3 | LEN), out);
    varint(bytes as u64, out);
}
