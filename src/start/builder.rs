//! Settings of a start, and what they start.

use super::Guard;
use crate::{AgentLayer, ContentPolicy, Error, QueueLimits, RecorderBuilder, Rules, hub::HubLimits, ledger::Prices};
use std::path::PathBuf;
use tracing::Subscriber;
use tracing_subscriber::{
    layer::{Layer, SubscriberExt},
    registry::LookupSpan,
    util::SubscriberInitExt,
};

/// Settings of a start. What is not set is as in [`init`](crate::init).
#[derive(Debug, Clone, Default)]
#[must_use = "nothing starts until `init` or `start` is called"]
pub struct Builder {
    log: LogSetting,
    recorder: RecorderBuilder,
    rules: Rules,
    without_terminal: bool,
    serve: Option<String>,
    #[cfg(feature = "serve")]
    serve_settings: crate::serve::Settings,
    #[cfg(feature = "otlp")]
    destinations: Vec<crate::otlp::Destination>,
}

/// Where the record goes when nothing else is said.
#[cfg(feature = "sqlite")]
const DEFAULT_LOG: &str = "spanwright.db";

#[derive(Debug, Clone, Default)]
enum LogSetting {
    #[default]
    Default,
    At(PathBuf),
    Nowhere,
}

impl Builder {
    /// Keeps the record in this SQLite file; it is made where there is none.
    pub fn log(mut self, path: impl Into<PathBuf>) -> Self {
        self.log = LogSetting::At(path.into());
        self
    }

    /// Keeps no record: what happened can be watched and is gone.
    pub fn without_log(mut self) -> Self {
        self.log = LogSetting::Nowhere;
        self
    }

    /// Draws nothing on stderr.
    pub fn without_terminal(mut self) -> Self {
        self.without_terminal = true;
        self
    }

    /// Serves live streams and snapshots on an address of this machine's loopback, such as `127.0.0.1:4400`; port 0
    /// takes any that is free. Needs the feature `serve`.
    pub fn serve(mut self, address: impl Into<String>) -> Self {
        self.serve = Some(address.into());
        self
    }

    /// The same, with settings: with [`access`](crate::serve::Settings::access) any address is served on.
    #[cfg(feature = "serve")]
    pub fn serve_with(mut self, address: impl Into<String>, settings: crate::serve::Settings) -> Self {
        self.serve_settings = settings;
        self.serve(address)
    }

    /// Sends the record to an OpenTelemetry back end as well; say it once for each, none holds up another. What could not be
    /// delivered stays in the log, and the next start goes on with it.
    #[cfg(feature = "otlp")]
    pub fn otlp(mut self, destination: crate::otlp::Destination) -> Self {
        self.destinations.push(destination);
        self
    }

    /// What may be recorded of content (prompts, answers, arguments, results), for every sink of ours. Where nothing else
    /// is said, secrets and personal data are masked. Other layers see the fields of spans as they are.
    pub fn content(mut self, policy: ContentPolicy) -> Self {
        self.recorder = self.recorder.content(policy);
        self
    }

    /// What spans of your own mean, beside what is understood already.
    pub fn rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// How much may wait in front of the recorder.
    pub fn queue(mut self, limits: QueueLimits) -> Self {
        self.recorder = self.recorder.queue(limits);
        self
    }

    /// How much is held for live readers.
    pub fn hub(mut self, limits: HubLimits) -> Self {
        self.recorder = self.recorder.hub(limits);
        self
    }

    /// What calls cost: the built-in list prices with your own over them, such as
    /// `Prices::builtin().with(&Prices::from_file("prices.json")?)`. Without it, [`Prices::builtin`].
    pub fn prices(mut self, prices: Prices) -> Self {
        self.recorder = self.recorder.prices(prices);
        self
    }

    /// Starts everything and installs the process's `tracing` subscriber.
    ///
    /// # Errors
    /// `is_config` when a setting cannot be used or the process has a subscriber already; `is_in_use` when another
    /// process has the log open; what the log, the server or the system says.
    pub fn init(self) -> Result<Guard, Error> {
        let guard = self.start()?;
        tracing_subscriber::registry().with(guard.layer()).try_init().map_err(|source| {
            let hint = "the process has a `tracing` subscriber already: use `spanwright::builder().start()` and add \
                        `guard.layer()` to it";
            Error::config(hint).with_source(source)
        })?;
        Ok(guard)
    }

    /// Starts everything but the subscriber: add [`Guard::layer`] to your own.
    ///
    /// # Errors
    /// As for [`init`](Builder::init).
    pub fn start(mut self) -> Result<Guard, Error> {
        #[cfg(feature = "otlp")]
        crate::otlp::Destination::check_all(&self.destinations)?;
        let log = self.open_log()?;
        let recorder = self.recorder.clone().start()?;
        let mut guard = Guard::new(recorder, log, self.rules);
        #[cfg(feature = "otlp")]
        self.destinations.iter().try_for_each(|destination| guard.deliver(destination))?;
        if let Some(address) = &self.serve {
            #[cfg(feature = "serve")]
            guard.serve(address, self.serve_settings.clone())?;
            #[cfg(not(feature = "serve"))]
            guard.serve(address)?;
        }
        if !self.without_terminal {
            guard.draw()?;
        }
        Ok(guard)
    }

    #[cfg(feature = "sqlite")]
    fn open_log(&mut self) -> Result<Option<PathBuf>, Error> {
        let path = match &self.log {
            LogSetting::Nowhere => return Ok(None),
            LogSetting::Default => PathBuf::from(DEFAULT_LOG),
            LogSetting::At(path) => path.clone(),
        };
        let log = crate::log::SqliteLog::open(&path)?;
        self.recorder = self.recorder.clone().log(log);
        Ok(Some(path))
    }

    #[cfg(not(feature = "sqlite"))]
    fn open_log(&mut self) -> Result<Option<PathBuf>, Error> {
        match &self.log {
            LogSetting::At(path) => {
                Err(Error::config(format!("log {}: needs the feature `sqlite` of spanwright", path.display())))
            }
            _ => Ok(None),
        }
    }
}

impl Guard {
    /// The layer that turns agent spans into events, for a subscriber of your own. It has a filter of its own, so
    /// neither does another layer's silence it, nor does it switch on what it cannot use. A filter on the whole
    /// subscriber does silence it: then one line on stderr says so when the subscriber is made.
    pub fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let layer = AgentLayer::new(self.recorder().clone()).rules(self.rules().clone());
        layer.on_register(super::hidden::tell).filtered()
    }
}
