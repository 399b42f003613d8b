//! `POST` of events from other processes and languages: the same checks, the same gate and the same policy as for those
//! that are made here. What is said to be accepted is on disk. For its users: `docs/ingest.md`.

mod answer;
mod arriving;
mod form;
mod keys;
mod limits;
mod places;
mod progress;
mod reading;
mod split;
mod stop;
mod unpack;

pub(super) use answer::Taken;
pub(super) use form::{IDEMPOTENCY_KEY, media_type};
pub(super) use limits::KEY_BYTES;

use super::{App, access::Allowed, line::Headway, params::Id};
use crate::ExecutionId;
use arriving::Arriving;
use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, header},
    response::Response,
};
use form::Form;
use keys::{Keys, Lease, Name};
use places::{Place, Places};
use reading::{Reading, Source};
use std::sync::Arc;
use stop::Stop;

/// What all requests that bring events share.
#[derive(Debug, Default)]
pub(super) struct Ingest {
    places: Places,
    keys: Keys,
}

/// `POST /events`: events of any executions.
pub(super) async fn of_any(
    State(app): State<Arc<App>>,
    allowed: Allowed,
    headway: Headway,
    headers: HeaderMap,
    body: Body,
) -> Response {
    take(&app, &allowed, None, &headers, Arriving::new(body, headway)).await
}

/// `POST /executions/{id}/events`: events of this execution, which need not name it.
pub(super) async fn of_execution(
    State(app): State<Arc<App>>,
    allowed: Allowed,
    Id(id): Id,
    headway: Headway,
    headers: HeaderMap,
    body: Body,
) -> Response {
    take(&app, &allowed, Some(id), &headers, Arriving::new(body, headway)).await
}

async fn take(
    app: &App,
    allowed: &Allowed,
    execution_id: Option<ExecutionId>,
    headers: &HeaderMap,
    mut body: Arriving,
) -> Response {
    let source = Source { recorder: app.recorder.clone(), tenant: allowed.tenant().cloned(), execution_id };
    let (form, progress, _place) = match app.ingest.begin(&source, headers) {
        Ok(begun) => begun,
        Err(stop) => {
            refuse(headers, body).await;
            return answer::unread(&stop);
        }
    };
    let mut reading = Reading::new(source, &form, progress, body.headway.clone());
    let stop = reading.read(&mut body).await.err();
    if stop.is_some() {
        body.drain().await;
    }
    match stop {
        Some(stop) if stop.another_body => answer::unread(&stop),
        stop => answer::of_body(&reading.progress, stop.as_ref(), app.recorder.log().is_some()),
    }
}

/// "A client that will wait for a 100 (Continue) response before sending the request content" (RFC 9110, 10.1.1) is not
/// made to send it.
async fn refuse(headers: &HeaderMap, body: Arriving) {
    if !headers.contains_key(header::EXPECT) {
        body.drain().await;
    }
}

impl Ingest {
    fn begin(&self, source: &Source, headers: &HeaderMap) -> Result<(Form, Lease, Place<'_>), Stop> {
        let form = Form::of(headers)?;
        let place = self.places.take(source.tenant.as_ref()).map_err(Stop::busy)?;
        let progress = match form.key.clone() {
            None => Lease::default(),
            Some(key) => {
                let Source { tenant, execution_id, .. } = source.clone();
                let lease = self.keys.begin(Name { tenant, execution_id, key });
                lease.ok_or_else(|| Stop::conflict("a request with this Idempotency-Key is under way"))?
            }
        };
        Ok((form, progress, place))
    }
}
