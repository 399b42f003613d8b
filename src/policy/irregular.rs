//! Secrets that need more than a prefix and a run: bearer tokens, private keys, and two with their mark inside.

use super::{
    number::is_word,
    shapes::{AZURE, PEM, base64_or_dot, dashed, dotted, floor, run, word},
    spans::Found,
};

/// RFC 6750: `Bearer` and a token. Words after the word are no token: one has a digit.
pub(super) fn bearer_token(bytes: &[u8], start: usize, after: usize, found: &mut Found<'_>) -> usize {
    let spaces = run(&bytes[after..(after + 4).min(bytes.len())], |b| b == b' ');
    let token = after + spaces;
    if spaces == 0 && token < bytes.len() {
        return after;
    }
    let end = token + run(&bytes[token..], base64_or_dot);
    if end == bytes.len() {
        found.open(start);
    }
    if end - token >= 12 && bytes[token..end].iter().any(u8::is_ascii_digit) {
        found.mask_after(start, token, end, "bearer_token");
        return end;
    }
    after
}

/// The longest private key that is looked for, in bytes; one that has no end is masked as far as that.
const MAX_KEY_BYTES: usize = 12 << 10;
const MAX_LABEL_BYTES: usize = 48;

/// RFC 7468: from `-----BEGIN … PRIVATE KEY-----` to its end.
pub(super) fn private_key(text: &str, start: usize, found: &mut Found<'_>) -> usize {
    let after = start + PEM.len();
    let label = floor(text, after + MAX_LABEL_BYTES);
    if !text[after..label].contains("PRIVATE KEY") {
        if label == text.len() {
            found.open(start);
        }
        return after;
    }
    let limit = floor(text, start + MAX_KEY_BYTES);
    let end = match text[after..limit].find("-----END") {
        Some(at) => key_end(text, after + at + "-----END".len()),
        None => limit,
    };
    if end == text.len() {
        found.open(start);
    }
    found.mask(start, end, "private_key");
    end
}

/// After the dashes that end the last line.
fn key_end(text: &str, after: usize) -> usize {
    let limit = floor(text, after + MAX_LABEL_BYTES);
    let dashes = text[after..limit].find("-----");
    dashes.map_or_else(|| after + run(&text.as_bytes()[after..limit], |b| b != b'\n'), |at| after + at + 5)
}

/// `abc8Q~` and 31 to 34 more: three letters, a digit, the mark.
pub(super) fn azure_secret(bytes: &[u8], mark: usize, found: &mut Found<'_>) -> usize {
    let after = mark + AZURE.len();
    let end = after + run(&bytes[after..(after + 40).min(bytes.len())], |b| dotted(b) || b == b'~');
    let end = end - usize::from(bytes[end - 1] == b'.');
    let Some(start) = mark.checked_sub(4) else { return after };
    let fits = bytes[start..mark - 1].iter().all(|b| word(*b)) && bytes[mark - 1].is_ascii_digit();
    if fits && (28..=36).contains(&(end - after)) && !preceded_by_word(bytes, start) {
        found.mask(start, end, "azure_secret");
        return end;
    }
    after
}

/// A bot's number, a colon, 35 characters that begin with `AA`.
pub(super) fn telegram_token(bytes: &[u8], colon: usize, found: &mut Found<'_>) -> bool {
    let digits = bytes[..colon].iter().rev().take(11).take_while(|b| b.is_ascii_digit()).count();
    let end = colon + 1 + run(&bytes[colon + 1..(colon + 40).min(bytes.len())], dashed);
    if (8..=10).contains(&digits) && (33..=37).contains(&(end - colon - 1)) {
        found.mask(colon - digits, end, "telegram_token");
        return true;
    }
    false
}

fn preceded_by_word(bytes: &[u8], start: usize) -> bool {
    start > 0 && is_word(bytes[start - 1])
}
