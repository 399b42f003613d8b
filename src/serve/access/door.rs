//! The door of a route: who comes in, by what the route needs, and for how long.

use super::{
    super::{
        App,
        routes::{Answer, Needs, Route},
    },
    Allowed,
    grant::Right,
    presented::{Presented, ticket},
    refusal::Refusal,
    until,
};
use axum::{
    extract::{OriginalUri, Request, State},
    http::{Method, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use std::sync::Arc;

/// What stands at a route.
#[derive(Clone)]
pub(in super::super) struct Door {
    app: Arc<App>,
    needs: Needs,
    is_stream: bool,
}

impl Door {
    pub(in super::super) fn of(app: Arc<App>, route: &Route) -> Self {
        Self { app, needs: route.needs, is_stream: matches!(route.answer, Answer::Stream) }
    }

    /// What the request is allowed; none where nothing is needed, so that no handler can take it for a right.
    fn admit(&self, parts: &Parts) -> Result<Option<Allowed>, Refusal> {
        let Some(access) = &self.app.settings.access else { return Ok(Some(Allowed::everything())) };
        let ticket = ticket(&parts.uri)?;
        if ticket.is_some() && !(self.is_stream && parts.method == Method::GET) {
            return Err(Refusal::Form("a ticket opens a stream by GET, and nothing else"));
        }
        let Some(right) = Right::for_needs(self.needs) else { return Ok(None) };
        let holder = access.holder(Presented::by(parts, ticket)?, &paths(parts))?;
        if !holder.grant.gives(right) {
            return Err(Refusal::Right(right));
        }
        Ok(Some(Allowed(Some((access.clone(), holder)))))
    }
}

/// Lets in who may come in. A stream ends when its right to be there does, whatever its handler does.
pub(in super::super) async fn enter(State(door): State<Door>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let allowed = match door.admit(&parts) {
        Ok(allowed) => allowed,
        Err(refusal) => {
            refusal.count(&door.app.counters);
            return refusal.into_response();
        }
    };
    let over = allowed.as_ref().and_then(Allowed::holder).map(|(access, holder)| access.over(holder.clone()));
    allowed.map(|allowed| parts.extensions.insert(allowed));
    let response = next.run(Request::from_parts(parts, body)).await;
    match over {
        Some(over) if door.is_stream => until::response(response, over),
        _ => response,
    }
}

/// How the path may be called: as our router has it, and as the client has it where the router is nested.
fn paths(parts: &Parts) -> Vec<&str> {
    let original = parts.extensions.get::<OriginalUri>().map(|original| original.path());
    original.into_iter().chain([parts.uri.path()]).collect()
}
