//! A place that the record is sent to, and everything that may be said about it.

use super::{Capture, Encoding, Kind, Naming, OpenInference, Temporality, Way, resource, way::Address};
use crate::{
    Error,
    otlp::transport::{self, Signal, Transport},
};
use std::{fmt, path::PathBuf, time::Duration};

/// A place that the record is sent to over OTLP (specification 1.10): a back end, a collector, a file.
///
/// ```
/// use spanwright::otlp::Destination;
///
/// let phoenix = Destination::http("http://localhost:6006").resource("openinference.project.name", "research");
/// let collector = Destination::grpc("http://localhost:4317").metrics(true);
/// let file = Destination::file("run.jsonl");
/// ```
///
/// What is not said is as the specification has it: traces, protobuf, no compression, 10 seconds for a request. A setting
/// that cannot be used is told when sending is started, not here.
#[derive(Clone)]
#[must_use = "nothing is sent to a destination that nobody is given"]
pub struct Destination {
    name: Option<String>,
    /// By [`Signal`].
    pub(super) ways: [Way; 3],
    /// By [`Signal`].
    pub(super) sent: [bool; 3],
    pub(super) resource: Vec<(String, String)>,
    backoff: (Duration, Duration),
    interval: Duration,
    pub(super) metric_interval: Duration,
    pub(super) temporality: Temporality,
    batch_bytes: usize,
    batch_spans: usize,
    pub(super) naming: Naming,
    openinference: OpenInference,
    langfuse: bool,
    pub(super) capture: Capture,
    max_value_bytes: usize,
    #[cfg(feature = "otlp-bridge")]
    pub(in crate::otlp) exporter: Option<crate::otlp::bridge::Slot>,
    from_beginning: bool,
}

/// What a batch may have before it is framed: back ends take gRPC messages of 4 MiB (measured: Phoenix, rotel).
pub(in crate::otlp) const MOST_BATCH_BYTES: usize = 3_670_016;
/// The specification's (`OTEL_METRIC_EXPORT_INTERVAL`).
const METRIC_INTERVAL: Duration = Duration::from_secs(60);
/// The specification's batch of spans (`OTEL_BSP_MAX_EXPORT_BATCH_SIZE`).
pub(in crate::otlp) const BATCH_SPANS: usize = 512;
/// One value does not fill a request.
pub(in crate::otlp) const MAX_VALUE_BYTES: usize = 64 << 10;
/// A name is a key in the log.
const MAX_NAME_BYTES: usize = 200;

impl Destination {
    /// OTLP over HTTP: the address that `/v1/traces` is appended to, such as `http://localhost:4318`. A user and password
    /// in it are sent as basic authentication; a query stays behind the path. `https` needs the feature `otlp-tls`.
    pub fn http(endpoint: impl Into<String>) -> Self {
        Self::by(Kind::Http, Address::Base(endpoint.into()))
    }

    /// OTLP over gRPC, such as `http://localhost:4317`; `https` and an address without a scheme use TLS. Needs the feature
    /// `otlp-grpc`, and for TLS `otlp-tls`.
    pub fn grpc(endpoint: impl Into<String>) -> Self {
        Self::by(Kind::Grpc, Address::Base(endpoint.into()))
    }

    /// A file, to whose end requests are written: JSON Lines, as the Collector's file exporter writes and its receiver
    /// reads them; with [`Encoding::Protobuf`] messages behind their lengths (four bytes, big endian). Metrics and log
    /// events go into files beside it: `run.metrics.jsonl`, `run.logs.jsonl` beside `run.jsonl`.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::by(Kind::File, Address::File(path.into()))
    }

    pub(super) fn by(kind: Kind, address: Address) -> Self {
        Self {
            name: None,
            ways: [(); 3].map(|()| Way::new(kind, address.clone())),
            sent: [true, false, false],
            resource: Vec::new(),
            backoff: (Duration::from_secs(1), Duration::from_secs(60)),
            interval: Duration::from_secs(1),
            metric_interval: METRIC_INTERVAL,
            temporality: Temporality::default(),
            batch_bytes: MOST_BATCH_BYTES,
            batch_spans: BATCH_SPANS,
            naming: Naming::default(),
            openinference: OpenInference::default(),
            langfuse: false,
            capture: Capture::default(),
            max_value_bytes: MAX_VALUE_BYTES,
            #[cfg(feature = "otlp-bridge")]
            exporter: None,
            from_beginning: false,
        }
    }

    fn each(mut self, change: impl Fn(&mut Way)) -> Self {
        self.ways.iter_mut().for_each(change);
        self
    }

    fn at(mut self, signal: Signal, url: String) -> Self {
        let way = &mut self.ways[signal as usize];
        way.kind = Kind::Http;
        way.address = Address::Exact(url);
        self
    }

    /// What this destination is known by in the log, where the place is kept up to which it has everything. By default
    /// what it is and where, without credentials: `http http://localhost:4318`. Two destinations at one address (which
    /// headers tell apart) need names; under another name it is a new one. The log has the whole path of an address; what is
    /// told of it has only its words, since some back ends have a token in there. A name keeps it out of the log too.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Whether a destination that the log does not know yet gets what the log has from before, too; else it gets what is
    /// recorded from its first start on. One that is known goes on where it was.
    pub fn from_beginning(mut self, from_beginning: bool) -> Self {
        self.from_beginning = from_beginning;
        self
    }

    /// The URL that traces are posted to over HTTP, as it is.
    pub fn traces_url(self, url: impl Into<String>) -> Self {
        self.at(Signal::Traces, url.into())
    }

    /// The URL that metrics are posted to over HTTP, as it is; switch them on by [`metrics`](Destination::metrics).
    pub fn metrics_url(self, url: impl Into<String>) -> Self {
        self.at(Signal::Metrics, url.into())
    }

    /// The URL that log events are posted to over HTTP, as it is; switch them on by [`logs`](Destination::logs).
    pub fn logs_url(self, url: impl Into<String>) -> Self {
        self.at(Signal::Logs, url.into())
    }

    /// Whether traces are sent; they are, where nothing is said.
    pub fn traces(mut self, sent: bool) -> Self {
        self.sent[Signal::Traces as usize] = sent;
        self
    }

    /// Whether metrics are sent.
    pub fn metrics(mut self, sent: bool) -> Self {
        self.sent[Signal::Metrics as usize] = sent;
        self
    }

    /// Whether log events are sent.
    pub fn logs(mut self, sent: bool) -> Self {
        self.sent[Signal::Logs as usize] = sent;
        self
    }

    /// How requests are written.
    pub fn encoding(self, encoding: Encoding) -> Self {
        self.each(|way| way.encoding = encoding)
    }

    /// A header of each request; over gRPC metadata. Its value is never shown: not in errors, not in `Debug`.
    pub fn header(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let header = (name.into(), value.into());
        self.each(|way| way.headers.push(header.clone()))
    }

    /// How long a request may take, from looking up the name to the end of the answer: 10 seconds if nothing is said.
    /// Past it, it is sent again.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.each(|way| way.timeout = timeout)
    }

    /// Whether requests are compressed.
    pub fn gzip(self, gzip: bool) -> Self {
        self.each(|way| way.gzip = gzip)
    }

    /// Who is believed to be the back end: those whom a certificate in this file (PEM) vouches for, and nobody else.
    /// Without it the system's own.
    pub fn ca_certificate(self, path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        self.each(|way| way.authority = Some(path.clone()))
    }

    /// Who we are: a certificate, with those that vouch for it behind it, and its private key; files in PEM.
    pub fn client_certificate(self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        let (certificate, key) = (certificate.into(), key.into());
        self.each(|way| {
            way.certificate = Some(certificate.clone());
            way.key = Some(key.clone());
        })
    }

    /// An attribute of the resource that everything is said of: `service.name`, `deployment.environment.name`,
    /// `openinference.project.name`. The last value of a name counts.
    pub fn resource(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.resource.push((key.into(), value.into()));
        self
    }

    /// How long to wait before what failed is sent again: a random time of at most `first`, of at most twice as much
    /// after each further failure, and never of more than `longest`, unless the back end asks for it (10 minutes at most).
    /// A second and a minute if nothing is said.
    pub fn backoff(mut self, first: Duration, longest: Duration) -> Self {
        self.backoff = (first, longest);
        self
    }

    /// How long to wait between looks into the log for what is to be sent: a second if nothing is said. All that a look finds is
    /// sent at once, in as many requests as it takes.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// How often metrics are sent, where there is something new: each minute if nothing is said.
    pub fn metric_interval(mut self, interval: Duration) -> Self {
        self.metric_interval = interval;
        self
    }

    /// What the numbers of metrics are of: everything since the start if nothing is said.
    pub fn temporality(mut self, temporality: Temporality) -> Self {
        self.temporality = temporality;
        self
    }

    /// How many bytes a request may have before compression; at most 3.5 MiB, which is also the default, since back ends
    /// take 4 MiB.
    pub fn batch_bytes(mut self, bytes: usize) -> Self {
        self.batch_bytes = bytes;
        self
    }

    /// How many spans a request may have: 512 if nothing is said.
    pub fn batch_spans(mut self, spans: usize) -> Self {
        self.batch_spans = spans;
        self
    }

    /// Which version of the GenAI convention names follow.
    pub fn naming(mut self, naming: Naming) -> Self {
        self.naming = naming;
        self
    }

    /// How much of OpenInference goes along.
    pub fn openinference(mut self, openinference: OpenInference) -> Self {
        self.openinference = openinference;
        self
    }

    /// Whether Langfuse's own attributes go along.
    pub fn langfuse(mut self, langfuse: bool) -> Self {
        self.langfuse = langfuse;
        self
    }

    /// Where content (prompts, answers, arguments, results) may go: nowhere if nothing is said. The recorder's
    /// [`ContentPolicy`](crate::ContentPolicy) has been applied before.
    pub fn capture(mut self, capture: Capture) -> Self {
        self.capture = capture;
        self
    }

    /// How many bytes a value may have; of longer ones parts are cut, and it is said: 64 KiB if nothing is said.
    pub fn max_value_bytes(mut self, bytes: usize) -> Self {
        self.max_value_bytes = bytes;
        self
    }
}

/// What sending goes by.
impl Destination {
    /// Whether the settings can be used, as far as that is known without going there.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let refuse =
            |what: &str, accepted: &str| Err(Error::config(format!("{what} of an OTLP destination: {accepted}")));
        let name = self.key();
        if name.trim().is_empty() || name.len() > MAX_NAME_BYTES || name.contains(char::is_control) {
            return refuse("name", "1 to 200 bytes of one line are accepted");
        }
        if !(1..=MOST_BATCH_BYTES).contains(&self.batch_bytes) || self.batch_spans == 0 {
            return refuse("batch", "1 byte to 3.5 MiB, and 1 span or more, are accepted");
        }
        if self.max_value_bytes == 0 || self.interval.is_zero() || self.metric_interval.is_zero() {
            return refuse("longest value and intervals", "more than nothing is accepted");
        }
        if self.backoff.0.is_zero() || self.backoff.0 > self.backoff.1 {
            return refuse("back-off", "more than nothing, the first wait no longer than the longest, is accepted");
        }
        if self.resource.iter().any(|(key, _)| key.trim().is_empty()) {
            return refuse("resource attribute", "a key that is not empty is accepted");
        }
        Signal::ALL.iter().filter(|signal| self.sends(**signal)).try_for_each(|signal| self.way(*signal).check(*signal))
    }

    /// The files that are written to, each by its only name.
    pub(crate) fn files(&self) -> impl Iterator<Item = PathBuf> {
        let sent = Signal::ALL.into_iter().filter(|signal| self.sends(*signal));
        sent.filter_map(|signal| transport::only_name(self.way(signal).file()?, signal))
    }

    pub(crate) const fn sends(&self, signal: Signal) -> bool {
        self.sent[signal as usize]
    }

    pub(crate) const fn way(&self, signal: Signal) -> &Way {
        &self.ways[signal as usize]
    }

    /// Opens the way of a signal; see [`transport::open`].
    pub(crate) fn transport(&self, signal: Signal) -> Result<Box<dyn Transport>, Error> {
        self.check()?;
        transport::open(self.way(signal), signal)
    }

    /// What the place of a signal is known by in the log: `http http://localhost:4318 traces`.
    pub(crate) fn place_name(&self, signal: Signal) -> String {
        format!("{} {signal}", self.key())
    }

    fn key(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.first().place())
    }

    /// The name as it is told.
    pub(crate) fn known_as(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.first().shown())
    }

    fn first(&self) -> &Way {
        self.way(Signal::ALL.into_iter().find(|signal| self.sends(*signal)).unwrap_or(Signal::Traces))
    }

    pub(crate) const fn encoding_of(&self, signal: Signal) -> Encoding {
        self.way(signal).encoding
    }

    /// The attributes of the resource, each key once; see [`resource::complete`].
    pub(crate) fn resource_attributes(&self) -> Vec<(String, String)> {
        resource::complete(&self.resource)
    }

    /// The first and the longest wait.
    pub(crate) const fn waits(&self) -> (Duration, Duration) {
        self.backoff
    }

    pub(crate) const fn batch_interval(&self) -> Duration {
        self.interval
    }

    pub(crate) const fn interval_of_metrics(&self) -> Duration {
        self.metric_interval
    }

    pub(crate) const fn metric_temporality(&self) -> Temporality {
        self.temporality
    }

    /// Bytes and spans.
    pub(crate) const fn batch_limits(&self) -> (usize, usize) {
        (self.batch_bytes, self.batch_spans)
    }

    pub(crate) const fn names(&self) -> Naming {
        self.naming
    }

    pub(crate) const fn overlay(&self) -> OpenInference {
        self.openinference
    }

    pub(crate) const fn has_langfuse(&self) -> bool {
        self.langfuse
    }

    pub(crate) const fn content(&self) -> Capture {
        self.capture
    }

    pub(crate) const fn starts_at_beginning(&self) -> bool {
        self.from_beginning
    }

    pub(crate) const fn longest_value(&self) -> usize {
        self.max_value_bytes
    }
}

impl fmt::Debug for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signals = Signal::ALL.into_iter().filter(|signal| self.sends(*signal));
        let ways: Vec<_> = signals.map(|signal| (signal, self.way(signal))).collect();
        // Attributes of the resource are no secrets, but may hold one by mistake: their keys are enough.
        let resource: Vec<_> = self.resource.iter().map(|(key, _)| key).collect();
        f.debug_struct("Destination").field("ways", &ways).field("resource", &resource).finish_non_exhaustive()
    }
}
