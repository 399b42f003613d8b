//! What the attributes keep of arguments, outputs and errors, and what they are told to leave alone.

use std::fmt;

use serde::Serialize;
use spanwright::semconv;
use spanwright::span::{self, Decision, Score, Verdict};
use spanwright::{evaluator, guardrail, llm, memory, retriever, step, tool};

use crate::record::{block_on, record_one};

/// Whoever looks at it has failed.
struct Untouchable;

impl Serialize for Untouchable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("it was looked at")
    }
}

impl AsRef<str> for Untouchable {
    fn as_ref(&self) -> &str {
        panic!("it was looked at")
    }
}

impl fmt::Display for Untouchable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("it was looked at")
    }
}

#[tool(redact(secret, _hidden, right), skip(token))]
fn hiding(
    query: &str,
    secret: Untouchable,
    _hidden: Untouchable,
    token: Untouchable,
    (left, right): (u8, Untouchable),
) {
    let _ = (query, secret, token, left, right);
}

#[retriever(redact(query))]
fn hiding_a_query(query: Untouchable, other: &str) {
    let _ = (query, other);
}

#[llm(redact(model))]
fn hiding_a_model(model: Untouchable) {
    let _ = model;
}

#[test]
fn a_redacted_argument_is_named_and_never_looked_at_and_a_skipped_one_is_not_even_named() {
    let seen = record_one(|| hiding("q", Untouchable, Untouchable, Untouchable, (1, Untouchable)));
    assert_eq!(
        seen.get(semconv::TOOL_CALL_ARGUMENTS),
        r#"{"query":"q","secret":"[redacted]","_hidden":"[redacted]","left":1,"right":"[redacted]"}"#
    );
    let query = record_one(|| hiding_a_query(Untouchable, "other"));
    assert_eq!(query.get(semconv::RETRIEVAL_QUERY_TEXT), "other");
    let model = record_one(|| hiding_a_model(Untouchable));
    assert_eq!((model.get(semconv::REQUEST_MODEL), model.get(semconv::INPUT_VALUE)), ("", r#"{"model":"[redacted]"}"#));
}

#[tool(ret = false)]
fn silent() -> Result<Untouchable, String> {
    Ok(Untouchable)
}

#[memory(recall, ret = false)]
fn counted() -> Vec<Untouchable> {
    vec![Untouchable, Untouchable]
}

#[guardrail(ret = false)]
fn judged() -> bool {
    false
}

#[step(ret, err)]
fn said_aloud(fail: bool) -> Result<u8, String> {
    if fail { Err("no".to_owned()) } else { Ok(1) }
}

#[test]
fn without_ret_an_output_is_not_looked_at_but_for_its_count_or_verdict() {
    let tool = record_one(silent);
    assert_eq!((tool.outcome(), tool.get(semconv::TOOL_CALL_RESULT)), ("ok", ""));
    let memory = record_one(counted);
    assert_eq!((memory.get(semconv::OUTPUT_VALUE), memory.get(semconv::MEMORY_RECORD_COUNT)), ("", "2"));
    let guardrail = record_one(judged);
    assert_eq!((guardrail.get(semconv::OUTPUT_VALUE), guardrail.get(semconv::GUARDRAIL_DECISION)), ("", "block"));
    assert_eq!(record_one(|| said_aloud(false)).get(semconv::OUTPUT_VALUE), "1");
    assert_eq!(record_one(|| said_aloud(true)).get(semconv::OTEL_STATUS_DESCRIPTION), "no");
}

#[tool(err = false)]
async fn discreet() -> Result<u8, std::io::Error> {
    Err(std::io::Error::other("the password is sesame"))
}

#[test]
fn without_err_the_type_of_an_error_is_kept_and_its_message_is_not() {
    let seen = record_one(|| block_on(discreet()).unwrap_err());
    assert_eq!((seen.outcome(), seen.get("error.type")), ("error", "std::io::error::Error"));
    assert_eq!((seen.get("otel.status_code"), seen.get("otel.status_description")), ("error", ""));
    assert!(!format!("{seen:?}").contains("sesame"));
}

#[evaluator]
fn number(n: f32) -> f32 {
    n
}

#[evaluator(name = "grounded")]
async fn yes(is: bool) -> Result<bool, String> {
    Ok(is)
}

#[evaluator]
fn undecided() -> Option<u8> {
    None
}

#[evaluator]
fn no_score() -> &'static str {
    "fine"
}

#[derive(Debug)]
struct Judgement;

impl Score for Judgement {
    fn score(&self) -> Option<f64> {
        Some(0.75)
    }
    fn label(&self) -> Option<&str> {
        Some("relevant")
    }
    fn explanation(&self) -> Option<&str> {
        Some("it answers")
    }
}

/// A type may be both; which is asked is the attribute's choice.
impl Verdict for Judgement {
    fn decision(&self) -> Decision {
        Decision::Pass
    }
}

#[evaluator]
fn relevance() -> Result<Judgement, String> {
    Ok(Judgement)
}

#[test]
fn an_evaluator_keeps_its_score_whatever_type_bears_it() {
    let score = |seen: &crate::record::Seen| {
        [semconv::EVALUATION_SCORE, semconv::EVALUATION_LABEL, semconv::EVALUATION_EXPLANATION]
            .map(|field| seen.get(field).to_owned())
    };
    let of_number = record_one(|| number(0.5));
    assert_eq!((of_number.title(), of_number.get(semconv::EVALUATION_NAME)), ("evaluate number", "number"));
    assert_eq!(score(&of_number), ["0.5", "", ""]);
    let of_bool = record_one(|| block_on(yes(false)));
    assert_eq!((of_bool.title(), of_bool.get(semconv::CALLABLE_NAME)), ("evaluate grounded", "yes"));
    assert_eq!(score(&of_bool), ["0", "fail", ""]);
    assert_eq!(score(&record_one(|| block_on(yes(true)))), ["1", "pass", ""]);
    assert_eq!(score(&record_one(relevance)), ["0.75", "relevant", "it answers"]);
    assert_eq!(score(&record_one(undecided)), ["", "", ""]);
    assert_eq!(score(&record_one(no_score)), ["", "", ""]);
}

#[test]
fn an_evaluation_is_told_as_a_step_with_its_score() {
    let events = crate::told::record(|| drop(relevance()));
    let said: Vec<_> = events.iter().map(crate::told::json).collect();
    let types: Vec<_> = said.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(
        types,
        ["data-execution-start", "data-step-start", "data-evaluation-scored", "data-step-end", "data-execution-end"]
    );
    assert_eq!((&said[1]["step_type"], &said[1]["name"]), (&"EvaluatorNode".into(), &"relevance".into()));
    assert_eq!((&said[2]["name"], &said[2]["score"]), (&"relevance".into(), &0.75.into()));
    assert_eq!((&said[2]["label"], &said[2]["explanation"]), (&"relevant".into(), &"it answers".into()));
    assert_eq!(said[2]["step_id"], said[1]["step_id"]);
}

#[test]
fn a_score_that_is_no_number_is_not_told() {
    let events = crate::told::record(|| assert!(number(f32::NAN).is_nan()));
    assert!(events.iter().all(|event| event.kind() != spanwright::event::Kind::EvaluationScored), "{events:?}");
}

/// Its own code panics whenever it is asked what it is.
struct Loud;

impl fmt::Debug for Loud {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        std::panic::resume_unwind(Box::new("loud"))
    }
}

impl fmt::Display for Loud {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        std::panic::resume_unwind(Box::new("loud"))
    }
}

impl std::error::Error for Loud {}

#[tool]
fn loud(argument: Loud, fails: bool) -> Result<Loud, Loud> {
    if fails { Err(argument) } else { Ok(argument) }
}

#[test]
fn a_value_that_panics_when_it_is_read_is_not_told_and_the_program_goes_on() {
    let seen = record_one(|| assert!(loud(Loud, false).is_ok()));
    assert_eq!(seen.outcome(), "ok");
    assert_eq!(seen.get(semconv::TOOL_CALL_ARGUMENTS), r#"{"argument":null,"fails":false}"#);
    assert_eq!(seen.get(semconv::TOOL_CALL_RESULT), "null");
    let failed = record_one(|| assert!(loud(Loud, true).is_err()));
    assert_eq!((failed.outcome(), failed.get("otel.status_description")), ("error", ""));
    assert!(failed.get("error.type").ends_with("Loud"), "{failed:?}");
    let by_hand = record_one(|| assert!(span::tool("x").in_scope(|| Err::<(), _>(Loud)).is_err()));
    assert_eq!(by_hand.outcome(), "error");
}
