//! What a request asks for: the id in its path, its query, its `Last-Event-ID`.

use super::failure::Failure;
use crate::{Cursor, Error, ExecutionId, event::StreamMode, hub::From, wire::Dialect};
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
        self.get("after").map(|text| text.parse().map_err(|error| Failure::bad(&error))).transpose()
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
    pub(super) fn from(&self, headers: &HeaderMap, default: From) -> Result<From, Failure> {
        let from = match self.get("from") {
            None => default,
            Some("start") => From::Start,
            Some("live") => From::Live,
            Some(text) => return Err(refuse(format!("from {}: start or live is accepted", quoted(text)))),
        };
        let after = self.after()?;
        Ok(last_event_id(headers)?.or(after).map_or(from, From::After))
    }
}

/// The header's cursor; an empty one is none, as clients that have no id yet may send it.
fn last_event_id(headers: &HeaderMap) -> Result<Option<Cursor>, Failure> {
    let Some(value) = headers.get(LAST_EVENT_ID).filter(|value| !value.is_empty()) else { return Ok(None) };
    let text = value.to_str().map_err(|_| refuse("Last-Event-ID: a cursor, in ASCII, is accepted"))?;
    text.parse().map(Some).map_err(|error| Failure::bad(&error))
}

pub(super) fn refuse(why: impl Into<String>) -> Failure {
    Failure::bad(&Error::invalid(why))
}

fn quoted(text: &str) -> String {
    format!("{:?}", text.chars().take(32).collect::<String>())
}
