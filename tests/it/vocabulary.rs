//! The vocabulary against the reference's golden forms, and against input that means harm.

use crate::shared;
use proptest::prelude::*;
use serde_json::{Value, json};
use spanwright::{
    Cursor, EventId, ExecutionId, Json, StepId, StreamEvent, Timestamp,
    event::{
        Body, Class, ContextSnapshot, ErrorCategory, ErrorCode, ExecutionError, ExecutionEvent, ExecutionEventType,
        GuardrailDecision, GuardrailEvaluated, Kind, LlmCallEnd, PolicyDecision, PolicyVerdict, StreamMode, TextDelta,
    },
};

const REFERENCE_EXECUTION: &str = "exec_2abcDEFghiJKLmnoPQRstuVWXyz";

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim().is_empty())
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// What the gate does to every event that has no place or time yet.
fn stamped(mut event: StreamEvent) -> StreamEvent {
    event.execution_id.get_or_insert_with(|| REFERENCE_EXECUTION.parse().expect("id"));
    event.time.get_or_insert_with(|| Timestamp::from_unix_millis(1_763_692_800_123).expect("time"));
    event
}

fn persisted(event: &StreamEvent, offset: u64) -> Option<ExecutionEvent> {
    ExecutionEvent::from_stream(event, EventId::at(Cursor::new(7, offset)), offset)
}

#[test]
fn every_reference_line_parses_and_is_written_back_the_same() {
    let Some(text) = shared::read("fixtures/seed-stream-events.jsonl") else { return };
    let mut count = 0;
    for line in lines(&text) {
        let event = StreamEvent::from_json(line).expect(line);
        assert!(!matches!(event.body, Body::Unknown(_)), "{line}");
        assert_eq!(value(&event.to_json()), value(line));
        count += 1;
    }
    assert_eq!(count, 78);
}

/// What the persisted form has more than the reference's, and what it has instead. Listed in `docs/events.md`.
fn differs_by_design(tag: &str) -> bool {
    const LOGGED_BY_US: [&str; 10] = [
        "data-text-start",
        "data-text-end",
        "data-start-step",
        "data-finish-step",
        "data-tool-input-start",
        "data-start",
        "data-finish",
        "data-error",
        // The reference loses the parent.
        "data-execution-start",
        // The reference loses the call's own execution and step; ours are on every event.
        "",
    ];
    LOGGED_BY_US.contains(&tag)
}

#[test]
fn the_persisted_forms_are_the_references_except_where_the_design_differs() {
    let (Some(streams), Some(golden)) =
        (shared::read("fixtures/seed-stream-events.jsonl"), shared::read("fixtures/seed-execution-events.jsonl"))
    else {
        return;
    };
    let mut compared = 0;
    for (line, golden) in lines(&streams).zip(lines(&golden)) {
        let event = stamped(StreamEvent::from_json(line).expect(line));
        let golden = value(golden);
        let tag = golden["type"].as_str().expect("tag");
        if differs_by_design(tag) {
            continue;
        }
        let Some(ours) = persisted(&event, 1) else {
            assert_eq!(golden["persisted"], Value::Null, "{tag}");
            continue;
        };
        let mut ours = serde_json::to_value(ours).expect("JSON");
        let fields = ours.as_object_mut().expect("object");
        for added in ["sequence", "trace_id", "span_id", "schema_version"] {
            assert!(fields.remove(added).is_some(), "{added}");
        }
        fields.insert("event_id".into(), json!("<id>"));
        fields.insert("timestamp".into(), json!("<time>"));
        assert_eq!(ours, golden["persisted"], "{tag}");
        compared += 1;
    }
    assert_eq!(compared, 78 - 2 * 9 - 4, "all but those by design and the two kinds of deltas");
}

#[test]
fn the_persisted_start_keeps_the_parent_that_the_reference_loses() {
    let line =
        r#"{"type":"data-execution-start","execution_id":"e","parent_id":"p","parent_type":"webhook","timestamp":1}"#;
    let event = StreamEvent::from_json(line).expect(line);
    let ours = serde_json::to_value(persisted(&event, 1)).expect("JSON");
    assert_eq!(ours["context"]["parent"], json!({"parent_id": "p", "parent_type": "webhook"}));
    assert_eq!(ours["payload"], Value::Null);
}

#[test]
fn what_the_log_keeps_comes_back_as_the_very_event_that_was_streamed() {
    let Some(text) = shared::read("fixtures/seed-stream-events.jsonl") else { return };
    for line in lines(&text) {
        let event = stamped(StreamEvent::from_json(line).expect(line));
        let Some(logged) = persisted(&event, 1) else { continue };
        let json = serde_json::to_string(&logged).expect("JSON");
        let back: ExecutionEvent = serde_json::from_str(&json).expect(&json);
        assert_eq!(back.to_stream(), event, "{json}");
        assert_eq!(back, logged);
    }
}

#[test]
fn every_class_of_the_reference_is_kept_or_widened_on_purpose() {
    let (Some(streams), Some(golden)) =
        (shared::read("fixtures/seed-stream-events.jsonl"), shared::read("fixtures/seed-execution-events.jsonl"))
    else {
        return;
    };
    for (line, golden) in lines(&streams).zip(lines(&golden)) {
        let (event, golden) = (StreamEvent::from_json(line).expect(line), value(golden));
        let shown = |mode: StreamMode| mode.shows(event.class());
        assert_eq!(!shown(StreamMode::Summary), golden["delta"].as_bool().expect("flag"), "{line}");
        let widened = [
            Kind::Error,
            Kind::ExecutionFailed,
            Kind::PermissionRequest,
            Kind::PolicyDecision,
            Kind::GuardrailEvaluated,
            Kind::InboxMessage,
        ];
        if !widened.contains(&event.kind()) {
            assert_eq!(shown(StreamMode::ControlOnly), golden["control"].as_bool().expect("flag"), "{line}");
        }
        assert!(shown(StreamMode::Full) && !shown(StreamMode::Silent));
    }
}

#[test]
fn a_denial_and_a_block_are_control_where_a_pass_is_not() {
    let class = |body: Body| body.class();
    assert_eq!(class(PolicyDecision::new("rm", PolicyVerdict::Deny).into()), Class::Control);
    assert_eq!(class(PolicyDecision::new("ls", PolicyVerdict::Allow).into()), Class::Structural);
    assert_eq!(class(GuardrailEvaluated::new("pii", GuardrailDecision::Block).into()), Class::Control);
    assert_eq!(class(GuardrailEvaluated::new("pii", GuardrailDecision::Warn).into()), Class::Structural);
}

#[test]
fn every_kind_has_a_tag_of_its_own_and_finds_back_by_it() {
    let mut tags: Vec<_> = Kind::ALL.iter().map(|kind| kind.tag()).collect();
    assert!(tags.iter().all(|tag| tag.starts_with("data-")));
    for kind in Kind::ALL {
        assert_eq!(Kind::from_tag(kind.tag()), Some(*kind));
    }
    tags.sort_unstable();
    tags.dedup();
    assert_eq!(tags.len(), Kind::ALL.len());
}

#[test]
fn every_persisted_type_but_two_is_the_type_of_some_kind() {
    let types: Vec<_> = Kind::ALL.iter().filter_map(|kind| kind.event_type()).collect();
    let unused: Vec<_> = ExecutionEventType::ALL.iter().filter(|one| !types.contains(one)).collect();
    assert_eq!(unused, [&ExecutionEventType::ControlCancel, &ExecutionEventType::Unknown]);
}

#[test]
fn an_event_stays_small_enough_to_move_through_a_queue() {
    assert!(size_of::<Body>() <= 80, "{}", size_of::<Body>());
    assert!(size_of::<StreamEvent>() <= 160, "{}", size_of::<StreamEvent>());
}

#[test]
fn numbers_that_are_not_numbers_are_null_and_come_back_as_they_were() {
    let event = StreamEvent::new(ContextSnapshot::new(1, 2, f64::NAN));
    let text = event.to_json();
    assert!(text.contains(r#""utilization_pct":null"#), "{text}");
    let Body::ContextSnapshot(back) = StreamEvent::from_json(&text).expect(&text).body else { panic!("kind") };
    assert!(back.utilization_pct.is_nan());
}

#[test]
fn numbers_that_do_not_fit_are_refused_by_name() {
    for bad in ["-1", "1.5", "1e400", "99999999999999999999999", "\"5\""] {
        let line = format!(r#"{{"type":"data-step-end","duration_ms":{bad}}}"#);
        let error = StreamEvent::from_json(&line).expect_err(bad);
        assert!(error.is_invalid() && error.to_string().contains("data-step-end"), "{error}");
    }
    let most = StreamEvent::from_json(r#"{"type":"data-step-end","duration_ms":18446744073709551615}"#).expect("most");
    assert!(most.to_json().contains("18446744073709551615"));
    let error = StreamEvent::from_json(r#"{"type":"data-ping","timestamp":9223372036854775807}"#).expect_err("time");
    assert!(error.to_string().contains("1678"), "{error}");
}

#[test]
fn ids_with_control_characters_or_no_end_are_refused() {
    for bad in ["", "a\nb", "a\u{0}", "\u{7f}", "\u{85}", &"x".repeat(129)] {
        assert!(ExecutionId::parse(bad).expect_err(bad).is_invalid());
        assert!(StepId::parse(bad).expect_err(bad).is_invalid());
        let line = json!({"type": "data-ping", "execution_id": bad}).to_string();
        assert!(StreamEvent::from_json(&line).is_err(), "{line}");
    }
}

#[test]
fn a_foreign_id_is_kept_and_has_a_trace_id_that_never_changes() {
    let id = ExecutionId::parse("../escape").expect("foreign ids are text, not paths");
    assert_eq!(id.to_string(), "../escape");
    assert_eq!(id.trace_id(), 114_458_566_567_352_654_335_853_630_095_029_216_585);
    let ours = ExecutionId::new();
    assert_eq!(ours.to_string(), format!("exec_{:032x}", ours.trace_id()));
    assert_eq!(ExecutionId::parse(&ours.to_string()).expect("id"), ours);
}

#[test]
fn ids_are_ordered_by_the_time_of_their_making() {
    let first = ExecutionId::new();
    let later = ExecutionId::from_trace_id((first.trace_id() >> 80 << 80) + (1 << 80));
    assert!(first.to_string() < later.to_string());
}

#[test]
fn deep_and_huge_payloads_are_refused_and_deep_ones_within_the_bound_are_not() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(Json::parse(&nested(Json::MAX_DEPTH)).is_ok());
    assert!(Json::parse(&nested(Json::MAX_DEPTH + 1)).is_err());
    let line = format!(r#"{{"type":"data-state-snapshot","state":{}}}"#, nested(1_000_000));
    assert!(StreamEvent::from_json(&line).expect_err("deep").is_invalid());
    let huge = format!("\"{}\"", "x".repeat(Json::MAX_BYTES));
    assert!(Json::parse(&huge).expect_err("huge").to_string().contains("1048576"));
    let wide = format!(r#"{{"type":"data-next-year","x":{}}}"#, nested(100));
    assert!(StreamEvent::from_json(&wide).is_err(), "the bound holds for kinds of another version too");
}

#[test]
fn a_kind_of_another_version_is_kept_as_it_came() {
    let line = r#"{"type":"data-next-year","execution_id":"e","a":[1,{"b":null}],"timestamp":5}"#;
    let event = StreamEvent::from_json(line).expect(line);
    assert_eq!(event.kind(), Kind::Unknown);
    assert_eq!(value(&event.to_json()), value(line));
    let logged = persisted(&event, 1).expect("kept");
    let json = serde_json::to_string(&logged).expect("JSON");
    let back: ExecutionEvent = serde_json::from_str(&json).expect(&json);
    assert_eq!(value(&back.to_stream().to_json()), value(line));
}

#[test]
fn a_word_of_another_version_is_kept_as_it_came() {
    let line = r#"{"type":"data-step-start","step_type":"QuantumNode","name":"x"}"#;
    assert_eq!(value(&StreamEvent::from_json(line).expect(line).to_json()), value(line));
    let snake = r#"{"type":"data-step-discovered","source_type":"llm_output","reason":"r","depth":1}"#;
    assert!(StreamEvent::from_json(snake).expect(snake).to_json().contains(r#""source_type":"llmoutput""#));
}

#[test]
fn a_code_that_no_try_can_help_ends_the_retries_of_its_category() {
    let error = ExecutionError::new(ErrorCategory::LlmError, "no").with_code(ErrorCode::AuthFailed);
    assert!(!error.should_retry());
    assert_eq!(error.retry_policy.max_retries, 0);
    let limited = ExecutionError::new(ErrorCategory::LlmError, "429").with_code(ErrorCode::RateLimit);
    assert!(limited.clone().with_attempt(3).should_retry() && !limited.with_attempt(4).should_retry());
}

#[test]
fn the_wait_between_tries_grows_to_its_cap_and_stays_there() {
    let policy = ErrorCategory::LlmError.retry_policy();
    let seconds = |attempt| policy.delay(attempt).as_secs();
    assert_eq!([1, 2, 3, 5, 6].map(seconds), [1, 2, 4, 16, 30]);
    for attempt in [32, 33, 64, 65, u32::MAX] {
        assert_eq!(seconds(attempt), 30, "attempt {attempt}");
    }
}

#[test]
fn the_providers_own_status_is_better_than_the_categorys() {
    let error = ExecutionError::new(ErrorCategory::LlmError, "x");
    assert_eq!(error.status(), 502);
    assert_eq!(error.with_provider("openai", Some(429)).status(), 429);
}

#[test]
fn a_cursor_that_is_not_one_is_refused() {
    for bad in [
        "",
        "1",
        "-1",
        "00000000000000zz-1",
        "0000000000000001-",
        "0000000000000001--1",
        "1-1",
        "0000000000000001-99999999999999999999",
    ] {
        assert!(bad.parse::<Cursor>().is_err(), "{bad}");
    }
    let cursor = Cursor::new(0xabc, 42);
    assert_eq!(cursor.to_string().parse::<Cursor>().expect("cursor"), cursor);
    assert_eq!(EventId::at(cursor).to_string().parse::<EventId>().expect("id").cursor(), cursor);
}

#[test]
fn a_time_before_the_epoch_or_far_away_never_panics() {
    for nanos in [i64::MIN, -1, 0, 1, i64::MAX] {
        let time = Timestamp::from_unix_nanos(nanos);
        let _ = (time.to_string(), time.unix_millis(), time.since(Timestamp::from_unix_nanos(i64::MAX)));
    }
    let now = Timestamp::now();
    assert_eq!(now.to_string().parse::<Timestamp>().expect("time"), now);
}

proptest! {
    #[test]
    fn any_text_survives_the_writer(id in ".*", delta in any::<String>()) {
        let event = StreamEvent::new(TextDelta::new(id.as_str(), delta.as_str()));
        let text = event.to_json();
        prop_assert_eq!(value(&text), json!({"type": "data-text-delta", "id": id, "delta": delta}));
        prop_assert!(!text.contains(['\n', '\r']));
        prop_assert_eq!(StreamEvent::from_json(&text).expect("back"), event);
    }

    #[test]
    fn any_numbers_survive_the_writer(ms in any::<u64>(), tokens in any::<Option<u64>>(), part in any::<f64>()) {
        let mut end = LlmCallEnd::new(ms);
        end.prompt_tokens = tokens;
        let event = StreamEvent::new(end);
        prop_assert_eq!(StreamEvent::from_json(&event.to_json()).expect("back"), event);
        let Body::ContextSnapshot(back) =
            StreamEvent::from_json(&StreamEvent::new(ContextSnapshot::new(1, 1, part)).to_json()).expect("back").body
        else { panic!("kind") };
        prop_assert!(back.utilization_pct == part || (!part.is_finite() && back.utilization_pct.is_nan()));
    }

    #[test]
    fn no_bytes_make_a_reader_panic(text in any::<String>()) {
        let _ = StreamEvent::from_json(&text);
        let _ = Json::parse(&text);
        let _ = text.parse::<Cursor>();
        let _ = ExecutionId::parse(&text);
    }
}
