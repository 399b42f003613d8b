//! The signals and how they are called on the way.

use std::fmt;

/// What a request holds; each has a path, a service and a place in the log of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Signal {
    /// Finished spans.
    Traces,
    /// How long, how often, how many tokens.
    Metrics,
    /// What happened, by name: evaluations, exceptions, details of model calls.
    Logs,
}

impl Signal {
    /// In the order of their numbers.
    pub(crate) const ALL: [Self; 3] = [Self::Traces, Self::Metrics, Self::Logs];

    /// "OTLP/HTTP Request": the default paths.
    pub(crate) const fn http_path(self) -> &'static str {
        match self {
            Self::Traces => "/v1/traces",
            Self::Metrics => "/v1/metrics",
            Self::Logs => "/v1/logs",
        }
    }

    /// The methods of OTLP's services, as gRPC calls them.
    pub(crate) const fn grpc_path(self) -> &'static str {
        match self {
            Self::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            Self::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
            Self::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        }
    }

    /// The name in environment variables: `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT`.
    pub(crate) const fn variable(self) -> &'static str {
        match self {
            Self::Traces => "TRACES",
            Self::Metrics => "METRICS",
            Self::Logs => "LOGS",
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Traces => "traces",
            Self::Metrics => "metrics",
            Self::Logs => "logs",
        })
    }
}
