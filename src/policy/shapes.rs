//! Secrets that are known by how they begin: a prefix, then a run of one alphabet. One row a kind.
//!
//! A prefix and a run need no backtracking: two bytes tell whether to look, and each look is bounded. That is linear by
//! construction, where an alternation of patterns with `find_iter` can be quadratic.

use super::{
    irregular::{azure_secret, bearer_token, private_key},
    spans::Found,
};
use std::sync::LazyLock;

struct Shape {
    name: &'static str,
    prefixes: &'static [&'static str],
    alphabet: fn(u8) -> bool,
    min: usize,
    max: usize,
    mixed: bool,
    is_jwt: bool,
}

const ANY: usize = usize::MAX;

const fn shape(
    name: &'static str,
    prefixes: &'static [&'static str],
    alphabet: fn(u8) -> bool,
    min: usize,
    max: usize,
) -> Shape {
    Shape { name, prefixes, alphabet, min, max, mixed: false, is_jwt: false }
}

impl Shape {
    /// Only what looks drawn by lot: a digit, and twelve letters or digits in a row. `sk-learn-contrib-imbalanced` is
    /// none.
    const fn mixed(mut self) -> Self {
        self.mixed = true;
        self
    }
}

/// Prefixes that begin like another stand before it.
const SHAPES: &[Shape] = &[
    shape("anthropic_key", &["sk-ant-"], dashed, 16, ANY),
    shape("openrouter_key", &["sk-or-v1-"], dashed, 20, ANY),
    shape("langfuse_key", &["sk-lf-"], dashed, 20, ANY),
    shape("openai_key", &["sk-proj-", "sk-svcacct-", "sk-admin-"], dashed, 16, ANY),
    shape("openai_key", &["sk-"], dashed, 16, ANY).mixed(),
    shape("google_key", &["AIza"], dashed, 32, 44),
    shape("google_token", &["ya29."], dotted, 20, ANY),
    shape("google_secret", &["GOCSPX-"], dashed, 20, ANY),
    shape("aws_key_id", &["AKIA", "ASIA", "ABIA", "ACCA"], upper, 16, 16),
    shape("github_token", &["ghp_", "gho_", "ghu_", "ghs_", "ghr_"], alnum, 30, ANY),
    shape("github_token", &["github_pat_"], word, 22, ANY),
    shape(
        "gitlab_token",
        &["glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "glsoat-", "gloas-"],
        dotted,
        20,
        ANY,
    ),
    shape("slack_token", &["xoxb-", "xoxp-", "xoxa-", "xoxr-", "xoxs-", "xoxe-", "xoxe.", "xapp-"], dotted, 12, ANY)
        .mixed(),
    shape("slack_webhook", &["hooks.slack.com/services/", "hooks.slack.com/workflows/"], path, 20, ANY),
    shape("discord_webhook", &["discord.com/api/webhooks/", "discordapp.com/api/webhooks/"], path, 20, ANY),
    shape("stripe_key", &["sk_live_", "sk_test_", "rk_live_", "rk_test_"], alnum, 16, ANY),
    shape("stripe_secret", &["whsec_"], base64, 20, ANY),
    shape("twilio_key", &["SK", "AC"], hex, 32, 32),
    shape("sendgrid_key", &["SG."], dotted, 40, ANY),
    shape("npm_token", &["npm_"], alnum, 30, ANY),
    shape("pypi_token", &["pypi-"], dashed, 40, ANY),
    shape("huggingface_token", &["hf_", "api_org_"], alnum, 30, ANY),
    shape("digitalocean_token", &["dop_v1_", "doo_v1_", "dor_v1_"], hex, 40, ANY),
    shape("shopify_token", &["shpat_", "shpca_", "shppa_", "shpss_"], alnum, 30, ANY),
    shape("databricks_token", &["dapi"], hex, 32, 34),
    shape("groq_key", &["gsk_"], alnum, 30, ANY),
    shape("xai_key", &["xai-"], alnum, 30, ANY),
    shape("perplexity_key", &["pplx-"], alnum, 30, ANY),
    shape("replicate_token", &["r8_"], alnum, 30, ANY),
    shape("tavily_key", &["tvly-"], dashed, 20, ANY),
    shape("langsmith_key", &["lsv2_pt_", "lsv2_sk_"], word, 30, ANY),
    shape("linear_key", &["lin_api_", "lin_oauth_"], alnum, 30, ANY),
    shape("notion_token", &["ntn_"], alnum, 30, ANY),
    shape("docker_token", &["dckr_pat_"], dashed, 20, ANY),
    shape("postman_key", &["PMAK-"], dashed, 30, ANY),
    shape("newrelic_key", &["NRAK-"], upper, 20, ANY),
    shape("sentry_token", &["sntrys_", "sntryu_"], base64, 30, ANY),
    shape("vault_token", &["hvs.", "hvb."], dashed, 20, ANY),
    shape("doppler_token", &["dp.pt.", "dp.st."], dotted, 30, ANY),
    shape("planetscale_token", &["pscale_tkn_", "pscale_pw_"], dotted, 30, ANY),
    shape("mailgun_key", &["key-"], hex, 32, 32),
    shape("atlassian_token", &["ATATT3", "ATCTT3"], base64, 30, ANY),
    shape("age_key", &["AGE-SECRET-KEY-1"], upper, 50, ANY),
    Shape { is_jwt: true, ..shape("jwt", &["eyJ"], dotted, 20, ANY) },
];

/// Beginnings that need more than a run.
const BEARER: [&str; 3] = ["Bearer", "bearer", "BEARER"];
/// One dash less than there is: a letter may stand before the first.
pub(super) const PEM: &str = "----BEGIN";
pub(super) const AZURE: &[u8] = b"Q~";

/// What may begin with the same two bytes; the group of a pair of bytes is found by one look into a table.
struct Beginnings {
    group_of: Box<[u8]>,
    groups: Vec<Vec<(&'static str, Option<&'static Shape>)>>,
}

static BEGINNINGS: LazyLock<Beginnings> = LazyLock::new(|| {
    let prefixes = SHAPES.iter().flat_map(|shape| shape.prefixes.iter().map(move |prefix| (*prefix, Some(shape))));
    let mut all = Beginnings { group_of: vec![0; 1 << 16].into(), groups: vec![Vec::new()] };
    for (prefix, shape) in prefixes.chain(BEARER.map(|word| (word, None))).chain([(PEM, None)]) {
        let pair = pair(prefix.as_bytes(), 0);
        if all.group_of[pair] == 0 {
            all.group_of[pair] = u8::try_from(all.groups.len()).unwrap_or_default();
            all.groups.push(Vec::new());
        }
        all.groups[usize::from(all.group_of[pair])].push((prefix, shape));
    }
    all
});

fn pair(bytes: &[u8], at: usize) -> usize {
    usize::from(bytes[at]) << 8 | usize::from(bytes[at + 1])
}

/// Finds every secret of the table, where a word begins.
pub(super) fn find(text: &str, found: &mut Found<'_>) {
    let (bytes, beginnings) = (text.as_bytes(), &*BEGINNINGS);
    let mut at = 0;
    while at + 1 < bytes.len() {
        let next = match begins_word(bytes, at) {
            true => match beginnings.group_of[pair(bytes, at)] {
                0 => None,
                group => beginning(text, at, &beginnings.groups[usize::from(group)], found),
            },
            false if bytes[at..].starts_with(AZURE) => Some(azure_secret(bytes, at, found)),
            false => None,
        };
        at = next.unwrap_or(at + 1);
    }
}

/// After a letter that belongs to an escape, as in `\nghp_…`, too.
fn begins_word(bytes: &[u8], at: usize) -> bool {
    at == 0 || !bytes[at - 1].is_ascii_alphanumeric() || at > 1 && bytes[at - 2] == b'\\'
}

/// Where to look on after what begins here; none where nothing does.
fn beginning(
    text: &str,
    start: usize,
    group: &[(&'static str, Option<&'static Shape>)],
    found: &mut Found<'_>,
) -> Option<usize> {
    let bytes = text.as_bytes();
    let fits = group.iter().filter(|(prefix, _)| bytes[start..].starts_with(prefix.as_bytes()));
    for (prefix, shape) in fits {
        let after = start + prefix.len();
        match shape {
            Some(shape) => {
                if let Some(end) = shape.end(bytes, after) {
                    found.mask(start, end, shape.name);
                    return Some(end);
                }
            }
            None if *prefix == PEM => return Some(private_key(text, start, found)),
            None => return Some(bearer_token(bytes, start, after, found)),
        }
    }
    None
}

impl Shape {
    /// The end of a secret whose prefix ends here. A run is looked at up to a bound until it is known to be one, so
    /// that a text full of prefixes costs no more than the bound for each.
    fn end(&self, bytes: &[u8], after: usize) -> Option<usize> {
        let limit = self.max.saturating_add(1).min(self.look_bytes()).min(bytes.len() - after);
        let look = &bytes[after..after + run(&bytes[after..after + limit], self.alphabet)];
        let is_long_enough = (self.min..=self.max).contains(&look.len());
        if !is_long_enough || self.mixed && !is_mixed(look) || self.is_jwt && !is_jwt(look) {
            return None;
        }
        let end = after + run(&bytes[after..], self.alphabet);
        // A dot may end the sentence and not the secret.
        let dots = bytes[after..end].iter().rev().take_while(|b| matches!(b, b'.' | b'/')).count();
        Some(end - dots)
    }

    const fn look_bytes(&self) -> usize {
        if self.is_jwt { MAX_HEADER_BYTES } else { MAX_LOOK_BYTES }
    }
}

/// How far a run is looked at before it is known to be a secret, in bytes: enough for every row's least length, and for a
/// token's header.
const MAX_LOOK_BYTES: usize = 64;
const MAX_HEADER_BYTES: usize = 256;

/// RFC 7515, section 3.1: three parts, of which the first two are JSON and so begin with the same letters.
fn is_jwt(header: &[u8]) -> bool {
    let dot = header.iter().position(|b| *b == b'.');
    dot.is_some_and(|dot| header[dot + 1..].contains(&b'.') || header[dot + 1..].starts_with(b"eyJ"))
}

fn is_mixed(run: &[u8]) -> bool {
    let longest = run.split(|b| !b.is_ascii_alphanumeric()).map(<[u8]>::len).max();
    longest >= Some(12) && run.iter().any(u8::is_ascii_digit)
}

/// The nearest place at or before `at` where a character begins.
pub(super) fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// How many bytes of this alphabet stand at the beginning.
pub(super) fn run(bytes: &[u8], alphabet: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|b| !alphabet(*b)).unwrap_or(bytes.len())
}

const fn alnum(b: u8) -> bool {
    b.is_ascii_alphanumeric()
}

const fn upper(b: u8) -> bool {
    b.is_ascii_uppercase() || b.is_ascii_digit()
}

const fn hex(b: u8) -> bool {
    b.is_ascii_digit() || matches!(b, b'a'..=b'f')
}

pub(super) const fn word(b: u8) -> bool {
    alnum(b) || b == b'_'
}

pub(super) const fn dashed(b: u8) -> bool {
    word(b) || b == b'-'
}

pub(super) const fn dotted(b: u8) -> bool {
    dashed(b) || b == b'.'
}

const fn path(b: u8) -> bool {
    dashed(b) || b == b'/'
}

const fn base64(b: u8) -> bool {
    dashed(b) || matches!(b, b'+' | b'/' | b'=')
}

pub(super) const fn base64_or_dot(b: u8) -> bool {
    base64(b) || matches!(b, b'.' | b'~')
}
