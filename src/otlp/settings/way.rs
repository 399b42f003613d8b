//! How one signal goes to its place: address, headers, time, TLS. Nothing in here that is a secret is ever printed.

use super::Encoding;
use crate::{Error, otlp::transport::Signal};
use reqwest::{
    Url,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use std::{fmt, path::PathBuf, time::Duration};

/// By what a signal goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Http,
    Grpc,
    File,
}

/// How one signal goes to its place.
#[derive(Clone)]
pub(crate) struct Way {
    pub(crate) kind: Kind,
    pub(super) address: Address,
    pub(crate) encoding: Encoding,
    pub(super) headers: Vec<(String, String)>,
    pub(crate) timeout: Duration,
    pub(crate) gzip: bool,
    pub(crate) authority: Option<PathBuf>,
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    /// For gRPC's addresses without a scheme.
    pub(super) insecure: bool,
}

/// Where a signal goes.
#[derive(Clone)]
pub(super) enum Address {
    /// What the signal's path is appended to: "construct per-signal URLs".
    Base(String),
    /// "The per-signal endpoint … used as-is without any modification".
    Exact(String),
    File(PathBuf),
}

/// Headers that say how the request is made, which is not the user's to say.
const OURS: [&str; 10] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

impl Way {
    /// The specification's defaults: 10 seconds, no compression.
    pub(super) const fn new(kind: Kind, address: Address) -> Self {
        let encoding = if matches!(kind, Kind::File) { Encoding::Json } else { Encoding::Protobuf };
        Self {
            kind,
            address,
            encoding,
            headers: Vec::new(),
            timeout: Duration::from_secs(10),
            gzip: false,
            authority: None,
            certificate: None,
            key: None,
            insecure: false,
        }
    }

    /// The URL that requests with the signal are posted to.
    pub(crate) fn url(&self, signal: Signal) -> Result<Url, Error> {
        let url = self.endpoint()?;
        match (self.kind, &self.address) {
            (Kind::Grpc, _) => Ok(with_path(url, signal.grpc_path())),
            (_, Address::Base(_)) => Ok(with_path(url, signal.http_path())),
            _ => Ok(url),
        }
    }

    /// The address as it was given, read.
    fn endpoint(&self) -> Result<Url, Error> {
        let (Address::Base(text) | Address::Exact(text)) = &self.address else {
            return Err(Error::config("OTLP endpoint: a file has none"));
        };
        let accepted = match self.kind {
            Kind::Grpc => "http://host:port, https://host:port or host:port is accepted",
            _ => "http://host:port or https://host:port, and a path, is accepted",
        };
        // The text stays out of the message: people put passwords into addresses.
        let url = Url::parse(&self.schemed(text))
            .map_err(|source| Error::config(format!("OTLP endpoint: {accepted}")).with_source(source))?;
        match url.scheme() {
            "http" | "https" if url.fragment().is_some() => {
                Err(Error::config(format!("OTLP endpoint with a fragment (#…): {accepted}")))
            }
            "http" | "https" => self.fits(url),
            _ => Err(Error::config(format!("OTLP endpoint with another scheme than http and https: {accepted}"))),
        }
    }

    /// "The endpoint … without the http or https scheme": only gRPC has it, and then `insecure` says which it is.
    fn schemed(&self, text: &str) -> String {
        match self.kind {
            Kind::Grpc if !text.contains("://") && self.insecure => format!("http://{text}"),
            Kind::Grpc if !text.contains("://") => format!("https://{text}"),
            _ => text.to_owned(),
        }
    }

    fn fits(&self, url: Url) -> Result<Url, Error> {
        let has_user = !url.username().is_empty() || url.password().is_some();
        match (self.kind, &self.address) {
            (Kind::Grpc, _) if has_user || url.query().is_some() || url.path() != "/" => Err(Error::config(
                "OTLP endpoint for gRPC with more than host and port: credentials are given as a header",
            )),
            // A signal's URL where the base belongs: its path would be appended twice.
            (Kind::Http, Address::Base(_)) if Signal::ALL.iter().any(|signal| ends_in(&url, signal.http_path())) => {
                Err(Error::config(
                    "OTLP endpoint that ends in the path of a signal (/v1/traces): that is appended; give the address \
                     before it, or the whole one as this signal's own",
                ))
            }
            _ => Ok(url),
        }
    }

    /// The headers that were asked for.
    pub(crate) fn headers(&self) -> Result<HeaderMap, Error> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            let (name, value) = header(name, value)?;
            headers.append(name, value);
        }
        Ok(headers)
    }

    /// Everything that an error or a back end's answer must not repeat.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let mut secrets: Vec<String> = self.headers.iter().map(|(_, value)| value.trim().to_owned()).collect();
        if let Ok(url) = self.endpoint() {
            let parts = [Some(url.username()), url.password(), url.query()];
            let parts: Vec<&str> = parts.into_iter().flatten().collect();
            secrets.extend(parts.iter().flat_map(|part| [(*part).to_owned(), super::super::percent::decoded(part)]));
            secrets.extend(url.query_pairs().map(|(_, value)| value.into_owned()));
            let unseen = url.path_segments().into_iter().flatten().filter(|segment| !is_word(segment));
            secrets.extend(unseen.flat_map(|segment| [segment.to_owned(), super::super::percent::decoded(segment)]));
        }
        secrets
    }

    /// Where it goes: host, port and the whole path. What the log knows a destination by: nobody but the log is told.
    pub(super) fn place(&self) -> String {
        self.placed(|_| true)
    }

    /// The same as it is told, without what may be a secret in it.
    pub(super) fn shown(&self) -> String {
        self.placed(is_word)
    }

    fn placed(&self, is_shown: impl Fn(&str) -> bool) -> String {
        if let Address::File(path) = &self.address {
            return format!("file {}", path.display());
        }
        let kind = if self.kind == Kind::Grpc { "grpc" } else { "http" };
        match self.endpoint() {
            Ok(url) => {
                let segments = url.path().trim_end_matches('/').split('/');
                let path: Vec<&str> = segments.map(|segment| if is_shown(segment) { segment } else { "…" }).collect();
                format!("{kind} {}{}", url.origin().ascii_serialization(), path.join("/"))
            }
            Err(_) => format!("{kind} (an endpoint that cannot be read)"),
        }
    }

    /// The file, of a way into one.
    pub(crate) fn file(&self) -> Option<&PathBuf> {
        if let Address::File(path) = &self.address { Some(path) } else { None }
    }

    /// What can be said of the settings without going anywhere.
    pub(super) fn check(&self, signal: Signal) -> Result<(), Error> {
        if self.kind == Kind::File {
            return Ok(());
        }
        if self.timeout.is_zero() {
            return Err(Error::config("timeout of an OTLP destination: more than nothing is accepted"));
        }
        if self.certificate.is_some() != self.key.is_some() {
            return Err(Error::config("client certificate of an OTLP destination: it and its key are given together"));
        }
        if self.kind == Kind::Grpc && self.encoding == Encoding::Json {
            return Err(Error::config("encoding of an OTLP destination: over gRPC only protobuf is accepted"));
        }
        self.headers()?;
        self.url(signal).map(drop)
    }
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Error> {
    // The value stays out of every message.
    let shown: String = name.chars().take(64).collect();
    let refuse = |why: &str| Error::config(format!("header {shown:?} of an OTLP destination: {why}"));
    let name = HeaderName::try_from(name.trim()).map_err(|_| refuse("a name of letters, digits and - is accepted"))?;
    if OURS.contains(&name.as_str()) || name.as_str().starts_with("grpc-") {
        return Err(refuse("it says how the request is made, and is set already"));
    }
    let mut value =
        HeaderValue::try_from(value.trim()).map_err(|_| refuse("a value of visible characters is accepted"))?;
    value.set_sensitive(true);
    Ok((name, value))
}

/// The path appended to the one that is there; what follows it (a query) stays behind it.
fn with_path(mut url: Url, path: &str) -> Url {
    let base = url.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("{base}{path}"));
    url
}

/// Whether a part of a path is a word of a product (`api`, `public`, `otel`, `v1`, `v0.2`). What is none may be a token: Sumo
/// Logic's is the whole of it.
fn is_word(segment: &str) -> bool {
    let version = segment.strip_prefix('v').is_some_and(|rest| !rest.is_empty() && rest.len() <= 4);
    let of_version = |c: char| c.is_ascii_digit() || c == '.';
    let of_word = |c: char| c.is_ascii_lowercase() || c == '-' || c == '_';
    segment.len() <= MAX_WORD && (segment.chars().all(of_word) || (version && segment[1..].chars().all(of_version)))
}

/// Of a word in a path, in bytes.
const MAX_WORD: usize = 20;

fn ends_in(url: &Url, path: &str) -> bool {
    url.path().trim_end_matches('/').ends_with(path)
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| &**name).collect();
        f.debug_struct("Way")
            .field("to", &self.shown())
            .field("encoding", &self.encoding)
            .field("headers", &names)
            .field("timeout", &self.timeout)
            .field("gzip", &self.gzip)
            .finish_non_exhaustive()
    }
}
