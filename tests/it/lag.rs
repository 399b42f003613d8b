//! Readers that fall behind: what they lose is counted and told, and they never think that they are where they are not.

use crate::{elsewhere::Elsewhere, hands_on::hands_on};
use futures_core::Stream;
use proptest::prelude::*;
use spanwright::{
    Cursor, EventEmitter, Pending, Recorder, StreamEvent,
    event::{Body, ExecutionEnd, Kind, StepEnd, StreamLagged, StreamMode, TextDelta, TextEnd, TextStart},
    hub::{EventStream, Filter, From, HubLimits, Received},
    log::{EventLog, MemoryLog, Page, Query, Scope, SqliteLog},
};
use std::{
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Wake, Waker},
    time::{Duration, Instant},
};

const SOON: Duration = Duration::from_secs(60);

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kept {
    Not,
    Here,
    Elsewhere,
}

fn recorder(ring: usize, kept: Kept) -> Recorder {
    let builder = Recorder::builder().hub(HubLimits::new(ring, 1 << 20));
    let builder = match kept {
        Kept::Not => builder,
        Kept::Here => builder.log(MemoryLog::new()),
        Kept::Elsewhere => builder.log(Elsewhere::new()),
    };
    builder.start().expect("start")
}

fn settle(recorder: &Recorder) {
    recorder.settle().wait(SOON).expect("settle");
}

/// One batch each.
fn pieces(emitter: &EventEmitter, count: usize) {
    for _ in 0..count {
        emitter.emit(TextDelta::new("t", "x "));
        settle(emitter.recorder());
    }
}

/// All up to the end; the recorder has shut down or the execution has.
fn rest(stream: &mut EventStream) -> Vec<StreamEvent> {
    let mut seen = Vec::new();
    while let Received::Event(event) = stream.recv_timeout(SOON) {
        let last = matches!(&event.body, Body::ExecutionEnd(_));
        seen.push(event);
        if last {
            break;
        }
    }
    seen
}

fn count(seen: &[StreamEvent], kind: Kind) -> u64 {
    seen.iter().filter(|event| event.kind() == kind).count() as u64
}

fn lagged(seen: &[StreamEvent]) -> u64 {
    let told = |event: &StreamEvent| {
        if let Body::StreamLagged(StreamLagged { dropped, .. }) = event.body { dropped } else { 0 }
    };
    seen.iter().map(told).sum()
}

fn one(emitter: &EventEmitter) -> Filter {
    Filter::of(Scope::Execution(emitter.execution_id().clone()))
}

#[test]
fn who_joins_amid_an_execution_and_falls_behind_before_its_first_look_is_told_exactly() {
    for kept in [Kept::Here, Kept::Elsewhere] {
        for before in [0, 3, 50] {
            let recorder = recorder(8, kept);
            let (emitter, other) = (recorder.emitter(), recorder.emitter());
            emitter.emit(TextStart::new("t"));
            pieces(&emitter, before);
            pieces(&other, 20);
            let mut own = recorder.subscribe(one(&emitter), From::Live);
            let mut all = recorder.subscribe(Filter::everything(), From::Live);
            for _ in 0..100 {
                pieces(&emitter, 1);
                pieces(&other, 1);
            }
            emitter.emit(TextEnd::new("t"));
            other.emit(TextEnd::new("t"));
            emitter.emit(ExecutionEnd::new(1_u64));
            settle(&recorder);
            let seen = rest(&mut own);
            assert_eq!(lagged(&seen) + count(&seen, Kind::TextDelta), 100, "{kept:?} {before}");
            assert_eq!((count(&seen, Kind::StreamGap), own.counts().dropped), (0, lagged(&seen)));
            let seen = rest(&mut all);
            assert_eq!(lagged(&seen) + count(&seen, Kind::TextDelta), 200, "{kept:?} {before}");
            assert_eq!((count(&seen, Kind::StreamGap), all.counts().filtered), (0, 0));
        }
    }
}

#[test]
fn who_comes_back_among_others_is_told_a_gap_where_nobody_can_count() {
    let recorder = recorder(8, Kept::Elsewhere);
    let (emitter, other) = (recorder.emitter(), recorder.emitter());
    emitter.emit(TextStart::new("t"));
    for _ in 0..20 {
        pieces(&emitter, 1);
        pieces(&other, 1);
    }
    emitter.emit(TextEnd::new("t"));
    emitter.emit(ExecutionEnd::new(1_u64));
    settle(&recorder);
    let epoch = recorder.hub().newest().epoch;
    let mut stream = recorder.subscribe(one(&emitter), From::After(Cursor::new(epoch, 12)));
    let seen = rest(&mut stream);
    assert_eq!(count(&seen, Kind::StreamGap), 1, "{seen:?}");
    let sure = lagged(&seen) + count(&seen, Kind::TextDelta);
    // It may have had one to eleven.
    assert!((9..=14).contains(&sure), "{sure}");
}

#[test]
fn from_the_start_all_pieces_that_are_gone_are_told() {
    for kept in [Kept::Here, Kept::Elsewhere] {
        let recorder = recorder(8, kept);
        let emitter = recorder.emitter();
        pieces(&emitter, 60);
        emitter.emit(ExecutionEnd::new(1_u64));
        settle(&recorder);
        for filter in [one(&emitter), Filter::everything()] {
            let mut stream = recorder.subscribe(filter, From::Start);
            let seen = rest(&mut stream);
            assert_eq!(lagged(&seen) + count(&seen, Kind::TextDelta), 60);
            assert_eq!(stream.counts().filtered, 0);
        }
    }
}

#[test]
fn the_cursor_of_a_stream_is_where_its_caller_is() {
    for (kept, ring) in [(Kept::Not, 1_000), (Kept::Elsewhere, 4)] {
        let recorder = recorder(ring, kept);
        let emitter = recorder.emitter();
        let mut stream = recorder.subscribe(one(&emitter), From::Live);
        for n in 0..40 {
            emitter.emit(StepEnd::new(n));
            if n % 10 == 9 {
                settle(&recorder);
            }
        }
        assert_eq!(stream.cursor().offset, 0);
        for n in 1..=40 {
            assert!(stream.recv_timeout(SOON).event().is_some());
            assert_eq!(stream.cursor().offset, n, "{kept:?}");
        }
    }
}

#[test]
fn what_belongs_to_no_execution_is_for_readers_of_everything() {
    let recorder = recorder(100, Kept::Not);
    let emitter = recorder.emitter();
    let mut own = recorder.subscribe(one(&emitter), From::Live);
    let mut all = recorder.subscribe(Filter::everything(), From::Live);
    recorder.emit(StepEnd::new(1_u64));
    recorder.emit(StreamLagged::new(3));
    emitter.emit(StepEnd::new(2_u64));
    recorder.shutdown(SOON).expect("shutdown");
    let kinds = |stream: &mut EventStream| rest(stream).iter().map(StreamEvent::kind).collect::<Vec<_>>();
    assert_eq!(kinds(&mut own), [Kind::StreamLagged, Kind::StepEnd]);
    assert_eq!(kinds(&mut all), [Kind::StepEnd, Kind::StreamLagged, Kind::StepEnd]);
}

#[test]
fn draining_waits_for_a_log_that_has_to_be_read() {
    let recorder = recorder(4, Kept::Elsewhere);
    let emitter = recorder.emitter();
    for n in 0..2_000 {
        emitter.emit(StepEnd::new(n));
        if n % 100 == 0 {
            settle(&recorder);
        }
    }
    assert_eq!(count(&emitter.drain(), Kind::StepEnd), 2_000);
    assert!(emitter.drain().is_empty());
}

#[test]
fn draining_does_not_wait_for_what_is_not_shown() {
    // What a drain that waits in vain takes at least. Ten of them take longer than any machine takes for all of this.
    const VAIN: Duration = Duration::from_secs(5);
    let recorder = recorder(4, Kept::Here);
    let begin = Instant::now();
    for _ in 0..10 {
        let (quiet, other) = (recorder.emitter(), recorder.emitter());
        other.emit(StepEnd::new(1));
        assert!(quiet.drain().is_empty(), "it is another one's");
        quiet.set_mode(StreamMode::Silent);
        quiet.emit(StepEnd::new(1));
        assert!(quiet.drain().is_empty(), "its emitter is silent");
    }
    assert!(begin.elapsed() < 10 * VAIN, "the first of each two drains waited until it gave up");
}

/// A log that says that there is more, and never has it.
#[derive(Debug)]
struct Promising(MemoryLog);

impl EventLog for Promising {
    hands_on!(self to self.0 => opened_at unfinished append flush last_before resolve sessions executions execution place keep_place close);

    fn read(&self, _: Query) -> Pending<Page> {
        Pending::ready(Ok(Page::default()))
    }
}

#[test]
fn a_log_that_never_has_what_it_promises_is_given_up() {
    let builder = Recorder::builder().hub(HubLimits::new(4, 1 << 20)).log(Promising(MemoryLog::new()));
    let recorder = builder.start().expect("start");
    let emitter = recorder.emitter();
    pieces(&emitter, 20);
    emitter.emit(ExecutionEnd::new(1));
    let mut stream = recorder.subscribe(one(&emitter), From::Start);
    settle(&recorder);
    assert_eq!(rest(&mut stream).first().map(StreamEvent::kind), Some(Kind::StreamGap));
}

#[test]
fn a_reader_of_some_counts_only_what_it_would_have_been_shown_as_dropped() {
    for (mode, steps) in [(StreamMode::Summary, true), (StreamMode::ControlOnly, false), (StreamMode::Silent, false)] {
        let recorder = recorder(8, Kept::Not);
        let emitter = recorder.emitter();
        let mut stream = recorder.subscribe(Filter::everything().in_mode(mode), From::Live);
        for n in 0..50 {
            pieces(&emitter, 2);
            emitter.emit(StepEnd::new(n));
            settle(&recorder);
        }
        recorder.shutdown(SOON).expect("shutdown");
        let seen = rest(&mut stream);
        let counts = stream.counts();
        assert_eq!(count(&seen, Kind::StreamGap), 1);
        assert_eq!(counts.delivered + counts.dropped, if steps { 50 } else { 0 }, "{mode:?}");
        assert_eq!(counts.delivered + counts.dropped + counts.filtered, 150);
    }
}

#[test]
fn pieces_that_an_emitter_hides_are_not_lost() {
    let recorder = recorder(8, Kept::Elsewhere);
    let emitter = recorder.emitter();
    let mut stream = recorder.subscribe(one(&emitter), From::Live);
    pieces(&emitter, 30);
    emitter.set_mode(StreamMode::Summary);
    pieces(&emitter, 30);
    emitter.emit(ExecutionEnd::new(1_u64));
    settle(&recorder);
    let seen = rest(&mut stream);
    assert_eq!(lagged(&seen) + count(&seen, Kind::TextDelta), 30);
    assert_eq!(stream.counts().filtered, 30);
}

#[test]
fn a_file_says_as_well_how_far_an_execution_was() {
    let folder = crate::scratch::Scratch::new();
    let log = SqliteLog::open(folder.file("trace.db")).expect("open");
    let recorder = Recorder::builder().log(log).hub(HubLimits::new(4, 1 << 20)).start().expect("start");
    let emitter = recorder.emitter();
    emitter.emit(TextStart::new("t"));
    pieces(&emitter, 100);
    emitter.emit(TextEnd::new("t"));
    emitter.emit(ExecutionEnd::new(1_u64));
    recorder.flush().wait(SOON).expect("flush");
    let log = recorder.log().expect("log");
    let last = |offset| log.last_before(emitter.execution_id().clone(), offset).wait(SOON).expect("answer");
    let offsets = [0, 1, 50, 102, u64::MAX].map(|offset| last(offset).map(|event| event.cursor.offset));
    assert_eq!(offsets, [None, Some(1), Some(1), Some(102), Some(103)]);
    let other = spanwright::ExecutionId::from_trace_id(5);
    assert_eq!(log.last_before(other, 50).wait(SOON).expect("answer"), None);
    let epoch = recorder.hub().newest().epoch;
    let seen = rest(&mut recorder.subscribe(one(&emitter), From::After(Cursor::new(epoch, 11))));
    assert_eq!((lagged(&seen) + count(&seen, Kind::TextDelta), count(&seen, Kind::StreamGap)), (90, 0));
}

/// A waker that keeps a reader, as that of a task does.
struct Keeps(#[expect(dead_code, reason = "held")] Mutex<EventStream>);

impl Wake for Keeps {
    fn wake(self: Arc<Self>) {}
}

#[test]
fn a_waker_that_keeps_another_reader_may_be_dropped_with_a_reader() {
    let recorder = recorder(4, Kept::Not);
    let subscribe = || recorder.subscribe(Filter::everything(), From::Live);
    let mut stream = subscribe();
    for _ in 0..2 {
        let waker = Waker::from(Arc::new(Keeps(Mutex::new(subscribe()))));
        assert!(Pin::new(&mut stream).poll_next(&mut Context::from_waker(&waker)).is_pending());
    }
    drop(stream);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is published and whenever a reader reads: in order, each once or told, all counted.
    #[test]
    fn read_and_lost_is_all_there_was(
        steps in prop::collection::vec((0..4_usize, 1..40_usize), 1..30),
        kept in prop::sample::select(vec![Kept::Not, Kept::Here, Kept::Elsewhere]),
        ring in 1..200_usize,
        joins_late in any::<bool>(),
    ) {
        let recorder = recorder(ring, kept);
        let emitters = [recorder.emitter(), recorder.emitter()];
        let mut before = 0;
        if joins_late {
            pieces(&emitters[0], 7);
            emitters[0].emit(StepEnd::new(0));
            settle(&recorder);
            before = 8;
        }
        let mut stream = recorder.subscribe(Filter::everything(), From::Live);
        let (mut seen, mut published, mut ends) = (Vec::new(), 0, 0);
        for (what, times) in steps {
            if what == 3 {
                seen.extend(std::iter::from_fn(|| stream.try_next()).take(times));
                continue;
            }
            for _ in 0..times {
                published += 1;
                ends += u64::from(what < 2);
                match what {
                    0 => emitters[0].emit(StepEnd::new(published)),
                    1 => emitters[1].emit(StepEnd::new(published)),
                    _ => emitters[0].emit(TextDelta::new("t", "x ")),
                }
            }
            settle(&recorder);
        }
        // Of each execution one more, so that what it lost before is told.
        emitters[1].emit(StepEnd::new(published + 1));
        emitters[0].emit(ExecutionEnd::new(1_u64));
        settle(&recorder);
        seen.extend(rest(&mut stream));
        let number = |event: &StreamEvent| if let Body::StepEnd(step) = &event.body { Some(step.duration_ms) } else { None };
        let numbers: Vec<u64> = seen.iter().filter_map(number).collect();
        prop_assert!(numbers.is_sorted_by(|a, b| a < b), "in order, each once");
        let (counts, told) = (stream.counts(), count(&seen, Kind::StreamLagged) + count(&seen, Kind::StreamGap));
        prop_assert_eq!(counts.filtered, 0);
        prop_assert_eq!(counts.delivered, seen.len() as u64 - told, "delivered is what was seen");
        prop_assert_eq!(counts.delivered + counts.dropped, published + 2, "after {}", before);
        if kept != Kept::Not {
            prop_assert_eq!(count(&seen, Kind::StreamGap), 0);
            prop_assert_eq!(numbers.len() as u64, ends + 1, "with a log every one arrives");
            prop_assert_eq!(counts.dropped, lagged(&seen));
        }
    }
}
