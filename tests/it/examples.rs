//! The examples, run as a person runs them: what they print, and what stands on stderr beside it.
//!
//! `cargo test` builds them first; a run of this one test binary alone may find none, or old ones.

use crate::{http, scratch::Scratch};
use expect_test::{Expect, expect};
use spanwright::{
    ExecutionId, Recorder, StreamEvent, Timestamp,
    event::{ExecutionEnd, ExecutionStart, StepEnd},
    serve::Server,
};
use std::{
    ffi::OsString,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
};

/// Where cargo puts the examples: beside the folder of the test binaries.
fn program(name: &str) -> PathBuf {
    let tests = std::env::current_exe().expect("this program");
    let folder = tests.ancestors().nth(2).expect("the target folder");
    folder.join("examples").join(name)
}

/// What changes what an example does, by the beginning of its name.
const NOT_OURS: &[&str] = &["LANGFUSE_", "OPENAI_", "OTEL_", "RUST_LOG", "SPANWRIGHT_", "TRACE"];

/// An example in this folder, with nothing of the environment that could change what it says.
fn command(program: PathBuf, folder: &Scratch) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder.file(""));
    let is_theirs = |name: &OsString| NOT_OURS.iter().any(|start| name.to_string_lossy().starts_with(start));
    let ours = std::env::vars_os().filter(|(name, _)| !is_theirs(name));
    command.env_clear().envs(ours);
    command
}

fn check(name: &str, expected: Expect) {
    check_with(name, &[], expected);
}

/// Runs an example in a folder of its own.
fn check_with(name: &str, arguments: &[&str], expected: Expect) {
    let program = program(name);
    if !program.exists() {
        eprintln!("skipped: {} is not built", program.display());
        return;
    }
    let scratch = Scratch::new();
    let output = command(program, &scratch).args(arguments).output().expect("run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (said, seen) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    expected.assert_eq(&format!("{}--\n{}", nameless(&said), timeless(&seen)));
}

/// Without ids and cursors, and without durations in JSON.
fn nameless(text: &str) -> String {
    let masked = |text: String, mark: &str, is_part: fn(&char) -> bool| {
        let mut parts = text.split(mark);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |out, part| format!("{out}{mark}…{}", part.trim_start_matches(|sign| is_part(&sign))))
    };
    let text = masked(text.to_owned(), "\"step_", char::is_ascii_hexdigit);
    let text = masked(text, r#""cursor":""#, |sign| sign.is_ascii_hexdigit() || *sign == '-');
    masked(text, r#""duration_ms":"#, char::is_ascii_digit)
}

/// Without what no two runs share: times, and what is reckoned from them.
fn timeless(text: &str) -> String {
    text.lines().map(|line| timeless_line(line) + "\n").collect()
}

fn timeless_line(line: &str) -> String {
    let after_clock = match line.trim_start().split_once("s  ") {
        Some((clock, rest)) if clock.parse::<f64>().is_ok() => rest,
        _ => line,
    };
    let words: Vec<&str> = after_clock.split_whitespace().collect();
    let mut kept: Vec<&str> = Vec::new();
    for word in words {
        let counted = kept.last().is_some_and(|last| last.parse::<f64>().is_ok());
        match word {
            "ms" | "s" | "tok/s" if counted => {
                kept.pop();
                // `· 13000 tok/s` goes with its dot.
                if kept.last() == Some(&"·") {
                    kept.pop();
                }
            }
            word => kept.push(word),
        }
    }
    kept.join(" ")
}

#[test]
fn hello() {
    check(
        "hello",
        expect![[r#"
        a page about rayleigh scattering
        --
        run research start "rayleigh scattering"
        tool search start "rayleigh scattering"
        tool search ok "rayleigh scattering"
        run research ok "rayleigh scattering"
        spanwright: record in spanwright.db
    "#]],
    );
}

#[test]
fn macro_functions() {
    check(
        "macro_functions",
        expect![[r#"
            Why is the sky blue? See Why is the sky blue? came up yesterday, a paper found in 20 dimensions.
            Why is grass green? See Why is grass green? came up yesterday, a paper found in 19 dimensions.
            --
            run two_questions start
            agent librarian start "Why is the sky blue?"
            step look_up start "Why is the sky blue?"
            memory remember start "Why is the sky blue?"
            memory remember ok 1 hit for "Why is the sky blue?"
            tool search start query: "Why is the sky blue?", key: "[redacted]"
            retriever papers start "Why is the sky blue?"
            embedding text-embedding-3-small start "Why is the sky blue?"
            embedding text-embedding-3-small ok "Why is the sky blue?"
            retriever papers ok 1 hit for "Why is the sky blue?"
            tool search ok query: "Why is the sky blue?", key: "[redacted]"
            step look_up ok "Why is the sky blue?"
            llm gpt-4o-mini start
            llm gpt-4o-mini ok 40 → 8 tok
            guardrail no secrets start "Why is the sky blue? See Why is the sky blue? came up yesterday, a paper found in 20 dimensions."
            guardrail no secrets ok pass
            evaluator cites_a_source start "Why is the sky blue? See Why is the sky blue? came up yesterday, a paper found in 20 dimensions."
            evaluator cites_a_source ok "Why is the sky blue? See Why is the sky blue? came up yesterday, a paper found in 20 dimensions." · 1
            agent librarian ok "Why is the sky blue?"
            agent librarian start "Why is grass green?"
            step look_up start "Why is grass green?"
            memory remember start "Why is grass green?"
            memory remember ok 1 hit for "Why is grass green?"
            tool search start query: "Why is grass green?", key: "[redacted]"
            retriever papers start "Why is grass green?"
            embedding text-embedding-3-small start "Why is grass green?"
            embedding text-embedding-3-small ok "Why is grass green?"
            retriever papers ok 1 hit for "Why is grass green?"
            tool search ok query: "Why is grass green?", key: "[redacted]"
            step look_up ok "Why is grass green?"
            llm gpt-4o-mini start
            llm gpt-4o-mini ok 40 → 8 tok
            guardrail no secrets start "Why is grass green? See Why is grass green? came up yesterday, a paper found in 19 dimensions."
            guardrail no secrets ok pass
            evaluator cites_a_source start "Why is grass green? See Why is grass green? came up yesterday, a paper found in 19 dimensions."
            evaluator cites_a_source ok "Why is grass green? See Why is grass green? came up yesterday, a paper found in 19 dimensions." · 1
            agent librarian ok "Why is grass green?"
            run two_questions ok ≥ 96 tok · ≥ $0.00002
            spanwright: record in spanwright.db
        "#]],
    );
}

#[test]
fn multi_process() {
    check(
        "multi_process",
        expect![[r#"
            hub: {"type":"data-execution-start","execution_id":"run-7","name":"worker","timestamp":1700000000000}
            hub: {"type":"data-note","execution_id":"run-7","name":"found","value":{"papers":3},"timestamp":1700000000010}
            hub: {"type":"data-execution-end","execution_id":"run-7","duration_ms":…,"timestamp":1700000000020}
            hub: the worker ended with exit status: 0
            --
            worker: HTTP/1.1 200 OK
        "#]],
    );
}

#[test]
fn own_loop() {
    check(
        "own_loop",
        expect![[r#"
            It is 1083 feet high.
            --
            run tower start "How many feet high is the Eiffel tower?"
            llm gpt-4o start
            llm gpt-4o ok 20 → 12 tok
            tool search start "height of the Eiffel tower"
            tool search ok "height of the Eiffel tower"
            llm gpt-4o start
            llm gpt-4o ok 40 → 12 tok
            tool to_feet start metres: 330.0
            tool to_feet ok metres: 330.0
            llm gpt-4o start
            llm gpt-4o ok 60 → 12 tok
            run tower ok "How many feet high is the Eiffel tower?" · 156 tok · $0.0007
            spanwright: record in spanwright.db
        "#]],
    );
}

#[test]
fn permission() {
    check(
        "permission",
        expect![[r#"
        Ok("old.log is gone")
        Err("not allowed: that is three years of work")
        --
        run tidy_up start
        tool delete_file start "old.log"
        tool delete_file wait waiting for permission (destructive) · "old.log"
        tool delete_file go on "old.log" · granted by ada
        tool delete_file ok "old.log" · granted by ada
        tool delete_file start "thesis.tex"
        tool delete_file wait waiting for permission (destructive) · "thesis.tex"
        tool delete_file go on "thesis.tex" · denied by ada: that is three years of work
        tool delete_file error not allowed: that is three years of work · "thesis.tex" · denied by ada: that is three years of work
        run tidy_up ok
        spanwright: record in spanwright.db
    "#]],
    );
}

#[test]
fn rig_zero_code() {
    check(
        "rig_zero_code",
        expect![[r#"
        SUPPORTED by note "moon-light" for the claim "Light takes about 1.3 seconds from the Moon to the Earth.".
        --
        run librarian start "Light takes about 1.3 seconds from the Moon to the Earth."
        llm scripted-1 start
        llm scripted-1 ok 49 → 48 tok
        tool search_notes start query: "Light takes about 1.3 seconds from the Moon to the Earth.", limit: 2
        tool search_notes ok query: "Light takes about 1.3 seconds from the Moon to the Earth.", limit: 2
        llm scripted-1 start
        llm scripted-1 ok 295 → 26 tok (49 cached)
        run librarian ok "Light takes about 1.3 seconds from the Moon to the Earth." · 418 tok (49 cached)
        spanwright: record in spanwright.db
    "#]],
    );
}

#[test]
fn spawn_and_processes() {
    check(
        "spawn_and_processes",
        expect![[r#"
        in the same execution?
        a task         yes
        a thread       yes
        a channel      yes
        a child        yes
        --
        run boss start
        step look start
        step look ok
        step look start
        step look ok
        step look start
        step look ok
        step look start
        step look ok
        step child start
        step child ok
        run boss ok
        spanwright: record in spanwright.db
    "#]],
    );
}

/// It serves until it is stopped: posted to as `useChat` does, and asked whether there is something to resume.
#[test]
fn chat_ui_backend() {
    let program = program("chat_ui_backend");
    if !program.exists() {
        eprintln!("skipped: {} is not built", program.display());
        return;
    }
    let scratch = Scratch::new();
    let mut command = command(program, &scratch);
    command.arg("0").stdout(Stdio::piped()).stderr(Stdio::null());
    let mut server = Child(command.spawn().expect("run"));
    let mut said = String::new();
    BufReader::new(server.0.stdout.take().expect("stdout")).read_line(&mut said).expect("address");
    let addr =
        said.trim_start_matches("http://").split('/').next().and_then(|addr| addr.parse().ok()).expect("address");
    let body = r#"{"id":"c1","trigger":"submit-message","messages":[{"id":"u","role":"user","parts":[{"type":"text","text":"the sky"}]}]}"#;
    let head = format!(
        "POST /api/chat HTTP/1.1\r\nHost: {addr}\r\nContent-Type: application/json\r\nContent-Length: {}",
        body.len()
    );
    let answer = http::send(addr, &format!("{head}\r\n\r\n{body}")).text();
    let data: Vec<_> = answer.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
    assert_eq!(data.last(), Some(&"[DONE]"));
    let chunks = data[..data.len() - 1].iter().map(|data| serde_json::from_str::<serde_json::Value>(data).expect(data));
    let text: String = chunks.filter_map(|chunk| chunk["delta"].as_str().map(str::to_owned)).collect();
    assert_eq!(text, "There is a page about the sky.");
    for idle in ["/api/chat/c1/stream", "/api/chat/nobody/stream"] {
        assert_eq!(http::get(addr, idle).status, 204, "{idle}");
    }
}

/// Stopped with the test, however that ends.
struct Child(std::process::Child);

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn every_example_of_one_file_is_short_and_checked_here() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let checks = std::fs::read_to_string(root.join("tests/it/examples.rs")).expect("this file");
    for entry in std::fs::read_dir(root.join("examples")).expect("examples").map(|entry| entry.expect("entry").path()) {
        let Some(name) = entry.file_stem().and_then(|stem| stem.to_str()).filter(|_| entry.is_file()) else { continue };
        let lines = std::fs::read_to_string(&entry).expect("example").lines().count();
        assert!(lines <= 60, "{name} has {lines} lines");
        assert!(checks.contains(&format!("\"{name}\"")), "{name} is not checked");
    }
}

#[test]
fn existing_tracer() {
    check(
        "existing_tracer",
        expect![[r#"
            tracer: SELECT pages
            record: execute_tool search
            record: invoke_agent research
            --
            run research start "rayleigh scattering"
            tool search start "rayleigh scattering"
            tool search ok "rayleigh scattering"
            run research ok "rayleigh scattering"
            spanwright: record in spanwright.db
        "#]],
    );
}

#[test]
fn test_your_agent() {
    check(
        "test_your_agent",
        expect![[r#"
            ✓ run research  "rayleigh scattering"
            ├─ ✓ step plan  "rayleigh scattering"
            ├─ ✓ tool search  "rayleigh scattering"
            ├─ ✓ tool search  "rayleigh scattering, history"
            └─ ✓ llm gpt-4o  1,200 → 64 tok · $0.0036
            --
        "#]],
    );
}

#[test]
fn redaction() {
    check(
        "redaction",
        expect![[r#"
        sent 59 bytes with 1 headers
        ExecutionStart {"name":"mail","input":{"customer":"[redacted:customer]"}}
        Note {"name":"config","value":{"api_key":"[redacted:secret]","max_tokens":100}}
        ToolInputAvailable {"tool_call_id":"step_…","tool_name":"log_in","input":{"user":"[redacted:email]","password":"[redacted:secret]"},"parent_step_id":"step_…"}
        ToolOutputAvailable {"tool_call_id":"step_…","output":"[redacted:email] is in","tool_name":"log_in","duration_ms":…}
        ToolInputAvailable {"tool_call_id":"step_…","tool_name":"send","input":{"headers":[["authorization","Bearer [redacted:bearer_token]"]],"body":"Dear [redacted:customer], your card [redacted:card] has expired."},"parent_step_id":"step_…"}
        ToolOutputAvailable {"tool_call_id":"step_…","output":"sent 59 bytes with 1 headers","tool_name":"send","duration_ms":…}
        ExecutionEnd {"duration_ms":…,"final_output":"sent 59 bytes with 1 headers"}
        --
        spanwright: record in spanwright.db
    "#]],
    );
}

#[test]
fn streaming() {
    check(
        "streaming",
        expect![[r#"
        The sky is blue because of Rayleigh scattering.
        ["The sky ", "is blue ", "because of ", "Rayleigh ", "scattering."]
        --
        run sky start
        llm gpt-4o start
        llm gpt-4o-2024-11-20 ok 12 → 9 tok · ttft
        run sky ok 21 tok · $0.0001
        spanwright: record in spanwright.db
    "#]],
    );
}

#[test]
fn sse_server() {
    check(
        "sse_server",
        expect![[r#"
        event: data-connected
        event: data-execution-start
        event: data-tool-input-available
        event: data-tool-output-available
        event: data-execution-end
        {"status":"ok","recorder":"ok","hub":"ok","log":"ok"}
        --
        run librarian start
        tool search start "rust"
        tool search ok "rust"
        run librarian ok
        spanwright: record in spanwright.db
    "#]],
    );
}

#[test]
fn watch() {
    let recorder = Recorder::builder().log(spanwright::log::MemoryLog::new()).start().expect("start");
    let server = Server::spawn(recorder.clone(), "127.0.0.1:0").expect("serve");
    let emitter = recorder.emitter().for_execution(ExecutionId::parse("run-1").expect("id"));
    let at = |event: StreamEvent| event.at(Timestamp::from_unix_millis(1_700_000_000_123).expect("time"));
    emitter.emit(at(ExecutionStart::new().name("tower").into()));
    emitter.emit(at(StepEnd::new(1).output("330 metres").into()));
    emitter.emit(at(ExecutionEnd::new(2).into()));
    check_with(
        "watch",
        &[&server.url(), "run-1"],
        expect![[r#"
            {"type":"data-connected","cursor":"…"}
            {"type":"data-execution-start","execution_id":"run-1","name":"tower","timestamp":1700000000123}
            {"type":"data-step-end","execution_id":"run-1","duration_ms":…,"output":"330 metres","timestamp":1700000000123}
            {"type":"data-execution-end","execution_id":"run-1","duration_ms":…,"timestamp":1700000000123}
            --
        "#]],
    );
}

#[test]
fn otlp_export() {
    check(
        "otlp_export",
        expect![[r#"
        18.5 °C: dress lightly.
        no station in Atlantis: dress lightly.
        file spans.jsonl has 6 spans
        --
        run weather start "Paris"
        tool temperature start "Paris"
        tool temperature ok "Paris"
        llm gpt-4o-mini start
        llm gpt-4o-mini ok 24 → 9 tok
        run weather ok "Paris" · 33 tok · $0.000009
        run weather start "Atlantis"
        tool temperature start "Atlantis"
        tool temperature error no station in Atlantis · "Atlantis"
        llm gpt-4o-mini start
        llm gpt-4o-mini ok 24 → 9 tok
        run weather ok "Atlantis" · 33 tok · $0.000009
        spanwright: record in spanwright.db
    "#]],
    );
}

#[test]
fn phoenix() {
    // Nobody listens there.
    check_with(
        "phoenix",
        &["http://127.0.0.1:1"],
        expect![[r#"
            SK 819 is booked.
            Phoenix does not answer at http://127.0.0.1:1: `phoenix serve` starts one
            --
            run concierge start "a morning flight to Oslo"
            guardrail on topic start "a morning flight to Oslo"
            guardrail on topic ok pass
            retriever timetable start "a morning flight to Oslo"
            retriever timetable ok 2 hits for "a morning flight to Oslo"
            llm gpt-4o-mini start
            llm gpt-4o-mini ok 180 → 25 tok
            run concierge ok "a morning flight to Oslo" · 205 tok · $0.00004
            spanwright: http http://127.0.0.1:1: not all traces are delivered yet, the next start goes on: no connection: Connection refused (os error 111)
            spanwright: record in spanwright.db
        "#]],
    );
}

#[test]
fn langfuse() {
    check(
        "langfuse",
        expect![[r#"
        LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY say where to send: a project's settings have them.
        LANGFUSE_BASE_URL is https://cloud.langfuse.com unless you say another.
        --
    "#]],
    );
}
