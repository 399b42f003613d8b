//! What every log promises.

use super::{Gate, LIMIT, at, event, names, of_each_log, read, read_all, step, steps};
use spanwright::{
    Cursor, EventLog, ExecutionId, Json, StepId, StreamEvent, Text,
    event::{
        Batch, ExecutionEnd, ExecutionPaused, ExecutionStart, Kind, Recorded, TextDelta, TextStart, ToolInputAvailable,
    },
    log::{ExecutionsQuery, Query, Scope, Status},
};
use std::{sync::Arc, thread};

#[test]
fn events_come_back_in_order_with_all_they_had() {
    of_each_log(|log| {
        let (id, foreign) = (ExecutionId::new(), ExecutionId::parse("run/7 \"é\"").expect("id"));
        let mut gate = Gate::new(log);
        let events = [
            event(&id, ExecutionStart::new().name("planner").tenant_id("acme").user_id("ann")),
            event(&foreign, ExecutionStart::new()).of_step(StepId::parse("their step").expect("id")),
            step(&id, "line\nbreak, \"quote\", \u{0} and 漢"),
            event(&id, ToolInputAvailable::new("c1", "search", Json::parse(r#"{"q":[1,2.5,null]}"#).expect("JSON"))),
        ];
        gate.append(events.clone());
        let kept = read_all(log, Scope::Everything);
        assert_eq!(kept.iter().map(|event| event.to_stream().expect("event")).collect::<Vec<_>>(), events);
        assert_eq!(kept.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 1, 2, 3]);
        assert_eq!(kept.iter().map(|event| event.cursor.offset).collect::<Vec<_>>(), [1, 2, 3, 4]);
        assert!(kept.iter().all(|event| event.cursor.epoch == log.opened_at().epoch && event.shown));
        assert_eq!(kept[2].context.tenant_id, Some(Text::from("acme")));
        assert_eq!(kept[2].context.user_id, Some(Text::from("ann")));
        assert_eq!(kept[1].context.tenant_id, None);
    });
}

#[test]
fn what_a_silent_emitter_said_is_kept_and_marked() {
    of_each_log(|log| {
        let mut recorded = Gate::new(log).number(step(&ExecutionId::new(), "quiet"));
        recorded.shown = false;
        let first = Cursor::new(log.opened_at().epoch, 1);
        log.append(Arc::new(Batch::new(first, vec![recorded]))).wait(LIMIT).expect("append");
        assert!(!read_all(log, Scope::Everything)[0].shown);
    });
}

#[test]
fn a_scope_holds_its_own_events_and_no_others() {
    of_each_log(|log| {
        let ids: Vec<_> = (0..4).map(|_| ExecutionId::new()).collect();
        let mut gate = Gate::new(log);
        for (index, id) in ids.iter().enumerate() {
            let session = ["red", "blue"][index % 2];
            gate.append([event(id, ExecutionStart::new().session_id(session))]);
        }
        for round in 0..3 {
            gate.append(ids.iter().enumerate().map(|(index, id)| step(id, &format!("{index}.{round}"))));
        }
        let one = read_all(log, Scope::Execution(ids[2].clone()));
        assert_eq!(names(&one), ["data-execution-start", "2.0", "2.1", "2.2"]);
        let red = read_all(log, Scope::Session("red".into()));
        let start = "data-execution-start";
        assert_eq!(names(&red), [start, start, "0.0", "2.0", "0.1", "2.1", "0.2", "2.2"]);
        let rest = read(log, Query::new(Scope::Session("blue".into()), 9, 3));
        assert_eq!(names(&rest.events), ["1.1", "3.1", "1.2"]);
        assert!(!rest.complete);
        for nobody in [Scope::Execution(ExecutionId::new()), Scope::Session("green".into())] {
            let page = read(log, Query::new(nobody, 0, 10));
            assert!(page.events.is_empty() && page.complete);
            assert_eq!(page.read_to, 16);
        }
    });
}

#[test]
fn a_page_is_cut_at_its_limit_and_the_next_goes_on_there() {
    of_each_log(|log| {
        let id = ExecutionId::new();
        Gate::new(log).append(steps(&id, 0..10));
        for scope in [Scope::Everything, Scope::Execution(id.clone())] {
            let (mut query, mut seen) = (Query::new(scope, 0, 4), Vec::new());
            let mut cuts = Vec::new();
            loop {
                let page = read(log, query.clone());
                seen.extend(names(&page.events));
                cuts.push(page.read_to);
                if page.complete {
                    break;
                }
                query.after = page.read_to;
            }
            assert_eq!(seen, (0..10).map(|name| name.to_string()).collect::<Vec<_>>());
            assert_eq!(cuts, [4, 8, 10]);
        }
        let none = read(log, Query::new(Scope::Everything, 3, 0));
        assert!(none.events.is_empty() && !none.complete);
        assert_eq!(none.read_to, 3);
        let whole = read(log, Query::new(Scope::Everything, 0, 10));
        assert!(whole.complete, "a page that holds all is complete, though it is full");
    });
}

#[test]
fn a_place_past_the_end_is_an_empty_page() {
    of_each_log(|log| {
        Gate::new(log).append(steps(&ExecutionId::new(), 0..3));
        for after in [3, 4, i64::MAX as u64, i64::MAX as u64 + 1, u64::MAX] {
            let page = read(log, Query::new(Scope::Everything, after, usize::MAX));
            assert!(page.events.is_empty() && page.complete);
            assert_eq!(page.read_to, after);
        }
    });
}

#[test]
fn pieces_count_but_are_not_kept() {
    of_each_log(|log| {
        let id = ExecutionId::new();
        let mut gate = Gate::new(log);
        let piece = || event(&id, TextDelta::new("t", "piece"));
        gate.append([event(&id, TextStart::new("t")), piece(), piece(), step(&id, "kept"), piece()]);
        gate.append([piece()]);
        let page = read(log, Query::new(Scope::Everything, 0, 10));
        assert_eq!(page.events.iter().map(|one| (one.sequence, one.pieces)).collect::<Vec<_>>(), [(1, 0), (2, 2)]);
        assert_eq!(page.events[1].cursor.offset, 4);
        assert_eq!(page.read_to, 6, "nothing more is to come up to the last piece");
    });
}

#[test]
fn a_kind_of_another_version_comes_back_as_it_was() {
    of_each_log(|log| {
        let id = ExecutionId::new();
        let read_one = |text: &str| {
            let event = StreamEvent::from_json(text).expect("event");
            event.of_execution(id.clone()).at(at(0))
        };
        let events = [
            read_one(r#"{"type":"data-from-2031","depth":3,"inner":{"type":"x"}}"#),
            read_one(r#"{"type":"data-bare"}"#),
            read_one(r#"{"type":"odd \"tag\"","a":"b"}"#),
            read_one(r#"{"type":"data-from-2031","depth":4}"#),
        ];
        Gate::new(log).append(events.clone());
        let kept = read_all(log, Scope::Everything);
        assert!(kept.iter().all(|event| event.kind == Kind::Unknown));
        assert_eq!(kept.iter().map(|event| event.to_stream().expect("event")).collect::<Vec<_>>(), events);
    });
}

#[test]
fn executions_are_listed_the_newest_first_with_how_far_they_are() {
    of_each_log(|log| {
        let (old, new) = (ExecutionId::new(), ExecutionId::new());
        let mut gate = Gate::new(log);
        gate.append([
            event(&new, ExecutionStart::new().name("new").session_id("s").tenant_id("t").user_id("u")).at(at(10))
        ]);
        gate.append([event(&old, ExecutionStart::new().name("old")).at(at(5))]);
        gate.append([event(&old, ExecutionPaused::new("a person")).at(at(20))]);
        gate.append([step(&new, "only"), event(&new, ExecutionEnd::new(40)).at(at(50))]);
        let rows = log.executions(ExecutionsQuery::newest(10)).wait(LIMIT).expect("rows");
        assert_eq!(
            rows.iter().map(|row| row.name.clone()).collect::<Vec<_>>(),
            [Some("new".into()), Some("old".into())]
        );
        let row = &rows[0];
        assert_eq!((row.status, row.events, row.cursor.offset), (Status::Completed, 3, 5));
        assert_eq!((row.started_at, row.ended_at), (at(10), Some(at(50))));
        assert_eq!(
            [&row.session_id, &row.tenant_id, &row.user_id],
            [&Some("s".into()), &Some("t".into()), &Some("u".into())]
        );
        assert_eq!((rows[1].status, rows[1].ended_at), (Status::Paused, None));
        assert_eq!(log.execution(new).wait(LIMIT).expect("row").as_ref(), Some(row));
        assert_eq!(log.executions(ExecutionsQuery::newest(1)).wait(LIMIT).expect("rows").len(), 1);
        assert_eq!(log.execution(ExecutionId::new()).wait(LIMIT).expect("none"), None);
    });
}

#[test]
fn a_closed_log_says_so() {
    of_each_log(|log| {
        let mut gate = Gate::new(log);
        gate.append(steps(&ExecutionId::new(), 0..3));
        log.close().wait(LIMIT).expect("close");
        let id = ExecutionId::new();
        let batch = Arc::new(Batch::new(gate.next, vec![Recorded::new(step(&id, "late"), 1, 0, true)]));
        assert!(log.append(batch).wait(LIMIT).expect_err("closed").is_closed());
        assert!(log.flush().wait(LIMIT).expect_err("closed").is_closed());
        assert!(log.read(Query::new(Scope::Everything, 0, 1)).wait(LIMIT).expect_err("closed").is_closed());
        assert!(log.executions(ExecutionsQuery::newest(1)).wait(LIMIT).expect_err("closed").is_closed());
        assert!(log.close().wait(LIMIT).expect_err("closed").is_closed());
    });
}

#[test]
fn readers_see_a_whole_prefix_while_it_is_written() {
    of_each_log(|log| {
        let ids: Vec<_> = (0..5).map(|_| ExecutionId::new()).collect();
        thread::scope(|scope| {
            for (reader, id) in ids.iter().enumerate() {
                let place = if reader == 0 { Scope::Everything } else { Scope::Execution(id.clone()) };
                let wanted = if reader == 0 { 4000 } else { 800 };
                scope.spawn(move || follow(log, place, wanted));
            }
            let mut gate = Gate::new(log);
            for round in 0..200 {
                let batch = gate.batch(ids.iter().flat_map(|id| steps(id, round * 4..round * 4 + 4)));
                drop(log.append(batch));
            }
            log.flush().wait(LIMIT).expect("flush");
        });
    });
}

/// Reads on until it has `wanted` events; each execution's are whole and in order at any time.
fn follow(log: &dyn EventLog, scope: Scope, wanted: usize) {
    let mut sequences = std::collections::HashMap::new();
    let (mut query, mut seen) = (Query::new(scope, 0, 64), 0);
    while seen < wanted {
        let page = read(log, query.clone());
        for event in &page.events {
            let last: &mut u64 = sequences.entry(event.context.execution_id.clone()).or_default();
            assert_eq!(event.sequence, *last + 1);
            *last = event.sequence;
            assert!(event.cursor.offset > query.after && event.cursor.offset <= page.read_to);
        }
        seen += page.events.len();
        query.after = page.read_to;
    }
}

#[test]
fn a_tenant_that_is_told_late_is_known_to_readers_at_once() {
    of_each_log(|log| {
        let id = ExecutionId::new();
        let mut gate = Gate::new(log);
        gate.append([step(&id, "early")]);
        assert_eq!(read_all(log, Scope::Everything)[0].context.tenant_id, None);
        gate.append([event(&id, ExecutionStart::new().tenant_id("acme")), step(&id, "late")]);
        assert_eq!(read_all(log, Scope::Everything)[2].context.tenant_id, Some("acme".into()));
    });
}
