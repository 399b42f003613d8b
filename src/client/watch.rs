//! What is to be watched, before it is.

use super::{
    Client, Events,
    agent::{Agent, Kinds},
};
use crate::{
    Cursor, Error, StreamEvent,
    event::{Class, Kind, StreamMode},
    hub::From,
};
use reqwest::Url;
use std::fmt;

/// What to watch: whose events, how much of them, and from where. [`events`](Watch::events) begins.
#[derive(Clone)]
#[must_use = "nothing is watched before `events` is called"]
pub struct Watch {
    client: Client,
    /// Of the route, as it is; percent-encoded when it is asked.
    route: Vec<String>,
    /// Ends with what is watched.
    pub(super) ends: bool,
    mode: StreamMode,
    kinds: Kinds,
    agent: Option<String>,
    pub(super) from: Option<From>,
}

impl Watch {
    pub(super) fn new(client: Client, route: &[&str]) -> Self {
        let route: Vec<String> = route.iter().map(|part| (*part).to_owned()).collect();
        let ends = route.first().is_some_and(|first| first == "executions");
        Self { client, route, ends, mode: StreamMode::Full, kinds: None, agent: None, from: None }
    }

    pub(super) fn of_agent(mut self, name: &str) -> Self {
        self.agent = Some(name.to_owned());
        self
    }

    /// How much is shown.
    pub fn mode(mut self, mode: StreamMode) -> Self {
        self.mode = mode;
        self
    }

    /// Only these kinds, and what is told of the stream itself.
    pub fn kinds(mut self, kinds: impl IntoIterator<Item = Kind>) -> Self {
        self.kinds = Some(kinds.into_iter().collect());
        self
    }

    /// Where it begins; otherwise where the server's route does: with what happens from now on, and for one execution
    /// with its first event.
    pub fn from(mut self, from: From) -> Self {
        self.from = Some(from);
        self
    }

    /// Begins after the event with this cursor: where an earlier stream was, in this process or another one.
    pub fn after(self, cursor: Cursor) -> Self {
        self.from(From::After(cursor))
    }

    /// Begins. Nothing is asked of the server before the first event is waited for.
    pub fn events(self) -> Events {
        Events::new(self)
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// `GET /sessions/…/stream`, as errors name it.
    pub(super) fn what(&self) -> String {
        format!("GET /{}", self.route.join("/"))
    }

    /// The address, with what the server can filter. Where an agent is followed here, its steps must be seen from
    /// their start, so the server filters no more than pieces.
    pub(super) fn url(&self) -> Result<Url, Error> {
        let parts: Vec<&str> = self.route.iter().map(String::as_str).collect();
        let mut url = self.client.base().route(&parts)?;
        let mut query = Vec::new();
        let mode = match (self.agent.is_some(), self.mode) {
            (true, StreamMode::ControlOnly | StreamMode::Silent) => StreamMode::Summary,
            (_, mode) => mode,
        };
        if mode != StreamMode::Full {
            query.push(("mode", mode.as_str().to_owned()));
        }
        if let (Some(kinds), None) = (&self.kinds, &self.agent) {
            let mut tags: Vec<&str> = kinds.iter().map(|kind| kind.tag()).collect();
            tags.sort_unstable();
            // Kinds of a later version cannot be named to the server, and no kind at all is no list.
            if tags.first().is_some_and(|tag| !tag.is_empty()) {
                query.push(("kinds", tags.join(",")));
            }
        }
        match self.from {
            Some(From::Start) => query.push(("from", "start".to_owned())),
            Some(From::Live) => query.push(("from", "live".to_owned())),
            _ => {}
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    pub(super) fn sieve(&self) -> Sieve {
        Sieve { mode: self.mode, kinds: self.kinds.clone(), agent: self.agent.clone().map(Agent::new) }
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("route", &self.what())
            .field("mode", &self.mode)
            .field("from", &self.from)
            .finish()
    }
}

/// What is shown of what came: what the server was asked for, too, since an older one passes over what it does not know.
#[derive(Debug)]
pub(super) struct Sieve {
    mode: StreamMode,
    kinds: Kinds,
    agent: Option<Agent>,
}

impl Sieve {
    pub(super) fn shows(&mut self, event: &StreamEvent) -> bool {
        // Asked first: it has to see everything.
        let is_of_agent = self.agent.as_mut().is_none_or(|agent| agent.is_of(event));
        let is_of_kinds = self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&event.kind()));
        event.class() == Class::Transport || is_of_agent && is_of_kinds && self.mode.shows(event.class())
    }
}
