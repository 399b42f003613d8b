//! The live tree on stderr: what an agent does, drawn while it does it.
//!
//! On a terminal the runs at work are redrawn in place and finished ones scroll up and stay; elsewhere each start and
//! each end is one plain line. Stdout is never written to.
//!
//! # Programs that print
//!
//! What is redrawn in place is found again by going up so many lines, and a terminal tells nobody what others have
//! printed since. Therefore:
//!
//! - Before, between and after runs a program may print what it likes. Where a run ends, what is drawn is taken away
//!   before the program goes on; the finished tree is written below what the program prints next, and other runs that
//!   are still at work are drawn anew a moment later.
//! - A run shorter than 300 ms is never drawn while it works. It appears once, when it has ended.
//! - A program that prints *while* a run is drawn, such as one that prints an answer piece by piece from inside its
//!   agent, would have its lines overwritten where stdout and stderr are the same terminal. It should start with
//!   [`builder().without_terminal()`](crate::Builder::without_terminal), or have one of the two streams sent elsewhere:
//!   `program 2>tree.txt`, `program >answer.txt`.

mod live;
mod output;
mod plain;
mod screen;
mod shared;
mod shown;
mod stage;

pub use live::Live;
pub use output::{Look, Output};
pub use plain::Plain;
pub use screen::{Screen, Size};
pub use stage::Stage;

use crate::{Error, ExecutionId, hub::Received, view::Inert};
use shared::Shared;
use shown::Shown;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// The thread that shows events as they come. When it is dropped it shows what is there by then, and ends.
pub struct TerminalTree {
    stop: Arc<AtomicBool>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// How long a stop waits for events that are still on their way; a source that never pauses must not hold it up.
const DRAINED_MAX: usize = 100_000;
/// How long a wait for the next event may be, which is also how late a stop may be noticed.
const WAIT_MAX: Duration = Duration::from_millis(100);

impl TerminalTree {
    /// Shows the events that `next` gives, which waits as long as it is told to at most; for a stream of the hub it is
    /// `move |limit| stream.recv_timeout(limit)`.
    ///
    /// # Errors
    /// `is_io` when the system has no thread to give.
    pub fn start(next: impl FnMut(Duration) -> Received + Send + 'static, output: Output) -> Result<Self, Error> {
        let stop = Arc::new(AtomicBool::new(false));
        let shown = Shown::new(&output);
        let shared = Arc::new(Shared::new(Stage::new(output.look() == Look::ColouredTree), output));
        let (stopped, place) = (Arc::clone(&stop), Arc::clone(&shared));
        let thread = thread::Builder::new()
            .name("spanwright-terminal".into())
            .spawn(move || show_all(next, shown, &place, &stopped))
            .map_err(|source| Error::io("cannot start the thread of the terminal tree").with_source(source))?;
        Ok(Self { stop, shared, thread: Some(thread) })
    }

    /// What a thread calls that has ended this run and may print next: takes away what is drawn. For a moment after it
    /// nothing is drawn that would move over what is printed. Waits 5 ms at most for a frame that is being written.
    pub fn make_way(&self) -> impl Fn(Option<&ExecutionId>) + Send + Sync + use<> {
        let shared = Arc::clone(&self.shared);
        move |ended| shared.make_way(ended)
    }

    /// Shows what has come by now, then ends; returns once it is shown. Flush the recorder before: what is still on its
    /// way to the hub has not come yet.
    pub fn stop(self) {}
}

impl Drop for TerminalTree {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported by the panic hook, and what is shown is no reason to end a program.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for TerminalTree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TerminalTree").field("stop", &self.stop).finish_non_exhaustive()
    }
}

/// The footer as it can be shown; its parts stay apart.
fn inert_footer(text: &str) -> String {
    let parts = text.split("   ").map(|part| Inert::new(part, usize::MAX)).filter(|part| !part.is_empty());
    parts.map(|part| part.to_string()).collect::<Vec<_>>().join("   ")
}

fn show_all(mut next: impl FnMut(Duration) -> Received, mut shown: Shown, shared: &Shared, stop: &AtomicBool) {
    let mut drained = 0;
    loop {
        let stopping = stop.load(Ordering::Relaxed);
        let wait = if stopping { Duration::ZERO } else { shown.wait(shared.now()).min(WAIT_MAX) };
        match next(wait) {
            Received::Event(event) if drained < DRAINED_MAX => shown.apply(&event),
            Received::TimedOut if !stopping => {}
            _ => break,
        }
        drained += usize::from(stopping);
        let is_due = shown.wait(shared.now()).is_zero();
        // Where nobody listens any more there is nothing left to do.
        if is_due && !shared.draw(|stage, now, size| shown.frame(stage, now, size)) {
            return;
        }
    }
    shared.draw(|stage, now, size| shown.last_frame(stage, now, size));
}
