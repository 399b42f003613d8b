//! fastrace, with a reporter that throws away what it is given.

use crate::{
    case::{Case, Cases, Op, PER_PARENT},
    words::Words,
};
use fastrace::{
    Event,
    collector::{Config, Reporter, SpanContext, SpanRecord},
    local::LocalSpan,
    prelude::Span,
};
use std::hint::black_box;

struct NoReport;

impl Reporter for NoReport {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        drop(black_box(spans));
    }
}

/// Local spans and events with run-time values.
pub fn start(op: Op) -> Cases {
    fastrace::set_reporter(NoReport, Config::default());
    Box::new(move || Box::new(Fastrace { words: Words::new(), op }))
}

struct Fastrace {
    words: Words,
    op: Op,
}

impl Case for Fastrace {
    fn burst(&mut self, times: usize) {
        let words = black_box(&self.words);
        for _ in 0..times / PER_PARENT {
            let root = Span::root("run", SpanContext::random());
            let _guard = root.set_local_parent();
            for _ in 0..PER_PARENT {
                match self.op {
                    Op::Span => span(words),
                    Op::Step => step(words),
                    Op::Event => event(words),
                    _ => delta(words),
                }
            }
        }
    }

    fn drain(&mut self) {
        fastrace::flush();
    }
}

fn span(words: &Words) {
    let _span = LocalSpan::enter_with_local_parent("execute_tool").with_properties(|| {
        [
            ("execution_id", words.execution_text.clone()),
            ("step_id", words.step_text.clone()),
            ("tool", words.tool.clone()),
            ("model", words.model.clone()),
            ("provider", words.provider.clone()),
            ("history_length", words.history_length.to_string()),
        ]
    });
}

fn step(words: &Words) {
    let _span = LocalSpan::enter_with_local_parent("step").with_properties(|| {
        [
            ("execution_id", words.execution_text.clone()),
            ("step_id", words.step_text.clone()),
            ("name", words.tool.clone()),
        ]
    });
}

fn event(words: &Words) {
    LocalSpan::add_event(Event::new("token_usage").with_properties(|| {
        [
            ("execution_id", words.execution_text.clone()),
            ("step_id", words.step_text.clone()),
            ("prompt_tokens", words.tokens[0].to_string()),
            ("completion_tokens", words.tokens[1].to_string()),
            ("total_tokens", words.tokens[2].to_string()),
            ("cumulative_tokens", words.tokens[3].to_string()),
            ("cost_usd", words.cost[0].to_string()),
            ("cumulative_cost_usd", words.cost[1].to_string()),
        ]
    }));
}

fn delta(words: &Words) {
    LocalSpan::add_event(
        Event::new("text_delta").with_properties(|| [("id", words.segment_id.clone()), ("delta", words.piece.clone())]),
    );
}
