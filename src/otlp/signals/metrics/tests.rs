//! Sums, and how they are written.

use super::{
    Meter,
    instruments::{self, COST_OF_CALL, INPUT_TOKENS, Kind, OPERATION_DURATION, TOOL_DURATION},
    message::{Told, Window},
    series::{Attributes, MAX_SERIES, Series},
};
use crate::{
    ExecutionId, Json, Timestamp,
    event::{ToolInputAvailable, ToolOutputAvailable},
    otlp::{
        delivery::{Counters, Outlet, Sent},
        encode::Envelope,
        settings::{Encoding, Naming, Temporality},
        span::{Calls, Output, Run, Span},
        transport::{Reply, Signal, Transport},
    },
    semconv,
};
use opentelemetry_proto::tonic::{
    collector::metrics::v1::ExportMetricsServiceRequest,
    common::v1::{KeyValue, any_value::Value as Any},
    metrics::v1::{Histogram, HistogramDataPoint, Metric, metric::Data, number_data_point},
};
use proptest::{collection::vec, prelude::*};
use prost::Message;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

fn of_model(model: &str) -> Attributes {
    vec![(semconv::OPERATION_NAME, "chat".into()), (semconv::REQUEST_MODEL, model.into())]
}

fn request(encoding: Encoding, series: &Series) -> Vec<u8> {
    let (start, end) = (Timestamp::from_unix_nanos(1_000), Timestamp::from_unix_nanos(2_000));
    let window = Window { start, end, temporality: Temporality::Cumulative };
    let mut envelope = Envelope::new(encoding, Signal::Metrics, &[("service.name".into(), "s".into())]);
    let items: Vec<Vec<u8>> = series
        .metrics()
        .map(|metric| {
            let mut out = Vec::new();
            envelope.encode(&Told(metric, window), &mut out);
            out
        })
        .collect();
    let mut out = Vec::new();
    envelope.wrap(&items.iter().map(Vec::as_slice).collect::<Vec<_>>(), &mut out);
    out
}

/// As receivers of protobuf and of JSON read it: both the same, and as prost writes it.
fn metrics(series: &Series) -> Vec<Metric> {
    let bytes = request(Encoding::Protobuf, series);
    let mut read = ExportMetricsServiceRequest::decode(bytes.as_slice()).expect("protobuf");
    assert!(read.encode_to_vec() == bytes, "not as prost writes it");
    let json = request(Encoding::Json, series);
    let json: ExportMetricsServiceRequest = serde_json::from_slice(&json).expect("OTLP JSON");
    assert_eq!(json, read);
    read.resource_metrics.remove(0).scope_metrics.remove(0).metrics
}

fn histogram(metric: &Metric) -> &Histogram {
    match &metric.data {
        Some(Data::Histogram(histogram)) => histogram,
        other => panic!("{other:?}"),
    }
}

fn text(attribute: &KeyValue) -> (&str, Option<&Any>) {
    (&attribute.key, attribute.value.as_ref().and_then(|value| value.value.as_ref()))
}

fn counted(point: &HistogramDataPoint) -> u64 {
    point.bucket_counts.iter().sum()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn every_value_is_in_the_one_bucket_that_ends_with_it_or_after(
        values in vec((0..3_usize, prop_oneof![0.0..200.0, Just(0.01), Just(81.92), Just(0.0)]), 1..60),
    ) {
        let mut series = Series::default();
        let models = ["a", "b", "c"];
        for (model, value) in &values {
            series.record(&OPERATION_DURATION, of_model(models[*model]), *value);
        }
        let told = metrics(&series);
        prop_assert_eq!(told.len(), 1);
        for point in &histogram(&told[0]).data_points {
            let (_, model) = text(&point.attributes[1]);
            let of = |(index, _): &&(usize, f64)| model == Some(&Any::StringValue(models[*index].to_owned()));
            let own: Vec<f64> = values.iter().filter(of).map(|(_, value)| *value).collect();
            for (bucket, count) in point.bucket_counts.iter().enumerate() {
                let above = |value: f64| bucket == 0 || value > point.explicit_bounds[bucket - 1];
                let below = |value: f64| point.explicit_bounds.get(bucket).is_none_or(|bound| value <= *bound);
                let expected = own.iter().filter(|value| above(**value) && below(**value)).count();
                prop_assert_eq!(*count, expected as u64);
            }
            prop_assert_eq!(point.count, own.len() as u64);
            prop_assert_eq!(point.count, counted(point));
            prop_assert_eq!(point.sum, Some(own.iter().sum::<f64>()));
            prop_assert_eq!(point.min, own.iter().copied().reduce(f64::min));
            prop_assert_eq!(point.max, own.iter().copied().reduce(f64::max));
        }
    }
}

#[test]
fn series_past_the_bound_are_one_that_says_so() {
    let mut series = Series::default();
    for model in 0..MAX_SERIES + 500 {
        series.record(&OPERATION_DURATION, of_model(&model.to_string()), 1.0);
    }
    series.record(&OPERATION_DURATION, of_model("0"), 1.0);
    series.record(&TOOL_DURATION, vec![(semconv::TOOL_NAME, "search".into())], 1.0);
    let told = metrics(&series);
    let points = &histogram(&told[0]).data_points;
    assert_eq!(points.len(), MAX_SERIES);
    assert_eq!(points.iter().map(counted).sum::<u64>(), MAX_SERIES as u64 + 501);
    let last = points.last().expect("a series for the rest");
    let names: Vec<_> = last.attributes.iter().map(text).collect();
    assert_eq!(names, [("otel.metric.overflow", Some(&Any::BoolValue(true)))]);
    assert_eq!(counted(last), 501);
    assert_eq!(histogram(&told[1]).data_points.len(), 1);
}

#[test]
fn what_is_no_number_is_not_summed_up() {
    let mut series = Series::default();
    for cost in [0.25, f64::NAN, f64::INFINITY, 0.5] {
        series.record(&COST_OF_CALL, of_model("a"), cost);
    }
    let told = metrics(&series);
    let point = &histogram(&told[0]).data_points[0];
    assert_eq!((point.count, point.sum, point.max), (2, Some(0.75), Some(0.5)));
}

/// From, by how much more each, to. "ExplicitBucketBoundaries" of the GenAI conventions.
fn growing(from: f64, factor: f64, count: usize) -> Vec<f64> {
    let bounds = std::iter::successors(Some(from), |bound| Some(bound * factor)).take(count);
    bounds.map(|bound| (bound * 1e5).round() / 1e5).collect()
}

#[test]
fn names_units_and_boundaries_are_those_of_the_conventions() {
    let workflow = vec![1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0];
    let (call, agent, calls) = (growing(0.01, 2.0, 14), growing(0.1, 2.0, 13), growing(1.0, 2.0, 8));
    let tokens = growing(1.0, 4.0, 14);
    assert_eq!((call[13], agent[12], calls[7], tokens[13]), (81.92, 409.6, 128.0, 67_108_864.0));
    let document = include_str!("../../../../docs/otlp.md");
    for instrument in instruments::ALL {
        let name = instrument.name.strip_prefix("gen_ai.").expect("a metric of the conventions");
        let (unit, bounds) = match name {
            "client.operation.cost" => ("{cost}", Some(growing(0.00001, 4.0, 12))),
            "client.token.usage" | "client.inference.operation.input_tokens" => ("{token}", Some(tokens.clone())),
            "client.inference.operation.output_tokens" => ("{token}", Some(tokens.clone())),
            "invoke_agent.inference_calls" => ("{inference_call}", Some(calls.clone())),
            "invoke_agent.tool_calls" => ("{tool_call}", Some(calls.clone())),
            "invoke_agent.duration" => ("s", Some(agent.clone())),
            "invoke_workflow.duration" => ("s", Some(workflow.clone())),
            "client.operation.duration" | "client.inference.duration" | "execute_tool.duration" => {
                ("s", Some(call.clone()))
            }
            "client.operation.time_to_first_chunk" | "client.inference.time_to_first_chunk" => {
                ("s", Some(call.clone()))
            }
            counter if counter.starts_with("client.inference.usage.") => ("{token}", None),
            other => panic!("no convention has {other}"),
        };
        assert_eq!(instrument.unit, unit, "{name}");
        match instrument.kind {
            Kind::Counter => assert_eq!(bounds, None, "{name}"),
            Kind::Histogram(boundaries) => assert_eq!(Some(boundaries.to_vec()), bounds, "{name}"),
        }
        let last = name.rsplit_once('.').map_or(name, |(_, last)| last);
        assert!(document.contains(&format!("{last}`")), "{name}");
    }
}

#[test]
fn a_counter_is_a_sum_that_only_grows() {
    let mut series = Series::default();
    for tokens in [0.0, 3.0, 4.0] {
        series.record(&INPUT_TOKENS, of_model("a"), tokens);
    }
    let told = metrics(&series);
    let Some(Data::Sum(sum)) = &told[0].data else { panic!("{told:?}") };
    assert!(sum.is_monotonic);
    assert_eq!(sum.aggregation_temporality, 2);
    let point = &sum.data_points[0];
    assert_eq!(point.value, Some(number_data_point::Value::AsInt(7)));
    assert_eq!((point.start_time_unix_nano, point.time_unix_nano), (1_000, 2_000));
    assert_eq!(
        (told[0].name.as_str(), told[0].unit.as_str()),
        ("gen_ai.client.inference.usage.input_tokens", "{token}")
    );
}

/// Answers in this order, then accepts; counts what it got.
struct Answers(Vec<Reply>, Arc<AtomicUsize>);

impl Transport for Answers {
    fn send(&mut self, _: Signal, body: &[u8]) -> Reply {
        assert!(!body.is_empty());
        self.1.fetch_add(1, Relaxed);
        if self.0.is_empty() { Reply::Accepted } else { self.0.remove(0) }
    }
}

fn a_tool_call() -> Output {
    let run = Run {
        execution_id: ExecutionId::from_trace_id(7),
        trace_id: 7,
        session_id: None,
        tenant_id: None,
        user_id: None,
    };
    Output::Finished(Box::new(Span {
        run: Arc::new(run),
        span_id: 1,
        parent: None,
        links: Vec::new(),
        start: Timestamp::from_unix_nanos(1),
        end: Timestamp::from_unix_nanos(2),
        opener: ToolInputAvailable::new("c", "search", Json::null()).into(),
        closer: Some(ToolOutputAvailable::new("c", Json::null()).into()),
        facts: Vec::new(),
        dropped_facts: 0,
        agent: None,
        calls: Calls::default(),
        unended: false,
    }))
}

#[test]
fn what_is_refused_is_given_up_and_counted_and_what_may_be_tried_again_stays() {
    let (requests, counters) = (Arc::new(AtomicUsize::new(0)), Arc::new(Counters::default()));
    let answers = vec![
        Reply::Retry { after: None, why: "busy".into() },
        Reply::TooLarge("too large".into()),
        Reply::Refused("no".into()),
        Reply::Partial { rejected: 3, message: "three points".into() },
    ];
    let form = (Encoding::Protobuf, Naming::Compat, Temporality::Delta);
    let mut meter = Meter::new(form, &[], Box::new(Answers(answers, requests.clone())), counters.clone());
    meter.take(a_tool_call());
    assert!(!meter.is_full() && !meter.is_empty());
    assert_eq!(meter.send(), Sent::Again { after: None, why: "busy".into() });
    assert!(!meter.is_empty());
    for _ in 0..4 {
        assert_eq!(meter.send(), Sent::Settled);
        assert!(meter.is_empty());
        meter.take(a_tool_call());
    }
    let stats = counters.read();
    assert_eq!((stats.accepted, stats.rejected, stats.dropped), (1, 1, 2));
    assert_eq!((stats.requests, requests.load(Relaxed)), (5, 5));
}
