//! Trees of runs: what people see of a whole run, of half a run, and of events that make no sense.

use expect_test::{Expect, expect};
use proptest::prelude::*;
use spanwright::{
    ExecutionId, StepId, StreamEvent, Timestamp,
    event::{
        AgentEnd, AgentStart, ArtifactCreated, Body, ContextSnapshot, Embedding, ErrorCategory, EvaluationScored,
        ExecutionCancelled, ExecutionEnd, ExecutionError, ExecutionFailed, ExecutionLost, ExecutionPaused,
        ExecutionStart, GuardrailDecision, GuardrailEvaluated, Kind, LlmCallEnd, LlmCallFailed, LlmCallStart,
        MemoryRecalled, MemoryStored, MemoryType, OpenThings, OperationProgress, Outcome, PermissionDecision,
        PermissionRequest, PermissionVerdict, PolicyDecision, PolicyVerdict, ProgressStatus, ReasoningDelta, Retrieval,
        StepEnd, StepFailed, StepStart, StepType, StreamLagged, TextDelta, TextEnd, TokenUsage, ToolFailure,
        ToolInputAvailable, ToolInputStart, ToolOutputAvailable, ToolOutputError, ToolsComplete,
    },
    view::{DrawOptions, Inert, NodeKind, RunTree, Runs, Status},
};

pub(crate) const START: i64 = 1_763_700_000_000;

pub(crate) fn time(ms: i64) -> Timestamp {
    Timestamp::from_unix_millis(START + ms).expect("time")
}

pub(crate) fn step(number: u64) -> StepId {
    StepId::from_span_id(number)
}

/// An event of the test's execution, `ms` after its start.
pub(crate) fn at(ms: i64, number: u64, body: impl Into<Body>) -> StreamEvent {
    StreamEvent::new(body).of_execution(ExecutionId::from_trace_id(0x7f3a)).of_step(step(number)).at(time(ms))
}

fn json(text: &str) -> spanwright::Json {
    spanwright::Json::parse(text).expect("JSON")
}

/// A research agent up to where its second model call streams and a tool waits for a person.
pub(crate) fn research_begins() -> Vec<StreamEvent> {
    let inner = |ms, number, name: &str, kind| at(ms, number, StepStart::new(kind, name).parent_step_id(step(1)));
    vec![
        at(0, 1, ExecutionStart::new().name("research").input("why is the sky blue")),
        inner(1, 2, "recall", StepType::MemoryNode),
        at(13, 2, MemoryRecalled::new("sky colour", 3, 12)),
        at(13, 2, StepEnd::new(12)),
        inner(14, 3, "pii", StepType::GuardrailNode),
        at(16, 3, GuardrailEvaluated::new("pii", GuardrailDecision::Warn).reason("one value redacted")),
        at(16, 3, StepEnd::new(2)),
        at(20, 4, LlmCallStart::new("chat", 3).model("gpt-5").parent_step_id(step(1))),
        at(330, 4, ReasoningDelta::new("r1", "Scattering, surely.")),
        at(900, 4, TextDelta::new("t1", "Let me look that up.")),
        at(
            1420,
            4,
            LlmCallEnd::new(1400).prompt_tokens(2600).completion_tokens(81).cached_tokens(2048).model("gpt-5-2026-01"),
        ),
        at(1420, 4, TokenUsage::new(2600, 81, 2681, 2681).cost_usd(0.0018).cumulative_cost_usd(0.0018)),
        at(
            1430,
            5,
            ToolInputAvailable::new("call_1", "search", json(r#"{"query":"rayleigh scattering"}"#))
                .parent_step_id(step(1)),
        ),
        at(1431, 6, AgentStart::new("reader").parent_step_id(step(5))),
        at(1432, 7, StepStart::new(StepType::RetrieverNode, "papers").parent_step_id(step(6))),
        at(1440, 7, Retrieval::new("rayleigh", 12, 8)),
        at(1440, 7, StepEnd::new(8)),
        at(1440, 8, LlmCallStart::new("chat", 1).model("gpt-5-mini").parent_step_id(step(6))),
        at(1840, 8, LlmCallEnd::new(400).prompt_tokens(1100).completion_tokens(131)),
        at(1840, 8, TokenUsage::new(1100, 131, 1231, 3912).cost_usd(0.0004).cumulative_cost_usd(0.0022)),
        at(1845, 6, AgentEnd::new(414)),
        at(1850, 5, ToolOutputAvailable::new("call_1", json("[]")).duration_ms(420)),
        at(1900, 1, ContextSnapshot::new(9, 78_000, 61.0).max_tokens(128_000)),
        at(2000, 9, LlmCallStart::new("chat", 5).model("gpt-5").parent_step_id(step(1))),
        at(2310, 9, TextDelta::new("t2", "The sky is blue because ".repeat(9))),
        at(
            6300,
            10,
            ToolInputAvailable::new("call_2", "write_file", json(r#"{"path":"report.md","mode":"new"}"#))
                .parent_step_id(step(1)),
        ),
        at(
            6301,
            10,
            PermissionRequest::new("write_file", json("{}"), "ask").permission_id("p1").tool_call_id("call_2"),
        ),
    ]
}

/// The rest of it: a permission, and an end of every kind.
pub(crate) fn research_ends() -> Vec<StreamEvent> {
    let tool = |ms, number, name: &str, input: &str| {
        at(ms, number, ToolInputAvailable::new(format!("call_{number}"), name, json(input)).parent_step_id(step(1)))
    };
    let failed = |ms, number, error: &str, why, took| {
        at(ms, number, ToolOutputError::new(format!("call_{number}"), error, why).duration_ms(took))
    };
    vec![
        at(
            7100,
            9,
            LlmCallEnd::new(5100).prompt_tokens(3000).completion_tokens(413).finish_reasons(vec!["length".into()]),
        ),
        at(7100, 9, TokenUsage::new(3000, 413, 3413, 7325).cost_usd(0.0031).cumulative_cost_usd(0.0053)),
        at(7200, 10, PermissionDecision::new("p1", PermissionVerdict::Granted).decided_by("anna")),
        at(7230, 10, ToolOutputAvailable::new("call_2", json("true")).duration_ms(930)),
        at(7231, 1, ArtifactCreated::new("a1", "text/markdown").name("report.md").size_bytes(12_345)),
        tool(7300, 11, "fetch", r#"{"url":"https://example.org/a","tries":3}"#),
        failed(7400, 11, "HTTP 503 from example.org", ToolFailure::Error, 100),
        tool(7400, 12, "shell", r#"{"command":"rm -rf /"}"#),
        at(7401, 12, PolicyDecision::new("shell", PolicyVerdict::Deny).reason("destructive").tool_call_id("call_12")),
        failed(7402, 12, "the policy said no", ToolFailure::Denied, 2),
        tool(7500, 13, "crawl", r#"{"depth":9}"#),
        tool(7500, 14, "render", r#"{"page":1}"#),
        failed(38_500, 13, "no answer within 31 s", ToolFailure::TimedOut, 31_000),
        failed(38_510, 14, "index out of bounds", ToolFailure::Panicked, 31_010),
        at(38_600, 15, StepStart::new(StepType::FunctionNode, "second opinion").parent_step_id(step(1)).attempt(2)),
        at(38_610, 16, LlmCallStart::new("chat", 1).model("other-model").parent_step_id(step(15))),
        at(38_700, 16, LlmCallFailed::new("dropped").outcome(Outcome::Cancelled).duration_ms(90)),
        at(
            38_701,
            15,
            StepFailed::new(ExecutionError::new(ErrorCategory::Timeout, "given up"))
                .outcome(Outcome::Cancelled)
                .duration_ms(101),
        ),
        at(38_800, 17, StepStart::new(StepType::MemoryNode, "store").parent_step_id(step(1))),
        at(38_805, 17, MemoryStored::new(MemoryType::Episodic)),
        at(38_805, 17, StepEnd::new(5)),
        at(38_806, 18, AgentStart::new("critic").parent_step_id(step(1))),
        at(38_900, 18, AgentEnd::new(0).outcome(Outcome::Lost).error("its process ended before it did")),
        at(39_000, 1, EvaluationScored::new("faithful").score(0.9).explanation("all claims have a source")),
        at(39_000, 1, ExecutionEnd::new(39_000).final_output("Rayleigh scattering.")),
    ]
}

pub(crate) fn whole_research() -> Vec<StreamEvent> {
    research_begins().into_iter().chain(research_ends()).collect()
}

pub(crate) fn tree_of(events: impl IntoIterator<Item = StreamEvent>) -> RunTree {
    let mut tree = RunTree::new();
    for event in events {
        tree.apply(&event);
    }
    tree
}

fn drawn(tree: &RunTree, options: DrawOptions) -> String {
    tree.draw(options).iter().map(|line| format!("{line}\n")).collect()
}

#[expect(clippy::needless_pass_by_value, reason = "as `expect!` gives it")]
fn check(tree: &RunTree, options: DrawOptions, expected: Expect) {
    expected.assert_eq(&drawn(tree, options));
}

#[test]
fn a_run_at_work_shows_what_it_does_now_and_what_it_did() {
    let tree = tree_of(research_begins());
    check(
        &tree,
        DrawOptions::default().now(time(7100)),
        expect![[r#"
        ● research 7f3a  "why is the sky blue"      3,912 tok (2,048 cached) · context 61 %   7.1 s  $0.0022
        ├─ ✓ memory recall           3 hits for "sky colour"                                  12 ms
        ├─ ! guardrail pii           warn: one value redacted                                  2 ms
        ├─ ✓ llm gpt-5-2026-01       2,600 → 81 tok (2,048 cached) · ttft 310 ms · 74 tok/s   1.4 s  $0.0018
        ├─ ✓ tool search             "rayleigh scattering"                                   420 ms
        │  └─ ✓ agent reader                                                                 414 ms
        │     ├─ ✓ retriever papers  12 hits for "rayleigh"                                    8 ms
        │     └─ ✓ llm gpt-5-mini    1,100 → 131 tok · 328 tok/s                             400 ms  $0.0004
        ├─ ● llm gpt-5               streaming 216 chars · ttft 310 ms                        5.1 s
        └─ ◌ tool write_file         waiting for permission (ask) · path: "report.md", mod…   0.8 s
    "#]],
    );
}

#[test]
fn a_finished_run_shows_every_kind_of_end() {
    check(
        &tree_of(whole_research()),
        DrawOptions::default(),
        expect![[r#"
        ✓ research 7f3a  "why is the sky blue"      7,325 tok (2,048 cached) · context 61 %  39.0 s  $0.0053
        ├─ ✓ memory recall           3 hits for "sky colour"                                  12 ms
        ├─ ! guardrail pii           warn: one value redacted                                  2 ms
        ├─ ✓ llm gpt-5-2026-01       2,600 → 81 tok (2,048 cached) · ttft 310 ms · 74 tok/s   1.4 s  $0.0018
        ├─ ✓ tool search             "rayleigh scattering"                                   420 ms
        │  └─ ✓ agent reader                                                                 414 ms
        │     ├─ ✓ retriever papers  12 hits for "rayleigh"                                    8 ms
        │     └─ ✓ llm gpt-5-mini    1,100 → 131 tok · 328 tok/s                             400 ms  $0.0004
        ├─ ✓ llm gpt-5               3,000 → 413 tok · ttft 310 ms · 86 tok/s · stopped: l…   5.1 s  $0.0031
        ├─ ✓ tool write_file         path: "report.md", mode: "new" · granted by anna        930 ms
        ├─ ✓ artifact report.md      text/markdown, 12,345 bytes
        ├─ ✗ tool fetch              error: HTTP 503 from example.org · url: "https://exam…  100 ms
        ├─ ✗ tool shell              error: the policy said no · "rm -rf /" · policy deny:…    2 ms
        ├─ ✗ tool crawl              timed out: no answer within 31 s · depth: 9             31.0 s
        ├─ ✗ tool render             panicked: index out of bounds · page: 1                 31.0 s
        ├─ ⊘ step second opinion     cancelled: given up · try 2                             101 ms
        │  └─ ⊘ llm other-model      cancelled: dropped                                       90 ms
        ├─ ✓ memory store            stored episodic                                           5 ms
        ├─ ? agent critic            lost: its process ended before it did
        └─ ✓ evaluator faithful      0.9: all claims have a source
    "#]],
    );
}

#[test]
fn an_outline_is_free_of_times_and_ids() {
    let outline = tree_of(whole_research()).outline();
    expect![[r#"
        ✓ run research  "why is the sky blue"
        ├─ ✓ memory recall  3 hits for "sky colour"
        ├─ ! guardrail pii  warn: one value redacted
        ├─ ✓ llm gpt-5-2026-01  2,600 → 81 tok (2,048 cached) · $0.0018
        ├─ ✓ tool search  "rayleigh scattering"
        │  └─ ✓ agent reader
        │     ├─ ✓ retriever papers  12 hits for "rayleigh"
        │     └─ ✓ llm gpt-5-mini  1,100 → 131 tok · $0.0004
        ├─ ✓ llm gpt-5  3,000 → 413 tok · stopped: length · $0.0031
        ├─ ✓ tool write_file  path: "report.md", mode: "new" · granted by anna
        ├─ ✓ artifact report.md  text/markdown, 12,345 bytes
        ├─ ✗ tool fetch  error: HTTP 503 from example.org · url: "https://example.org/a", tries: 3
        ├─ ✗ tool shell  error: the policy said no · "rm -rf /" · policy deny: destructive
        ├─ ✗ tool crawl  timed out: no answer within 31 s · depth: 9
        ├─ ✗ tool render  panicked: index out of bounds · page: 1
        ├─ ⊘ step second opinion  cancelled: given up · try 2
        │  └─ ⊘ llm other-model  cancelled: dropped
        ├─ ✓ memory store  stored episodic
        ├─ ? agent critic  lost: its process ended before it did
        └─ ✓ evaluator faithful  0.9: all claims have a source
    "#]]
    .assert_eq(&outline);
    let later = whole_research().into_iter().map(|event| {
        let time = event.time.map(|time| Timestamp::from_unix_nanos(time.unix_nanos() + 86_400_000_000_000));
        let mut event = event.of_execution(ExecutionId::new());
        event.time = time;
        event
    });
    assert_eq!(outline, tree_of(later).outline());
}

#[test]
fn a_narrow_terminal_loses_details_before_names_and_money_before_times() {
    let tree = tree_of(research_begins());
    let options = DrawOptions::default().now(time(7100));
    check(
        &tree,
        options.width(60),
        expect![[r#"
        ● research 7f3a  "why is the sky blue"        7.1 s  $0.0022
        ├─ ✓ memory recall     3 hits for "sky col…   12 ms
        ├─ ! guardrail pii     warn: one value red…    2 ms
        ├─ ✓ llm gpt-5-2026-…  2,600 → 81 tok (2,0…   1.4 s  $0.0018
        ├─ ✓ tool search       "rayleigh scatterin…  420 ms
        │  └─ ✓ agent reader                         414 ms
        │     ├─ ✓ retriever…  12 hits for "raylei…    8 ms
        │     └─ ✓ llm gpt-5…  1,100 → 131 tok · 3…  400 ms  $0.0004
        ├─ ● llm gpt-5         streaming 216 chars…   5.1 s
        └─ ◌ tool write_file   waiting for permiss…   0.8 s
    "#]],
    );
    check(
        &tree,
        options.width(36),
        expect![[r#"
        ● research 7f3a  "why is th…   7.1 s
        ├─ ✓ memory recall             12 ms
        ├─ ! guardrail pii              2 ms
        ├─ ✓ llm gpt-5-2026-01         1.4 s
        ├─ ✓ tool search              420 ms
        │  └─ ✓ agent reader          414 ms
        │     ├─ ✓ retriever papers     8 ms
        │     └─ ✓ llm gpt-5-mini     400 ms
        ├─ ● llm gpt-5                 5.1 s
        └─ ◌ tool write_file           0.8 s
    "#]],
    );
    check(
        &tree,
        options.width(16),
        expect![[r#"
        ● research 7f3a…
        ├─ ✓ memory rec…
        ├─ ! guardrail …
        ├─ ✓ llm gpt-5-…
        ├─ ✓ tool search
        │  └─ ✓ agent r…
        │     ├─ ✓ retr…
        │     └─ ✓ llm …
        ├─ ● llm gpt-5
        └─ ◌ tool write…
    "#]],
    );
    for width in 0..140 {
        for line in tree.draw(options.width(width)) {
            assert!(line.columns() <= width, "{width} {line}");
        }
    }
}

#[test]
fn a_tall_tree_keeps_what_runs_and_what_was_last() {
    let mut events = vec![at(0, 1, ExecutionStart::new().name("crawler"))];
    for page in 0..200 {
        let number = 100 + page;
        let start = StepStart::new(StepType::FunctionNode, format!("page {page}")).parent_step_id(step(1));
        events.push(at(page as i64, number, start));
        if page != 3 {
            events.push(at(page as i64 + 5, number, StepEnd::new(5)));
        }
    }
    events.push(at(300, 900, LlmCallStart::new("chat", 1).model("gpt-5").parent_step_id(step(103))));
    let tree = tree_of(events);
    check(
        &tree,
        DrawOptions::default().height(8).width(60),
        expect![[r#"
        ● crawler 7f3a                                         0.3 s
        ├─ … 195 more
        ├─ ● step page 3                                       0.2 s
        │  └─ ● llm gpt-5                                      0.0 s
        ├─ ✓ step page 196                                      5 ms
        ├─ ✓ step page 197                                      5 ms
        ├─ ✓ step page 198                                      5 ms
        └─ ✓ step page 199                                      5 ms
    "#]],
    );
    for height in 1..250 {
        assert_eq!(tree.draw(DrawOptions::default().height(height)).len(), height.min(202));
    }
}

#[test]
fn hostile_text_is_shown_and_obeyed_by_nobody() {
    let tree = tree_of([
        at(0, 1, ExecutionStart::new().name("a\u{1b}[2Jb").input("line one\r\nline\ttwo \u{7}\u{9b}31m")),
        at(1, 2, StepStart::new(StepType::FunctionNode, "pay \u{202e}001$\u{2066}").parent_step_id(step(1))),
        at(
            2,
            2,
            StepFailed::new(ExecutionError::new(
                ErrorCategory::ToolError,
                "\u{1b}]0;title\u{7} \u{200b}hid\u{200d}den",
            )),
        ),
        at(
            3,
            3,
            ToolInputAvailable::new(
                "c",
                "名前の長いツール名前の長いツール名前の長いツール",
                json(r#"{"q":"日本語の質問","e":"👩‍👩‍👧 ⚠️ é"}"#),
            ),
        ),
        at(4, 4, StepStart::new(StepType::Other("\u{1b}c".into()), "x".repeat(10_000))),
        at(5, 5, GuardrailEvaluated::new("g", GuardrailDecision::Other("\u{1b}[1m".into()))),
    ]);
    check(
        &tree,
        DrawOptions::default(),
        expect![[r#"
        ● a\u{1b}[2Jb 7f3a  "line one line two \u{7}\u{9b}31m"                                         0.0 s
        ├─ ✗ step pay \u{202e}001$\u{2066}              error: \u{1b}]0;title\u{7} \u{200b}hid\u{20…    1 ms
        ├─ ● tool 名前の長いツール名前の長いツール名…   q: "日本語の質問", e: "👩\u{200d}👩\u{200d}…   0.0 s
        ├─ ● step xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…                                                 0.0 s
        └─ ! guardrail g                                \u{1b}[1m
    "#]],
    );
}

#[test]
fn who_joins_late_gets_a_tree_of_what_happened_since() {
    let tree = tree_of(research_begins().into_iter().skip(18));
    expect![[r#"
        ● run
        ├─ ✓ llm  1,100 → 131 tok · $0.0004
        ├─ ✓ agent
        ├─ ✓ tool
        ├─ ● llm gpt-5  streaming 216 chars
        └─ ◌ tool write_file  waiting for permission (ask) · path: "report.md", mode: "new"
    "#]]
    .assert_eq(&tree.outline());
    assert_eq!(tree.totals().tokens, 3912);
}

#[test]
fn the_order_of_events_changes_the_order_of_lines_at_most() {
    let sorted = |tree: &RunTree| {
        let mut nodes: Vec<_> = tree
            .nodes()
            .iter()
            .map(|n| format!("{} {} {:?} {:?}", n.kind.as_str(), n.name, n.status, n.duration))
            .collect();
        nodes.sort();
        nodes
    };
    // What waits for an answer is told by the order alone.
    let events = || whole_research().into_iter().filter(|event| !matches!(event.body, Body::PermissionRequest(_)));
    let mut backwards: Vec<_> = events().collect();
    backwards.reverse();
    assert_eq!(sorted(&tree_of(events())), sorted(&tree_of(backwards)));
}

#[test]
fn a_second_end_changes_nothing() {
    let mut tree = tree_of(whole_research());
    let before = (tree.outline(), tree.nodes().len());
    for event in research_ends() {
        let is_end = matches!(event.kind(), Kind::StepEnd | Kind::AgentEnd | Kind::StepFailed | Kind::LlmCallEnd)
            || matches!(
                event.kind(),
                Kind::ToolOutputAvailable | Kind::ToolOutputError | Kind::TokenUsage | Kind::ExecutionEnd
            );
        if is_end {
            tree.apply(&event);
        }
    }
    assert_eq!((tree.outline(), tree.nodes().len()), before);
}

#[test]
fn events_of_the_reference_without_ids_of_their_own_still_make_a_tree() {
    let run = "exec_a";
    let lines = [
        r#"{"type":"data-execution-start","execution_id":"exec_a","timestamp":1763692800000}"#,
        r#"{"type":"data-step-start","execution_id":"exec_a","step_id":"s1","step_type":"FunctionNode","name":"turn","timestamp":1763692800001}"#,
        r#"{"type":"data-llm-call-start","execution_id":"exec_a","step_id":"s1","callable_name":"chat","history_length":1,"timestamp":1763692800002}"#,
        r#"{"type":"data-text-delta","id":"t1","delta":"Hello"}"#,
        r#"{"type":"data-llm-call-end","execution_id":"exec_a","step_id":"s1","duration_ms":7,"prompt_tokens":5,"timestamp":1763692800009}"#,
        r#"{"type":"data-tool-input-start","tool_call_id":"call_1","tool_name":"search"}"#,
        r#"{"type":"data-tool-input-available","tool_call_id":"call_1","tool_name":"search","input":{"q":"rust"}}"#,
        r#"{"type":"data-tool-output-available","tool_call_id":"call_1","output":{"hits":3}}"#,
        r#"{"type":"data-tool-input-available","tool_call_id":"call_1","tool_name":"search","input":{"q":"again"}}"#,
        r#"{"type":"data-llm-call-start","execution_id":"exec_a","step_id":"s1","callable_name":"chat","history_length":3,"timestamp":1763692800020}"#,
        r#"{"type":"data-llm-call-failed","execution_id":"exec_a","step_id":"s1","error":"429","timestamp":1763692800029}"#,
        r#"{"type":"data-step-failed","execution_id":"exec_a","step_id":"s1","error":{"category":"LlmError","message":"429","retry_policy":{"retryable":true,"max_retries":3,"backoff_strategy":"exponential","base_delay":1000,"max_delay":30000,"requires_idempotency_key":false},"code":null,"attempt":1,"step_id":null,"provider":null,"http_status":null,"details":null,"occurred_at":0},"timestamp":1763692800030}"#,
        r#"{"type":"data-next-year","execution_id":"exec_a","x":1}"#,
    ];
    let mut runs = Runs::default();
    for line in lines {
        runs.apply(&StreamEvent::from_json(line).expect(line));
    }
    let tree = runs.get(&run.parse().expect("id")).expect("tree");
    expect![[r#"
        ● run
        ├─ ✗ step turn  error: 429
        │  ├─ ✓ llm chat  5 → ? tok
        │  └─ ✗ llm chat  error: 429
        ├─ ✓ tool search  "rust"
        └─ ● tool search  "again"
    "#]]
    .assert_eq(&tree.outline());
}

#[test]
fn a_question_without_a_tool_call_waits_by_itself() {
    let ask = |id: &str| PermissionRequest::new("rm", json(r#"{"path":"notes.txt"}"#), "ask").permission_id(id);
    let mut tree = tree_of([
        at(0, 1, ExecutionStart::new().name("tidy")),
        at(1, 1, ask("p1")),
        at(2, 1, ask("p2")),
        at(3, 1, ask("p3")),
        at(9, 1, PermissionDecision::new("p1", PermissionVerdict::Denied).decided_by("anna").reason("keep it")),
        at(9, 1, PermissionDecision::new("p2", PermissionVerdict::Expired)),
        at(9, 1, PermissionDecision::new("never asked", PermissionVerdict::Granted)),
        at(10, 1, ExecutionPaused::new("a person")),
        at(
            11,
            1,
            OperationProgress::new("o1", "download", 420, ProgressStatus::Running).total(1000).message("weights"),
        ),
        at(11, 2, ToolInputStart::new("c9", "write")),
        at(11, 1, Embedding::new("embed-3", 8).prompt_tokens(12)),
        at(11, 1, ToolsComplete::new()),
    ]);
    expect![[r#"
        ◌ run tidy  waiting for a person
        ├─ ✗ permission rm  error · "notes.txt" · denied by anna: keep it
        ├─ ✗ permission rm  timed out · "notes.txt" · expired
        ├─ ◌ permission rm  waiting for permission (ask) · "notes.txt"
        ├─ ● job download  42 % of 1,000 · weights
        ├─ ● tool write
        └─ ✓ embedding embed-3
    "#]]
    .assert_eq(&tree.outline());
    tree.apply(&at(20, 1, ExecutionCancelled::new("ctrl-c").duration_ms(20)));
    expect![[r#"
        ⊘ run tidy  cancelled: ctrl-c
        ├─ ✗ permission rm  error · "notes.txt" · denied by anna: keep it
        ├─ ✗ permission rm  timed out · "notes.txt" · expired
        ├─ ? permission rm  no end was seen · "notes.txt"
        ├─ ? job download  no end was seen · 42 % of 1,000 · weights
        ├─ ? tool write  no end was seen
        └─ ✓ embedding embed-3
    "#]]
    .assert_eq(&tree.outline());
}

#[test]
fn what_a_crash_left_open_is_lost_and_has_no_duration() {
    let begun: Vec<_> = research_begins();
    let mut open = OpenThings::new(ExecutionId::from_trace_id(0x7f3a));
    begun.iter().for_each(|event| open.apply(event));
    let tree = tree_of(begun.into_iter().chain(open.lost(time(9_000_000))));
    check(
        &tree,
        DrawOptions::default(),
        expect![[r#"
        ? research 7f3a  lost: its process ended …  3,912 tok (2,048 cached) · context 61 %          $0.0022
        ├─ ✓ memory recall           3 hits for "sky colour"                                  12 ms
        ├─ ! guardrail pii           warn: one value redacted                                  2 ms
        ├─ ✓ llm gpt-5-2026-01       2,600 → 81 tok (2,048 cached) · ttft 310 ms · 74 tok/s   1.4 s  $0.0018
        ├─ ✓ tool search             "rayleigh scattering"                                   420 ms
        │  └─ ✓ agent reader                                                                 414 ms
        │     ├─ ✓ retriever papers  12 hits for "rayleigh"                                    8 ms
        │     └─ ✓ llm gpt-5-mini    1,100 → 131 tok · 328 tok/s                             400 ms  $0.0004
        ├─ ? llm gpt-5               lost: its process ended before it did · ttft 310 ms
        └─ ? tool write_file         lost: its process ended before it did · path: "report…
    "#]],
    );
    assert_eq!(tree.root().status, Status::Lost);
}

#[test]
fn a_failed_run_says_why_in_its_first_line() {
    let tree = tree_of([
        at(0, 1, ExecutionStart::new().name("research").input("why")),
        at(
            5,
            1,
            ExecutionFailed::new(ExecutionError::new(ErrorCategory::LlmError, "401 from provider")).duration_ms(5),
        ),
    ]);
    check(
        &tree,
        DrawOptions::default().width(60),
        expect![[r#"
        ✗ research 7f3a  error: 401 from provider · "why"       5 ms
    "#]],
    );
}

#[test]
fn nodes_that_claim_to_be_around_each_other_are_drawn_once_each() {
    let inside = |number, parent| {
        at(0, number, StepStart::new(StepType::LoopNode, format!("{number}")).parent_step_id(step(parent)))
    };
    let tree = tree_of([inside(2, 3), inside(3, 4), inside(4, 2), inside(5, 5), inside(6, 2)]);
    expect![[r#"
        ● run
        ├─ ● loop 2
        │  ├─ ● loop 4
        │  │  └─ ● loop 3
        │  └─ ● loop 6
        └─ ● loop 5
    "#]]
    .assert_eq(&tree.outline());
}

#[test]
fn a_chain_of_a_thousand_nodes_is_drawn_without_a_thousand_columns() {
    let inside = |number| at(0, number, StepStart::new(StepType::LoopNode, "deep").parent_step_id(step(number - 1)));
    let tree = tree_of((2..1002).map(inside));
    assert!(tree.outline().lines().all(|line| line.chars().count() < 100));
    assert_eq!(tree.outline().lines().count(), 1001);
}

#[test]
fn a_run_that_never_ends_stays_within_its_bound() {
    let mut tree = tree_of([at(0, 1, ExecutionStart::new().name("for ever"))]);
    tree.apply(&at(0, 2, StepStart::new(StepType::LoopNode, "main").parent_step_id(step(1))));
    for number in 10..20_010 {
        tree.apply(&at(1, number, StepStart::new(StepType::FunctionNode, "turn").parent_step_id(step(2))));
        tree.apply(&at(2, number, StepEnd::new(1)));
        assert!(tree.nodes().len() <= RunTree::NODES_MAX);
    }
    let top = drawn(&tree, DrawOptions::default().height(5).width(40));
    expect![[r#"
        ● for ever 7f3a                    0.0 s
        ├─ … 19,998 more
        └─ ● loop main                     0.0 s
           ├─ ✓ step turn                   1 ms
           └─ ✓ step turn                   1 ms
    "#]]
    .assert_eq(&top);
    tree.apply(&at(9, 2, StepEnd::new(9)));
    assert_eq!(tree.nodes()[1].status, Status::Ok);
}

#[test]
fn finished_runs_are_dropped_oldest_first_and_running_ones_are_not() {
    let mut runs = Runs::new(3);
    let event = |run: u128, body: Body| StreamEvent::new(body).of_execution(ExecutionId::from_trace_id(run));
    for run in 1..=10 {
        runs.apply(&event(run, ExecutionStart::new().into()));
    }
    for run in [4, 2, 9, 7, 1] {
        runs.apply(&event(run, ExecutionEnd::new(1).into()));
    }
    let ids = |trees: Vec<&RunTree>| trees.iter().map(|tree| tree.id().expect("id").trace_id()).collect::<Vec<_>>();
    assert_eq!(ids(runs.finished().collect()), [9, 7, 1]);
    assert_eq!(ids(runs.running().collect()), [3, 5, 6, 8, 10]);
    runs.apply(&StreamEvent::new(StreamLagged::new(7)));
    assert_eq!((runs.missed(), runs.len()), (7, 8));
    for run in 100..3000 {
        runs.apply(&event(run, ExecutionStart::new().into()));
    }
    assert_eq!(runs.running().len(), Runs::RUNNING_MAX);
    runs.apply(&event(2999, ExecutionLost::new("gone").into()));
    assert_eq!(ids(runs.finished().collect()), [7, 1, 2999]);
}

#[test]
fn a_reader_of_the_summary_still_learns_how_long_a_text_was() {
    let tree = tree_of([
        at(0, 2, LlmCallStart::new("chat", 1)),
        at(9, 2, TextEnd::new("t1").final_text("Hello")),
        at(9, 2, TextEnd::new("t2").final_text(", sky")),
    ]);
    assert_eq!(tree.nodes()[1].facts.text_chars, 10);
}

#[test]
fn every_seed_event_and_its_like_has_a_place_or_none_but_never_panics() {
    let Some(text) = crate::shared::read("fixtures/seed-stream-events.jsonl") else { return };
    let mut tree = RunTree::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        tree.apply(&StreamEvent::from_json(line).expect(line));
    }
    assert!(tree.nodes().len() > 10 && tree.outline().contains("✓ tool search"));
}

/// Few ids, so that events meet; hostile texts and numbers.
fn any_event() -> impl Strategy<Value = StreamEvent> {
    let id = || prop::sample::select(vec![1_u64, 2, 3, 4]);
    let text = || prop_oneof![any::<String>(), Just("t1".to_owned()), Just("call".to_owned())];
    let number = || prop_oneof![any::<u64>(), 0..100_u64];
    let body = (0..30_u8, id(), text(), number(), any::<f64>())
        .prop_map(|(kind, id, text, number, real)| any_body(kind, step(id), &text, number, real));
    (body, prop::option::of(id()), prop::option::of(any::<i64>())).prop_map(|(body, id, nanos)| {
        let mut event = StreamEvent::new(body);
        event.step_id = id.map(step);
        event.time = nanos.map(Timestamp::from_unix_nanos);
        event
    })
}

fn any_body(kind: u8, parent: StepId, text: &str, number: u64, real: f64) -> Body {
    let error = || ExecutionError::new(ErrorCategory::ToolError, text);
    match kind {
        0 => ExecutionStart::new().name(text).input(text).attempt(number).into(),
        1 => ExecutionEnd::new(number).outcome(text).into(),
        2 => ExecutionFailed::new(error()).into(),
        3 => ExecutionPaused::new(text).into(),
        4 => StepStart::new(StepType::from(text), text).parent_step_id(parent).into(),
        5 => StepStart::new(StepType::MemoryNode, text).into(),
        6 => StepEnd::new(number).into(),
        7 => StepFailed::new(error()).outcome(text).into(),
        8 => AgentStart::new(text).parent_step_id(parent).into(),
        9 => AgentEnd::new(number).error(text).into(),
        10 => ToolInputStart::new(text, text).parent_step_id(parent).into(),
        11 => ToolInputAvailable::new(text, text, text).into(),
        12 => ToolOutputAvailable::new(text, text).duration_ms(number).into(),
        13 => ToolOutputError::new(text, text, text).into(),
        14 => LlmCallStart::new(text, number).parent_step_id(parent).into(),
        15 => LlmCallEnd::new(number).prompt_tokens(number).completion_tokens(number).cached_tokens(number).into(),
        16 => LlmCallFailed::new(text).into(),
        17 => TokenUsage::new(number, number, number, number).cost_usd(real).cumulative_cost_usd(real).into(),
        18 => ContextSnapshot::new(number, number, real).into(),
        19 => MemoryRecalled::new(text, number, number).into(),
        20 => GuardrailEvaluated::new(text, text).reason(text).into(),
        21 => PermissionRequest::new(text, text, text).permission_id(text).tool_call_id(text).into(),
        22 => PermissionDecision::new(text, text).decided_by(text).into(),
        23 => PolicyDecision::new(text, text).reason(text).into(),
        24 => OperationProgress::new(text, text, number, text).total(number).message(text).into(),
        25 => TextDelta::new(text, text).into(),
        26 => TextEnd::new(text).final_text(text).into(),
        27 => EvaluationScored::new(text).score(real).explanation(text).into(),
        28 => Embedding::new(text, number).prompt_tokens(number).into(),
        _ => ArtifactCreated::new(text, text).size_bytes(number).into(),
    }
}

pub(crate) fn any_events() -> impl Strategy<Value = Vec<StreamEvent>> {
    prop::collection::vec(any_event(), 0..60)
}

proptest! {
    #[test]
    fn any_events_make_a_tree_with_no_more_nodes_than_events(events in any_events(), width in 0..130_usize, height in 0..30_usize) {
        let tree = tree_of(events.clone());
        prop_assert!(tree.nodes().len() <= events.len() + 1);
        let lines = tree.draw(DrawOptions::default().width(width).height(height));
        prop_assert!(lines.len() <= height.max(1));
        prop_assert!(lines.iter().all(|line| line.columns() <= width));
        prop_assert!(lines.iter().all(|line| !line.to_string().chars().any(char::is_control)));
        prop_assert_eq!(tree.outline().lines().count(), tree.nodes().len());
    }

    #[test]
    fn inert_text_is_one_bounded_line_without_what_cannot_be_seen(text in any::<String>(), limit in 0..300_usize) {
        let inert = Inert::new(&text, limit);
        prop_assert!(inert.chars().all(|c| !c.is_control() && !is_invisible(c)), "{inert:?}");
        prop_assert!(inert.chars().all(|c| !c.is_whitespace() || c == ' '));
        // One escape more than the limit at most, and the sign that it was cut.
        prop_assert!(inert.chars().count() <= limit + 11);
        prop_assert_eq!(Inert::new(&inert, usize::MAX), inert);
    }
}

/// Independent of the library's own table: what steers direction, or takes no columns.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}

#[test]
fn ordinary_text_of_every_script_is_left_as_it_is() {
    for text in ["", "plain", "naïve café", "日本語", "हिन्दी", "ไทย", "שלום", "🦀 emoji", "a → b · c"]
    {
        assert_eq!(Inert::new(text, 100).as_str(), text);
    }
    assert_eq!(Inert::new("  a \n\n b  ", 100).as_str(), "a b");
    assert_eq!(Inert::new("abcdef", 3).as_str(), "abc…");
    assert_eq!(Inert::new("abc", 3).as_str(), "abc");
    assert_eq!(Inert::new("a\u{1b}[2J", 100).as_str(), "a\\u{1b}[2J");
}

#[test]
fn a_kind_is_found_for_every_type_of_step() {
    assert_eq!(NodeKind::from(&StepType::RouterNode), NodeKind::Router);
    assert_eq!(NodeKind::from(&StepType::Other("QuantumNode".into())), NodeKind::Step);
}
