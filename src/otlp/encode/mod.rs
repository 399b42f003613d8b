//! OTLP's messages, written as they go out: protobuf or JSON, straight from what is to be said, with no message in between.
//!
//! What a message holds is written down once, for both forms ([`Form`]); their numbers and names are one table ([`fields`]).

mod envelope;
pub(super) mod fields;
mod form;
mod json;
mod proto;
mod spans;

pub(crate) use super::settings::Encoding;
pub(crate) use envelope::Envelope;
pub(crate) use form::Form;
pub(crate) use json::Json;
pub(crate) use proto::Protobuf;
pub(crate) use spans::SpanWriter;

#[cfg(test)]
mod tests;
