//! What is known of a node, in the words that are shown.

use super::{Node, NodeKind, Status};
use crate::event::GuardrailDecision;
use std::time::Duration;

/// How a node is marked at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    Running,
    Waiting,
    Good,
    Doubtful,
    Bad,
    GivenUp,
    Unknown,
}

impl Mark {
    /// A node that still runs when all around it has ended (`over`) is one whose end was not seen.
    pub(crate) fn of(node: &Node, over: bool) -> Self {
        match (node.status, &node.facts.verdict) {
            (Status::Running, _) if over => Self::Unknown,
            (Status::Running, _) if node.facts.waiting.is_some() => Self::Waiting,
            (Status::Running, _) => Self::Running,
            (Status::Ok, None | Some(GuardrailDecision::Pass)) => Self::Good,
            (Status::Ok, Some(GuardrailDecision::Block)) => Self::Bad,
            (Status::Ok, Some(GuardrailDecision::Warn | GuardrailDecision::Other(_))) => Self::Doubtful,
            (Status::Error | Status::Denied | Status::Panicked | Status::TimedOut, _) => Self::Bad,
            (Status::Cancelled, _) => Self::GivenUp,
            (Status::Lost, _) => Self::Unknown,
        }
    }

    /// One column wide in every terminal.
    pub(crate) const fn symbol(self) -> &'static str {
        match self {
            Self::Running => "●",
            Self::Waiting => "◌",
            Self::Good => "✓",
            Self::Doubtful => "!",
            Self::Bad => "✗",
            Self::GivenUp => "⊘",
            Self::Unknown => "?",
        }
    }
}

/// The name; where there is none, nothing.
pub(crate) fn title(node: &Node) -> String {
    if node.name.is_empty() { node.kind.as_str().into() } else { format!("{} {}", node.kind.as_str(), node.name) }
}

/// What a person wants to know first, most urgent first. `timed` adds what differs from run to run.
pub(crate) fn detail(node: &Node, over: bool, timed: bool) -> String {
    let mut parts: Vec<String> = Vec::new();
    if let Some(reason) = node.facts.waiting.as_ref().filter(|_| !over) {
        parts.push(format!("waiting for {reason}"));
    }
    parts.extend(ending(node, over));
    parts.extend(content(node));
    if node.kind == NodeKind::Llm {
        parts.extend(model_facts(node, timed));
    }
    if node.facts.verdict.is_none() && !node.facts.remark.is_empty() {
        parts.push(node.facts.remark.to_string());
    }
    parts.extend(node.facts.attempt.map(|attempt| format!("try {attempt}")));
    parts.join(" · ")
}

/// How it ended, where not well.
pub(crate) fn ending(node: &Node, over: bool) -> Option<String> {
    let word = match node.status {
        Status::Running if over => "no end was seen",
        Status::Running | Status::Ok => return None,
        status => status.as_str(),
    };
    let error = node.facts.error.as_str();
    // Where nothing more is known, the word is the error as well.
    Some(if error.is_empty() || error == word { word.into() } else { format!("{word}: {error}") })
}

/// What it is about: the verdict, what was found, what was given.
fn content(node: &Node) -> Option<String> {
    let facts = &node.facts;
    if let Some(verdict) = &facts.verdict {
        let word = super::Inert::new(verdict.as_str(), 20);
        return Some(if facts.remark.is_empty() { word.to_string() } else { format!("{word}: {}", facts.remark) });
    }
    if let Some(hits) = facts.hits {
        let about = if facts.preview.is_empty() { String::new() } else { format!(" for \"{}\"", facts.preview) };
        return Some(format!("{}{about}", plural(hits, "hit")));
    }
    if let Some((done, total)) = facts.progress {
        return Some(progress(done, total));
    }
    match node.kind {
        // The messages that went to a model are its context, not its subject.
        NodeKind::Llm => None,
        NodeKind::Tool if facts.preview.is_empty() && node.status.is_running() && facts.text_chars > 0 => {
            Some(format!("input so far {}", plural(facts.text_chars, "char")))
        }
        _ => Some(facts.preview.to_string()).filter(|preview| !preview.is_empty()),
    }
}

fn model_facts(node: &Node, timed: bool) -> Vec<String> {
    let facts = &node.facts;
    let mut parts = Vec::new();
    if node.status.is_running() {
        parts.extend(match (facts.text_chars, facts.reasoning_chars) {
            (0, 0) => None,
            (0, chars) => Some(format!("thinking {}", plural(chars, "char"))),
            (chars, _) => Some(format!("streaming {}", plural(chars, "char"))),
        });
    }
    parts.extend(tokens(node));
    if timed {
        parts.extend(facts.first_chunk.map(|first| format!("ttft {}", duration(first))));
        parts.extend(node.tokens_per_second().map(|rate| format!("{rate:.0} tok/s")));
    }
    parts
}

/// `1,204 → 64 tok (1,024 cached)`.
fn tokens(node: &Node) -> Option<String> {
    let usage = &node.facts.usage;
    if usage.input.is_none() && usage.output.is_none() {
        return None;
    }
    let side = |tokens: Option<u64>| tokens.map_or("?".into(), count);
    let cached = usage.cached.filter(|cached| *cached > 0).map_or(String::new(), |n| format!(" ({} cached)", count(n)));
    Some(format!("{} → {} tok{cached}", side(usage.input), side(usage.output)))
}

fn progress(done: u64, total: Option<u64>) -> String {
    match total.filter(|total| *total > 0) {
        Some(total) => format!("{:.0} % of {}", done as f64 / total as f64 * 100.0, count(total)),
        None => count(done),
    }
}

pub(super) fn plural(n: u64, what: &str) -> String {
    format!("{} {what}{}", count(n), if n == 1 { "" } else { "s" })
}

/// `1,234,567`.
pub(crate) fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `420 ms`, `1.4 s`, `2m 05s`, `1h 02m`, `40d`.
pub(crate) fn duration(time: Duration) -> String {
    let (millis, seconds) = (time.as_millis(), time.as_secs());
    match seconds {
        0 => format!("{millis} ms"),
        1..60 => format!("{}.{} s", seconds, millis % 1000 / 100),
        60..3_600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        3_600..360_000 => format!("{}h {:02}m", seconds / 3600, seconds / 60 % 60),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// As [`duration`], but in tenths of a second from the start on: digits that rush past say nothing.
#[cfg(feature = "terminal")]
pub(crate) fn ticking(time: Duration) -> String {
    if time.as_secs() == 0 { format!("0.{} s", time.as_millis() / 100) } else { duration(time) }
}

/// What stands before a sum that is not all.
#[cfg(feature = "terminal")]
pub(crate) const fn at_least(is_lower_bound: bool) -> &'static str {
    if is_lower_bound { "≥ " } else { "" }
}

/// `$0.0018`, `$12.50`, `$0.00002` with one digit that says something; what nobody has is short as well.
pub(crate) fn money(usd: f64) -> String {
    match usd {
        0.0 => "$0".into(),
        _ if usd < 1e-9 => "<$0.000000001".into(),
        _ if usd < 0.0001 => format!("${usd:.digits$}", digits = (-usd.log10()).ceil() as usize),
        _ if usd < 1.0 => format!("${usd:.4}"),
        _ if usd < 1e6 => format!("${usd:.2}"),
        _ => format!("${usd:.1e}"),
    }
}
