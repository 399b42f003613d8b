//! What a crash left open: the events of each running execution, folded.

use super::reader::Reader;
use crate::{
    Error, StreamEvent,
    event::{ExecutionStart, Life, OpenThings},
    log::{LoggedEvent, Query, Scope, Status},
};

/// Events of one look.
const PAGE: usize = 1024;

/// What was open in these executions when the last event up to this offset was written.
pub(super) fn unfinished(reader: &mut Reader, running: &[i64], until: u64) -> Result<Vec<OpenThings>, Error> {
    let open = running.iter().map(|row| unfinished_of(reader, *row, until));
    open.filter_map(Result::transpose).collect()
}

/// None where the execution's row cannot be read.
fn unfinished_of(reader: &mut Reader, row: i64, until: u64) -> Result<Option<OpenThings>, Error> {
    let Some(execution) = reader.execution_of_row(row)? else { return Ok(None) };
    let mut open = OpenThings::new(execution.execution_id.clone());
    let mut query = Query::new(Scope::Execution(execution.execution_id), 0, PAGE);
    loop {
        let page = reader.page(&query)?;
        page.events.iter().filter(|event| event.cursor.offset <= until).for_each(|event| apply(&mut open, event));
        if page.complete || page.read_to >= until {
            return Ok(Some(running(open)));
        }
        query.after = page.read_to;
    }
}

/// An event whose fields cannot be read opens and closes nothing.
fn apply(open: &mut OpenThings, event: &LoggedEvent) {
    let matters = matches!(event.kind.life(), Life::Opens(_) | Life::Closes(_)) || Status::after(event.kind).is_some();
    if let Some(event) = matters.then(|| event.to_stream().ok()).flatten() {
        open.apply(&event);
    }
}

/// It is running by its row: where its start cannot be read, it is open all the same.
fn running(mut open: OpenThings) -> OpenThings {
    if !open.is_running() {
        open.apply(&StreamEvent::from(ExecutionStart::new()));
    }
    open
}
