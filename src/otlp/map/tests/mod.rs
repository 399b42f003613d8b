//! What is written into spans, held against golden files: one for each dialect, with every concept.
//!
//! These stand beside the code because spans are made by hand here; through the whole pipeline go the tests of
//! `tests/it/otlp`.

mod cuts;
mod golden;
mod messages;
mod sink;
mod spans;
mod words;
