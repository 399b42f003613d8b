//! Shows what an AI agent does while it does it: model calls, tools, memory, guardrails, steps, sub-agents, tokens, as a
//! live stream, as a durable record, and in any OpenTelemetry back end.
//!
//! ```no_run
//! use spanwright::{agent, tool};
//!
//! #[tool]
//! fn search(query: &str) -> Vec<String> {
//!     vec![format!("a page about {query}")]
//! }
//!
//! #[agent]
//! fn research(question: &str) -> String {
//!     search(question).join(", ")
//! }
//!
//! fn main() -> Result<(), spanwright::Error> {
//!     let _guard = spanwright::init()?;
//!     println!("{}", research("rayleigh scattering"));
//!     Ok(())
//! }
//! ```
//!
//! Spans become [`StreamEvent`]s in the [`AgentLayer`], pass the gate, are shown by the [`hub`], kept by the [`log`] as
//! [`ExecutionEvent`](event::ExecutionEvent)s, and leave over server-sent events (`serve`) and OTLP (`otlp`).
//!
//! ```text
//!  agent code                        the gate                    the rooms behind it
//!  #[agent] #[tool] #[llm] … ┐
//!  any crate's gen_ai.* span ├▶ tracing span ▶ AgentLayer ┐             ┌▶ hub ── live, bounded ──▶ serve ▶ browser
//!  span::tool("search") …    ┘                            ├▶ Recorder ──┤    ▲ catch-up from the log
//!  emitter.emit(…) ─────────────────── EventEmitter ──────┘  one queue, └▶ log ── durable
//!                                                            one thread           └▶ otlp ▶ any back end
//! ```
//!
//! # Ways in
//!
//! - **No code.** [`init`] installs a subscriber that understands the spans of other crates: rig's, genai's and others'
//!   `gen_ai.*`, OpenInference's, Langfuse's; [`Rules`] teach it yours.
//! - **Attributes**: `#[agent]`, `#[workflow]`, `#[step]`, `#[llm]`, `#[tool]`, `#[memory(recall)]`, `#[guardrail]`,
//!   `#[evaluator]`, `#[retriever]`, `#[embedding]` on functions and methods that return a value, a future or a stream.
//!   The signature stays as it is.
//! - **Handles**: [`span::llm`] and its siblings, where there is no function to put an attribute on.
//! - **From inside**: [`current`] notes, asks a person, and stops where an [`ExecutionHandle`] says so.
//! - **Events**: [`EventEmitter::emit`] takes any event of the vocabulary, without spans, without a runtime.
//!
//! Tasks, threads, requests and child processes stay in one trace by [`context`]; secrets are masked by [`policy`] before
//! anything is shown or kept; [`ledger`] says what it cost.
//!
//! # What is promised
//!
//! Emitting never fails, blocks or panics. Events of an execution are seen by everyone in the order in which they
//! happened. What was acknowledged ([`Recorder::flush`], [`EventEmitter::emit_durable`]) is on disk. A reader gets every
//! event of its scope, or is told in the stream how many it missed. Every queue is bounded in events and in bytes.
//!
//! # Features
//!
//! `macros`, `sqlite` and `terminal` are on by default: the attributes, the durable log, the live tree. `serve` adds HTTP
//! (axum, tokio), `jwt` signed tokens for it, `client` a client of it that misses nothing (reqwest, tokio), `tokio` adds
//! `span::spawn`, `schema` the JSON Schema of the events, `testing` recordings for tests; `http`, `tower` and `reqwest`
//! carry a trace over requests ([`context`]); with `tracing-opentelemetry` our ids are those of such a layer beside ours.
//! `otlp` sends the record to OpenTelemetry back ends, `otlp-tls` over https too (it adds ring to rustls and TLS to reqwest,
//! for the whole program), `otlp-grpc` over gRPC, `otlp-bridge` by an exporter that you have. The others add names and change nothing else.
#![warn(missing_docs)]

#[cfg(feature = "client")]
pub mod client;
pub mod context;
mod control;
mod current;
mod error;
pub mod event;
pub mod hub;
mod id;
mod json;
mod layer;
pub mod ledger;
pub mod log;
#[cfg(feature = "otlp")]
pub mod otlp;
mod outgoing;
mod pending;
pub mod policy;
mod recorder;
pub mod semconv;
#[cfg(feature = "serve")]
pub mod serve;
pub mod span;
mod start;
#[cfg(feature = "terminal")]
pub mod terminal;
#[cfg(feature = "testing")]
pub mod testing;
mod text;
mod time;
pub mod view;
pub mod wire;

#[doc(hidden)]
pub mod __private;

pub use control::{Cancellation, Cancelled, Permission, PermissionAsked};
pub use current::{AskPermission, Current, current};
pub use error::Error;
pub use event::StreamEvent;
pub use id::{Cursor, EventId, ExecutionId, MAX_ID_BYTES, StepId};
pub use json::Json;
pub use layer::{AgentLayer, Rules};
pub use log::EventLog;
#[cfg(feature = "reqwest")]
pub use outgoing::WithTraceContext;
pub use pending::{Answer, Pending};
pub use policy::{ContentLevel, ContentPolicy};
pub use recorder::{Admitted, EventEmitter, ExecutionHandle, Intake, QueueLimits, Recorder, RecorderBuilder, Stats};
pub use start::{Builder, Guard, builder, init};
pub use text::Text;
pub use time::Timestamp;

#[cfg(feature = "macros")]
pub use spanwright_macros::{agent, embedding, evaluator, guardrail, llm, memory, retriever, step, tool, workflow};

/// Holds the code of the README.
#[cfg(all(doctest, feature = "otlp", feature = "serve"))]
#[doc = include_str!("../README.md")]
mod readme {}
