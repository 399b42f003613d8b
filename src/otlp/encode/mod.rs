//! OTLP's messages, written as they go out: protobuf or JSON, straight from what is to be said, with no message in between.
//!
//! What a message holds is written down once, for both forms ([`Form`]); their numbers and names are one table ([`fields`]).

mod envelope;
pub(super) mod fields;
mod form;
mod json;
mod proto;
mod records;
mod spans;
pub(super) mod structured;

pub(crate) use envelope::Envelope;
#[cfg(feature = "otlp-bridge")]
pub(crate) use envelope::SCHEMA_URL;
pub(crate) use form::{Form, Packed, Scalar};
pub(crate) use records::{RecordHead, RecordWriter, Severity};
pub(crate) use spans::{SpanWriter, nanos};

/// Something that requests are made of.
pub(crate) trait Item {
    /// Writes it as one message: begun, and closed.
    fn write(&self, form: &mut impl Form);
}

#[cfg(test)]
mod tests;
