//! Real input: what goes in at one end comes out at every other, whole and in order, run by run.

use crate::{http, runs, scratch::Scratch, shared};
use spanwright::{
    ContentLevel, ContentPolicy, EventEmitter, ExecutionId, Recorder, StreamEvent,
    event::Class,
    hub::HubLimits,
    log::{Query, Scope, SqliteLog},
    serve::Server,
};
use std::{thread, time::Duration};

const SOON: Duration = Duration::from_secs(60);

/// What was emitted, as it must come out: with its execution and without the time, which nobody chose.
fn expected(run: &[StreamEvent], id: &ExecutionId) -> Vec<StreamEvent> {
    run.iter().map(|event| event.clone().of_execution(id.clone())).collect()
}

fn timeless(mut event: StreamEvent) -> StreamEvent {
    assert!(event.time.take().is_some());
    event
}

fn without_pieces(events: &[StreamEvent]) -> Vec<StreamEvent> {
    events.iter().filter(|event| event.class() != Class::Bulk).cloned().collect()
}

/// All runs at once, from four threads.
fn emit(runs: &[Vec<StreamEvent>], emitters: &[EventEmitter]) {
    thread::scope(|scope| {
        for (runs, emitters) in runs.chunks(25).zip(emitters.chunks(25)) {
            scope.spawn(move || runs.iter().zip(emitters).for_each(|(run, emitter)| runs::emit(run, emitter)));
        }
    });
}

#[test]
fn a_hundred_real_runs_from_four_threads_come_out_of_log_and_stream_as_they_went_in() {
    let Some(text) = shared::read("data/airline-runs.jsonl") else { return };
    let runs = runs::read(&text);
    assert_eq!(runs.len(), 100);
    let scratch = Scratch::new();
    let log = SqliteLog::open(scratch.file("runs.db")).expect("log");
    // Room for all of it: that a slow machine's reader falls behind and is told so is another test's matter.
    let room = HubLimits::new(1_000_000, 1 << 30);
    // Everything comes out as it went in: that addresses in it are masked is another test's matter too.
    let policy = ContentPolicy::new(ContentLevel::Full).max_text_bytes(1 << 20).max_json_bytes(1 << 20);
    let recorder = Recorder::builder().log(log).hub(room).content(policy).start().expect("start");
    let server = Server::spawn(recorder.clone(), "127.0.0.1:0").expect("server");
    let emitters: Vec<_> = runs.iter().map(|_| recorder.emitter()).collect();
    let mut everything = http::get(server.addr(), "/stream");
    assert_eq!(everything.event().expect("connected").event(), "data-connected");
    let live = thread::spawn(move || everything.events());
    emit(&runs, &emitters);
    recorder.flush().wait(SOON).expect("flush");
    for (run, emitter) in runs.iter().zip(&emitters) {
        let expected = expected(run, emitter.execution_id());
        assert_eq!(logged(&recorder, emitter), without_pieces(&expected));
        assert_eq!(without_pieces(&replayed(&server, emitter)), without_pieces(&expected));
    }
    let stats = recorder.stats();
    assert_eq!((stats.shed(), stats.unlogged), (0, 0));
    recorder.shutdown(SOON).expect("shutdown");
    let streamed = by_run(&live.join().expect("reader"), &emitters);
    for ((run, emitter), streamed) in runs.iter().zip(&emitters).zip(streamed) {
        let expected = expected(run, emitter.execution_id());
        match stats.merged {
            0 => assert_eq!(streamed, expected),
            // Under pressure pieces may have become one: nothing else may differ.
            _ => assert_eq!(without_pieces(&streamed), without_pieces(&expected)),
        }
    }
}

fn logged(recorder: &Recorder, emitter: &EventEmitter) -> Vec<StreamEvent> {
    let query = Query::new(Scope::Execution(emitter.execution_id().clone()), 0, 100_000);
    let page = recorder.log().expect("log").read(query).wait(SOON).expect("read");
    assert!(page.events.iter().map(|event| event.sequence).eq(1..=page.events.len() as u64));
    page.events.iter().map(|event| timeless(event.to_stream().expect("decodes"))).collect()
}

/// What a client gets that comes when all is over. Each event of it is of this run.
fn replayed(server: &spanwright::serve::ServerHandle, emitter: &EventEmitter) -> Vec<StreamEvent> {
    let mut stream = http::get(server.addr(), &format!("/executions/{}/stream", emitter.execution_id()));
    let mut events = Vec::new();
    while let Some(frame) = stream.event() {
        if frame.event() != "data-connected" {
            events.push(timeless(frame.data()));
        }
        if frame.event() == "data-execution-end" {
            break;
        }
    }
    events
}

/// The frames' events, by execution.
fn by_run(frames: &[http::Frame], emitters: &[EventEmitter]) -> Vec<Vec<StreamEvent>> {
    let mut by_run = vec![Vec::new(); emitters.len()];
    for frame in frames {
        let event = timeless(frame.data());
        let id = event.execution_id.as_ref().expect("execution");
        let run = emitters.iter().position(|emitter| emitter.execution_id() == id).expect("a run of ours");
        by_run[run].push(event);
    }
    by_run
}
