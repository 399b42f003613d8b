//! Snapshots of conversations, and of everything that agents were given to do in them.

use super::{
    App,
    access::Allowed,
    digest::Digest,
    executions::{alive_seconds, alive_since},
    failure::{Failure, json},
    gateway::Form,
    params::{Named, Params},
    record::Record,
};
use crate::{
    Text, Timestamp,
    log::{ExecutionRow, ExecutionsQuery, Status},
    view::{BlockedOn, Inert, Spent, Task},
};
use axum::{extract::State, http::StatusCode, response::Response};
use serde::Serialize;
use std::sync::Arc;

/// Executions that are looked at for what is told of a session: the newest ones.
const EXECUTIONS: usize = 100;

/// Sessions.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct SessionList {
    pub(super) sessions: Vec<Session>,
}

/// A conversation: the sums over its newest 100 executions.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Session {
    pub(super) session_id: Text,
    tenant_id: Option<Text>,
    /// The name of the newest execution.
    pub(super) agent: Option<Text>,
    /// What it is about, where somebody noted that: the newest title.
    title: Option<Inert>,
    /// That of the newest execution.
    status: Status,
    /// How many executions were looked at.
    executions: usize,
    /// What was asked of them, and what they answered.
    #[serde(skip)]
    pub(super) messages: u64,
    /// When the first of these began.
    started_at: Timestamp,
    /// From there to the end of the last, or to now while one runs, in seconds.
    pub(super) alive_seconds: f64,
    /// What the newest execution that waits waits for.
    blocked_on: Option<BlockedOn>,
    #[serde(flatten)]
    spent: Spent,
    /// Calls of models.
    model_calls: u64,
    /// Calls of tools.
    tool_calls: u64,
    /// False when older executions, or older events of these, were not looked at: then there may be more of all.
    complete: bool,
}

/// Tasks.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Tasks {
    pub(super) tasks: Vec<Task>,
    /// False when older executions or events were not looked at, or not all agents of one fit.
    complete: bool,
}

/// `GET /sessions`: those with the newest events first.
pub(super) async fn list(State(app): State<Arc<App>>, allowed: Allowed, params: Params) -> Result<Response, Failure> {
    let (record, form) = (Record::of(&app, allowed)?, Form::of(&params)?);
    let mut sessions = Vec::new();
    for row in record.sessions(params.limit(20, 100)?).await? {
        sessions.extend(record.session(&app, row.session_id, Some(row.tenant_id)).await?);
    }
    Ok(form.answer(SessionList { sessions }))
}

/// `GET /sessions/{id}`.
pub(super) async fn one(State(app): State<Arc<App>>, allowed: Allowed, Named(id): Named) -> Result<Response, Failure> {
    let record = Record::of(&app, allowed)?;
    Ok(json(&record.session(&app, id, None).await?.ok_or_else(no_session)?))
}

/// `GET /sessions/{id}/tasks`.
pub(super) async fn tasks_of_one(
    State(app): State<Arc<App>>,
    allowed: Allowed,
    Named(id): Named,
    params: Params,
) -> Result<Response, Failure> {
    let (record, form) = (Record::of(&app, allowed)?, Form::of(&params)?);
    let rows = record.executions(ExecutionsQuery::newest(EXECUTIONS).of_session(id)).await?;
    if rows.is_empty() {
        return Err(no_session());
    }
    Ok(form.answer(record.tasks(&app, &rows, EXECUTIONS).await?))
}

/// `GET /tasks`: of the newest executions, those of which are asked for.
pub(super) async fn tasks(State(app): State<Arc<App>>, allowed: Allowed, params: Params) -> Result<Response, Failure> {
    let (record, form) = (Record::of(&app, allowed)?, Form::of(&params)?);
    let wanted = params.executions(20, EXECUTIONS)?;
    let limit = wanted.limit;
    let rows = record.executions(wanted).await?;
    Ok(form.answer(record.tasks(&app, &rows, limit).await?))
}

impl Record<'_> {
    async fn tasks(&self, app: &App, rows: &[ExecutionRow], limit: usize) -> Result<Tasks, Failure> {
        let mut all = Tasks { tasks: Vec::new(), complete: rows.len() < limit };
        for row in rows {
            match self.digest(app, row).await? {
                Some(digest) => all.add(row, &digest),
                None => all.complete = false,
            }
        }
        Ok(all)
    }

    /// A conversation of this tenant or of nobody's, or that of the newest execution: two tenants may have one of the same
    /// name.
    async fn session(&self, app: &App, id: Text, owner: Option<Option<Text>>) -> Result<Option<Session>, Failure> {
        let mut query = ExecutionsQuery::newest(EXECUTIONS).of_session(id.clone());
        query.tenant_id = owner.clone().flatten();
        let mut rows = self.executions(query).await?;
        let complete = rows.len() < EXECUTIONS;
        let owner = owner.or_else(|| rows.first().map(|row| row.tenant_id.clone()));
        rows.retain(|row| Some(&row.tenant_id) == owner.as_ref());
        let (Some(newest), Some(oldest)) = (rows.first(), rows.last()) else { return Ok(None) };
        let mut session = Session {
            session_id: id,
            tenant_id: newest.tenant_id.clone(),
            agent: newest.name.clone(),
            title: None,
            status: newest.status,
            executions: rows.len(),
            messages: 0,
            started_at: oldest.started_at,
            alive_seconds: 0.0,
            blocked_on: None,
            spent: Spent::default(),
            model_calls: 0,
            tool_calls: 0,
            complete,
        };
        for row in &rows {
            match self.digest(app, row).await? {
                Some(digest) => session.add(row, &digest),
                None => session.complete = false,
            }
        }
        Ok(Some(session))
    }
}

impl Tasks {
    fn add(&mut self, row: &ExecutionRow, digest: &Digest) {
        let now = Timestamp::now();
        let first = self.tasks.len();
        self.tasks.extend(digest.tasks.iter().cloned().map(|task| task.at(now)));
        self.complete &= digest.summary.complete && !digest.more_tasks;
        // Of the execution itself its row knows more than the events that were looked at.
        if let Some(execution) = self.tasks.get_mut(first) {
            execution.status = row.status.as_str();
            execution.created_at = Some(row.started_at);
            execution.alive_seconds = Some(alive_seconds(row));
        }
    }
}

impl Session {
    /// Takes in an execution older than those before.
    fn add(&mut self, row: &ExecutionRow, digest: &Digest) {
        self.alive_seconds = self.alive_seconds.max(alive_since(row, self.started_at));
        self.messages += 1 + u64::from(row.status == Status::Completed);
        let summary = &digest.summary;
        self.spent = self.spent.and(summary.spent);
        self.model_calls += summary.model_calls;
        self.tool_calls += summary.tool_calls;
        self.complete &= summary.complete;
        self.title = self.title.take().or_else(|| digest.title.clone());
        self.blocked_on = self.blocked_on.take().or_else(|| summary.blocked_on.clone());
    }
}

fn no_session() -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "the log has no session of this id")
}
