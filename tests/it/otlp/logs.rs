//! Log events: verdicts, failed calls, and what a model call was, where that is asked for.

use super::exported::{SOON, arrived, deliver, record, recorder};
use crate::scratch::Scratch;
use opentelemetry_proto::tonic::{
    collector::logs::v1::ExportLogsServiceRequest,
    common::v1::{KeyValue, any_value::Value as Any},
    logs::v1::LogRecord,
};
use serde_json::{Value, json};
use spanwright::{
    Json, Recorder, StepId, StreamEvent,
    event::{
        AgentEnd, AgentStart, ArtifactCreated, Error as FinalError, ErrorCategory, EvaluationScored, ExecutionEnd,
        ExecutionError, ExecutionStart, FeedbackReceived, FeedbackType, LlmCallEnd, LlmCallFailed, LlmCallStart,
        StepEnd, StepStart, StepType, TokenUsage,
    },
    otlp::{Capture, Destination, Signal},
};
use std::path::Path;

fn of(number: u64, body: impl Into<StreamEvent>) -> StreamEvent {
    body.into().of_step(StepId::from_span_id(number))
}

/// The log events that a destination with this much content gets.
fn told(capture: Capture, events: impl IntoIterator<Item = StreamEvent>) -> Vec<LogRecord> {
    told_by(|destination| destination.capture(capture), events)
}

fn told_by(set: impl Fn(Destination) -> Destination, events: impl IntoIterator<Item = StreamEvent>) -> Vec<LogRecord> {
    let (folder, recorder) = (Scratch::new(), recorder());
    record(&recorder, 0, events);
    deliver_logs(set(Destination::file(folder.file("run.jsonl"))), &recorder);
    records(&folder.file("run.logs.jsonl"))
}

fn deliver_logs(destination: Destination, recorder: &Recorder) {
    let destination = destination.traces(false).logs(true).from_beginning(true);
    let delivery = destination.start(recorder.log().expect("a log").clone()).expect("started");
    delivery.flush().wait(SOON).expect("delivered");
    delivery.shutdown(SOON).expect("ended");
    let stats = delivery.stats(Signal::Logs);
    assert_eq!((stats.rejected, stats.dropped, stats.undecodable), (0, 0, 0), "{stats:?}");
}

fn records(file: &Path) -> Vec<LogRecord> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let requests = text.lines().map(|line| serde_json::from_str::<ExportLogsServiceRequest>(line).expect("OTLP JSON"));
    requests.flat_map(|mut request| request.resource_logs.remove(0).scope_logs.remove(0).log_records).collect()
}

/// The attributes as JSON: ints as numbers, structures as structures.
fn attributes(list: &[KeyValue]) -> Value {
    let pair = |pair: &KeyValue| (pair.key.clone(), plain(pair.value.as_ref().and_then(|value| value.value.as_ref())));
    Value::Object(list.iter().map(pair).collect())
}

fn plain(value: Option<&Any>) -> Value {
    match value {
        None => Value::Null,
        Some(Any::StringValue(text)) => json!(text),
        Some(Any::BoolValue(value)) => json!(value),
        Some(Any::IntValue(value)) => json!(value),
        Some(Any::DoubleValue(value)) => json!(value),
        Some(Any::ArrayValue(array)) => array.values.iter().map(|value| plain(value.value.as_ref())).collect(),
        Some(Any::KvlistValue(list)) => attributes(&list.values),
        Some(other) => panic!("{other:?}"),
    }
}

/// Name, span and attributes of each.
fn shown(records: &[LogRecord]) -> Vec<(&str, u64, Value)> {
    let span = |record: &LogRecord| record.span_id.iter().fold(0, |id, byte| id << 8 | u64::from(*byte));
    records.iter().map(|record| (record.event_name.as_str(), span(record), attributes(&record.attributes))).collect()
}

const EVALUATION: &str = "gen_ai.evaluation.result";

#[test]
fn a_verdict_is_told_of_the_span_that_was_judged() {
    let told = told(
        Capture::SpansAndEvents,
        [
            of(1, ExecutionStart::new().name("a")),
            of(2, AgentStart::new("writer").parent_step_id(StepId::from_span_id(1))),
            of(3, StepStart::new(StepType::EvaluatorNode, "judge").parent_step_id(StepId::from_span_id(2))),
            of(3, EvaluationScored::new("relevance").score(0.5).label("pass").explanation("on the point")),
            of(3, StepEnd::new(1)),
            of(2, EvaluationScored::new("length").score(f64::NAN).label("short")),
            of(2, AgentEnd::new(4)),
            of(1, ExecutionEnd::new(6)),
        ],
    );
    assert_eq!(
        shown(&told),
        [
            (
                EVALUATION,
                2,
                json!({
                    "gen_ai.evaluation.name": "relevance",
                    "gen_ai.evaluation.score.value": 0.5,
                    "gen_ai.evaluation.score.label": "pass",
                    "gen_ai.evaluation.explanation": "on the point",
                }),
            ),
            (EVALUATION, 2, json!({"gen_ai.evaluation.name": "length", "gen_ai.evaluation.score.label": "short"})),
        ],
    );
    let first = &told[0];
    assert_eq!(first.trace_id, 7_u128.to_be_bytes());
    assert_eq!((first.time_unix_nano, first.observed_time_unix_nano), (4_000_000, 4_000_000));
    assert_eq!((first.severity_number, first.flags), (0, 1));
}

#[test]
fn what_a_person_says_is_a_verdict_also_when_all_is_over() {
    let feedback = |kind, words: &str| FeedbackReceived::new(kind).score(1.0).comment(words).user_id("user-1");
    let told = told(
        Capture::Events,
        [
            of(1, ExecutionStart::new().name("a")),
            of(1, feedback(FeedbackType::Rating, "good so far")),
            of(1, ExecutionEnd::new(2)),
            feedback(FeedbackType::ThumbsUp, "good").into(),
        ],
    );
    let expected = |label: &str, words: &str| {
        let told = json!({
            "gen_ai.evaluation.name": "feedback",
            "gen_ai.evaluation.score.value": 1.0,
            "gen_ai.evaluation.score.label": label,
            "gen_ai.evaluation.explanation": words,
            "user.id": "user-1",
        });
        (EVALUATION, 1, told)
    };
    assert_eq!(shown(&told), [expected("rating", "good so far"), expected("thumbs_up", "good")]);
}

#[test]
fn a_model_call_that_failed_is_an_exception_of_the_type_that_its_span_says() {
    let events = || {
        [
            of(1, ExecutionStart::new().name("a")),
            of(2, LlmCallStart::new("a", 1).model("m").parent_step_id(StepId::from_span_id(1))),
            of(2, LlmCallFailed::new("too many requests").error_type("rate_limit")),
            of(1, ExecutionEnd::new(3)),
        ]
    };
    let told = told(Capture::Off, events());
    let expected = json!({"exception.type": "rate_limit", "exception.message": "too many requests"});
    assert_eq!(shown(&told), [("gen_ai.client.operation.exception", 2, expected)]);
    assert_eq!((told[0].severity_number, told[0].severity_text.as_str()), (13, "WARN"));
    let (folder, recorder) = (Scratch::new(), recorder());
    record(&recorder, 0, events());
    deliver(&Destination::file(folder.file("run.jsonl")), &recorder);
    let spans = arrived(&folder.file("run.jsonl"));
    let failed = spans.iter().find(|span| span.is_error).expect("the failed span");
    assert_eq!(failed.attributes["error.type"], "rate_limit");
}

fn a_model_call() -> [StreamEvent; 4] {
    let asked = json!([{"role": "user", "parts": [{"type": "text", "content": "canary-question"}]}]);
    let answer = json!([{"role": "assistant", "parts": [{"type": "text", "content": "canary-answer"}]}]);
    [
        of(1, ExecutionStart::new().name("a").session_id("s")),
        of(
            2,
            LlmCallStart::new("a", 1)
                .model("m")
                .provider("openai")
                .input(Json::of(&asked))
                .parent_step_id(StepId::from_span_id(1)),
        ),
        of(2, LlmCallEnd::new(1).prompt_tokens(3).completion_tokens(4).output(Json::of(&answer))),
        of(1, ExecutionEnd::new(3)),
    ]
}

#[test]
fn a_model_call_is_told_with_structured_messages_where_that_is_asked_for() {
    for capture in [Capture::Events, Capture::SpansAndEvents] {
        let told = told(capture, a_model_call());
        let shown = shown(&told);
        let [(name, span, attributes)] = shown.as_slice() else { panic!("{shown:?}") };
        assert_eq!((*name, *span), ("gen_ai.client.inference.operation.details", 2));
        assert_eq!((told[0].severity_number, told[0].severity_text.as_str()), (5, "DEBUG"));
        assert_eq!(attributes["gen_ai.operation.name"], "chat");
        assert_eq!(attributes["gen_ai.usage.input_tokens"], 3);
        let question = &attributes["gen_ai.input.messages"][0];
        assert_eq!(question["role"], "user");
        assert_eq!(question["parts"][0], json!({"type": "text", "content": "canary-question"}));
        assert_eq!(attributes["gen_ai.output.messages"][0]["parts"][0]["content"], "canary-answer");
        let keys: Vec<&String> = attributes.as_object().expect("object").keys().collect();
        assert!(keys.iter().all(|key| !key.starts_with("openinference") && *key != "input.value"), "{keys:?}");
    }
}

#[test]
fn without_content_on_events_no_details_leave() {
    for capture in [Capture::Off, Capture::Spans] {
        assert!(told(capture, a_model_call()).is_empty());
    }
    let verdict = of(1, FeedbackReceived::new(FeedbackType::ThumbsDown).comment("canary"));
    let events = [of(1, ExecutionStart::new()), verdict, of(1, ExecutionEnd::new(1))];
    let told = told(Capture::Off, events);
    assert!(!format!("{told:?}").contains("canary"));
    assert_eq!(told.len(), 1);
}

#[test]
fn long_words_are_cut_and_say_so() {
    let scored = || of(1, EvaluationScored::new("x").explanation("word ".repeat(2_000)));
    let events = [of(1, ExecutionStart::new()), scored(), of(1, ExecutionEnd::new(1))];
    let told = told_by(|destination| destination.capture(Capture::Events).max_value_bytes(1_000), events);
    let attributes = attributes(&told[0].attributes);
    let words = attributes["gen_ai.evaluation.explanation"].as_str().expect("text");
    assert!(words.len() <= 1_000 && words.contains("[cut: 10000 bytes"), "{words}");
}

#[test]
fn what_is_said_when_all_is_over_is_a_log_event_and_counted_where_only_spans_leave() {
    let events = || {
        [
            of(1, ExecutionStart::new().name("a")),
            of(2, StepStart::new(StepType::FunctionNode, "write").parent_step_id(StepId::from_span_id(1))),
            of(2, StepEnd::new(1)),
            of(1, ExecutionEnd::new(1)),
            of(2, ArtifactCreated::new("a1", "report").size_bytes(12)),
            of(7, TokenUsage::new(1, 2, 3, 3)),
            of(1, FinalError::new(ExecutionError::new(ErrorCategory::NetworkError, "too late"))),
        ]
    };
    let told = told(Capture::Off, events());
    let shown = shown(&told);
    assert_eq!(
        shown[0],
        (
            "spanwright.artifact_created",
            2,
            json!({"spanwright.artifact_id": "a1", "spanwright.artifact_type": "report", "spanwright.size_bytes": 12}),
        )
    );
    assert_eq!(
        (shown[1].0, shown[1].1, &shown[1].2["spanwright.total_tokens"]),
        ("spanwright.token_usage", 1, &json!(3))
    );
    assert_eq!(
        (shown[2].0, &shown[2].2),
        ("exception", &json!({"exception.type": "NetworkError", "exception.message": "too late"}))
    );
    assert_eq!(told.iter().map(|record| record.severity_number).collect::<Vec<_>>(), [0, 0, 13]);
    assert_eq!(shown.len(), 3);
    let (folder, recorder) = (Scratch::new(), recorder());
    record(&recorder, 0, events());
    let destination = Destination::file(folder.file("run.jsonl")).logs(true).from_beginning(true);
    let delivery = destination.start(recorder.log().expect("a log").clone()).expect("started");
    delivery.flush().wait(SOON).expect("delivered");
    let counts =
        [Signal::Traces, Signal::Logs].map(|signal| delivery.stats(signal)).map(|stats| (stats.accepted, stats.late));
    assert_eq!(counts, [(2, 3), (3, 0)]);
}
