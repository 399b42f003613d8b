//! The gate: order, loss, modes, flush, shutdown, on every kind of runtime and none.

use spanwright::{
    EventEmitter, QueueLimits, Recorder, StreamEvent,
    event::{
        Body, Class, ExecutionEnd, ExecutionPaused, ExecutionStart, Kind, StepEnd, StepStart, StepType, StreamLagged,
        StreamMode, TextDelta, TextEnd, TextStart, ToolInputDelta,
    },
    hub::{EventStream, Filter, From, HubLimits, Received},
    log::{MemoryLog, Query, Scope},
};
use std::{collections::HashMap, thread, time::Duration};

const SOON: Duration = Duration::from_secs(60);

fn emitter() -> EventEmitter {
    EventEmitter::new().expect("a thread")
}

fn kinds(events: &[StreamEvent]) -> Vec<Kind> {
    events.iter().map(StreamEvent::kind).collect()
}

#[test]
fn what_is_emitted_is_drained_in_order_with_its_place_and_time() {
    let emitter = emitter();
    emitter.emit(TextStart::new("t1"));
    emitter.emit(TextDelta::new("t1", "Hello "));
    emitter.emit(TextDelta::new("t1", "you"));
    emitter.emit(TextEnd::new("t1"));
    let events = emitter.drain();
    assert_eq!(kinds(&events), [Kind::TextStart, Kind::TextDelta, Kind::TextDelta, Kind::TextEnd]);
    for event in &events {
        assert_eq!(event.execution_id.as_ref(), Some(emitter.execution_id()));
        assert!(event.time.is_some());
    }
    let Body::TextEnd(end) = &events[3].body else { panic!("kind") };
    assert_eq!(end.final_text.as_deref(), Some("Hello you"), "the end of a text has the whole of it");
    assert!(emitter.drain().is_empty());
}

#[test]
fn the_mode_of_an_emitter_decides_what_is_shown() {
    let shown = |mode| {
        let emitter = EventEmitter::with_mode(mode).expect("a thread");
        emitter.emit(StepStart::new(StepType::FunctionNode, "a"));
        emitter.emit(TextDelta::new("t", "x "));
        emitter.emit(ExecutionPaused::new("approval"));
        emitter.drain().len()
    };
    assert_eq!(StreamMode::ALL.map(shown), [3, 2, 1, 0]);
}

#[test]
fn a_changed_mode_holds_from_the_next_event_on_and_force_passes_it() {
    let emitter = emitter();
    emitter.set_mode(StreamMode::Silent);
    emitter.emit(ExecutionPaused::new("hidden"));
    emitter.emit_force(ExecutionPaused::new("forced"));
    emitter.set_mode(StreamMode::Full);
    emitter.emit(ExecutionPaused::new("shown"));
    let reasons: Vec<_> = emitter.drain().iter().map(|event| event.to_json()).collect();
    assert_eq!(reasons.len(), 2);
    assert!(reasons[0].contains("forced") && reasons[1].contains("shown"));
}

#[test]
fn a_silent_emitter_is_still_audited_and_its_texts_are_kept_whole() {
    let recorder = Recorder::builder().log(MemoryLog::new()).start().expect("start");
    let emitter = recorder.emitter();
    emitter.set_mode(StreamMode::Silent);
    emitter.emit(TextStart::new("t"));
    emitter.emit(TextDelta::new("t", "secretly"));
    emitter.emit(TextEnd::new("t"));
    recorder.flush().wait(SOON).expect("flush");
    assert!(emitter.drain().is_empty());
    let page = recorder.log().expect("log").read(Query::new(Scope::Everything, 0, 10)).wait(SOON).expect("read");
    assert_eq!(page.events.len(), 2);
    assert!(page.events[1].fields.contains("secretly"));
    assert_eq!(page.events.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 2]);
    // Who reads on in the log is shown no more than who watched.
    let mut again = recorder.subscribe(Filter::everything(), From::Start);
    assert_eq!(again.try_next(), None);
}

#[test]
fn an_event_that_nobody_wants_is_never_made() {
    let recorder = Recorder::builder().without_hub().start().expect("start");
    let emitter = recorder.emitter();
    emitter.emit_with(Class::Bulk, || -> StreamEvent { unreachable!("nobody wants it") });
    assert!(!emitter.wants(Class::Control));
}

#[test]
fn a_million_events_from_eight_threads_arrive_all_and_in_the_order_of_each() {
    const EACH: u64 = 125_000;
    let log = Recorder::builder().log(MemoryLog::new()).queue(QueueLimits::new(2_000_000, 1 << 30));
    let recorder = log.start().expect("start");
    thread::scope(|scope| {
        for _ in 0..8 {
            let emitter = recorder.emitter();
            scope.spawn(move || (0..EACH).for_each(|n| emitter.emit(StepEnd::new(n))));
        }
    });
    recorder.flush().wait(Duration::from_secs(60)).expect("flush");
    let stats = recorder.stats();
    assert_eq!((stats.recorded, stats.shed(), stats.merged), (8 * EACH, 0, 0));
    let mut next: HashMap<_, u64> = HashMap::new();
    let mut after = 0;
    loop {
        let read = recorder.log().expect("log").read(Query::new(Scope::Everything, after, 10_000));
        let page = read.wait(SOON).expect("read");
        for event in &page.events {
            assert_eq!(event.cursor.offset, after + 1, "offsets are contiguous");
            after = event.cursor.offset;
            let expected = next.entry(event.context.execution_id.clone()).or_default();
            assert_eq!(event.fields, format!("{{\"duration_ms\":{expected}}}"));
            *expected += 1;
            assert_eq!(event.sequence, *expected, "sequences are contiguous");
        }
        if page.complete {
            break;
        }
    }
    assert_eq!(after, 8 * EACH);
}

#[test]
fn under_pressure_pieces_merge_and_structural_events_stay() {
    let recorder = Recorder::builder().queue(QueueLimits::new(64, 1 << 20)).start().expect("start");
    let emitter = recorder.emitter();
    for n in 0..40_u64 {
        for _ in 0..50 {
            emitter.emit(TextDelta::new("t", "ab"));
        }
        emitter.emit(ToolInputDelta::new("c", "{}"));
        if n % 20 == 0 {
            emitter.emit(StepEnd::new(n));
        }
    }
    let events = emitter.drain();
    let text: usize =
        events.iter().map(|event| if let Body::TextDelta(d) = &event.body { d.delta.len() } else { 0 }).sum();
    let stats = recorder.stats();
    let told: u64 =
        events.iter().map(|event| if let Body::StreamLagged(l) = &event.body { l.dropped } else { 0 }).sum();
    assert_eq!(told, stats.shed(), "what was shed is told in the stream");
    assert!(text <= 40 * 50 * 2);
    assert_eq!(stats.shed_structural + stats.shed_control, 0, "{stats:?}");
    assert_eq!(
        stats.recorded - events.iter().filter(|event| event.kind() == Kind::StreamLagged).count() as u64
            + stats.merged
            + stats.withheld
            + stats.shed(),
        40 * 51 + 2,
        "each event is counted once: {stats:?}"
    );
}

#[test]
fn control_events_have_a_reserve_when_everything_else_is_shed() {
    let recorder = Recorder::builder().queue(QueueLimits::new(16, 1 << 20)).start().expect("start");
    let emitter = recorder.emitter();
    // More than the queue holds, faster than any thread can take it.
    for n in 0..200_000 {
        emitter.emit(StepEnd::new(n));
    }
    emitter.emit(ExecutionPaused::new("approval"));
    recorder.settle().wait(SOON).expect("settle");
    let stats = recorder.stats();
    assert_eq!(stats.shed_control, 0, "{stats:?}");
}

#[test]
fn after_shutdown_nothing_is_taken_and_it_is_counted() {
    let recorder = Recorder::builder().start().expect("start");
    let emitter = recorder.emitter();
    emitter.emit(StepEnd::new(1_u64));
    recorder.shutdown(SOON).expect("shutdown");
    emitter.emit(StepEnd::new(2_u64));
    assert_eq!((recorder.stats().recorded, recorder.stats().refused), (1, 1));
    assert!(recorder.flush().wait(SOON).expect_err("closed").is_closed());
    recorder.shutdown(SOON).expect("a second time there is nothing to do");
    assert_eq!(emitter.drain().len(), 1, "what was shown before is still there");
}

#[test]
fn a_stream_ends_when_the_recorder_has_shut_down() {
    let recorder = Recorder::builder().start().expect("start");
    let mut stream = recorder.subscribe(Filter::everything(), From::Live);
    recorder.emitter().emit(StepEnd::new(1_u64));
    recorder.shutdown(SOON).expect("shutdown");
    assert!(stream.recv_timeout(SOON).event().is_some());
    assert_eq!(stream.recv_timeout(SOON), Received::Ended);
}

#[test]
fn it_works_on_a_current_thread_runtime_and_flush_can_be_awaited_there() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("runtime");
    runtime.block_on(async {
        let recorder = Recorder::builder().log(MemoryLog::new()).start().expect("start");
        let emitter = recorder.emitter();
        emitter.emit(ExecutionStart::new().name("a"));
        let cursor = emitter.emit_durable(ExecutionEnd::new(1_u64)).await.expect("durable");
        assert_eq!(cursor.offset, 2);
        recorder.shutdown(SOON).expect("shutdown");
    });
}

#[test]
fn it_works_on_a_multi_thread_runtime_that_goes_away_under_it() {
    let recorder = Recorder::builder().log(MemoryLog::new()).start().expect("start");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("runtime");
    for _ in 0..100 {
        let emitter = recorder.emitter();
        runtime.spawn(async move { emitter.emit(ExecutionStart::new()) });
    }
    runtime.shutdown_timeout(SOON);
    recorder.flush().wait(SOON).expect("flush");
    recorder.shutdown(SOON).expect("shutdown");
}

#[test]
fn dropping_the_last_handle_ends_the_thread_and_loses_nothing() {
    let recorder = Recorder::builder().log(MemoryLog::new()).start().expect("start");
    let log = recorder.log().expect("log").clone();
    let emitter = recorder.emitter();
    drop(recorder);
    (0..1000).for_each(|n| emitter.emit(StepEnd::new(n)));
    drop(emitter);
    assert!(log.flush().wait(SOON).expect_err("closed").is_closed());
}

#[test]
fn a_queue_too_small_to_be_one_is_refused_with_what_is_accepted() {
    let error = Recorder::builder().queue(QueueLimits::new(3, 10)).start().expect_err("too small");
    assert!(error.is_config() && error.to_string().contains("16"), "{error}");
}

#[test]
fn a_reader_that_falls_behind_is_told_how_much_it_lost() {
    let recorder = Recorder::builder().hub(HubLimits::new(100, 1 << 20)).start().expect("start");
    let mut stream = recorder.subscribe(Filter::everything(), From::Live);
    let emitter = recorder.emitter();
    for n in 0..10_000 {
        emitter.emit(StepEnd::new(n));
        if n % 100 == 0 {
            recorder.settle().wait(SOON).expect("settle");
        }
    }
    recorder.settle().wait(SOON).expect("settle");
    let seen: Vec<_> = std::iter::from_fn(|| stream.try_next()).collect();
    assert_eq!(seen[0].kind(), Kind::StreamGap);
    let counts = stream.counts();
    assert_eq!(counts.delivered + counts.dropped + counts.filtered, 10_000);
    assert_eq!((counts.delivered, counts.filtered), (seen.len() as u64 - 1, 0));
}

#[test]
fn a_reader_that_falls_behind_reads_on_in_the_log_and_only_pieces_are_gone() {
    let log = Recorder::builder().log(MemoryLog::new()).hub(HubLimits::new(100, 1 << 20));
    let recorder = log.start().expect("start");
    let emitter = recorder.emitter();
    let mut stream = recorder.subscribe(Filter::of(Scope::Execution(emitter.execution_id().clone())), From::Live);
    let other = recorder.emitter();
    emitter.emit(TextStart::new("t"));
    for n in 0..3_000 {
        emitter.emit(TextDelta::new("t", "x "));
        other.emit(TextDelta::new("t", "y "));
        if n % 10 == 0 {
            emitter.emit(StepEnd::new(n));
            recorder.settle().wait(SOON).expect("settle");
        }
    }
    emitter.emit(TextEnd::new("t"));
    recorder.settle().wait(SOON).expect("settle");
    let seen: Vec<_> = std::iter::from_fn(|| stream.try_next()).collect();
    let count = |kind| seen.iter().filter(|event| event.kind() == kind).count() as u64;
    assert_eq!((count(Kind::TextStart), count(Kind::StepEnd), count(Kind::TextEnd)), (1, 300, 1));
    assert_eq!(count(Kind::StreamGap), 0);
    let lagged: u64 = seen
        .iter()
        .map(|event| if let Body::StreamLagged(StreamLagged { dropped, .. }) = event.body { dropped } else { 0 })
        .sum();
    assert_eq!(lagged + count(Kind::TextDelta), 3_000, "its own pieces, and nobody else's");
    let counts = stream.counts();
    assert_eq!(counts.dropped, lagged);
    assert_eq!(counts.delivered + counts.dropped + counts.filtered, 6_302);
    assert!(seen.last().expect("end").to_json().contains(&"x ".repeat(3_000)), "the whole text stands at its end");
}

#[test]
fn a_session_shows_all_its_executions_live_and_from_the_record_and_no_others() {
    let recorder = Recorder::builder().log(MemoryLog::new()).hub(HubLimits::new(3, 1 << 20)).start().expect("start");
    let of_session = || Filter::of(Scope::Session("s1".into()));
    let mut live = recorder.subscribe(of_session(), From::Live);
    for (session, number) in [("s1", 1), ("s2", 2), ("s1", 3)] {
        let emitter = recorder.emitter();
        emitter.emit(ExecutionStart::new().session_id(session));
        emitter.emit(StepEnd::new(number));
        emitter.emit(ExecutionEnd::new(number));
        recorder.settle().wait(SOON).expect("settle");
    }
    let numbers = |stream: &mut EventStream| -> Vec<u64> {
        let events = std::iter::from_fn(|| stream.try_next());
        events
            .filter_map(|event| if let Body::StepEnd(end) = &event.body { Some(end.duration_ms) } else { None })
            .collect()
    };
    assert_eq!(numbers(&mut live), [1, 3]);
    assert_eq!(numbers(&mut recorder.subscribe(of_session(), From::Start)), [1, 3], "most of it out of the record");
}
