//! What an answer means that is not the one hoped for: to be tried again, or not.

use crate::Error;
use reqwest::{Response, StatusCode, header};
use std::time::Duration;

/// Why there is no stream, and whether there may be one later.
pub(super) struct Trouble {
    pub(super) error: Error,
    pub(super) again: Again,
}

/// Whether to try again.
pub(super) enum Again {
    /// It would be the same again.
    Never,
    /// After what the server asked for, and the client's own wait.
    After(Duration),
}

/// What of an answer's sentence is told.
const SENTENCE_BYTES: usize = 512;

impl Trouble {
    pub(super) fn fatal(error: Error) -> Self {
        Self { error, again: Again::Never }
    }

    pub(super) fn passing(error: Error) -> Self {
        Self { error, again: Again::After(Duration::ZERO) }
    }

    /// No answer came. The address is left out of what is told: there may be a ticket in it.
    pub(super) fn of_line(what: &str, source: reqwest::Error) -> Self {
        let source = source.without_url();
        if wants_tls(&source) {
            return Self::fatal(Error::config(
                "https: reqwest was built without TLS; name it in your own Cargo.toml with one of its TLS features, \
                 such as reqwest = { version = \"0.13\", features = [\"rustls\"] }",
            ));
        }
        let fatal = source.is_redirect() || source.is_builder();
        let error = Error::io(what).with_source(Causes(source));
        if fatal { Self::fatal(error) } else { Self::passing(error) }
    }

    /// An answer of this status came, with this sentence in it.
    fn of_status(what: &str, status: StatusCode, asked: Duration, sentence: &str) -> Self {
        let said = |more: &str| format!("{what}: {}{sentence}{more}", status.as_u16());
        let error = match status.as_u16() {
            401 => Error::denied(said("; a bearer token may be given by ClientBuilder::bearer")),
            403 => Error::denied(said("")),
            404 | 410 => Error::not_found(said("")),
            300..=399 => Error::config(said("; give the address that the server is really at")),
            408 | 429 | 500 | 502..=599 => Error::io(said("")),
            _ => Error::invalid(said("")),
        };
        // What says "later" or is a server's (or proxy's) bad moment; 501 is what it is.
        let passing = matches!(status.as_u16(), 408 | 429 | 500 | 502..=599);
        Self { error, again: if passing { Again::After(asked) } else { Again::Never } }
    }
}

/// The answer, if it has the status that is wanted.
pub(super) async fn wanted(what: &str, response: Response) -> Result<Response, Trouble> {
    match response.status() {
        StatusCode::OK => Ok(response),
        status => {
            let asked = retry_after(&response);
            Err(Trouble::of_status(what, status, asked, &sentence(response).await))
        }
    }
}

/// `Retry-After` in seconds (RFC 9110, 10.2.3). A date is passed over: it would need a clock that both agree on.
fn retry_after(response: &Response) -> Duration {
    let value = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    Duration::from_secs(value.and_then(|text| text.trim().parse().ok()).unwrap_or(0))
}

/// What our server says in an answer that is an error: `{"error": "…"}`.
async fn sentence(mut response: Response) -> String {
    #[derive(serde::Deserialize)]
    struct Said {
        error: String,
    }
    let first = tokio::time::timeout(Duration::from_secs(2), response.chunk()).await;
    let Ok(Ok(Some(bytes))) = first else { return String::new() };
    match serde_json::from_slice::<Said>(&bytes) {
        Ok(said) if said.error.len() <= SENTENCE_BYTES && !said.error.contains(char::is_control) => {
            format!(" ({})", said.error)
        }
        _ => String::new(),
    }
}

/// hyper's connector says this where nobody gave it TLS; it has no other mark.
fn wants_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| error.source())
        .any(|error| error.to_string().contains("scheme is not http"))
}

/// reqwest keeps its causes to itself when it is shown; what went wrong is the last of them.
#[derive(Debug)]
struct Causes(reqwest::Error);

impl std::fmt::Display for Causes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let first: &dyn std::error::Error = &self.0;
        let last = std::iter::successors(Some(first), |error| error.source()).last();
        write!(f, "{}", last.unwrap_or(first))
    }
}

impl std::error::Error for Causes {}
