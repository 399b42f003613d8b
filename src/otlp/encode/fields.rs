//! The fields of OTLP's messages (opentelemetry-proto 1.10, package `opentelemetry.proto`): their numbers in protobuf, their
//! names in JSON ("OTLP/JSON: the keys of JSON objects are field names converted to lowerCamelCase").

/// A field of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) number: u32,
    pub(crate) name: &'static str,
    /// Whether there may be several: a list in JSON.
    pub(crate) repeated: bool,
}

macro_rules! messages {
    ($($(#[$about:meta])* $message:ident { $($field:ident = $number:literal $name:literal $($repeated:ident)?,)* })*) => {
        $($(#[$about])* pub(crate) mod $message {
            use super::Field;
            $(pub(crate) const $field: Field =
                Field { number: $number, name: $name, repeated: messages!(@is $($repeated)?) };)*
        })*
    };
    (@is) => { false };
    (@is repeated) => { true };
}

messages! {
    /// `common.v1.AnyValue`
    any_value {
        STRING = 1 "stringValue",
        BOOL = 2 "boolValue",
        INT = 3 "intValue",
        DOUBLE = 4 "doubleValue",
        ARRAY = 5 "arrayValue",
        KVLIST = 6 "kvlistValue",
    }
    /// `common.v1.ArrayValue`
    array_value {
        VALUES = 1 "values" repeated,
    }
    /// `common.v1.KeyValueList`
    key_value_list {
        VALUES = 1 "values" repeated,
    }
    /// `common.v1.KeyValue`
    key_value {
        KEY = 1 "key",
        VALUE = 2 "value",
    }
    /// `common.v1.InstrumentationScope`
    scope {
        NAME = 1 "name",
        VERSION = 2 "version",
    }
    /// `resource.v1.Resource`
    resource {
        ATTRIBUTES = 1 "attributes" repeated,
    }
    /// `collector.*.v1.Export*ServiceRequest`
    request {
        SPANS = 1 "resourceSpans" repeated,
        METRICS = 1 "resourceMetrics" repeated,
        LOGS = 1 "resourceLogs" repeated,
    }
    /// `trace.v1.ResourceSpans` and its likes
    of_resource {
        RESOURCE = 1 "resource",
        SPANS = 2 "scopeSpans" repeated,
        METRICS = 2 "scopeMetrics" repeated,
        LOGS = 2 "scopeLogs" repeated,
    }
    /// `trace.v1.ScopeSpans` and its likes
    of_scope {
        SCOPE = 1 "scope",
        SPANS = 2 "spans" repeated,
        METRICS = 2 "metrics" repeated,
        LOGS = 2 "logRecords" repeated,
        SCHEMA_URL = 3 "schemaUrl",
    }
    /// `trace.v1.Span`
    span {
        TRACE_ID = 1 "traceId",
        SPAN_ID = 2 "spanId",
        PARENT_SPAN_ID = 4 "parentSpanId",
        NAME = 5 "name",
        KIND = 6 "kind",
        START_TIME = 7 "startTimeUnixNano",
        END_TIME = 8 "endTimeUnixNano",
        ATTRIBUTES = 9 "attributes" repeated,
        EVENTS = 11 "events" repeated,
        DROPPED_EVENTS_COUNT = 12 "droppedEventsCount",
        LINKS = 13 "links" repeated,
        STATUS = 15 "status",
        FLAGS = 16 "flags",
    }
    /// `trace.v1.Span.Event`
    span_event {
        TIME = 1 "timeUnixNano",
        NAME = 2 "name",
        ATTRIBUTES = 3 "attributes" repeated,
    }
    /// `trace.v1.Span.Link`
    span_link {
        TRACE_ID = 1 "traceId",
        SPAN_ID = 2 "spanId",
        ATTRIBUTES = 4 "attributes" repeated,
        FLAGS = 6 "flags",
    }
    /// `trace.v1.Status`
    status {
        MESSAGE = 2 "message",
        CODE = 3 "code",
    }
    /// `logs.v1.LogRecord`
    log_record {
        TIME = 1 "timeUnixNano",
        SEVERITY_NUMBER = 2 "severityNumber",
        SEVERITY_TEXT = 3 "severityText",
        ATTRIBUTES = 6 "attributes" repeated,
        FLAGS = 8 "flags",
        TRACE_ID = 9 "traceId",
        SPAN_ID = 10 "spanId",
        OBSERVED_TIME = 11 "observedTimeUnixNano",
        EVENT_NAME = 12 "eventName",
    }
    /// `metrics.v1.Metric`
    metric {
        NAME = 1 "name",
        DESCRIPTION = 2 "description",
        UNIT = 3 "unit",
        SUM = 7 "sum",
        HISTOGRAM = 9 "histogram",
    }
    /// `metrics.v1.Sum`
    sum {
        DATA_POINTS = 1 "dataPoints" repeated,
        TEMPORALITY = 2 "aggregationTemporality",
        IS_MONOTONIC = 3 "isMonotonic",
    }
    /// `metrics.v1.Histogram`
    histogram {
        DATA_POINTS = 1 "dataPoints" repeated,
        TEMPORALITY = 2 "aggregationTemporality",
    }
    /// `metrics.v1.NumberDataPoint`
    number_point {
        START_TIME = 2 "startTimeUnixNano",
        TIME = 3 "timeUnixNano",
        AS_INT = 6 "asInt",
        ATTRIBUTES = 7 "attributes" repeated,
    }
    /// `metrics.v1.HistogramDataPoint`; its two times are those of `NumberDataPoint`.
    histogram_point {
        COUNT = 4 "count",
        SUM = 5 "sum",
        BUCKET_COUNTS = 6 "bucketCounts",
        EXPLICIT_BOUNDS = 7 "explicitBounds",
        ATTRIBUTES = 9 "attributes" repeated,
        MIN = 11 "min",
        MAX = 12 "max",
    }
}
