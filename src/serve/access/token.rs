//! A token of one's own: a secret text, and what it gives.

use super::{
    digest::Digest,
    grant::{Grant, Right},
};
use crate::{Error, Text, Timestamp};
use std::fmt;

/// A secret that you hand to a client, and what it allows. Kept as its SHA-256.
///
/// ```
/// use spanwright::serve::{Right, Token};
///
/// let secret = "a-long-random-text-of-your-own";
/// let token = Token::new(secret, [Right::Read]).tenant("acme").id("the dashboard of acme");
/// ```
#[derive(Clone)]
pub struct Token {
    digest: Digest,
    bad_form: bool,
    rights: Vec<Right>,
    tenant: Option<Text>,
    until: Option<Timestamp>,
    id: Option<Text>,
}

/// Shorter ones can be guessed.
const SHORTEST: usize = 16;
/// What a header may bring: longer ones are not looked at.
pub(super) const LONGEST: usize = 8 << 10;
/// As the gate has it for ids.
const LONGEST_TENANT: usize = crate::MAX_ID_BYTES;

impl Token {
    /// A token with these rights. `secret`: 16 to 8,192 letters, digits or `-._~+/=`, from a generator of random texts
    /// (`openssl rand -hex 32`).
    pub fn new(secret: impl AsRef<str>, rights: impl IntoIterator<Item = Right>) -> Self {
        let secret = secret.as_ref();
        Self {
            digest: Digest::of(secret),
            bad_form: secret.len() < SHORTEST || !is_token(secret),
            rights: rights.into_iter().collect(),
            tenant: None,
            until: None,
            id: None,
        }
    }

    /// Only this tenant's data. Without, the token is for everybody's.
    pub fn tenant(mut self, tenant: impl Into<Text>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// Accepted before this time and not after; streams end then.
    pub fn until(mut self, end: Timestamp) -> Self {
        self.until = Some(end);
        self
    }

    /// A name, by which it can be revoked ([`Access::revoke_id`](super::Access::revoke_id)).
    pub fn id(mut self, name: impl Into<Text>) -> Self {
        self.id = Some(name.into());
        self
    }

    pub(super) fn grant(self) -> Result<Grant, Error> {
        if self.bad_form {
            return Err(Error::config("token: 16 to 8192 letters, digits or -._~+/= are accepted"));
        }
        if self.rights.is_empty() {
            return Err(Error::config("token: at least one right (read, ingest, admin) is needed"));
        }
        if self.tenant.as_ref().is_some_and(|tenant| !is_tenant(tenant)) {
            return Err(Error::config("tenant of a token: 1 to 128 bytes are accepted"));
        }
        let id = self.id.map(|id| Digest::of(&id));
        Ok(Grant { rights: self.rights, tenant: self.tenant, until: self.until, token: self.digest, id })
    }
}

/// What can stand in a header after `Bearer` (RFC 6750, 2.1: `b64token`).
pub(super) fn is_token(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    !body.is_empty() && text.len() <= LONGEST && body.bytes().all(allowed)
}

/// An empty tenant would be nobody's or everybody's, depending on who reads it.
pub(super) fn is_tenant(text: &str) -> bool {
    (1..=LONGEST_TENANT).contains(&text.len())
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rights, tenant, until, id, .. } = self;
        let fields = [("tenant", tenant), ("id", id)];
        let mut out = f.debug_struct("Token");
        out.field("rights", rights).field("until", until);
        fields.iter().fold(&mut out, |out, (name, value)| out.field(name, value)).finish_non_exhaustive()
    }
}
