//! An answer as it came, and what its body says.

use super::{mask::Mask, read, reply::Reply};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde::Deserialize;

/// An answer as it came.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: HeaderMap,
    /// At most [`LIMIT`] bytes.
    pub(super) body: Vec<u8>,
    pub(super) trailers: Option<HeaderMap>,
    pub(super) end: End,
}

/// How a body ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    Whole,
    /// It was longer than what is read of one.
    PastLimit,
    /// The line was lost, or time ran out.
    Cut(String),
}

/// What is read of an answer: "it is RECOMMENDED to limit response size to 4 MiB".
pub(super) const LIMIT: usize = 4 << 20;

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.get(name).and_then(|value| value.to_str().ok())
    }

    fn is_of(&self, kind: &str) -> bool {
        self.header(CONTENT_TYPE.as_str()).is_some_and(|content| content.to_ascii_lowercase().contains(kind))
    }

    /// What a request came to that the back end took: the status has said so, and no body takes that back.
    pub(super) fn accepted(&self, mask: &Mask) -> Reply {
        let warning = |message: String| Reply::Partial { rejected: 0, message };
        match &self.end {
            End::PastLimit => warning(format!("taken; its answer is longer than {LIMIT} bytes")),
            End::Cut(why) => warning(format!("taken; its answer was cut off: {}", mask.clean(why.as_bytes()))),
            End::Whole => self.partial(mask).unwrap_or(Reply::Accepted),
        }
    }

    /// A partial success, if the body is one. Bodies of another form (measured: JSON, HTML, nothing) say nothing.
    fn partial(&self, mask: &Mask) -> Option<Reply> {
        let (rejected, message) = match self.is_of("json") {
            true => in_json(&self.body)?,
            false => in_protobuf(&self.body).or_else(|| in_json(&self.body))?,
        };
        Some(partial_of(rejected, &message, mask))
    }

    /// What the answer says of a failure, behind its status: `503: come back later`.
    pub(super) fn sentence(&self, mask: &Mask) -> String {
        let said = mask.clean(&self.said());
        let status = self.status;
        if said.is_empty() { format!("status {status}") } else { format!("status {status}: {said}") }
    }

    /// "The response body for all HTTP 4xx and HTTP 5xx responses MUST be a Protobuf-encoded Status message"; of most
    /// back ends it is what they like.
    fn said(&self) -> Vec<u8> {
        let json = || serde_json::from_slice::<Status>(&self.body).ok().map(|status| status.message.into_bytes());
        let protobuf = || read::status_message(&self.body).ok().flatten().map(<[u8]>::to_vec);
        let said = if self.is_of("protobuf") { protobuf() } else { json() };
        said.unwrap_or_else(|| self.body.clone())
    }
}

/// What a partial success comes to. With nothing in it, it is a full one.
pub(super) fn partial_of(rejected: i64, message: &[u8], mask: &Mask) -> Reply {
    match (u64::try_from(rejected).unwrap_or(0), mask.clean(message)) {
        (0, message) if message.is_empty() => Reply::Accepted,
        (rejected, message) => Reply::Partial { rejected, message },
    }
}

/// Of an `Export…ServiceResponse` in protobuf.
pub(super) fn in_protobuf(body: &[u8]) -> Option<(i64, Vec<u8>)> {
    read::partial_success(body).ok().flatten()
}

fn in_json(body: &[u8]) -> Option<(i64, Vec<u8>)> {
    let partial = serde_json::from_slice::<Response>(body).ok()?.partial_success?;
    let message = partial.error_message.unwrap_or_default();
    Some((partial.rejected.map_or(0, Count::number), message.into_bytes()))
}

/// "Keys are lowerCamelCase"; the Status too has its `message`.
#[derive(Deserialize)]
struct Status {
    message: String,
}

#[derive(Deserialize)]
struct Response {
    #[serde(rename = "partialSuccess", alias = "partial_success")]
    partial_success: Option<Partial>,
}

#[derive(Deserialize)]
struct Partial {
    #[serde(
        rename = "rejectedSpans",
        alias = "rejectedDataPoints",
        alias = "rejectedLogRecords",
        alias = "rejected_spans",
        alias = "rejected_data_points",
        alias = "rejected_log_records"
    )]
    rejected: Option<Count>,
    /// "null is an accepted value for all field types and treated as the default value" (ProtoJSON).
    #[serde(rename = "errorMessage", alias = "error_message")]
    error_message: Option<String>,
}

/// 64-bit integers are texts in the JSON of protobuf, "either numbers or strings are accepted".
#[derive(Deserialize)]
#[serde(untagged)]
enum Count {
    Number(i64),
    Text(String),
}

impl Count {
    fn number(self) -> i64 {
        match self {
            Self::Number(number) => number,
            Self::Text(text) => text.parse().unwrap_or(0),
        }
    }
}
