//! Sums, and how they are written.

use super::{
    Meter,
    instruments::{INPUT_TOKENS, OPERATION_DURATION, TOOL_DURATION},
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
