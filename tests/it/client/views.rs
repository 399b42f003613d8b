//! Whose events, how many of them, from where.

use super::{
    all, client, cursor,
    fake::{Fake, status},
    next_event, tags,
};
use spanwright::{
    ContentLevel, ContentPolicy, EventEmitter, Recorder, StepId, StreamEvent,
    client::Events,
    event::{
        AgentEnd, AgentStart, ExecutionEnd, ExecutionPaused, ExecutionResumed, ExecutionStart, Kind, LlmCallEnd,
        LlmCallStart, StreamMode, TextDelta,
    },
    hub::From,
    log::MemoryLog,
    serve::{Server, ServerHandle},
};

fn served() -> (Recorder, ServerHandle, EventEmitter) {
    let builder = Recorder::builder().log(MemoryLog::new()).content(ContentPolicy::new(ContentLevel::Full));
    let recorder = builder.start().expect("start");
    let server = Server::spawn(recorder.clone(), "127.0.0.1:0").expect("serve");
    let emitter = recorder.emitter();
    (recorder, server, emitter)
}

#[tokio::test]
async fn what_is_asked_for_stands_in_the_address() {
    let fake = Fake::start([status("204 No Content", "", "")]);
    let client = client(format!("{}/agents/", fake.url()));
    let id = "run/1 ü".parse().expect("id");
    let watches = [
        client.everything(),
        client.tenant("acme").from(From::Start),
        client.session("s").mode(StreamMode::Summary).from(From::Live),
        client.execution(&id).kinds([Kind::StepEnd, Kind::ExecutionEnd]),
        client.agent("writer").mode(StreamMode::ControlOnly).kinds([Kind::ExecutionPaused]),
        client.everything().after(cursor(3)),
    ];
    for watch in watches {
        assert_eq!(all(&mut watch.events()).await, []);
    }
    let asked = fake.asked();
    let targets: Vec<&str> = asked.iter().map(|head| head.split(' ').nth(1).expect("target")).collect();
    assert_eq!(
        targets,
        [
            "/agents/stream",
            "/agents/tenants/acme/stream?from=start",
            "/agents/sessions/s/stream?mode=summary&from=live",
            "/agents/executions/run%2F1%20%C3%BC/stream?kinds=data-execution-end%2Cdata-step-end",
            "/agents/stream?mode=summary",
            "/agents/stream",
        ]
    );
}

#[tokio::test]
async fn an_id_that_cannot_stand_in_an_address_is_an_error() {
    for id in ["..", ".", ""] {
        let mut events = client("http://127.0.0.1:9".to_owned()).session(id).events();
        let error = super::next(&mut events).await.expect("told").expect_err("no address");
        assert!(error.is_invalid(), "{id:?}: {error}");
    }
}

#[tokio::test]
async fn kinds_and_modes_hold_whatever_the_server_knows_of_them() {
    let (recorder, server, emitter) = served();
    emitter.emit(ExecutionStart::new());
    emitter.emit(ExecutionPaused::new("the night"));
    emitter.emit(ExecutionResumed::new());
    emitter.emit(ExecutionEnd::new(1));
    recorder.settle().await.expect("settle");
    let client = client(server.url());
    let of = |events: Vec<StreamEvent>| {
        events.into_iter().map(|event| event.kind()).filter(|kind| *kind != Kind::Connected && *kind != Kind::Ping)
    };
    let watch = client.execution(emitter.execution_id());
    let kinds = watch.clone().kinds([Kind::ExecutionPaused, Kind::ExecutionEnd]);
    assert!(of(all(&mut kinds.events()).await).eq([Kind::ExecutionPaused, Kind::ExecutionEnd]));
    let control = watch.mode(StreamMode::ControlOnly);
    assert!(of(all(&mut control.events()).await).eq([Kind::ExecutionPaused, Kind::ExecutionResumed]));
}

#[tokio::test]
async fn kinds_of_a_later_version_may_be_asked_for_and_none_is_what_the_stream_says_of_itself() {
    let (recorder, server, emitter) = served();
    emitter.emit(ExecutionStart::new());
    emitter.emit(StreamEvent::from_json(r#"{"type":"data-of-tomorrow"}"#).expect("event"));
    emitter.emit(ExecutionEnd::new(1));
    recorder.settle().await.expect("settle");
    let watch = client(server.url()).execution(emitter.execution_id());
    let kinds = |events: Vec<StreamEvent>| events.iter().map(StreamEvent::kind).collect::<Vec<_>>();
    let both = all(&mut watch.clone().kinds([Kind::Unknown, Kind::ExecutionEnd]).events()).await;
    assert_eq!(kinds(both), [Kind::Connected, Kind::Unknown, Kind::ExecutionEnd]);
    assert_eq!(kinds(all(&mut watch.kinds([]).events()).await), [Kind::Connected]);
}

async fn until_end(events: &mut Events) -> Vec<StreamEvent> {
    let mut all = Vec::new();
    loop {
        let event = next_event(events).await.event;
        let is_last = event.kind() == Kind::ExecutionEnd;
        all.push(event);
        if is_last {
            return all;
        }
    }
}

#[tokio::test]
async fn an_agent_is_followed_by_its_name_through_the_steps_below_it() {
    let (recorder, server, emitter) = served();
    let mut events = client(server.url()).agent("writer").events();
    assert_eq!(next_event(&mut events).await.event.kind(), Kind::Connected);
    let (writer, call, other) = (StepId::new(), StepId::new(), StepId::new());
    let emit = |event: StreamEvent, step: &StepId| emitter.emit(event.of_step(step.clone()));
    emitter.emit(ExecutionStart::new().name("paper"));
    emit(AgentStart::new("writer").into(), &writer);
    emit(AgentStart::new("reader").into(), &other);
    emit(LlmCallStart::new("complete", 0).parent_step_id(writer.clone()).into(), &call);
    emit(TextDelta::new("t", "a word").into(), &call);
    emit(LlmCallEnd::new(5).into(), &call);
    emit(LlmCallEnd::new(5).into(), &other);
    emit(AgentEnd::new(9).into(), &writer);
    emitter.emit(ExecutionEnd::new(9));
    // A whole execution of that name.
    let whole = recorder.emitter();
    whole.emit(ExecutionStart::new().name("writer"));
    whole.emit(ExecutionEnd::new(1));
    let seen = until_end(&mut events).await;
    assert_eq!(
        tags(&seen),
        [
            "data-agent-start",
            "data-llm-call-start",
            "data-text-delta",
            "data-llm-call-end",
            "data-agent-end",
            "data-execution-start",
            "data-execution-end",
        ]
    );
    assert_eq!(events.counts().filtered, 4);
}
