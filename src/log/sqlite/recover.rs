//! What a crash left open: the events of each running execution, folded.

use super::reader::Reader;
use crate::{
    Error, StreamEvent,
    event::{Concept, ExecutionStart, Life, OpenThings},
    log::{LoggedEvent, Query, Scope},
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
    let mut fold = Fold { open: OpenThings::new(execution.execution_id.clone()), begun: false };
    let mut query = Query::new(Scope::Execution(execution.execution_id), 0, PAGE);
    loop {
        let page = reader.page(&query)?;
        page.events.iter().filter(|event| event.cursor.offset <= until).for_each(|event| fold.apply(event));
        if page.complete || page.read_to >= until {
            return Ok(Some(fold.end()));
        }
        query.after = page.read_to;
    }
}

struct Fold {
    open: OpenThings,
    /// Whether the execution itself is among what is open.
    begun: bool,
}

impl Fold {
    /// An event whose fields cannot be read opens and closes nothing.
    fn apply(&mut self, event: &LoggedEvent) {
        let life = event.kind.life();
        if !matches!(life, Life::Opens(_) | Life::Closes(_)) {
            return;
        }
        if let Ok(event) = event.to_stream() {
            self.open.apply(&event);
            self.begun = match life {
                Life::Opens(Concept::Execution) => true,
                Life::Closes(Concept::Execution) => false,
                _ => self.begun,
            };
        }
    }

    /// It is running by its row: where its start cannot be read, it is open all the same.
    fn end(mut self) -> OpenThings {
        if !self.begun {
            self.open.apply(&StreamEvent::from(ExecutionStart::new()));
        }
        self.open
    }
}
