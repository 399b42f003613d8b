//! The limit: an encoder for these messages and nothing else, into a buffer that is used again. Byte for byte what prost
//! writes, which is looked at before it is measured.

use super::work::requests;
use crate::case::{BURST, Case, Cases, Op};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{AnyValue, KeyValue, any_value::Value},
    trace::v1::{ResourceSpans, ScopeSpans, Span, span::Event},
};
use prost::Message;
use std::hint::black_box;

struct Hand {
    requests: Vec<ExportTraceServiceRequest>,
    buffer: Vec<u8>,
}

impl Case for Hand {
    fn burst(&mut self, times: usize) {
        assert_eq!(times, BURST);
        for of in &self.requests {
            self.buffer.clear();
            request(of, &mut self.buffer);
            black_box(&self.buffer);
        }
    }
}

/// Messages that are made already.
pub(super) fn encode(op: Op) -> Cases {
    Box::new(move || {
        let (requests, mut buffer) = (requests(op), Vec::new());
        for of in &requests {
            buffer.clear();
            request(of, &mut buffer);
            assert_eq!(of.encode_to_vec(), buffer, "byte for byte what prost writes");
        }
        Box::new(Hand { requests, buffer })
    })
}

fn request(request: &ExportTraceServiceRequest, out: &mut Vec<u8>) {
    for resource in &request.resource_spans {
        message(1, out, |out| resource_spans(resource, out));
    }
}

fn resource_spans(resource: &ResourceSpans, out: &mut Vec<u8>) {
    message(1, out, |out| attributes(1, &resource.resource.as_ref().expect("a resource").attributes, out));
    for scope in &resource.scope_spans {
        message(2, out, |out| scope_spans(scope, out));
    }
}

fn scope_spans(scope: &ScopeSpans, out: &mut Vec<u8>) {
    let who = scope.scope.as_ref().expect("a scope");
    message(1, out, |out| {
        bytes(1, who.name.as_bytes(), out);
        bytes(2, who.version.as_bytes(), out);
    });
    for one in &scope.spans {
        message(2, out, |out| span(one, out));
    }
    bytes(3, scope.schema_url.as_bytes(), out);
}

fn span(span: &Span, out: &mut Vec<u8>) {
    bytes(1, &span.trace_id, out);
    bytes(2, &span.span_id, out);
    bytes(4, &span.parent_span_id, out);
    bytes(5, span.name.as_bytes(), out);
    out.extend_from_slice(&[6 << 3, span.kind as u8]);
    fixed(7, span.start_time_unix_nano.to_le_bytes(), out);
    fixed(8, span.end_time_unix_nano.to_le_bytes(), out);
    attributes(9, &span.attributes, out);
    for one in &span.events {
        message(11, out, |out| event(one, out));
    }
    // Field 16, whose tag takes two bytes.
    out.extend_from_slice(&[0x85, 0x01]);
    out.extend_from_slice(&span.flags.to_le_bytes());
}

fn event(event: &Event, out: &mut Vec<u8>) {
    fixed(1, event.time_unix_nano.to_le_bytes(), out);
    bytes(2, event.name.as_bytes(), out);
    attributes(3, &event.attributes, out);
}

fn attributes(field: u8, attributes: &[KeyValue], out: &mut Vec<u8>) {
    for one in attributes {
        let value = one.value.as_ref().expect("a value");
        let (key, inner) = (one.key.as_bytes(), value_bytes(value));
        tag(field, 2, out);
        varint(nested(key.len()) + nested(inner), out);
        bytes(1, key, out);
        tag(2, 2, out);
        varint(inner, out);
        any_value(value, out);
    }
}

fn any_value(value: &AnyValue, out: &mut Vec<u8>) {
    match value.value.as_ref().expect("a value") {
        Value::StringValue(text) => bytes(1, text.as_bytes(), out),
        Value::BoolValue(flag) => out.extend_from_slice(&[2 << 3, u8::from(*flag)]),
        Value::IntValue(number) => {
            tag(3, 0, out);
            varint(*number as usize, out);
        }
        Value::DoubleValue(number) => fixed(4, number.to_le_bytes(), out),
        Value::ArrayValue(list) => message(5, out, |out| {
            for one in &list.values {
                message(1, out, |out| any_value(one, out));
            }
        }),
        other => panic!("no attribute of a span: {other:?}"),
    }
}

fn value_bytes(value: &AnyValue) -> usize {
    match value.value.as_ref().expect("a value") {
        Value::StringValue(text) => nested(text.len()),
        Value::BoolValue(_) => 2,
        Value::IntValue(number) => 1 + varint_bytes(*number as usize),
        Value::DoubleValue(_) => 9,
        Value::ArrayValue(list) => nested(list.values.iter().map(|one| nested(value_bytes(one))).sum()),
        other => panic!("no attribute of a span: {other:?}"),
    }
}

/// A message that has room for a short length before it; a long one moves it.
fn message(field: u8, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    tag(field, 2, out);
    let start = out.len() + 2;
    out.extend_from_slice(&[0; 2]);
    write(out);
    let length = out.len() - start;
    let width = varint_bytes(length);
    if width > 2 {
        out.resize(out.len() + width - 2, 0);
    }
    if width != 2 {
        out.copy_within(start..start + length, start - 2 + width);
        out.truncate(start - 2 + width + length);
    }
    let mut rest = length;
    for (at, byte) in out[start - 2..start - 2 + width].iter_mut().enumerate() {
        *byte = rest as u8 & 0x7f | if at + 1 < width { 0x80 } else { 0 };
        rest >>= 7;
    }
}

fn tag(field: u8, wire_type: u8, out: &mut Vec<u8>) {
    out.push(field << 3 | wire_type);
}

fn bytes(field: u8, bytes: &[u8], out: &mut Vec<u8>) {
    if !bytes.is_empty() {
        tag(field, 2, out);
        varint(bytes.len(), out);
        out.extend_from_slice(bytes);
    }
}

fn fixed(field: u8, bytes: [u8; 8], out: &mut Vec<u8>) {
    tag(field, 1, out);
    out.extend_from_slice(&bytes);
}

/// Tag, length and as many bytes.
fn nested(bytes: usize) -> usize {
    1 + varint_bytes(bytes) + bytes
}

fn varint_bytes(value: usize) -> usize {
    (63 - (value | 1).leading_zeros() as usize) / 7 + 1
}

fn varint(mut value: usize, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
