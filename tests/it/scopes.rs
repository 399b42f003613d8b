//! Readers of one tenant, one conversation, some kinds: they get theirs, are told what they lost of it, and learn nothing else.

use crate::elsewhere::Elsewhere;
use futures_core::Stream;
use proptest::prelude::*;
use spanwright::{
    Cursor, EventEmitter, ExecutionId, Recorder, StreamEvent, Text,
    event::{Body, Class, ExecutionEnd, ExecutionStart, Kind, KindSet, StepEnd, StepStart, StepType, StreamLagged},
    event::{ReasoningDelta, TextDelta, TextEnd, ToolInputDelta},
    hub::{EventStream, Filter, From, HubLimits},
    log::{MemoryLog, Scope},
};
use std::{
    collections::HashMap,
    pin::Pin,
    task::{Context, Waker},
    time::Duration,
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

fn begun(recorder: &Recorder, tenant: Option<&str>, session: Option<&str>) -> EventEmitter {
    let emitter = recorder.emitter();
    let mut start = ExecutionStart::new();
    start.tenant_id = tenant.map(Into::into);
    start.session_id = session.map(Into::into);
    emitter.emit(start);
    emitter
}

fn settle(recorder: &Recorder) {
    recorder.settle().wait(SOON).expect("settle");
}

fn numbers(events: &[StreamEvent]) -> Vec<u64> {
    events
        .iter()
        .filter_map(|event| if let Body::StepEnd(end) = &event.body { Some(end.duration_ms) } else { None })
        .collect()
}

fn told(events: &[StreamEvent]) -> (u64, usize) {
    let lagged = events.iter().filter_map(|event| match event.body {
        Body::StreamLagged(StreamLagged { dropped, .. }) => Some(dropped),
        _ => None,
    });
    (lagged.sum(), events.iter().filter(|event| event.kind() == Kind::StreamGap).count())
}

#[test]
fn a_tenant_restricts_every_scope_live_and_from_the_record() {
    for kept in [Kept::Here, Kept::Elsewhere] {
        for ring in [2, 1_000] {
            let recorder = recorder(ring, kept);
            let all = || Filter::everything();
            let of = |session: &str| Filter::of(Scope::Session(session.into()));
            let mut live = [all().of_tenant("red"), of("s").of_tenant("red"), of("s"), all()]
                .map(|filter| recorder.subscribe(filter, From::Live));
            let owners = [(Some("red"), Some("s")), (Some("blue"), Some("s")), (Some("red"), None), (None, Some("s"))];
            let emitters = owners.map(|(tenant, session)| begun(&recorder, tenant, session));
            for n in 0..40 {
                emitters[n as usize % 4].emit(StepEnd::new(n));
                settle(&recorder);
            }
            let expected = [&[0, 2][..], &[0], &[0, 1, 3], &[0, 1, 2, 3]]
                .map(|owners| (0..40).filter(|n| owners.contains(&(n % 4))).collect::<Vec<u64>>());
            for (stream, expected) in live.iter_mut().zip(&expected) {
                assert_eq!(numbers(&up_to_now(&recorder, stream, 0)), *expected, "live, {kept:?}, {ring}");
            }
            for (filter, expected) in [all().of_tenant("red"), of("s").of_tenant("red")].into_iter().zip(&expected) {
                let mut replay = recorder.subscribe(filter, From::Start);
                assert_eq!(numbers(&up_to_now(&recorder, &mut replay, 0)), *expected, "replay, {kept:?}, {ring}");
            }
            let theirs = Filter::of(Scope::Execution(emitters[1].execution_id().clone())).of_tenant("red");
            assert!(up_to_now(&recorder, &mut recorder.subscribe(theirs.clone(), From::Start), 0).is_empty());
            let after = Cursor::new(recorder.hub().newest().epoch, 3);
            assert!(up_to_now(&recorder, &mut recorder.subscribe(theirs, From::After(after)), 3).is_empty());
        }
    }
}

#[test]
fn a_reader_of_one_tenant_gets_no_byte_and_no_count_of_others() {
    let recorder = recorder(4, Kept::Elsewhere);
    let [red, blue] = ["red", "blue"].map(|tenant| begun(&recorder, Some(tenant), Some("canary-session")));
    let filter = || Filter::everything().of_tenant("red");
    let (mut events, mut frames) =
        (recorder.subscribe(filter(), From::Live), recorder.hub().subscribe_frames(filter(), From::Start));
    let secret = |n: u64| StepStart::new(StepType::FunctionNode, Text::from(format!("canary-{n}")));
    recorder.emit(StreamEvent::new(secret(0)));
    for n in 0..200 {
        blue.emit(secret(n));
        blue.emit(TextDelta::new("t", "canary "));
        if n % 10 == 0 {
            red.emit(StepEnd::new(n));
            settle(&recorder);
        }
    }
    blue.emit(ExecutionEnd::new(1));
    red.emit(ExecutionEnd::new(1));
    recorder.shutdown(SOON).expect("shutdown");
    let mut text = String::new();
    let mut cx = Context::from_waker(Waker::noop());
    while let std::task::Poll::Ready(Some(bytes)) = Pin::new(&mut frames).poll_next(&mut cx) {
        text.push_str(std::str::from_utf8(&bytes).expect("text"));
    }
    let mut seen = Vec::new();
    while let Some(event) = events.recv_timeout(SOON).event() {
        seen.push(event);
    }
    assert_eq!(
        seen.iter().filter(|event| event.execution_id.as_ref() == Some(red.execution_id())).count(),
        seen.len() - told(&seen).1
    );
    for bytes in [text, seen.iter().map(StreamEvent::to_json).collect()] {
        assert!(!bytes.contains("canary-") && !bytes.contains("canary ") && !bytes.contains("blue"), "{bytes}");
        assert!(!bytes.contains(&blue.execution_id().to_string()) && !bytes.contains("stream-lagged"));
    }
}

#[test]
fn events_of_no_execution_are_for_unrestricted_readers_and_the_streams_own_for_all() {
    let recorder = recorder(100, Kept::Not);
    let none = || KindSet::NONE;
    let filters = [Filter::everything(), Filter::everything().of_tenant("red"), Filter::everything().of_kinds(none())];
    let mut streams = filters.map(|filter| recorder.subscribe(filter, From::Live));
    recorder.emit(StepEnd::new(1));
    recorder.emit(StreamLagged::new(3));
    let seen = streams
        .each_mut()
        .map(|stream| up_to_now(&recorder, stream, 0).iter().map(StreamEvent::kind).collect::<Vec<_>>());
    assert_eq!(seen, [vec![Kind::StepEnd, Kind::StreamLagged], vec![Kind::StreamLagged], vec![Kind::StreamLagged]]);
    assert_eq!(streams.map(|stream| stream.counts().filtered), [0, 1, 1]);
}

#[test]
fn a_set_of_kinds_is_read_from_tags_and_says_what_it_does_not_know() {
    let set: KindSet = "data-step-end, data-text-delta".parse().expect("tags");
    assert_eq!(
        set.iter().collect::<Vec<_>>(),
        [Kind::TextDelta, Kind::StepEnd].into_iter().collect::<KindSet>().iter().collect::<Vec<_>>()
    );
    assert!(set.contains(Kind::StepEnd) && !set.contains(Kind::StepStart) && !set.contains(Kind::Unknown));
    for (bad, part) in [("data-step-ended", "\"data-step-ended\""), ("", "\"\""), ("data-text-delta,", "\"\"")] {
        let error = bad.parse::<KindSet>().expect_err(bad);
        assert!(error.is_invalid() && error.to_string().contains(part), "{error}");
    }
    assert_eq!(KindSet::ALL.iter().count(), Kind::ALL.len() + 1);
    assert_eq!(Kind::ALL.iter().copied().chain([Kind::Unknown]).collect::<KindSet>(), KindSet::ALL);
    assert!(size_of::<KindSet>() <= 16);
}

#[test]
fn pieces_of_a_kind_that_is_not_asked_for_are_never_told_as_lost() {
    for (kinds, lost, may_be) in [
        (KindSet::from(Kind::StepEnd), 0, false),
        (KindSet::from(Kind::StepEnd).with(Kind::TextDelta), 0, true),
        ([Kind::TextDelta, Kind::ReasoningDelta, Kind::ToolInputDelta, Kind::StepEnd].into_iter().collect(), 60, false),
        (KindSet::ALL, 60, false),
    ] {
        let recorder = recorder(4, Kept::Elsewhere);
        let emitter = begun(&recorder, Some("red"), None);
        settle(&recorder);
        let one = Scope::Execution(emitter.execution_id().clone());
        let mut streams = [Scope::Everything, one]
            .map(|scope| recorder.subscribe(Filter::of(scope).of_kinds(kinds).of_tenant("red"), From::Live));
        for _ in 0..20 {
            emitter.emit(TextDelta::new("t", "x "));
            emitter.emit(ReasoningDelta::new("r", "x "));
            emitter.emit(ToolInputDelta::new("c", "x "));
            settle(&recorder);
        }
        for n in 0..10 {
            emitter.emit(StepEnd::new(n));
            settle(&recorder);
        }
        for stream in &mut streams {
            let seen = up_to_now(&recorder, stream, 1);
            assert_eq!(numbers(&seen), (0..10).collect::<Vec<_>>());
            assert_eq!((told(&seen).0, told(&seen).1 > 0), (lost, may_be), "{kinds:?} {seen:?}");
        }
    }
}

#[test]
fn the_hub_knows_who_reads_and_what_all_of_them_got() {
    let recorder = recorder(100, Kept::Not);
    let emitter = begun(&recorder, Some("red"), None);
    settle(&recorder);
    assert_eq!(recorder.hub().stats().readers_total, 0, "an emitter watches nobody");
    let mut all = recorder.subscribe(Filter::everything(), From::Live);
    let mut ends = recorder.hub().subscribe_frames(Filter::everything().of_kinds(Kind::StepEnd), From::Live);
    for n in 0..10 {
        emitter.emit(StepStart::new(StepType::FunctionNode, "s"));
        emitter.emit(StepEnd::new(n));
    }
    settle(&recorder);
    assert!(all.try_next().is_some());
    let stats = recorder.hub().stats();
    assert_eq!((stats.delivered, stats.filtered, stats.dropped), (0, 0, 0), "nobody has come for more yet");
    assert_eq!(up_to_now(&recorder, &mut all, 2).len(), 19);
    while Pin::new(&mut ends).poll_next(&mut Context::from_waker(Waker::noop())).is_ready() {}
    let stats = recorder.hub().stats();
    assert_eq!((stats.readers, stats.readers_total), (2, 2));
    assert_eq!((stats.delivered, stats.filtered, stats.dropped), (30, 10, 0));
    drop((all, ends));
    let mut slow = recorder.subscribe(Filter::everything(), From::Live);
    for n in 0..500 {
        emitter.emit(StepEnd::new(n));
        settle(&recorder);
    }
    let seen = up_to_now(&recorder, &mut slow, 21).len() as u64 - 1;
    let stats = recorder.hub().stats();
    assert_eq!((stats.readers, stats.readers_total), (1, 3));
    assert_eq!((stats.delivered, stats.filtered, stats.dropped), (30 + seen, 10, 500 - seen));
}

/// What one reader is to see, by the rules as they are written down.
fn is_meant(filter: &Filter, event: &StreamEvent, owners: &HashMap<ExecutionId, (Option<Text>, Option<Text>)>) -> bool {
    let Some(id) = &event.execution_id else { return false };
    let (tenant, session) = &owners[id];
    let in_scope = match &filter.scope {
        Scope::Everything => true,
        Scope::Execution(wanted) => wanted == id,
        Scope::Session(wanted) => session.as_ref() == Some(wanted),
        _ => unreachable!("a scope of another version"),
    };
    in_scope && (filter.tenant_id.is_none() || filter.tenant_id == *tenant) && filter.kinds.contains(event.kind())
}

fn body(what: usize, n: u64) -> Body {
    match what {
        0 => StepEnd::new(n).into(),
        1 => StepStart::new(StepType::FunctionNode, Text::from(n.to_string())).into(),
        2 => TextDelta::new("t", Text::from(format!("{n} "))).into(),
        3 => ReasoningDelta::new("r", Text::from(format!("{n} "))).into(),
        _ => TextEnd::new("t").into(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Whoever reads what, and however far behind: in order, each once, nothing of others, and each offset that was passed
    /// is delivered, filtered or dropped. Where nothing was lost it is exactly what was meant.
    #[test]
    fn readers_get_theirs_and_only_theirs(
        steps in prop::collection::vec((0..6_usize, 0..7_usize, 1..20_usize), 1..40),
        kept in prop::sample::select(vec![Kept::Not, Kept::Here, Kept::Elsewhere]),
        ring in prop::sample::select(vec![1_usize, 8, 60, 5_000]),
        tenant in prop::sample::select(vec![None, Some("red"), Some("blue")]),
        scope in 0..4_usize,
        kinds in 0..4_usize,
    ) {
        let recorder = recorder(ring, kept);
        let tenants = [Some("red"), Some("blue"), None, Some("red"), Some("blue"), None];
        let sessions = [Some("s"), Some("s"), Some("s"), None, Some("z"), None];
        let emitters: Vec<_> = tenants.iter().zip(sessions).map(|(tenant, session)| begun(&recorder, *tenant, session)).collect();
        let owners: HashMap<_, _> = emitters
            .iter()
            .zip(tenants.iter().zip(sessions))
            .map(|(emitter, (tenant, session))| (emitter.execution_id().clone(), (tenant.map(Text::from), session.map(Text::from))))
            .collect();
        settle(&recorder);
        let began = recorder.hub().newest().offset;
        let mut filter = Filter::of(match scope {
            0 => Scope::Everything,
            1 => Scope::Session("s".into()),
            n => Scope::Execution(emitters[n - 2].execution_id().clone()),
        });
        filter.tenant_id = tenant.map(Into::into);
        filter.kinds = match kinds {
            0 => KindSet::ALL,
            1 => KindSet::from(Kind::StepEnd).with(Kind::TextEnd),
            2 => KindSet::from(Kind::StepEnd).with(Kind::TextDelta),
            _ => Kind::ALL.iter().copied().filter(|kind| kind.class() != Class::Bulk).collect(),
        };
        let mut stream = recorder.subscribe(filter.clone(), From::Live);
        let mut everything = Vec::new();
        let (mut seen, mut published) = (Vec::new(), 0_u64);
        for (who, what, times) in steps {
            if what > 4 {
                seen.extend(std::iter::from_fn(|| stream.try_next()).take(times));
                continue;
            }
            for _ in 0..times {
                published += 1;
                let id = emitters[who].execution_id().clone();
                everything.push(StreamEvent::new(body(what, published)).of_execution(id));
                emitters[who].emit(body(what, published));
            }
            settle(&recorder);
        }
        // Of each execution one more, so that what was lost of it before is told.
        for emitter in &emitters {
            published += 1;
            everything.push(StreamEvent::new(StepEnd::new(published)).of_execution(emitter.execution_id().clone()));
            emitter.emit(StepEnd::new(published));
        }
        settle(&recorder);
        seen.extend(up_to_now(&recorder, &mut stream, began));
        let (lagged, gaps) = told(&seen);
        let counts = stream.counts();
        prop_assert_eq!(counts.delivered + counts.filtered + counts.dropped, published);
        let place = |event: &StreamEvent| {
            let same = |other: &&StreamEvent| other.execution_id == event.execution_id && same_body(&other.body, &event.body);
            everything.iter().position(|other| same(&other))
        };
        let own: Vec<_> = seen.iter().filter(|event| event.class() != Class::Transport).collect();
        prop_assert_eq!(counts.delivered, own.len() as u64);
        prop_assert!(own.iter().all(|event| is_meant(&filter, event, &owners)), "nothing of others");
        let places: Vec<_> = own.iter().filter(|event| event.kind() != Kind::TextEnd).map(|event| place(event)).collect();
        prop_assert!(places.iter().all(Option::is_some) && places.is_sorted_by(|a, b| a < b), "in order, each once");
        let meant = everything.iter().filter(|event| is_meant(&filter, event, &owners)).count() as u64;
        prop_assert!(counts.delivered + counts.dropped <= meant || filter == Filter::everything());
        if gaps == 0 {
            prop_assert_eq!(counts.delivered + lagged, meant, "all of it, or told exactly");
            prop_assert_eq!(counts.dropped, lagged);
        }
        if kept != Kept::Not {
            let logged = |event: &&StreamEvent| event.class() != Class::Bulk && is_meant(&filter, event, &owners);
            let kept_own = own.iter().filter(|event| event.class() != Class::Bulk).count();
            prop_assert_eq!(kept_own, everything.iter().filter(logged).count(), "with a log nothing that is kept is lost");
        }
        if kept != Kept::Not && kinds != 2 {
            prop_assert_eq!(gaps, 0, "what can be counted is counted");
        }
    }
}

/// A text's end is given its whole at the gate.
fn same_body(a: &Body, b: &Body) -> bool {
    matches!((a, b), (Body::TextEnd(_), Body::TextEnd(_))) || a == b
}

/// All up to now, from the log too, of a stream that began after this offset.
fn up_to_now(recorder: &Recorder, stream: &mut EventStream, began: u64) -> Vec<StreamEvent> {
    settle(recorder);
    let published = recorder.hub().newest().offset - began;
    let mut seen = Vec::new();
    loop {
        seen.extend(std::iter::from_fn(|| stream.try_next()));
        let counts = stream.counts();
        if counts.delivered + counts.filtered + counts.dropped >= published {
            seen.extend(std::iter::from_fn(|| stream.try_next()));
            return seen;
        }
        std::thread::yield_now();
    }
}
