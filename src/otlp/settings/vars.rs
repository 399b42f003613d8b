//! The standard environment variables (specification 1.50: "OpenTelemetry Protocol Exporter", "Environment Variable
//! Specification"; the GenAI conventions' own two).

use super::{Capture, Destination, Encoding, Kind, Naming, Temporality, Way, list, way::Address};
use crate::{Error, otlp::transport::Signal, semconv};
use std::{path::PathBuf, time::Duration};

impl Destination {
    /// As the standard variables say. None where they say that nothing is to be sent.
    ///
    /// | variable | what it says |
    /// |---|---|
    /// | `OTEL_EXPORTER_OTLP_ENDPOINT` | the base address; `http://localhost:4318` (gRPC: 4317) if nothing is said |
    /// | `OTEL_EXPORTER_OTLP_PROTOCOL` | `http/protobuf` (default), `http/json`, `grpc` |
    /// | `OTEL_EXPORTER_OTLP_HEADERS` | `name=value,name=value`, percent-encoded |
    /// | `OTEL_EXPORTER_OTLP_TIMEOUT` | milliseconds for a request |
    /// | `OTEL_EXPORTER_OTLP_COMPRESSION` | `gzip`, `none` |
    /// | `OTEL_EXPORTER_OTLP_CERTIFICATE` | [who is believed](Destination::ca_certificate): a file in PEM |
    /// | `OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE`, `…_CLIENT_KEY` | who we are: files in PEM |
    /// | `OTEL_EXPORTER_OTLP_INSECURE` | for gRPC's addresses without a scheme: `true` for no TLS |
    /// | `OTEL_EXPORTER_OTLP_TRACES_…`, `…_METRICS_…`, `…_LOGS_…` | each of these for one signal; an endpoint is used as it is |
    /// | `OTEL_TRACES_EXPORTER`, `OTEL_METRICS_EXPORTER`, `OTEL_LOGS_EXPORTER` | `otlp` or `none`; traces are sent if nothing is said, the others are not |
    /// | `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_SERVICE_NAME` | the [resource](Destination::resource) |
    /// | `OTEL_SEMCONV_STABILITY_OPT_IN` | with `gen_ai_latest_experimental` in it, the [newest names](Naming::Latest) |
    /// | `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` | [content](Capture): `true`, `false`, `NO_CONTENT`, `SPAN_ONLY`, `EVENT_ONLY`, `SPAN_AND_EVENT` |
    /// | `OTEL_METRIC_EXPORT_INTERVAL` | milliseconds between [two sendings of metrics](Destination::metric_interval) |
    /// | `OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE` | `cumulative` (default), `delta`, `lowmemory` (the same as `delta` for what is measured here) |
    /// | `OTEL_SDK_DISABLED` | with `true` nothing is sent |
    ///
    /// # Errors
    /// `is_config` for a value that cannot be used: which variable, what it held (unless that may be a secret), and what
    /// is accepted.
    pub fn from_env() -> Result<Option<Self>, Error> {
        // What is not UTF-8 is a bad value like another.
        Self::from_vars(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    /// The same from anywhere else than the process's environment.
    ///
    /// ```
    /// use spanwright::otlp::Destination;
    ///
    /// let read = |name: &str| (name == "OTEL_EXPORTER_OTLP_ENDPOINT").then(|| "http://collector:4318".to_owned());
    /// assert!(Destination::from_vars(read)?.is_some());
    /// # Ok::<(), spanwright::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for [`from_env`](Destination::from_env).
    pub fn from_vars(read: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, Error> {
        let vars = Vars(&read);
        if vars.flag("OTEL_SDK_DISABLED")? == Some(true) {
            return Ok(None);
        }
        let mut destination = Self::by(Kind::Http, Address::Base(String::new()));
        for signal in Signal::ALL {
            destination.sent[signal as usize] = vars.is_sent(signal)?;
            destination.ways[signal as usize] = vars.way(signal)?;
        }
        if destination.sent == [false; 3] {
            return Ok(None);
        }
        destination.resource = vars.resource()?;
        destination.naming = vars.naming();
        destination.capture = vars.capture()?;
        destination.temporality = vars.temporality()?;
        if let Some(found) = vars.get("OTEL_METRIC_EXPORT_INTERVAL") {
            destination.metric_interval = milliseconds(&found)?;
        }
        destination.check()?;
        Ok(Some(destination))
    }
}

/// Where variables are read from. "The SDK MUST interpret an empty value of an environment variable the same way as when
/// the variable is unset."
struct Vars<'a>(&'a dyn Fn(&str) -> Option<String>);

/// A value and the name that it has.
struct Found {
    name: String,
    value: String,
}

impl Found {
    fn refuse(&self, accepted: &str) -> Error {
        let shown: String = self.value.chars().take(100).collect();
        Error::config(format!("{}={shown:?}: {accepted} is accepted", self.name))
    }

    fn one_of<T: Clone>(&self, table: &[(&str, T)]) -> Result<T, Error> {
        let row = table.iter().find(|(word, _)| self.value.eq_ignore_ascii_case(word));
        row.map(|(_, meaning)| meaning.clone()).ok_or_else(|| {
            let words: Vec<&str> = table.iter().map(|(word, _)| *word).collect();
            self.refuse(&words.join(" or "))
        })
    }

    fn path(self) -> PathBuf {
        PathBuf::from(self.value)
    }
}

impl Vars<'_> {
    fn get(&self, name: &str) -> Option<Found> {
        let value = self.0(name)?.trim().to_owned();
        (!value.is_empty()).then(|| Found { name: name.to_owned(), value })
    }

    /// "Signal-specific … take precedence".
    fn of(&self, signal: Signal, what: &str) -> Option<Found> {
        let own = self.get(&format!("OTEL_EXPORTER_OTLP_{}_{what}", signal.variable()));
        own.or_else(|| self.get(&format!("OTEL_EXPORTER_OTLP_{what}")))
    }

    /// "Any value that cannot be parsed as a boolean … MUST be interpreted as false"; here it is told instead.
    fn flag(&self, name: &str) -> Result<Option<bool>, Error> {
        self.get(name).map(|found| found.one_of(BOOLEANS)).transpose()
    }

    /// Traces are sent unless that is said to be unwanted; the others are where they are asked for.
    fn is_sent(&self, signal: Signal) -> Result<bool, Error> {
        let Some(found) = self.get(&format!("OTEL_{}_EXPORTER", signal.variable())) else {
            return Ok(signal == Signal::Traces);
        };
        found.one_of(&[("otlp", true), ("none", false)])
    }

    fn way(&self, signal: Signal) -> Result<Way, Error> {
        let protocol = self.of(signal, "PROTOCOL").map(|found| found.one_of(PROTOCOLS)).transpose()?;
        let (kind, encoding) = protocol.unwrap_or((Kind::Http, Encoding::Protobuf));
        let port = if kind == Kind::Grpc { 4317 } else { 4318 };
        let mut way = Way::new(kind, Address::Base(format!("http://localhost:{port}")));
        way.encoding = encoding;
        if let Some(found) = self.of(signal, "TIMEOUT") {
            way.timeout = milliseconds(&found)?;
        }
        if let Some(found) = self.of(signal, "COMPRESSION") {
            way.gzip = found.one_of(&[("gzip", true), ("none", false)])?;
        }
        way.authority = self.of(signal, "CERTIFICATE").map(Found::path);
        way.certificate = self.of(signal, "CLIENT_CERTIFICATE").map(Found::path);
        way.key = self.of(signal, "CLIENT_KEY").map(Found::path);
        self.endpoint(signal, &mut way)?;
        self.headers(signal, &mut way)?;
        Ok(way)
    }

    fn endpoint(&self, signal: Signal, way: &mut Way) -> Result<(), Error> {
        if let Some(found) = self.of(signal, "INSECURE") {
            way.insecure = found.one_of(BOOLEANS)?;
        }
        let Some(found) = self.of(signal, "ENDPOINT") else { return Ok(()) };
        let is_own = found.name.contains(signal.variable());
        way.address = if is_own { Address::Exact(found.value) } else { Address::Base(found.value) };
        way.url(signal).map(drop).map_err(|source| unseen(&found.name).with_source(source))
    }

    fn headers(&self, signal: Signal, way: &mut Way) -> Result<(), Error> {
        let Some(found) = self.of(signal, "HEADERS") else { return Ok(()) };
        let pairs = list::pairs(&found.value);
        way.headers =
            pairs.ok_or_else(|| Error::config(format!("{}: name=value,name=value is accepted", found.name)))?;
        way.headers().map(drop).map_err(|source| unseen(&found.name).with_source(source))
    }

    /// "OTEL_SERVICE_NAME takes precedence" over a `service.name` among the attributes.
    fn resource(&self) -> Result<Vec<(String, String)>, Error> {
        let mut resource = match self.get("OTEL_RESOURCE_ATTRIBUTES") {
            Some(found) => list::pairs(&found.value).ok_or_else(|| found.refuse("key=value,key=value"))?,
            None => Vec::new(),
        };
        let name = self.get("OTEL_SERVICE_NAME").map(|found| (semconv::SERVICE_NAME.to_owned(), found.value));
        resource.extend(name);
        Ok(resource)
    }

    /// A list that others have words in too.
    fn naming(&self) -> Naming {
        let asked = self.get("OTEL_SEMCONV_STABILITY_OPT_IN").map(|found| found.value).unwrap_or_default();
        let is_latest = asked.split(',').any(|word| word.trim() == "gen_ai_latest_experimental");
        if is_latest { Naming::Latest } else { Naming::Compat }
    }

    fn temporality(&self) -> Result<Temporality, Error> {
        let asked = self.get("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE");
        asked.map_or(Ok(Temporality::default()), |found| found.one_of(TEMPORALITIES))
    }

    fn capture(&self) -> Result<Capture, Error> {
        let asked = self.get("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT");
        asked.map_or(Ok(Capture::Off), |found| found.one_of(CAPTURES))
    }
}

const BOOLEANS: &[(&str, bool)] = &[("true", true), ("false", false)];

const PROTOCOLS: &[(&str, (Kind, Encoding))] = &[
    ("http/protobuf", (Kind::Http, Encoding::Protobuf)),
    ("http/json", (Kind::Http, Encoding::Json)),
    ("grpc", (Kind::Grpc, Encoding::Protobuf)),
];

/// "LowMemory: … Delta for Synchronous Counter and Histogram", and there are no others here.
const TEMPORALITIES: &[(&str, Temporality)] =
    &[("cumulative", Temporality::Cumulative), ("delta", Temporality::Delta), ("lowmemory", Temporality::Delta)];

/// The older style said only whether; then it goes wherever it can.
const CAPTURES: &[(&str, Capture)] = &[
    ("true", Capture::SpansAndEvents),
    ("false", Capture::Off),
    ("NO_CONTENT", Capture::Off),
    ("SPAN_ONLY", Capture::Spans),
    ("EVENT_ONLY", Capture::Events),
    ("SPAN_AND_EVENT", Capture::SpansAndEvents),
];

/// Of a value that may hold a secret only the name is told.
fn unseen(name: &str) -> Error {
    Error::config(format!("{name} (its value is not shown)"))
}

fn milliseconds(found: &Found) -> Result<Duration, Error> {
    let number = found.value.parse::<u64>().ok().filter(|number| *number > 0);
    number.map(Duration::from_millis).ok_or_else(|| found.refuse("a whole number of milliseconds, 1 or more,"))
}
