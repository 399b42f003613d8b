//! The record, or a part of it, written into files: without a destination, without a place in the log. And traces read back
//! from files.

mod import;
mod perfetto;
mod requests;
mod walk;

use crate::{
    Error, EventLog, ExecutionId, Text,
    log::jsonl::cannot_write,
    otlp::{
        map::Dialect,
        settings::{MAX_VALUE_BYTES, Naming, OpenInference},
    },
};
pub use import::{Traces, read_json};
use perfetto::{Run, Trace};
use std::{io::Write, sync::Arc};

pub(super) use requests::Request;

/// Exports what a log has: everything, or one execution, one conversation, one tenant.
///
/// ```no_run
/// use spanwright::{log::SqliteLog, otlp::Export};
/// use std::{fs::File, sync::Arc};
///
/// let log = Arc::new(SqliteLog::open("spanwright.db")?);
/// Export::of(log).content(true).perfetto(File::create("run.perfetto.json")?)?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
///
/// Only what has ended is written: of an execution that runs its finished steps. What was said and given is left out unless
/// it is asked for by [`content`](Export::content). An execution is read as a whole, one after the other, the newest first,
/// so memory is bounded by the largest. All of it blocks.
#[derive(Debug, Clone)]
#[must_use = "nothing is written until it is said where"]
pub struct Export {
    log: Arc<dyn EventLog>,
    what: What,
    content: bool,
    dialect: Dialect,
    pub(super) max_value_bytes: usize,
    resource: Vec<(String, String)>,
}

/// What is exported.
#[derive(Debug, Clone, Default)]
struct What {
    execution_id: Option<ExecutionId>,
    session_id: Option<Text>,
    tenant_id: Option<Text>,
}

/// What was exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Exported {
    /// Executions of which something was written.
    pub executions: u64,
    /// Spans that were written.
    pub spans: u64,
    /// Events that the log has and that cannot be read: what they said is missing.
    pub unreadable: u64,
}

impl Export {
    /// Everything in this log, such as [`Recorder::log`](crate::Recorder::log)'s.
    pub fn of(log: Arc<dyn EventLog>) -> Self {
        let (what, dialect) = (What::default(), Dialect::default());
        Self { log, what, content: false, dialect, max_value_bytes: MAX_VALUE_BYTES, resource: Vec::new() }
    }

    /// Only this execution.
    pub fn execution(mut self, id: ExecutionId) -> Self {
        self.what.execution_id = Some(id);
        self
    }

    /// Only the executions of this conversation.
    pub fn session(mut self, session_id: impl Into<Text>) -> Self {
        self.what.session_id = Some(session_id.into());
        self
    }

    /// Only the executions of this tenant.
    pub fn tenant(mut self, tenant_id: impl Into<Text>) -> Self {
        self.what.tenant_id = Some(tenant_id.into());
        self
    }

    /// Whether prompts, answers, arguments and results are written, as far as the log has them.
    pub fn content(mut self, content: bool) -> Self {
        self.content = content;
        self
    }

    /// Which version of the GenAI convention names follow.
    pub fn naming(mut self, naming: Naming) -> Self {
        self.dialect.naming = naming;
        self
    }

    /// How much of OpenInference goes along.
    pub fn openinference(mut self, openinference: OpenInference) -> Self {
        self.dialect.openinference = openinference;
        self
    }

    /// Whether Langfuse's own attributes go along.
    pub fn langfuse(mut self, langfuse: bool) -> Self {
        self.dialect.langfuse = langfuse;
        self
    }

    /// An attribute of the resource that everything is said of, such as `service.name`; the last value of a name counts.
    /// Only OTLP has one.
    pub fn resource(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.resource.push((key.into(), value.into()));
        self
    }

    /// How many bytes a value may have; of longer ones parts are cut, and it is said: 64 KiB if nothing is said.
    pub fn max_value_bytes(mut self, bytes: usize) -> Self {
        self.max_value_bytes = bytes;
        self
    }

    /// Writes a trace for <https://ui.perfetto.dev> and `chrome://tracing` (Trace Event Format, JSON). An execution is a
    /// process; what runs beside each other is on lanes of its own; what happened in a step is an instant event; tokens and
    /// cost are counters; arrows lead from who handed over, and to what cannot be drawn in the step that it belongs to. Times
    /// are whole microseconds.
    ///
    /// # Errors
    /// `is_not_found` for an execution that the log does not have; what the log says; `is_io` when it cannot be written.
    pub fn perfetto(&self, out: impl Write) -> Result<Exported, Error> {
        let mut trace = Trace::begin(out, self.dialect, self.max_value_bytes).map_err(cannot_write)?;
        let mut exported = Exported::default();
        self.each_execution(|row| {
            let mut run = Run::default();
            let mut spans = 0;
            exported.unreadable += self.fold(&row.execution_id, |output| {
                spans += u64::from(output.is_span());
                trace.take(output, &mut run);
                Ok(())
            })?;
            exported.executions += u64::from(spans > 0);
            exported.spans += spans;
            trace.draw(&row.execution_id, row.name.as_ref(), run).map_err(cannot_write)
        })?;
        trace.end().map_err(cannot_write)?;
        Ok(exported)
    }
}
