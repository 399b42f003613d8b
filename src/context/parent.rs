//! `traceparent`: which execution, and which step in it.

use super::{baggage, names, tracestate};
use crate::{ExecutionId, StepId};
use std::{borrow::Cow, fmt};

/// A place in a trace, which may be of another process: an execution, a step in it, and what travels with them.
///
/// [`current`](Self::current) is the running step as others can go on from it; [`Context::remote`](super::Context::remote)
/// goes on from one that came in. The execution crosses as its trace id: an id of another system's form arrives as
/// `exec_` and the hash that its [`trace_id`](ExecutionId::trace_id) is.
#[derive(Clone, PartialEq, Eq)]
pub struct TraceContext {
    execution_id: ExecutionId,
    step_id: StepId,
    flags: u8,
    tracestate: Option<String>,
    baggage: Option<String>,
}

/// "The caller may have recorded trace data."
const SAMPLED: u8 = 1;
/// "The trace-id was generated randomly": true of the whole trace or not, so it goes on as it came.
const RANDOM: u8 = 2;

impl TraceContext {
    /// The place of a step in an execution, recorded, with nothing beside it.
    pub const fn new(execution_id: ExecutionId, step_id: StepId) -> Self {
        Self { execution_id, step_id, flags: SAMPLED, tracestate: None, baggage: None }
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
        // Other flags are "reserved for future use" and sent as zero.
        Some(Self { flags: u8::try_from(flags).ok()? & (SAMPLED | RANDOM), ..context })
    }

    /// Reads what came under the three names, each any number of times. "If the vendor failed to parse `traceparent`,
    /// it MUST NOT attempt to parse `tracestate`"; what is wrong beside a good one does not touch it.
    pub(crate) fn read<'a>(
        traceparents: impl IntoIterator<Item = &'a str>,
        tracestates: impl IntoIterator<Item = &'a str>,
        baggages: impl IntoIterator<Item = &'a str>,
    ) -> Option<Self> {
        let mut traceparents = traceparents.into_iter();
        let context = Self::parse(traceparents.next()?)?;
        // Two of them are no answer to where the request came from.
        if traceparents.next().is_some() {
            return None;
        }
        Some(Self { tracestate: tracestate::read(tracestates), baggage: baggage::read(baggages), ..context })
    }

    /// The same place with this `tracestate`, which replaces what there was. One that W3C Trace Context (section 3.3)
    /// does not allow is dropped; more than 512 bytes are cut by whole entries.
    #[must_use]
    pub fn with_tracestate(self, tracestate: &str) -> Self {
        Self { tracestate: tracestate::read([tracestate]), ..self }
    }

    /// The same place with this `baggage`, which replaces what there was. Members that W3C Baggage does not allow are
    /// dropped, and those past 64 members or 8,192 bytes.
    #[must_use]
    pub fn with_baggage(self, baggage: &str) -> Self {
        Self { baggage: baggage::read([baggage]), ..self }
    }

    /// A later place of the same journey. In another trace than the one that it came with, what vendors said of that
    /// one ends: "vendors SHOULD clean up `tracestate` collection on `traceparent` restart".
    pub(crate) fn moved_to(self, execution_id: ExecutionId, step_id: StepId) -> Self {
        match self.execution_id == execution_id {
            true => Self { step_id, ..self },
            false => Self { baggage: self.baggage, ..Self::new(execution_id, step_id) },
        }
    }

    /// The `traceparent` of this place, version 00.
    pub fn traceparent(&self) -> String {
        let (trace, span) = (self.execution_id.trace_id(), self.step_id.span_id());
        format!("00-{trace:032x}-{span:016x}-{:02x}", self.flags)
    }

    /// What is written wherever a context travels, under the names that it travels by.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'static str, Cow<'_, str>)> {
        let beside = [(names::TRACESTATE, self.tracestate()), (names::BAGGAGE, self.baggage())];
        let beside = beside.into_iter().filter_map(|(name, value)| Some((name, Cow::from(value?))));
        std::iter::once((names::TRACEPARENT, Cow::from(self.traceparent()))).chain(beside)
    }

    /// What vendors say of the trace, as it is passed on.
    pub fn tracestate(&self) -> Option<&str> {
        self.tracestate.as_deref()
    }

    /// What the program itself sends along the trace, as it is passed on: `key=value` and so on, percent-encoded.
    pub fn baggage(&self) -> Option<&str> {
        self.baggage.as_deref()
    }

    /// Whether the caller says that it records its part. Passed on; spanwright records its own part either way.
    pub const fn sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }

    /// The execution.
    pub const fn execution_id(&self) -> &ExecutionId {
        &self.execution_id
    }

    /// The step in it.
    pub const fn step_id(&self) -> &StepId {
        &self.step_id
    }
}

/// Without what travels along: baggage is the user's data.
impl fmt::Debug for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TraceContext").field(&self.traceparent()).finish_non_exhaustive()
    }
}

/// Lower case only, as the specification asks, and of this length.
fn hex(text: &str, digits: usize) -> Option<u128> {
    let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (text.len() == digits && text.bytes().all(lower)).then(|| u128::from_str_radix(text, 16).ok())?
}
