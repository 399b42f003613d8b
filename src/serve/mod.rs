//! HTTP: live streams as server-sent events, snapshots as JSON; on this machine only, unless tokens are asked for.
//!
//! [`Server`] listens by itself, on a runtime of yours or on a thread of its own; [`router`] is the same as an axum
//! router for your own server. Routes, frames and rules of resumption stand in `docs/wire.md`, tokens,
//! tickets and cookies in `docs/access.md`.
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
mod body;
mod cors;
mod counters;
mod deadline;
mod digest;
mod events;
mod executions;
mod failure;
mod frames;
mod gateway;
mod guard;
mod health;
mod ingest;
mod line;
mod openapi;
mod params;
mod record;
mod routes;
mod schemas;
mod server;
mod sessions;
mod settings;
mod steer;
mod stream;
mod streams;
mod thread;
mod translated;

#[cfg(feature = "jwt")]
pub use access::JwtKey;
pub use access::{Access, AccessBuilder, Right, Token};
pub use server::Server;
pub use settings::Settings;
pub use streams::{RunStream, Streams};
pub use thread::ServerHandle;

use crate::Recorder;
use app::App;
use axum::Router;

/// The routes, to be nested or merged into a router of your own.
///
/// Requests must name this machine's loopback in `Host`; [`Settings::host`] accepts further names, for routers that ask
/// for tokens ([`Settings::access`]) or stand behind authentication of their own. A router does not know where it is
/// listened on: whoever mounts it without either decides that everybody who reaches it may read everything. Deadlines for readers that stall are those of your own server: they
/// belong to the socket, which [`Server`] has and a router has not.
pub fn router(recorder: Recorder) -> Router {
    router_with(recorder, Settings::default())
}

/// The same, with settings.
pub fn router_with(recorder: Recorder, settings: Settings) -> Router {
    routes::router(App::new(recorder, settings))
}
