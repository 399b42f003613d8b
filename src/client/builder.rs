//! What a client is told before it begins.

use super::{
    Backoff, Client,
    address::{Base, same_origin},
    auth::Auth,
};
use crate::Error;
use reqwest::redirect::Policy;
use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

/// Settings of a [`Client`].
#[must_use = "a builder does nothing before `build`"]
pub struct ClientBuilder {
    url: String,
    token: Option<String>,
    tickets: bool,
    connect: Duration,
    settings: Settings,
    #[cfg(feature = "reqwest")]
    http: Option<reqwest::ClientBuilder>,
}

/// What every stream and call of a client goes by.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) backoff: Backoff,
    pub(super) idle: Duration,
    pub(super) answer: Duration,
    pub(super) max_event_bytes: usize,
}

/// Redirects on the way to one answer, as browsers have it (WHATWG Fetch, 4.4: "20"); reqwest's own default.
const MAX_REDIRECTS: usize = 10;

impl ClientBuilder {
    pub(super) fn new(url: String) -> Self {
        let settings = Settings {
            backoff: Backoff::default(),
            idle: Duration::from_secs(45),
            answer: Duration::from_secs(30),
            max_event_bytes: 16 << 20,
        };
        Self {
            url,
            token: None,
            tickets: false,
            connect: Duration::from_secs(10),
            settings,
            #[cfg(feature = "reqwest")]
            http: None,
        }
    }

    /// Shows this token with every request: `Authorization: Bearer …` (RFC 6750).
    pub fn bearer(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Shows the token only to get a ticket for each stream, anew for every connection, and opens the stream with
    /// that: `POST /tickets`, then `?ticket=…`. For gateways that keep `Authorization` away from streams.
    pub fn tickets(mut self) -> Self {
        self.tickets = true;
        self
    }

    /// How long to wait before a lost stream is opened again.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.settings.backoff = backoff;
        self
    }

    /// How long a stream may be silent before it counts as lost and is opened again: 45 s where nothing is said. More
    /// than the server's keep-alive (15 s where nothing is said there), or a quiet stream is opened again and again.
    pub fn idle_timeout(mut self, silence: Duration) -> Self {
        self.settings.idle = silence;
        self
    }

    /// How long a connection may take to be made: 10 s where nothing is said.
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect = limit;
        self
    }

    /// How long the answer to a call that is no stream may take: 30 s where nothing is said.
    pub fn answer_timeout(mut self, limit: Duration) -> Self {
        self.settings.answer = limit;
        self
    }

    /// How long a line and an event may be, in bytes: 16 MiB where nothing is said. A longer one is passed over without
    /// being kept, and told as [`Update::Unreadable`](super::Update::Unreadable).
    pub fn max_event_bytes(mut self, most: usize) -> Self {
        self.settings.max_event_bytes = most;
        self
    }

    /// A client of your own to build on: with certificates, proxies, TLS. Its redirects, decompression and connect
    /// timeout are set here; a request timeout is yours to leave out, as it would cut streams.
    #[cfg(feature = "reqwest")]
    pub fn http(mut self, http: reqwest::ClientBuilder) -> Self {
        self.http = Some(http);
        self
    }

    /// The client. Nothing is asked of the server yet.
    ///
    /// # Errors
    /// `is_config` for an address or a token that cannot be used, and where reqwest has a TLS feature without what it
    /// needs.
    pub fn build(self) -> Result<Client, Error> {
        let base = Base::parse(&self.url)?;
        let auth = match (&self.token, self.tickets) {
            (None, false) => Auth::None,
            (None, true) => {
                return Err(Error::config("tickets are given for a token: give one by ClientBuilder::bearer"));
            }
            (Some(token), false) => Auth::Bearer(Auth::header(token)?),
            (Some(token), true) => Auth::Tickets(Auth::header(token)?),
        };
        let settings = self.settings.clone();
        let http = self.connected(&base, &auth)?;
        Ok(Client::of(http, base, auth, settings))
    }

    fn connected(self, base: &Base, auth: &Auth) -> Result<reqwest::Client, Error> {
        #[cfg(feature = "reqwest")]
        let http = self.http.unwrap_or_default();
        #[cfg(not(feature = "reqwest"))]
        let http = reqwest::Client::builder();
        // What is packed is held back until a block is full; and Referer would hold the ticket.
        let http = http.no_gzip().no_brotli().no_zstd().no_deflate().referer(false);
        let http = http.connect_timeout(self.connect).redirect(redirects(auth.bearer().is_some()));
        let http = http.user_agent(concat!("spanwright/", env!("CARGO_PKG_VERSION")));
        // Nobody's proxy leads to this machine.
        let http = if base.is_loopback() { http.no_proxy() } else { http };
        // reqwest panics where it was built with `rustls-no-provider` and the program installed none.
        match catch_unwind(AssertUnwindSafe(|| http.build())) {
            Ok(Ok(http)) => Ok(http),
            Ok(Err(source)) => Err(Error::config("the HTTP client cannot be set up").with_source(source)),
            Err(_) => Err(Error::config(
                "reqwest was built with rustls-no-provider, and no provider is installed: install one \
                 (rustls::crypto::CryptoProvider::install_default) before the client is built",
            )),
        }
    }
}

/// Redirects are followed; one who shows a token follows none to another origin, where it could be kept.
fn redirects(has_token: bool) -> Policy {
    Policy::custom(move |attempt| {
        let from = attempt.previous().last();
        let leaves = from.is_some_and(|from| !same_origin(from, attempt.url()));
        match has_token && leaves || attempt.previous().len() > MAX_REDIRECTS {
            true => attempt.stop(),
            false => attempt.follow(),
        }
    })
}

/// Without the token.
impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder").field("settings", &self.settings).finish_non_exhaustive()
    }
}
