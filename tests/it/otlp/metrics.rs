//! Metrics: what the conventions want measured, of the same spans.

use super::exported::{SOON, record, recorder};
use crate::scratch::Scratch;
use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    common::v1::any_value::Value as Any,
    metrics::v1::{HistogramDataPoint, Metric, metric::Data, number_data_point},
};
use spanwright::{
    Json, Recorder, StepId, StreamEvent,
    event::{
        AgentEnd, AgentStart, ExecutionEnd, ExecutionStart, LlmCallEnd, LlmCallFailed, LlmCallStart, Outcome,
        Retrieval, StepEnd, StepStart, StepType, TokenUsage, ToolFailure, ToolInputAvailable, ToolOutputAvailable,
        ToolOutputError,
    },
    otlp::{Delivery, Destination, Naming, Signal, Temporality},
};
use std::path::Path;

fn of(number: u64, body: impl Into<StreamEvent>) -> StreamEvent {
    body.into().of_step(StepId::from_span_id(number))
}

fn start(destination: Destination, recorder: &Recorder) -> Delivery {
    let destination = destination.traces(false).metrics(true).from_beginning(true);
    destination.start(recorder.log().expect("a log").clone()).expect("started")
}

/// What was sent, request by request.
fn requests(file: &Path) -> Vec<Vec<Metric>> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let read = |line| serde_json::from_str::<ExportMetricsServiceRequest>(line).expect("OTLP JSON");
    text.lines().map(|line| read(line).resource_metrics.remove(0).scope_metrics.remove(0).metrics).collect()
}

/// A series in short: its metric, its attributes without `gen_ai.`, how many values, their sum.
fn told(metrics: &[Metric]) -> Vec<String> {
    metrics.iter().flat_map(series).collect()
}

/// In whatever order.
fn check(told: Vec<String>, expected: impl IntoIterator<Item = String>) {
    let sorted = |lines: Vec<String>| {
        let mut lines = lines;
        lines.sort();
        lines.join("\n")
    };
    assert_eq!(sorted(told), sorted(expected.into_iter().collect()));
}

fn series(metric: &Metric) -> Vec<String> {
    let name = metric.name.trim_start_matches("gen_ai.");
    match metric.data.as_ref().expect("data") {
        Data::Histogram(data) => data
            .data_points
            .iter()
            .map(|point| format!("{name}{} {}", of_point(&point.attributes), sum(point)))
            .collect(),
        Data::Sum(data) => {
            let value = |point: &number_data_point::Value| match point {
                number_data_point::Value::AsInt(value) => *value,
                other => panic!("{other:?}"),
            };
            let one = |point: &opentelemetry_proto::tonic::metrics::v1::NumberDataPoint| {
                format!("{name}{} = {}", of_point(&point.attributes), value(point.value.as_ref().expect("value")))
            };
            data.data_points.iter().map(one).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn sum(point: &HistogramDataPoint) -> String {
    format!("{}x {}", point.count, point.sum.expect("sum"))
}

fn of_point(attributes: &[opentelemetry_proto::tonic::common::v1::KeyValue]) -> String {
    let one = |pair: &opentelemetry_proto::tonic::common::v1::KeyValue| {
        let value = pair.value.as_ref().and_then(|value| value.value.as_ref());
        let value = match value {
            Some(Any::StringValue(value)) => value.clone(),
            Some(Any::IntValue(value)) => value.to_string(),
            other => panic!("{other:?}"),
        };
        format!("{}={value}", pair.key.trim_start_matches("gen_ai."))
    };
    format!("{{{}}}", attributes.iter().map(one).collect::<Vec<_>>().join(" "))
}

/// All that is measured of these events, under these names.
fn measured(naming: Naming, events: impl IntoIterator<Item = StreamEvent>) -> Vec<Metric> {
    let (folder, recorder) = (Scratch::new(), recorder());
    record(&recorder, 0, events);
    let delivery = start(Destination::file(folder.file("run.jsonl")).naming(naming), &recorder);
    delivery.flush().wait(SOON).expect("delivered");
    assert_eq!(delivery.stats(Signal::Metrics).accepted, 1);
    delivery.shutdown(SOON).expect("ended");
    let mut requests = requests(&folder.file("run.metrics.jsonl"));
    assert_eq!(requests.len(), 1);
    requests.remove(0)
}

/// From 1 ms on, each a ms after the one before: an agent whose first model call fails, the second asks for a tool, and a
/// sub-agent with a model call of its own.
fn a_run() -> Vec<StreamEvent> {
    let asked = |parent| LlmCallStart::new("a", 1).model("m").provider("openai").parent_step_id(step(parent));
    let used = TokenUsage::new(100, 10, 110, 110)
        .model("m-1")
        .cost_usd(0.25)
        .cached_tokens(40)
        .audio_input_tokens(30)
        .reasoning_tokens(4);
    vec![
        of(1, ExecutionStart::new().name("a")),
        of(2, asked(1)),
        of(2, LlmCallFailed::new("no").error_type("rate_limit").outcome(Outcome::Error)),
        of(3, asked(1)),
        of(3, LlmCallEnd::new(1).model("m-1").time_to_first_chunk_ms(20)),
        of(3, used),
        of(4, ToolInputAvailable::new("c1", "search", Json::null()).parent_step_id(step(1))),
        of(4, ToolOutputAvailable::new("c1", Json::null())),
        of(5, ToolInputAvailable::new("c2", "search", Json::null()).parent_step_id(step(1))),
        of(5, ToolOutputError::new("c2", "no", ToolFailure::Error).error_type("io")),
        of(6, AgentStart::new("b").parent_step_id(step(1))),
        of(7, asked(6)),
        of(7, LlmCallEnd::new(1).prompt_tokens(1).completion_tokens(2)),
        of(6, AgentEnd::new(3)),
        of(1, ExecutionEnd::new(15)),
    ]
}

fn step(number: u64) -> StepId {
    StepId::from_span_id(number)
}

#[test]
fn a_run_is_measured_under_the_names_that_back_ends_read() {
    let metrics = measured(Naming::Compat, a_run());
    let call = "operation.name=chat provider.name=openai request.model=m";
    check(
        told(&metrics),
        [
            format!("client.operation.duration{{{call} error.type=rate_limit}} 1x 0.001"),
            format!("client.operation.duration{{{call} response.model=m-1}} 1x 0.001"),
            format!("client.operation.duration{{{call}}} 1x 0.001"),
            format!("client.operation.time_to_first_chunk{{{call} response.model=m-1}} 1x 0.02"),
            format!("client.token.usage{{{call} response.model=m-1 token.type=input}} 1x 100"),
            format!("client.token.usage{{{call} response.model=m-1 token.type=output}} 1x 10"),
            format!("client.token.usage{{{call} token.type=input}} 1x 1"),
            format!("client.token.usage{{{call} token.type=output}} 1x 2"),
            "execute_tool.duration{tool.name=search tool.type=function agent.name=a error.type=io} 1x 0.001".to_owned(),
            "execute_tool.duration{tool.name=search tool.type=function agent.name=a} 1x 0.001".to_owned(),
            "invoke_agent.duration{agent.name=a} 1x 0.014".to_owned(),
            "invoke_agent.duration{agent.name=b} 1x 0.003".to_owned(),
            "invoke_agent.inference_calls{agent.name=a} 1x 2".to_owned(),
            "invoke_agent.inference_calls{agent.name=b} 1x 1".to_owned(),
            "invoke_agent.tool_calls{agent.name=a} 1x 2".to_owned(),
            "invoke_agent.tool_calls{agent.name=b} 1x 0".to_owned(),
        ],
    );
}

#[test]
fn with_the_newest_names_tokens_are_counters_and_money_is_told() {
    let metrics = measured(Naming::Latest, a_run());
    let call = "operation.name=chat provider.name=openai request.model=m";
    let (of_agents, of_calls): (Vec<_>, Vec<_>) =
        told(&metrics).into_iter().partition(|line| !line.starts_with("client"));
    assert_eq!(of_agents.len(), 8);
    let usage = |what: &str, rest: &str| format!("client.inference.usage.{what}{{{call} {rest}");
    let answered = "response.model=m-1";
    check(
        of_calls,
        [
            format!("client.inference.duration{{{call} error.type=rate_limit}} 1x 0.001"),
            format!("client.inference.duration{{{call} {answered}}} 1x 0.001"),
            format!("client.inference.duration{{{call}}} 1x 0.001"),
            format!("client.inference.operation.input_tokens{{{call} {answered}}} 1x 100"),
            format!("client.inference.operation.input_tokens{{{call}}} 1x 1"),
            format!("client.inference.operation.output_tokens{{{call} {answered}}} 1x 10"),
            format!("client.inference.operation.output_tokens{{{call}}} 1x 2"),
            format!("client.inference.time_to_first_chunk{{{call} {answered}}} 1x 0.02"),
            usage("cache_read.input_tokens", "response.model=m-1 token.modality=unknown} = 40"),
            usage("input_tokens", "response.model=m-1 token.modality=audio} = 30"),
            usage("input_tokens", "response.model=m-1 token.modality=unknown} = 70"),
            // The failed call is in it, with nothing used.
            usage("input_tokens", "token.modality=unknown} = 1"),
            usage("output_tokens", "response.model=m-1 token.modality=unknown} = 10"),
            usage("output_tokens", "token.modality=unknown} = 2"),
            usage("reasoning.output_tokens", "response.model=m-1 token.modality=unknown} = 4"),
            format!("client.operation.cost{{{call} {answered} usage.cost.currency=USD}} 1x 0.25"),
        ],
    );
}

#[test]
fn sums_go_on_from_one_sending_to_the_next_unless_only_what_is_new_is_wanted() {
    for (temporality, second) in [(Temporality::Cumulative, "2x 0.06"), (Temporality::Delta, "1x 0.03")] {
        let (folder, recorder) = (Scratch::new(), recorder());
        let delivery = start(Destination::file(folder.file("run.jsonl")).temporality(temporality), &recorder);
        record(&recorder, 0, [ExecutionStart::new().into(), Retrieval::new("q", 1, 30).into()]);
        delivery.flush().wait(SOON).expect("delivered");
        record(&recorder, 100, [Retrieval::new("q", 1, 30).into()]);
        delivery.flush().wait(SOON).expect("delivered");
        delivery.flush().wait(SOON).expect("nothing new, and nothing sent");
        let requests = requests(&folder.file("run.metrics.jsonl"));
        let lines: Vec<Vec<String>> = requests.iter().map(|metrics| told(metrics)).collect();
        let line = |sum| vec![format!("client.operation.duration{{operation.name=retrieval}} {sum}")];
        assert_eq!(lines, [line("1x 0.03"), line(second)], "{temporality:?}");
        let window = |metrics: &[Metric]| match metrics[0].data.as_ref().expect("data") {
            Data::Histogram(data) => (data.data_points[0].start_time_unix_nano, data.data_points[0].time_unix_nano),
            other => panic!("{other:?}"),
        };
        let (first, next) = (window(&requests[0]), window(&requests[1]));
        let starts = if temporality == Temporality::Delta { first.1 } else { first.0 };
        assert_eq!(next.0, starts);
    }
}

#[test]
fn metrics_hold_no_content() {
    let asked = LlmCallStart::new("a", 1).model("m").input(Json::text("canary")).parent_step_id(step(1));
    let events = [
        of(1, ExecutionStart::new().name("a").input(Json::text("canary"))),
        of(2, asked),
        of(2, LlmCallEnd::new(1).output(Json::text("canary"))),
        of(1, ExecutionEnd::new(3).final_output("canary")),
    ];
    assert!(!format!("{:?}", measured(Naming::Compat, events)).contains("canary"));
}

#[test]
fn calls_are_told_apart_by_the_server_that_they_went_to() {
    let fields = |json: &str| Json::parse(json).expect("JSON");
    let asked = |server| LlmCallStart::new("a", 1).model("m").parent_step_id(step(1)).fields(fields(server));
    let metrics = measured(
        Naming::Compat,
        [
            of(1, ExecutionStart::new().name("a")),
            of(2, asked(r#"{"server.address":"one","server.port":8443}"#)),
            of(2, LlmCallEnd::new(1)),
            of(3, asked(r#"{"server.address":"two"}"#)),
            of(3, LlmCallEnd::new(1)),
            of(4, StepStart::new(StepType::RetrieverNode, "r").fields(fields(r#"{"server.address":"three"}"#))),
            of(4, Retrieval::new("q", 1, 1)),
            of(4, StepEnd::new(1)),
            of(1, ExecutionEnd::new(15)),
        ],
    );
    let calls: Vec<String> = told(&metrics).into_iter().filter(|line| line.starts_with("client.")).collect();
    check(
        calls,
        [
            "client.operation.duration{operation.name=chat request.model=m server.address=one server.port=8443} 1x 0.001"
                .to_owned(),
            "client.operation.duration{operation.name=chat request.model=m server.address=two} 1x 0.001".to_owned(),
            "client.operation.duration{operation.name=retrieval server.address=three} 1x 0.002".to_owned(),
        ],
    );
}
