//! A client of the stream that misses nothing: reconnects, resumes where it was, tells gaps.
//!
//! ```no_run
//! use spanwright::client::{Client, Update};
//!
//! # async fn run() -> Result<(), spanwright::Error> {
//! let client = Client::new("http://127.0.0.1:4400")?;
//! let mut events = client.everything().events();
//! while let Some(update) = events.next().await {
//!     match update? {
//!         Update::Event(event) => println!("{}", event.event.to_json()),
//!         Update::Reconnecting(line) => eprintln!("{}; again in {:?}", line.why, line.pause),
//!         other => eprintln!("{other:?}"),
//!     }
//! }
//! # Ok(()) }
//! ```
//!
//! A [`Client`] knows where a server is and how it is let in; a [`Watch`] says whose events, how much of them and from
//! where; [`Events`] are these, in order, each once, however often the line is cut and the server started again.
//!
//! # What is told, and what ends it
//!
//! | what happens | [`Events`] |
//! |---|---|
//! | an event; a gap or a lag that the server tells | [`Update::Event`] |
//! | an event of a kind of a later version | the same, its body [`Unknown`](crate::event::Body::Unknown) with all that came |
//! | something that is no event, or is past the limit | [`Update::Unreadable`], counted; it goes on |
//! | an event that came before | dropped, counted |
//! | the line is cut, silent for too long, cannot be had; a 408, 429 or 5xx but 501 | [`Update::Reconnecting`]; it goes on after the [`Backoff`] |
//! | 204: the execution has ended and everything was told | the end |
//! | 401, 403 | an error with [`is_denied`](crate::Error::is_denied), then the end |
//! | 404, 410 | an error with [`is_not_found`](crate::Error::is_not_found), then the end |
//! | 400 and other statuses, not an event stream, a packed one | an error, then the end |
//! | a redirect to another origin, for a client with a token | an error with [`is_config`](crate::Error::is_config), then the end |
//!
//! To go on in another process, keep the [`cursor`](Event::cursor) of the last event and begin
//! [`after`](Watch::after) it. An event is "given out" when `next` returns it; a program that must not act twice keeps
//! the cursor together with what it did.
//!
//! # TLS
//!
//! The feature `client` brings reqwest without TLS, so that the choice is yours: name reqwest in your own `Cargo.toml`
//! with one of its TLS features (`rustls`, `native-tls`), and `https://` works. Without, it is an error that says so.
//! With the feature `reqwest`, `ClientBuilder::http` takes a client of yours with certificates and proxies.

mod address;
mod agent;
mod auth;
mod backoff;
mod builder;
mod events;
mod line;
mod seen;
mod snapshot;
mod trouble;
mod update;
mod watch;

pub use backoff::Backoff;
pub use builder::ClientBuilder;
pub use events::Events;
pub use snapshot::EventPage;
pub use update::{Counts, Event, Reconnecting, Unreadable, Update};
pub use watch::Watch;

use crate::{Error, ExecutionId};
use address::Base;
use auth::Auth;
use builder::Settings;
use std::{fmt, sync::Arc};

/// A server to watch and to ask. Cheap to clone; its clones share connections.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    base: Base,
    auth: Auth,
    settings: Settings,
}

impl Client {
    /// A client of the server at this address, such as `http://127.0.0.1:4400`.
    ///
    /// # Errors
    /// As [`build`](ClientBuilder::build).
    pub fn new(url: impl Into<String>) -> Result<Self, Error> {
        Self::builder(url).build()
    }

    /// The same, with settings.
    pub fn builder(url: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(url.into())
    }

    fn of(http: reqwest::Client, base: Base, auth: Auth, settings: Settings) -> Self {
        Self(Arc::new(Inner { http, base, auth, settings }))
    }

    /// The events of every execution, from now on.
    pub fn everything(&self) -> Watch {
        Watch::new(self.clone(), &["stream"])
    }

    /// The events of one conversation, from now on.
    pub fn session(&self, id: &str) -> Watch {
        Watch::new(self.clone(), &["sessions", id, "stream"])
    }

    /// The events of one tenant, from now on.
    pub fn tenant(&self, id: &str) -> Watch {
        Watch::new(self.clone(), &["tenants", id, "stream"])
    }

    /// The events of one execution, from its first to its end.
    pub fn execution(&self, id: &ExecutionId) -> Watch {
        Watch::new(self.clone(), &["executions", &id.to_string(), "stream"])
    }

    /// The events of every agent of this name: executions that are called so, and sub-agents with every step below
    /// them, from now on.
    ///
    /// Told apart here, by their starts: an agent that began before the stream is not seen. The server sends
    /// everything, so where an execution or session is known, watch that.
    pub fn agent(&self, name: &str) -> Watch {
        self.everything().of_agent(name)
    }

    fn http(&self) -> &reqwest::Client {
        &self.0.http
    }

    fn base(&self) -> &Base {
        &self.0.base
    }

    fn auth(&self) -> &Auth {
        &self.0.auth
    }

    fn settings(&self) -> &Settings {
        &self.0.settings
    }
}

/// Without the token.
impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base", &self.0.base).field("auth", &self.0.auth).finish()
    }
}
