//! A text as JSON is byte for byte what serde_json writes, wherever in it the bytes stand that need an escape.

use proptest::prelude::*;
use spanwright::Json;

/// Runs of plain characters around ones that are escaped or look like it: control characters, quotes, backslashes, the
/// bytes beside them, and characters of two to four bytes.
fn text() -> impl Strategy<Value = String> {
    let special = prop_oneof![
        (0u8..0x30).prop_map(|byte| char::from(byte).to_string()),
        prop::sample::select(vec!["\"", "\\", "[", "]", "!", "#", "\u{7f}", "\u{80}", "é", "\u{2028}", "語", "🦀"])
            .prop_map(str::to_owned),
    ];
    let piece = ("[ -~&&[^\"\\\\]]{0,80}", special).prop_map(|(plain, special)| plain + &special);
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn a_text_is_escaped_as_serde_json_escapes_it(text in text(), cut in 0usize..40) {
        let start = text.char_indices().map(|(at, _)| at).nth(cut).unwrap_or(0);
        let expected = serde_json::to_string(&text[start..]).expect("a text has a JSON form");
        let json = Json::text(&text[start..]);
        prop_assert_eq!(json.as_str(), expected);
    }
}

#[test]
fn an_escape_is_found_at_every_place_of_every_length() {
    for length in 1..140 {
        for place in 0..length {
            for special in ['"', '\\', '\n', '\u{0}', '\u{1f}'] {
                let mut text = "x".repeat(length);
                text.replace_range(place..=place, &special.to_string());
                assert_eq!(
                    Json::text(&text).as_str(),
                    serde_json::to_string(&text).expect("JSON"),
                    "{place} of {length}"
                );
            }
        }
    }
}
