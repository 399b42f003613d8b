//! The typed client: against our server over real sockets, and against servers that misbehave on purpose.

mod answers;
mod cuts;
mod fake;
mod reading;
mod secrets;
mod stops;
mod views;

use spanwright::{
    Cursor, StreamEvent,
    client::{Backoff, Client, ClientBuilder, Event, Events, Unreadable, Update},
};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(60);
const EPOCH: u64 = 0x2f6c_19d0_4be1_7a83;

/// A client that never waits before it comes back.
fn builder(url: String) -> ClientBuilder {
    // The tests' reqwest has TLS for another test, and wants a provider for it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder(url).backoff(Backoff::none())
}

fn client(url: String) -> Client {
    builder(url).build().expect("client")
}

fn cursor(offset: u64) -> Cursor {
    Cursor::new(EPOCH, offset)
}

/// The next update; a test that waits for nothing fails instead of hanging.
async fn next(events: &mut Events) -> Option<Result<Update, spanwright::Error>> {
    tokio::time::timeout(SOON, events.next()).await.expect("an update in time")
}

async fn next_event(events: &mut Events) -> Event {
    loop {
        match next(events).await {
            Some(Ok(Update::Event(event))) => return event,
            Some(Ok(Update::Reconnecting(_))) => {}
            other => panic!("{other:?} is no event"),
        }
    }
}

async fn next_unreadable(events: &mut Events) -> Unreadable {
    match next(events).await {
        Some(Ok(Update::Unreadable(unreadable))) => unreadable,
        other => panic!("{other:?} can be read"),
    }
}

/// Every event up to the end.
async fn all(events: &mut Events) -> Vec<StreamEvent> {
    let mut all = Vec::new();
    while let Some(update) = next(events).await {
        all.extend(update.expect("update").event());
    }
    all
}

fn tags(events: &[StreamEvent]) -> Vec<&str> {
    events.iter().map(|event| event.body.tag()).collect()
}
