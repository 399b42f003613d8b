//! `key = value`, `key: "value"`, `--key=value`: values that are secret because their key says so.

use super::{
    secret_names::{MAX_KEY_BYTES, SecretNames},
    shapes::run,
    spans::{Found, MASK, SECRET},
};

/// The longest value that is looked at, in bytes.
const MAX_VALUE_BYTES: usize = 4 << 10;
/// Spaces between key, sign and value.
const MAX_SPACES: usize = 8;

struct Assignment<'a> {
    bytes: &'a [u8],
    key_start: usize,
    key: &'a [u8],
    /// `=`, as in a shell or a program; else `:`.
    equals: bool,
    /// Space around the sign: code and prose have it, files of settings do not.
    spaced: bool,
    value: usize,
}

/// Looks at a `:` or a `=`; gives where to look on.
pub(super) fn find(names: &SecretNames, bytes: &[u8], sign: usize, found: &mut Found<'_>) -> usize {
    let Some((key_start, key)) = key_before(bytes, sign) else { return sign + 1 };
    if !std::str::from_utf8(key).is_ok_and(|key| names.names(key)) {
        return sign + 1;
    }
    let Some(value) = value_after(bytes, sign) else { return sign + 2 };
    if value == bytes.len() {
        found.open(key_start);
        return value;
    }
    let spaced = bytes[value - 1].is_ascii_whitespace() || bytes[sign - 1] == b' ';
    let assignment = Assignment { bytes, key_start, key, equals: bytes[sign] == b'=', spaced, value };
    assignment.mask_value(names, found)
}

/// A complete word that may be a key whose sign is still to come.
pub(super) fn ends_with_key(names: &SecretNames, text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (start, key) = key_before(bytes, bytes.len())?;
    std::str::from_utf8(key).is_ok_and(|key| names.names(key)).then_some(start)
}

/// The word before the sign: `key =`, `"key":`, `[key]=`, `\"key\":`.
fn key_before(bytes: &[u8], sign: usize) -> Option<(usize, &[u8])> {
    let back = |from: usize, limit: usize, of: fn(u8) -> bool| {
        from - bytes[..from].iter().rev().take(limit).take_while(|b| of(**b)).count()
    };
    let end = back(sign, MAX_SPACES, |b| matches!(b, b' ' | b'\t'));
    let end = back(end, 4, |b| matches!(b, b'"' | b'\'' | b'\\' | b']' | b'`' | b'*'));
    let start = back(end, MAX_KEY_BYTES, |b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    // The name in a mask is no key.
    (end - start >= 3 && !bytes[..start].ends_with(MASK.as_bytes())).then(|| (start, &bytes[start..end]))
}

/// Where the value begins; none where two signs compare. The length where the text ends before it.
fn value_after(bytes: &[u8], sign: usize) -> Option<usize> {
    let second = bytes.get(sign + 1);
    let mut at = match (bytes[sign], second) {
        (b'=', Some(b'=')) | (b':', Some(b':' | b'/')) => return None,
        (b'=', Some(b'>')) | (b':', Some(b'=')) => sign + 2,
        _ => sign + 1,
    };
    // `**password:** value`
    at += run(&bytes[at..], |b| b == b'*').min(2);
    let spaces = run(&bytes[at..], |b| matches!(b, b' ' | b'\t'));
    (spaces <= MAX_SPACES).then_some(at + spaces)
}

impl Assignment<'_> {
    fn mask_value(&self, names: &SecretNames, found: &mut Found<'_>) -> usize {
        let escapes = run(&self.bytes[self.value..], |b| b == b'\\').min(3);
        match self.bytes.get(self.value + escapes) {
            Some(quote @ (b'"' | b'\'' | b'`')) => self.mask_quoted(*quote, escapes, found),
            None => {
                found.open(self.key_start);
                self.bytes.len()
            }
            _ => self.mask_bare(names, found),
        }
    }

    /// To the quote that closes it, on the same line where the quote is not escaped itself.
    fn mask_quoted(&self, quote: u8, escapes: usize, found: &mut Found<'_>) -> usize {
        let start = self.value + escapes + 1;
        let limit = self.bytes.len().min(start + MAX_VALUE_BYTES);
        let mut end = start;
        while end < limit && self.bytes[end] != b'\n' {
            let slashes = run(&self.bytes[end..limit], |b| b == b'\\');
            match self.bytes.get(end + slashes) {
                Some(b) if *b == quote && slashes <= escapes => break,
                _ => end = (end + slashes + 1).min(limit),
            }
        }
        if end >= self.bytes.len() {
            found.open(self.key_start);
        }
        let end = end.min(self.bytes.len());
        if !is_harmless(&self.bytes[start..end]) {
            found.mask_after(self.key_start, start, end, SECRET);
        }
        end
    }

    fn mask_bare(&self, names: &SecretNames, found: &mut Found<'_>) -> usize {
        let limit = self.bytes.len().min(self.value + MAX_VALUE_BYTES);
        let word_end = reach(&mut found.word_end, self.bytes, self.value, limit, is_value);
        let header = self.header(word_end);
        let start = header.unwrap_or(self.value);
        let end = match header {
            Some(start) => reach(&mut found.line_end, self.bytes, start, limit.max(start), is_line),
            None => word_end,
        };
        if end == self.bytes.len() {
            found.open(self.key_start);
        }
        let value = &self.bytes[start..end];
        let value = &value[..value.len() - value.iter().rev().take_while(|b| matches!(b, b'.' | b',' | b'*')).count()];
        let called = self.bytes.get(end) == Some(&b'(');
        let secret = match header {
            Some(_) => !is_harmless(value),
            None => !called && self.is_secret(names, value),
        };
        if secret {
            found.mask_after(self.key_start, start, start + value.len(), SECRET);
        }
        // What is in it is looked at by itself too: another key may begin there, whose value goes on.
        self.value
    }

    /// Where the secret of a header begins, which goes on to the end of the line: `Authorization: Bearer …` after the
    /// scheme, `Cookie: a=b; c=d` at once.
    fn header(&self, word_end: usize) -> Option<usize> {
        let word = &self.bytes[self.value..word_end];
        let is = |name: &[u8]| self.key.eq_ignore_ascii_case(name);
        if is(b"authorization") || is(b"proxy-authorization") {
            let spaces = run(&self.bytes[word_end..], |b| b == b' ').min(MAX_SPACES);
            let scheme = SCHEMES.iter().any(|scheme| word.eq_ignore_ascii_case(scheme));
            return (spaces > 0 && scheme).then_some(word_end + spaces);
        }
        let is_cookie = is(b"cookie") || is(b"set-cookie");
        (is_cookie && word.len() > 3 && word.contains(&b'=')).then_some(self.value)
    }

    /// A bare value is a secret where it looks like one: prose and code put words there that are none.
    fn is_secret(&self, names: &SecretNames, value: &[u8]) -> bool {
        let is_key = value.len() <= MAX_KEY_BYTES && std::str::from_utf8(value).is_ok_and(|text| names.names(text));
        if value.len() < 4 || is_key || is_harmless(value) {
            return false;
        }
        let plain =
            value.iter().all(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'.' | b'-' | b':' | b'/' | b'['));
        !plain || (self.equals && !self.spaced && value.iter().all(u8::is_ascii_alphabetic))
    }
}

/// IANA's registry of HTTP authentication schemes, and the two that everybody uses besides.
const SCHEMES: [&[u8]; 8] =
    [b"basic", b"bearer", b"digest", b"hoba", b"negotiate", b"token", b"apikey", b"aws4-hmac-sha256"];

/// Where a run ends. What is in a run is looked at again, and ends where it does: that is remembered, not looked up.
fn reach(known: &mut usize, bytes: &[u8], from: usize, limit: usize, alphabet: fn(u8) -> bool) -> usize {
    if from >= *known {
        *known = from + run(&bytes[from..limit], alphabet);
    }
    *known
}

const fn is_line(b: u8) -> bool {
    !matches!(b, b'\n' | b'\r' | b'"' | b'\'' | b'`')
}

const fn is_value(b: u8) -> bool {
    !matches!(
        b,
        0..=b' ' | b'"' | b'\'' | b'`' | b',' | b';' | b'&' | b'<' | b'>' | b'(' | b')' | b']' | b'}' | b'|' | b'\\'
    )
}

/// Words that stand where a secret would, and tell none.
const HARMLESS: [&str; 22] = [
    "none",
    "null",
    "nil",
    "undefined",
    "true",
    "false",
    "string",
    "str",
    "text",
    "required",
    "optional",
    "hidden",
    "yes",
    "redacted",
    "masked",
    "removed",
    "unset",
    "missing",
    "invalid",
    "password",
    "secret",
    "object",
];

fn is_harmless(value: &[u8]) -> bool {
    let word = |known: &&str| known.as_bytes().eq_ignore_ascii_case(value);
    value.is_empty() || is_placeholder(value) || HARMLESS.iter().any(word)
}

/// `${NAME}`, `<your key>`, `****`, `[redacted:…]`: a place for a secret.
pub(super) fn is_placeholder(value: &[u8]) -> bool {
    const OPENINGS: [&[u8]; 10] =
        [b"${", b"$(", b"<", b"{", b"%(", b"...", b"\xe2\x80\xa6", b"[REDACTED", b"os.environ", b"process.env"];
    let variable = value.strip_prefix(b"$").or_else(|| value.strip_prefix(b"%"));
    value.starts_with(MASK.as_bytes())
        || variable.is_some_and(|name| name.iter().all(|b| b.is_ascii_uppercase() || matches!(b, b'_' | b'%' | b's')))
        || OPENINGS.iter().any(|opening| value.starts_with(opening))
        || value.iter().all(|b| matches!(b, b'*' | b'x' | b'X' | b'.' | b'-' | 0xe2 | 0x80 | 0xa2))
}
