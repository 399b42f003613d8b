//! What can be asked besides streams: feeds, pages, summaries, trees, sessions, tasks.

use super::{SOON, served};
use crate::http::get;
use serde_json::{Value, json};
use spanwright::{
    EventEmitter, Json, StepId, StreamEvent,
    event::{
        AgentEnd, AgentStart, ExecutionEnd, ExecutionPaused, ExecutionResumed, ExecutionStart, LlmCallEnd,
        LlmCallFailed, LlmCallStart, Note, PermissionDecision, PermissionRequest, PermissionVerdict, StepEnd,
        StepStart, StepType, TokenUsage, ToolInputAvailable, ToolOutputAvailable,
    },
};

/// A run of a session: a model call, a tool call, and an agent inside that calls a model too. It does not end.
pub(crate) fn a_run(emitter: &EventEmitter, session: &str) {
    emitter.emit(ExecutionStart::new().name("planner").session_id(session).parent_id("job-1"));
    emitter.emit(Note::new("title", Json::text("The sky")));
    model_call(emitter, &StepId::new(), None, (10, 5));
    let agent = StepId::new();
    emitter.emit(StreamEvent::new(AgentStart::new("reader")).of_step(agent.clone()));
    model_call(emitter, &StepId::new(), Some(&agent), (100, 50));
    emitter.emit(StreamEvent::new(AgentEnd::new(3)).of_step(agent));
    emitter.emit(ToolInputAvailable::new("c1", "search", Json::null()));
    emitter.emit(ToolOutputAvailable::new("c1", Json::null()));
    emitter.emit(StreamEvent::new(StepStart::new(StepType::FunctionNode, "write it up")).of_step(StepId::new()));
}

fn model_call(emitter: &EventEmitter, step: &StepId, around: Option<&StepId>, (input, output): (u64, u64)) {
    let mut start = LlmCallStart::new("agent", 1).model("gpt-4o").provider("openai");
    if let Some(around) = around {
        start = start.parent_step_id(around.clone());
    }
    emitter.emit(StreamEvent::new(start).of_step(step.clone()));
    let end = LlmCallEnd::new(1).prompt_tokens(input).completion_tokens(output);
    emitter.emit(StreamEvent::new(end).of_step(step.clone()));
    let usage = TokenUsage::new(input, output, input + output, 0).model("gpt-4o").provider("openai");
    emitter.emit(StreamEvent::new(usage).of_step(step.clone()));
}

fn flush(emitter: &EventEmitter) {
    emitter.recorder().flush().wait(SOON).expect("flush");
}

fn tags(page: &Value) -> Vec<&str> {
    let events = page["events"].as_array().expect("events").iter();
    events.map(|event| event["event_type"].as_str().expect("type")).collect()
}

fn sequences(page: &Value) -> Vec<u64> {
    let events = page["events"].as_array().expect("events").iter();
    events.map(|event| event["sequence"].as_u64().expect("sequence")).collect()
}

#[test]
fn an_execution_is_told_with_what_it_spent_and_what_it_does_now() {
    let (_recorder, server, emitter) = served(1_000);
    a_run(&emitter, "s1");
    flush(&emitter);
    let path = format!("/executions/{}", emitter.execution_id());
    let one = get(server.addr(), &path).json();
    assert_eq!(
        (&one["status"], &one["name"], &one["title"]),
        (&json!("running"), &json!("planner"), &json!("The sky"))
    );
    assert_eq!(
        (&one["tokens"], &one["prompt_tokens"], &one["completion_tokens"]),
        (&json!(165), &json!(110), &json!(55))
    );
    assert_eq!((&one["tokens_at_least"], &one["complete"]), (&json!(false), &json!(true)));
    let cost = one["cost_usd"].as_f64().expect("the price is known");
    assert!((cost - (110.0 * 2.5e-6 + 55.0 * 10e-6)).abs() < 1e-9, "{cost}");
    assert_eq!((&one["model_calls"], &one["tool_calls"], &one["parent_id"]), (&json!(2), &json!(1), &json!("job-1")));
    assert_eq!((&one["current_step"]["name"], &one["blocked_on"]), (&json!("write it up"), &Value::Null));
    emitter.emit(LlmCallEnd::new(1));
    emitter.emit(ExecutionEnd::new(1));
    flush(&emitter);
    let one = get(server.addr(), &path).json();
    assert_eq!((&one["status"], &one["current_step"]), (&json!("completed"), &Value::Null));
    assert_eq!((&one["tokens"], &one["tokens_at_least"]), (&json!(165), &json!(true)), "a call told nothing");
}

#[test]
fn what_an_execution_waits_for_is_told_until_it_goes_on_and_without_arguments() {
    let (_recorder, server, emitter) = served(1_000);
    emitter.emit(ExecutionStart::new().session_id("s"));
    let ask = |event: StreamEvent| {
        emitter.emit(event);
        flush(&emitter);
        let session = get(server.addr(), "/sessions/s").json();
        let one = get(server.addr(), &format!("/executions/{}", emitter.execution_id())).json();
        assert_eq!(session["blocked_on"], one["blocked_on"]);
        assert!(!one.to_string().contains("canary"), "{one}");
        one["blocked_on"].clone()
    };
    let arguments = Json::parse(r#"{"command":"canary"}"#).expect("JSON");
    let request = PermissionRequest::new("shell", arguments, "ask").permission_id("p1").tool_call_id("c1");
    let question = json!({"on": "permission", "permission_id": "p1", "tool_name": "shell"});
    assert_eq!(ask(ExecutionPaused::new("lunch").into()), json!({"on": "pause", "reason": "lunch"}));
    assert_eq!(ask(request.into()), question, "a person can do something about that");
    assert_eq!(ask(PermissionDecision::new("other", PermissionVerdict::Granted).into()), question);
    let granted = PermissionDecision::new("p1", PermissionVerdict::Granted);
    assert_eq!(ask(granted.into()), json!({"on": "pause", "reason": "lunch"}));
    assert_eq!(ask(ExecutionResumed::new().into()), Value::Null);
    let limited = LlmCallFailed::new("slow down").error_type("rate_limit_exceeded");
    assert_eq!(ask(limited.into()), json!({"on": "rate_limit", "reason": "slow down"}));
    assert_eq!(ask(LlmCallStart::new("again", 0).into()), Value::Null);
    assert_eq!(ask(ExecutionPaused::new("again").into())["on"], "pause");
    assert_eq!(ask(ExecutionEnd::new(1).into()), Value::Null);
}

#[test]
fn a_session_is_the_sum_of_its_executions_and_no_more() {
    let (recorder, server, emitter) = served(1_000);
    a_run(&emitter, "s1");
    emitter.emit(ExecutionEnd::new(1));
    let (second, other) = (recorder.emitter(), recorder.emitter());
    a_run(&second, "s1");
    a_run(&other, "s2");
    flush(&emitter);
    let session = get(server.addr(), "/sessions/s1").json();
    assert_eq!((&session["executions"], &session["tokens"]), (&json!(2), &json!(330)));
    assert_eq!((&session["status"], &session["title"]), (&json!("running"), &json!("The sky")));
    assert_eq!((&session["model_calls"], &session["tool_calls"]), (&json!(4), &json!(2)));
    assert!(session["alive_seconds"].as_f64().expect("number") >= 0.0);
    let list = get(server.addr(), "/sessions").json();
    let tokens: Vec<_> = list["sessions"].as_array().expect("list").iter().map(|one| &one["tokens"]).collect();
    assert_eq!(tokens, [165, 330], "the one with the newest event first");
    assert_eq!(get(server.addr(), "/sessions/nobody").status, 404);
    assert_eq!(get(server.addr(), "/sessions/nobody/tasks").status, 404);
    let all = get(server.addr(), "/executions?session=s1&status=completed").json();
    assert_eq!(all["executions"][0]["execution_id"], json!(emitter.execution_id()));
    assert_eq!(all["executions"].as_array().map(Vec::len), Some(1));
}

#[test]
fn executions_and_the_agents_inside_them_are_tasks_with_a_parent() {
    let (_recorder, server, emitter) = served(1_000);
    a_run(&emitter, "s1");
    flush(&emitter);
    for path in ["/sessions/s1/tasks", "/tasks", "/tasks?session=s1&status=running"] {
        let list = get(server.addr(), path).json();
        let tasks = list["tasks"].as_array().expect("tasks");
        assert_eq!((tasks.len(), &list["complete"]), (2, &json!(true)));
        assert_eq!((&tasks[0]["id"], &tasks[0]["parent_id"]), (&json!(emitter.execution_id()), &json!("job-1")));
        assert_eq!((&tasks[0]["status"], &tasks[0]["prompt_tokens"]), (&json!("running"), &json!(110)));
        assert_eq!((&tasks[1]["agent"], &tasks[1]["status"]), (&json!("reader"), &json!("completed")));
        assert_eq!((&tasks[1]["parent_id"], &tasks[1]["completion_tokens"]), (&tasks[0]["id"], &json!(50)));
        assert!(tasks[0]["created_at"].is_string() && tasks[0]["alive_seconds"].is_number());
    }
    assert_eq!(get(server.addr(), "/tasks?session=s2").json()["tasks"], json!([]));
}

#[test]
fn the_tree_of_an_execution_is_a_list_of_nodes_that_name_their_parents() {
    let (_recorder, server, emitter) = served(1_000);
    a_run(&emitter, "s1");
    flush(&emitter);
    let tree = get(server.addr(), &format!("/executions/{}/tree", emitter.execution_id())).json();
    let nodes = tree["tree"]["nodes"].as_array().expect("nodes");
    let outline: Vec<_> = nodes
        .iter()
        .map(|node| {
            format!(
                "{} {} in {}",
                node["kind"],
                node["name"],
                nodes[node["parent"].as_u64().expect("place") as usize]["name"]
            )
        })
        .collect();
    let wanted = [
        r#""run" "planner" in "planner""#,
        r#""note" "title" in "planner""#,
        r#""llm" "gpt-4o" in "planner""#,
        r#""agent" "reader" in "planner""#,
        r#""llm" "gpt-4o" in "reader""#,
        r#""tool" "search" in "planner""#,
        r#""step" "write it up" in "planner""#,
    ];
    assert_eq!(outline, wanted);
    assert_eq!(tree["tree"]["totals"]["tokens"], 165);
}

#[test]
fn the_feed_has_the_newest_events_and_a_stream_goes_on_from_it() {
    let (recorder, server, emitter) = served(1_000);
    emitter.emit(ExecutionStart::new().session_id("s1"));
    (0..20).for_each(|n| emitter.emit(StepEnd::new(n)));
    let other = recorder.emitter();
    other.emit(ExecutionStart::new());
    flush(&emitter);
    let feed = get(server.addr(), "/feed?session=s1&limit=3").json();
    assert_eq!((sequences(&feed), &feed["complete"]), (vec![21, 20, 19], &json!(false)));
    let feed = get(server.addr(), "/feed?session=s1&limit=3&order=oldest").json();
    assert_eq!(sequences(&feed), [19, 20, 21]);
    let cursor = feed["cursor"].as_str().expect("cursor").to_owned();
    assert_eq!(tags(&get(server.addr(), "/feed?limit=1").json()), ["execution_start"]);
    emitter.emit(StepEnd::new(99));
    let mut stream = get(server.addr(), &format!("/sessions/s1/stream?after={cursor}"));
    assert_eq!(stream.event().expect("connected").event(), "data-connected");
    assert_eq!(stream.event().expect("event").data().body, StepEnd::new(99).into());
    let starts = get(server.addr(), "/feed?kinds=execution-start").json();
    assert_eq!((tags(&starts).len(), &starts["complete"]), (2, &json!(true)));
}

#[test]
fn pages_go_back_and_forth_through_the_record_of_a_session() {
    let (recorder, server, emitter) = served(16);
    let other = recorder.emitter();
    emitter.emit(ExecutionStart::new().session_id("s1"));
    for n in 0..59 {
        emitter.emit(StepEnd::new(n));
        other.emit(StepEnd::new(n));
    }
    flush(&emitter);
    let forth = walk(server.addr(), "/events?session=s1&limit=7", "after", "cursor");
    assert_eq!(forth, (1..=60).collect::<Vec<_>>());
    let newest = get(server.addr(), "/feed?session=s1&limit=1&order=oldest").json();
    let first = format!("/events?session=s1&limit=7&before={}", newest["before"].as_str().expect("there is more"));
    let mut back = walk_back(server.addr(), &first);
    back.push(60);
    assert_eq!(back, forth);
    let own = format!("/executions/{}/events?kinds=data-execution-start", emitter.execution_id());
    assert_eq!(sequences(&get(server.addr(), &own).json()), [1]);
    assert_eq!(get(server.addr(), "/events?after=0123456789abcdef-1").status, 410);
    assert_eq!(get(server.addr(), "/events?before=0123456789abcdef-1&after=0123456789abcdef-1").status, 400);
    let wrong = get(server.addr(), "/events?kinds=step-start,loud").json()["error"].to_string();
    assert!(wrong.contains("loud") && wrong.contains("tool-input-start"), "{wrong}");
}

fn walk(addr: std::net::SocketAddr, first: &str, parameter: &str, member: &str) -> Vec<u64> {
    let (mut seen, mut path) = (Vec::new(), first.to_owned());
    loop {
        let page = get(addr, &path).json();
        seen.extend(sequences(&page));
        if page["complete"] == true {
            return seen;
        }
        path = format!("{first}&{parameter}={}", page[member].as_str().expect("cursor"));
    }
}

fn walk_back(addr: std::net::SocketAddr, first: &str) -> Vec<u64> {
    let (mut seen, mut path) = (Vec::new(), first.to_owned());
    loop {
        let page = get(addr, &path).json();
        seen.splice(0..0, sequences(&page));
        let Some(before) = page["before"].as_str() else { return seen };
        path = format!("/events?session=s1&limit=7&before={before}");
    }
}

#[test]
fn health_says_how_far_an_event_comes_and_leaves_nothing_in_the_record() {
    let (recorder, server, emitter) = served(100);
    emitter.emit(StepEnd::new(1));
    flush(&emitter);
    let mut watching = get(server.addr(), "/stream");
    assert_eq!(watching.event().expect("connected").event(), "data-connected");
    let before = recorder.hub().newest();
    for _ in 0..3 {
        let health = get(server.addr(), "/health");
        assert_eq!(
            (health.status, health.json()),
            (200, json!({"status": "ok", "recorder": "ok", "hub": "ok", "log": "ok"}))
        );
    }
    assert_eq!(recorder.hub().newest().offset, before.offset + 3, "an event went the whole way each time");
    assert_eq!(get(server.addr(), "/feed").json()["events"].as_array().map(Vec::len), Some(1));
    emitter.emit(StepEnd::new(2));
    assert_eq!(watching.event().expect("event").data().body, StepEnd::new(2).into(), "nobody is shown it");
    recorder.shutdown(SOON).expect("shutdown");
    assert_eq!(get(server.addr(), "/health").status, 503);
}

#[test]
fn two_tenants_conversations_of_one_name_are_two() {
    let (recorder, server, emitter) = served(1_000);
    let other = recorder.emitter();
    emitter.emit(ExecutionStart::new().session_id("s").tenant_id("red"));
    other.emit(ExecutionStart::new().session_id("s").tenant_id("blue"));
    (0..3).for_each(|n| other.emit(StepEnd::new(n)));
    flush(&emitter);
    let list = get(server.addr(), "/sessions").json();
    let of = |place: usize| (&list["sessions"][place]["tenant_id"], &list["sessions"][place]["executions"]);
    assert_eq!((of(0), of(1)), ((&json!("blue"), &json!(1)), (&json!("red"), &json!(1))));
    assert_eq!(sequences(&get(server.addr(), "/feed?tenant=blue").json()), [4, 3, 2, 1]);
    assert_eq!(sequences(&get(server.addr(), "/feed?tenant=red&session=s").json()), [1]);
    let mut stream = get(server.addr(), "/tenants/red/stream");
    assert_eq!(stream.event().expect("connected").event(), "data-connected");
    other.emit(StepEnd::new(8));
    emitter.emit(StepEnd::new(9));
    assert_eq!(stream.event().expect("event").data().body, StepEnd::new(9).into());
}

#[test]
fn kinds_choose_alike_what_is_replayed_and_what_is_live() {
    let (_recorder, server, emitter) = served(16);
    emitter.emit(ExecutionStart::new());
    for n in 0..40 {
        emitter.emit(StepEnd::new(n));
        emitter.emit(StreamEvent::new(StepStart::new(StepType::FunctionNode, "one")).of_step(StepId::new()));
    }
    flush(&emitter);
    let path = format!("/executions/{}/stream?kinds=step-end,data-execution-end", emitter.execution_id());
    let mut stream = get(server.addr(), &path);
    assert_eq!(stream.event().expect("connected").event(), "data-connected");
    for n in 0..40 {
        assert_eq!(stream.event().expect("replayed").data().body, StepEnd::new(n).into());
    }
    emitter.emit(StepStart::new(StepType::FunctionNode, "two"));
    emitter.emit(StepEnd::new(40));
    emitter.emit(ExecutionEnd::new(1));
    let rest: Vec<_> = stream.events().iter().map(|frame| frame.event().to_owned()).collect();
    assert_eq!(rest, ["data-step-end", "data-execution-end"]);
    let refused = get(server.addr(), &format!("{path}&dialect=chat"));
    assert_eq!(refused.status, 400);
    assert!(refused.json()["error"].as_str().expect("error").contains("kinds"));
}

#[test]
fn a_long_execution_is_told_from_its_newest_events_and_the_sums_are_whole() {
    let (_recorder, server, emitter) = served(1_000);
    a_run(&emitter, "s1");
    let one = || get(server.addr(), &format!("/executions/{}", emitter.execution_id())).json();
    (0..5_000).for_each(|n| emitter.emit(StepEnd::new(n)));
    flush(&emitter);
    assert_eq!((&one()["tokens"], &one()["model_calls"]), (&json!(165), &json!(0)), "the last sum is looked for");
    model_call(&emitter, &StepId::new(), None, (1, 1));
    flush(&emitter);
    let one = one();
    assert_eq!((&one["complete"], &one["tokens"], &one["model_calls"]), (&json!(false), &json!(167), &json!(1)));
    assert_eq!((&one["parent_id"], &one["name"]), (&json!("job-1"), &json!("planner")), "its first event is looked at");
    let tree = get(server.addr(), &format!("/executions/{}/tree", emitter.execution_id())).json();
    assert_eq!((&tree["complete"], &tree["tree"]["totals"]["tokens"]), (&json!(false), &json!(167)));
}

#[test]
fn executions_are_listed_page_by_page() {
    let (recorder, server, _) = served(1_000);
    let ids: Vec<_> = (0..7)
        .map(|n| {
            let emitter = recorder.emitter();
            emitter.emit(StreamEvent::new(ExecutionStart::new()).at(spanwright::Timestamp::from_unix_nanos(n)));
            emitter.execution_id().to_string()
        })
        .collect();
    recorder.flush().wait(SOON).expect("flush");
    let (mut seen, mut path) = (Vec::new(), "/executions?limit=3".to_owned());
    loop {
        let page = get(server.addr(), &path).json();
        let page = page["executions"].as_array().expect("list").clone();
        let Some(last) = page.last() else { break };
        path = format!("/executions?limit=3&before={}", last["execution_id"].as_str().expect("id"));
        seen.extend(page.iter().map(|row| row["execution_id"].as_str().expect("id").to_owned()));
    }
    assert_eq!(seen, ids.into_iter().rev().collect::<Vec<_>>());
    assert_eq!(get(server.addr(), "/executions?before=nobody").status, 404);
}
