//! A secret as it is kept and compared: its SHA-256, never its text.

use sha2::Sha256;
use std::fmt;

/// What is left of a secret. Whoever reads this memory has no token, and how long a comparison takes tells about a
/// hash, from which no secret can be guessed byte by byte.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Digest([u8; 32]);

/// 256 bits: nobody guesses them while they hold.
const SECRET_BYTES: usize = 32;

impl Digest {
    pub(super) fn of(secret: &str) -> Self {
        Self(sha2::Digest::finalize(sha2::Digest::chain_update(<Sha256 as sha2::Digest>::new(), secret)).into())
    }

    /// Looks at every byte, wherever the first difference is.
    pub(super) fn equals(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).fold(0, |difference, (mine, theirs)| difference | (mine ^ theirs)) == 0
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest")
    }
}

/// A secret that nobody knows yet, in hex digits; none when the system gives no randomness.
pub(super) fn random_secret() -> Option<String> {
    let mut bytes = [0; SECRET_BYTES];
    getrandom::fill(&mut bytes).ok()?;
    Some(
        bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| char::from(HEX[usize::from(digit)])).collect(),
    )
}

const HEX: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_that_of_the_standard_and_equals_only_itself() {
        // FIPS 180-4, the example "abc".
        let abc = Digest::of("abc");
        assert_eq!((abc.0[0], abc.0[31]), (0xba, 0xad));
        assert!(abc.equals(&Digest::of("abc")));
        for byte in 0..32 {
            let mut other = abc;
            other.0[byte] ^= 1;
            assert!(!abc.equals(&other));
        }
    }

    #[test]
    fn a_random_secret_has_256_bits_and_is_another_each_time() {
        let [one, other] = [random_secret(), random_secret()].map(|secret| secret.expect("randomness"));
        assert_eq!(one.len(), 64);
        assert_ne!(one, other);
    }
}
