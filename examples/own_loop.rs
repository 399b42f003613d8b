//! An agent without a framework: a loop, a model, two tools, and three attributes that show all of it.

use serde_json::{Value, json};
use spanwright::{agent, current, llm, tool};

/// What a model answers: words, or a tool to call.
#[derive(serde::Serialize)]
enum Answer {
    Call { tool: &'static str, arguments: Value },
    Text(String),
}

/// Stands for an HTTP call to a provider; it sees what was said so far.
#[llm]
fn complete(model: &str, messages: &[String]) -> Result<Answer, std::io::Error> {
    current().usage(20 * messages.len() as u64, 12);
    match messages.len() {
        1 => Ok(Answer::Call { tool: "search", arguments: json!({"query": "height of the Eiffel tower"}) }),
        2 => Ok(Answer::Call { tool: "to_feet", arguments: json!({"metres": 330}) }),
        3 => Ok(Answer::Text(format!("It is {} feet high.", messages[2]))),
        _ => Err(std::io::Error::other(format!("{model} has nothing more to say"))),
    }
}

#[tool]
fn search(query: &str) -> String {
    format!("{query}: 330 metres")
}

#[tool]
fn to_feet(metres: f64) -> Result<i64, String> {
    if metres < 0.0 { Err("less than nothing".to_owned()) } else { Ok((metres * 3.28084).round() as i64) }
}

fn run_tool(name: &str, arguments: &Value) -> String {
    match name {
        "search" => search(arguments["query"].as_str().unwrap_or_default()),
        "to_feet" => {
            to_feet(arguments["metres"].as_f64().unwrap_or_default()).map_or_else(|e| e, |feet| feet.to_string())
        }
        other => format!("there is no tool {other}"),
    }
}

#[agent]
fn tower(question: &str) -> Result<String, std::io::Error> {
    let mut messages = vec![question.to_owned()];
    loop {
        match complete("gpt-4o", &messages)? {
            Answer::Text(text) => return Ok(text),
            Answer::Call { tool, arguments } => messages.push(run_tool(tool, &arguments)),
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let _guard = spanwright::init()?;
    println!("{}", tower("How many feet high is the Eiffel tower?")?);
    Ok(())
}
