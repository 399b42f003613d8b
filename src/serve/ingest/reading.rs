//! One body, from the line to the recorder: unpacked, split, read, taken in, and made durable window by window.

use super::{
    arriving::Arriving,
    form::Form,
    keys::Lease,
    limits::{DURABLE_WITHIN, WINDOW_BYTES, WINDOW_EVENTS},
    progress::Replay,
    split::{Item, Split},
    stop::Stop,
    unpack::Unpack,
};
use crate::serve::line::Headway;
use crate::{ExecutionId, Recorder, StreamEvent, Text, event::Class};
use tokio::time::timeout;

/// Whose events come.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub(super) recorder: Recorder,
    pub(super) tenant: Option<Text>,
    /// The execution that the path names: events of no other are taken.
    pub(super) execution_id: Option<ExecutionId>,
}

pub(super) struct Reading {
    source: Source,
    unpack: Unpack,
    split: Split,
    replay: Replay,
    window: Window,
    /// Told of each window: a client waits for a log that is slow, and not the other way round.
    headway: Headway,
    pub(super) progress: Lease,
}

/// What was given to the recorder since it was last waited for.
#[derive(Default)]
struct Window {
    events: u64,
    bytes: usize,
}

impl Reading {
    pub(super) fn new(source: Source, form: &Form, mut progress: Lease, headway: Headway) -> Self {
        progress.goes_on(source.recorder.stats().unlogged);
        Self {
            unpack: Unpack::new(form.gzip),
            split: Split::new(form.framing),
            replay: Replay::of(&progress),
            window: Window::default(),
            source,
            headway,
            progress,
        }
    }

    /// Reads the body to its end, or to where it cannot go on. Either way what was good before is kept, and durable when
    /// this is done; where that fails, it is the failure.
    pub(super) async fn read(&mut self, body: &mut Arriving) -> Result<(), Stop> {
        let read = self.read_all(body).await;
        self.make_durable().await?;
        self.progress.whole |= read.is_ok();
        read
    }

    async fn read_all(&mut self, body: &mut Arriving) -> Result<(), Stop> {
        while let Some(bytes) = body.next().await? {
            let mut packed = &bytes[..];
            while !packed.is_empty() {
                let piece = self.unpack.step(&mut packed)?;
                self.take_all(&piece).await?;
                // A little that came may be much to go through: others have their turn.
                tokio::task::yield_now().await;
            }
        }
        let rest = self.unpack.end()?;
        self.take_all(&rest).await?;
        if let Some(item) = self.split.end()? {
            self.take(&item).await?;
        }
        self.replay.end()
    }

    async fn take_all(&mut self, mut bytes: &[u8]) -> Result<(), Stop> {
        while let Some(item) = self.split.next(&mut bytes)? {
            self.take(&item).await?;
        }
        Ok(())
    }

    async fn take(&mut self, item: &Item) -> Result<(), Stop> {
        if self.replay.passes(item, &self.progress)? {
            return Ok(());
        }
        if self.window.is_full() || self.source.recorder.is_pressed() {
            self.make_durable().await?;
        }
        // From here to the end nothing is awaited: what the recorder has is remembered, wherever the request is dropped.
        let outcome = match self.source.event(item) {
            Ok(event) => Ok(self.give(event)?),
            Err(why) => Err(why),
        };
        self.window.add(item);
        self.progress.took(item, outcome);
        Ok(())
    }

    fn give(&mut self, event: StreamEvent) -> Result<(), Stop> {
        let Source { recorder, tenant, .. } = &self.source;
        match self.progress.intake(recorder, tenant.as_ref()).put_in_line(event) {
            true => Ok(()),
            false => Err(Stop::busy("the recorder has no room for more now, or has shut down")),
        }
    }

    /// Waits until everything that was taken is on disk. What the log lost meanwhile, whoever's it was, may have been of
    /// this body: then it is taken again with the next try.
    async fn make_durable(&mut self) -> Result<(), Stop> {
        let Source { recorder, tenant, .. } = &self.source;
        let asked = self.progress.intake(recorder, tenant.as_ref()).finish();
        let answer = timeout(DURABLE_WITHIN, asked).await;
        let unlogged = recorder.stats().unlogged;
        self.window = Window::default();
        self.headway.made();
        match answer {
            _ if self.progress.may_have_lost(unlogged) => {
                self.progress.fall_back(unlogged);
                Err(Stop::busy(
                    "the log could not keep everything: what of this body is not told as accepted may be lost",
                ))
            }
            Ok(Ok(admitted)) if admitted.undecided > 0 => {
                self.progress.fall_back(unlogged);
                Err(Stop::busy("the log cannot say at the moment whose some of the executions are"))
            }
            Ok(Ok(admitted)) => {
                self.progress.is_durable(admitted.denied, admitted.cursor);
                Ok(())
            }
            Ok(Err(error)) if error.is_closed() => Err(Stop::busy("the recorder has shut down")),
            Ok(Err(_)) => Err(Stop::busy("the log could not be written")),
            Err(_) => Err(Stop::busy(format!("the log did not write within {DURABLE_WITHIN:?}"))),
        }
    }
}

impl Source {
    /// The event of a text, as it may be taken in.
    fn event(&self, item: &Item) -> Result<StreamEvent, String> {
        let text = str::from_utf8(&item.text).map_err(|_| "not UTF-8")?;
        let mut event = StreamEvent::from_json(text).map_err(|error| error.to_string())?;
        if event.class() == Class::Transport {
            return Err(format!("{} is said by a server of its stream, and by nobody else", event.kind().tag()));
        }
        match (&event.execution_id, &self.execution_id) {
            (None, None) => Err("execution_id is missing: an event must say where it belongs")?,
            (Some(said), Some(asked)) if said != asked => Err("execution_id is not the one that the path names")?,
            (None, Some(asked)) => event.execution_id = Some(asked.clone()),
            _ => {}
        }
        Ok(event)
    }
}

impl Window {
    fn add(&mut self, item: &Item) {
        self.events += 1;
        self.bytes += item.text.len();
    }

    fn is_full(&self) -> bool {
        self.events >= WINDOW_EVENTS || self.bytes >= WINDOW_BYTES
    }
}
