//! Dialects that need nothing but the event: hub, memory and operations. And the server that speaks all of them.

use super::cursor;
use crate::http;
use expect_test::expect;
use spanwright::{
    Json, Recorder, StreamEvent, Timestamp,
    event::{
        Body, ExecutionEnd, ExecutionStart, MemoryOperation, MemoryRecalled, MemoryStored, MemoryType, MemoryUpdated,
        Note, OperationProgress, ProgressStatus, SessionStarted,
    },
    serve::Server,
    wire::Dialect,
};
use std::time::Duration;

/// What a server says in a dialect of a run that is over, without what differs from run to run.
fn served(dialect: Dialect, bodies: Vec<Body>) -> String {
    let recorder = Recorder::builder().start().expect("start");
    let server = Server::spawn(recorder.clone(), "127.0.0.1:0").expect("server");
    let emitter = recorder.emitter().for_execution(super::id());
    let at = Timestamp::from_unix_millis(1_700_000_000_123).expect("time");
    for body in bodies {
        emitter.emit(StreamEvent::new(body).at(at));
    }
    recorder.settle().wait(Duration::from_secs(60)).expect("settle");
    let path = format!("/executions/{}/stream?dialect={}", super::id(), dialect.as_str());
    let text = http::get(server.addr(), &path).text();
    let epoch = recorder.hub().newest().to_string();
    let epoch = epoch.split('-').next().expect("epoch");
    let mut text = text.replace(epoch, "<epoch>");
    if let Some(rest) = text.strip_prefix("retry: ").and_then(|rest| rest.split_once('\n')) {
        text = rest.1.to_owned();
    }
    without_time_of_the_first(&text)
}

fn without_time_of_the_first(text: &str) -> String {
    let (first, rest) = text.split_once("\n\n").expect("frames");
    let (before, time) = first.split_once("\"timestamp\":").expect("time");
    let after = time.trim_start_matches(|c: char| c.is_ascii_digit());
    assert_eq!(time.len() - after.len(), 13, "in ms");
    format!("{before}\"timestamp\":<now>{after}\n\n{rest}")
}

fn run(inner: Vec<Body>) -> Vec<Body> {
    let (start, end): (Body, Body) = (ExecutionStart::new().into(), ExecutionEnd::new(3).into());
    [vec![start], inner, vec![end]].concat()
}

#[test]
fn the_hub_wraps_each_event_and_names_its_session() {
    let text = served(Dialect::Hub, run(vec![Note::new("seen", Json::of(&"x\ny")).into()]));
    expect![[r#"
        event: connected
        data: {"id":"<epoch>-0","type":"connected","payload":{"type":"data-connected","cursor":"<epoch>-0","timestamp":<now>}}
        id: <epoch>-0

        event: execution_start
        data: {"id":"<epoch>-1","type":"execution_start","session":"exec_00000000000000000000000000001a2b","payload":{"type":"data-execution-start","execution_id":"exec_00000000000000000000000000001a2b","timestamp":1700000000123}}
        id: <epoch>-1

        event: note
        data: {"id":"<epoch>-2","type":"note","session":"exec_00000000000000000000000000001a2b","payload":{"type":"data-note","execution_id":"exec_00000000000000000000000000001a2b","name":"seen","value":"x\ny","timestamp":1700000000123}}
        id: <epoch>-2

        event: execution_end
        data: {"id":"<epoch>-3","type":"execution_end","session":"exec_00000000000000000000000000001a2b","payload":{"type":"data-execution-end","execution_id":"exec_00000000000000000000000000001a2b","duration_ms":3,"timestamp":1700000000123}}
        id: <epoch>-3

    "#]].assert_eq(&text);
}

#[test]
fn memory_and_operations_are_told_and_the_rest_only_moves_the_place_to_resume_from() {
    let inner = vec![
        SessionStarted::new("s1").into(),
        MemoryStored::new(MemoryType::Semantic).record_id("m1").session_id("s1").into(),
        MemoryRecalled::new("rust", 2, 5).into(),
        MemoryUpdated::new(MemoryOperation::Forgotten).record_id("m1").into(),
        OperationProgress::new("op1", "reindex", 50, ProgressStatus::Running).total(200_u64).message("half").into(),
        OperationProgress::new("job1", "job.compact", 1, ProgressStatus::Completed).into(),
        Note::new("vectors_mutated", Json::of(&serde_json::json!({"namespace": "n", "op": "upserted", "count": 128})))
            .into(),
        Note::new("other", Json::of(&1)).into(),
    ];
    expect![[r#"
        event: connected
        data: {"type":"connected","timestamp":<now>}
        id: <epoch>-0

        event: session_started
        data: {"event_type":"session_started","agent_id":"exec_00000000000000000000000000001a2b","timestamp":1700000000123,"session_id":"s1"}
        id: <epoch>-2

        event: stored
        data: {"event_type":"stored","agent_id":"exec_00000000000000000000000000001a2b","timestamp":1700000000123,"memory_id":"m1","session_id":"s1","memory_type":"semantic"}
        id: <epoch>-3

        event: recalled
        data: {"event_type":"recalled","agent_id":"exec_00000000000000000000000000001a2b","timestamp":1700000000123,"query":"rust","count":2}
        id: <epoch>-4

        event: forgotten
        data: {"event_type":"forgotten","agent_id":"exec_00000000000000000000000000001a2b","timestamp":1700000000123,"memory_id":"m1"}
        id: <epoch>-5

        event: operation_progress
        data: {"type":"operation_progress","operation_id":"op1","op_type":"reindex","progress":25,"status":"running","message":"half","updated_at":1700000000123}
        id: <epoch>-6

        event: job_progress
        data: {"type":"job_progress","job_id":"job1","job_type":"compact","progress":100,"status":"completed"}
        id: <epoch>-7

        event: vectors_mutated
        data: {"namespace":"n","op":"upserted","count":128,"type":"vectors_mutated"}
        id: <epoch>-8

        id: <epoch>-10

    "#]].assert_eq(&served(Dialect::Memory, run(inner)));
}

#[test]
fn what_was_lost_is_an_event_in_every_dialect_that_tells_all() {
    let told = |dialect: Dialect| {
        let recorder = Recorder::builder().start().expect("start");
        let server = Server::spawn(recorder, "127.0.0.1:0").expect("server");
        // A cursor of another epoch leads nowhere, and that is told first.
        let path = format!("/executions/{}/stream?dialect={}&after={}", super::id(), dialect.as_str(), cursor(7));
        let mut stream = http::get(server.addr(), &path);
        assert_eq!(stream.event().expect("connected").event(), "connected");
        stream.event().expect("gap").0
    };
    assert!(told(Dialect::Hub).starts_with("event: lost\n"));
    assert!(told(Dialect::Memory).contains("\"type\":\"stream_lagged\""));
}

#[test]
fn a_dialect_that_tells_one_run_is_refused_for_streams_of_many_and_an_unknown_one_everywhere() {
    let recorder = Recorder::builder().start().expect("start");
    let server = Server::spawn(recorder, "127.0.0.1:0").expect("server");
    for dialect in Dialect::ALL {
        let reply = http::get(server.addr(), &format!("/stream?dialect={}", dialect.as_str()));
        assert_eq!(reply.status, if dialect.is_per_event() { 200 } else { 400 }, "{}", dialect.as_str());
    }
    assert_eq!(http::get(server.addr(), "/stream?dialect=latin").status, 400);
}

#[test]
fn a_turn_after_whose_end_something_was_recorded_still_tells_its_readers_to_stay_away() {
    let recorder = Recorder::builder().start().expect("start");
    let server = Server::spawn(recorder.clone(), "127.0.0.1:0").expect("server");
    let emitter = recorder.emitter().for_execution(super::id());
    run(Vec::new()).into_iter().for_each(|body| emitter.emit(StreamEvent::new(body)));
    emitter.emit(Note::new("rating", Json::text("good")));
    recorder.settle().wait(Duration::from_secs(60)).expect("settle");
    let path = format!("/executions/{}/stream?dialect=chat", super::id());
    let whole = http::get(server.addr(), &path).text();
    let ids: Vec<_> = whole.lines().filter_map(|line| line.strip_prefix("id: ")).collect();
    let [.., done, last] = ids[..] else { panic!("{whole}") };
    let again = |id| http::get_with(server.addr(), &path, &[("Last-Event-ID", id)]);
    assert_eq!(again(done).text(), format!(": connected\n\nid: {last}\n\n"), "{whole}");
    assert_eq!(again(last).status, 204);
}
