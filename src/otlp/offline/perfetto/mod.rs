//! Spans as a trace that <https://ui.perfetto.dev> and `chrome://tracing` open: slices in slices, counters, arrows.
//!
//! The form is the Trace Event Format's JSON object: `{"traceEvents":[…]}`. An execution is a process; its threads are
//! lanes, so that what runs beside each other does not look nested.

mod draw;
mod lanes;
mod slice;

use crate::{
    ExecutionId, Text,
    event::Body,
    json::WriteJson,
    otlp::{
        map::{self, Dialect},
        span::{Fact, Output, Span},
    },
};
use draw::Drawing;
use slice::{Sample, Slice, SliceSink};
use std::io::{self, Write};

/// A trace that is being written: one execution after the other.
pub(super) struct Trace<W> {
    out: W,
    dialect: Dialect,
    max_value_bytes: usize,
    free: Numbers,
    is_first: bool,
}

/// Numbers that nothing of the trace has yet.
#[derive(Clone, Copy)]
struct Numbers {
    /// Of a process or of a lane. No two have the same: Perfetto takes a thread whose number is its process's for the main
    /// one, and tells threads apart by their numbers alone.
    process: u64,
    /// Of an arrow. Perfetto takes whole numbers, and drops what has another id.
    arrow: u64,
}

/// What is known of one execution until it is drawn.
#[derive(Debug, Default)]
pub(super) struct Run {
    slices: Vec<Slice>,
    samples: Vec<Sample>,
    late: Vec<Fact>,
}

impl<W: Write> Trace<W> {
    pub(super) fn begin(mut out: W, dialect: Dialect, max_value_bytes: usize) -> io::Result<Self> {
        out.write_all(b"{\"displayTimeUnit\":\"ms\",\"traceEvents\":[")?;
        Ok(Self { out, dialect, max_value_bytes, free: Numbers { process: 1, arrow: 1 }, is_first: true })
    }

    /// Adds what the fold gave out of an execution.
    pub(super) fn take(&self, output: Output, run: &mut Run) {
        match output {
            Output::Finished(span) => {
                run.samples.extend(span.facts.iter().filter_map(sample));
                run.slices.push(self.slice(&span));
            }
            Output::Late { fact, .. } => run.late.push(fact),
        }
    }

    fn slice(&self, span: &Span) -> Slice {
        let mut sink = SliceSink::default();
        map::write(span, &self.dialect, self.max_value_bytes, &mut sink);
        sink.slice
    }

    /// Draws an execution of which everything is known.
    pub(super) fn draw(&mut self, id: &ExecutionId, name: Option<&Text>, run: Run) -> io::Result<()> {
        let mut drawing = Drawing::new(self.free);
        drawing.run(id, name, run);
        self.free = drawing.next_numbers();
        let events = drawing.finish();
        if events.is_empty() {
            return Ok(());
        }
        let between: &[u8] = if std::mem::take(&mut self.is_first) { b"\n" } else { b",\n" };
        self.out.write_all(between)?;
        self.out.write_all(events.as_bytes())
    }

    pub(super) fn end(mut self) -> io::Result<()> {
        self.out.write_all(b"\n]}\n")?;
        self.out.flush()
    }
}

/// What the execution had used by then.
fn sample(fact: &Fact) -> Option<Sample> {
    let Body::TokenUsage(usage) = &fact.body else { return None };
    let (tokens, cost_usd) = (usage.cumulative_tokens, usage.cumulative_cost_usd);
    Some(Sample { time: micros(fact.time), tokens, cost_usd })
}

/// Whole ones: what reads them as floating-point numbers must not find a slice that ends after the one around it.
const fn micros(time: crate::Timestamp) -> i64 {
    time.unix_nanos().div_euclid(1_000)
}

/// A field of a JSON object, with a comma before it.
fn field(out: &mut String, name: &str, value: &(impl WriteJson + ?Sized)) {
    out.push_str(",\"");
    out.push_str(name);
    out.push_str("\":");
    value.write_json(out);
}
