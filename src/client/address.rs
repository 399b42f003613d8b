//! Where a server is, and the addresses below it.

use crate::Error;
use reqwest::Url;

/// The address under which a server's routes begin.
#[derive(Debug, Clone)]
pub(super) struct Base(Url);

impl Base {
    /// Reads `http://127.0.0.1:4400`, `https://agents.example.org/live` and the like.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let accepted = "http://host:port or https://host:port, and a path below which the routes are, is accepted";
        // The text stays out of the message: people put passwords into addresses.
        let url = Url::parse(text)
            .map_err(|source| Error::config(format!("address of the server: {accepted}")).with_source(source))?;
        let has_secret = !url.username().is_empty() || url.password().is_some();
        match url.scheme() {
            _ if has_secret => Err(Error::config(
                "address of the server: no user and password are accepted in it; give a token by ClientBuilder::bearer",
            )),
            _ if url.query().is_some() || url.fragment().is_some() => {
                Err(Error::config(format!("address of the server: no query and no fragment; {accepted}")))
            }
            "http" | "https" => Ok(Self(url)),
            scheme => Err(Error::config(format!("address of the server with the scheme {scheme:?}: {accepted}"))),
        }
    }

    /// True on this machine.
    pub(super) fn is_loopback(&self) -> bool {
        match self.0.host_str() {
            Some("localhost") => true,
            Some(host) => host
                .trim_matches(['[', ']'])
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.to_canonical().is_loopback()),
            None => false,
        }
    }

    /// The address of a route, whose parts are percent-encoded.
    pub(super) fn route(&self, parts: &[&str]) -> Result<Url, Error> {
        // The URL standard takes both away, percent-encoded or not ("double-dot URL path segment").
        if let Some(part) = parts.iter().find(|part| ["", ".", ".."].contains(part)) {
            return Err(Error::invalid(format!("id {part:?}: it cannot stand in an address")));
        }
        let mut url = self.0.clone();
        match url.path_segments_mut() {
            Ok(mut path) => path.pop_if_empty().extend(parts),
            Err(()) => return Err(Error::config("address of the server: it cannot have a path")),
        };
        Ok(url)
    }
}

/// Whether two addresses have the same origin (RFC 6454, 5).
pub(super) fn same_origin(one: &Url, other: &Url) -> bool {
    one.origin() == other.origin()
}
