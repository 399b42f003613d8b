//! The live tree on stderr: what an agent does, drawn while it does it.
//!
//! On a terminal the runs at work are redrawn in place and finished ones scroll up and stay; elsewhere each start and
//! each end is one plain line. Stdout is never written to.

mod live;
mod output;
mod plain;
mod screen;

pub use live::Live;
pub use output::{Look, Output};
pub use plain::Plain;
pub use screen::{Screen, Size};

use crate::{Error, Timestamp, hub::Received, view::Inert};
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
    thread: Option<JoinHandle<()>>,
}

/// What shows events: either form.
#[derive(Debug)]
enum Shown {
    Tree(Box<Live>),
    Lines(Box<Plain>),
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
        let stopped = Arc::clone(&stop);
        let thread = thread::Builder::new()
            .name("spanwright-terminal".into())
            .spawn(move || show_all(next, output, &stopped))
            .map_err(|source| Error::io("cannot start the thread of the terminal tree").with_source(source))?;
        Ok(Self { stop, thread: Some(thread) })
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

fn show_all(mut next: impl FnMut(Duration) -> Received, mut output: Output, stop: &AtomicBool) {
    let mut shown = Shown::new(&output);
    let mut drained = 0;
    loop {
        let stopping = stop.load(Ordering::Relaxed);
        let wait = if stopping { Duration::ZERO } else { shown.wait(output.now()).min(WAIT_MAX) };
        match next(wait) {
            Received::Event(event) if drained < DRAINED_MAX => shown.apply(&event),
            Received::TimedOut if !stopping => {}
            _ => break,
        }
        drained += usize::from(stopping);
        let now = output.now();
        // Where nobody listens any more there is nothing left to do.
        if shown.wait(now).is_zero() && !output.write(|size| shown.frame(now, size)) {
            return;
        }
    }
    let now = output.now();
    output.write(|size| shown.last_frame(now, size));
}

impl Shown {
    fn new(output: &Output) -> Self {
        let (look, footer) = (output.look(), output.footer());
        match look {
            Look::Lines => Self::Lines(Box::new(Plain::new(footer))),
            Look::Tree | Look::ColouredTree => Self::Tree(Box::new(Live::new(look == Look::ColouredTree, footer))),
        }
    }

    fn apply(&mut self, event: &crate::StreamEvent) {
        match self {
            Self::Tree(live) => live.apply(event),
            Self::Lines(plain) => plain.apply(event),
        }
    }

    fn wait(&self, now: Timestamp) -> Duration {
        match self {
            Self::Tree(live) => live.wait(now),
            Self::Lines(plain) if plain.has_lines() => Duration::ZERO,
            Self::Lines(_) => WAIT_MAX,
        }
    }

    fn frame(&mut self, now: Timestamp, size: Size) -> String {
        match self {
            Self::Tree(live) => live.frame(now, size),
            Self::Lines(plain) => plain.take_lines(),
        }
    }

    fn last_frame(&mut self, now: Timestamp, size: Size) -> String {
        match self {
            Self::Tree(live) => live.last_frame(now, size),
            Self::Lines(plain) => plain.last_lines(),
        }
    }
}
