//! Every route, once: the router, who may use it and the description for machines all come from here.

use super::{
    App,
    access::{self, session, ticket},
    events, executions, failure,
    gateway::Listed,
    guard::{self, Guarded},
    health, ingest, openapi,
    schemas::{Schema, body_of, schema_of},
    sessions, steer, stream,
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
    pub(super) body: Brought,
    pub(super) answer: Answer,
    /// Statuses that it may answer with beside that of success and those of guard and door.
    pub(super) also: &'static [u16],
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

/// What a request brings.
#[derive(Debug, Clone, Copy)]
pub(super) enum Brought {
    Nothing,
    /// Events, in one of the forms of `docs/ingest.md`.
    Events,
    /// JSON of this schema.
    Json(Schema),
    /// The same, or nothing.
    MaybeJson(Schema),
}

/// What a route answers with where all is well.
#[derive(Debug, Clone, Copy)]
pub(super) enum Answer {
    /// 200 and server-sent events.
    Stream,
    /// 200 and JSON of this schema.
    Json(Schema),
    /// 202 and JSON of this schema: it was asked for, and is not done yet.
    Asked(Schema),
    /// 204.
    Nothing,
}

/// A name in the query.
#[derive(Debug)]
pub(super) struct Param {
    pub(super) name: &'static str,
    /// What it means.
    pub(super) what: &'static str,
    pub(super) accepts: Accepts,
}

/// What is accepted in a parameter.
#[derive(Debug)]
pub(super) enum Accepts {
    Id,
    Cursor,
    Text,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A number from 1; what counts where none is given, and the most.
    Limit(usize, usize),
}

const AFTER: Param = Param { name: "after", what: "what comes strictly after this cursor", accepts: Accepts::Cursor };
const BEFORE: Param =
    Param { name: "before", what: "what comes strictly before this cursor", accepts: Accepts::Cursor };
const KINDS: Param = Param {
    name: "kinds",
    what: "only these kinds of events: their tags, with or without `data-`, with commas between them",
    accepts: Accepts::Text,
};
const SESSION: Param = Param { name: "session", what: "only of this session", accepts: Accepts::Id };
const TENANT: Param = Param { name: "tenant", what: "only of this tenant", accepts: Accepts::Id };
const STATUS: Param = Param {
    name: "status",
    what: "only those that are in this status",
    accepts: Accepts::OneOf(&["running", "paused", "completed", "failed", "cancelled", "lost"]),
};
const OLDER: Param =
    Param { name: "before", what: "those that began before the execution of this id", accepts: Accepts::Id };
const ORDER: Param = Param {
    name: "order",
    what: "which stands first; the newest are given in either order",
    accepts: Accepts::OneOf(&["newest", "oldest"]),
};
const FROM: Param = Param { name: "from", what: "where it begins", accepts: Accepts::OneOf(&["start", "live"]) };
const MODE: Param = Param {
    name: "mode",
    what: "how much is shown",
    accepts: Accepts::OneOf(&["full", "summary", "control_only", "silent"]),
};
const DIALECT: Param = Param {
    name: "dialect",
    what: "in which form; those that tell a run as a whole are of one execution only",
    accepts: Accepts::OneOf(&["native", "ai-sdk-ui", "ag-ui", "chat", "gateway", "memory", "hub"]),
};
const FORM: Param = Param { name: "dialect", what: "in which form", accepts: Accepts::OneOf(&["native", "gateway"]) };
const LIMIT: Param = limit(200, 1_000);

const fn limit(default: usize, most: usize) -> Param {
    Param { name: "limit", what: "how many at most", accepts: Accepts::Limit(default, most) }
}

/// What every snapshot may say: it is the log's answer.
const OF_LOG: &[u16] = &[500, 501, 503];
/// The same, of something with an id.
const OF_ONE: &[u16] = &[404, 500, 501, 503];
/// What an execution that is steered may say.
const OF_STEERED: &[u16] = &[404, 408, 409, 410, 413, 415, 500, 503];
/// What may become of a body of events.
const OF_INGEST: &[u16] = &[408, 409, 413, 415, 422, 503];

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: Method::Get,
        path: "/stream",
        needs: Needs::Read,
        summary: "The events of every execution, from now on.",
        query: &[AFTER, FROM, MODE, KINDS, DIALECT],
        body: Brought::Nothing,
        answer: Answer::Stream,
        also: &[],
        handler: || get(stream::of_everything),
    },
    Route {
        method: Method::Get,
        path: "/executions/{id}/stream",
        needs: Needs::Read,
        summary: "The events of one execution, from its first to its end.",
        query: &[AFTER, FROM, MODE, KINDS, DIALECT],
        body: Brought::Nothing,
        answer: Answer::Stream,
        also: &[204],
        handler: || get(stream::of_execution),
    },
    Route {
        method: Method::Get,
        path: "/sessions/{id}/stream",
        needs: Needs::Read,
        summary: "The events of one conversation, from now on.",
        query: &[AFTER, FROM, MODE, KINDS, DIALECT],
        body: Brought::Nothing,
        answer: Answer::Stream,
        also: &[],
        handler: || get(stream::of_session),
    },
    Route {
        method: Method::Get,
        path: "/tenants/{id}/stream",
        needs: Needs::Read,
        summary: "The events of one tenant, from now on.",
        query: &[AFTER, FROM, MODE, KINDS, DIALECT],
        body: Brought::Nothing,
        answer: Answer::Stream,
        also: &[],
        handler: || get(stream::of_tenant),
    },
    Route {
        method: Method::Get,
        path: "/executions",
        needs: Needs::Read,
        summary: "The executions of the record, the newest first.",
        query: &[SESSION, STATUS, OLDER, limit(100, 1_000)],
        body: Brought::Nothing,
        answer: Answer::Json(schema_of::<executions::ExecutionList>),
        also: OF_ONE,
        handler: || get(executions::list),
    },
    Route {
        method: Method::Get,
        path: "/executions/{id}",
        needs: Needs::Read,
        summary: "One execution, and what it did, in a few numbers.",
        query: &[],
        body: Brought::Nothing,
        answer: Answer::Json(schema_of::<executions::Execution>),
        also: OF_ONE,
        handler: || get(executions::one),
    },
    Route {
        method: Method::Get,
        path: "/executions/{id}/events",
        needs: Needs::Read,
        summary: "The record of one execution, page by page.",
        query: &[AFTER, BEFORE, KINDS, LIMIT],
        body: Brought::Nothing,
        answer: Answer::Json(schema_of::<events::Events>),
        also: &[404, 410, 500, 501, 503],
        handler: || get(events::of_execution),
    },
    Route {
        method: Method::Get,
        path: "/executions/{id}/tree",
        needs: Needs::Read,
        summary: "What one execution did, as a tree.",
        query: &[],
        body: Brought::Nothing,
        answer: Answer::Json(schema_of::<executions::Tree>),
        also: OF_ONE,
        handler: || get(executions::tree),
    },
    Route {
        method: Method::Get,
        path: "/events",
        needs: Needs::Read,
        summary: "The record, page by page.",
        query: &[AFTER, BEFORE, SESSION, KINDS, LIMIT],
        body: Brought::Nothing,
        answer: Answer::Json(schema_of::<events::Events>),
        also: &[410, 500, 501, 503],
        handler: || get(events::of_everything),
    },
    Route {
        method: Method::Get,
        path: "/feed",
        needs: Needs::Read,
        summary: "The newest events.",
        query: &[SESSION, TENANT, KINDS, ORDER, LIMIT],
        body: Brought::Nothing,
        answer: Answer::Json(schema_of::<events::Events>),
        also: OF_LOG,
        handler: || get(events::feed),
    },
    Route {
        method: Method::Get,
        path: "/sessions",
        needs: Needs::Read,
        summary: "The conversations, those with the newest events first.",
        query: &[FORM, limit(20, 100)],
        body: Brought::Nothing,
        answer: Answer::Json(schema_of::<Listed<sessions::SessionList>>),
        also: OF_LOG,
        handler: || get(sessions::list),
    },
    Route {
        method: Method::Get,
        path: "/sessions/{id}",
        needs: Needs::Read,
        summary: "One conversation: sums over its executions.",
        query: &[],
        body: Brought::Nothing,
        answer: Answer::Json(schema_of::<sessions::Session>),
        also: OF_ONE,
        handler: || get(sessions::one),
    },
    Route {
        method: Method::Get,
        path: "/sessions/{id}/tasks",
        needs: Needs::Read,
        summary: "The executions of one conversation and the agents inside them, as tasks.",
        query: &[FORM],
        body: Brought::Nothing,
        answer: Answer::Json(schema_of::<Listed<sessions::Tasks>>),
        also: OF_ONE,
        handler: || get(sessions::tasks_of_one),
    },
    Route {
        method: Method::Get,
        path: "/tasks",
        needs: Needs::Read,
        summary: "The newest executions and the agents inside them, as tasks.",
        query: &[SESSION, STATUS, OLDER, FORM, limit(20, 100)],
        body: Brought::Nothing,
        answer: Answer::Json(schema_of::<Listed<sessions::Tasks>>),
        also: OF_ONE,
        handler: || get(sessions::tasks),
    },
    Route {
        method: Method::Post,
        path: "/events",
        needs: Needs::Ingest,
        summary: "Takes events in: JSON Lines, or JSON.",
        query: &[],
        body: Brought::Events,
        answer: Answer::Json(schema_of::<ingest::Taken<'static>>),
        also: OF_INGEST,
        handler: || post(ingest::of_any),
    },
    Route {
        method: Method::Post,
        path: "/executions/{id}/events",
        needs: Needs::Ingest,
        summary: "Takes events of one execution in.",
        query: &[],
        body: Brought::Events,
        answer: Answer::Json(schema_of::<ingest::Taken<'static>>),
        also: OF_INGEST,
        handler: || post(ingest::of_execution),
    },
    Route {
        method: Method::Post,
        path: "/executions/{id}/pause",
        needs: Needs::Admin,
        summary: "Asks an execution of this process to wait at its next checkpoint.",
        query: &[],
        body: Brought::Json(body_of::<steer::Why>),
        answer: Answer::Asked(schema_of::<steer::Asked>),
        also: OF_STEERED,
        handler: || post(steer::pause),
    },
    Route {
        method: Method::Post,
        path: "/executions/{id}/resume",
        needs: Needs::Admin,
        summary: "Lets an execution of this process go on.",
        query: &[],
        body: Brought::Json(body_of::<steer::Why>),
        answer: Answer::Asked(schema_of::<steer::Asked>),
        also: OF_STEERED,
        handler: || post(steer::resume),
    },
    Route {
        method: Method::Post,
        path: "/executions/{id}/cancel",
        needs: Needs::Admin,
        summary: "Asks an execution of this process to end.",
        query: &[],
        body: Brought::Json(body_of::<steer::Why>),
        answer: Answer::Asked(schema_of::<steer::Asked>),
        also: OF_STEERED,
        handler: || post(steer::cancel),
    },
    Route {
        method: Method::Get,
        path: "/executions/{id}/permissions",
        needs: Needs::Admin,
        summary: "What an execution of this process asks, and nobody has answered yet.",
        query: &[],
        body: Brought::Nothing,
        answer: Answer::Json(schema_of::<steer::Questions>),
        also: &[404, 500, 503],
        handler: || get(steer::permissions),
    },
    Route {
        method: Method::Post,
        path: "/executions/{id}/permissions/{permission_id}",
        needs: Needs::Admin,
        summary: "Answers a question.",
        query: &[],
        body: Brought::Json(body_of::<steer::Decision>),
        answer: Answer::Json(schema_of::<steer::Decided>),
        also: OF_STEERED,
        handler: || post(steer::decide),
    },
    Route {
        method: Method::Get,
        path: "/health",
        needs: Needs::Nothing,
        summary: "Whether an event gets through gate, hub and log.",
        query: &[],
        body: Brought::Nothing,
        answer: Answer::Json(schema_of::<health::Health>),
        also: &[503],
        handler: || get(health::health),
    },
    Route {
        method: Method::Get,
        path: "/stats",
        needs: Needs::Admin,
        summary: "Numbers of the recorder, the hub and this server.",
        query: &[],
        body: Brought::Nothing,
        answer: Answer::Json(schema_of::<health::Numbers>),
        also: &[],
        handler: || get(health::stats),
    },
    Route {
        method: Method::Post,
        path: "/tickets",
        needs: Needs::Read,
        summary: "A ticket that opens one stream, once, within 30 s.",
        query: &[],
        body: Brought::MaybeJson(body_of::<ticket::Wish>),
        answer: Answer::Json(schema_of::<ticket::Issued>),
        also: &[501, 503],
        handler: || post(ticket::issue),
    },
    Route {
        method: Method::Post,
        path: "/session",
        needs: Needs::Read,
        summary: "A cookie that stands for the token.",
        query: &[],
        body: Brought::Nothing,
        answer: Answer::Json(schema_of::<session::Begun>),
        also: &[501, 503],
        handler: || post(session::begin),
    },
    Route {
        method: Method::Delete,
        path: "/session",
        needs: Needs::Nothing,
        summary: "Ends the session of the cookie.",
        query: &[],
        body: Brought::Nothing,
        answer: Answer::Nothing,
        also: &[501],
        handler: || delete(session::end),
    },
    Route {
        method: Method::Get,
        path: "/openapi.json",
        needs: Needs::Nothing,
        summary: "This description.",
        query: &[],
        body: Brought::Nothing,
        answer: Answer::Json(schema_of::<serde_json::Value>),
        also: &[],
        handler: || get(openapi::openapi),
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
