//! The standard environment variables (specification 1.50: "OpenTelemetry Protocol Exporter", "Environment Variable
//! Specification"; the GenAI conventions' own two).

use super::{Capture, Destination, Encoding, Kind, Naming, Temporality, Way, list, way::Address};
use crate::{Error, error::say, otlp::transport::Signal, semconv};
use std::{cell::RefCell, path::PathBuf, time::Duration};

impl Destination {
    /// As the standard variables say. None where they say that nothing is to be sent.
    ///
    /// | variable | what it says |
    /// |---|---|
    /// | `OTEL_EXPORTER_OTLP_ENDPOINT` | the base address; `http://localhost:4318` (gRPC: 4317) if nothing is said |
    /// | `OTEL_EXPORTER_OTLP_PROTOCOL` | `http/protobuf` (default), `http/json`, `grpc` |
    /// | `OTEL_EXPORTER_OTLP_HEADERS` | `name=value,name=value`, percent-encoded |
    /// | `OTEL_EXPORTER_OTLP_TIMEOUT` | milliseconds for a request; 0 for no limit |
    /// | `OTEL_EXPORTER_OTLP_COMPRESSION` | `gzip`, `none` |
    /// | `OTEL_EXPORTER_OTLP_CERTIFICATE` | [who is believed](Destination::ca_certificate): a file in PEM |
    /// | `OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE`, `…_CLIENT_KEY` | who we are: files in PEM |
    /// | `OTEL_EXPORTER_OTLP_INSECURE` | for gRPC's addresses without a scheme: `true` for no TLS |
    /// | `OTEL_EXPORTER_OTLP_TRACES_…`, `…_METRICS_…`, `…_LOGS_…` | each of these for one signal; an endpoint is used as it is |
    /// | `OTEL_TRACES_EXPORTER`, `OTEL_METRICS_EXPORTER`, `OTEL_LOGS_EXPORTER` | `otlp` or `none`, or a list with other exporters; traces are sent if nothing is said, the others are not |
    /// | `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_SERVICE_NAME` | the [resource](Destination::resource) |
    /// | `OTEL_SEMCONV_STABILITY_OPT_IN` | with `gen_ai_latest_experimental` in it, the [newest names](Naming::Latest) |
    /// | `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` | [content](Capture): `true`, `false`, `NO_CONTENT`, `SPAN_ONLY`, `EVENT_ONLY`, `SPAN_AND_EVENT` |
    /// | `OTEL_METRIC_EXPORT_INTERVAL` | milliseconds between [two sendings of metrics](Destination::metric_interval) |
    /// | `OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE` | `cumulative` (default), `delta`, `lowmemory` (the same as `delta` for what is measured here) |
    /// | `OTEL_SDK_DISABLED` | with `true` nothing is sent, which is told in a line on stderr |
    ///
    /// A word, number or list of attributes that is not understood is told in a line on stderr and passed over, as the
    /// specification has it, as if the variable were not set.
    ///
    /// # Errors
    /// `is_config` for an address, a header or a certificate that cannot be used, since without it the record would go
    /// elsewhere or be refused: which variable, and what is accepted.
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
        let (destination, told) = Self::of_vars(&read)?;
        told.iter().for_each(|line| say(line));
        Ok(destination)
    }

    /// And what is to be told.
    pub(super) fn of_vars(read: &dyn Fn(&str) -> Option<String>) -> Result<(Option<Self>, Vec<String>), Error> {
        let vars = Vars { read, told: RefCell::default() };
        if vars.flag(["OTEL_SDK_DISABLED"]) {
            vars.tell("OTEL_SDK_DISABLED=true: nothing is sent to OpenTelemetry back ends".to_owned());
            return Ok((None, vars.told.into_inner()));
        }
        let mut destination = Self::by(Kind::Http, Address::Base(String::new()));
        for signal in Signal::ALL {
            destination.sent[signal as usize] = vars.is_sent(signal);
            destination.ways[signal as usize] = vars.way(signal)?;
        }
        if destination.sent == [false; 3] {
            return Ok((None, vars.told.into_inner()));
        }
        destination.resource = vars.resource();
        destination.naming = vars.naming();
        destination.capture =
            vars.one_of(["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"], CAPTURES).unwrap_or_default();
        let temporality = vars.one_of(["OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"], TEMPORALITIES);
        destination.temporality = temporality.unwrap_or_default();
        if let Some(interval) = vars.read(["OTEL_METRIC_EXPORT_INTERVAL"], interval) {
            destination.metric_interval = interval;
        }
        destination.check()?;
        Ok((Some(destination), vars.told.into_inner()))
    }
}

/// Where variables are read from, and what is to be told about them. "The SDK MUST interpret an empty value of an
/// environment variable the same way as when the variable is unset."
struct Vars<'a> {
    read: &'a dyn Fn(&str) -> Option<String>,
    told: RefCell<Vec<String>>,
}

/// A value and the name that it has.
struct Found {
    name: String,
    value: String,
}

impl Found {
    /// "Implementations SHOULD display the original user-provided value to aid debugging."
    fn refuse(&self, accepted: &str) -> String {
        let shown: String = self.value.chars().take(100).collect();
        format!("{}={shown:?}: {accepted} is accepted", self.name)
    }

    fn path(self) -> PathBuf {
        PathBuf::from(self.value)
    }
}

impl Vars<'_> {
    fn get(&self, name: &str) -> Option<Found> {
        let value = (self.read)(name)?.trim().to_owned();
        (!value.is_empty()).then(|| Found { name: name.to_owned(), value })
    }

    /// "Signal-specific … take precedence".
    fn of(&self, signal: Signal, what: &str) -> Option<Found> {
        names(signal, what).iter().find_map(|name| self.get(name))
    }

    /// Once each: what is said for all signals is read for each.
    fn tell(&self, line: String) {
        let mut told = self.told.borrow_mut();
        if !told.contains(&line) {
            told.push(line);
        }
    }

    /// The first of these variables that is understood. "If the user provides a value the implementation does not recognize,
    /// the implementation MUST generate a warning and gracefully ignore the setting"; numbers that cannot be read or are out
    /// of range are to be taken "as not set".
    fn read<T>(
        &self,
        names: impl IntoIterator<Item = impl AsRef<str>>,
        read: impl Fn(&Found) -> Result<T, String>,
    ) -> Option<T> {
        let found = names.into_iter().filter_map(|name| self.get(name.as_ref()));
        found
            .map(|found| read(&found))
            .find_map(|read| read.map_err(|why| self.tell(format!("{why}; it is passed over"))).ok())
    }

    fn one_of<T: Clone>(&self, names: impl IntoIterator<Item = impl AsRef<str>>, table: &[(&str, T)]) -> Option<T> {
        self.read(names, |found| {
            let row = table.iter().find(|(word, _)| found.value.eq_ignore_ascii_case(word));
            row.map(|(_, meaning)| meaning.clone()).ok_or_else(|| {
                let words: Vec<&str> = table.iter().map(|(word, _)| *word).collect();
                found.refuse(&words.join(" or "))
            })
        })
    }

    /// "Any value not explicitly defined here as a true value … MUST be interpreted as false. If any value other than a true
    /// value, case-insensitive string "false", empty, or unset is used, a warning SHOULD be logged".
    fn flag(&self, names: impl IntoIterator<Item = impl AsRef<str>>) -> bool {
        let Some(found) = names.into_iter().find_map(|name| self.get(name.as_ref())) else { return false };
        if !["true", "false"].iter().any(|word| found.value.eq_ignore_ascii_case(word)) {
            self.tell(format!("{}; it is taken for false", found.refuse("true or false")));
        }
        found.value.eq_ignore_ascii_case("true")
    }

    /// Traces are sent unless that is said to be unwanted; the others are where they are asked for.
    fn is_sent(&self, signal: Signal) -> bool {
        let name = format!("OTEL_{}_EXPORTER", signal.variable());
        let Some(found) = self.get(&name) else { return signal == Signal::Traces };
        // "Implementations MAY accept a comma-separated list to enable setting multiple exporters."
        let words = found.value.split(',').map(|word| word.trim().to_ascii_lowercase());
        let (known, unknown): (Vec<_>, Vec<_>) = words.partition(|word| EXPORTERS.contains(&word.as_str()));
        let is_sent = match known[..] {
            [] => signal == Signal::Traces,
            _ => known.iter().any(|word| word == "otlp"),
        };
        if !unknown.is_empty() || !(is_sent || known.iter().any(|word| word == "none")) {
            let what = if is_sent { "they are sent by OTLP" } else { "they are not sent from here" };
            self.tell(format!("{}; {what}", found.refuse("otlp or none")));
        }
        is_sent
    }

    fn way(&self, signal: Signal) -> Result<Way, Error> {
        let protocol = self.one_of(names(signal, "PROTOCOL"), PROTOCOLS);
        let (kind, encoding) = protocol.unwrap_or((Kind::Http, Encoding::Protobuf));
        let port = if kind == Kind::Grpc { 4317 } else { 4318 };
        let mut way = Way::new(kind, Address::Base(format!("http://localhost:{port}")));
        way.encoding = encoding;
        if let Some(limit) = self.read(names(signal, "TIMEOUT"), timeout) {
            way.timeout = limit;
        }
        way.gzip = self.one_of(names(signal, "COMPRESSION"), COMPRESSIONS).unwrap_or_default();
        way.authority = self.of(signal, "CERTIFICATE").map(Found::path);
        way.certificate = self.of(signal, "CLIENT_CERTIFICATE").map(Found::path);
        way.key = self.of(signal, "CLIENT_KEY").map(Found::path);
        way.insecure = self.flag(names(signal, "INSECURE"));
        self.endpoint(signal, &mut way)?;
        self.headers(signal, &mut way)?;
        Ok(way)
    }

    fn endpoint(&self, signal: Signal, way: &mut Way) -> Result<(), Error> {
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

    /// "In case of any error … the entire environment variable value SHOULD be discarded and an error SHOULD be reported";
    /// "OTEL_SERVICE_NAME takes precedence" over a `service.name` among the attributes.
    fn resource(&self) -> Vec<(String, String)> {
        let list = |found: &Found| list::pairs(&found.value).ok_or_else(|| found.refuse("key=value,key=value"));
        let mut resource = self.read(["OTEL_RESOURCE_ATTRIBUTES"], list).unwrap_or_default();
        let name = self.get("OTEL_SERVICE_NAME").map(|found| (semconv::SERVICE_NAME.to_owned(), found.value));
        resource.extend(name);
        resource
    }

    /// A list that others have words in too.
    fn naming(&self) -> Naming {
        let asked = self.get("OTEL_SEMCONV_STABILITY_OPT_IN").map(|found| found.value).unwrap_or_default();
        let is_latest = asked.split(',').any(|word| word.trim() == "gen_ai_latest_experimental");
        if is_latest { Naming::Latest } else { Naming::Compat }
    }
}

/// The signal's own variable, and the one for all.
fn names(signal: Signal, what: &str) -> [String; 2] {
    [format!("OTEL_EXPORTER_OTLP_{}_{what}", signal.variable()), format!("OTEL_EXPORTER_OTLP_{what}")]
}

/// The specification's ("Exporter Selection"); of those that are not ours nothing leaves from here.
const EXPORTERS: &[&str] = &["otlp", "none", "console", "logging", "prometheus", "zipkin", "jaeger"];

const COMPRESSIONS: &[(&str, bool)] = &[("gzip", true), ("none", false)];

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

/// "Timeout zero values … as no limit": "a very long time", "e.g. the maximum milliseconds representable by a 32-bit integer".
fn timeout(found: &Found) -> Result<Duration, String> {
    let number = milliseconds(found)?;
    Ok(Duration::from_millis(if number == 0 { MOST_MILLISECONDS } else { number }))
}

fn interval(found: &Found) -> Result<Duration, String> {
    let number = milliseconds(found).ok().filter(|number| *number > 0);
    number.map(Duration::from_millis).ok_or_else(|| found.refuse("a whole number of milliseconds, 1 to 2147483647,"))
}

/// "It SHOULD support nonnegative values between 0 and 2³¹ − 1".
const MOST_MILLISECONDS: u64 = (1 << 31) - 1;

fn milliseconds(found: &Found) -> Result<u64, String> {
    let number = found.value.parse::<u64>().ok().filter(|number| *number <= MOST_MILLISECONDS);
    number.ok_or_else(|| found.refuse("a whole number of milliseconds, 0 to 2147483647,"))
}
