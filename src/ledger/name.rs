//! Names of models, as tables and calls write them: what may stand before a name, and what after it.

use crate::Text;

/// A name in the form in which names are compared: small letters, and `.`, `_` and `@` as `-`, since `gpt-5.1` and
/// `gpt-5-1`, `claude-3.5-sonnet` and `claude-3-5-sonnet`, `…@20250514` and `…-20250514` are written for the same.
/// What may be cut from its head ends in `/` or in `|`, which stands for a dot after a word without digits.
pub(super) fn plain(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    let mut is_word = true;
    for c in name.trim().chars() {
        match c {
            '.' if is_word && !plain.is_empty() => plain.push('|'),
            '.' | '_' | '@' => plain.push('-'),
            c => plain.push(c.to_ascii_lowercase()),
        }
        is_word = c == '/' || (is_word && !c.is_ascii_digit());
    }
    plain
}

/// The name, and what is left of it when one qualification after the other is cut from its head: `models/…`,
/// `openai/…`, `us.anthropic.…`, the path of a cloud's resource. With each, all that was cut.
pub(super) fn candidates(plain: &str) -> impl Iterator<Item = (&str, &str)> {
    let cuts = plain.match_indices(['/', '|']).map(|(at, _)| (&plain[..at], &plain[at + 1..]));
    std::iter::once(("", plain)).chain(cuts)
}

/// The words of what was cut from a name's head.
pub(super) fn heads(cut: &str) -> impl Iterator<Item = &str> {
    cut.split(['/', '|']).filter(|head| !head.is_empty() && *head != "models")
}

/// Whether this may stand after a name and still leave it the same model at the same price: nothing, a date or a
/// release (`-20250514`, `-2024-08-06`, `-0613`, `-001`, `-latest`), the version of a cloud (`-v1:0`). A further word or
/// a short number (`-mini`, `:free`, `-6`) is another model.
pub(super) fn is_release(rest: &str) -> bool {
    let Some(rest) = rest.strip_prefix('-') else { return rest.is_empty() };
    let (date, version) = match rest.split_once("-v") {
        Some((date, version)) => (date, Some(version)),
        None => match rest.strip_prefix('v') {
            Some(version) => ("", Some(version)),
            None => (rest, None),
        },
    };
    (is_date(date) || (date.is_empty() && version.is_some())) && version.is_none_or(is_version)
}

fn is_date(text: &str) -> bool {
    let digits = |part: &str| part.chars().all(|c| c.is_ascii_digit());
    let lengths: Vec<usize> = text.split('-').map(|part| if digits(part) { part.len() } else { 0 }).collect();
    text == "latest" || matches!(lengths[..], [3 | 4 | 8] | [4, 2, 2])
}

/// `1:0`, `2`, `2-20241022`.
fn is_version(text: &str) -> bool {
    let (numbers, date) = text.split_once('-').map_or((text, None), |(numbers, date)| (numbers, Some(date)));
    let is_number = |number: &str| !number.is_empty() && number.chars().all(|c| c.is_ascii_digit());
    numbers.splitn(2, ':').all(is_number) && date.is_none_or(is_date)
}

/// The name of a provider in the form in which they are compared: `aws.bedrock`, `aws_bedrock` and `AWS Bedrock` are one.
pub(super) fn provider(name: &str) -> Text {
    let same = |c: char| if matches!(c, '.' | '_' | ' ' | '|') { '-' } else { c.to_ascii_lowercase() };
    Text::from(name.trim().chars().map(same).collect::<String>())
}
