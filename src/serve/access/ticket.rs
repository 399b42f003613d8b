//! Tickets: one stream, once, soon. For pages, whose `EventSource` can send no header.

use super::{
    super::failure::{Failure, json},
    Access, Allowed,
    grant::Holder,
    no_access,
};
use axum::{
    body::{Body, to_bytes},
    http::StatusCode,
    response::Response,
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a ticket can be used.
pub(super) const LIFE: Duration = Duration::from_secs(30);
/// What may be said about a ticket.
const MAX_BODY_BYTES: usize = 4 << 10;

/// The rights of whoever asked for it, for one stream.
#[derive(Clone)]
pub(super) struct Ticket {
    holder: Holder,
    /// Which stream; any where there is none.
    path: Option<String>,
}

impl Ticket {
    /// For any stream.
    #[cfg(all(test, feature = "jwt"))]
    pub(super) fn any(holder: Holder) -> Self {
        Self { holder, path: None }
    }

    /// Whose it is, if it is for one of these names of a path.
    pub(super) fn opens(self, paths: &[&str]) -> Option<Holder> {
        self.path.is_none_or(|path| paths.contains(&path.as_str())).then_some(self.holder)
    }
}

/// What a ticket is for. A word that is not known is refused: a misspelt `path` would be a ticket for every stream.
#[derive(Deserialize, Default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Wish {
    /// The path of one stream, as `/executions/…/stream`; any stream where there is none.
    path: Option<String>,
}

/// A ticket.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in super::super) struct Issued {
    /// For `?ticket=`.
    ticket: String,
    /// How long it can be used.
    expires_in_s: u64,
}

/// `POST /tickets`: a ticket for `?ticket=`.
pub(in super::super) async fn issue(allowed: Allowed, body: Body) -> Result<Response, Failure> {
    let (access, holder) = allowed.holder().ok_or_else(no_access)?;
    let path = wish(body).await?.path;
    let ticket = Ticket { holder: holder.clone(), path };
    let ticket = issue_for(access, ticket).ok_or_else(|| Failure::new(StatusCode::SERVICE_UNAVAILABLE, TOO_MANY))?;
    Ok(json(&Issued { ticket, expires_in_s: LIFE.as_secs() }))
}

const TOO_MANY: &str = "too many tickets are not used yet: try again in half a minute";

pub(super) fn issue_for(access: &Access, ticket: Ticket) -> Option<String> {
    access.tickets().issue(ticket.holder.grant.token, LIFE, ticket)
}

async fn wish(body: Body) -> Result<Wish, Failure> {
    let refuse = || {
        let accepted = r#"nothing or {"path": "/executions/…/stream"} is accepted, 4096 bytes at most"#;
        Failure::new(StatusCode::BAD_REQUEST, format!("body of a ticket: {accepted}"))
    };
    let bytes = to_bytes(body, MAX_BODY_BYTES).await.map_err(|_| refuse())?;
    if bytes.is_empty() {
        return Ok(Wish::default());
    }
    let wish: Wish = serde_json::from_slice(&bytes).map_err(|_| refuse())?;
    let is_stream = |path: &String| path.starts_with('/') && path.ends_with("/stream") && !path.contains(['?', '#']);
    if wish.path.as_ref().is_none_or(is_stream) { Ok(wish) } else { Err(refuse()) }
}
