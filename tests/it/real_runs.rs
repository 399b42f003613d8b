//! Real input: what goes in at one end comes out at every other, whole and in order, run by run.

use crate::{runs, shared};
use spanwright::{
    ExecutionId, Recorder, StreamEvent,
    event::Class,
    hub::{Filter, From},
    log::{MemoryLog, Query, Scope},
};
use std::{thread, time::Duration};

const SOON: Duration = Duration::from_secs(30);

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

#[test]
fn a_hundred_real_runs_from_four_threads_come_out_of_log_and_stream_as_they_went_in() {
    let Some(text) = shared::read("data/airline-runs.jsonl") else { return };
    let runs = runs::read(&text);
    assert_eq!(runs.len(), 100);
    let recorder = Recorder::builder().log(MemoryLog::new()).start().expect("start");
    let emitters: Vec<_> = runs.iter().map(|_| recorder.emitter()).collect();
    let mut frames = recorder.hub().subscribe_frames(Filter::everything(), From::Live);
    let reader = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("runtime");
        runtime.block_on(async {
            let mut text = String::new();
            while let Some(bytes) = std::future::poll_fn(|cx| futures_core::Stream::poll_next(std::pin::Pin::new(&mut frames), cx)).await {
                text.push_str(std::str::from_utf8(&bytes).expect("UTF-8"));
            }
            text
        })
    });
    thread::scope(|scope| {
        for (runs, emitters) in runs.chunks(25).zip(emitters.chunks(25)) {
            scope.spawn(move || runs.iter().zip(emitters).for_each(|(run, emitter)| runs::emit(run, emitter)));
        }
    });
    recorder.flush().wait(SOON).expect("flush");
    for (run, emitter) in runs.iter().zip(&emitters) {
        let id = emitter.execution_id();
        let query = Query::new(Scope::Execution(id.clone()), 0, 100_000);
        let page = recorder.log().expect("log").read(query).wait(SOON).expect("read");
        let kept: Vec<_> = page.events.iter().map(|event| timeless(event.to_stream().expect("decodes"))).collect();
        assert_eq!(kept, without_pieces(&expected(run, id)));
        assert!(page.events.iter().map(|event| event.sequence).eq(1..=kept.len() as u64));
    }
    let stats = recorder.stats();
    recorder.shutdown(SOON).expect("shutdown");
    let streamed = streamed_by_run(&reader.join().expect("reader"), &emitters);
    assert_eq!((stats.shed(), stats.unlogged), (0, 0));
    for ((run, emitter), streamed) in runs.iter().zip(&emitters).zip(streamed) {
        let expected = expected(run, emitter.execution_id());
        match stats.merged {
            0 => assert_eq!(streamed, expected),
            // Under pressure pieces may have become one: nothing else may differ.
            _ => assert_eq!(without_pieces(&streamed), without_pieces(&expected)),
        }
    }
}

/// The events of an SSE text, by execution.
fn streamed_by_run(text: &str, emitters: &[spanwright::EventEmitter]) -> Vec<Vec<StreamEvent>> {
    let mut by_run = vec![Vec::new(); emitters.len()];
    for line in text.lines().filter_map(|line| line.strip_prefix("data: ")) {
        let event = timeless(StreamEvent::from_json(line).expect(line));
        let id = event.execution_id.as_ref().expect("execution");
        let run = emitters.iter().position(|emitter| emitter.execution_id() == id).expect("a run of ours");
        by_run[run].push(event);
    }
    by_run
}
