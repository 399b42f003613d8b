//! The stand-in for a language model: what to say next, decided from the messages of the request alone.

use serde_json::{Value, json};

pub(crate) struct Reply {
    pub(crate) reasoning: String,
    pub(crate) text: String,
    pub(crate) calls: Vec<Call>,
}

pub(crate) struct Call {
    pub(crate) name: &'static str,
    pub(crate) arguments: Value,
}

const CONFESSION: &str = "(These words come from a script on this machine, not from a language model.)";

pub(crate) fn reply_to(request: &Value) -> Reply {
    let question = last_question(request);
    let results = results_since_question(request);
    match (offers(request, "delegate_fact_check"), results.is_empty()) {
        (_, true) => look_up(&question),
        (true, false) if results.len() == 1 => compute_and_check(&question, &results),
        (true, false) => answer(&results),
        (false, false) => verdict(&question, &results),
    }
}

fn look_up(question: &str) -> Reply {
    Reply {
        reasoning: "The notes may hold this, so a search comes before any answer.".to_owned(),
        text: "I look in the notes first.".to_owned(),
        calls: vec![Call { name: "search_notes", arguments: json!({ "query": question, "limit": 2 }) }],
    }
}

/// Two calls in one turn: the sum of the best note (or of the question) and the check of its claim.
fn compute_and_check(question: &str, results: &[(String, String)]) -> Reply {
    let Some(hit) = best_hit(results) else {
        return speak(format!("The notes say nothing about that. {CONFESSION}"));
    };
    let expression = sum_in(question).unwrap_or_else(|| words_at(&hit, "worked_sum"));
    let claim = words_at(&hit, "title");
    Reply {
        reasoning: "One note fits. Its sum and its claim can be checked at the same time.".to_owned(),
        text: String::new(),
        calls: vec![
            Call { name: "calculator", arguments: json!({ "expression": expression }) },
            Call { name: "delegate_fact_check", arguments: json!({ "claim": claim }) },
        ],
    }
}

fn answer(results: &[(String, String)]) -> Reply {
    let note = best_hit(results).unwrap_or_default();
    let sum = sentence_of_sum(&result_of(results, "calculator"));
    let checked = result_of(results, "delegate_fact_check");
    speak(format!("{} {sum} The fact checker says: {checked} {CONFESSION}", words_at(&note, "text")))
}

fn verdict(claim: &str, results: &[(String, String)]) -> Reply {
    speak(match best_hit(results) {
        Some(hit) => format!("SUPPORTED by note {:?} for the claim {claim:?}.", words_at(&hit, "id")),
        None => format!("NOT SUPPORTED: no note speaks of {claim:?}."),
    })
}

fn speak(text: String) -> Reply {
    Reply { reasoning: String::new(), text, calls: Vec::new() }
}

fn sentence_of_sum(result: &str) -> String {
    let sum: Value = serde_json::from_str(result).unwrap_or_default();
    match (sum["expression"].as_str(), sum["result"].as_f64()) {
        (Some(expression), Some(value)) => format!("The sum {expression} gives {value:.4}."),
        _ => "The sum could not be computed.".to_owned(),
    }
}

/// The part of a question that is arithmetic, as in "what is 2 * (3 + 4)?".
fn sum_in(question: &str) -> Option<String> {
    let arithmetic = |c: char| c.is_ascii_digit() || " .+-*/^()".contains(c);
    question
        .split(|c| !arithmetic(c))
        .map(str::trim)
        .find(|part| part.contains(['+', '*', '/', '^']) && part.contains(|c: char| c.is_ascii_digit()))
        .map(str::to_owned)
}

fn best_hit(results: &[(String, String)]) -> Option<Value> {
    let found: Value = serde_json::from_str(&result_of(results, "search_notes")).ok()?;
    found["hits"].get(0).cloned()
}

fn result_of(results: &[(String, String)], tool: &str) -> String {
    results.iter().find(|(name, _)| name == tool).map(|(_, text)| text.clone()).unwrap_or_default()
}

fn words_at(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

fn offers(request: &Value, tool: &str) -> bool {
    let tools = request["tools"].as_array();
    tools.is_some_and(|tools| tools.iter().any(|offered| offered["function"]["name"] == tool))
}

pub(crate) fn messages(request: &Value) -> &[Value] {
    request["messages"].as_array().map_or(&[], Vec::as_slice)
}

fn last_question(request: &Value) -> String {
    let asked = messages(request).iter().rfind(|message| message["role"] == "user");
    let text = asked.map(text_of).unwrap_or_default();
    // The agent puts what it remembers before the question.
    let question = text.rsplit("Question: ").next().unwrap_or_default();
    question.trim_start_matches("Claim: ").to_owned()
}

fn results_since_question(request: &Value) -> Vec<(String, String)> {
    let messages = messages(request);
    let asked = messages.iter().rposition(|message| message["role"] == "user").unwrap_or(0);
    messages[asked..]
        .iter()
        .filter(|message| message["role"] == "tool")
        .map(|message| (tool_of_call(messages, &message["tool_call_id"]), text_of(message)))
        .collect()
}

fn tool_of_call(messages: &[Value], id: &Value) -> String {
    let mut calls = messages.iter().filter_map(|message| message["tool_calls"].as_array()).flatten();
    let call = calls.find(|call| call["id"] == *id);
    call.map(|call| words_at(&call["function"], "name")).unwrap_or_default()
}

/// Content is a string or a list of parts, by the protocol's own choice.
fn text_of(message: &Value) -> String {
    match &message["content"] {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}
