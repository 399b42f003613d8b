//! `tracestate`: what vendors say of a trace (W3C Trace Context level 2, section 3.3). Opaque to us, and passed on.

use std::collections::HashSet;

/// "There can be a maximum of 32 list-members in a list."
const MAX_MEMBERS: usize = 32;
/// "Vendors SHOULD propagate at least 512 characters of a combined header": what we send on, with its commas.
const MAX_SENT_BYTES: usize = 512;
/// "Entries larger than 128 characters long SHOULD be removed first."
const LARGE_BYTES: usize = 128;
/// Of a key, and of a value.
const MAX_PART_BYTES: usize = 256;

/// The list of all headers in their order. None where a member is malformed, a key comes twice, there are too many, or
/// there is nothing: the trace is none the worse for it.
pub(super) fn read<'a>(headers: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let (mut members, mut keys) = (Vec::new(), HashSet::new());
    // "Empty and whitespace-only list members are allowed."
    let texts = headers.into_iter().flat_map(|header| header.split(',')).map(|text| text.trim_matches([' ', '\t']));
    for member in texts.filter(|text| !text.is_empty()) {
        if members.len() == MAX_MEMBERS || !keys.insert(key(member)?) {
            return None;
        }
        members.push(member);
    }
    (!members.is_empty()).then(|| joined(members)).filter(|list| !list.is_empty())
}

/// The key of a member that is well formed.
fn key(member: &str) -> Option<&str> {
    let (key, value) = member.split_once('=')?;
    let first = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let inner = |byte: u8| first(&byte) || b"_-*/@".contains(&byte);
    // Printable ASCII "except comma and =", and no space at the end, which is trimmed already.
    let printed = |byte: u8| matches!(byte, 0x20..=0x7e) && byte != b'=';
    let fits = |part: &str| (1..=MAX_PART_BYTES).contains(&part.len());
    let allowed = key.as_bytes().first().is_some_and(first) && key.bytes().all(inner) && value.bytes().all(printed);
    (allowed && fits(key) && fits(value)).then_some(key)
}

/// Cut "by whole entries" where it is too long: the large ones first, then from the end.
fn joined(mut members: Vec<&str>) -> String {
    let length = |members: &[&str]| members.iter().map(|member| member.len() + 1).sum::<usize>().saturating_sub(1);
    while length(&members) > MAX_SENT_BYTES {
        let last_large = members.iter().rposition(|member| member.len() > LARGE_BYTES);
        members.remove(last_large.unwrap_or(members.len() - 1));
    }
    members.join(",")
}
