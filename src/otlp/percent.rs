//! Percent-encoding (RFC 3986, 2.1), read leniently: headers of variables and messages of gRPC have it.

/// The text, decoded. What only looks like an encoding stays as it is: gRPC ("Status-Message"): "decoders must not
/// discard … or error"; W3C Baggage, 3.3.1.1, has U+FFFD for what is not UTF-8.
pub(super) fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let encoded = if byte == b'%' { bytes.get(at + 1..at + 3).and_then(hex) } else { None };
        plain.push(encoded.unwrap_or(byte));
        at += if encoded.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&plain).into_owned()
}

fn hex(digits: &[u8]) -> Option<u8> {
    digits.iter().try_fold(0, |value, digit| Some(value << 4 | char::from(*digit).to_digit(16)? as u8))
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn what_is_encoded_is_decoded_and_the_rest_stays() {
        for (text, plain) in [
            ("a%20b", "a b"),
            ("%C3%A4", "ä"),
            ("100%", "100%"),
            ("%zz%4", "%zz%4"),
            ("%+1", "%+1"),
            ("%ff", "\u{fffd}"),
            ("", ""),
        ] {
            assert_eq!(decoded(text), plain, "{text}");
        }
    }
}
