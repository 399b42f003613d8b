//! Lists in variables: `key=value,key=value`, "in a format matching the W3C Baggage", percent-encoded.

use crate::otlp::percent;

/// The pairs of a list; none if one of its parts is no pair. Empty parts (a comma at the end) are passed over.
pub(super) fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(pair).collect()
}

fn pair(part: &str) -> Option<(String, String)> {
    let (key, value) = part.split_once('=')?;
    let key = percent::decoded(key.trim());
    (!key.is_empty()).then(|| (key, percent::decoded(value.trim())))
}
