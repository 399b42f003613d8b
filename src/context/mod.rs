//! One trace wherever the work goes: into tasks, threads and channels ([`Context`]), and out of the process and into it
//! ([`TraceContext`], as W3C Trace Context writes it).
//!
//! ```
//! use spanwright::{context::{Context, TraceContext}, span};
//!
//! let run = span::agent("research");
//! run.in_scope(|| {
//!     // A thread, a pool, a channel: take the context along.
//!     let context = Context::current();
//!     std::thread::scope(|threads| {
//!         threads.spawn(|| context.in_scope(|| span::step("in a thread").finish()));
//!     });
//!     // A child process: it goes on with `Context::remote(TraceContext::from_env())`.
//!     let mut child = std::process::Command::new("worker");
//!     if let Some(trace) = TraceContext::current() {
//!         trace.to_env(&mut child);
//!     }
//! });
//! ```

mod baggage;
mod environment;
#[cfg(feature = "http")]
mod headers;
mod meta;
mod parent;
mod place;
#[cfg(feature = "tower")]
mod service;
mod tracestate;

pub use parent::TraceContext;
pub use place::Context;
#[cfg(feature = "tower")]
pub use service::{TraceContextLayer, TraceContextService};

/// The names under which a context travels (W3C Trace Context, section 3; W3C Baggage, section 3.1): headers, members
/// of MCP's `_meta`, and in capitals variables of the environment.
mod names {
    pub(super) const TRACEPARENT: &str = "traceparent";
    pub(super) const TRACESTATE: &str = "tracestate";
    pub(super) const BAGGAGE: &str = "baggage";
}
