//! Every route, once: the router, who may use it, the description for machines and the list in a 404 all come from here.

use super::{
    App,
    access::{self, session, ticket},
    executions, failure,
    guard::{self, Guarded},
    health, ingest, steer, stream,
};
use axum::{
    Router,
    middleware::from_fn_with_state,
    routing::{MethodRouter, delete, get, post},
};
use std::sync::Arc;

/// One method of one path.
pub(super) struct Route {
    pub(super) method: Method,
    /// As axum writes paths: `/executions/{id}`.
    pub(super) path: &'static str,
    pub(super) needs: Needs,
    /// One sentence.
    pub(super) summary: &'static str,
    pub(super) query: &'static [Param],
    pub(super) answer: Answer,
    handler: fn() -> MethodRouter<Arc<App>>,
}

/// How a route is asked; where `GET` is, `HEAD` is too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
    Delete,
}

impl Method {
    /// As the header `Allow` lists it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET, HEAD",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// What whoever asks must be allowed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Needs {
    /// Nothing: it says nothing about anybody's data.
    Nothing,
    /// To read what belongs to its tenant.
    Read,
    /// To send events, and to see nothing.
    Ingest,
    /// To see and do everything.
    Admin,
}

/// What a route answers with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// Server-sent events.
    Stream,
    /// JSON.
    Json,
}

/// A name in the query.
#[derive(Debug)]
pub(super) struct Param {
    pub(super) name: &'static str,
    /// What it means and what is accepted.
    pub(super) what: &'static str,
}

const AFTER: Param = Param { name: "after", what: "a cursor: what comes strictly after it" };
const FROM: Param = Param { name: "from", what: "start or live" };
const MODE: Param = Param { name: "mode", what: "full, summary, control_only or silent" };
const DIALECT: Param =
    Param { name: "dialect", what: "native, hub or memory; of one execution also ai-sdk-ui, ag-ui, chat or gateway" };
const LIMIT: Param = Param { name: "limit", what: "how many at most, 1 to 1000" };

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: Method::Get,
        path: "/stream",
        needs: Needs::Read,
        summary: "The events of every execution, from now on.",
        query: &[AFTER, FROM, MODE, DIALECT],
        answer: Answer::Stream,
        handler: || get(stream::of_everything),
    },
    Route {
        method: Method::Get,
        path: "/executions/{id}/stream",
        needs: Needs::Read,
        summary: "The events of one execution, from its first to its end.",
        query: &[AFTER, FROM, MODE, DIALECT],
        answer: Answer::Stream,
        handler: || get(stream::of_execution),
    },
    Route {
        method: Method::Get,
        path: "/executions",
        needs: Needs::Read,
        summary: "The executions of the record, the newest first.",
        query: &[LIMIT],
        answer: Answer::Json,
        handler: || get(executions::list),
    },
    Route {
        method: Method::Get,
        path: "/executions/{id}",
        needs: Needs::Read,
        summary: "One execution.",
        query: &[],
        answer: Answer::Json,
        handler: || get(executions::one),
    },
    Route {
        method: Method::Get,
        path: "/executions/{id}/events",
        needs: Needs::Read,
        summary: "The record of one execution, page by page.",
        query: &[AFTER, LIMIT],
        answer: Answer::Json,
        handler: || get(executions::events),
    },
    Route {
        method: Method::Post,
        path: "/events",
        needs: Needs::Ingest,
        summary: "Takes events in: JSON Lines, or JSON.",
        query: &[],
        answer: Answer::Json,
        handler: || post(ingest::of_any),
    },
    Route {
        method: Method::Post,
        path: "/executions/{id}/events",
        needs: Needs::Ingest,
        summary: "Takes events of one execution in.",
        query: &[],
        answer: Answer::Json,
        handler: || post(ingest::of_execution),
    },
    Route {
        method: Method::Post,
        path: "/executions/{id}/pause",
        needs: Needs::Admin,
        summary: "Asks an execution of this process to wait at its next checkpoint.",
        query: &[],
        answer: Answer::Json,
        handler: || post(steer::pause),
    },
    Route {
        method: Method::Post,
        path: "/executions/{id}/resume",
        needs: Needs::Admin,
        summary: "Lets an execution of this process go on.",
        query: &[],
        answer: Answer::Json,
        handler: || post(steer::resume),
    },
    Route {
        method: Method::Post,
        path: "/executions/{id}/cancel",
        needs: Needs::Admin,
        summary: "Asks an execution of this process to end.",
        query: &[],
        answer: Answer::Json,
        handler: || post(steer::cancel),
    },
    Route {
        method: Method::Get,
        path: "/executions/{id}/permissions",
        needs: Needs::Admin,
        summary: "What an execution of this process asks, and nobody has answered yet.",
        query: &[],
        answer: Answer::Json,
        handler: || get(steer::permissions),
    },
    Route {
        method: Method::Post,
        path: "/executions/{id}/permissions/{permission_id}",
        needs: Needs::Admin,
        summary: "Answers a question.",
        query: &[],
        answer: Answer::Json,
        handler: || post(steer::decide),
    },
    Route {
        method: Method::Get,
        path: "/health",
        needs: Needs::Nothing,
        summary: "Whether an event gets through gate, hub and log.",
        query: &[],
        answer: Answer::Json,
        handler: || get(health::health),
    },
    Route {
        method: Method::Get,
        path: "/stats",
        needs: Needs::Admin,
        summary: "Numbers of the recorder, the hub and this server.",
        query: &[],
        answer: Answer::Json,
        handler: || get(health::stats),
    },
    Route {
        method: Method::Post,
        path: "/tickets",
        needs: Needs::Read,
        summary: "A ticket that opens one stream, once, within 30 s.",
        query: &[],
        answer: Answer::Json,
        handler: || post(ticket::issue),
    },
    Route {
        method: Method::Post,
        path: "/session",
        needs: Needs::Read,
        summary: "A cookie that stands for the token.",
        query: &[],
        answer: Answer::Json,
        handler: || post(session::begin),
    },
    Route {
        method: Method::Delete,
        path: "/session",
        needs: Needs::Nothing,
        summary: "Ends the session of the cookie.",
        query: &[],
        answer: Answer::Json,
        handler: || delete(session::end),
    },
];

/// The router that the table spells. No handler is reached but through the guard of its path and its own door.
pub(super) fn router<S: Clone + Send + Sync + 'static>(app: Arc<App>) -> Router<S> {
    let router = list().into_iter().fold(Router::new(), |router, path| router.route(path, of_path(&app, path)));
    router.with_state(app)
}

fn of_path(app: &Arc<App>, path: &str) -> MethodRouter<Arc<App>> {
    let routes = || ROUTES.iter().filter(|route| route.path == path);
    let methods = routes().map(|route| route.method.as_str()).collect::<Vec<_>>().join(", ");
    let door = |route: &Route| from_fn_with_state(access::Door::of(app.clone(), route), access::enter);
    routes()
        .fold(MethodRouter::new(), |all, route| all.merge((route.handler)().route_layer(door(route))))
        .fallback(failure::not_allowed)
        .layer(from_fn_with_state(Guarded::new(app.clone(), &methods), guard::guard))
}

/// Each path once, in the order of the table.
fn list() -> Vec<&'static str> {
    let mut paths: Vec<&str> = Vec::new();
    for route in ROUTES {
        if !paths.contains(&route.path) {
            paths.push(route.path);
        }
    }
    paths
}

/// The paths, as a sentence lists them.
pub(super) fn paths() -> String {
    list().join(", ")
}
