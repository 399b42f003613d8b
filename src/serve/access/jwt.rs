//! Tokens that somebody else signed: JSON Web Tokens (RFC 7519). The key says by which algorithm, never the token.

use super::{
    digest::Digest,
    grant::{Grant, Right},
    public_key,
    token::is_tenant,
};
use crate::{Error, Text, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, crypto, decode};
use serde::{Deserialize, Deserializer};
use std::fmt;

/// A key, and for whom the tokens that it signs must be.
///
/// A token needs `exp` and `aud`. Its `scope` names rights (`read`, `ingest`, `admin`, separated by spaces; other words
/// are passed over), its `tenant` whose data it is for: everybody's where it has none. `nbf` is looked at with 5 s for
/// clocks that differ, `exp` without: a stream ends then.
#[derive(Clone)]
pub struct JwtKey {
    key: DecodingKey,
    validation: Validation,
}

/// "A key of the same size as the hash output … or larger MUST be used" (RFC 7518, 3.2).
const SHORTEST_SECRET: usize = 32;
/// For `nbf` only.
const LEEWAY_SECS: u64 = 5;

impl JwtKey {
    /// HS256 with a secret of at least 32 bytes, which whoever signs has too. `audience` must be in a token's `aud`.
    ///
    /// # Errors
    /// `is_config` for a shorter secret.
    pub fn secret(secret: impl AsRef<[u8]>, audience: impl AsRef<str>) -> Result<Self, Error> {
        let secret = secret.as_ref();
        if secret.len() < SHORTEST_SECRET {
            return Err(Error::config("secret for signed tokens: at least 32 bytes are accepted (RFC 7518, 3.2)"));
        }
        Self::new(DecodingKey::from_secret(secret), Algorithm::HS256, audience.as_ref())
    }

    /// A public key in PEM (`-----BEGIN PUBLIC KEY-----`): RS256 for one of RSA, ES256 for one of P-256, EdDSA for one of
    /// Ed25519. `audience` must be in a token's `aud`.
    ///
    /// # Errors
    /// `is_config` for anything else.
    pub fn public(pem: impl AsRef<str>, audience: impl AsRef<str>) -> Result<Self, Error> {
        let (key, algorithm) = public_key::read(pem.as_ref())?;
        Self::new(key, algorithm, audience.as_ref())
    }

    /// A token's `iss` must be this one too.
    pub fn issuer(mut self, issuer: impl AsRef<str>) -> Self {
        self.validation.set_issuer(&[issuer.as_ref()]);
        self.validation.set_required_spec_claims(&["exp", "aud", "iss"]);
        self
    }

    fn new(key: DecodingKey, algorithm: Algorithm, audience: &str) -> Result<Self, Error> {
        if audience.is_empty() {
            return Err(Error::config("audience of signed tokens: a name is needed"));
        }
        // A key that verifies nothing is known by now, and not when the first token comes.
        crypto::verify(NO_SIGNATURE, b"", &key, algorithm).map_err(|_| public_key::not_a_key())?;
        let mut validation = Validation::new(algorithm);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["exp", "aud"]);
        validation.leeway = LEEWAY_SECS;
        // The caller's, who says so: here it would be one mistake like all others.
        validation.validate_exp = false;
        validation.validate_nbf = true;
        Ok(Self { key, validation })
    }

    /// What the token gives, if this key signed it and it is for us. That it has not expired is for the caller.
    pub(super) fn grant(&self, token: &str) -> Option<Grant> {
        let data = decode(token, &self.key, &self.validation).ok()?;
        // "If any of the listed extension Header Parameters are not understood and supported by the recipient, then the
        // JWS is invalid" (RFC 7515, 4.1.11): we know none.
        if data.header.crit.is_some() {
            return None;
        }
        let claims: Claims = data.claims;
        let words = || claims.scope.split(' ');
        let rights = Right::ALL.into_iter().filter(|right| words().any(|word| word == right.as_str())).collect();
        if claims.tenant.as_ref().is_some_and(|tenant| !is_tenant(tenant)) {
            return None;
        }
        Some(Grant {
            rights,
            tenant: claims.tenant,
            until: Some(time(claims.exp)),
            token: mark(token)?,
            id: claims.jti.map(|id| Digest::of(&id)),
        })
    }
}

/// What a signed token is known by: its signed part. One signature can be changed into another that holds as well (of
/// ECDSA (r, s) into (r, n - s)), so the whole text would not do. With a blank, which no token has, it is no other one's.
pub(super) fn mark(token: &str) -> Option<Digest> {
    let (signed, _) = token.rsplit_once('.')?;
    Some(Digest::of(&format!("signed {signed}")))
}

/// 64 zero bytes, in base64url.
const NO_SIGNATURE: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

#[derive(Deserialize)]
struct Claims {
    exp: f64,
    #[serde(default)]
    scope: String,
    #[serde(default, deserialize_with = "present")]
    tenant: Option<Text>,
    #[serde(default)]
    jti: Option<String>,
}

/// A tenant that is `null` is a mistake of whoever signed, and not a token for everybody's data.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Text>, D::Error> {
    Text::deserialize(deserializer).map(Some)
}

/// A NumericDate: seconds, also with a fraction (RFC 7519, 2).
fn time(seconds: f64) -> Timestamp {
    // Floats are cast to the nearest that there is, so what is for ever stays so.
    #[expect(clippy::cast_possible_truncation, reason = "saturates")]
    Timestamp::from_unix_nanos((seconds * 1e9) as i64)
}

impl fmt::Debug for JwtKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtKey").field("algorithms", &self.validation.algorithms).finish_non_exhaustive()
    }
}
