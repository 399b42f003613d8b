//! Out of a process and into it: where code says it is, and what the carriers hold.

use super::{PARENT, TRACE, record, starts, steps};
use serde_json::{Map, json};
use spanwright::{
    ExecutionId, StepId,
    context::{Context, TraceContext},
    span::{self, AgentSpan},
};
use std::{ffi::OsStr, process::Command};

fn came() -> TraceContext {
    TraceContext::parse(PARENT).expect("good").with_tracestate("congo=t61rcWkgMzE").with_baggage("userId=alice")
}

/// Where a span is, said from inside.
fn inside(open: AgentSpan) -> TraceContext {
    open.in_scope_with(|| TraceContext::current().expect("it is open"), |_, _| ())
}

#[test]
fn the_running_step_is_where_others_go_on() {
    let ((outside, in_agent, in_tool), events) = record(|| {
        let outside = TraceContext::current();
        let agent = span::agent("agent");
        let in_tool = agent.in_scope_with(|| inside(span::tool("search")), |_, _| ());
        (outside, inside(agent), in_tool)
    });
    assert_eq!(outside, None);
    let begun: Vec<_> = events.iter().filter_map(super::begin).map(|(step, ..)| step).collect();
    assert_eq!([in_agent.step_id(), in_tool.step_id()], [&begun[0], &begun[1]]);
    assert_eq!(Some(in_tool.execution_id()), events[0].execution_id.as_ref());
    assert_eq!(TraceContext::parse(&in_tool.traceparent()).as_ref(), Some(&in_tool));
    assert!(in_tool.sampled());
}

#[test]
fn what_came_with_a_trace_goes_on_with_it() {
    let (leaves, events) = record(|| {
        let agent = || span::agent("agent").in_scope_with(|| inside(span::tool("search")), |_, _| ());
        Context::remote(came()).in_scope(agent)
    });
    assert_eq!((leaves.tracestate(), leaves.baggage()), (came().tracestate(), came().baggage()));
    assert_eq!(leaves.execution_id().trace_id(), TRACE);
    assert_ne!(leaves.step_id(), came().step_id());
    assert_eq!(starts(&events)[0].1.parent_id.as_deref(), Some("step_1234567890123456"));
}

#[test]
fn a_program_without_agents_passes_a_trace_on_as_it_came() {
    let (passed, events) = record(|| Context::remote(came()).in_scope(TraceContext::current));
    assert_eq!((passed, events.len()), (Some(came()), 0));
}

#[test]
fn an_execution_with_an_id_of_its_own_leaves_the_vendors_of_the_other_trace_behind() {
    let (leaves, _) = record(|| {
        Context::remote(came()).in_scope(|| {
            let agent = span::agent("agent");
            agent.execution("run-7");
            inside(agent)
        })
    });
    assert_eq!(leaves.execution_id(), &ExecutionId::parse("run-7").expect("id"));
    assert_eq!((leaves.tracestate(), leaves.baggage()), (None, came().baggage()));
}

#[test]
fn a_request_that_comes_back_into_its_own_process_is_a_part_of_the_step_that_sent_it() {
    let (_, events) = record(|| {
        span::agent("caller").in_scope(|| {
            let sent = inside(span::tool("ask"));
            let server =
                || Context::remote(sent).in_scope(|| span::agent("server").in_scope(|| span::step("look").finish()));
            std::thread::scope(|threads| drop(threads.spawn(span::in_context(server))));
            span::step("after").finish();
        });
    });
    assert_eq!(starts(&events).len(), 1);
    assert_eq!(steps(&events), ["after in caller", "ask in caller", "caller", "look in server", "server in ask"]);
}

#[test]
fn two_requests_of_one_trace_at_once_do_not_end_each_other() {
    let (_, events) = record(|| {
        let (ended, ends) = tokio::sync::oneshot::channel();
        let first = async {
            let works = async {
                ends.await.expect("the second request");
                span::step("still at work").finish();
            };
            span::agent("first").run(works).await;
        };
        let second = async move {
            span::agent("second").run(async {}).await;
            ended.send(()).expect("the first request");
        };
        let both = async { tokio::join!(Context::remote(came()).run(first), Context::remote(came()).run(second)) };
        tokio::runtime::Builder::new_current_thread().build().expect("runtime").block_on(both);
    });
    let kinds: Vec<_> = events.iter().map(|event| event.kind().tag().trim_start_matches("data-")).collect();
    assert_eq!(
        kinds,
        ["execution-start", "agent-start", "agent-end", "step-start", "step-end", "execution-end"].map(String::from)
    );
    assert_eq!(steps(&events), ["first", "second in step_1234567890123456", "still at work in first"]);
}

#[test]
fn one_request_after_the_other_begins_the_execution_again() {
    let (_, events) = record(|| {
        for name in ["first", "second"] {
            Context::remote(came()).in_scope(|| span::agent(name).in_scope(|| ()));
        }
    });
    let id = Some(ExecutionId::from_trace_id(TRACE));
    assert_eq!(
        starts(&events).iter().map(|(event, _)| event.execution_id.clone()).collect::<Vec<_>>(),
        [id.clone(), id]
    );
}

#[test]
fn headers_hold_the_context_and_keep_what_is_the_programs_own() {
    let mut headers = http::HeaderMap::new();
    headers.insert("tracestate", "of=another".parse().expect("value"));
    headers.insert("baggage", "my=own".parse().expect("value"));
    headers.insert("accept", "*/*".parse().expect("value"));
    TraceContext::parse(PARENT).expect("good").inject(&mut headers);
    let shown = |headers: &http::HeaderMap| {
        let mut all: Vec<_> =
            headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().expect("text"))).collect();
        all.sort();
        all
    };
    let parent = format!("traceparent: {PARENT}");
    assert_eq!(shown(&headers), ["accept: */*", "baggage: my=own", &parent]);
    came().inject(&mut headers);
    let state = "tracestate: congo=t61rcWkgMzE";
    assert_eq!(shown(&headers), ["accept: */*", "baggage: userId=alice", &parent, state]);
    assert_eq!(TraceContext::extract(&headers), Some(came()));
}

#[test]
fn mcps_meta_holds_the_context_and_keeps_its_other_members() {
    let mut request = json!({"name": "search", "_meta": {"progressToken": 7, "tracestate": "of=another"}});
    let meta = request["_meta"].as_object_mut().expect("an object");
    TraceContext::parse(PARENT).expect("good").to_meta(meta);
    assert_eq!(*meta, *json!({"progressToken": 7, "traceparent": PARENT}).as_object().expect("an object"));
    came().to_meta(meta);
    let all = json!({
        "progressToken": 7, "traceparent": PARENT, "tracestate": "congo=t61rcWkgMzE", "baggage": "userId=alice",
    });
    assert_eq!(*meta, *all.as_object().expect("an object"));
    assert_eq!(TraceContext::from_meta(meta), Some(came()));
    for bad in [json!({}), json!({"traceparent": 7}), json!({"traceparent": ["x"]}), json!({"TRACEPARENT": PARENT})] {
        assert_eq!(TraceContext::from_meta(bad.as_object().expect("an object")), None, "{bad}");
    }
    let odd = json!({"traceparent": PARENT, "tracestate": 7, "baggage": {}});
    assert_eq!(TraceContext::from_meta(odd.as_object().expect("an object")), TraceContext::parse(PARENT));
    assert_eq!(TraceContext::from_meta(&Map::new()), None);
}

#[test]
fn a_childs_environment_holds_the_context_and_no_state_of_another_trace() {
    let variables = |context: &TraceContext| {
        let mut command = Command::new("child");
        context.to_env(&mut command);
        let text = |value: Option<&OsStr>| value.map(|value| value.to_str().expect("text").to_owned());
        command
            .get_envs()
            .map(|(name, value)| (name.to_str().expect("text").to_owned(), text(value)))
            .collect::<Vec<_>>()
    };
    let all = [("BAGGAGE", "userId=alice"), ("TRACEPARENT", PARENT), ("TRACESTATE", "congo=t61rcWkgMzE")];
    assert_eq!(variables(&came()), all.map(|(name, value)| (name.to_owned(), Some(value.to_owned()))));
    let bare = TraceContext::new(ExecutionId::from_trace_id(TRACE), StepId::from_span_id(0x1234_5678_9012_3456));
    assert_eq!(variables(&bare), [("TRACEPARENT".into(), Some(PARENT.into())), ("TRACESTATE".into(), None)]);
}

#[test]
fn debug_does_not_show_what_the_program_sends_along() {
    let shown = format!("{:?}", came());
    assert!(shown.contains(PARENT) && !shown.contains("alice"), "{shown}");
}
