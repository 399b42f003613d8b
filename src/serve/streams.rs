//! Streams as answers, also of handlers of your own.

use super::{
    App, Settings,
    access::CutShort,
    body::{Frames, SseBody},
    frames::HubFrames,
    params::last_event_id,
    routes,
    translated::{Resumed, Translations, Wanted},
};
use crate::{
    Cursor, ExecutionId, Recorder, Text,
    event::{Class, KindSet, StreamMode},
    hub::{Filter, From},
    log::{Resolved, Scope},
    wire::{Dialect, FrameWriter, Told},
};
use axum::{
    Router,
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use std::{fmt, sync::Arc};

/// A recorder's streams, for handlers of your own: what a front end posts to starts a run, and answers with its stream.
///
/// Cheap to clone; keep one, so that those who read the same run in the same dialect share its translation. Who may ask
/// is for your server to decide: nothing is checked here.
#[derive(Clone)]
pub struct Streams(Arc<App>);

impl Streams {
    /// The streams of this recorder.
    pub fn new(recorder: Recorder) -> Self {
        Self::with(recorder, Settings::default())
    }

    /// The same, with settings.
    pub fn with(recorder: Recorder, settings: Settings) -> Self {
        Self(App::new(recorder, settings))
    }

    /// The routes of `docs/wire.md`, as from [`router`](super::router), to be nested into a router of any state.
    pub fn router<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        routes::router(self.0.clone())
    }

    /// The stream of one execution, from its first event to its end. One that nobody knows is waited for.
    pub fn of_execution(&self, id: ExecutionId) -> RunStream {
        RunStream::new(self.0.clone(), id)
    }
}

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streams").finish_non_exhaustive()
    }
}

/// The stream of one execution, to be asked for its answer.
#[must_use = "nothing is sent before `respond`"]
pub struct RunStream {
    app: Arc<App>,
    id: ExecutionId,
    session_id: Option<Text>,
    tenant_id: Option<Text>,
    dialect: Dialect,
    mode: StreamMode,
    kinds: KindSet,
    from: From,
    told: Told,
}

impl RunStream {
    pub(super) fn new(app: Arc<App>, id: ExecutionId) -> Self {
        let (dialect, mode) = (Dialect::default(), StreamMode::default());
        let (kinds, from, told) = (KindSet::ALL, From::Start, Told::default());
        Self { app, id, session_id: None, tenant_id: None, dialect, mode, kinds, from, told }
    }

    /// In this dialect; native unless told.
    pub fn dialect(mut self, dialect: Dialect) -> Self {
        self.dialect = dialect;
        self
    }

    /// Only what this mode shows; everything unless told. Dialects that tell a run as a whole show a summary at the
    /// least, since they have to tell its end.
    pub fn mode(mut self, mode: StreamMode) -> Self {
        self.mode = mode;
        self
    }

    /// Only if it is an execution of this tenant. One of another is waited for, like one that nobody knows.
    pub fn of_tenant(mut self, id: impl Into<Text>) -> Self {
        self.tenant_id = Some(id.into());
        self
    }

    /// Only these kinds of events, in dialects that tell event by event; every kind unless told.
    pub fn kinds(mut self, kinds: impl Into<KindSet>) -> Self {
        self.kinds = kinds.into();
        self
    }

    /// The conversation as the client names it, for dialects that say it (AG-UI's `threadId`).
    pub fn session(mut self, id: impl Into<Text>) -> Self {
        self.session_id = Some(id.into());
        self
    }

    /// From here; from the first event unless told.
    pub fn from(mut self, from: From) -> Self {
        (self.from, self.told) = (from, Told::default());
        self
    }

    pub(super) fn having(mut self, told: Told) -> Self {
        self.told = told;
        self
    }

    /// After what the client has had, where its request says so in `Last-Event-ID`; an `EventSource` that lost the line
    /// does, and asks the same address again. What is no cursor is passed over.
    ///
    /// A handler that starts a run would start another one then: let it answer with the run's id, and stream elsewhere.
    pub fn last_event_id(self, headers: &HeaderMap) -> Self {
        match last_event_id(headers) {
            Ok(Some((cursor, told))) => self.from(From::After(cursor)).having(told),
            Ok(None) | Err(_) => self,
        }
    }

    /// The answer: 200 and a stream; 204 where the client has had everything and nothing more will come.
    pub async fn respond(self) -> Response {
        match self.dialect.writer() {
            Some(writer) => self.respond_by_event(writer).await,
            None => self.respond_translated().await,
        }
    }

    /// The answer to a client that wants to know whether the run goes on: as [`respond`](RunStream::respond), but 204
    /// where it does not run, as AI SDK's `resumeStream` expects it.
    pub async fn respond_if_running(self) -> Response {
        let known = self.app.last_of(self.id.clone(), self.tenant_id.as_ref()).await;
        if known.offset == 0 || known.ended { StatusCode::NO_CONTENT.into_response() } else { self.respond().await }
    }

    async fn respond_by_event(self, writer: FrameWriter) -> Response {
        let Self { app, id, tenant_id, mode, kinds, from, dialect, .. } = self;
        let mut filter = Filter::of(Scope::Execution(id.clone())).in_mode(mode).of_kinds(kinds);
        filter.tenant_id.clone_from(&tenant_id);
        let frames = app.recorder.hub().subscribe_written(filter, from, writer);
        let begins = begins(from, frames.cursor());
        // Asked after the stream began: what ends the execution is either known now, or comes in the stream.
        let known = app.last_of(id, tenant_id.as_ref()).await;
        let seen = if from == From::Start { None } else { app.offset_of(begins).await };
        if known.ended && seen.is_some_and(|seen| seen >= known.offset) {
            return StatusCode::NO_CONTENT.into_response();
        }
        let retry = app.settings.retry;
        answer(app, HubFrames::new(frames, writer, begins, retry).of_execution(known.ended), dialect)
    }

    /// Told from the run's first event in any case: what a dialect says depends on what was before.
    async fn respond_translated(self) -> Response {
        let Self { app, id, session_id, tenant_id, dialect, mode, from, told, .. } = self;
        let (after, told) = match from {
            From::Start => (0, told),
            From::Live => (app.recorder.hub().newest().offset, told),
            From::After(cursor) => match app.resolve(cursor).await {
                Resolved::At(offset) => (offset, told),
                // What a crash took back was told, and is not in any text that the log has.
                Resolved::Past(offset) => (offset, Told::default()),
                // A cursor that leads nowhere: all of it again.
                Resolved::Unknown => (0, Told::default()),
            },
        };
        // The run's end has to be seen.
        let mode = if mode.shows(Class::Structural) { mode } else { StreamMode::Summary };
        let known = app.last_of(id.clone(), tenant_id.as_ref()).await;
        if known.ended && from != From::Start && after >= known.offset {
            return StatusCode::NO_CONTENT.into_response();
        }
        let resumed = Resumed::at(after, told);
        let wanted = Wanted { execution_id: id, session_id, tenant_id, dialect, mode, is_replay: known.ended, resumed };
        let newest = if known.ended { known.offset } else { 0 };
        match Translations::read(&app, wanted, after, newest) {
            Some(reader) => answer(app, reader, dialect),
            None => StatusCode::NOT_IMPLEMENTED.into_response(),
        }
    }
}

impl fmt::Debug for RunStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunStream").field("id", &self.id).field("dialect", &self.dialect).finish_non_exhaustive()
    }
}

/// The events of many executions.
pub(super) fn stream_everything(
    app: Arc<App>,
    filter: Filter,
    from: From,
    dialect: Dialect,
    writer: FrameWriter,
) -> Response {
    let frames = app.recorder.hub().subscribe_written(filter, from, writer);
    let begins = begins(from, frames.cursor());
    let retry = app.settings.retry;
    answer(app, HubFrames::new(frames, writer, begins, retry), dialect)
}

/// A client that came with a cursor begins there, even if it has yet to be found in the log.
fn begins(from: From, now: Cursor) -> Cursor {
    if let From::After(cursor) = from { cursor } else { now }
}

/// Proxies must neither keep a stream nor hold it back (`X-Accel-Buffering`: nginx and those who follow it).
fn answer(app: Arc<App>, frames: impl Frames, dialect: Dialect) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    let mut response = (headers, Body::from_stream(SseBody::new(app, frames))).into_response();
    for (name, value) in dialect.headers() {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if !dialect.is_per_event() {
        response.extensions_mut().insert(CutShort);
    }
    response
}
