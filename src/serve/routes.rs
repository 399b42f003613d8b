//! Every route, once: the router, who may use it, the description for machines and the list in a 404 all come from here.

use super::{App, executions, failure, guard, health, stream};
use axum::{
    Router, middleware,
    routing::{MethodRouter, get},
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
}

/// What whoever asks must be allowed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Needs {
    /// Nothing: it says nothing about anybody's data.
    Nothing,
    /// To read what belongs to its tenant.
    Read,
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
];

/// The router that the table spells.
pub(super) fn router<S: Clone + Send + Sync + 'static>(app: Arc<App>) -> Router<S> {
    let router = ROUTES.iter().fold(Router::new(), |router, route| router.route(route.path, (route.handler)()));
    router
        .method_not_allowed_fallback(failure::not_allowed)
        .route_layer(middleware::from_fn_with_state(app.clone(), guard::guard))
        .with_state(app)
}

/// The paths, as a sentence lists them.
pub(super) fn paths() -> String {
    let mut paths: Vec<_> = ROUTES.iter().map(|route| route.path).collect();
    paths.dedup();
    paths.join(", ")
}
