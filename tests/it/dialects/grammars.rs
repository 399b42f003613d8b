//! The grammars of chat and gateway hold, whatever comes.

use super::front_ends::{any, told};
use proptest::prelude::*;
use serde_json::Value;
use spanwright::wire::Dialect;
use std::collections::HashSet;

/// Name and data of each frame. No line but these may be in the stream.
fn frames(told: &str) -> Vec<(&str, Value)> {
    assert!(!told.contains('\r'), "{told:?}");
    let frames = told.strip_suffix("\n\n").expect("a blank line at the end").split("\n\n");
    frames.map(frame).collect()
}

fn frame(frame: &str) -> (&str, Value) {
    let (name, data) = match frame.split_once('\n') {
        Some((name, data)) => (name.strip_prefix("event: ").expect(frame), data),
        None => ("", frame),
    };
    let data = data.strip_prefix("data: ").filter(|data| !data.contains('\n')).expect(frame);
    (name, serde_json::from_str(data).expect(frame))
}

/// `stream_started ping* (delta | tool)* citations? (done | error)`, each tool that starts done once.
fn obeys_the_grammar_of_a_turn(told: &str) {
    let frames = frames(told);
    let names: Vec<&str> = frames.iter().map(|(name, _)| *name).collect();
    let ([first, inner @ ..], Some(last)) = (&names[..names.len() - 1], names.last()) else { panic!("{told}") };
    assert!(*first == "stream_started" && ["done", "error"].contains(last), "{told}");
    let content = inner.strip_suffix(&["citations"]).unwrap_or(inner);
    assert!(content.iter().all(|name| ["delta", "tool"].contains(name)), "{told}");
    let mut open = HashSet::new();
    for (_, tool) in frames.iter().filter(|(name, _)| *name == "tool") {
        assert!(tool["name"] != "", "{tool}");
        let id = tool["details"]["call_id"].as_str().expect("id");
        assert!(if tool["phase"] == "start" { open.insert(id) } else { open.remove(id) }, "{tool}");
    }
    assert!(open.is_empty(), "{told}");
}

/// `Start (Thinking | Chunk | ToolStart ToolResult ToolsComplete)* End`, all tools complete when none is open.
fn obeys_the_grammar_of_a_gateway(told: &str) {
    let messages: Vec<Value> = frames(told).into_iter().map(|(_, message)| message).collect();
    let is = |message: &Value, name: &str| message["type"] == "stream" && message.get(name).is_some();
    assert!(is(&messages[0], "Start") && is(&messages[messages.len() - 1], "End"), "{told}");
    let mut open = HashSet::new();
    let mut is_due = false;
    for message in &messages[1..messages.len() - 1] {
        assert!(!is(message, "Start") && !is(message, "End"), "{told}");
        assert_eq!(std::mem::take(&mut is_due), is(message, "ToolsComplete"), "{told}");
        if let Some(calls) = message["ToolStart"]["calls"].as_array() {
            assert!(calls.iter().all(|call| open.insert(call["id"].as_str().expect("id"))), "{told}");
        }
        if is(message, "ToolResult") {
            assert!(open.remove(message["ToolResult"]["call_id"].as_str().expect("id")), "{told}");
            is_due = open.is_empty();
        }
    }
    assert!(open.is_empty() && !is_due, "{told}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]
    #[test]
    fn whatever_happens_a_turn_obeys_its_grammar(events in any::events()) {
        obeys_the_grammar_of_a_turn(&told(Dialect::Chat, &events).0);
    }

    #[test]
    fn whatever_happens_a_gateways_messages_obey_their_grammar(events in any::events()) {
        obeys_the_grammar_of_a_gateway(&told(Dialect::Gateway, &events).0);
    }
}
