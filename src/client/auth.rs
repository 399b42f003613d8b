//! What a client shows so that it is let in. Nothing in here is ever printed.

use crate::Error;
use reqwest::header::HeaderValue;
use std::fmt;

/// What a client shows.
#[derive(Clone)]
pub(super) enum Auth {
    /// Nothing: enough for a server on this machine.
    None,
    /// `Authorization: Bearer …` (RFC 6750, 2.1).
    Bearer(HeaderValue),
    /// The same, but only to get a ticket for each stream, which goes into the query.
    Tickets(HeaderValue),
}

impl Auth {
    /// The header for a token.
    pub(super) fn header(token: &str) -> Result<HeaderValue, Error> {
        // `b64token`, RFC 6750, 2.1; an empty one would be no header at all.
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        if token.is_empty() || !token.bytes().all(is_token) {
            return Err(Error::config(
                "bearer token: letters, digits and -._~+/= are accepted, and at least one of them",
            ));
        }
        let refused = |_| Error::config("bearer token: what fits into a header is accepted");
        let mut header = HeaderValue::try_from(format!("Bearer {token}")).map_err(refused)?;
        header.set_sensitive(true);
        Ok(header)
    }

    /// The header that goes with everything but streams.
    pub(super) const fn bearer(&self) -> Option<&HeaderValue> {
        match self {
            Self::None => None,
            Self::Bearer(header) | Self::Tickets(header) => Some(header),
        }
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Bearer(_) => "bearer token",
            Self::Tickets(_) => "tickets",
        })
    }
}
