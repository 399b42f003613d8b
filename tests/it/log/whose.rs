//! What every log says of one tenant, and how executions and conversations are listed.

use super::{Gate, LIMIT, at, event, names, of_each_log, read, step, steps};
use proptest::prelude::*;
use spanwright::{
    EventLog, ExecutionId, StreamEvent,
    event::{ExecutionEnd, ExecutionPaused, ExecutionStart, TextDelta},
    log::{ExecutionRow, ExecutionsQuery, MemoryLog, Query, Scope, SessionRow, SessionsQuery, SqliteLog, Status},
};

fn start(id: &ExecutionId, tenant: Option<&str>, session: Option<&str>) -> StreamEvent {
    let mut start = ExecutionStart::new();
    start.tenant_id = tenant.map(Into::into);
    start.session_id = session.map(Into::into);
    event(id, start)
}

fn list(log: &dyn EventLog, query: ExecutionsQuery) -> Vec<ExecutionRow> {
    log.executions(query).wait(LIMIT).expect("rows")
}

fn ids(log: &dyn EventLog, query: ExecutionsQuery) -> Vec<ExecutionId> {
    list(log, query).into_iter().map(|row| row.execution_id).collect()
}

fn sessions(log: &dyn EventLog, query: SessionsQuery) -> Vec<SessionRow> {
    log.sessions(query).wait(LIMIT).expect("rows")
}

#[test]
fn a_tenant_restricts_every_scope() {
    of_each_log(|log| {
        let [red, blue, nobodys] = [(); 3].map(|()| ExecutionId::new());
        let mut gate = Gate::new(log);
        gate.append([start(&red, Some("red"), Some("s")), start(&blue, Some("blue"), Some("s"))]);
        gate.append([start(&nobodys, None, Some("s"))]);
        gate.append([step(&red, "r1"), step(&blue, "b1"), step(&nobodys, "n1"), step(&red, "r2")]);
        let begun = "data-execution-start";
        for scope in [Scope::Everything, Scope::Session("s".into()), Scope::Execution(red.clone())] {
            let page = read(log, Query::new(scope.clone(), 0, 10).of_tenant("red"));
            assert_eq!(names(&page.events), [begun, "r1", "r2"], "{scope:?}");
            assert!(page.complete && page.read_to == 7);
            let rest = read(log, Query::new(scope, 1, 1).of_tenant("red"));
            assert_eq!((names(&rest.events), rest.complete), (vec!["r1".to_owned()], false));
        }
        for (scope, tenant) in [
            (Scope::Execution(blue.clone()), "red"),
            (Scope::Execution(nobodys.clone()), "red"),
            (Scope::Session("s".into()), "green"),
            (Scope::Everything, ""),
            (Scope::Everything, "' OR 1=1 --"),
        ] {
            let page = read(log, Query::new(scope, 0, 10).of_tenant(tenant));
            assert!(page.events.is_empty() && page.complete && page.read_to == 7);
        }
    });
}

#[test]
fn little_of_one_tenant_in_much_of_others_is_found_in_steps_that_keep_nobody_waiting() {
    of_each_log(|log| {
        let [red, blue] = [(); 2].map(|()| ExecutionId::new());
        let mut gate = Gate::new(log);
        gate.append([start(&red, Some("red"), None), start(&blue, Some("blue"), None)]);
        for _ in 0..10 {
            gate.append((0..7_000).map(|_| event(&blue, TextDelta::new("t", "x"))));
        }
        gate.append([step(&red, "last")]);
        let (mut query, mut seen, mut pages) = (Query::new(Scope::Everything, 0, 10).of_tenant("red"), Vec::new(), 0);
        loop {
            let page = read(log, query.clone());
            seen.extend(names(&page.events));
            assert!(page.read_to > query.after, "each page comes on");
            (query.after, pages) = (page.read_to, pages + 1);
            if page.complete {
                break;
            }
        }
        assert_eq!((seen.len(), query.after), (2, 70_003));
        assert!(pages < 5);
    });
}

#[test]
fn executions_are_listed_by_session_tenant_and_status_page_after_page() {
    of_each_log(|log| {
        let mut gate = Gate::new(log);
        let all: Vec<_> = (0..12).map(|_| ExecutionId::new()).collect();
        for (index, id) in all.iter().enumerate() {
            let tenant = [Some("red"), Some("blue"), None][index % 3];
            // Two each begin at the same time: the later of them stands first.
            let time = at(index as i64 / 2);
            gate.append([start(id, tenant, Some(["x", "y"][index % 2])).at(time)]);
        }
        gate.append([event(&all[3], ExecutionEnd::new(1)), event(&all[4], ExecutionPaused::new("a person"))]);
        let of = |numbers: &[usize]| numbers.iter().map(|number| all[*number].clone()).collect::<Vec<_>>();
        let newest = || ExecutionsQuery::newest(100);
        assert_eq!(ids(log, newest()), of(&[11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]));
        assert_eq!(ids(log, newest().of_tenant("red")), of(&[9, 6, 3, 0]));
        assert_eq!(ids(log, newest().of_tenant("red").of_session("x")), of(&[6, 0]));
        assert_eq!(ids(log, newest().with_status(Status::Completed)), of(&[3]));
        assert_eq!(ids(log, newest().with_status(Status::Paused).of_tenant("blue")), of(&[4]));
        assert_eq!(ids(log, newest().with_status(Status::Paused).of_tenant("red")), of(&[]));
        let (mut pages, mut query) = (Vec::new(), ExecutionsQuery::newest(3).of_session("y"));
        loop {
            let page = ids(log, query.clone());
            let Some(last) = page.last() else { break };
            query = query.before(last.clone());
            pages.push(page);
        }
        assert_eq!(pages, [of(&[11, 9, 7]), of(&[5, 3, 1])]);
    });
}

#[test]
fn a_list_goes_on_after_nothing_that_is_unknown_or_anothers() {
    of_each_log(|log| {
        let [red, blue] = [(); 2].map(|()| ExecutionId::new());
        Gate::new(log).append([start(&red, Some("red"), None), start(&blue, Some("blue"), None)]);
        let after = |id: &ExecutionId| ExecutionsQuery::newest(10).of_tenant("red").before(id.clone());
        assert!(list(log, after(&red)).is_empty());
        let errors = [&blue, &ExecutionId::new()].map(|id| log.executions(after(id)).wait(LIMIT).expect_err("unknown"));
        assert!(errors.iter().all(spanwright::Error::is_not_found));
    });
}

#[test]
fn conversations_are_listed_with_what_happened_in_them_last_and_two_tenants_share_none() {
    of_each_log(|log| {
        let all: Vec<_> = (0..5).map(|_| ExecutionId::new()).collect();
        let mut gate = Gate::new(log);
        gate.append([
            start(&all[0], Some("red"), Some("s")).at(at(1)),
            start(&all[1], Some("blue"), Some("s")).at(at(2)),
            start(&all[2], Some("red"), Some("other")).at(at(3)),
            start(&all[3], Some("red"), None).at(at(4)),
            start(&all[4], Some("red"), Some("s")).at(at(5)),
            step(&all[0], "late").at(at(9)),
        ]);
        let shown = |rows: Vec<SessionRow>| {
            let row = |row: SessionRow| {
                let tenant = row.tenant_id.map(|tenant| tenant.to_string()).unwrap_or_default();
                (row.session_id.to_string(), tenant, row.executions, row.started_at, row.last_at)
            };
            rows.into_iter().map(row).collect::<Vec<_>>()
        };
        let (red, blue) = (("s".into(), "red".into(), 2, at(1), at(9)), ("s".into(), "blue".into(), 1, at(2), at(2)));
        let other = ("other".into(), "red".into(), 1, at(3), at(3));
        let everyones = shown(sessions(log, SessionsQuery::newest(10)));
        assert_eq!(everyones, [red.clone(), other.clone(), blue]);
        assert_eq!(shown(sessions(log, SessionsQuery::newest(10).of_tenant("red"))), [red.clone(), other]);
        assert_eq!(shown(sessions(log, SessionsQuery::newest(1))), [red]);
        assert!(sessions(log, SessionsQuery::newest(10).of_tenant("green")).is_empty());
    });
}

#[test]
fn a_file_of_before_has_its_new_indexes_after_it_was_opened() {
    let scratch = crate::scratch::Scratch::new();
    let file = scratch.file("log.db");
    let id = ExecutionId::new();
    let fill = SqliteLog::open(&file).expect("open");
    Gate::new(&fill).append([start(&id, Some("red"), None)]);
    drop(fill);
    let db = rusqlite::Connection::open(&file).expect("file");
    db.execute_batch("DROP INDEX executions_of_tenant; DROP INDEX executions_by_status").expect("as it was");
    drop(db);
    let log = SqliteLog::open(&file).expect("open");
    assert_eq!(ids(&log, ExecutionsQuery::newest(9).of_tenant("red").with_status(Status::Running)), [id]);
    drop(log);
    let db = rusqlite::Connection::open(&file).expect("file");
    let sql = "SELECT count(*) FROM sqlite_schema WHERE name IN ('executions_of_tenant', 'executions_by_status')";
    assert_eq!(db.query_row(sql, (), |row| row.get::<_, i64>(0)).expect("count"), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// The two logs answer alike, whatever is asked of them.
    #[test]
    fn logs_agree_on_whose_what_is(
        begun in prop::collection::vec((0..3_usize, 0..3_usize, 0..4_i64), 1..12),
        said in prop::collection::vec((0..12_usize, 0..3_usize), 0..40),
        tenant in 0..3_usize, session in 0..3_usize, after in 0..50_u64, limit in 0..20_usize,
    ) {
        let names = [None, Some("a"), Some("b")];
        let scratch = crate::scratch::Scratch::new();
        let logs: [Box<dyn EventLog>; 2] =
            [Box::new(MemoryLog::new()), Box::new(SqliteLog::open(scratch.file("log.db")).expect("open"))];
        let all: Vec<_> = begun.iter().map(|_| ExecutionId::new()).collect();
        let answers = logs.map(|log| {
            let mut gate = Gate::new(&*log);
            for (id, (tenant, session, time)) in all.iter().zip(&begun) {
                drop(log.append(gate.batch([start(id, names[*tenant], names[*session]).at(at(*time))])));
            }
            for (which, what) in &said {
                let id = &all[which % all.len()];
                let last = [event(id, ExecutionEnd::new(1)), event(id, TextDelta::new("t", "x"))];
                let told = if *what == 2 { steps(id, 0..2).collect::<Vec<_>>() } else { vec![last[*what].clone()] };
                drop(log.append(gate.batch(told)));
            }
            log.flush().wait(LIMIT).expect("flush");
            let scopes =
                [Scope::Everything, Scope::Session(names[session].unwrap_or("c").into()), Scope::Execution(all[0].clone())];
            let pages = scopes.map(|scope| {
                let mut query = Query::new(scope, after, limit);
                query.tenant_id = names[tenant].map(Into::into);
                let page = read(&*log, query);
                let places: Vec<_> = page.events.iter().map(|event| (event.cursor.offset, event.sequence)).collect();
                (places, page.read_to, page.complete)
            });
            let mut query = ExecutionsQuery::newest(limit);
            query.tenant_id = names[tenant].map(Into::into);
            query.session_id = names[session].map(Into::into);
            let mut of_tenant = SessionsQuery::newest(limit);
            of_tenant.tenant_id.clone_from(&query.tenant_id);
            let rows = ids(&*log, query.clone());
            let rest = rows.first().map(|first| ids(&*log, query.before(first.clone())));
            (pages, rows, rest, sessions(&*log, of_tenant))
        });
        prop_assert_eq!(&answers[0], &answers[1]);
    }
}
