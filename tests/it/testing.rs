//! Recording a run in a test: what is in it, what is left out of it, what is asserted of it.

use crate::{
    record::{block_on, pause},
    research::any_events,
    testing_parallel::in_its_own_process,
};
use expect_test::expect;
use proptest::prelude::*;
use spanwright::{
    ContentLevel, ContentPolicy, ExecutionId, Rules, StepId, StreamEvent, Text, agent,
    event::{
        Body, ErrorCategory, ExecutionEnd, ExecutionError, ExecutionFailed, ExecutionStart, Kind, LlmCallEnd,
        LlmCallFailed, LlmCallStart, TokenUsage, stream_event_schema,
    },
    ledger::Prices,
    llm, semconv,
    span::{self, text_delta},
    step,
    testing::{self, Recording, record, record_async},
    tool,
};
use std::{
    collections::BTreeSet,
    panic::{AssertUnwindSafe, catch_unwind},
};

use tracing::info_span;

#[tool]
fn search(query: &str) -> Vec<String> {
    vec![format!("a page about {query}")]
}

#[tool]
fn fetch(url: &str) -> Result<String, String> {
    Err(format!("{url} is not to be had"))
}

#[llm]
fn ask(model: &str) -> String {
    let call = spanwright::current().span();
    call.usage(1_200, 34);
    text_delta("be");
    text_delta("cause");
    "because".into()
}

#[step]
fn plan(question: &str) {
    search(question);
    search(&format!("{question}, really"));
}

#[agent]
fn research(question: &str) -> String {
    plan(question);
    let _ = fetch("http://elsewhere");
    ask("gpt-4o")
}

/// What an assertion that fails says.
pub(crate) fn failure(assertion: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(assertion)).expect_err("it should fail");
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string))
        .expect("a text")
}

/// For its own test: cargo only builds those of examples.
#[path = "../../examples/test_your_agent.rs"]
#[expect(dead_code, reason = "the program itself is run with the other examples")]
mod example;

#[test]
fn the_document_shows_what_a_failing_assertion_says() {
    let run = record(|| {
        span::agent("research").input("rayleigh scattering").in_scope(|| {
            span::step("plan").input("rayleigh scattering").in_scope(|| ());
            drop((search("rayleigh scattering"), search("rayleigh scattering, history")));
            span::llm("gpt-4o").usage(1_200, 64).in_scope(|| ());
        });
    });
    let told = failure(|| run.assert_steps("plan > search > gpt-4o"));
    let document = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/testing.md")).expect("document");
    assert!(document.contains(&format!("```text\n{told}```")), "{told}");
}

#[test]
fn a_run_is_a_tree_without_times_and_ids() {
    let run = record(|| research("why is the sky blue"));
    assert_eq!(run.output(), "because");
    expect![[r#"
        ✓ run research  "why is the sky blue"
        ├─ ✓ step plan  "why is the sky blue"
        │  ├─ ✓ tool search  "why is the sky blue"
        │  └─ ✓ tool search  "why is the sky blue, really"
        ├─ ✗ tool fetch  error: http://elsewhere is not to be had · "http://elsewhere"
        └─ ✓ llm gpt-4o  1,200 → 34 tok · $0.0033
    "#]]
    .assert_eq(&run.tree());
    assert_eq!(run.to_string(), run.tree());
    assert_eq!(run.tools(), ["search", "search", "fetch"]);
    assert_eq!(run.tokens(), Some(1_234));
    assert_eq!(run.errors(), ["tool fetch: error: http://elsewhere is not to be had"]);
    assert_eq!(run.into_output(), "because");
}

#[test]
fn two_runs_that_did_the_same_have_the_same_events() {
    let (one, other) = (record(|| research("why")), record(|| research("why")));
    assert_eq!(one.events(), other.events());
    assert_ne!(one.raw_events(), other.raw_events());
    assert_eq!(one.raw_events().len(), one.events().len());
    let lines: String = one.events().iter().take(4).map(|event| event.to_json() + "\n").collect();
    expect![[r#"
        {"type":"data-execution-start","execution_id":"exec_00000000000000000000000000000001","step_id":"step_0000000000000001","name":"research","input":{"question":"why"},"timestamp":1767225600000}
        {"type":"data-step-start","execution_id":"exec_00000000000000000000000000000001","step_id":"step_0000000000000002","step_type":"FunctionNode","name":"plan","parent_step_id":"step_0000000000000001","input":{"question":"why"},"timestamp":1767225600001}
        {"type":"data-tool-input-available","execution_id":"exec_00000000000000000000000000000001","step_id":"step_0000000000000003","tool_call_id":"step_0000000000000003","tool_name":"search","input":{"query":"why"},"parent_step_id":"step_0000000000000002","timestamp":1767225600002}
        {"type":"data-tool-output-available","execution_id":"exec_00000000000000000000000000000001","step_id":"step_0000000000000003","tool_call_id":"step_0000000000000003","output":["a page about why"],"tool_name":"search","duration_ms":0,"timestamp":1767225600003}
    "#]]
    .assert_eq(&lines);
}

#[test]
fn a_text_is_whole_in_the_events_and_its_id_is_numbered_too() {
    let run = record(|| ask("gpt-4o"));
    let texts: Vec<(&Text, Option<&Text>)> = run
        .events()
        .iter()
        .filter_map(|event| match &event.body {
            Body::TextEnd(end) => Some((&end.id, end.final_text.as_ref())),
            _ => None,
        })
        .collect();
    assert_eq!(texts, [(&Text::from("0000000000000001-1"), Some(&Text::from("because")))]);
    assert!(run.events().iter().all(|event| event.kind() != Kind::TextDelta));
}

#[test]
fn ids_are_numbered_in_contents_too_and_what_only_looks_like_one_is_left() {
    let (execution, step) = (ExecutionId::new(), StepId::new());
    let bare = format!("00-{:032x}-{:016x}-01", execution.trace_id(), step.span_id());
    let other = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let event = |body: Body| StreamEvent::new(body).of_execution(execution.clone()).of_step(step.clone());
    let input = format!("{execution} {bare} {other} xstep_0000000000000007");
    let error = ExecutionError::new(ErrorCategory::ToolError, format!("in {step}"));
    let run = Recording::of([
        event(ExecutionStart::new().input(input.as_str()).into()),
        event(ExecutionFailed::new(error).duration_ms(17).into()),
    ]);
    let Body::ExecutionStart(start) = &run.events()[0].body else { panic!("{run}") };
    let one = "00000000000000000000000000000001-0000000000000001";
    let told = format!("\"exec_{} 00-{one}-01 {other} xstep_0000000000000007\"", &one[..32]);
    assert_eq!(start.input.as_ref().map(ToString::to_string), Some(told));
    let Body::ExecutionFailed(end) = &run.events()[1].body else { panic!("{run}") };
    assert_eq!((end.duration_ms, end.error.occurred_at), (Some(0), 1_767_225_600_001));
    assert_eq!(end.error.message, "in step_0000000000000001");
}

#[test]
fn every_field_that_measures_time_is_made_normal() {
    let schema = stream_event_schema();
    let kinds = schema["oneOf"].as_array().expect("kinds");
    let names: BTreeSet<&String> =
        kinds.iter().flat_map(|kind| kind["properties"].as_object().expect("fields").keys()).collect();
    let measures = |name: &str| name.ends_with("_ms") || name.contains("second") || name == "timestamp";
    // A setting, not a measurement.
    let names: Vec<_> = names.into_iter().filter(|name| measures(name) && *name != "expires_in_ms").collect();
    assert!(names.len() > 2, "{names:?}");
    for name in names {
        let event = StreamEvent::from_json(&format!(r#"{{"type":"data-other","{name}":17}}"#)).expect("event");
        let run = Recording::of([event]);
        assert!(!run.events()[0].to_json().contains("17,") && !run.events()[0].to_json().contains("17}"), "{name}");
    }
}

#[agent]
async fn converse(times: usize) -> usize {
    let inner = span::spawn(async {
        tokio::task::yield_now().await;
        search("in a task")
    });
    let closure = span::in_context(|| search("on a thread"));
    std::thread::spawn(closure).join().expect("the thread");
    inner.await.expect("the task");
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
    times
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_spawned_with_its_context_is_in_the_run() {
    let run = record_async(converse(3)).await;
    assert_eq!(*run.output(), 3);
    run.assert_no_errors();
    run.assert_steps("search, search");
    expect![[r#"
        ✓ run converse  times: 3
        ├─ ✓ tool search  "in a task"
        └─ ✓ tool search  "on a thread"
    "#]]
    .assert_eq(&run.sorted_tree());
}

#[test]
fn a_future_is_recorded_without_a_runtime_and_from_any_thread() {
    fn sendable<T: Send>(future: T) -> T {
        future
    }
    let future = sendable(record_async(async {
        pause().await;
        search("x")
    }));
    let run = std::thread::spawn(|| block_on(future)).join().expect("the thread");
    run.assert_tools_called(["search"]);
}

#[test]
fn a_recording_inside_of_another_is_its_own() {
    let outer = record(|| {
        search("outer");
        let inner = record(|| search("inner"));
        inner.assert_tools_called(["search"]);
        search("outer again");
    });
    outer.assert_steps("search > search");
}

#[test]
fn siblings_that_began_in_another_order_are_one_sorted_tree() {
    let both = |first: &str, second: &str| {
        let run = record(|| {
            span::agent("a").in_scope(|| {
                span::step("s").in_scope(|| drop(search(first)));
                span::step("s").in_scope(|| drop(search(second)));
            });
            span::agent("b").in_scope(|| ());
        });
        (run.tree(), run.sorted_tree())
    };
    let (one, other) = (both("1", "2"), both("2", "1"));
    assert_ne!(one.0, other.0);
    assert_eq!(one.1, other.1);
    assert_eq!(one.0, one.1, "it was sorted already");
}

#[test]
fn a_panic_is_passed_on_and_what_is_caught_inside_is_recorded() {
    #[tool]
    fn broken() {
        panic!("as told");
    }
    assert_eq!(failure(|| drop(record(broken))), "as told");
    let run = record(|| catch_unwind(broken).is_err());
    assert!(*run.output());
    assert_eq!(run.errors(), ["run broken: panicked", "tool broken: panicked"]);
}

#[agent]
fn breaks(query: &str) {
    search(query);
    panic!("as told");
}

#[test]
fn the_tree_up_to_a_panic_is_printed() {
    let told = in_its_own_process("testing::broken_off");
    let tree = "recorded up to the panic:\n✗ run breaks  panicked · \"x\"\n└─ ✓ tool search  \"x\"\n";
    assert!(told.contains(tree), "{told}");
    let told = in_its_own_process("testing::broken_off_later");
    assert!(told.contains("recorded up to the panic:\n✗ run breaks  panicked"), "{told}");
}

#[test]
#[ignore = "run by the test above in a process of its own"]
fn broken_off() {
    record(|| breaks("x"));
}

#[tokio::test]
#[ignore = "run by the test above in a process of its own"]
async fn broken_off_later() {
    record_async(async {
        tokio::task::yield_now().await;
        breaks("x");
    })
    .await;
}

#[test]
fn a_span_of_any_crate_is_recorded() {
    let run = record(|| {
        let _plain = tracing::info_span!("request").entered();
        let _call = tracing::debug_span!(
            "call",
            gen_ai.operation.name = "chat",
            gen_ai.request.model = "m",
            gen_ai.usage.input_tokens = 3,
            gen_ai.usage.output_tokens = 4
        )
        .entered();
    });
    assert_eq!(run.tree(), "✓ run request\n└─ ✓ llm m  3 → 4 tok\n");
}

#[test]
fn what_goes_on_after_the_run_is_running_in_its_tree() {
    let run = record(|| {
        let span = span::agent("left open");
        span.in_scope(|| ());
        span
    });
    assert_eq!(run.tree(), "● run left open\n");
    run.assert_steps("");
}

#[test]
fn each_assertion_holds_or_says_what_is_different_and_shows_the_tree() {
    let run = record(|| research("why"));
    run.assert_tools_called(["search", "search", "fetch"]);
    run.assert_tokens_below(1_235);
    let told = [
        failure(|| run.assert_tools_called(["search", "fetch"])),
        failure(|| run.assert_tools_called(["search", "search", "fetch", "fetch"])),
        failure(|| run.assert_tools_called([])),
        failure(|| run.assert_tokens_below(1_234)),
        failure(|| run.assert_no_errors()),
        failure(|| run.assert_cost_below(0.003)),
    ];
    let tree = format!("\nthe run:\n{}", run.tree());
    let told: String = told.iter().map(|told| told.strip_suffix(&tree).expect("the tree").to_owned() + "\n").collect();
    expect![[r#"
        call 2 of a tool: expected `fetch`, found `search`
        call 4 of a tool: expected `fetch`, found no call
        call 1 of a tool: expected no call, found `search`
        expected fewer than 1234 tokens, found 1234
        expected no errors, found 1:
          tool fetch: error: http://elsewhere is not to be had
        expected a cost below 0.003 USD, found 0.00334 USD
    "#]]
    .assert_eq(&told);
}

#[test]
fn of_nothing_nothing_is_asserted() {
    let run = record(|| 7);
    assert_eq!((run.tree(), run.steps()), (String::new(), String::new()));
    for told in [
        failure(|| run.assert_no_errors()),
        failure(|| run.assert_tools_called([])),
        failure(|| run.assert_steps("")),
        failure(|| run.assert_cost_below(0.003)),
        failure(|| run.assert_tokens_below(1)),
    ] {
        assert!(told.starts_with("nothing was recorded"), "{told}");
    }
}

fn called(number: u64, cost: Option<f64>) -> Vec<StreamEvent> {
    let mut usage = TokenUsage::new(10, 5, 15, 15);
    usage.cost_usd = cost;
    [LlmCallStart::new("ask", 1).model("m").into(), Body::from(LlmCallEnd::new(1)), usage.into()]
        .into_iter()
        .map(|body| StreamEvent::new(body).of_step(StepId::from_span_id(number)))
        .collect()
}

fn priced(costs: [Option<f64>; 2]) -> Recording {
    let mut events: Vec<StreamEvent> = vec![StreamEvent::new(ExecutionStart::new().name("a"))];
    events.extend((2..).zip(costs).flat_map(|(number, cost)| called(number, cost)));
    events.push(ExecutionEnd::new(1).into());
    Recording::of(events)
}

#[test]
fn a_cost_is_the_sum_of_all_calls_and_unknown_where_one_is() {
    let run = priced([Some(0.25), Some(0.5)]);
    assert_eq!(run.cost_usd(), Some(0.75));
    run.assert_cost_below(0.76);
    let told = failure(|| run.assert_cost_below(0.75));
    assert!(told.starts_with("expected a cost below 0.75 USD, found 0.75 USD\nthe run:\n"), "{told}");
    assert!(failure(|| run.assert_cost_below(f64::NAN)).contains("NaN"));

    assert_eq!(priced([Some(0.25), None]).cost_usd(), None);
    assert_eq!(Recording::of([ExecutionStart::new().into()]).cost_usd(), Some(0.0));
}

#[test]
fn a_call_that_failed_and_told_no_usage_used_nothing_and_a_cancelled_one_is_unknown() {
    let failed = |body: LlmCallFailed| {
        Recording::of([
            StreamEvent::new(LlmCallStart::new("ask", 1).model("m")).of_step(StepId::from_span_id(2)),
            StreamEvent::new(body).of_step(StepId::from_span_id(2)),
        ])
    };
    let run = failed(LlmCallFailed::new("503"));
    assert_eq!((run.tokens(), run.cost_usd()), (Some(0), Some(0.0)));
    let run = failed(LlmCallFailed::new("dropped").outcome("cancelled"));
    assert_eq!((run.tokens(), run.cost_usd()), (None, None));
    assert!(failure(|| run.assert_tokens_below(1)).starts_with("the tokens are not known: no usage from `llm m`"));
}

#[test]
fn what_is_more_than_a_tree_holds_is_not_asserted_of() {
    let run = record(|| span::agent("busy").in_scope(|| (0..5_000).for_each(|_| drop(search("x")))));
    assert_eq!(run.events().len(), 10_002);
    assert!(failure(|| run.assert_no_errors()).starts_with("an execution did more than 4096 things"));
}

proptest! {
    #[test]
    fn any_events_can_be_looked_at_and_are_made_normal_once(events in any_events()) {
        let lines = |events: &[StreamEvent]| -> Vec<String> { events.iter().map(StreamEvent::to_json).collect() };
        let run = Recording::of(events);
        let kinds = |events: &[StreamEvent]| -> Vec<Kind> { events.iter().map(StreamEvent::kind).collect() };
        prop_assert_eq!(kinds(run.events()), kinds(run.raw_events()));
        let again = Recording::of(run.events().iter().cloned());
        prop_assert_eq!(lines(again.events()), lines(run.events()));
        prop_assert_eq!((again.tree(), again.sorted_tree()), (run.tree(), run.sorted_tree()));
        let _ = (run.tokens(), run.cost_usd(), run.errors(), run.tools());
        if !run.events().is_empty() {
            run.assert_steps(&run.steps());
        }
    }
}

#[test]
fn a_cost_that_is_not_known_is_below_nothing() {
    let run = record(|| span::agent("a").in_scope(|| span::llm("nobodys-model").usage(10, 5).in_scope(|| ())));
    let said = failure(|| run.assert_cost_below(1.0));
    assert!(said.starts_with("the cost is not known: no price for `llm nobodys-model`"), "{said}");
}

#[test]
fn a_recording_has_the_rules_the_prices_and_the_policy_of_production() {
    let prices = Prices::from_json(
        r#"[{"source": "ours", "checked": "2026-11-21", "models": [{"model": "house-1", "usd": {"input": 1000, "output": 0}}]}]"#,
    );
    let house = || {
        let asked = info_span!(target: "house", "ask", deployment = "house-1", tokens_in = 5, input.value = "secret");
        drop(asked);
    };
    let rules =
        Rules::new().span("house", "ask", "chat").and_then(|rules| rules.field("tokens_in", semconv::INPUT_TOKENS));
    let rules = rules.and_then(|rules| rules.field("deployment", semconv::REQUEST_MODEL)).expect("rules");
    let settings = testing::builder().rules(rules).prices(prices.expect("prices"));
    let run = settings.clone().record(house);
    run.assert_cost_below(0.0051);
    assert!(run.tree().contains("$0.005"), "{run}");
    assert!(record(house).events().is_empty(), "without rules it is a plain span");
    let silent = block_on(settings.content(ContentPolicy::new(ContentLevel::None)).record_async(async { house() }));
    assert!(format!("{:?}", run.events()).contains("secret") && !format!("{:?}", silent.events()).contains("secret"));
}
