//! What is said of how a span ended, of what is not known, and of what was left out.

use super::{
    sink::{attribute, write},
    spans::{self, span},
};
use crate::{
    Json, Text,
    event::{
        AgentEnd, AgentStart, Body, ErrorCategory, ExecutionError, ExecutionLost, ExecutionStart, Holds, LlmCallEnd,
        LlmCallFailed, LlmCallStart, MemoryRecalled, MemoryStored, MemoryType, Note, Outcome, StepFailed, StepStart,
        StepType, TokenUsage, ToolFailure, ToolInputAvailable, ToolOutputError, Treatment, UsageReport,
    },
    otlp::{
        map::Dialect,
        settings::{Naming, OpenInference},
        span::Span,
    },
    semconv,
};
use std::collections::BTreeSet;

const EVERYTHING: Dialect = Dialect { naming: Naming::Compat, openinference: OpenInference::Full, langfuse: true };

/// Type and status line.
fn ending(opener: impl Into<Body>, closer: impl Into<Body>) -> (Option<String>, Option<String>) {
    let span = span(opener, Vec::new(), Some(closer.into()));
    let text = write(&span, &Dialect::default());
    let status = text.lines().find_map(|line| line.strip_prefix("  status: error, "));
    (attribute(&span, &Dialect::default(), semconv::ERROR_TYPE), status.map(str::to_owned))
}

fn failed(error_type: &str, description: &str) -> (Option<String>, Option<String>) {
    (Some(format!("{error_type:?}")), Some(format!("{description:?}")))
}

fn step() -> StepStart {
    StepStart::new(StepType::FunctionNode, "s")
}

fn tool(failure: ToolFailure) -> (Option<String>, Option<String>) {
    let error = ToolOutputError::new("c", "words", failure);
    ending(ToolInputAvailable::new("c", "f", Json::null()), error)
}

#[test]
fn the_type_of_an_error_is_what_is_known_best() {
    let error = |category| ExecutionError::new(category, "words");
    let mut http = error(ErrorCategory::LlmError);
    http.http_status = Some(429);
    assert_eq!(ending(step(), StepFailed::new(http)), failed("429", "words"));
    assert_eq!(ending(step(), StepFailed::new(error(ErrorCategory::NetworkError))), failed("NetworkError", "words"));
    assert_eq!(ending(step(), StepFailed::new(error(ErrorCategory::KernelInternal))), failed("_OTHER", "words"));
    let coded = error(ErrorCategory::KernelInternal).with_code("std::io::Error".into());
    assert_eq!(ending(step(), StepFailed::new(coded).outcome(Outcome::Panicked)), failed("std::io::Error", "words"));
    let late = StepFailed::new(error(ErrorCategory::Timeout)).outcome(Outcome::TimedOut);
    assert_eq!(ending(step(), late), failed("timeout", "words"));
    assert_eq!(ending(LlmCallStart::new("x", 0), LlmCallFailed::new("words")), failed("_OTHER", "words"));
    let agent = AgentEnd::new(1).outcome(Outcome::Error).error("words");
    assert_eq!(ending(AgentStart::new("a"), agent), failed("_OTHER", "words"));
    assert_eq!(ending(ExecutionStart::new(), ExecutionLost::new("words")), failed("lost", "words"));
}

#[test]
fn a_description_is_no_copy_of_the_type() {
    let error = LlmCallFailed::new("reset").error_type("reset");
    assert_eq!(ending(LlmCallStart::new("x", 0), error), failed("reset", ""));
}

#[test]
fn what_was_given_up_is_no_error() {
    for given_up in [ToolFailure::Cancelled, ToolFailure::Skipped, ToolFailure::Unanswered] {
        assert_eq!(tool(given_up), (None, None));
    }
    assert_eq!(tool(ToolFailure::Denied), failed("denied", "words"));
    assert_eq!(tool(ToolFailure::Panicked), failed("panic", "words"));
    assert_eq!(tool(ToolFailure::Error), failed("_OTHER", "words"));
}

#[test]
fn tokens_that_nobody_told_are_not_zero() {
    let end = LlmCallEnd::new(1).prompt_tokens(0).completion_tokens(0).usage(UsageReport::Unknown);
    let text = write(&span(LlmCallStart::new("x", 0), Vec::new(), Some(end.into())), &EVERYTHING);
    assert!(text.contains("spanwright.usage.report = \"unknown\""), "{text}");
    assert!(!text.contains("tokens") && !text.contains("token_count") && !text.contains("usage_details"), "{text}");
}

#[test]
fn the_usage_that_was_told_counts_before_the_end_of_the_call_and_several_are_a_sum() {
    let told = |own| Body::from(TokenUsage::new(own, 1, own + 1, 0).cost_usd(0.5));
    let sum = TokenUsage::new(900, 900, 1800, 0).aggregate(true);
    let end = LlmCallEnd::new(1).prompt_tokens(1000).completion_tokens(1000);
    let span = span(LlmCallStart::new("x", 0), vec![told(10), sum.into(), told(20)], Some(end.into()));
    assert_eq!(attribute(&span, &EVERYTHING, semconv::INPUT_TOKENS).as_deref(), Some("30"));
    assert_eq!(attribute(&span, &EVERYTHING, semconv::USAGE_COST).as_deref(), Some("1.0"));
    assert_eq!(attribute(&span, &EVERYTHING, semconv::USAGE_AGGREGATE), None);
}

#[test]
fn the_sum_of_others_says_that_it_is_one_and_costs_nothing_again() {
    let sum = TokenUsage::new(9, 9, 18, 0).aggregate(true).cost_usd(5.0);
    let text = write(&span(AgentStart::new("a"), vec![sum.into()], None), &EVERYTHING);
    assert!(text.contains("gen_ai.usage.input_tokens = 9") && text.contains("usage.aggregate = true"), "{text}");
    assert!(!text.contains("cost") && !text.contains("token_count") && !text.contains("usage_details"), "{text}");
}

#[test]
fn providers_have_openinferences_names() {
    for (provider, name, system) in [
        ("openai", "openai", "openai"),
        ("mistral_ai", "mistralai", "mistralai"),
        ("azure.ai.openai", "azure", "openai"),
        ("gcp.vertex_ai", "google", "vertexai"),
        ("gcp.gemini", "google", "google"),
        ("x_ai", "xai", "xai"),
        ("moonshot_ai", "moonshot", "moonshot"),
        ("groq", "groq", "groq"),
    ] {
        let span = span(LlmCallStart::new("x", 0).model("m").provider(provider), Vec::new(), None);
        let told = ["llm.provider", "llm.system"].map(|key| attribute(&span, &EVERYTHING, key));
        assert_eq!(told, [Some(format!("{name:?}")), Some(format!("{system:?}"))], "{provider}");
    }
}

/// Back ends leave out what agents sum up, and nothing else.
#[test]
fn what_a_call_around_others_sums_up_is_not_counted_again() {
    let openers: [Body; 2] =
        [LlmCallStart::new("outer", 0).model("m").into(), StepStart::new(StepType::GraphNode, "all").into()];
    for opener in openers {
        let sum = TokenUsage::new(9, 9, 18, 0).aggregate(true).cached_tokens(3);
        let text = write(&span(opener, vec![sum.into()], None), &EVERYTHING);
        assert!(text.contains("usage.aggregate = true"), "{text}");
        assert!(!text.contains("gen_ai.usage.") && !text.contains("token_count"), "{text}");
    }
}

#[test]
fn with_how_it_ended_there_are_no_more_events_than_the_limit() {
    let notes: Vec<Body> = (0..200).map(|at| Note::new("n", Json::of(&at)).into()).collect();
    let failed = LlmCallFailed::new("words").error_type("io");
    let text = write(&span(LlmCallStart::new("x", 0), notes, Some(failed.into())), &Dialect::default());
    assert_eq!(text.matches("\n  event ").count(), 128);
    assert!(text.contains("event exception") && text.contains("73 events dropped"), "{text}");
}

#[test]
fn fields_of_an_unknown_kind_that_have_one_name_here_are_told_once() {
    let unknown = r#"{"type":"data-of-tomorrow","a-b":1,"a_b":2,"execution_id":"e"}"#;
    let event = crate::StreamEvent::from_json(unknown).expect("an event");
    let text = write(&span(AgentStart::new("a"), vec![event.body], None), &Dialect::default());
    assert_eq!(text.matches("spanwright.a_b = ").count(), 1, "{text}");
}

#[test]
fn a_number_that_no_double_holds_is_told_as_it_stands() {
    let values = ["1e999", "-1e999", "9223372036854775808", "1.5"];
    let notes = values.map(|value| Note::new("n", Json::parse(value).expect("JSON")).into()).to_vec();
    let text = write(&span(AgentStart::new("a"), notes, None), &Dialect::default());
    let told: Vec<&str> = text.lines().filter_map(|line| line.trim().strip_prefix("spanwright.value = ")).collect();
    assert_eq!(told, [r#""1e999""#, r#""-1e999""#, "9.223372036854776e18", "1.5"], "{text}");
}

#[test]
fn what_happened_beyond_the_limit_is_counted() {
    let notes = (0..200).map(|at| Note::new("n", Json::of(&at)).into()).collect();
    let mut span = span(AgentStart::new("a"), notes, None);
    span.dropped_facts = 5;
    let text = write(&span, &Dialect::default());
    assert_eq!(text.matches("event spanwright.note").count(), 128);
    assert!(text.contains("77 events dropped"), "{text}");
}

#[test]
fn a_second_fact_of_a_step_is_an_event_of_it() {
    let facts = vec![MemoryRecalled::new("q", 1, 1).into(), MemoryStored::new(MemoryType::Working).into()];
    let text = write(&span(StepStart::new(StepType::MemoryNode, "m"), facts, None), &Dialect::default());
    assert!(text.starts_with("search_memory ") && text.contains("event spanwright.memory_stored"), "{text}");
}

/// As a content policy leaves content out.
struct NoContent;

impl Treatment for NoContent {
    fn leaves_out(&self, holds: Holds) -> bool {
        holds == Holds::Content
    }

    fn text(&mut self, _: &mut Text) {}

    fn json(&mut self, _: &mut Json) {}
}

/// Names that hold what was said, given or found.
const OPT_IN: &[&str] = &[
    "gen_ai.input.messages",
    "gen_ai.output.messages",
    "gen_ai.system_instructions",
    "gen_ai.tool.definitions",
    "gen_ai.tool.call.arguments",
    "gen_ai.tool.call.result",
    "gen_ai.retrieval.query.text",
    "gen_ai.retrieval.documents",
    "gen_ai.memory.query.text",
    "gen_ai.memory.records",
    "gen_ai.evaluation.explanation",
    "input.",
    "output.",
    "langfuse.observation.input",
    "langfuse.observation.output",
    "llm.input_messages",
    "llm.output_messages",
    "tool.parameters",
    "retrieval.documents",
    "spanwright.input",
    "spanwright.output",
];

#[test]
fn without_content_no_name_of_content_is_written_in_any_dialect() {
    let convention = Dialect { openinference: OpenInference::Off, ..Dialect::default() };
    let langfuse = Dialect { langfuse: true, ..convention };
    for mut span in spans::all() {
        without_content(&mut span);
        for dialect in [&Dialect::default(), &EVERYTHING, &convention, &langfuse] {
            let text = write(&span, dialect);
            for line in text.lines().map(str::trim_start) {
                assert!(!OPT_IN.iter().any(|name| line.starts_with(name)), "{line}");
            }
        }
    }
}

fn without_content(span: &mut Span) {
    bodies(span).for_each(|body| *body = body.without_content());
}

fn bodies(span: &mut Span) -> impl Iterator<Item = &mut Body> {
    let facts = span.facts.iter_mut().map(|fact| &mut fact.body);
    std::iter::once(&mut span.opener).chain(facts).chain(&mut span.closer)
}

#[test]
fn what_is_copied_without_content_is_what_a_policy_leaves_of_it() {
    for body in spans::all().iter_mut().flat_map(bodies) {
        let copy = body.without_content();
        body.treat(&mut NoContent);
        assert_eq!(*body, copy);
    }
}

/// Indexed names stand there with `<i>`.
fn as_documented(key: &str) -> String {
    let parts: Vec<&str> = key.split('.').map(|part| if part.parse::<u32>().is_ok() { "<i>" } else { part }).collect();
    parts.join(".")
}

#[test]
fn every_name_that_is_written_stands_in_the_document() {
    let document = include_str!("../../../../docs/otlp.md");
    let latest = Dialect { naming: Naming::Latest, ..EVERYTHING };
    let plain = Dialect { openinference: OpenInference::Off, langfuse: false, ..EVERYTHING };
    let lines: BTreeSet<String> = [EVERYTHING, latest, plain]
        .iter()
        .flat_map(|dialect| spans::all().iter().map(|span| write(span, dialect)).collect::<Vec<_>>())
        .flat_map(|text| {
            text.lines()
                .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect();
    for key in lines.iter().filter_map(|line| Some(line.trim_start().split_once(" = ")?.0)) {
        let name = as_documented(key);
        assert!(document.contains(&format!("`{name}`")), "{name}");
    }
}
