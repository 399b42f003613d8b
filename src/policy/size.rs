//! What is too long: its beginning stays, and what was cut is said with its length and hash.

use super::shapes::floor;
use sha2::{Digest, Sha256};

/// ` … [cut: 104857600 bytes, sha256 0123456789abcdef]`: the length and the first 16 digits of the hash are those of the
/// whole text, as it was. What is short has no hash: it could be guessed from it.
pub(super) fn mark(whole: &str) -> String {
    if whole.len() < MIN_HASHED_BYTES {
        return format!(" … [cut: {} bytes]", whole.len());
    }
    let hash = Sha256::digest(whole.as_bytes());
    let digits: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!(" … [cut: {} bytes, sha256 {digits}]", whole.len())
}

const MIN_HASHED_BYTES: usize = 256;

/// The most that a mark adds, in bytes.
const MAX_MARK_BYTES: usize = 64;

/// `shown`, which is what is left of `whole`, cut so that it and its mark are no longer than `max_bytes`.
pub(crate) fn cut(shown: &str, whole: &str, max_bytes: usize) -> String {
    let end = floor(shown, max_bytes.saturating_sub(MAX_MARK_BYTES));
    format!("{}{}", &shown[..end], mark(whole))
}
