//! What is asked and answered once.

use super::{
    all, client,
    fake::{Fake, status},
};
use spanwright::{
    ExecutionId, Recorder, StreamEvent,
    event::{ExecutionEnd, ExecutionStart, StepEnd},
    log::{MemoryLog, Status},
    serve::Server,
};

#[tokio::test]
async fn executions_and_their_record_are_read_back_as_they_are() {
    let recorder = Recorder::builder().log(MemoryLog::new()).start().expect("start");
    let server = Server::spawn(recorder.clone(), "127.0.0.1:0").expect("serve");
    let client = client(server.url());
    let emitter = recorder.emitter();
    emitter.emit(ExecutionStart::new().name("paper").session_id("s1"));
    (0..50).for_each(|n| emitter.emit(StepEnd::new(n)));
    emitter.emit(ExecutionEnd::new(7).final_output("done"));
    recorder.flush().await.expect("flush");
    let log = recorder.log().expect("log");
    let id = emitter.execution_id();
    let row = log.execution(id.clone()).await.expect("answer").expect("row");
    assert_eq!(client.executions(10).await.expect("executions"), std::slice::from_ref(&row));
    assert_eq!(client.execution_row(id).await.expect("execution"), row);
    assert_eq!((row.status, row.name.as_deref()), (Status::Completed, Some("paper")));

    let (mut record, mut after) = (Vec::new(), None);
    loop {
        let page = client.event_page(id, after, 20).await.expect("page");
        record.extend(page.events);
        after = Some(page.cursor);
        if page.complete {
            break;
        }
    }
    let mut events = client.execution(id).events();
    let streamed: Vec<String> = all(&mut events).await.iter().skip(1).map(StreamEvent::to_json).collect();
    assert_eq!(record.iter().map(|event| event.to_stream().to_json()).collect::<Vec<_>>(), streamed);
    assert!(client.execution_row(&ExecutionId::new()).await.expect_err("none").is_not_found());
    assert_eq!(client.stats().await.expect("stats")["recorder"]["recorded"], 52);
    assert_eq!(client.health().await.expect("health")["status"], "ok");
}

#[tokio::test]
async fn an_event_of_a_later_version_does_not_hide_the_page() {
    let events = r#"{"events":[{"event_type":"of_tomorrow"}],"cursor":"2f6c19d04be17a83-7","complete":true}"#;
    let fake = Fake::start([status("200 OK", "content-type: application/json\r\n", events)]);
    let page = client(fake.url()).event_page(&ExecutionId::new(), None, 10).await.expect("page");
    assert_eq!((page.events.len(), page.unreadable, page.complete), (0, 1, true));
    assert_eq!(page.cursor, super::cursor(7));
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_or_had_is_an_error() {
    let odd = Fake::start([status("200 OK", "", "<html>")]);
    assert!(client(odd.url()).executions(1).await.expect_err("odd").is_corrupt());
    let ill = Fake::start([status("503 Ill", "", r#"{"error":"the log did not answer within 2 s"}"#)]);
    let error = client(ill.url()).health().await.expect_err("ill");
    assert!(error.is_io() && error.to_string().contains("within 2 s"), "{error}");
    let silent = Fake::start([super::fake::Answer::Held(String::new())]);
    let client = super::builder(silent.url()).answer_timeout(std::time::Duration::from_millis(50)).build();
    assert!(client.expect("client").stats().await.expect_err("silent").is_timed_out());
}
