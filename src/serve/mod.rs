//! HTTP: live streams as server-sent events, snapshots as JSON, on this machine only.
//!
//! [`Server`] listens by itself, on a runtime of yours or on a thread of its own; [`router`] is the same as an axum
//! router for your own server. Routes, frames and rules of resumption stand in `docs/wire.md`.
//!
//! ```no_run
//! # fn main() -> Result<(), spanwright::Error> {
//! let recorder = spanwright::Recorder::builder().start()?;
//! let server = spanwright::serve::Server::spawn(recorder.clone(), "127.0.0.1:0")?;
//! eprintln!("watch with: curl -N {}/stream", server.url());
//! # Ok(()) }
//! ```

mod access;
mod app;
mod bell;
mod body;
mod counters;
mod deadline;
mod executions;
mod failure;
mod frames;
mod guard;
mod health;
mod line;
mod params;
mod routes;
mod server;
mod settings;
mod stream;
mod streams;
mod thread;
mod translated;

pub use server::Server;
pub use settings::Settings;
pub use streams::{RunStream, Streams};
pub use thread::ServerHandle;

use crate::Recorder;
use app::App;
use axum::Router;

/// The routes, to be nested or merged into a router of your own.
///
/// Requests must name this machine's loopback in `Host`; [`Settings::host`] accepts further names, for routers that
/// stand behind authentication of their own. Deadlines for readers that stall are those of your own server: they
/// belong to the socket, which [`Server`] has and a router has not.
pub fn router(recorder: Recorder) -> Router {
    router_with(recorder, Settings::default())
}

/// The same, with settings.
pub fn router_with(recorder: Recorder, settings: Settings) -> Router {
    routes::router(App::new(recorder, settings))
}
