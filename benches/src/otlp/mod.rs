//! Finished spans on their way out over OTLP: mapped and encoded, read from a log, sent to somebody who only takes. Beside
//! them OpenTelemetry's own SDK and exporters with the same spans.

mod hand;
mod ours;
mod runs;
mod sink;
mod theirs;
mod work;

pub use sink::is_sink;

use crate::case::{Op, System};

const OPS: &[Op] = &[Op::Exported, Op::ExportedContent];

/// Spans that are ready, to bytes of requests.
pub const ENCODE: &[System] = &[
    System { key: "otlp-encode", title: "**spanwright**: map + encode", start: ours::encode, ops: OPS },
    System {
        key: "otel-transform",
        title: "opentelemetry-otlp: transform + prost encode",
        start: theirs::transform,
        ops: OPS,
    },
    System { key: "prost", title: "prost encode of ready messages", start: theirs::prost, ops: OPS },
    System { key: "hand", title: "hand-written encode of ready messages: the limit", start: hand::encode, ops: OPS },
];

/// From where spans are kept to bytes of requests that nobody sends.
pub const READ: &[System] = &[
    System { key: "otlp-live", title: "**spanwright**, just logged in SQLite", start: ours::live, ops: OPS },
    System { key: "otlp-memory", title: "**spanwright**, read in MemoryLog", start: ours::memory, ops: OPS },
    System { key: "otlp-sqlite", title: "**spanwright**, read in SqliteLog", start: ours::sqlite, ops: OPS },
    System {
        key: "otel-batch-encode",
        title: "OTel SDK, batch processor, transform + prost encode",
        start: theirs::batch_encode,
        ops: OPS,
    },
];

/// The same, sent.
pub const SEND: &[System] = &[
    System { key: "otlp-live-http", title: "**spanwright**, just logged, HTTP", start: ours::live_http, ops: OPS },
    System {
        key: "otlp-sqlite-http",
        title: "**spanwright**, read in SqliteLog, HTTP",
        start: ours::sqlite_http,
        ops: OPS,
    },
    System {
        key: "otel-http",
        title: "OTel SDK, batch processor, opentelemetry-otlp over HTTP",
        start: theirs::http,
        ops: OPS,
    },
    System { key: "otlp-live-grpc", title: "**spanwright**, just logged, gRPC", start: ours::live_grpc, ops: OPS },
    System {
        key: "otlp-sqlite-grpc",
        title: "**spanwright**, read in SqliteLog, gRPC",
        start: ours::sqlite_grpc,
        ops: OPS,
    },
    System {
        key: "otel-grpc",
        title: "OTel SDK, batch processor, opentelemetry-otlp over gRPC",
        start: theirs::grpc,
        ops: OPS,
    },
];
