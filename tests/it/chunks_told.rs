//! What becomes of a streamed answer around its chunks: the tools it asks for, its times, whose events they are.

use crate::layer::record;
use spanwright::{
    StreamEvent,
    event::{Body, LlmCallEnd},
    span::{self, ChunkReader},
    view::{NodeKind, RunTree},
};
use std::time::{Duration, Instant};

const TOOLS: &str = include_str!("tapes/chat_tools.sse");
const TEXT: &str = include_str!("tapes/chat_text.sse");

/// A model call that streams this answer.
fn ask(tape: &str) {
    let llm = span::llm("m");
    llm.in_scope(|| {
        let mut reader = ChunkReader::new();
        tape.lines().for_each(|line| reader.json(&llm, line));
        reader.end(&llm);
    });
}

/// The ids of calls: those that were announced, those that ran, those that were closed at the end.
fn calls(events: &[StreamEvent]) -> [Vec<String>; 3] {
    let mut calls: [Vec<String>; 3] = Default::default();
    for event in events {
        match &event.body {
            Body::ToolInputStart(start) => calls[0].push(start.tool_call_id.to_string()),
            Body::ToolInputAvailable(start) => calls[1].push(start.tool_call_id.to_string()),
            Body::ToolOutputError(end) => calls[2].push(end.tool_call_id.to_string()),
            _ => {}
        }
    }
    calls
}

fn llm_end(events: &[StreamEvent]) -> LlmCallEnd {
    let end = events.iter().find_map(|event| match &event.body {
        Body::LlmCallEnd(end) => Some((**end).clone()),
        _ => None,
    });
    end.expect("an end of a model call")
}

#[test]
fn a_tool_that_runs_without_an_id_is_the_oldest_call_that_was_announced_for_it() {
    let events = record(|| {
        span::agent("a").in_scope(|| {
            ask(TOOLS);
            span::tool("fetch").in_scope(|| ());
            span::tool("search").in_scope(|| ());
            span::tool("search").in_scope(|| ());
            span::tool("search").in_scope(|| ());
        });
    });
    let [announced, ran, closed] = calls(&events);
    assert_eq!(announced, ["call_DdmO9pD3", "call_3kmcqE5r"]);
    assert_eq!(ran[1..3], announced);
    assert!(ran[0].starts_with("step_") && ran[3].starts_with("step_"), "{ran:?}");
    assert_eq!(closed, [""; 0]);
}

#[test]
fn a_call_that_is_announced_and_runs_is_one_node_of_the_tree() {
    let events = record(|| {
        span::agent("a").in_scope(|| {
            ask(TOOLS);
            span::tool("search").in_scope(|| ());
        });
    });
    let mut tree = RunTree::new();
    for event in &events {
        tree.apply(event);
    }
    let tools = tree.nodes().iter().filter(|node| node.kind == NodeKind::Tool);
    let tools: Vec<_> = tools.map(|tool| (tool.name.to_string(), tool.status.as_str())).collect();
    assert_eq!(tools, [("search".to_owned(), "ok"), ("search".to_owned(), "cancelled")]);
}

#[test]
fn a_tool_that_names_its_call_is_that_one_and_not_the_oldest() {
    let events = record(|| {
        span::agent("a").in_scope(|| {
            ask(TOOLS);
            let tool = span::tool("search");
            tool.tool_call_id("call_3kmcqE5r");
            tool.in_scope(|| ());
        });
    });
    let [_, ran, closed] = calls(&events);
    assert_eq!((ran, closed), (vec!["call_3kmcqE5r".to_owned()], vec!["call_DdmO9pD3".to_owned()]));
}

#[test]
fn agents_that_run_at_once_do_not_take_each_others_calls() {
    let other = TOOLS.replace("call_DdmO9pD3", "call_other_1").replace("call_3kmcqE5r", "call_other_2");
    let events = record(|| {
        span::agent("both").in_scope(|| {
            let (one, two) = (span::agent("one"), span::agent("two"));
            one.in_scope(|| ask(TOOLS));
            two.in_scope(|| ask(&other));
            two.in_scope(|| span::tool("search").in_scope(|| ()));
            one.in_scope(|| span::tool("search").in_scope(|| ()));
        });
    });
    assert_eq!(calls(&events)[1], ["call_other_1", "call_DdmO9pD3"]);
}

#[test]
fn calls_past_the_bound_are_not_announced_and_all_others_are_closed() {
    let events = record(|| {
        span::agent("a").in_scope(|| {
            for turn in 0..150 {
                ask(&TOOLS.replace("call_", &format!("call_{turn}_")));
            }
        });
    });
    let [announced, _, closed] = calls(&events);
    assert_eq!(announced.len(), 256);
    assert_eq!(closed, announced);
}

#[test]
fn the_time_to_the_first_chunk_counts_from_when_the_request_was_sent() {
    let events = record(|| {
        let llm = span::llm("m");
        llm.in_scope(|| {
            let mut reader = ChunkReader::new().sent_at(Instant::now() - Duration::from_secs(3_600));
            TEXT.lines().for_each(|line| reader.json(&llm, line));
            reader.end(&llm);
        });
    });
    let waited = llm_end(&events).time_to_first_chunk_ms.expect("a time");
    assert!((3_600_000..7_200_000).contains(&waited), "{waited}");
}

#[test]
fn a_stream_without_a_chunk_has_no_time_to_its_first() {
    let events = record(|| {
        let llm = span::llm("m");
        llm.in_scope(|| ChunkReader::new().sent_at(Instant::now()).end(&llm));
    });
    assert_eq!(llm_end(&events).time_to_first_chunk_ms, None);
}

#[test]
fn tokens_per_second_are_those_of_the_time_in_which_the_model_wrote() {
    let speed = |facts: fn(&span::AgentSpan)| {
        let events = record(|| {
            let llm = span::llm("m");
            llm.in_scope(|| facts(&llm));
        });
        llm_end(&events).tokens_per_second
    };
    let known = speed(|llm| {
        llm.usage(10, 1_000).time_to_first_chunk(Duration::ZERO);
    });
    assert!(known.expect("a speed") > 0.0);
    assert_eq!(speed(|llm| drop(llm.usage(10, 1_000).clone())), None);
    assert_eq!(speed(|llm| drop(llm.time_to_first_chunk(Duration::ZERO).clone())), None);
    let impossible = speed(|llm| {
        llm.usage(10, 1_000).time_to_first_chunk(Duration::from_secs(3_600));
    });
    assert_eq!(impossible, None, "the first chunk after the end");
}

#[test]
fn a_reader_that_has_read_to_the_end_reads_the_next_answer_as_a_new_one() {
    let events = record(|| {
        span::agent("a").in_scope(|| {
            let mut reader = ChunkReader::new();
            for tape in [TEXT, include_str!("tapes/anthropic_text.sse")] {
                let llm = span::llm("m");
                tape.lines().for_each(|line| reader.json(&llm, line));
                reader.end(&llm);
                llm.finish();
            }
        });
    });
    let models: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.body {
            Body::LlmCallEnd(end) => end.model.as_ref().map(ToString::to_string),
            _ => None,
        })
        .collect();
    assert_eq!(models, ["gpt-4o-2024-08-06", "claude-sonnet-4-5-20250929"]);
}
