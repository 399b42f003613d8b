//! The chat turn: `stream_started ping* (delta | tool)* citations? (done | error)`.

use super::{answer, id, names, told, told_of};
use expect_test::expect;
use spanwright::{
    StreamEvent,
    event::{
        Body, ErrorCategory, ErrorCode, ExecutionCancelled, ExecutionEnd, ExecutionError, ExecutionFailed,
        ExecutionStart, Outcome, TextDelta, TextEnd, TextStart,
    },
    wire::{Dialect, Run, Translator},
};

#[test]
fn a_turn_is_told_in_the_words_of_the_grammar_with_its_sources_before_its_end() {
    expect![[r#"
        event: stream_started
        data: {"request_id":"exec_00000000000000000000000000001a2b","message_id":"exec_00000000000000000000000000001a2b","is_new_turn":true}

        event: delta
        data: {"type":"reasoning","content":"Look it up."}

        event: tool
        data: {"phase":"start","name":"search","details":{"call_id":"call_1"}}

        event: tool
        data: {"phase":"done","name":"search","details":{"call_id":"call_1","output":"3 hits"}}

        event: delta
        data: {"type":"text","content":"Rust is "}

        event: delta
        data: {"type":"text","content":"a language."}

        event: citations
        data: {"items":[{"source":"web","title":"Rust","url":"https://rust-lang.org","snippet":""}]}

        event: done
        data: {"usage":{"input_tokens":10,"output_tokens":4},"effective_model":"gpt-4o-2024-08-06","selected_model":"gpt-4o","quota_decision":"allow"}

    "#]].assert_eq(&told(Dialect::Chat, answer()));
}

#[test]
fn a_turn_that_is_told_again_says_that_it_is_not_new() {
    let again = told_of(Dialect::Chat, Run::new(id()).replayed(true), answer());
    assert!(again.contains(r#""is_new_turn":false"#), "{again}");
}

#[test]
fn a_failure_is_one_error_with_the_grammars_code_and_nothing_after_it() {
    let failed = |category, code: Option<ErrorCode>| {
        let mut error = ExecutionError::new(category, "no");
        error.code = code;
        let stream = told(Dialect::Chat, [ExecutionStart::new().into(), ExecutionFailed::new(error).into()]);
        let last = stream.lines().rfind(|line| line.starts_with("data: ")).expect("data").to_owned();
        serde_json::from_str::<serde_json::Value>(&last[6..]).expect("JSON")["code"].as_str().expect("code").to_owned()
    };
    assert_eq!(failed(ErrorCategory::LlmError, Some(ErrorCode::RateLimit)), "rate_limited");
    assert_eq!(failed(ErrorCategory::LlmError, Some(ErrorCode::Timeout)), "provider_timeout");
    assert_eq!(failed(ErrorCategory::LlmError, None), "provider_error");
    assert_eq!(failed(ErrorCategory::ToolError, None), "tool_error");
    assert_eq!(failed(ErrorCategory::LlmError, Some(ErrorCode::AuthFailed)), "auth_failed");
}

#[test]
fn a_turn_that_is_cancelled_or_cut_off_has_an_end_all_the_same() {
    let cancelled = told(Dialect::Chat, [ExecutionStart::new().into(), ExecutionCancelled::new("by the user").into()]);
    assert_eq!(names(&cancelled), ["stream_started", "error"]);
    let cut = told(Dialect::Chat, [ExecutionStart::new().into(), TextStart::new("t").into()]);
    assert_eq!(names(&cut), ["stream_started", "error"]);
    assert!(cut.contains(r#""code":"stream_interrupted""#), "{cut}");
}

#[test]
fn what_comes_after_the_end_or_out_of_order_is_counted_and_not_said() {
    let mut translator = Translator::new(Dialect::Chat, &Run::new(id())).expect("chat");
    let mut out = String::new();
    let bodies: [Body; 6] = [
        ExecutionStart::new().into(),
        ExecutionStart::new().into(),
        TextDelta::new("t", "said").into(),
        TextEnd::new("t").final_text("said").into(),
        ExecutionEnd::new(1).into(),
        TextDelta::new("t", "late").into(),
    ];
    bodies.into_iter().for_each(|body| translator.event(&StreamEvent::new(body), &mut out));
    assert_eq!(names(&out), ["stream_started", "delta", "done"]);
    // The second start, the piece of a text that had not begun, the piece after the end.
    assert_eq!(translator.repairs(), 3);
}

#[test]
fn the_ping_is_an_event_between_the_start_and_the_first_content_and_else_a_comment() {
    let mut translator = Translator::new(Dialect::Chat, &Run::new(id())).expect("chat");
    let mut out = String::new();
    assert_eq!(translator.ping(), ": keep-alive\n\n", "nothing comes before the start");
    translator.event(&StreamEvent::new(ExecutionStart::new()), &mut out);
    assert_eq!(translator.ping(), "event: ping\ndata: {}\n\n");
    translator.event(&StreamEvent::new(TextDelta::new("t", "x")), &mut out);
    assert_eq!(translator.ping(), ": keep-alive\n\n");
}

#[test]
fn an_end_that_was_not_a_good_one_is_an_error() {
    for outcome in [Outcome::Cancelled, Outcome::TimedOut, Outcome::Error] {
        let end = ExecutionEnd::new(1).outcome(outcome.clone());
        let told = told(Dialect::Chat, [ExecutionStart::new().into(), end.into()]);
        assert_eq!(names(&told), ["stream_started", "error"], "{outcome}");
        assert!(told.contains(&format!("\"code\":\"{outcome}\"")), "{told}");
    }
}
