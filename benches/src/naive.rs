//! The naive design, as the reference has it: owned strings in an enum, pushed into a vector behind a mutex; what is
//! kept becomes a `serde_json::Value` under a fresh id first, then a text; a frame is `to_string` and `format!`.

use crate::{
    case::{Case, Cases, Op},
    words::Words,
};
use serde::Serialize;
use std::{
    hint::black_box,
    sync::{Arc, Mutex},
    time::{SystemTime, UNIX_EPOCH},
};

/// An event as the naive design holds it, with the fields that ours has.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type")]
pub enum NaiveEvent {
    #[serde(rename = "data-llm-call-start")]
    CallStart {
        execution_id: String,
        step_id: String,
        callable_name: String,
        history_length: u64,
        model: Option<String>,
        provider: Option<String>,
        timestamp: i64,
    },
    #[serde(rename = "data-llm-call-end")]
    CallEnd { execution_id: String, step_id: String, duration_ms: u64, timestamp: i64 },
    #[serde(rename = "data-step-start")]
    StepStart { execution_id: String, step_id: String, step_type: String, name: String, timestamp: i64 },
    #[serde(rename = "data-step-end")]
    StepEnd { execution_id: String, step_id: String, duration_ms: u64, timestamp: i64 },
    #[serde(rename = "data-token-usage")]
    Usage {
        execution_id: String,
        step_id: String,
        prompt_tokens: u64,
        completion_tokens: u64,
        total_tokens: u64,
        cumulative_tokens: u64,
        cost_usd: Option<f64>,
        cumulative_cost_usd: Option<f64>,
        timestamp: i64,
    },
    #[serde(rename = "data-text-delta")]
    Delta { execution_id: String, step_id: String, id: String, delta: String, timestamp: i64 },
    #[serde(rename = "data-text-end")]
    TextEnd { execution_id: String, step_id: String, id: String, final_text: Option<String>, timestamp: i64 },
}

/// An emitter that keeps events in a vector.
pub fn emit(op: Op) -> Cases {
    cases(op, Then::Push)
}

/// An emitter that is silent: the event is made before the mode is asked.
pub fn silent(op: Op) -> Cases {
    cases(op, Then::Drop)
}

/// An emitter that also makes the persisted text of each event (no spawn, no file).
pub fn persist(op: Op) -> Cases {
    cases(op, Then::Persist)
}

/// An emitter that also makes the frame of each event, for one reader.
pub fn to_sse(op: Op) -> Cases {
    cases(op, Then::Frame)
}

#[derive(Debug, Clone, Copy)]
enum Then {
    Push,
    Drop,
    Persist,
    Frame,
}

struct Naive {
    events: Arc<Mutex<Vec<NaiveEvent>>>,
    words: Words,
    op: Op,
    then: Then,
}

fn cases(op: Op, then: Then) -> Cases {
    let events = Arc::new(Mutex::new(Vec::new()));
    Box::new(move || Box::new(Naive { events: events.clone(), words: Words::new(), op, then }))
}

fn now_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64)
}

impl Naive {
    fn take(&self, event: NaiveEvent) {
        match self.then {
            Then::Drop => drop(black_box(event)),
            Then::Push => self.events.lock().expect("lock").push(event),
            Then::Persist => {
                drop(black_box(event.persisted()));
                self.events.lock().expect("lock").push(event);
            }
            Then::Frame => {
                drop(black_box(event.to_sse()));
                self.events.lock().expect("lock").push(event);
            }
        }
    }
}

impl Case for Naive {
    fn burst(&mut self, times: usize) {
        let words = black_box(&self.words);
        for _ in 0..times {
            match self.op {
                Op::Span => {
                    self.take(NaiveEvent::call_start(words));
                    self.take(NaiveEvent::call_end(words));
                }
                Op::Step => {
                    self.take(NaiveEvent::step_start(words));
                    self.take(NaiveEvent::step_end(words));
                }
                Op::Event => self.take(NaiveEvent::usage(words)),
                Op::Delta => self.take(NaiveEvent::delta(words)),
                _ => self.take(NaiveEvent::text_end(words, &words.long_text)),
            }
        }
    }

    fn drain(&mut self) {
        self.events.lock().expect("lock").clear();
    }
}

impl NaiveEvent {
    pub fn call_start(words: &Words) -> Self {
        Self::CallStart {
            execution_id: words.execution_text.clone(),
            step_id: words.step_text.clone(),
            callable_name: words.tool.clone(),
            history_length: words.history_length,
            model: Some(words.model.clone()),
            provider: Some(words.provider.clone()),
            timestamp: now_ms(),
        }
    }

    fn call_end(words: &Words) -> Self {
        let (execution_id, step_id) = (words.execution_text.clone(), words.step_text.clone());
        Self::CallEnd { execution_id, step_id, duration_ms: words.tokens[0], timestamp: now_ms() }
    }

    fn step_start(words: &Words) -> Self {
        let (execution_id, step_id) = (words.execution_text.clone(), words.step_text.clone());
        Self::StepStart {
            execution_id,
            step_id,
            step_type: "ToolNode".into(),
            name: words.tool.clone(),
            timestamp: now_ms(),
        }
    }

    fn step_end(words: &Words) -> Self {
        let (execution_id, step_id) = (words.execution_text.clone(), words.step_text.clone());
        Self::StepEnd { execution_id, step_id, duration_ms: words.tokens[0], timestamp: now_ms() }
    }

    pub fn usage(words: &Words) -> Self {
        Self::Usage {
            execution_id: words.execution_text.clone(),
            step_id: words.step_text.clone(),
            prompt_tokens: words.tokens[0],
            completion_tokens: words.tokens[1],
            total_tokens: words.tokens[2],
            cumulative_tokens: words.tokens[3],
            cost_usd: Some(words.cost[0]),
            cumulative_cost_usd: Some(words.cost[1]),
            timestamp: now_ms(),
        }
    }

    pub fn delta(words: &Words) -> Self {
        let (execution_id, step_id) = (words.execution_text.clone(), words.step_text.clone());
        Self::Delta {
            execution_id,
            step_id,
            id: words.segment_id.clone(),
            delta: words.piece.clone(),
            timestamp: now_ms(),
        }
    }

    pub fn text_end(words: &Words, text: &str) -> Self {
        let (execution_id, step_id) = (words.execution_text.clone(), words.step_text.clone());
        Self::TextEnd {
            execution_id,
            step_id,
            id: words.segment_id.clone(),
            final_text: Some(text.into()),
            timestamp: now_ms(),
        }
    }

    /// The frame of the naive design.
    pub fn to_sse(&self) -> String {
        format!("data: {}\n\n", serde_json::to_string(self).unwrap_or_default())
    }
}
