//! Addresses: e-mail, and URLs that carry a password.

use super::{assigned::is_placeholder, number::is_word, shapes::run, spans::Found};

/// RFC 5321, section 4.5.3.1: local part and domain.
const MAX_LOCAL_BYTES: usize = 64;
const MAX_DOMAIN_BYTES: usize = 255;

/// Endings of files that are no top-level domains: `icon@2x.png` is no address.
const FILE_ENDINGS: [&[u8]; 14] =
    [b"png", b"jpg", b"jpeg", b"gif", b"svg", b"webp", b"css", b"js", b"jsx", b"tsx", b"json", b"html", b"txt", b"yml"];

/// Looks at an `@`; gives where to look on.
pub(super) fn email(bytes: &[u8], at_sign: usize, found: &mut Found<'_>) -> usize {
    let back = bytes[..at_sign].iter().rev().take(MAX_LOCAL_BYTES).take_while(|b| is_local(**b)).count();
    let local = &bytes[at_sign - back..at_sign];
    let local = &local[run(local, |b| !is_word(b))..];
    let limit = bytes.len().min(at_sign + 1 + MAX_DOMAIN_BYTES);
    let domain = &bytes[at_sign + 1..at_sign + 1 + run(&bytes[at_sign + 1..limit], is_domain)];
    let domain = &domain[..domain.len() - domain.iter().rev().take_while(|b| matches!(b, b'.' | b'-')).count()];
    // `git@host:path` is how a repository is named.
    if local.is_empty() || local == b"git" || !is_host(domain) {
        return at_sign + 1;
    }
    let end = at_sign + 1 + domain.len();
    found.mask(at_sign - local.len(), end, "email");
    end
}

const fn is_local(b: u8) -> bool {
    is_word(b) || matches!(b, b'.' | b'%' | b'+' | b'-' | b'\'')
}

const fn is_domain(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-')
}

/// At least two labels, the last of letters.
fn is_host(domain: &[u8]) -> bool {
    let mut labels = domain.rsplit(|b| *b == b'.');
    let top = labels.next().unwrap_or_default();
    let rest: Vec<_> = labels.collect();
    let puny = top.starts_with(b"xn--");
    top.len() >= 2
        && (puny || top.iter().all(u8::is_ascii_alphabetic))
        && !FILE_ENDINGS.contains(&top)
        && !rest.is_empty()
        && rest.iter().all(|label| !label.is_empty() && !label.starts_with(b"-"))
}

/// The longest user and password of a URL, in bytes.
const MAX_USERINFO_BYTES: usize = 512;

/// Looks at a `://`; masks the password of `scheme://user:password@host` and nothing else of it.
pub(super) fn url(bytes: &[u8], colon: usize, found: &mut Found<'_>) -> usize {
    let after = colon + 3;
    if after > bytes.len() || colon == 0 || !is_word(bytes[colon - 1]) {
        return (colon + 3).min(bytes.len());
    }
    let limit = bytes.len().min(after + MAX_USERINFO_BYTES);
    let end = after + run(&bytes[after..limit], is_userinfo);
    if end == bytes.len() {
        found.open(colon - 1);
    }
    let userinfo = &bytes[after..end];
    let Some(at_sign) = userinfo.iter().rposition(|b| *b == b'@') else { return after };
    let Some(password) = userinfo[..at_sign].iter().position(|b| *b == b':') else { return after + at_sign + 1 };
    let (from, to) = (after + password + 1, after + at_sign);
    if from < to && !is_placeholder(&bytes[from..to]) {
        found.mask_after(colon - 1, from, to, "url_password");
    }
    to + 1
}

/// RFC 3986, section 3.2: the authority ends at `/`, `?` or `#`; what cannot be in it ends it as well.
const fn is_userinfo(b: u8) -> bool {
    !matches!(b, 0..=b' ' | b'/' | b'?' | b'#' | b'"' | b'\'' | b'<' | b'>' | b'\\' | b'`' | b',')
}
