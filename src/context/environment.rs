//! Child processes: the context in `TRACEPARENT`, `TRACESTATE` and `BAGGAGE`, as OpenTelemetry names them.

use super::{TraceContext, names};
use std::{env, process::Command};

impl TraceContext {
    /// Writes the environment of a process that is to be started. For tokio's command: `to_env(command.as_std_mut())`.
    ///
    /// A `TRACESTATE` that this process was started with is not handed on with another `TRACEPARENT`.
    pub fn to_env(&self, command: &mut Command) {
        command.env_remove(variable(names::TRACESTATE));
        command.envs(self.entries().map(|(name, value)| (variable(name), value.into_owned())));
    }

    /// Where whoever started this process says that it goes on from. None without a valid `TRACEPARENT`.
    ///
    /// Nothing reads it by itself: a variable may be left from a shell or a build server, and a server that went on from
    /// it would put all that it ever does into one execution. A program that is one piece of work says so in a line:
    ///
    /// ```
    /// use spanwright::context::{Context, TraceContext};
    ///
    /// # fn research() {}
    /// Context::remote(TraceContext::from_env()).in_scope(|| research());
    /// ```
    pub fn from_env() -> Option<Self> {
        let [traceparent, tracestate, baggage] =
            [names::TRACEPARENT, names::TRACESTATE, names::BAGGAGE].map(|name| env::var(variable(name)).ok());
        Self::read(traceparent.as_deref(), tracestate.as_deref(), baggage.as_deref())
    }
}

fn variable(name: &str) -> String {
    name.to_ascii_uppercase()
}
