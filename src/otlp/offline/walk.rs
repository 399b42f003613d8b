//! Through the log, execution by execution, and each through a fold of its own.

use super::Export;
use crate::{
    Error, ExecutionId,
    log::{
        ExecutionRow, ExecutionsQuery, Query, Scope,
        jsonl::{LOG_LIMIT, each_page},
    },
    otlp::{
        fold::{Entry, Fold, Limits},
        span::Output,
    },
};

/// Executions, and events of one, that are read at a time.
const ROWS: usize = 256;
const PAGE: usize = 512;

impl Export {
    /// The executions that are meant, the newest first.
    pub(in crate::otlp) fn each_execution(
        &self,
        mut take: impl FnMut(&ExecutionRow) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if let Some(id) = &self.what.execution_id {
            return take(&self.row(id)?);
        }
        let mut query = ExecutionsQuery::newest(ROWS);
        (query.session_id, query.tenant_id) = (self.what.session_id.clone(), self.what.tenant_id.clone());
        loop {
            let rows = self.log.executions(query.clone()).wait(LOG_LIMIT)?;
            rows.iter().try_for_each(&mut take)?;
            match rows.last().filter(|_| rows.len() == ROWS) {
                Some(last) => query.before = Some(last.execution_id.clone()),
                None => return Ok(()),
            }
        }
    }

    fn row(&self, id: &ExecutionId) -> Result<ExecutionRow, Error> {
        let what = &self.what;
        let is_meant = |row: &ExecutionRow| {
            (what.session_id.is_none() || row.session_id == what.session_id)
                && (what.tenant_id.is_none() || row.tenant_id == what.tenant_id)
        };
        let row = self.log.execution(id.clone()).wait(LOG_LIMIT)?.filter(is_meant);
        row.ok_or_else(|| Error::not_found(format!("{id}: the log has no such execution of what was asked for")))
    }

    /// What is finished of an execution, in the order in which it ended; and how many events could not be read.
    pub(in crate::otlp) fn fold(
        &self,
        id: &ExecutionId,
        mut take: impl FnMut(Output) -> Result<(), Error>,
    ) -> Result<u64, Error> {
        let limits = Limits { executions: 1, bytes: usize::MAX };
        let (mut fold, mut finished, mut unreadable) = (Fold::new(limits, !self.content), Vec::new(), 0);
        each_page(self.log.as_ref(), Query::new(Scope::Execution(id.clone()), 0, PAGE), |page| {
            for event in page.events {
                match Entry::logged(&event) {
                    Ok(entry) => fold.apply(entry, &mut finished),
                    Err(_) => unreadable += 1,
                }
                finished.drain(..).try_for_each(&mut take)?;
            }
            Ok(())
        })?;
        Ok(unreadable)
    }
}
