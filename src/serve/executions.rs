//! Snapshots of executions: which there are, and what one did, in a few numbers and as a tree.

use super::{
    App,
    access::Allowed,
    digest::Digest,
    failure::{Failure, json},
    params::{Id, Params},
    record::{Record, no_execution},
};
use crate::{
    Text, Timestamp,
    log::ExecutionRow,
    view::{Inert, RunTree, Summary, seconds},
};
use axum::{extract::State, response::Response};
use serde::Serialize;
use std::sync::Arc;

/// Executions.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct ExecutionList {
    executions: Vec<ExecutionRow>,
}

/// An execution, and what it did, in a few numbers.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Execution {
    #[serde(flatten)]
    row: ExecutionRow,
    /// From its beginning to its end, or to now while it runs, in seconds.
    alive_seconds: f64,
    /// What it is about, where somebody noted that.
    title: Option<Inert>,
    /// Id of what caused it.
    parent_id: Option<Text>,
    #[serde(flatten)]
    summary: Summary,
}

/// The tree of an execution.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Tree {
    /// False when older events than the newest some thousand were not looked at.
    complete: bool,
    tree: RunTree,
}

/// `GET /executions`: the newest first.
pub(super) async fn list(State(app): State<Arc<App>>, allowed: Allowed, params: Params) -> Result<Response, Failure> {
    let record = Record::of(&app, allowed)?;
    let executions = record.executions(params.executions(100, 1_000)?).await?;
    Ok(json(&ExecutionList { executions }))
}

/// `GET /executions/{id}`.
pub(super) async fn one(State(app): State<Arc<App>>, allowed: Allowed, Id(id): Id) -> Result<Response, Failure> {
    let record = Record::of(&app, allowed)?;
    let row = record.execution(id).await?;
    let digest = record.digest(&app, &row).await?.ok_or_else(no_execution)?;
    let Digest { summary, title, parent_id, .. } = (*digest).clone();
    Ok(json(&Execution { alive_seconds: alive_seconds(&row), row, title, parent_id, summary }))
}

/// `GET /executions/{id}/tree`.
pub(super) async fn tree(State(app): State<Arc<App>>, allowed: Allowed, Id(id): Id) -> Result<Response, Failure> {
    let record = Record::of(&app, allowed)?;
    let row = record.execution(id).await?;
    let (run, complete) = record.run(&row).await?;
    Ok(json(&Tree { complete, tree: run.tree().clone() }))
}

/// From the beginning of an execution to its end, or to now.
pub(super) fn alive_seconds(row: &ExecutionRow) -> f64 {
    alive_since(row, row.started_at)
}

/// The same, from another beginning.
pub(super) fn alive_since(row: &ExecutionRow, start: Timestamp) -> f64 {
    seconds(row.ended_at.unwrap_or_else(Timestamp::now).since(start))
}
