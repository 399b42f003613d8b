//! One stream over many connections: opened, read, lost, waited for, opened again where it was.

use super::{
    Backoff, Client,
    auth::Auth,
    seen::Seen,
    trouble::{Again, Trouble, wanted},
    update::{Event, Reconnecting, Tally, Unreadable, Update},
    watch::{Sieve, Watch},
};
use crate::{
    Cursor, Error, StreamEvent,
    event::{Class, Kind},
    hub::From,
    log::Status,
    wire::parse::{Message, Parser},
};
use reqwest::{
    Response, StatusCode,
    header::{self, HeaderName},
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::time::timeout;

/// WHATWG HTML, 9.2.4.
const LAST_EVENT_ID: &str = "last-event-id";
/// Servers take headers up to some KiB; no cursor is near it.
const MAX_ID_BYTES: usize = 1 << 10;

/// A stream, wherever it is just now.
pub(super) struct Line {
    watch: Watch,
    stage: Stage,
    parser: Parser,
    /// The cursor of the last event that had one.
    position: Option<Cursor>,
    seen: Seen,
    sieve: Sieve,
    /// What is told after everything that came before it.
    told: Option<Result<Update, Error>>,
    /// Tries since the last event.
    lost: u32,
    /// The execution that is watched has ended, as far as was seen.
    finished: bool,
    tally: Arc<Tally>,
}

enum Stage {
    Waiting(Duration),
    Opening,
    Reading(Box<Response>, Instant),
    Over,
}

/// How a connection ended.
struct Lost {
    trouble: Trouble,
    /// The server ended the body as it should.
    orderly: bool,
    /// It stood for so long that what was lost before it does not count any more.
    stood: bool,
}

impl Line {
    pub(super) fn new(watch: Watch, tally: Arc<Tally>) -> Self {
        let position = if let Some(From::After(cursor)) = watch.from { Some(cursor) } else { None };
        let mut seen = Seen::default();
        position.into_iter().for_each(|cursor| seen.note(cursor));
        Self {
            parser: Parser::new()
                .with_limit(watch.client().settings().max_event_bytes)
                .with_last_event_id(position.map(|cursor| cursor.to_string()).unwrap_or_default()),
            sieve: watch.sieve(),
            stage: Stage::Opening,
            told: None,
            lost: 0,
            finished: false,
            watch,
            position,
            seen,
            tally,
        }
    }

    /// What is there already, in order.
    pub(super) fn take(&mut self) -> Option<Result<Update, Error>> {
        while let Some(message) = self.parser.next() {
            if let Some(update) = self.understand(message) {
                return Some(Ok(update));
            }
        }
        self.told.take()
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over)
    }

    /// One step on. Only when nothing is there to be taken.
    pub(super) async fn advance(&mut self) {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Waiting(pause) => {
                tokio::time::sleep(pause).await;
                self.stage = Stage::Opening;
            }
            Stage::Opening => match self.open().await {
                Ok(Some(response)) => self.stage = Stage::Reading(Box::new(response), Instant::now()),
                // "HTTP 204 No Content … to tell the client to stop reconnecting" (WHATWG HTML, 9.2.1).
                Ok(None) => self.stage = Stage::Over,
                Err(trouble) => self.lose(Lost { trouble, orderly: false, stood: false }),
            },
            Stage::Reading(mut response, since) => match self.read(&mut response).await {
                Ok(()) => self.stage = Stage::Reading(response, since),
                Err((trouble, orderly)) => {
                    let stood = since.elapsed() >= self.backoff().longest();
                    self.lose(Lost { trouble, orderly, stood });
                }
            },
            Stage::Over => {}
        }
    }

    async fn open(&self) -> Result<Option<Response>, Trouble> {
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(Trouble::fatal(Error::config("a client needs a tokio runtime with I/O and time enabled")));
        }
        let (client, what) = (self.watch.client(), self.watch.what());
        let mut url = self.watch.url().map_err(Trouble::fatal)?;
        if let Auth::Tickets(_) = client.auth() {
            let ticket = client.ticket().await?;
            url.query_pairs_mut().append_pair("ticket", &ticket);
        }
        let mut request = client.http().get(url);
        if let Auth::Bearer(header) = client.auth() {
            request = request.header(header::AUTHORIZATION, header.clone());
        }
        // "Cache mode is no-store", "Accept: text/event-stream" (WHATWG HTML, 9.2.2).
        request = request.header(header::ACCEPT, "text/event-stream").header(header::CACHE_CONTROL, "no-cache");
        // Everything that came was taken before the line is opened again, so this is of the last complete event.
        let last = self.parser.last_event_id();
        if !last.is_empty() && last.len() <= MAX_ID_BYTES {
            request = request.header(LAST_EVENT_ID, last.as_bytes());
        }
        // A server that takes the request and says nothing is as good as gone.
        match timeout(client.settings().idle, request.send()).await {
            Err(_) => Err(Trouble::passing(silent(&what, client))),
            Ok(Err(error)) => Err(Trouble::of_line(&what, error)),
            Ok(Ok(response)) if response.status() == StatusCode::NO_CONTENT => Ok(None),
            Ok(Ok(response)) => Ok(Some(a_stream(&what, wanted(&what, response).await?)?)),
        }
    }

    /// The next bytes into the parser; an error with true when the body ended as it should.
    async fn read(&mut self, response: &mut Response) -> Result<(), (Trouble, bool)> {
        let (client, what) = (self.watch.client(), self.watch.what());
        match timeout(client.settings().idle, response.chunk()).await {
            // Comments count: they are what tells a quiet line from one that is gone.
            Err(_) => Err((Trouble::passing(silent(&what, client)), false)),
            Ok(Err(error)) => Err((Trouble::of_line(&what, error), false)),
            Ok(Ok(None)) => {
                Err((Trouble::passing(Error::closed(format!("{what}: the server ended the stream"))), true))
            }
            Ok(Ok(Some(bytes))) => {
                if let Err(error) = self.parser.feed(&bytes) {
                    self.told = Some(Ok(self.unreadable(String::new(), error)));
                }
                Ok(())
            }
        }
    }

    fn lose(&mut self, lost: Lost) {
        // "discard … the pending data" (WHATWG HTML, 9.2.6): the server sends again what was cut.
        self.parser.end();
        // What came whole is understood before it is decided how to go on.
        let Again::After(asked) = lost.trouble.again else {
            self.told = Some(Err(lost.trouble.error));
            self.stage = Stage::Over;
            return;
        };
        self.lost = if lost.stood { 0 } else { self.lost };
        if lost.orderly && std::mem::take(&mut self.finished) {
            // There is a 204 to be had, or something that came after the end.
            self.stage = Stage::Waiting(Duration::ZERO);
            return;
        }
        let pause = self.backoff().pause(self.lost, asked.max(self.parser.retry().unwrap_or_default()));
        self.lost = self.lost.saturating_add(1);
        Tally::one_more(&self.tally.reconnects);
        self.told = Some(Ok(Update::Reconnecting(Reconnecting { why: lost.trouble.error, pause, attempt: self.lost })));
        self.stage = Stage::Waiting(pause);
    }

    fn backoff(&self) -> Backoff {
        self.watch.client().settings().backoff
    }

    fn understand(&mut self, message: Message) -> Option<Update> {
        let cursor: Option<Cursor> = message.id.parse().ok();
        let read = StreamEvent::from_json(&message.data);
        if !self.is_new(cursor, read.as_ref().ok()) {
            Tally::one_more(&self.tally.duplicates);
            return None;
        }
        self.position = cursor.filter(|cursor| !self.seen.is_past(*cursor)).or(self.position);
        let cursor = self.position;
        match read {
            Ok(event) => self.show(event, cursor),
            Err(error) => Some(self.unreadable(message.event.to_string(), error)),
        }
    }

    fn unreadable(&self, tag: String, error: Error) -> Update {
        Tally::one_more(&self.tally.unreadable);
        Update::Unreadable(Unreadable { cursor: self.position, tag, error })
    }

    /// Whether it was not seen before. What is told of the stream itself is always new.
    fn is_new(&mut self, cursor: Option<Cursor>, event: Option<&StreamEvent>) -> bool {
        let (Some(cursor), false) = (cursor, event.is_some_and(|event| event.class() == Class::Transport)) else {
            return true;
        };
        let is_new = match (self.seen.last_of(cursor.epoch), event.map(StreamEvent::kind)) {
            (None, _) => true,
            // One without an id of its own shows the last one; only kinds of a later version may be so.
            (Some(last), None | Some(Kind::Unknown)) => cursor.offset >= last,
            (Some(last), Some(_)) => cursor.offset > last,
        };
        self.seen.note(cursor);
        is_new
    }

    fn show(&mut self, event: StreamEvent, cursor: Option<Cursor>) -> Option<Update> {
        if event.class() != Class::Transport {
            self.lost = 0;
        }
        if let Some(status) = Status::after(event.kind()) {
            self.finished = self.watch.ends && status.is_final();
        }
        if !self.sieve.shows(&event) {
            Tally::one_more(&self.tally.filtered);
            return None;
        }
        Tally::one_more(&self.tally.events);
        Some(Update::Event(Event { cursor, event }))
    }
}

fn silent(what: &str, client: &Client) -> Error {
    Error::timed_out(format!("{what}: nothing came for {:?}", client.settings().idle))
}

/// "If … the Content-Type is not text/event-stream, then fail the connection" (WHATWG HTML, 9.2.3).
fn a_stream(what: &str, response: Response) -> Result<Response, Trouble> {
    let essence = header_of(&response, &header::CONTENT_TYPE).split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("text/event-stream") {
        return Err(refused(what, "content type", essence, "text/event-stream"));
    }
    // None was asked for; what is packed all the same would be read as bytes that are no events, without a word.
    match header_of(&response, &header::CONTENT_ENCODING) {
        coding if coding.is_empty() || coding.eq_ignore_ascii_case("identity") => Ok(response),
        coding => Err(refused(what, "content encoding", coding, "none")),
    }
}

fn header_of<'a>(response: &'a Response, name: &HeaderName) -> &'a str {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().trim()
}

fn refused(what: &str, header: &str, said: &str, accepted: &str) -> Trouble {
    let shown: String = said.chars().take(64).collect();
    Trouble::fatal(Error::invalid(format!("{what}: {header} {shown:?}: {accepted} is accepted")))
}
