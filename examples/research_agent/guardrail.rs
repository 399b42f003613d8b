//! Keeps card numbers out and points at e-mail addresses, in questions and in answers.

use spanwright::span::{self, Decision};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finding {
    Nothing,
    Warn,
    Block,
}

/// What was found, and why it matters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) finding: Finding,
    pub(crate) reason: Option<String>,
}

impl span::Verdict for Verdict {
    fn decision(&self) -> Decision {
        match self.finding {
            Finding::Nothing => Decision::Pass,
            Finding::Warn => Decision::Warn,
            Finding::Block => Decision::Block,
        }
    }

    fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }
}

#[spanwright::guardrail(name = "personal data")]
pub(crate) fn check(text: &str) -> Verdict {
    let verdict = |finding, reason: String| Verdict { finding, reason: Some(reason) };
    if has_card_number(text) {
        return verdict(Finding::Block, "the text holds what looks like a payment card number".into());
    }
    match text.split_whitespace().filter(|word| is_email(word)).count() {
        0 => Verdict { finding: Finding::Nothing, reason: None },
        1 => verdict(Finding::Warn, "the text holds an e-mail address".into()),
        found => verdict(Finding::Warn, format!("the text holds {found} e-mail addresses")),
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
