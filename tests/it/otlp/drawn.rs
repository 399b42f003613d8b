//! A trace for Perfetto as its readers take it.

use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// The Trace Event Format's fields of each phase.
fn is_well_formed(event: &Value) {
    let number = |name: &str| event[name].as_f64().unwrap_or_else(|| panic!("{name} of {event}"));
    assert!(number("pid") >= 1.0 && number("tid") >= number("pid"));
    let phase = event["ph"].as_str().expect("phase");
    assert!(phase == "E" || (event["name"].is_string() && event["args"].is_object()), "{event}");
    assert!(phase == "M" || event["ts"].as_i64().is_some_and(|time| time > 0), "{event}");
    match phase {
        "M" => assert!(
            event["name"].as_str().is_some_and(|name| name.starts_with("process_") || name.starts_with("thread_"))
        ),
        "B" => assert!(event["cat"].is_string()),
        "E" => {}
        "i" => assert!(event["s"] == "t"),
        "C" => assert!(event["args"].as_object().expect("object").values().all(Value::is_number)),
        // Perfetto drops arrows whose id is no number.
        "s" | "f" => assert!(event["id"].is_u64() && (event["ph"] == "s" || event["bp"] == "e")),
        other => panic!("phase {other}"),
    }
}

/// What Perfetto's trace processor makes of events (`tests/real/otlp/perfetto` asks the real one): it sorts them by time,
/// and of those at one time the first comes first; it keeps a stack for each lane.
#[derive(Default)]
pub(super) struct Trace {
    pub(super) events: Vec<Value>,
    pub(super) slices: Vec<Slice>,
    /// Each with the slice that it is drawn in.
    pub(super) moments: Vec<(Value, Option<usize>)>,
    /// By their ids: the slices that they lead from and to, and what they say.
    pub(super) arrows: BTreeMap<u64, (Option<usize>, Option<usize>, String)>,
}

pub(super) struct Slice {
    pub(super) begin: Value,
    end: i64,
    pub(super) around: Option<usize>,
}

impl Trace {
    pub(super) fn read(events: Vec<Value>) -> Self {
        events.iter().for_each(is_well_formed);
        let mut sorted: Vec<&Value> = events.iter().filter(|event| event["ph"] != "M").collect();
        sorted.sort_by_key(|event| event["ts"].as_i64());
        let (mut trace, mut lanes) = (Self::default(), HashMap::<u64, Vec<usize>>::new());
        for event in sorted {
            trace.take(event, lanes.entry(event["tid"].as_u64().expect("tid")).or_default());
        }
        assert!(lanes.values().all(Vec::is_empty), "what begins ends");
        Self { events, ..trace }
    }

    fn take(&mut self, event: &Value, open: &mut Vec<usize>) {
        let innermost = open.last().copied();
        match event["ph"].as_str().expect("phase") {
            "B" => {
                open.push(self.slices.len());
                self.slices.push(Slice { begin: event.clone(), end: i64::MAX, around: innermost });
            }
            "E" => self.slices[open.pop().expect("one that began")].end = event["ts"].as_i64().expect("ts"),
            "i" => self.moments.push((event.clone(), innermost)),
            "s" => {
                let words = event["name"].as_str().expect("name").to_owned();
                let known = self.arrows.insert(event["id"].as_u64().expect("id"), (innermost, None, words));
                assert!(known.is_none(), "an arrow of its own: {event}");
            }
            "f" => self.arrows.get_mut(&event["id"].as_u64().expect("id")).expect("it began").1 = innermost,
            _ => {}
        }
    }

    /// What a slice is drawn in is around its span; where that is not its parent, an arrow leads to it from that.
    pub(super) fn is_drawn_as_it_was(&self) {
        let places: HashMap<&str, usize> = self.slices.iter().enumerate().map(|(at, slice)| (slice.id(), at)).collect();
        let parent = |at: usize| places.get(self.slices[at].parent()).copied();
        let arrows: Vec<_> = self.arrows.values().map(|(from, to, words)| (*from, *to, words.as_str())).collect();
        assert!(arrows.iter().all(|(from, to, _)| from.is_some() && to.is_some()));
        for (at, slice) in self.slices.iter().enumerate() {
            if let Some(around) = slice.around {
                assert!(slice.end <= self.slices[around].end, "it outlives what is around it");
                assert!(std::iter::successors(parent(at), |at| parent(*at)).any(|up| up == around), "{}", slice.begin);
            }
            // Of a parent that begins later there is no arrow.
            let wanted = parent(at).filter(|parent| Some(*parent) != slice.around && *parent < at);
            let inside = arrows.iter().filter(|(_, to, words)| *to == Some(at) && *words == "inside");
            assert_eq!(inside.map(|(from, ..)| *from).collect::<Vec<_>>(), Vec::from_iter(wanted.map(Some)));
        }
    }

    pub(super) fn of_phase(&self, phase: &str) -> Vec<&Value> {
        self.events.iter().filter(|event| event["ph"] == phase).collect()
    }
}

impl Slice {
    pub(super) fn id(&self) -> &str {
        text(&self.begin, "span_id")
    }

    pub(super) fn parent(&self) -> &str {
        text(&self.begin, "parent_span_id")
    }
}

pub(super) fn text<'a>(event: &'a Value, argument: &str) -> &'a str {
    event["args"][argument].as_str().unwrap_or_default()
}
