//! Every system that is measured.

use crate::{
    case::{Op, System},
    direct, fastrace_side, frames, layer, naive,
};

const EVENTS: &[Op] = &[Op::Span, Op::Step, Op::Event, Op::Delta];
const FRAMED: &[Op] = &[Op::Delta, Op::Span, Op::Event, Op::LongText];
const SPANS: &[Op] = &[Op::Span, Op::Event, Op::Delta];

/// Typed events, handed over directly, and their competitors.
pub const DIRECT: &[System] = &[
    System { key: "nobody", title: "**spanwright**, nobody listens", start: direct::nobody, ops: EVENTS },
    System {
        key: "nobody-asked",
        title: "**spanwright**, nobody listens, `emit_with`",
        start: direct::nobody_asked,
        ops: EVENTS,
    },
    System { key: "silent", title: "**spanwright**, Silent emitter, no log", start: direct::silent, ops: EVENTS },
    System {
        key: "silent-asked",
        title: "**spanwright**, Silent emitter, `emit_with`",
        start: direct::silent_asked,
        ops: EVENTS,
    },
    System { key: "hub", title: "**spanwright**, hub", start: direct::hub, ops: EVENTS },
    System { key: "hub-asked", title: "**spanwright**, hub, `emit_with`", start: direct::hub_asked, ops: EVENTS },
    System { key: "memory", title: "**spanwright**, hub + MemoryLog", start: direct::memory, ops: EVENTS },
    #[cfg(feature = "sqlite-log")]
    System { key: "sqlite", title: "**spanwright**, hub + SqliteLog", start: direct::sqlite, ops: EVENTS },
    System { key: "naive", title: "naive: emit", start: naive::emit, ops: EVENTS },
    System { key: "naive-silent", title: "naive: emit in Silent mode", start: naive::silent, ops: EVENTS },
    System { key: "naive-persist", title: "naive: emit + persisted text", start: naive::persist, ops: EVENTS },
    System { key: "naive-sse", title: "naive: emit + frame", start: naive::to_sse, ops: EVENTS },
    System { key: "fastrace", title: "fastrace 0.7.19, run-time values", start: fastrace_side::start, ops: EVENTS },
];

/// One emitter for all threads; beside `hub` only with more than one thread.
pub const SHARED: System = System {
    key: "hub-shared",
    title: "**spanwright**, hub, one emitter for both",
    start: direct::hub_shared,
    ops: EVENTS,
};

/// The same call sites through `tracing`.
pub const LAYERS: &[System] = &[
    System { key: "off", title: "tracing, no subscriber", start: layer::off, ops: SPANS },
    System { key: "registry", title: "registry", start: layer::registry, ops: SPANS },
    System { key: "empty", title: "registry + empty layer", start: layer::empty_layer, ops: SPANS },
    System {
        key: "layer-unwanted",
        title: "**spanwright layer**, nobody listens",
        start: layer::spanwright_unwanted,
        ops: SPANS,
    },
    System { key: "layer", title: "**spanwright layer**, hub", start: layer::spanwright, ops: SPANS },
    System { key: "fmt", title: "fmt to sink", start: layer::fmt_to_sink, ops: SPANS },
    System {
        key: "otel-no-op",
        title: "tracing-opentelemetry 0.34, no-op processor",
        start: layer::otel_no_op,
        ops: SPANS,
    },
    System {
        key: "otel-batch",
        title: "tracing-opentelemetry 0.34, batch, no-op exporter",
        start: layer::otel_batch,
        ops: SPANS,
    },
];

/// Ways to write a frame.
pub const FRAMES: &[System] = &[
    System { key: "frame", title: "**spanwright** `write_frame`, reused text", start: frames::spanwright, ops: FRAMED },
    System {
        key: "frame-no-id",
        title: "**spanwright** without the `id:` line",
        start: frames::spanwright_without_id,
        ops: FRAMED,
    },
    System { key: "serde", title: "serde_json, JSON only, reused vector", start: frames::serde_reused, ops: FRAMED },
    System { key: "sonic", title: "sonic-rs, JSON only, reused vector", start: frames::sonic_reused, ops: FRAMED },
    System { key: "to-sse", title: "naive: `to_string` + `format!`", start: frames::naive, ops: FRAMED },
];

/// Ways out over OTLP.
#[cfg(feature = "otlp")]
const EXPORTERS: &[&[System]] = &[crate::otlp::ENCODE, crate::otlp::READ, crate::otlp::SEND];
#[cfg(not(feature = "otlp"))]
const EXPORTERS: &[&[System]] = &[];

/// The system of this name.
pub fn find(key: &str) -> Option<&'static System> {
    let exporters = EXPORTERS.iter().copied().flatten();
    DIRECT.iter().chain(LAYERS).chain(FRAMES).chain([&SHARED]).chain(exporters).find(|system| system.key == key)
}
