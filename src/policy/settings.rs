//! `ContentPolicy`: how much of what is said the record may hold.

use super::{
    Redactor,
    secret_names::SecretNames,
    text::{Pattern, Rules},
};
use crate::Error;
use regex::RegexBuilder;
use std::fmt;

/// How much content is recorded: prompts, answers, arguments, results, reasoning, state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum ContentLevel {
    /// None: optional content is absent, required text empty, required JSON `null`; pieces of texts are not shown. What
    /// else is said (names, reasons, errors) is redacted.
    None,
    /// All of it, with secrets and personal data masked.
    #[default]
    Redacted,
    /// All of it, as it is.
    Full,
}

impl ContentLevel {
    /// Every level, from least to most.
    pub const ALL: [Self; 3] = [Self::None, Self::Redacted, Self::Full];

    /// The level's name in settings: `none`, `redacted`, `full`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Redacted => "redacted",
            Self::Full => "full",
        }
    }
}

impl std::str::FromStr for ContentLevel {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|level| level.as_str() == text).ok_or_else(|| {
            let shown: String = text.chars().take(32).collect();
            Error::config(format!("content level {shown:?}: none, redacted or full is accepted"))
        })
    }
}

/// What may be recorded of content, decided once for every sink: the live stream, the log, the tree.
///
/// It is about events. Other layers of the same subscriber, such as `fmt` or tracing-opentelemetry, see the fields of the
/// spans as they are; `skip` and `redact` of an attribute keep a value from those as well.
///
/// ```
/// use spanwright::{ContentLevel, ContentPolicy};
///
/// let policy = ContentPolicy::new(ContentLevel::Redacted)
///     .pattern("customer", r"\bC-[0-9]{8}\b") // masked as [redacted:customer]
///     .secret_key("pin");
/// assert!(policy.redactor().is_ok());
/// ```
#[derive(Clone)]
#[must_use = "a policy holds where a recorder is started with it"]
pub struct ContentPolicy {
    level: ContentLevel,
    patterns: Vec<(String, String)>,
    secret_keys: Vec<String>,
    max_text_bytes: usize,
    max_json_bytes: usize,
}

impl Default for ContentPolicy {
    fn default() -> Self {
        Self::new(ContentLevel::default())
    }
}

const MAX_PATTERNS: usize = 64;
/// What a compiled pattern may take, in bytes.
const MAX_PATTERN_BYTES: usize = 1 << 20;
const MAX_NAME_BYTES: usize = 64;

impl ContentPolicy {
    /// The longest text that is kept, in bytes, where nothing else is said.
    pub const TEXT_BYTES: usize = 64 << 10;
    /// The longest JSON payload that is kept, in bytes, where nothing else is said.
    pub const JSON_BYTES: usize = 256 << 10;
    /// The shortest cap: below it little more than the mark would be left.
    pub(super) const MIN_BYTES: usize = 256;
    /// The longest: no single field may be longer, whatever the policy.
    pub(super) const MAX_BYTES: usize = 1 << 20;

    /// A policy of this level, with the caps that hold where nothing else is said.
    pub const fn new(level: ContentLevel) -> Self {
        Self {
            level,
            patterns: Vec::new(),
            secret_keys: Vec::new(),
            max_text_bytes: Self::TEXT_BYTES,
            max_json_bytes: Self::JSON_BYTES,
        }
    }

    /// Masks what this pattern matches too, as `[redacted:name]`. The syntax is that of the crate `regex`, whose search
    /// is linear. Patterns hold for texts and for the strings in JSON, each by itself. A text with more than 512 matches
    /// of one pattern is masked whole. Texts that come in pieces are then shown line by line.
    pub fn pattern(mut self, name: impl Into<String>, pattern: impl Into<String>) -> Self {
        self.patterns.push((name.into(), pattern.into()));
        self
    }

    /// Masks what stands under this key too, in JSON and in `key = value`. Case and separators do not matter, and a
    /// longer key that ends with these words counts as well.
    pub fn secret_key(mut self, name: impl Into<String>) -> Self {
        self.secret_keys.push(name.into());
        self
    }

    /// Cuts texts, and strings in JSON, that are longer than this; from 256 bytes to 1 MiB.
    pub const fn max_text_bytes(mut self, bytes: usize) -> Self {
        self.max_text_bytes = bytes;
        self
    }

    /// Cuts JSON payloads that are longer than this; from 256 bytes to 1 MiB.
    pub const fn max_json_bytes(mut self, bytes: usize) -> Self {
        self.max_json_bytes = bytes;
        self
    }

    /// The policy made ready to be applied.
    ///
    /// # Errors
    /// `is_config` when a pattern is none, matches the empty text or grows too large, when a name cannot stand in a
    /// mask, or when a cap is out of its range.
    pub fn redactor(&self) -> Result<Redactor, Error> {
        self.check_caps()?;
        if self.patterns.len() > MAX_PATTERNS {
            let message =
                format!("{} patterns in the content policy: at most {MAX_PATTERNS} are accepted", self.patterns.len());
            return Err(Error::config(message));
        }
        for key in &self.secret_keys {
            check_name("secret key", key)?;
        }
        let patterns = self.patterns.iter().map(|(name, pattern)| compile(name, pattern)).collect::<Result<_, _>>()?;
        let rules = Rules { names: SecretNames::with(&self.secret_keys), patterns };
        Ok(Redactor::new(self.level, rules, self.max_text_bytes, self.max_json_bytes))
    }

    fn check_caps(&self) -> Result<(), Error> {
        for (what, bytes) in [("texts", self.max_text_bytes), ("JSON", self.max_json_bytes)] {
            if !(Self::MIN_BYTES..=Self::MAX_BYTES).contains(&bytes) {
                let (min, max) = (Self::MIN_BYTES, Self::MAX_BYTES);
                return Err(Error::config(format!("cap of {bytes} bytes on {what}: {min} to {max} are accepted")));
            }
        }
        Ok(())
    }
}

/// What it looks for is not told: patterns may be as secret as what they match.
impl fmt::Debug for ContentPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContentPolicy")
            .field("level", &self.level)
            .field("patterns", &self.patterns.len())
            .field("max_text_bytes", &self.max_text_bytes)
            .field("max_json_bytes", &self.max_json_bytes)
            .finish_non_exhaustive()
    }
}

fn compile(name: &str, pattern: &str) -> Result<Pattern, Error> {
    check_name("pattern", name)?;
    let refused = |why: &str| Error::config(format!("pattern {name:?} of the content policy {why}"));
    let regex = RegexBuilder::new(pattern)
        .size_limit(MAX_PATTERN_BYTES)
        .build()
        .map_err(|source| refused("cannot be used").with_source(source))?;
    match regex.is_match("") {
        true => Err(refused("matches the empty text: let it match at least one character")),
        false => Ok(Pattern { name: name.to_owned(), regex }),
    }
}

/// Names stand in masks, in JSON and in every sink.
fn check_name(what: &str, name: &str) -> Result<(), Error> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.is_empty() || name.len() > MAX_NAME_BYTES || !name.chars().all(fits) {
        let shown: String = name.chars().take(32).collect();
        let message =
            format!("{what} {shown:?} of the content policy: 1 to {MAX_NAME_BYTES} of A-Z a-z 0-9 _ - . are accepted");
        return Err(Error::config(message));
    }
    Ok(())
}
