//! What a request asks for: the id in its path, its query, its `Last-Event-ID`.

use super::failure::Failure;
use crate::{
    Cursor, Error, ExecutionId, MAX_ID_BYTES, Text,
    event::{Kind, KindSet, StreamMode},
    hub::From,
    log::{ExecutionsQuery, Status},
    wire::{Dialect, Told},
};
use axum::{
    extract::{FromRequestParts, Path, Query},
    http::{HeaderMap, HeaderName, StatusCode, request::Parts},
};

/// The execution id of a path.
pub(super) struct Id(pub(super) ExecutionId);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let text = Path::<String>::from_request_parts(parts, state).await.map_err(|_| {
            Failure::new(StatusCode::BAD_REQUEST, "execution id in the path: UTF-8, percent-encoded, is accepted")
        })?;
        ExecutionId::parse(&text).map(Self).map_err(|error| Failure::bad(&error))
    }
}

/// The id of a session or tenant in a path: whatever its owner calls it.
pub(super) struct Named(pub(super) Text);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let text = Path::<String>::from_request_parts(parts, state).await.map_err(|_| {
            Failure::new(StatusCode::BAD_REQUEST, "id in the path: UTF-8, percent-encoded, is accepted")
        })?;
        name("id in the path", &text).map(Self)
    }
}

/// Names of others are only compared, never used as a path or shown as they are.
fn name(what: &str, text: &str) -> Result<Text, Failure> {
    match (1..=MAX_ID_BYTES).contains(&text.len()) {
        true => Ok(text.into()),
        false => Err(refuse(format!("{what}: 1 to {MAX_ID_BYTES} bytes are accepted"))),
    }
}

/// The query of a request. Names that no route knows are passed over, as those of a later version would be.
pub(super) struct Params(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let query = Query::try_from_uri(&parts.uri).map_err(|_| {
            Failure::new(StatusCode::BAD_REQUEST, "query: name=value pairs, percent-encoded, are accepted")
        })?;
        Ok(Self(query.0))
    }
}

/// WHATWG HTML, 9.2.4.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

impl Params {
    /// The value of a name; given twice, the first counts.
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// How much is asked for at most.
    pub(super) fn limit(&self, default: usize, most: usize) -> Result<usize, Failure> {
        let Some(text) = self.get("limit") else { return Ok(default) };
        let number = text.parse().ok().filter(|number| (1..=most).contains(number));
        number.ok_or_else(|| refuse(format!("limit {}: 1 to {most} is accepted", quoted(text))))
    }

    /// The cursor after which is meant.
    pub(super) fn after(&self) -> Result<Option<Cursor>, Failure> {
        Ok(self.get("after").map(place).transpose()?.map(|(cursor, _)| cursor))
    }

    /// The cursor before which is meant.
    pub(super) fn before(&self) -> Result<Option<Cursor>, Failure> {
        self.get("before").map(|text| text.parse().map_err(|error| Failure::bad(&error))).transpose()
    }

    /// The conversation that is meant.
    pub(super) fn session(&self) -> Result<Option<Text>, Failure> {
        self.get("session").map(|text| name("session", text)).transpose()
    }

    /// Which kinds of events; all where none are named.
    pub(super) fn kinds(&self) -> Result<KindSet, Failure> {
        self.get("kinds").map_or(Ok(KindSet::ALL), |text| text.split(',').map(|tag| kind(tag.trim())).collect())
    }

    /// In which order events are listed.
    pub(super) fn is_newest_first(&self) -> Result<bool, Failure> {
        match self.get("order") {
            None | Some("newest") => Ok(true),
            Some("oldest") => Ok(false),
            Some(text) => Err(refuse(format!("order {}: newest or oldest is accepted", quoted(text)))),
        }
    }

    /// Whose data is meant, where not everybody's.
    pub(super) fn tenant(&self) -> Result<Option<Text>, Failure> {
        self.get("tenant").map(|text| name("tenant", text)).transpose()
    }

    /// Which executions.
    pub(super) fn executions(&self, default: usize, most: usize) -> Result<ExecutionsQuery, Failure> {
        let mut query = ExecutionsQuery::newest(self.limit(default, most)?);
        query.before = self.get("before").map(ExecutionId::parse).transpose().map_err(|error| Failure::bad(&error))?;
        (query.session_id, query.status) = (self.session()?, self.status()?);
        Ok(query)
    }

    fn status(&self) -> Result<Option<Status>, Failure> {
        let Some(text) = self.get("status") else { return Ok(None) };
        let status = Status::ALL.into_iter().find(|status| status.as_str() == text);
        let names = || Status::ALL.map(Status::as_str).join(", ");
        status.map(Some).ok_or_else(|| refuse(format!("status {}: {} are accepted", quoted(text), names())))
    }

    /// How much is shown.
    pub(super) fn mode(&self) -> Result<StreamMode, Failure> {
        self.get("mode").map_or(Ok(StreamMode::Full), |text| text.parse().map_err(|error| Failure::bad(&error)))
    }

    /// In which form.
    pub(super) fn dialect(&self) -> Result<Dialect, Failure> {
        self.get("dialect").map_or(Ok(Dialect::Native), |text| text.parse().map_err(|error| Failure::bad(&error)))
    }

    /// Where a stream begins: after `Last-Event-ID`, else after `after`, else where `from` says. The header wins: it is
    /// what an `EventSource` adds when it reconnects to the address that it was first given.
    pub(super) fn from(&self, headers: &HeaderMap, default: From) -> Result<(From, Told), Failure> {
        let from = match self.get("from") {
            None => default,
            Some("start") => From::Start,
            Some("live") => From::Live,
            Some(text) => return Err(refuse(format!("from {}: start or live is accepted", quoted(text)))),
        };
        let after = self.get("after").map(place).transpose()?;
        let after = last_event_id(headers)?.or(after);
        Ok(after.map_or((from, Told::default()), |(cursor, told)| (From::After(cursor), told)))
    }
}

/// The header's cursor; an empty one is none, as clients that have no id yet may send it.
pub(super) fn last_event_id(headers: &HeaderMap) -> Result<Option<(Cursor, Told)>, Failure> {
    let Some(value) = headers.get(LAST_EVENT_ID).filter(|value| !value.is_empty()) else { return Ok(None) };
    let text = value.to_str().map_err(|_| refuse("Last-Event-ID: a cursor, in ASCII, is accepted"))?;
    place(text).map(Some)
}

/// A cursor, and what dialects say after it in the middle of texts.
fn place(text: &str) -> Result<(Cursor, Told), Failure> {
    Told::parse(text).map_err(|error| Failure::bad(&error))
}

/// With or without what all tags begin with.
fn kind(text: &str) -> Result<Kind, Failure> {
    let kind = Kind::from_tag(text).or_else(|| Kind::from_tag(&format!("data-{text}")));
    kind.ok_or_else(|| {
        let names: Vec<_> = Kind::ALL.iter().map(|kind| kind.tag().trim_start_matches("data-")).collect();
        refuse(format!(
            "kinds: {} is no kind of event; accepted, with commas between them, are {}",
            quoted(text),
            names.join(", ")
        ))
    })
}

pub(super) fn refuse(why: impl Into<String>) -> Failure {
    Failure::bad(&Error::invalid(why))
}

fn quoted(text: &str) -> String {
    format!("{:?}", text.chars().take(32).collect::<String>())
}
