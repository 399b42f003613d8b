//! Reading backwards: the last events before a place.

use super::reader::{MAX_PAGE_BYTES, MAX_PAGE_OFFSETS, Reader, is_damage, place};
use crate::{
    Error,
    log::{LoggedEvent, Page, Query, Scope},
};
use rusqlite::types::Value;

/// `?1` the offset before which, `?2` after which, `?3` how many rows, `?4` whose, `?5` of which tenant.
macro_rules! select_back {
    ($offsets:literal) => {
        concat!(
            "SELECT event_offset, execution, sequence, pieces, kind, shown, step_id, time_ns, fields FROM events
             WHERE event_offset IN (SELECT e.event_offset FROM ",
            $offsets,
            " ORDER BY e.event_offset DESC LIMIT ?3) ORDER BY event_offset DESC"
        )
    };
}

const EVERYONES: &str =
    select_back!("events e WHERE e.event_offset < ?1 AND e.event_offset > ?2 AND ?4 IS NULL AND ?5 IS NULL");
const OF_TENANT: &str = select_back!(
    "events e WHERE e.event_offset < ?1 AND e.event_offset > ?2 AND ?4 IS NULL
     AND EXISTS (SELECT 1 FROM executions x WHERE x.id = e.execution AND +x.tenant_id = ?5)"
);
const OF_EXECUTION: &str = select_back!(
    "events e WHERE e.event_offset < ?1 AND e.event_offset > ?2 AND e.execution =
     (SELECT id FROM executions x WHERE x.execution_id = ?4 AND (?5 IS NULL OR x.tenant_id = ?5))"
);
const OF_SESSION: &str = select_back!(
    "executions x JOIN events e ON e.execution = x.id AND e.event_offset < ?1 AND e.event_offset > ?2
     WHERE x.session_id = ?4 AND (?5 IS NULL OR x.tenant_id = ?5) AND x.last_offset > ?2"
);

impl Reader {
    /// A damaged stretch ends the page as if nothing were before it: it is counted, and what is newer is what is looked
    /// for.
    pub(super) fn page_back(&mut self, query: &Query, before: u64) -> Result<Page, Error> {
        let (whose, sql) = select(query);
        // From what there is, not from the end of all numbers.
        let end = before.min(self.newest().saturating_add(1));
        let after = match sql == OF_TENANT {
            true => end.saturating_sub(MAX_PAGE_OFFSETS + 1).max(query.after),
            false => query.after,
        };
        let bounds = [before, after, query.limit as u64 + 1].map(place);
        let values = bounds.map(Value::from).into_iter().chain([whose, tenant(query)]);
        let mut page = Page { read_to: before.saturating_sub(1), read_from: after + 1, ..Page::default() };
        match self.scan_back(&mut page, sql, values, query.limit) {
            Ok(everything) => page.complete = everything && after == query.after,
            Err(error) if is_damage(&error) => {
                let place = page.events.last().map_or(page.read_to, |event| event.cursor.offset.saturating_sub(1));
                self.damaged(place);
                page.complete = true;
            }
            Err(source) => return Err(self.fault(source)),
        }
        page.events.reverse();
        Ok(page)
    }

    /// True when every row was taken.
    fn scan_back(
        &mut self,
        page: &mut Page,
        sql: &'static str,
        values: impl Iterator<Item = Value>,
        limit: usize,
    ) -> rusqlite::Result<bool> {
        let (db, rows) = self.parts();
        let mut select = db.prepare_cached(sql)?;
        let mut found = select.query(rusqlite::params_from_iter(values))?;
        let (mut bytes, mut taken) = (0, 0);
        while let Some(row) = found.next()? {
            let offset = row.get_ref(0)?.as_i64()?.cast_unsigned();
            if taken == limit || bytes > MAX_PAGE_BYTES {
                page.read_from = offset + 1;
                return Ok(false);
            }
            let before = page.events.len();
            rows.event(db, row, offset, &mut page.events)?;
            let event = page.events.get(before);
            bytes += event.map_or(0, |event| size_of::<LoggedEvent>() + event.fields.len());
            taken += 1;
        }
        Ok(true)
    }
}

fn select(query: &Query) -> (Value, &'static str) {
    match &query.scope {
        Scope::Everything if tenant(query) == Value::Null => (Value::Null, EVERYONES),
        Scope::Everything => (Value::Null, OF_TENANT),
        Scope::Execution(id) => (Value::from(id.to_string()), OF_EXECUTION),
        Scope::Session(id) => (Value::from(id.to_string()), OF_SESSION),
    }
}

fn tenant(query: &Query) -> Value {
    query.tenant_id.as_ref().map_or(Value::Null, |tenant| tenant.to_string().into())
}
