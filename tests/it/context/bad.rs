//! What W3C's own tests send (w3c/trace-context, `test/test.py`): what is bad starts a trace of its own, and nothing of
//! the run is lost.

use super::{PARENT, TRACE, record, starts, steps};
use http::{HeaderMap, HeaderName, HeaderValue};
use proptest::prelude::*;
use spanwright::{
    ExecutionId, StreamEvent,
    context::{Context, TraceContext},
    event::Kind,
    span,
};
use tracing::info_span;

/// As they came over the wire: names in any case, values with what is around them.
fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let name = |name: &str| HeaderName::from_bytes(name.as_bytes()).expect("name");
    pairs.iter().map(|(key, value)| (name(key), HeaderValue::from_str(value).expect("value"))).collect()
}

fn serve(pairs: &[(&str, &str)]) -> Vec<StreamEvent> {
    record(|| Context::remote(TraceContext::extract(&headers(pairs))).in_scope(work)).1
}

fn work() {
    span::agent("answer").in_scope(|| span::step("look up").finish());
}

#[track_caller]
fn goes_on(events: &[StreamEvent]) {
    let (event, start) = starts(events)[0];
    assert_eq!(event.execution_id, Some(ExecutionId::from_trace_id(TRACE)));
    assert_eq!(start.parent_id.as_deref(), Some("step_1234567890123456"));
    is_whole(events);
}

#[track_caller]
fn begins_anew(events: &[StreamEvent]) {
    let (event, start) = starts(events)[0];
    assert_eq!((start.parent_id.as_deref(), start.parent_type.as_ref()), (None, None));
    assert_ne!(event.execution_id.as_ref().expect("id").trace_id(), TRACE);
    is_whole(events);
}

#[track_caller]
fn is_whole(events: &[StreamEvent]) {
    let kinds: Vec<_> = events.iter().map(StreamEvent::kind).collect();
    assert_eq!(kinds, [Kind::ExecutionStart, Kind::StepStart, Kind::StepEnd, Kind::ExecutionEnd]);
    assert_eq!(steps(events), ["answer", "look up in answer"]);
    assert!(events.iter().all(|event| event.execution_id == events[0].execution_id));
}

const GOOD: &[&str] = &[
    "00-12345678901234567890123456789012-1234567890123456-01",
    "00-12345678901234567890123456789012-1234567890123456-00",
    "00-12345678901234567890123456789012-1234567890123456-ff",
    "cc-12345678901234567890123456789012-1234567890123456-01",
    "cc-12345678901234567890123456789012-1234567890123456-01-what-the-future-will-be-like",
    "01-12345678901234567890123456789012-1234567890123456-01-",
    " 00-12345678901234567890123456789012-1234567890123456-01",
    "\t00-12345678901234567890123456789012-1234567890123456-01",
    "00-12345678901234567890123456789012-1234567890123456-01 ",
    "00-12345678901234567890123456789012-1234567890123456-01\t",
    "\t 00-12345678901234567890123456789012-1234567890123456-01 \t",
];

const BAD: &[&str] = &[
    "",
    "-",
    "00",
    "00---",
    "00-12345678901234567890123456789012-1234567890123456",
    "00-12345678901234567890123456789012-1234567890123456-01.",
    "00-12345678901234567890123456789012-1234567890123456-01-",
    "00-12345678901234567890123456789012-1234567890123456-01-what-the-future-will-be-like",
    "cc-12345678901234567890123456789012-1234567890123456-01.what-the-future-will-be-like",
    "ff-12345678901234567890123456789012-1234567890123456-01",
    "ff-12345678901234567890123456789012-1234567890123456-01-more",
    ".0-12345678901234567890123456789012-1234567890123456-01",
    "0.-12345678901234567890123456789012-1234567890123456-01",
    "CC-12345678901234567890123456789012-1234567890123456-01",
    "+0-12345678901234567890123456789012-1234567890123456-01",
    "000-12345678901234567890123456789012-1234567890123456-01",
    "0000-12345678901234567890123456789012-1234567890123456-01",
    "0-12345678901234567890123456789012-1234567890123456-01",
    "00-00000000000000000000000000000000-1234567890123456-01",
    "00-.2345678901234567890123456789012-1234567890123456-01",
    "00-1234567890123456789012345678901.-1234567890123456-01",
    "00-1234567890ABCDEF7890123456789012-1234567890123456-01",
    "00-123456789012345678901234567890123-1234567890123456-01",
    "00-1234567890123456789012345678901-1234567890123456-01",
    "00-12345678901234567890123456789012-0000000000000000-01",
    "00-12345678901234567890123456789012-.234567890123456-01",
    "00-12345678901234567890123456789012-123456789012345.-01",
    "00-12345678901234567890123456789012-123456789ABCDEF6-01",
    "00-12345678901234567890123456789012-12345678901234567-01",
    "00-12345678901234567890123456789012-123456789012345-01",
    "00-12345678901234567890123456789012-1234567890123456-.0",
    "00-12345678901234567890123456789012-1234567890123456-0.",
    "00-12345678901234567890123456789012-1234567890123456-001",
    "00-12345678901234567890123456789012-1234567890123456-1",
    "00_12345678901234567890123456789012_1234567890123456_01",
    "00 - 12345678901234567890123456789012-1234567890123456-01",
    "00-12345678901234567890123456789012-1234567890123456-01,00-12345678901234567890123456789012-1234567890123456-01",
];

#[test]
fn a_good_traceparent_is_gone_on_from() {
    GOOD.iter().for_each(|value| goes_on(&serve(&[("traceparent", value)])));
    ["TraceParent", "TrAcEpArEnT", "TRACEPARENT"].iter().for_each(|name| goes_on(&serve(&[(name, PARENT)])));
}

#[test]
fn a_bad_traceparent_starts_a_trace_of_its_own_and_nothing_of_the_run_is_lost() {
    BAD.iter().for_each(|value| begins_anew(&serve(&[("traceparent", value)])));
    begins_anew(&serve(&[]));
    begins_anew(&serve(&[("trace-parent", PARENT)]));
    begins_anew(&serve(&[("trace.parent", PARENT)]));
    begins_anew(&serve(&[("traceparent", PARENT), ("traceparent", PARENT)]));
    begins_anew(&serve(&[("traceparent", "not one"), ("traceparent", PARENT)]));
    begins_anew(&serve(&[("tracestate", "foo=1,bar=2")]));
}

#[test]
fn bytes_that_are_no_text_are_a_bad_traceparent() {
    let mut headers = HeaderMap::new();
    headers.append("traceparent", HeaderValue::from_bytes(b"00-\xff\xfe").expect("value"));
    assert_eq!(TraceContext::extract(&headers), None);
    headers.append("traceparent", HeaderValue::from_static(PARENT));
    assert_eq!(TraceContext::extract(&headers), None);
}

#[test]
fn a_bad_traceparent_in_a_span_of_ones_own_loses_nothing() {
    for value in BAD {
        let run = || info_span!("carrier", spanwright.traceparent = *value).in_scope(work);
        begins_anew(&record(run).1);
    }
    goes_on(&record(|| info_span!("carrier", spanwright.traceparent = PARENT).in_scope(work)).1);
    // An agent span that says it of itself is an agent span all the same.
    let agent = || {
        let agent = info_span!("run", gen_ai.operation.name = "invoke_agent", spanwright.traceparent = PARENT);
        agent.in_scope(|| span::step("look up").finish());
    };
    assert_eq!(steps(&record(agent).1), ["look up in run", "run"]);
}

#[test]
fn only_the_flags_that_are_known_are_passed_on() {
    let passed = |flags: &str| {
        let context = TraceContext::parse(&format!("{}{flags}", &PARENT[..53])).expect("a context");
        (context.sampled(), context.traceparent()[53..].to_owned())
    };
    assert_eq!(passed("00"), (false, "00".into()));
    assert_eq!(passed("01"), (true, "01".into()));
    assert_eq!(passed("02"), (false, "02".into()));
    assert_eq!(passed("ff"), (true, "03".into()));
    let future = "cc-12345678901234567890123456789012-1234567890123456-01-more";
    assert_eq!(TraceContext::parse(future).expect("a context").traceparent(), PARENT);
}

/// What goes on of the `tracestate` headers.
fn state(values: &[&str]) -> Option<String> {
    let mut pairs = vec![("traceparent", PARENT)];
    pairs.extend(values.iter().map(|value| ("TraceState", *value)));
    let context = TraceContext::extract(&headers(&pairs)).expect("the trace does not depend on it");
    assert_eq!(context.execution_id().trace_id(), TRACE);
    context.tracestate().map(str::to_owned)
}

#[test]
fn a_good_tracestate_is_passed_on_in_its_order() {
    let key = "abcdefghijklmnopqrstuvwxyz0123456789_-*/";
    let value: String = (0x20..=0x7e_u8).map(char::from).filter(|c| !",=".contains(*c)).collect();
    let long = |key: usize, value: usize| format!("{}={}", "z".repeat(key), "x".repeat(value));
    let numbered =
        |from: usize, to: usize| (from..=to).map(|n| format!("bar{n:02}={n:02}")).collect::<Vec<_>>().join(",");
    let cases: &[(&[&str], &str)] = &[
        (&["foo=1,bar=2"], "foo=1,bar=2"),
        (&["foo=1,bar=2", "rojo=1,congo=2", "baz=3"], "foo=1,bar=2,rojo=1,congo=2,baz=3"),
        (&["foo=1", ""], "foo=1"),
        (&["", "foo=1"], "foo=1"),
        (&["foo=1,, \t ,bar=2"], "foo=1,bar=2"),
        (&["foo=1 \t , \t bar=2, \t baz=3"], "foo=1,bar=2,baz=3"),
        (&["\t foo=1 \t"], "foo=1"),
        (&["foo=  1"], "foo=  1"),
        (&[&format!("{key}={value}")], &format!("{key}={value}")),
        (&[&format!("{key}@a-z0-9_-*/={value}")], &format!("{key}@a-z0-9_-*/={value}")),
        // Level 2 of the specification takes `@` for a character like others.
        (&["foo@=1,a@b@c=2,1special=3"], "foo@=1,a@b@c=2,1special=3"),
        (&["foo=1", &long(256, 1)], &format!("foo=1,{}", long(256, 1))),
        (&["foo=1", &long(1, 256)], &format!("foo=1,{}", long(1, 256))),
        (&[&numbered(1, 10), &numbered(11, 30), &numbered(31, 32)], &numbered(1, 32)),
    ];
    cases.iter().for_each(|(sent, passed)| assert_eq!(state(sent).as_deref(), Some(*passed), "{sent:?}"));
}

#[test]
fn a_bad_tracestate_is_dropped_as_a_whole_and_the_trace_is_not() {
    let many = (1..=33).map(|n| format!("bar{n:02}={n:02}")).collect::<Vec<_>>().join(",");
    let (long_key, long_value) = (format!("{}=1", "z".repeat(257)), format!("z={}", "1".repeat(257)));
    let cases: &[&[&str]] = &[
        &[""],
        &[" \t,, "],
        &["foo"],
        &["=1"],
        &["foo=1,foo=1"],
        &["foo=1,foo=2"],
        &["foo=1", "foo=1"],
        &["foo=1", "foo=2"],
        &["foo =1"],
        &["FOO=1"],
        &["foo.bar=1"],
        &["@foo=1,bar=2"],
        &["foo=bar=baz"],
        &["foo=,bar=3"],
        &["foo=1\t2"],
        &[&many],
        &["foo=1", &long_key],
        &["foo=1", &long_value],
    ];
    cases.iter().for_each(|sent| assert_eq!(state(sent), None, "{sent:?}"));
}

#[test]
fn a_tracestate_that_is_too_long_loses_whole_entries_the_large_ones_first() {
    let large = |name: &str| format!("{name}={}", "x".repeat(200));
    let sent = format!("first=1,{},{},{},last=2", large("a"), large("b"), large("c"));
    assert_eq!(state(&[&sent]), Some(format!("first=1,{},{},last=2", large("a"), large("b"))));
    let small: Vec<String> = (0..9).map(|n| format!("k{n}={}", "x".repeat(70))).collect();
    assert_eq!(state(&[&small.join(",")]), Some(small[..6].join(",")));
}

#[test]
fn baggage_is_passed_on_without_its_bad_members_within_its_bounds() {
    let baggage = |sent: &[&str]| {
        let mut pairs = vec![("traceparent", PARENT)];
        pairs.extend(sent.iter().map(|value| ("baggage", *value)));
        TraceContext::extract(&headers(&pairs)).expect("a context").baggage().map(str::to_owned)
    };
    let good = "userId=alice, key = value ;a;b=c, serverNode=DF%2028,empty=,equals=a=b";
    let passed = "userId=alice,key = value ;a;b=c,serverNode=DF%2028,empty=,equals=a=b";
    assert_eq!(baggage(&[good]).as_deref(), Some(passed));
    assert_eq!(baggage(&["a=1", "b=2"]).as_deref(), Some("a=1,b=2"));
    assert_eq!(baggage(&["a=1,no,=2,k ey=3,b=\"q\",c=x\\y,d=a b,e=1;,f=1;p=\"x\",g=2"]).as_deref(), Some("a=1,g=2"));
    assert_eq!(baggage(&["", ",", "no"]), None);
    let many: Vec<String> = (0..200).map(|n| format!("k{n}=1")).collect();
    assert_eq!(baggage(&[&many.join(",")]), Some(many[..64].join(",")));
    let large: Vec<String> = (0..4).map(|n| format!("k{n}={}", "x".repeat(2_500))).collect();
    assert_eq!(baggage(&[&large.join(",")]), Some(large[..3].join(",")));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_and_what_was_read_is_read_again(
        parent in "(00|cc|ff|[0-9a-f]{2})-?[0-9a-fA-F]{31,33}-[0-9a-f]{15,17}-[0-9a-f]{1,3}(-.*)?|.*",
        state in "([a-zA-Z0-9@_ ]{0,6}=?[ -~]{0,160},?){0,12}|.*",
        baggage in "([!-~]{0,9}=[!-~]{0,20}[,;]?){0,90}|.*",
    ) {
        if let Some(context) = TraceContext::parse(&parent) {
            let context = context.with_tracestate(&state).with_baggage(&baggage);
            let mut headers = HeaderMap::new();
            context.inject(&mut headers);
            prop_assert_eq!(TraceContext::extract(&headers), Some(context));
        }
        let context = TraceContext::parse(PARENT).expect("good").with_tracestate(&state).with_baggage(&baggage);
        prop_assert!(context.tracestate().is_none_or(|list| list.len() <= 512));
        prop_assert!(context.baggage().is_none_or(|list| list.len() <= 8_192));
        let mut headers = HeaderMap::new();
        context.inject(&mut headers);
        prop_assert_eq!(TraceContext::extract(&headers), Some(context));
    }
}
