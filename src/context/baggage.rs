//! `baggage`: what a program sends along its trace (W3C Baggage, section 3). Not read by us, and passed on.

/// "A platform MUST propagate at least 64 list-members."
const MAX_MEMBERS: usize = 64;
/// "A baggage-string of at least 8192 bytes": with its commas, over all headers.
const MAX_BYTES: usize = 8_192;

/// The members of all headers in their order; a malformed one is left out ("it MAY remove that entry"), and so is what
/// is past the bounds. None where nothing is left.
pub(super) fn read<'a>(headers: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut list = String::new();
    let texts = headers.into_iter().flat_map(|header| header.split(',')).map(|text| text.trim_matches([' ', '\t']));
    for member in texts.filter(|text| is_member(text)).take(MAX_MEMBERS) {
        let comma = usize::from(!list.is_empty());
        if list.len() + comma + member.len() > MAX_BYTES {
            break;
        }
        list.push_str(&","[..comma]);
        list.push_str(member);
    }
    (!list.is_empty()).then_some(list)
}

/// `key = value; property; property = value`.
fn is_member(text: &str) -> bool {
    let mut parts = text.split(';');
    let entry = parts.next().and_then(|entry| entry.split_once('='));
    entry.is_some_and(is_pair) && parts.all(is_property)
}

fn is_property(text: &str) -> bool {
    text.split_once('=').map_or_else(|| is_token(text), is_pair)
}

fn is_pair((key, value): (&str, &str)) -> bool {
    is_token(key) && value.trim_matches([' ', '\t']).bytes().all(is_baggage_octet)
}

/// "US-ASCII characters excluding CTLs, whitespace, DQUOTE, comma, semicolon, and backslash."
fn is_baggage_octet(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)
}

/// RFC 7230, section 3.2.6.
fn is_token(text: &str) -> bool {
    let text = text.trim_matches([' ', '\t']);
    let symbol = |byte: u8| b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || symbol(byte))
}
