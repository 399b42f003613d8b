//! What others say, made fit to be told: of bounded length, of one line, and without what was shown to them in trust.

/// The texts that nobody may read in a message: values of headers, and what stands in an address beside host and path.
#[derive(Clone, Default)]
pub(in crate::otlp) struct Mask(Vec<String>);

/// What of a text is told.
const MAX_CHARS: usize = 512;
/// What of a text is looked at.
const MAX_BYTES: usize = 64 << 10;
/// Shorter ones are in every second word, and no secrets: `x-mlflow-experiment-id: 0`.
const SHORTEST: usize = 4;

impl Mask {
    pub(super) fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        let mut all: Vec<String> = secrets.into_iter().flat_map(forms).filter(|one| one.len() >= SHORTEST).collect();
        // The longer first: one may hold another.
        all.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        all.dedup();
        Self(all)
    }

    /// A text in one line, masked and cut.
    pub(in crate::otlp) fn clean(&self, text: &[u8]) -> String {
        let text = String::from_utf8_lossy(&text[..text.len().min(MAX_BYTES)]);
        let visible: String = text.chars().map(|c| if is_unseen(c) { ' ' } else { c }).collect();
        let line = visible.split_whitespace().collect::<Vec<_>>().join(" ");
        let masked = self.0.iter().fold(line, |line, secret| line.replace(secret, "***"));
        match masked.char_indices().nth(MAX_CHARS) {
            Some((end, _)) => format!("{}…", &masked[..end]),
            None => masked,
        }
    }
}

/// Of `Bearer abc` also `abc`, and of `YWI=` also `YWI`, since some write the end as `\u003d` or `%3D`; each as a text of one
/// line has it.
fn forms(secret: String) -> Vec<String> {
    let words: Vec<&str> = secret.split_whitespace().collect();
    let parts = words.iter().filter(|word| !SCHEMES.iter().any(|scheme| word.eq_ignore_ascii_case(scheme)));
    let parts = parts.flat_map(|word| [*word, word.trim_end_matches('=')]);
    parts.map(str::to_owned).chain([words.join(" ")]).collect()
}

/// How values of `Authorization` begin; no secrets.
const SCHEMES: [&str; 5] = ["basic", "bearer", "token", "apikey", "digest"];

/// What would move a terminal's cursor, or turn a line around.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mask({})", self.0.len())
    }
}
