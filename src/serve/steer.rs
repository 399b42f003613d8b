//! Steering over HTTP: an execution of this process is paused, let go on, asked to end, and answered when it asks. What
//! it asks is shown as the record may show it.

use super::{
    App,
    access::Allowed,
    failure::{Failure, json},
    ingest::media_type,
    params::{Id, refuse},
    record::answer,
};
use crate::{Error, ExecutionId, Json, Permission, Text, log::Status};
use axum::{
    body::{Body, to_bytes},
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{sync::Arc, time::Duration};

/// What is said with a request: a reason, a name. In bytes, and within this time.
const MAX_BYTES: usize = 16 << 10;
const SOON: Duration = Duration::from_secs(10);

/// Why something is asked.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Why {
    /// As the record tells it.
    reason: Option<Text>,
}

/// An answer to a question.
#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Decision {
    decision: Verdict,
    /// As the record tells it.
    reason: Option<Text>,
    /// Who decided, as the record tells it.
    decided_by: Option<Text>,
}

#[derive(Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Granted,
    Denied,
}

/// What was asked of an execution.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Asked {
    /// `pause`, `resume` or `cancel`.
    asked: &'static str,
}

/// Open questions, the oldest first.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Questions {
    permissions: Vec<Question>,
}

/// Whether a tool may be called.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Question {
    permission_id: String,
    tool_name: String,
    /// As the record may show them.
    arguments: Json,
}

/// The question that was answered.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Decided {
    permission_id: String,
}

/// `POST /executions/{id}/pause`.
pub(super) async fn pause(
    State(app): State<Arc<App>>,
    allowed: Allowed,
    Id(id): Id,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    let Why { reason } = said(&headers, body, WHY).await?;
    app.is_theirs(&allowed, &id).await?;
    app.goes_on(&id)?;
    let paused = app.recorder.execution(&id).pause(reason.unwrap_or_else(by_request));
    app.asked("pause", &id, paused).await
}

/// `POST /executions/{id}/resume`.
pub(super) async fn resume(
    State(app): State<Arc<App>>,
    allowed: Allowed,
    Id(id): Id,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    let Why { .. } = said(&headers, body, WHY).await?;
    app.is_theirs(&allowed, &id).await?;
    app.goes_on(&id)?;
    let resumed = app.recorder.execution(&id).resume();
    app.asked("resume", &id, resumed).await
}

/// `POST /executions/{id}/cancel`. A second time it changes nothing.
pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    allowed: Allowed,
    Id(id): Id,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    let Why { reason } = said(&headers, body, WHY).await?;
    app.is_theirs(&allowed, &id).await?;
    let cancelled = app.recorder.execution(&id).cancel(reason.unwrap_or_else(by_request));
    app.asked("cancel", &id, cancelled).await
}

/// `GET /executions/{id}/permissions`: the open questions, the oldest first. Empty where it has ended, or runs
/// elsewhere.
pub(super) async fn permissions(
    State(app): State<Arc<App>>,
    allowed: Allowed,
    Id(id): Id,
) -> Result<Response, Failure> {
    app.is_theirs(&allowed, &id).await?;
    let permissions: Vec<_> = app.recorder.execution(&id).permissions_as_recorded().iter().map(Question::of).collect();
    if permissions.is_empty() && app.status_of(&id).await.is_none() {
        return Err(unknown());
    }
    Ok(json(&Questions { permissions }))
}

/// `POST /executions/{id}/permissions/{permission_id}`: the first answer counts.
pub(super) async fn decide(
    State(app): State<Arc<App>>,
    allowed: Allowed,
    path: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Failure> {
    let Path((id, permission_id)) = path.map_err(|_| refuse("ids in the path: UTF-8, percent-encoded, is accepted"))?;
    let id = ExecutionId::parse(&id).map_err(|error| Failure::bad(&error))?;
    let decision: Decision = said(&headers, body, DECISION).await?;
    app.is_theirs(&allowed, &id).await?;
    match app.recorder.execution(&id).decide(&permission_id, decision.into()) {
        Ok(()) => Ok(json(&Decided { permission_id })),
        Err(_) if app.recorder.execution(&id).cancellation().is_ok() => Err(Failure::new(
            StatusCode::NOT_FOUND,
            "no such question is open: it is unknown, answered, expired or taken back",
        )),
        Err(_) => Err(app.not_here(&id).await),
    }
}

const WHY: &str = r#"body: a JSON object such as {"reason": "…"}, or nothing, is accepted"#;
const DECISION: &str = r#"body: a JSON object such as {"decision": "granted", "reason": "…", "decided_by": "…"}, with granted or denied, is accepted"#;

fn by_request() -> Text {
    Text::from("by request")
}

/// What the body says. No page of another origin can send this media type without asking first, and nobody answers that
/// (WHATWG Fetch, "CORS-safelisted request-header").
async fn said<T: DeserializeOwned>(headers: &HeaderMap, body: Body, accepted: &str) -> Result<T, Failure> {
    if media_type(headers).as_deref() != Some("application/json") {
        let asked = "Content-Type: application/json is asked for, also where nothing is said";
        return Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("{asked}; {accepted}")));
    }
    let Ok(read) = tokio::time::timeout(SOON, to_bytes(body, MAX_BYTES)).await else {
        return Err(Failure::new(StatusCode::REQUEST_TIMEOUT, "the body did not come within 10 s"));
    };
    let bytes = read.map_err(|_| {
        Failure::new(StatusCode::PAYLOAD_TOO_LARGE, format!("body: up to {MAX_BYTES} bytes are accepted"))
    })?;
    let text = if bytes.is_empty() { b"{}" } else { &bytes[..] };
    serde_json::from_slice(text).map_err(|_| Failure::new(StatusCode::BAD_REQUEST, accepted))
}

impl App {
    /// An execution of somebody else is as good as not there.
    async fn is_theirs(&self, allowed: &Allowed, id: &ExecutionId) -> Result<(), Failure> {
        let Some(tenant) = allowed.tenant() else { return Ok(()) };
        let row = match (self.recorder.hub().last_of(id, Some(tenant)), self.recorder.log()) {
            (Some(_), _) => return Ok(()),
            (None, Some(log)) => answer(log.execution(id.clone())).await?,
            (None, None) => None,
        };
        let owner = row.and_then(|row| row.tenant_id);
        if owner.as_ref() == Some(tenant) { Ok(()) } else { Err(unknown()) }
    }

    /// One that was asked to end takes no other wishes.
    fn goes_on(&self, id: &ExecutionId) -> Result<(), Failure> {
        match self.recorder.cancelled(id) {
            Some(_) => Err(Failure::new(StatusCode::CONFLICT, "the execution was cancelled, and is about to end")),
            None => Ok(()),
        }
    }

    /// Told in the stream, and followed by the execution's own code where it looks: not done, but asked ("the request has
    /// been accepted for processing, but the processing has not been completed", RFC 9110, 15.3.3).
    async fn asked(&self, what: &'static str, id: &ExecutionId, asked: Result<(), Error>) -> Result<Response, Failure> {
        match asked {
            Ok(()) => Ok((StatusCode::ACCEPTED, json(&Asked { asked: what })).into_response()),
            Err(_) => Err(self.not_here(id).await),
        }
    }

    /// Why an execution cannot be reached.
    async fn not_here(&self, id: &ExecutionId) -> Failure {
        // Its end may be on its way: it ends for those who steer before it is told.
        let _ = answer(self.recorder.settle()).await;
        match self.status_of(id).await {
            None => unknown(),
            Some(status) if status.is_final() => Failure::new(StatusCode::GONE, "the execution has ended"),
            Some(_) => Failure::new(
                StatusCode::CONFLICT,
                "the execution does not run in this process: only the process in which it runs can steer it",
            ),
        }
    }

    async fn status_of(&self, id: &ExecutionId) -> Option<Status> {
        let seen = self.recorder.hub().last_of(id, None);
        if let Some((_, Some(status))) = seen {
            return Some(status);
        }
        let row = match self.recorder.log() {
            Some(log) => answer(log.execution(id.clone())).await.ok().flatten(),
            None => None,
        };
        row.map(|row| row.status).or(seen.map(|_| Status::Running))
    }
}

fn unknown() -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "no execution of this id is known here")
}

impl Question {
    fn of(asked: &crate::PermissionAsked) -> Self {
        let [permission_id, tool_name] = [asked.permission_id(), asked.tool_name()].map(str::to_owned);
        Self { permission_id, tool_name, arguments: asked.arguments().clone() }
    }
}

impl From<Decision> for Permission {
    fn from(Decision { decision, reason, decided_by }: Decision) -> Self {
        let permission = match decision {
            Verdict::Granted => Self::granted(),
            Verdict::Denied => Self::denied(),
        };
        Self { reason, decided_by, ..permission }
    }
}
