//! Public keys in PEM: `SubjectPublicKeyInfo` (RFC 5280, 4.1.2.7), of the three kinds that are accepted.

use crate::Error;
use jsonwebtoken::{Algorithm, DecodingKey};

/// The key, and the only algorithm that tokens of it may have.
pub(super) fn read(pem: &str) -> Result<(DecodingKey, Algorithm), Error> {
    let der = body(pem).and_then(decoded).ok_or_else(not_a_key)?;
    known(&der).ok_or_else(not_a_key)
}

pub(super) fn not_a_key() -> Error {
    Error::config(
        "public key for signed tokens: PEM that begins with -----BEGIN PUBLIC KEY----- is accepted, of RSA, P-256 or Ed25519",
    )
}

/// The base64 between the lines of PEM (RFC 7468, 13).
fn body(pem: &str) -> Option<String> {
    let (_, rest) = pem.split_once("-----BEGIN PUBLIC KEY-----")?;
    let (body, _) = rest.split_once("-----END PUBLIC KEY-----")?;
    Some(body.split_ascii_whitespace().collect())
}

/// Base64, read by what we have: a secret in base64 is the same thing to the library.
fn decoded(base64: String) -> Option<Vec<u8>> {
    let key = DecodingKey::from_base64_secret(&base64).ok()?;
    key.try_get_as_bytes().ok().map(<[u8]>::to_vec)
}

const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;

/// `AlgorithmIdentifier`s without their tag and length.
/// rsaEncryption 1.2.840.113549.1.1.1, NULL (RFC 8017, A.1).
const RSA: &[u8] = &[0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00];
/// id-ecPublicKey 1.2.840.10045.2.1, prime256v1 1.2.840.10045.3.1.7 (RFC 5480, 2.1.1).
const P256: &[u8] =
    &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// id-Ed25519 1.3.101.112 (RFC 8410, 3).
const ED25519: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];

/// Shorter ones have been factored, or will be ("A key of size 2048 bits or larger MUST be used", RFC 7518, 3.3).
const SHORTEST_RSA_DER: usize = 256;

fn known(der: &[u8]) -> Option<(DecodingKey, Algorithm)> {
    let (info, []) = element(der, SEQUENCE)? else { return None };
    let (algorithm, rest) = element(info, SEQUENCE)?;
    let (bits, []) = element(rest, BIT_STRING)? else { return None };
    // The first byte of a BIT STRING says how many bits of the last are none: here never any.
    let (0, key) = bits.split_first().map(|(unused, key)| (*unused, key))? else { return None };
    match (algorithm, key.len()) {
        (RSA, SHORTEST_RSA_DER..) => Some((DecodingKey::from_rsa_der(key), Algorithm::RS256)),
        (P256, _) => Some((DecodingKey::from_ec_der(key), Algorithm::ES256)),
        (ED25519, 32) => Some((DecodingKey::from_ed_der(key), Algorithm::EdDSA)),
        _ => None,
    }
}

/// The content of a DER element with this tag, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&found, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        // X.690, 8.1.3.5: so many bytes of length follow. Keys need two.
        0x81 | 0x82 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    (found == tag).then(|| rest.split_at_checked(length))?
}
