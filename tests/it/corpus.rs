//! Redaction measured: what is found of what must be, and what is taken for a secret that is none. See
//! `tests/corpus/README.md`; the figures stand in `docs/redaction.md`.

use fastrand::Rng;
use spanwright::policy::Redactor;
use spanwright::{ContentPolicy, Json};
use std::collections::BTreeMap;
use std::fmt::Write;

const TOKENS: &str = include_str!("../corpus/tokens.txt");
const CONTEXTS: &str = include_str!("../corpus/contexts.txt");
const KEYED: &str = include_str!("../corpus/keyed.txt");
const PERSONAL: &str = include_str!("../corpus/personal.txt");
const LOOKALIKES: &str = include_str!("../corpus/lookalikes.txt");

/// A text, and what of it must be masked.
struct Case {
    kind: String,
    text: String,
    secrets: Vec<String>,
    /// The text with a mark instead of each secret.
    rest: Vec<String>,
}

impl Case {
    /// What stands in `⟦ ⟧` is the secret.
    fn new(kind: &str, marked: &str) -> Self {
        let (mut secrets, mut rest) = (Vec::new(), Vec::new());
        for (index, part) in marked.split(['⟦', '⟧']).enumerate() {
            let part = part.to_owned();
            if index % 2 == 1 { secrets.push(part) } else { rest.push(part) }
        }
        Self { kind: kind.into(), text: marked.replace(['⟦', '⟧'], ""), secrets, rest }
    }

    /// Nothing of the secrets is left, and all that is around them is.
    fn is_found(&self, redactor: &Redactor) -> bool {
        let treated = redactor.text(&self.text);
        let mut at = treated.as_str();
        let around = self.rest.iter().filter(|part| !part.is_empty()).all(|part| match at.find(part.as_str()) {
            Some(place) => {
                at = &at[place + part.len()..];
                true
            }
            None => false,
        });
        around && treated.contains("[redacted:") && !self.secrets.iter().any(|secret| treated.contains(secret.as_str()))
    }
}

/// Fills `{w36}` with 36 letters and digits: `h` hex digits, `d` digits, `U` capitals and 2 to 7, `b` and `B` the two
/// alphabets of base64.
pub(crate) fn filled(recipe: &str, random: &mut Rng) -> String {
    let mut out = String::new();
    let mut rest = recipe;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let length = after.get(1..).and_then(|text| text.split_once('}')).and_then(|(n, _)| n.parse::<usize>().ok());
        let alphabet = after.chars().next().and_then(alphabet);
        match (alphabet, length) {
            (Some(alphabet), Some(length)) => {
                out.extend((0..length).map(|_| alphabet[random.usize(..alphabet.len())] as char));
                rest = after.split_once('}').expect("the end of a recipe").1;
            }
            _ => {
                out.push('{');
                rest = after;
            }
        }
    }
    out + rest
}

fn alphabet(letter: char) -> Option<&'static [u8]> {
    Some(match letter {
        'w' => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
        'h' => b"0123456789abcdef",
        'd' => b"0123456789",
        'U' => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
        'b' => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
        'B' => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        _ => return None,
    })
}

/// A line break of the text, unless the line is JSON, which writes it so itself.
fn lines(text: &str) -> String {
    if text.starts_with('{') { text.to_owned() } else { text.replace("\\n", "\n") }
}

fn structured() -> Vec<Case> {
    let mut random = Rng::with_seed(20_260_820);
    let mut cases = Vec::new();
    for (kind, recipe) in TOKENS.lines().filter_map(|line| line.split_once(' ')) {
        for context in CONTEXTS.lines() {
            let (before, after) = context.split_once("{}").expect("a place in the context");
            let secret = filled(recipe, &mut random);
            cases.push(Case::new(kind, &lines(&format!("{before}⟦{secret}⟧{after}"))));
        }
    }
    cases.extend(KEYED.lines().map(|line| Case::new("keyed", &lines(&filled(line, &mut random)))));
    cases
}

fn personal() -> Vec<Case> {
    let marked = PERSONAL.lines().filter_map(|line| line.split_once(' '));
    marked.map(|(kind, line)| Case::new(kind, line)).collect()
}

fn lookalikes() -> Vec<String> {
    LOOKALIKES.lines().map(lines).collect()
}

fn redactor() -> Redactor {
    ContentPolicy::default().redactor().expect("a policy")
}

/// How many were found, and the others.
fn measure(cases: &[Case]) -> (usize, String) {
    let redactor = redactor();
    let (mut found, mut missed) = (0, String::new());
    for case in cases {
        match case.is_found(&redactor) {
            true => found += 1,
            false => {
                let shown: String = redactor.text(&case.text).chars().take(200).collect();
                writeln!(missed, "{}: {:?}\n      ▶ {shown:?}", case.kind, case.text).expect("write");
            }
        }
    }
    (found, missed)
}

#[test]
fn of_structured_secrets_99_in_100_are_found_and_nothing_around_them() {
    let cases = structured();
    let kinds: BTreeMap<_, _> = cases.iter().map(|case| (&case.kind, ())).collect();
    assert!(cases.len() >= 500 && kinds.len() >= 25, "{} cases of {} kinds", cases.len(), kinds.len());
    let (found, missed) = measure(&cases);
    println!("structured: {found} of {} in {} kinds; missed:\n{missed}", cases.len(), kinds.len());
    assert!(found * 100 >= cases.len() * 99, "{found} of {}; missed:\n{missed}", cases.len());
}

#[test]
fn of_personal_data_90_in_100_are_found_and_nothing_around_them() {
    let cases = personal();
    let (found, missed) = measure(&cases);
    println!("personal: {found} of {}; missed:\n{missed}", cases.len());
    assert!(found * 100 >= cases.len() * 90, "{found} of {}; missed:\n{missed}", cases.len());
}

#[test]
fn of_what_only_looks_like_a_secret_2_in_100_at_most_are_masked() {
    let (redactor, texts) = (redactor(), lookalikes());
    assert!(texts.len() >= 200, "{}", texts.len());
    let wrong: Vec<_> =
        texts.iter().map(|text| (text, redactor.text(text))).filter(|(text, out)| *text != out).collect();
    println!("look-alikes: {} of {} masked: {wrong:#?}", wrong.len(), texts.len());
    assert!(wrong.len() * 100 <= texts.len() * 2, "{} of {}: {wrong:#?}", wrong.len(), texts.len());
}

#[test]
fn what_is_treated_once_is_not_changed_by_a_second_time() {
    let redactor = redactor();
    let texts = structured().into_iter().chain(personal()).map(|case| case.text);
    for text in texts {
        let once = redactor.text(&text);
        assert_eq!(redactor.text(&once), once, "of {text:?}");
        let json = redactor.json(&Json::text(&text));
        assert!(serde_json::from_str::<serde_json::Value>(json.as_str()).is_ok(), "of {text:?}: {json}");
        assert_eq!(redactor.json(&json), json, "of {text:?}");
    }
}
