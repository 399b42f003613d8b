//! One request and its answer over HTTP, for both protocols: in time, read with a bound, and never to another place.

#[cfg(feature = "otlp-tls")]
use super::tls;
use super::{
    super::{settings::Way, unwound::caught},
    Signal,
    answer::{Answer, End, LIMIT},
    mask::Mask,
    runtime::OwnRuntime,
};
use crate::Error;
use flate2::{Compression, write::GzEncoder};
use http_body::Body as _;
use reqwest::{
    Body, Client, ClientBuilder, Response, Url,
    header::{AUTHORIZATION, HeaderMap, HeaderValue, USER_AGENT},
    redirect::Policy,
};
use std::{future::poll_fn, io::Write, pin::pin};
use tokio::{
    task::yield_now,
    time::{Instant, timeout_at},
};

/// The version of HTTP that a transport speaks, and no other.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    Http1,
    #[cfg(feature = "otlp-grpc")]
    Http2,
}

/// Posts to one URL.
pub(super) struct Caller {
    way: Way,
    version: Version,
    url: Url,
    headers: HeaderMap,
    client: Client,
    runtime: OwnRuntime,
    pub(super) mask: Mask,
}

/// "User agent": the exporter's name and version.
const AGENT: HeaderValue = HeaderValue::from_static(concat!("spanwright/", env!("CARGO_PKG_VERSION")));

impl Caller {
    /// For requests with this signal; `fixed` goes with each, over the user's own.
    pub(super) fn open(way: &Way, signal: Signal, version: Version, fixed: &HeaderMap) -> Result<Self, Error> {
        let url = way.url(signal)?;
        let mut headers = HeaderMap::from_iter([(USER_AGENT, AGENT)]);
        // A name that the user gives takes the place of ours (the agent's), but for what says how the body is made.
        headers.extend(way.headers()?);
        headers.extend(fixed.clone());
        let client = client(way, &url, version)?;
        let mut secrets = way.secrets();
        // User and password of an address become a header.
        let sample = client.post(url.clone()).build().ok();
        let basic = sample.as_ref().and_then(|request| request.headers().get(AUTHORIZATION));
        secrets.extend(basic.and_then(|value| value.to_str().ok()).map(str::to_owned));
        let mask = Mask::new(secrets);
        Ok(Self { way: way.clone(), version, url, headers, client, runtime: OwnRuntime::new()?, mask })
    }

    pub(super) const fn url(&self) -> &Url {
        &self.url
    }

    /// Posts a body, and waits for the answer within the timeout. The error says why none came.
    pub(super) fn post(&mut self, body: Vec<u8>) -> Result<Answer, String> {
        let answer = self.runtime.block_on(self.exchange(body));
        if answer.as_ref().map_or(true, |answer| answer.end != End::Whole) {
            self.begin_anew();
        }
        answer.map_err(|why| self.mask.clean(why.as_bytes()))
    }

    /// Lets go of all connections: one of HTTP/2 whose other side went silently is believed in for a quarter of an hour.
    /// Also reads certificates again, which may be others by now; if they are none, the old ones are as good as before.
    fn begin_anew(&mut self) {
        if let Ok(client) = client(&self.way, &self.url, self.version) {
            self.client = client;
        }
    }

    async fn exchange(&self, body: Vec<u8>) -> Result<Answer, String> {
        // The runtime stood still since the last request: what happened to its connections meanwhile is looked at
        // first, so that none is used that the back end has closed. A yield asks the system, the next lets the
        // connection's task hear of it, the last lets the pool hear of that.
        for _ in 0..3 {
            yield_now().await;
        }
        let deadline = Instant::from_std(crate::time::deadline(self.way.timeout));
        let request = self.client.post(self.url.clone()).headers(self.headers.clone()).body(body).send();
        let response = timeout_at(deadline, request).await.map_err(|_| self.too_late())?.map_err(told)?;
        Ok(self.read(response, deadline).await)
    }

    async fn read(&self, response: Response, deadline: Instant) -> Answer {
        let (status, head) = (response.status().as_u16(), response.headers().clone());
        let mut answer = Answer { status, head, body: Vec::new(), trailers: None, end: End::Whole };
        let mut body = pin!(Body::from(response));
        answer.end = loop {
            let frame = match timeout_at(deadline, poll_fn(|cx| body.as_mut().poll_frame(cx))).await {
                Err(_) => break End::Cut(self.too_late()),
                Ok(None) => break End::Whole,
                Ok(Some(Err(error))) => break End::Cut(told(error)),
                Ok(Some(Ok(frame))) => frame,
            };
            match frame.into_data() {
                Ok(data) if answer.body.len() + data.len() > LIMIT => break End::PastLimit,
                Ok(data) => answer.body.extend_from_slice(&data),
                Err(frame) => answer.trailers = frame.into_trailers().ok(),
            }
        };
        answer
    }

    fn too_late(&self) -> String {
        format!("no answer within {:?}", self.way.timeout)
    }
}

/// What went wrong is the last of the causes. The URL is left out: there may be a secret in it.
fn told(error: reqwest::Error) -> String {
    let what = if error.is_connect() { "no connection: " } else { "" };
    let error = error.without_url();
    let first: &dyn std::error::Error = &error;
    let last = std::iter::successors(Some(first), |error| error.source()).last();
    format!("{what}{}", last.unwrap_or(first))
}

fn client(way: &Way, url: &Url, version: Version) -> Result<Client, Error> {
    let builder = Client::builder()
        // Where the answer points there may be somebody else, and credentials would go along.
        .redirect(Policy::none())
        .referer(false)
        // Another crate may have switched these on, and 4 MiB of gzip are 4 GiB.
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate();
    let builder = match version {
        Version::Http1 => builder.http1_only(),
        #[cfg(feature = "otlp-grpc")]
        Version::Http2 => builder.http2_prior_knowledge(),
    };
    // Nobody's proxy leads to this machine.
    let builder = if is_loopback(url) { builder.no_proxy() } else { builder };
    built(secured(builder, way, url.scheme() == "https", version)?)
}

#[cfg(feature = "otlp-tls")]
fn secured(builder: ClientBuilder, way: &Way, is_https: bool, version: Version) -> Result<ClientBuilder, Error> {
    let protocol = if version == Version::Http1 { "http/1.1" } else { "h2" };
    Ok(builder.tls_backend_preconfigured(tls::config(way, is_https, protocol)?))
}

#[cfg(not(feature = "otlp-tls"))]
fn secured(builder: ClientBuilder, way: &Way, is_https: bool, _: Version) -> Result<ClientBuilder, Error> {
    if is_https || way.authority.is_some() || way.certificate.is_some() || way.key.is_some() {
        return Err(Error::config(
            "OTLP over https, and certificates for it: needs the feature `otlp-tls` of spanwright",
        ));
    }
    Ok(builder)
}

fn built(builder: ClientBuilder) -> Result<Client, Error> {
    // Without TLS of our own, reqwest may still have it from another crate, and panics where that installed no provider.
    match caught(|| builder.build()) {
        Some(Ok(client)) => Ok(client),
        Some(Err(source)) => {
            Err(Error::config("the HTTP client of an OTLP destination").with_source(source.without_url()))
        }
        None => Err(Error::config(
            "the HTTP client of an OTLP destination: another crate has given reqwest TLS without a provider; the feature \
             `otlp-tls` of spanwright brings one for this",
        )),
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.to_canonical().is_loopback())
}

/// The body in gzip: at the level that costs the sender least, since what is sent is mostly repetition.
pub(super) fn gzipped(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    // Writing into memory does not fail.
    let written = encoder.write_all(body).and_then(|()| encoder.finish());
    written.unwrap_or_default()
}
