//! Watches a server: `watch http://127.0.0.1:4400`, or with the id of an execution behind it, until that has ended.

use spanwright::client::{Client, Update};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The examples share a reqwest that has TLS without cryptography. Yours has both, or none and needs none.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut arguments = std::env::args().skip(1);
    let client = Client::new(arguments.next().unwrap_or_else(|| "http://127.0.0.1:4400".to_owned()))?;
    let watch = match arguments.next() {
        Some(execution) => client.execution(&execution.parse()?),
        None => client.everything(),
    };
    let mut events = watch.events();
    while let Some(update) = events.next().await {
        match update? {
            Update::Event(event) => println!("{}", event.event.to_json()),
            Update::Reconnecting(line) => eprintln!("{}; again in {:?}", line.why, line.pause),
            other => eprintln!("{other:?}"),
        }
    }
    Ok(())
}
