//! A metric as OTLP's message `Metric`.

use super::{
    instruments::Kind,
    series::{Attributes, Histogram, Label, Metric, Sum},
};
use crate::{
    Timestamp,
    otlp::{
        encode::{
            Form, Item, Packed, Scalar,
            fields::{Field, histogram, histogram_point, metric, number_point, of_scope, sum},
            nanos,
        },
        settings::Temporality,
        sink::Value,
    },
};

/// The time that numbers are of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    pub(super) temporality: Temporality,
}

/// A metric's numbers of some time.
pub(super) struct Told<'a>(pub(super) &'a Metric, pub(super) Window);

/// The attribute of what came after there were too many series.
const OVERFLOW: &str = "otel.metric.overflow";
const ABOUT_POINT_BYTES: usize = 300;

impl Item for Told<'_> {
    fn write(&self, form: &mut impl Form) {
        let Self(told, window) = self;
        let about = (told.points.len() + 1) * ABOUT_POINT_BYTES;
        let open = form.begin(of_scope::METRICS, about);
        form.field(metric::NAME, Scalar::Text(told.instrument.name));
        form.field(metric::DESCRIPTION, Scalar::Text(told.instrument.description));
        form.field(metric::UNIT, Scalar::Text(told.instrument.unit));
        let temporality = Scalar::Number(number(window.temporality));
        match told.instrument.kind {
            Kind::Counter => {
                let data = form.open(metric::SUM, about);
                points(form, sum::DATA_POINTS, told, window);
                form.field(sum::TEMPORALITY, temporality);
                form.field(sum::IS_MONOTONIC, Scalar::Bool(true));
                form.close(data);
            }
            Kind::Histogram(_) => {
                let data = form.open(metric::HISTOGRAM, about);
                points(form, histogram::DATA_POINTS, told, window);
                form.field(histogram::TEMPORALITY, temporality);
                form.close(data);
            }
        }
        form.close(open);
    }
}

/// `AggregationTemporality`
const fn number(temporality: Temporality) -> u32 {
    match temporality {
        Temporality::Delta => 1,
        Temporality::Cumulative => 2,
    }
}

fn points(form: &mut impl Form, field: Field, told: &Metric, window: &Window) {
    for (attributes, sum) in &told.points {
        point(form, field, (told, sum), window, |form, field| named(form, field, attributes));
    }
    if let Some(sum) = &told.overflow {
        point(form, field, (told, sum), window, |form, field| form.attribute(field, OVERFLOW, Value::Bool(true)));
    }
}

fn named<F: Form>(form: &mut F, field: Field, attributes: &Attributes) {
    for (key, label) in attributes {
        let value = match label {
            Label::Text(text) => Value::Text(text),
            Label::Int(number) => Value::Int(*number),
        };
        form.attribute(field, key, value);
    }
}

fn point<F: Form>(
    form: &mut F,
    field: Field,
    (told, sum): (&Metric, &Sum),
    window: &Window,
    attributes: impl Fn(&mut F, Field),
) {
    let open = form.open(field, ABOUT_POINT_BYTES);
    // Both messages have these fields under the same numbers.
    form.field(number_point::START_TIME, nanos(window.start));
    form.field(number_point::TIME, nanos(window.end));
    match (sum, told.instrument.kind) {
        (Sum::Histogram(sum), Kind::Histogram(bounds)) => {
            distribution(form, sum, bounds);
            attributes(form, histogram_point::ATTRIBUTES);
            form.present(histogram_point::MIN, Scalar::Double(sum.min));
            form.present(histogram_point::MAX, Scalar::Double(sum.max));
        }
        (Sum::Counter(sum), _) => {
            let sum = i64::try_from(*sum).unwrap_or(i64::MAX);
            form.present(number_point::AS_INT, Scalar::SignedFixed64(sum));
            attributes(form, number_point::ATTRIBUTES);
        }
        (Sum::Histogram(_), Kind::Counter) => {}
    }
    form.close(open);
}

fn distribution(form: &mut impl Form, sum: &Histogram, bounds: &[f64]) {
    form.field(histogram_point::COUNT, Scalar::Fixed64(sum.count));
    form.present(histogram_point::SUM, Scalar::Double(sum.sum));
    form.packed(histogram_point::BUCKET_COUNTS, Packed::Fixed64(&sum.buckets));
    form.packed(histogram_point::EXPLICIT_BOUNDS, Packed::Double(bounds));
}
