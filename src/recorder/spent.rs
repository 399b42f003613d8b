//! What an execution had spent when an earlier process recorded it last: looked for in the log, from the end backwards.

use super::executions::LOG_LIMIT;
use crate::{
    Error, EventLog, ExecutionId,
    event::{Body, Kind, TokenUsage},
    log::{Query, Scope},
};
use std::{sync::Arc, time::Instant};

/// Events of one look. Usage is told with every call, so the first look mostly finds it.
const PAGE: usize = 256;
/// Events that are looked through: the recorder's thread waits for this.
const MAX_EVENTS: usize = 20_000;

/// The last usage told of an execution up to this offset; none where none was.
///
/// # Errors
/// When it is not known whether there was any: what the log says, or `is_too_large` where there is too much to look through.
pub(super) fn last_usage(log: &Arc<dyn EventLog>, id: &ExecutionId, offset: u64) -> Result<Option<TokenUsage>, Error> {
    let deadline = crate::time::deadline(LOG_LIMIT);
    let mut before = offset.saturating_add(1);
    for _ in 0..MAX_EVENTS / PAGE {
        let query = Query::back(Scope::Execution(id.clone()), before, PAGE);
        let page = log.read(query).wait(deadline.saturating_duration_since(Instant::now()))?;
        if let Some(last) = page.events.iter().rfind(|event| event.kind == Kind::TokenUsage) {
            let Body::TokenUsage(usage) = last.to_stream()?.body else { break };
            return Ok(Some(*usage));
        }
        if page.complete {
            return Ok(None);
        }
        before = page.read_from;
    }
    Err(Error::too_large(format!("{id}: no usage among the last {MAX_EVENTS} events up to {offset}")))
}
