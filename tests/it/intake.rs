//! Events that others made: whose they are is decided once, at the gate, and told.

use crate::{hands_on::hands_on, scratch::Scratch};
use proptest::prelude::*;
use spanwright::{
    Admitted, Answer, ExecutionId, Pending, QueueLimits, Recorder, StepId, StreamEvent, Text,
    event::{
        Body, ExecutionEnd, ExecutionPaused, ExecutionStart, InboxMessage, InboxMessageType, ParentType, StepEnd,
        StreamGap, TextDelta, TextEnd, TextStart,
    },
    hub::{Filter, From},
    log::{EventLog, ExecutionRow, LoggedEvent, MemoryLog, Query, Scope, SqliteLog, Status},
    view::{self, Blocked, RunTree},
};
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

const SOON: Duration = Duration::from_secs(60);

fn recorder(log: impl EventLog) -> Recorder {
    Recorder::builder().log(log).start().expect("start")
}

fn of(id: &ExecutionId, body: impl Into<Body>) -> StreamEvent {
    StreamEvent::new(body).of_execution(id.clone())
}

fn take_in(recorder: &Recorder, tenant: Option<&str>, events: impl IntoIterator<Item = StreamEvent>) -> Admitted {
    let intake = recorder.on_behalf_of(tenant.map(Text::from));
    events.into_iter().for_each(|event| intake.emit(event));
    intake.finish().wait(SOON).expect("durable")
}

/// Accepted, denied, shed.
fn counts(admitted: &Admitted) -> (u64, u64, u64) {
    (admitted.accepted, admitted.denied, admitted.shed)
}

fn row(recorder: &Recorder, id: &ExecutionId) -> Option<ExecutionRow> {
    recorder.log().expect("log").execution(id.clone()).wait(SOON).expect("row")
}

fn events(recorder: &Recorder) -> Vec<LoggedEvent> {
    recorder.log().expect("log").read(Query::new(Scope::Everything, 0, 10_000)).wait(SOON).expect("page").events
}

#[test]
fn what_is_taken_in_for_a_tenant_is_that_tenants_whatever_it_says() {
    let recorder = recorder(MemoryLog::new());
    let [said, unsaid, begun] = [ExecutionId::new(), ExecutionId::new(), ExecutionId::new()];
    let admitted = take_in(
        &recorder,
        Some("acme"),
        [
            of(&said, ExecutionStart::new().tenant_id("globex").name("a")),
            of(&unsaid, ExecutionStart::new().name("b")),
            of(&begun, StepEnd::new(1)),
            of(&begun, ExecutionStart::new().tenant_id("globex")),
        ],
    );
    assert_eq!((counts(&admitted), admitted.cursor.offset), ((4, 0, 0), 4));
    for id in [&said, &unsaid, &begun] {
        assert_eq!(row(&recorder, id).expect("row").tenant_id, Some("acme".into()));
    }
    for event in events(&recorder) {
        assert_eq!(event.context.tenant_id, Some("acme".into()));
        if let Body::ExecutionStart(start) = event.to_stream().expect("event").body {
            assert_eq!(start.tenant_id, Some("acme".into()));
        }
    }
}

#[test]
fn what_belongs_to_another_is_denied_and_leaves_no_trace() {
    let recorder = recorder(MemoryLog::new());
    let (theirs, nobodys, own) = (ExecutionId::new(), ExecutionId::new(), ExecutionId::new());
    take_in(&recorder, Some("globex"), [of(&theirs, ExecutionStart::new()), of(&theirs, TextStart::new("t"))]);
    recorder.emit(of(&nobodys, ExecutionStart::new()));
    let admitted = take_in(
        &recorder,
        Some("acme"),
        [
            of(&theirs, TextDelta::new("t", "forged ")),
            of(&theirs, ExecutionEnd::new(1)),
            of(&nobodys, StepEnd::new(1)),
            of(&nobodys, ExecutionStart::new().tenant_id("acme")),
            of(&own, ExecutionStart::new()),
            StreamEvent::new(StepEnd::new(1)),
            of(&own, StreamGap::new()),
        ],
    );
    assert_eq!(counts(&admitted), (1, 6, 0));
    take_in(&recorder, Some("globex"), [of(&theirs, TextDelta::new("t", "true ")), of(&theirs, TextEnd::new("t"))]);
    let events = events(&recorder);
    let Body::TextEnd(end) = events.last().expect("end").to_stream().expect("event").body else { panic!("kind") };
    assert_eq!(end.final_text.as_deref(), Some("true "));
    assert_eq!(events.iter().map(|event| event.sequence).collect::<Vec<_>>(), [1, 2, 1, 1, 3]);
    assert_eq!(row(&recorder, &theirs).expect("row").ended_at, None);
    assert_eq!(row(&recorder, &nobodys).expect("row").tenant_id, None);
    assert_eq!((recorder.stats().denied, recorder.stats().recorded), (6, 6));
}

#[test]
fn an_execution_that_runs_here_is_not_let_go_by_a_tenants_forged_end() {
    let recorder = recorder(MemoryLog::new());
    let emitter = recorder.emitter();
    emitter.emit(ExecutionStart::new().tenant_id("globex"));
    let handle = recorder.execution(emitter.execution_id());
    take_in(&recorder, Some("acme"), [of(emitter.execution_id(), ExecutionEnd::new(1))]);
    assert!(handle.cancellation().is_ok(), "it runs on");
    take_in(&recorder, Some("globex"), [of(emitter.execution_id(), ExecutionEnd::new(1))]);
    assert!(handle.cancellation().expect_err("ended").is_not_found());
}

/// Of one execution, which a step of it called.
#[test]
fn another_process_that_ends_its_part_leaves_what_runs_here_as_it_was() {
    let recorder = recorder(MemoryLog::new());
    let (emitter, [own, theirs]) = (recorder.emitter(), [1, 2].map(StepId::from_span_id));
    let id = emitter.execution_id();
    emitter.emit(of(id, ExecutionStart::new()).of_step(own.clone()));
    emitter.emit(TextDelta::new("t", "one "));
    let called = ExecutionStart::new().parent_id(own.to_string()).parent_type(ParentType::StepExecution);
    let part: [Body; 2] = [called.into(), ExecutionEnd::new(1).into()];
    take_in(&recorder, None, part.map(|body| of(id, body).of_step(theirs.clone())));
    assert!(recorder.execution(id).cancellation().is_ok(), "it can be steered");
    assert_eq!(row(&recorder, id).expect("row").status, Status::Running);
    emitter.emit(TextDelta::new("t", "two"));
    emitter.emit(TextEnd::new("t"));
    emitter.emit(of(id, ExecutionEnd::new(1)).of_step(own));
    recorder.flush().wait(SOON).expect("flush");
    let texts = events(&recorder).into_iter().filter_map(|event| match event.to_stream().expect("event").body {
        Body::TextEnd(end) => end.final_text,
        _ => None,
    });
    assert_eq!(texts.collect::<Vec<_>>(), ["one two"]);
    assert_eq!(row(&recorder, id).expect("row").status, Status::Completed);
    assert!(recorder.execution(id).cancellation().expect_err("ended").is_not_found());
}

#[test]
fn who_watches_sees_an_execution_go_on_when_another_process_ends_its_part() {
    let ([own, theirs], id) = ([1, 2].map(StepId::from_span_id), ExecutionId::new());
    let called = ExecutionStart::new().parent_id(own.to_string()).parent_type(ParentType::StepExecution);
    let events = [
        of(&id, ExecutionStart::new().name("a")).of_step(own.clone()),
        of(&id, called).of_step(theirs.clone()),
        of(&id, ExecutionPaused::new("a person")).of_step(own.clone()),
        of(&id, ExecutionEnd::new(1)).of_step(theirs),
    ];
    let (mut tree, mut blocked) = (RunTree::new(), Blocked::default());
    for event in &events {
        tree.apply(event);
        blocked.apply(event);
    }
    assert!(tree.root().status == view::Status::Running && blocked.on().is_some());
    let end = of(&id, ExecutionEnd::new(8)).of_step(own);
    tree.apply(&end);
    blocked.apply(&end);
    assert!(tree.root().status == view::Status::Ok && blocked.on().is_none());
}

#[test]
fn what_runs_elsewhere_cannot_be_steered_from_here() {
    let recorder = recorder(MemoryLog::new());
    let id = ExecutionId::new();
    take_in(&recorder, Some("acme"), [of(&id, ExecutionStart::new())]);
    assert!(recorder.execution(&id).pause("wait").expect_err("elsewhere").is_not_found());
}

#[test]
fn a_tenant_that_a_program_names_stays_and_later_starts_say_the_same() {
    let recorder = recorder(MemoryLog::new());
    let emitter = recorder.emitter();
    emitter.emit(StepEnd::new(1));
    for tenant in ["acme", "globex"] {
        emitter.emit(ExecutionStart::new().tenant_id(tenant));
    }
    emitter.emit(ExecutionStart::new());
    recorder.flush().wait(SOON).expect("flush");
    assert_eq!(row(&recorder, emitter.execution_id()).expect("row").tenant_id, Some("acme".into()));
    let starts = events(&recorder).into_iter().filter_map(|event| match event.to_stream().expect("event").body {
        Body::ExecutionStart(start) => Some(start.tenant_id),
        _ => None,
    });
    assert_eq!(starts.collect::<Vec<_>>(), vec![Some(Text::from("acme")); 3]);
}

#[test]
fn on_nobodys_behalf_events_of_any_tenant_are_taken_in_as_they_say() {
    let recorder = recorder(MemoryLog::new());
    let [of_acme, new] = [ExecutionId::new(), ExecutionId::new()];
    take_in(&recorder, Some("acme"), [of(&of_acme, ExecutionStart::new())]);
    let admitted = take_in(
        &recorder,
        None,
        [
            of(&of_acme, StepEnd::new(1)),
            of(&new, ExecutionStart::new().tenant_id("globex")),
            TextStart::new("t").into(),
        ],
    );
    assert_eq!(counts(&admitted), (2, 1, 0));
    assert_eq!(row(&recorder, &of_acme).expect("row").tenant_id, Some("acme".into()));
    assert_eq!(row(&recorder, &new).expect("row").tenant_id, Some("globex".into()));
}

/// The id of an execution that a machine with another clock made, or whose digits are no time.
fn foreign_ids() -> [ExecutionId; 3] {
    let now = ExecutionId::new().trace_id() >> 80;
    let ahead = ExecutionId::from_trace_id(((now + 3_600_000) << 80) | 7);
    [ExecutionId::parse("their/run 7").expect("id"), ahead, ExecutionId::new()]
}

#[test]
fn whose_an_execution_is_outlives_the_process() {
    let scratch = Scratch::new();
    let open = || recorder(SqliteLog::open(scratch.file("log.db")).expect("open"));
    let ids = foreign_ids();
    let first = open();
    take_in(&first, Some("globex"), ids.iter().map(|id| of(id, ExecutionStart::new())));
    first.shutdown(SOON).expect("shutdown");
    drop(first);
    let second = open();
    let step = |id| of(id, StepEnd::new(1));
    assert_eq!(counts(&take_in(&second, Some("acme"), ids.iter().map(step))), (0, 3, 0));
    assert_eq!(counts(&take_in(&second, Some("globex"), ids.iter().map(step))), (3, 0, 0));
    for id in &ids {
        let row = row(&second, id).expect("row");
        assert_eq!((row.tenant_id, row.events), (Some("globex".into()), 2), "its numbers go on");
    }
}

/// A log that cannot say anything about executions for a while.
#[derive(Debug)]
pub(crate) struct Mute(pub(crate) MemoryLog, pub(crate) Arc<AtomicBool>);

impl EventLog for Mute {
    hands_on!(self to self.0 => opened_at unfinished append flush read last_before resolve sessions executions place keep_place close);

    fn execution(&self, id: ExecutionId) -> Pending<Option<ExecutionRow>> {
        match self.1.load(Ordering::SeqCst) {
            // The answer is dropped, and with it the question.
            true => Pending::asked().1,
            false => self.0.execution(id),
        }
    }
}

#[test]
fn where_the_log_cannot_say_whose_an_execution_is_nobody_gets_it() {
    let mute = Arc::new(AtomicBool::new(true));
    let recorder = recorder(Mute(MemoryLog::new(), mute.clone()));
    let id = ExecutionId::parse("theirs").expect("id");
    let step = || [of(&id, StepEnd::new(1))];
    let admitted = take_in(&recorder, Some("acme"), step());
    assert_eq!((counts(&admitted), admitted.undecided), ((0, 1, 0), 1));
    mute.store(false, Ordering::SeqCst);
    let admitted = take_in(&recorder, Some("acme"), step());
    assert_eq!((counts(&admitted), admitted.undecided), ((1, 0, 0), 0));
}

/// A log that never answers questions about executions.
#[derive(Debug)]
struct Deaf(MemoryLog, Mutex<Vec<Answer<Option<ExecutionRow>>>>);

impl EventLog for Deaf {
    hands_on!(self to self.0 => opened_at unfinished append flush read last_before resolve sessions executions place keep_place close);

    fn execution(&self, _: ExecutionId) -> Pending<Option<ExecutionRow>> {
        let (answer, pending) = Pending::asked();
        self.1.lock().expect("lock").push(answer);
        pending
    }
}

#[test]
fn a_log_that_does_not_answer_holds_everybody_up_once_and_not_for_each_event() {
    let recorder = recorder(Deaf(MemoryLog::new(), Mutex::default()));
    let id = ExecutionId::parse("theirs").expect("id");
    let admitted = take_in(&recorder, Some("acme"), (0..100).map(|n| of(&id, StepEnd::new(n))));
    assert_eq!((counts(&admitted), admitted.undecided), ((0, 100, 0), 100));
}

#[test]
fn a_log_that_does_not_answer_is_not_waited_for_with_each_event() {
    let recorder = recorder(Deaf(MemoryLog::new(), Mutex::default()));
    let ids = (0..20).map(|n| ExecutionId::parse(&format!("run-{n}")).expect("id"));
    let admitted = take_in(&recorder, Some("acme"), ids.map(|id| of(&id, StepEnd::new(1))));
    assert_eq!(counts(&admitted), (0, 20, 0));
}

/// A log that holds its answers back while the switch is on: those about executions, or those of flushes.
#[derive(Debug)]
struct Slow {
    log: Box<dyn EventLog>,
    executions: Arc<AtomicBool>,
    flushes: Arc<AtomicBool>,
    asked: Mutex<Vec<Answer<Option<ExecutionRow>>>>,
    flushed: Mutex<Vec<Answer<()>>>,
}

impl Slow {
    fn new(log: impl EventLog, executions: &Arc<AtomicBool>, flushes: &Arc<AtomicBool>) -> Self {
        let (executions, flushes) = (executions.clone(), flushes.clone());
        Self { log: Box::new(log), executions, flushes, asked: Mutex::default(), flushed: Mutex::default() }
    }
}

impl EventLog for Slow {
    hands_on!(self to self.log => opened_at unfinished append read last_before resolve sessions executions place keep_place close);

    fn execution(&self, id: ExecutionId) -> Pending<Option<ExecutionRow>> {
        if !self.executions.load(Ordering::SeqCst) {
            return self.log.execution(id);
        }
        let (answer, pending) = Pending::asked();
        self.asked.lock().expect("lock").push(answer);
        pending
    }

    fn flush(&self) -> Pending<()> {
        if !self.flushes.load(Ordering::SeqCst) {
            return self.log.flush();
        }
        let (answer, pending) = Pending::asked();
        self.flushed.lock().expect("lock").push(answer);
        pending
    }
}

#[test]
fn an_execution_of_the_past_goes_on_by_its_numbers_though_the_log_was_silent_a_moment_ago() {
    let scratch = Scratch::new();
    let open = || SqliteLog::open(scratch.file("log.db")).expect("open");
    let past = ExecutionId::from_trace_id(7);
    let first = recorder(open());
    first.emit(of(&past, ExecutionStart::new()));
    first.emit(of(&past, ExecutionEnd::new(1)));
    first.shutdown(SOON).expect("shutdown");
    drop(first);
    let silent = Arc::new(AtomicBool::new(true));
    let second = recorder(Slow::new(open(), &silent, &Arc::default()));
    let theirs = ExecutionId::parse("theirs").expect("id");
    assert_eq!(take_in(&second, Some("acme"), [of(&theirs, StepEnd::new(1))]).undecided, 1);
    silent.store(false, Ordering::SeqCst);
    second.emit(of(&past, StepEnd::new(1)));
    second.flush().wait(SOON).expect("flush");
    let numbers: Vec<_> = events(&second).iter().map(|event| event.sequence).collect();
    assert_eq!(numbers, [1, 2, 3]);
}

#[test]
fn a_log_that_cannot_flush_holds_everybody_up_once_and_not_for_each_event() {
    let silent = Arc::new(AtomicBool::new(false));
    let recorder = recorder(Slow::new(MemoryLog::new(), &Arc::default(), &silent));
    // So many that some are forgotten: what the log has of those may be on its way there.
    for _ in 0..=4_096 {
        let id = ExecutionId::new();
        recorder.emit(of(&id, ExecutionStart::new()));
        recorder.emit(of(&id, ExecutionEnd::new(1)));
    }
    recorder.flush().wait(SOON).expect("flush");
    silent.store(true, Ordering::SeqCst);
    let theirs = ExecutionId::parse("theirs").expect("id");
    let intake = recorder.on_behalf_of(Some("acme".into()));
    (0..100).for_each(|n| intake.emit(of(&theirs, StepEnd::new(n))));
    recorder.settle().wait(SOON).expect("not held up for each");
    assert_eq!(recorder.stats().denied, 100);
}

#[test]
fn what_finds_no_room_is_counted_as_shed() {
    let recorder = Recorder::builder().queue(QueueLimits::new(16, 1)).start().expect("start");
    let intake = recorder.on_behalf_of(Some("acme".into()));
    let id = ExecutionId::new();
    for _ in 0..100 {
        intake.emit(of(&id, StepEnd::new(1)));
    }
    let admitted = intake.finish().wait(SOON).expect("answer");
    assert_eq!(counts(&admitted), (0, 0, 100), "an event that waits needs more than one byte");
    assert_eq!(recorder.stats().shed_structural, 100);
}

#[test]
fn after_the_shutdown_it_is_said_that_nothing_is_taken_in() {
    let recorder = recorder(MemoryLog::new());
    let intake = recorder.on_behalf_of(Some("acme".into()));
    recorder.shutdown(SOON).expect("shutdown");
    intake.emit(of(&ExecutionId::new(), StepEnd::new(1)));
    assert!(intake.finish().wait(SOON).expect_err("closed").is_closed());
    assert_eq!(recorder.stats().refused, 1);
}

#[test]
fn what_is_taken_in_is_watched_like_anything_else() {
    let recorder = recorder(MemoryLog::new());
    let id = ExecutionId::new();
    let mut stream = recorder.subscribe(Filter::of(Scope::Execution(id.clone())), From::Live);
    let message = InboxMessage::new("m", InboxMessageType::Control);
    take_in(&recorder, Some("acme"), [of(&id, TextDelta::new("t", "a ")), of(&id, message)]);
    take_in(&recorder, Some("globex"), [of(&id, TextDelta::new("t", "b "))]);
    assert_eq!(std::iter::from_fn(|| stream.try_next()).count(), 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// However tenants and a program mix: who was first has the execution, and everything else is denied and counted.
    #[test]
    fn the_first_has_it_and_everyone_is_told_the_truth(
        steps in prop::collection::vec((0..4_usize, 0..4_usize, any::<bool>()), 1..60),
    ) {
        let recorder = recorder(MemoryLog::new());
        let tenants = [None, Some("red"), Some("green"), Some("blue")];
        let ids: Vec<_> = (0..4).map(|_| ExecutionId::new()).collect();
        let intakes = tenants.map(|tenant| recorder.on_behalf_of(tenant.map(Text::from)));
        let (mut owners, mut expected) = ([None; 4], [(0, 0, 0); 4]);
        for (who, which, starts) in steps {
            let event = if starts { of(&ids[which], ExecutionStart::new()) } else { of(&ids[which], StepEnd::new(1)) };
            intakes[who].emit(event);
            let owner = *owners[which].get_or_insert(tenants[who]);
            let own = who == 0 || owner == tenants[who];
            *(if own { &mut expected[who].0 } else { &mut expected[who].1 }) += 1;
        }
        let told = intakes.map(|intake| counts(&intake.finish().wait(SOON).expect("durable")));
        prop_assert_eq!(told, expected);
        for (id, owner) in ids.iter().zip(owners) {
            let kept = row(&recorder, id).map(|row| row.tenant_id);
            prop_assert_eq!(kept, owner.map(|tenant| tenant.map(Text::from)));
        }
        let stats = recorder.stats();
        prop_assert_eq!(stats.recorded, expected.iter().map(|counts| counts.0).sum::<u64>());
        prop_assert_eq!(stats.denied, expected.iter().map(|counts| counts.1).sum::<u64>());
    }
}
