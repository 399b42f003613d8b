//! Sessions and tasks, as a gateway's clients ask for them.

use super::{SOON, served, snapshots::a_run};
use crate::http::get;
use serde_json::json;
use spanwright::{
    event::{ExecutionEnd, PermissionRequest},
    wire::gateway::{ServerMessage, number_of},
};

#[test]
fn a_gateway_lists_sessions_and_tasks_by_the_numbers_that_its_streams_say() {
    let (_recorder, server, emitter) = served(1_000);
    a_run(&emitter, "s1");
    let asks = PermissionRequest::new("rm", spanwright::Json::null(), "ask").permission_id("p1");
    emitter.emit(asks);
    emitter.recorder().flush().wait(SOON).expect("flush");
    let tasks = get(server.addr(), "/sessions/s1/tasks?dialect=gateway").text();
    let Ok(ServerMessage::Tasks { tasks }) = serde_json::from_str(&tasks) else { panic!("{tasks}") };
    let [run, agent] = &tasks[..] else { panic!("{tasks:?}") };
    assert_eq!((run.agent.as_str(), run.prompt_tokens, run.completion_tokens), ("planner", 110, 55));
    assert_eq!((run.blocked_on.as_deref(), run.parent_id), (Some("permission: rm"), Some(number_of("job-1"))));
    assert_eq!((agent.agent.as_str(), agent.status.as_str(), agent.parent_id), ("reader", "completed", Some(run.id)));
    emitter.emit(ExecutionEnd::new(1));
    emitter.recorder().flush().wait(SOON).expect("flush");
    let list = get(server.addr(), "/sessions?dialect=gateway").json();
    let number = number_of("s1");
    let session = &list["sessions"][0];
    assert_eq!((&list["type"], &session["id"]), (&json!("sessions"), &json!(number)));
    assert_eq!((&session["agent"], &session["message_count"]), (&json!("planner"), &json!(2)));
    let stream = get(server.addr(), &format!("/executions/{}/stream?dialect=gateway", emitter.execution_id())).text();
    assert!(stream.contains(&format!(r#"{{"type":"stream","Start":{{"agent":"planner","session":{number}}}}}"#)));
}

#[test]
fn lists_are_in_their_own_form_or_the_gateways() {
    let (_recorder, server, _emitter) = served(10);
    for path in ["/sessions", "/tasks"] {
        assert_eq!(get(server.addr(), &format!("{path}?dialect=native")).status, 200);
        let refused = get(server.addr(), &format!("{path}?dialect=chat"));
        assert_eq!(refused.status, 400);
        assert!(refused.text().contains("native or gateway is accepted"));
    }
}
