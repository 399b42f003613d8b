//! Events without what differs from run to run: ids by order of appearance, a fixed clock, no durations.

use crate::{Error, StreamEvent};
use regex::{Captures, Regex};
use serde_json::value::RawValue;
use std::{
    collections::{BTreeMap, HashMap},
    sync::LazyLock,
};

/// The first moment of the fixed clock: 2026-01-01T00:00:00Z, in Unix ms.
const START: i64 = 1_767_225_600_000;
/// Fields that tell how long something took.
const MEASURED: [&str; 2] = ["duration_ms", "time_to_first_chunk_ms"];
/// A field that is reckoned from them, and missing where nothing can be.
const RATE: &str = "tokens_per_second";

/// Ids of executions and steps, with their prefix or as the bare trace and span ids that are in them.
static IDS: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"(?-u:\b)(?:(?<exec>exec_)?(?<trace>[0-9a-f]{32})|(?<step>step_)?(?<span>[0-9a-f]{16}))(?-u:\b)";
    Regex::new(pattern).expect("a pattern of ours")
});

/// Fields by name, each value as the text it came as.
type Fields = BTreeMap<String, Box<RawValue>>;

/// The same events, equal for two runs that did the same in the same order.
pub(super) fn normal(events: &[StreamEvent]) -> Vec<StreamEvent> {
    let mut ids = Ids::default();
    let moments = START..;
    // What was written as JSON is read as it; should it not be, an event as it came is better than none.
    events.iter().zip(moments).map(|(event, now)| ids.normal(event, now).unwrap_or_else(|_| event.clone())).collect()
}

/// Numbers for ids, from 1, in the order in which they are first seen.
#[derive(Default)]
struct Ids {
    traces: HashMap<String, usize>,
    spans: HashMap<String, usize>,
}

impl Ids {
    fn normal(&mut self, event: &StreamEvent, now: i64) -> Result<StreamEvent, Error> {
        let json = event.to_json();
        let numbered = IDS.replace_all(&json, |found: &Captures<'_>| self.number(found));
        StreamEvent::from_json(&timeless(&numbered, now).unwrap_or_default())
    }

    /// An id with its prefix is one; bare digits are one only where they were seen as one before.
    fn number(&mut self, found: &Captures<'_>) -> String {
        let (prefix, digits, known) = match found.name("trace") {
            Some(digits) => (found.name("exec"), digits.as_str(), &mut self.traces),
            None => (found.name("step"), &found["span"][..], &mut self.spans),
        };
        let next = known.len() + 1;
        let number = match (known.get(digits), prefix) {
            (Some(number), _) => *number,
            (None, None) => return digits.to_owned(),
            (None, Some(_)) => *known.entry(digits.to_owned()).or_insert(next),
        };
        format!("{}{number:0width$x}", prefix.map_or("", |prefix| prefix.as_str()), width = digits.len())
    }
}

/// The event's JSON at this moment, as if everything took no time.
fn timeless(json: &str, now: i64) -> serde_json::Result<String> {
    let mut fields: Fields = serde_json::from_str(json)?;
    for name in MEASURED {
        set(&mut fields, name, "0");
    }
    fields.remove(RATE);
    let now = now.to_string();
    fields.insert("timestamp".into(), RawValue::from_string(now.clone())?);
    // In some kinds the error is a text.
    let error = fields.get("error").and_then(|error| serde_json::from_str::<Fields>(error.get()).ok());
    if let Some(mut error) = error {
        set(&mut error, "occurred_at", &now);
        fields.insert("error".into(), serde_json::value::to_raw_value(&error)?);
    }
    serde_json::to_string(&fields)
}

/// Gives a field another value, if it is there.
fn set(fields: &mut Fields, name: &str, json: &str) {
    if let (Some(field), Ok(json)) = (fields.get_mut(name), RawValue::from_string(json.to_owned())) {
        *field = json;
    }
}
