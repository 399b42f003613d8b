//! Keeps card numbers out and points at e-mail addresses, in questions and in answers.

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    Pass,
    Warn(String),
    Block(String),
}

// `#[guardrail]` goes here.
pub(crate) fn check(text: &str) -> Verdict {
    if has_card_number(text) {
        return Verdict::Block("the text holds what looks like a payment card number".to_owned());
    }
    match text.split_whitespace().filter(|word| is_email(word)).count() {
        0 => Verdict::Pass,
        1 => Verdict::Warn("the text holds an e-mail address".to_owned()),
        found => Verdict::Warn(format!("the text holds {found} e-mail addresses")),
    }
}

fn is_email(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    let Some((name, host)) = word.split_once('@') else {
        return false;
    };
    let Some((site, country)) = host.rsplit_once('.') else {
        return false;
    };
    !name.is_empty() && !site.is_empty() && country.len() > 1 && !host.contains('@')
}

/// A run of 13 to 19 digits, spaces and dashes allowed between them, whose check digit is right.
fn has_card_number(text: &str) -> bool {
    let mut run = Vec::new();
    for c in text.chars() {
        match c.to_digit(10) {
            Some(digit) => run.push(digit),
            None if c == ' ' || c == '-' => {}
            None if is_card(&run) => return true,
            None => run.clear(),
        }
    }
    is_card(&run)
}

fn is_card(digits: &[u32]) -> bool {
    (13..=19).contains(&digits.len()) && luhn(digits).is_multiple_of(10)
}

fn luhn(digits: &[u32]) -> u32 {
    digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => *digit,
            (_, doubled) if doubled > 9 => doubled - 9,
            (_, doubled) => doubled,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        assert_eq!(check("The Moon is 384400 km away, 1.2822 seconds."), Verdict::Pass);
        assert!(matches!(check("write to ada@example.org, please"), Verdict::Warn(_)));
        assert!(matches!(check("my card is 4242 4242 4242 4242."), Verdict::Block(_)));
        assert_eq!(check("my card is 4242 4242 4242 4243."), Verdict::Pass);
        assert_eq!(check("an @ alone, a@b and @c.d"), Verdict::Pass);
    }
}
