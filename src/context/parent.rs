//! `traceparent`: which execution, and which step in it.

use crate::{ExecutionId, StepId};

/// A place in a trace: an execution and a step in it, which may be of another process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    pub(super) execution_id: ExecutionId,
    pub(super) step_id: StepId,
    pub(super) sampled: bool,
    pub(super) tracestate: Option<String>,
    pub(super) baggage: Option<String>,
}

impl TraceContext {
    /// The place of a step in an execution.
    pub fn new(execution_id: ExecutionId, step_id: StepId) -> Self {
        Self { execution_id, step_id, sampled: true, tracestate: None, baggage: None }
    }

    /// The same place, with what came beside it.
    pub(crate) fn carrying(mut self, tracestate: Option<&str>, baggage: Option<&str>) -> Self {
        (self.tracestate, self.baggage) = (tracestate.map(str::to_owned), baggage.map(str::to_owned));
        self
    }

    /// Reads a `traceparent`. None for what W3C Trace Context (level 2, section 3.2) does not allow: then the receiver
    /// starts a trace of its own.
    pub fn parse(traceparent: &str) -> Option<Self> {
        let mut parts = traceparent.trim_matches([' ', '\t']).splitn(5, '-');
        let (version, trace, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let version = hex(version, 2)?;
        // "Version 00 of this specification" ends after the flags; "ff is invalid"; later versions may go on.
        if version == 0xff || (version == 0 && parts.next().is_some()) {
            return None;
        }
        let (trace, parent, flags) = (hex(trace, 32)?, hex(parent, 16)?, hex(flags, 2)?);
        // "All bytes as zero is considered an invalid value."
        if trace == 0 || parent == 0 {
            return None;
        }
        let step_id = StepId::from_span_id(u64::try_from(parent).ok()?);
        let context = Self::new(ExecutionId::from_trace_id(trace), step_id);
        Some(Self { sampled: flags & 1 == 1, ..context })
    }

    /// The `traceparent` of this place, version 00.
    pub fn traceparent(&self) -> String {
        let (trace, span) = (self.execution_id.trace_id(), self.step_id.span_id());
        format!("00-{trace:032x}-{span:016x}-{:02x}", u8::from(self.sampled))
    }

    /// The execution.
    pub fn execution_id(&self) -> &ExecutionId {
        &self.execution_id
    }

    /// The step in it.
    pub fn step_id(&self) -> &StepId {
        &self.step_id
    }
}

/// Lower case only, as the specification asks, and of this length.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (text.len() == digits && text.bytes().all(lower)).then(|| u128::from_str_radix(text, 16).ok())?
}
