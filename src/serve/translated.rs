//! Runs in dialects that tell a run as a whole: each is translated once, and shared by all who read it.

use super::{App, body::Frames};
use crate::{
    Cursor, ExecutionId, Pending, Recorder, StreamEvent, Text,
    event::{Concept, Life, StreamMode},
    hub::{EventStream, Filter, From},
    log::{Scope, Status},
    wire::{Dialect, Run, Told, Translator, sse},
};
use axum::body::Bytes;
use futures_core::Stream;
use std::{
    collections::{HashMap, VecDeque},
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll, Wake, Waker},
};

/// What is asked for; readers who ask for the same share one translation.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Wanted {
    pub(super) execution_id: ExecutionId,
    pub(super) session_id: Option<Text>,
    /// Only if the run is of this tenant.
    pub(super) tenant_id: Option<Text>,
    pub(super) dialect: Dialect,
    pub(super) mode: StreamMode,
    pub(super) is_replay: bool,
    pub(super) resumed: Option<Resumed>,
}

/// Where another translation was left in the middle of texts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Resumed {
    /// Offset up to which everything was told.
    pub(super) after: u64,
    pub(super) told: Told,
}

impl Resumed {
    pub(super) fn at(after: u64, told: Told) -> Option<Self> {
        (!told.is_nothing()).then_some(Self { after, told })
    }
}

/// The translations that somebody reads.
#[derive(Default)]
pub(super) struct Translations(Mutex<HashMap<Wanted, Weak<Translation>>>);

impl Translations {
    /// A reader, of what is after this offset.
    ///
    /// `newest` is the last event of a run that has ended.
    pub(super) fn read(app: &Arc<App>, wanted: Wanted, after: u64, newest: u64) -> Option<Reader> {
        let translation = match app.translations.running(&wanted) {
            Some(running) => running,
            None => app.translations.begin(&app.recorder, &wanted)?,
        };
        Some(Reader::new(app.clone(), wanted, translation, (after, newest)))
    }

    fn running(&self, wanted: &Wanted) -> Option<Arc<Translation>> {
        let found = self.lock().get(wanted).and_then(Weak::upgrade);
        // One that has let go of its beginning is of no use to those who come now.
        found.filter(|translation| translation.state().first == 0)
    }

    fn begin(&self, recorder: &Recorder, wanted: &Wanted) -> Option<Arc<Translation>> {
        let translation = Arc::new(Translation::new(recorder, wanted)?);
        let mut shared = self.lock();
        shared.retain(|_, translation| translation.strong_count() > 0);
        shared.insert(wanted.clone(), Arc::downgrade(&translation));
        Some(translation)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Wanted, Weak<Translation>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Translations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Translations").field("held", &self.lock().len()).finish()
    }
}

/// Output is held up to this much for readers who come later or are slower; who is behind that begins again by itself.
const MAX_HELD_BYTES: usize = 4 << 20;
/// A look at the events ends when it has written this much.
const MAX_CHUNK_BYTES: usize = 32 << 10;

struct Translation {
    state: Mutex<State>,
    sleepers: Arc<Sleepers>,
}

struct State {
    recorder: Recorder,
    events: EventStream,
    translator: Translator,
    /// Where its readers come from, until it comes there.
    resumed: Option<Resumed>,
    dialect: Dialect,
    /// The run had ended before.
    is_replay: bool,
    chunks: VecDeque<Chunk>,
    /// Number of the first chunk that is held.
    first: u64,
    held_bytes: usize,
    /// The run's end, which is told when the record has it.
    ending: Option<(StreamEvent, Cursor, Pending<Cursor>)>,
    is_over: bool,
}

/// Frames of a few events.
#[derive(Default)]
struct Chunk {
    bytes: Bytes,
    /// Of each event that said something.
    ends: Vec<End>,
}

struct End {
    /// Its offset.
    offset: u64,
    /// Where its frames end.
    at: usize,
    /// What of open texts was told up to there.
    told: Told,
}

impl Chunk {
    /// What it says of events after this offset.
    fn after(&self, offset: u64) -> Bytes {
        let seen = self.ends.partition_point(|end| end.offset <= offset);
        let start = seen.checked_sub(1).map_or(0, |last| self.ends[last].at);
        self.bytes.slice(start..)
    }
}

impl Translation {
    fn new(recorder: &Recorder, wanted: &Wanted) -> Option<Self> {
        let run =
            Run::new(wanted.execution_id.clone()).of_session(wanted.session_id.clone()).replayed(wanted.is_replay);
        let mut filter = Filter::of(Scope::Execution(wanted.execution_id.clone())).in_mode(wanted.mode);
        filter.tenant_id.clone_from(&wanted.tenant_id);
        let state = State {
            // Told from what comes after a gap, a run that was not read would seem to have ended well.
            events: recorder.subscribe(filter, From::Start).coming_back(),
            recorder: recorder.clone(),
            translator: Translator::new(wanted.dialect, &run)?,
            resumed: wanted.resumed.clone(),
            dialect: wanted.dialect,
            is_replay: wanted.is_replay,
            chunks: VecDeque::new(),
            first: 0,
            held_bytes: 0,
            ending: None,
            is_over: false,
        };
        Some(Self { state: Mutex::new(state), sleepers: Arc::default() })
    }

    /// A thread that panicked here left whole chunks behind.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Writes what there is to say now. False when there is nothing yet.
    fn advance(&mut self, cx: &mut Context<'_>) -> bool {
        let (mut text, mut ends) = (String::new(), Vec::new());
        while !self.is_over && text.len() < MAX_CHUNK_BYTES {
            let Poll::Ready(next) = self.poll_event(cx) else { break };
            let (before, offset) = (text.len(), next.as_ref().map_or(u64::MAX, |(_, cursor)| cursor.offset));
            match next {
                Some((event, cursor)) => {
                    if let Some(resumed) = self.resumed.take_if(|resumed| resumed.after < offset) {
                        self.translator.resume(&resumed.told);
                    }
                    self.translator.event(&event, &mut text);
                    name_place(cursor, &self.translator.told(), before, &mut text);
                    self.is_over = self.translator.is_over();
                    // What ended was only what the run called in another process.
                    self.ending.take_if(|_| !self.is_over);
                }
                None => self.end(&mut text),
            }
            if text.len() > before {
                ends.push(End { offset, at: text.len(), told: self.translator.told() });
            }
        }
        let news = !ends.is_empty() || self.is_over;
        self.keep(Chunk { bytes: Bytes::from(text), ends });
        news
    }

    /// The next event with its own cursor, by which every translation tells the same; none when no more come.
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<(StreamEvent, Cursor)>> {
        if let Some((event, cursor, kept)) = &mut self.ending {
            let told = (event.clone(), *cursor);
            // Not kept: who is told that all is done would be told too much.
            return Pin::new(kept).poll(cx).map(|kept| kept.is_ok().then_some(told));
        }
        let event = match Pin::new(&mut self.events).poll_next(cx) {
            Poll::Ready(Some(event)) => event,
            Poll::Pending if !self.has_ended() => return Poll::Pending,
            Poll::Ready(None) | Poll::Pending => return Poll::Ready(None),
        };
        let cursor = self.events.given();
        if self.dialect.ends_when_durable()
            && event.kind().life() == Life::Closes(Concept::Execution)
            && self.recorder.log().is_some()
        {
            self.ending = Some((event, cursor, self.recorder.flush()));
            return self.poll_event(cx);
        }
        Poll::Ready(Some((event, cursor)))
    }

    /// The run has ended and everything was read, be its end shown or not.
    fn has_ended(&self) -> bool {
        self.events.status().map_or(self.is_replay, Status::is_final) && self.events.is_caught_up()
    }

    /// No more events come. Of a run that was not shown nothing is said, but that there is nothing more to come for.
    fn end(&mut self, text: &mut String) {
        // Where the record does not have the end, another answer may be had later.
        let (before, has_ended) = (text.len(), self.ending.is_none() && self.has_ended());
        if !has_ended || self.translator.has_begun() {
            self.translator.end(text);
        }
        match has_ended {
            true if text.len() == before => sse::write_bookmark(self.events.cursor(), text),
            true => name_place(self.events.cursor(), &Told::default(), before, text),
            false => {}
        }
        self.is_over = true;
    }

    fn keep(&mut self, chunk: Chunk) {
        if chunk.bytes.is_empty() {
            return;
        }
        self.held_bytes += chunk.bytes.len();
        self.chunks.push_back(chunk);
        while self.held_bytes > MAX_HELD_BYTES && self.chunks.len() > 1 {
            self.held_bytes -= self.chunks.pop_front().map_or(0, |chunk| chunk.bytes.len());
            self.first += 1;
        }
    }

    /// The server ends before the run does.
    fn interrupt(&mut self) {
        let mut text = String::new();
        self.translator.end(&mut text);
        self.is_over = true;
        let ends = vec![End { offset: u64::MAX, at: text.len(), told: Told::default() }];
        self.keep(Chunk { bytes: Bytes::from(text), ends });
    }
}

/// Puts the place to resume from into the last of the frames after `start`.
fn name_place(cursor: Cursor, told: &Told, start: usize, text: &mut String) {
    if text[start..].ends_with("\n\n") {
        text.pop();
        sse::write_place(cursor, told, text);
        text.push('\n');
    }
}

/// The tasks of the readers who wait for more: the events know one waker, this one.
#[derive(Default)]
struct Sleepers(Mutex<HashMap<u64, Waker>>);

impl Sleepers {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Waker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wake for Sleepers {
    fn wake(self: Arc<Self>) {
        // Woken after the lock is given back: wakers are others' code.
        let sleepers = std::mem::take(&mut *self.lock());
        sleepers.into_values().for_each(Waker::wake);
    }
}

/// One who reads a translation.
pub(super) struct Reader {
    app: Arc<App>,
    wanted: Wanted,
    translation: Arc<Translation>,
    id: u64,
    /// Number of the next chunk.
    next: u64,
    /// Offset up to which everything was told.
    after: u64,
    /// What of open texts was told up to there.
    told: Told,
    /// Offset of the run's last event: what came after its end says nothing, but its reader must know of it.
    newest: u64,
}

impl Reader {
    fn new(app: Arc<App>, wanted: Wanted, translation: Arc<Translation>, (after, newest): (u64, u64)) -> Self {
        let told = wanted.resumed.as_ref().map_or_else(Told::default, |resumed| resumed.told.clone());
        Self { app, wanted, translation, id: fastrand::u64(..), next: 0, after, told, newest }
    }

    /// The next bytes, if there are any; an error where this reader is behind what is held.
    fn look(&mut self) -> Result<Poll<Option<Bytes>>, Behind> {
        let waker = Waker::from(self.translation.sleepers.clone());
        let mut state = self.translation.state();
        loop {
            let at = self.next.checked_sub(state.first).ok_or(Behind)?;
            if let Some(chunk) = state.chunks.get(at as usize) {
                let bytes = chunk.after(self.after);
                self.next += 1;
                if let Some(last) = chunk.ends.last().filter(|last| last.offset > self.after) {
                    (self.after, self.told) = (last.offset, last.told.clone());
                }
                if !bytes.is_empty() {
                    return Ok(Poll::Ready(Some(bytes)));
                }
            } else if state.is_over {
                return Ok(Poll::Ready(None));
            } else if !state.advance(&mut Context::from_waker(&waker)) {
                return Ok(Poll::Pending);
            }
        }
    }

    /// Where to come back to after the end, for a reader whose last id is older: else it would never be told to stay
    /// away.
    fn bookmark(&mut self) -> Option<Bytes> {
        (self.after < self.newest).then(|| {
            self.after = self.newest;
            let mut text = String::new();
            sse::write_bookmark(Cursor::new(self.app.recorder.hub().newest().epoch, self.newest), &mut text);
            Bytes::from(text)
        })
    }

    /// Begins again by itself, and passes over what it has told already.
    fn begin_again(&mut self) {
        self.wanted.resumed = Resumed::at(self.after, self.told.clone());
        if let Some(own) = Translation::new(&self.app.recorder, &self.wanted) {
            (self.translation, self.next) = (Arc::new(own), 0);
        }
    }
}

/// A reader is behind what its translation holds.
struct Behind;

impl Frames for Reader {
    fn poll_frames(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            // Before the look: what comes during it wakes.
            let old = self.translation.sleepers.lock().insert(self.id, cx.waker().clone());
            drop(old);
            match self.look() {
                Ok(Poll::Ready(None)) => return Poll::Ready(self.bookmark()),
                Ok(looked) => return looked,
                Err(Behind) => self.begin_again(),
            }
        }
    }

    fn first(&mut self) -> Bytes {
        Bytes::from_static(b": connected\n\n")
    }

    fn sign_of_life(&mut self) -> Bytes {
        Bytes::from_static(self.translation.state().translator.ping().as_bytes())
    }

    fn interrupted(&mut self) -> Option<Bytes> {
        let mut state = self.translation.state();
        if !state.is_over {
            state.interrupt();
        }
        drop(state);
        let mut rest = Vec::new();
        while let Ok(Poll::Ready(Some(bytes))) = self.look() {
            rest.extend_from_slice(&bytes);
        }
        (!rest.is_empty()).then(|| Bytes::from(rest))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let waker = self.translation.sleepers.lock().remove(&self.id);
        drop(waker);
    }
}
