//! Trees of runs: what people see of a whole run, of half a run, and of events that make no sense.

use crate::research::{any_events, at, json, research_begins, research_ends, step, time, tree_of, whole_research};
use expect_test::{Expect, expect};
use proptest::prelude::*;
use spanwright::{
    ExecutionId, StreamEvent, Timestamp,
    event::{
        Body, Embedding, ErrorCategory, ExecutionCancelled, ExecutionEnd, ExecutionError, ExecutionFailed,
        ExecutionLost, ExecutionPaused, ExecutionStart, InboxMessage, InboxMessageType, Kind, LlmCallStart, OpenThings,
        OperationProgress, PermissionDecision, PermissionRequest, PermissionVerdict, ProgressStatus, StepEnd,
        StepStart, StepType, StreamLagged, TextEnd, ToolInputAvailable, ToolInputStart, ToolsComplete,
    },
    view::{DrawOptions, NodeKind, RunTree, Runs, Status},
};

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
            ✓ research 7f3a  "why is the sky blue"  ≥ 7,325 tok (2,048 cached) · context 61 %  39.0 s  ≥ $0.0053
            ├─ ✓ memory recall           3 hits for "sky colour"                                12 ms
            ├─ ! guardrail pii           warn: one value redacted                                2 ms
            ├─ ✓ llm gpt-5-2026-01       2,600 → 81 tok (2,048 cached) · ttft 310 ms · 74 to…   1.4 s    $0.0018
            ├─ ✓ tool search             "rayleigh scattering"                                 420 ms
            │  └─ ✓ agent reader                                                               414 ms
            │     ├─ ✓ retriever papers  12 hits for "rayleigh"                                  8 ms
            │     └─ ✓ llm gpt-5-mini    1,100 → 131 tok · 328 tok/s                           400 ms    $0.0004
            ├─ ✓ llm gpt-5               3,000 → 413 tok · ttft 310 ms · 86 tok/s · stopped:…   5.1 s    $0.0031
            ├─ ✓ tool write_file         path: "report.md", mode: "new" · granted by anna      930 ms
            ├─ ✓ artifact report.md      text/markdown, 12,345 bytes
            ├─ ✗ tool fetch              error: HTTP 503 from example.org · url: "https://ex…  100 ms
            ├─ ✗ tool shell              denied: the policy said no · "rm -rf /" · policy de…    2 ms
            ├─ ✗ tool crawl              timed out: no answer within 31 s · depth: 9           31.0 s
            ├─ ✗ tool render             panicked: index out of bounds · page: 1               31.0 s
            ├─ ⊘ step second opinion     cancelled: given up · try 2                           101 ms
            │  └─ ⊘ llm other-model      cancelled: dropped                                     90 ms
            ├─ ✓ memory store            stored episodic                                         5 ms
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
        ├─ ✗ tool shell  denied: the policy said no · "rm -rf /" · policy deny: destructive
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
        ├─ ✗ permission rm  denied · "notes.txt" · denied by anna: keep it
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
        ├─ ✗ permission rm  denied · "notes.txt" · denied by anna: keep it
        ├─ ✗ permission rm  timed out · "notes.txt" · expired
        ├─ ? permission rm  no end was seen · "notes.txt"
        ├─ ? job download  no end was seen · 42 % of 1,000 · weights
        ├─ ? tool write  no end was seen
        └─ ✓ embedding embed-3
    "#]]
    .assert_eq(&tree.outline());
}

#[test]
fn what_could_not_be_read_takes_no_room_and_a_request_to_end_is_called_so() {
    let tree = tree_of([
        at(0, 1, ExecutionStart::new().name("tidy").input(json(r#"{"client":null,"question":"why?"}"#))),
        at(1, 2, ToolInputAvailable::new("c1", "look", json(r#"{"a":null,"b":1,"c":[null]}"#))),
        at(1, 3, ToolInputAvailable::new("c2", "look", json(r#"{"client":null}"#))),
        at(2, 1, InboxMessage::new("cancel", InboxMessageType::Control)),
    ]);
    expect![[r#"
        ● run tidy  "why?"
        ├─ ● tool look  b: 1, c: [null]
        ├─ ● tool look
        └─ ✓ inbox control  cancel
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
            ? research 7f3a  lost: its process en…  ≥ 3,912 tok (2,048 cached) · context 61 %          ≥ $0.0022
            ├─ ✓ memory recall           3 hits for "sky colour"                                12 ms
            ├─ ! guardrail pii           warn: one value redacted                                2 ms
            ├─ ✓ llm gpt-5-2026-01       2,600 → 81 tok (2,048 cached) · ttft 310 ms · 74 to…   1.4 s    $0.0018
            ├─ ✓ tool search             "rayleigh scattering"                                 420 ms
            │  └─ ✓ agent reader                                                               414 ms
            │     ├─ ✓ retriever papers  12 hits for "rayleigh"                                  8 ms
            │     └─ ✓ llm gpt-5-mini    1,100 → 131 tok · 328 tok/s                           400 ms    $0.0004
            ├─ ? llm gpt-5               lost: its process ended before it did · ttft 310 ms
            └─ ? tool write_file         lost: its process ended before it did · path: "repo…
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
}

#[test]
fn a_kind_is_found_for_every_type_of_step() {
    assert_eq!(NodeKind::from(&StepType::RouterNode), NodeKind::Router);
    assert_eq!(NodeKind::from(&StepType::Other("QuantumNode".into())), NodeKind::Step);
}
