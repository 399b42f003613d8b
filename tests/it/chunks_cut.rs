//! Streams that break off, and chunks in any order: nothing stays open, and what is told stays true.

use crate::layer::record;
use proptest::{collection::vec, prelude::*, sample::select};
use spanwright::{
    StreamEvent,
    event::{Body, OpenThings},
    span::{self, ChunkReader},
};

macro_rules! tapes {
    ($($name:literal)*) => {
        const TAPES: &[(&str, &str)] = &[$(($name, include_str!(concat!("tapes/", $name, ".sse"))),)*];
    };
}

tapes! {
    "anthropic_error" "anthropic_refusal" "anthropic_text" "anthropic_tools" "chat_choices" "chat_error"
    "chat_reasoning" "chat_refusal" "chat_text" "chat_tools" "gemini_blocked" "gemini_error" "gemini_text"
    "gemini_tools" "responses_error" "responses_failed" "responses_incomplete" "responses_refusal" "responses_text"
    "responses_tools"
}

fn chunks(tape: &'static str) -> Vec<&'static str> {
    tape.lines().filter(|line| line.starts_with("data:")).collect()
}

fn read(lines: &[&str]) -> Vec<StreamEvent> {
    record(|| {
        let llm = span::llm("m");
        let mut reader = ChunkReader::new();
        lines.iter().for_each(|line| reader.json(&llm, line));
        reader.end(&llm);
        llm.finish();
    })
}

/// All the text, and the type of the error if the call failed.
fn text_and_failure(events: &[StreamEvent]) -> (String, Option<String>) {
    let mut text = String::new();
    let mut failure = None;
    for event in events {
        match &event.body {
            Body::TextDelta(piece) => text.push_str(&piece.delta),
            Body::LlmCallFailed(failed) => failure = failed.error_type.as_ref().map(ToString::to_string),
            _ => {}
        }
    }
    (text, failure)
}

/// Everything that began ends once, by its own end, before its execution does.
fn assert_each_ends(events: &[StreamEvent]) {
    let mut open = OpenThings::new(events[0].execution_id.clone().expect("an execution"));
    for event in &events[..events.len() - 1] {
        open.apply(event);
    }
    assert_eq!(open.len(), 1, "only the execution is open before its end: {open:?}");
    open.apply(&events[events.len() - 1]);
    assert!(open.is_empty());
}

#[test]
fn an_answer_cut_anywhere_fails_where_its_provider_always_says_that_it_is_over() {
    for (name, tape) in TAPES {
        let chunks = chunks(tape);
        let (whole, ending) = text_and_failure(&read(&chunks));
        for cut in 1..chunks.len() {
            let events = read(&chunks[..cut]);
            assert_each_ends(&events);
            let (text, failure) = text_and_failure(&events);
            assert!(whole.starts_with(&text), "{name} cut at {cut}");
            let over = chunks[..cut].iter().any(|chunk| is_last(chunk, &chunks[..cut]));
            let expected = if name.starts_with("gemini") || over { None } else { Some("incomplete_stream") };
            assert_eq!(failure.as_deref(), expected, "{name} cut at {cut}");
        }
        let breaks = ["_error", "_failed"].iter().any(|end| name.ends_with(end));
        assert_eq!(ending.is_some(), breaks, "{name} as a whole: {ending:?}");
    }
}

/// Whether the answer is over with this chunk, as its provider's documentation has it; of two choices, with the second.
fn is_last(chunk: &str, before: &[&str]) -> bool {
    let reasons = before.iter().filter(|chunk| chunk.contains(r#""finish_reason":""#)).count();
    let choices = if before.iter().any(|chunk| chunk.contains(r#""index":1,"delta":{"role""#)) { 2 } else { 1 };
    chunk.contains(r#""type":"message_stop""#)
        || chunk.contains(r#""type":"response.completed""#)
        || chunk.contains(r#""type":"response.incomplete""#)
        || reasons == choices
}

#[test]
fn an_answer_that_is_dropped_half_way_is_cancelled_and_not_incomplete() {
    let events = record(|| {
        let llm = span::llm("m");
        let mut reader = ChunkReader::new();
        chunks(TAPES[8].1)[..3].iter().for_each(|line| reader.json(&llm, line));
    });
    assert_each_ends(&events);
    let outcomes = events.iter().filter_map(|event| match &event.body {
        Body::LlmCallFailed(failed) => Some((failed.outcome.clone(), failed.error_type.clone())),
        _ => None,
    });
    let outcomes: Vec<_> = outcomes.collect();
    assert_eq!(outcomes, [(Some(spanwright::event::Outcome::Cancelled), None)]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn chunks_of_all_providers_in_any_order_leave_nothing_open(picks in vec(select(all_chunks()), 0..40)) {
        assert_each_ends(&read(&picks));
    }
}

fn all_chunks() -> Vec<&'static str> {
    TAPES.iter().flat_map(|(_, tape)| chunks(tape)).collect()
}
