//! Lists of executions and of conversations: what is asked as SQL.

use super::{
    reader::{Reader, SELECT_EXECUTIONS, place},
    rows::unless_damaged,
};
use crate::{
    Error, Text, Timestamp,
    log::{ExecutionRow, ExecutionsQuery, SessionRow, SessionsQuery, no_place},
};
use rusqlite::{OptionalExtension, Row, params, params_from_iter, types::Value};

/// Where the list goes on: when the execution before it began, and its row.
type Place = (i64, i64);

const PLACE: &str = "SELECT started_ns, id FROM executions WHERE execution_id = ?1 AND (?2 IS NULL OR tenant_id = ?2)";

/// `?1` how many, `?2` the tenant. The last event of a conversation is the last one of its executions' last ones.
macro_rules! select_sessions {
    ($tenant:literal) => {
        concat!(
            "SELECT s.session_id, s.tenant_id, s.executions, s.started_ns, coalesce(e.time_ns, s.started_ns) FROM (
                SELECT session_id, tenant_id, count(*) AS executions, min(started_ns) AS started_ns,
                       max(last_offset) AS last_offset
                FROM executions WHERE session_id IS NOT NULL",
            $tenant,
            " GROUP BY session_id, tenant_id ORDER BY max(last_offset) DESC LIMIT ?1
            ) s LEFT JOIN events e ON e.event_offset = s.last_offset ORDER BY s.last_offset DESC"
        )
    };
}

const SESSIONS: &str = select_sessions!("");
const SESSIONS_OF_TENANT: &str = select_sessions!(" AND tenant_id = ?2");

impl Reader {
    pub(super) fn executions(&mut self, query: &ExecutionsQuery) -> Result<Vec<ExecutionRow>, Error> {
        let after = self.place_before(query)?;
        let (sql, arguments) = list(query, after);
        self.execution_rows(&sql, params_from_iter(arguments))
    }

    fn place_before(&self, query: &ExecutionsQuery) -> Result<Option<Place>, Error> {
        let Some(id) = &query.before else { return Ok(None) };
        let find = || {
            let mut select = self.db.prepare_cached(PLACE)?;
            let tenant = query.tenant_id.as_ref().map(Text::as_str);
            select.query_row(params![id.to_string(), tenant], |row| Ok((row.get(0)?, row.get(1)?))).optional()
        };
        let place = find().map_err(|source| self.fault(source))?;
        place.map(Some).ok_or_else(|| no_place(id))
    }

    pub(super) fn sessions(&mut self, query: &SessionsQuery) -> Result<Vec<SessionRow>, Error> {
        let read = || {
            let (limit, tenant) = (Value::from(place(query.limit as u64)), query.tenant_id.as_ref());
            let sql = if tenant.is_some() { SESSIONS_OF_TENANT } else { SESSIONS };
            let tenant = tenant.map(|tenant| Value::from(tenant.to_string()));
            let mut select = self.db.prepare_cached(sql)?;
            let mut found = select.query(params_from_iter([limit].into_iter().chain(tenant)))?;
            let mut sessions = Vec::new();
            while let Some(row) = found.next()? {
                sessions.extend(unless_damaged(session(row))?);
            }
            Ok(sessions)
        };
        let read: rusqlite::Result<_> = read();
        read.map_err(|source| self.fault(source))
    }
}

/// The conditions that are asked for and no others, so that each set of them has a plan of its own.
fn list(query: &ExecutionsQuery, after: Option<Place>) -> (String, Vec<Value>) {
    let text = |text: &Text| Value::from(text.to_string());
    let conditions = [
        ("tenant_id = ?", query.tenant_id.as_ref().map(text)),
        ("session_id = ?", query.session_id.as_ref().map(text)),
        ("status = ?", query.status.map(|status| Value::from(status.as_str().to_owned()))),
    ];
    let asked = conditions.into_iter().filter_map(|(sql, value)| Some((sql, value?)));
    let (mut conditions, mut values): (Vec<_>, Vec<_>) = asked.unzip();
    if let Some((started, row)) = after {
        conditions.push("(started_ns, id) < (?, ?)");
        values.extend([started.into(), row.into()]);
    }
    values.push(place(query.limit as u64).into());
    let mut sql = SELECT_EXECUTIONS.to_owned();
    for (index, condition) in conditions.iter().enumerate() {
        sql.push_str(if index == 0 { "WHERE " } else { " AND " });
        sql.push_str(condition);
    }
    sql.push_str(" ORDER BY started_ns DESC, id DESC LIMIT ?");
    (sql, values)
}

fn session(row: &Row<'_>) -> rusqlite::Result<SessionRow> {
    let text = |index| Ok::<_, rusqlite::Error>(row.get_ref(index)?.as_str_or_null()?.map(Text::from));
    Ok(SessionRow {
        session_id: text(0)?.ok_or(rusqlite::Error::InvalidQuery)?,
        tenant_id: text(1)?,
        executions: row.get::<_, i64>(2)?.cast_unsigned(),
        started_at: Timestamp::from_unix_nanos(row.get(3)?),
        last_at: Timestamp::from_unix_nanos(row.get(4)?),
    })
}
