//! What comes in a stream, and what the client makes of it.

use super::{
    SOON, all, client, cursor,
    fake::{Answer, Fake, frame, header, status, stream},
    next, next_event, next_unreadable,
};
use crate::http::get;
use spanwright::{
    ContentLevel, ContentPolicy, Recorder,
    client::Update,
    event::{Body, ExecutionStart, Kind, StepEnd, StreamLagged, TextDelta},
    hub::{From, HubLimits},
    serve::{Server, Settings},
};
use std::time::Instant;

fn done() -> Answer {
    status("204 No Content", "", "")
}

#[tokio::test]
async fn a_kind_of_a_later_version_is_given_out_as_it_came_and_what_is_no_event_is_told_and_counted() {
    let future = r#"{"type":"data-from-the-future","execution_id":"exec_1","colour":"ultraviolet","n":[1,2]}"#;
    let body = format!(
        "id: {}\nevent: data-from-the-future\ndata: {future}\n\nid: {}\nevent: news\ndata: {{\"broken\n\n{}",
        cursor(1),
        cursor(2),
        frame(3, StepEnd::new(3))
    );
    let fake = Fake::start([Answer::Whole(stream(&body)), done()]);
    let mut events = client(fake.url()).everything().events();
    let event = next_event(&mut events).await;
    assert_eq!((event.event.kind(), event.cursor), (Kind::Unknown, Some(cursor(1))));
    assert_eq!(event.event.to_json(), future, "nothing of it is lost");
    let unreadable = next_unreadable(&mut events).await;
    assert_eq!((&*unreadable.tag, unreadable.cursor), ("news", Some(cursor(2))));
    assert!(unreadable.error.is_invalid(), "{}", unreadable.error);
    assert_eq!(next_event(&mut events).await.event.kind(), Kind::StepEnd, "the stream goes on");
    assert_eq!(all(&mut events).await, []);
    assert_eq!((events.counts().events, events.counts().unreadable), (2, 1));
}

#[tokio::test]
async fn an_event_that_comes_again_is_dropped_and_counted_also_when_the_record_is_told_from_its_start() {
    let other = spanwright::Cursor::new(7, 1);
    let first = (1..=3).map(|n| frame(n, StepEnd::new(n))).collect::<String>();
    let mut second = String::new();
    spanwright::wire::sse::write_frame(other, &StepEnd::new(4).into(), &mut second);
    // A gap, and then everything there is, as for a cursor that leads nowhere.
    let third = format!("{first}{second}{}", frame(4, StepEnd::new(5)));
    let fake = Fake::start([first, second, third].map(|body| Answer::Whole(stream(&body))).into_iter().chain([done()]));
    let mut events = client(fake.url()).everything().events();
    let durations: Vec<u64> = all(&mut events)
        .await
        .iter()
        .map(|event| if let Body::StepEnd(step) = &event.body { step.duration_ms } else { 0 })
        .collect();
    assert_eq!(durations, [1, 2, 3, 4, 5]);
    assert_eq!(events.counts().duplicates, 4);
    assert_eq!(events.cursor(), Some(cursor(4)));
}

#[tokio::test]
async fn what_comes_again_does_not_take_the_place_to_go_on_from_back() {
    let mut told = String::new();
    spanwright::wire::sse::write_frame_without_id(&StreamLagged::new(7).into(), &mut told);
    let three: String = (1..=3).map(|n| frame(n, StepEnd::new(n))).collect();
    let again = format!("{three}{}{told}", frame(1, StepEnd::new(1)));
    let fake = Fake::start([Answer::Whole(stream(&again)), done()]);
    let mut events = client(fake.url()).everything().events();
    for _ in 0..3 {
        next_event(&mut events).await;
    }
    assert_eq!(next_event(&mut events).await.cursor, Some(cursor(3)), "with the lag");
    assert_eq!((events.cursor(), events.counts().duplicates), (Some(cursor(3)), 1));
}

#[tokio::test]
async fn what_the_stream_says_of_itself_reaches_the_user_and_is_no_place_to_go_on_from() {
    let mut told = String::new();
    spanwright::wire::sse::write_frame_without_id(&StreamLagged::new(7).into(), &mut told);
    let body = format!("{}{told}{told}", frame(5, StepEnd::new(5)));
    let fake = Fake::start([Answer::Whole(stream(&body)), done()]);
    let mut events = client(fake.url()).everything().after(cursor(4)).events();
    next_event(&mut events).await;
    for _ in 0..2 {
        let lagged = next_event(&mut events).await;
        assert!(matches!(&lagged.event.body, Body::StreamLagged(lagged) if lagged.dropped == 7));
        assert_eq!(lagged.cursor, Some(cursor(5)));
    }
    assert_eq!(all(&mut events).await, []);
    let ids: Vec<_> = fake.asked().iter().map(|head| header(head, "last-event-id").expect("id")).collect();
    assert_eq!(ids, [cursor(4).to_string(), cursor(5).to_string()]);
}

#[tokio::test]
async fn an_event_past_the_limit_is_passed_over_and_told() {
    let long = "x".repeat(1 << 20);
    let body =
        format!("{}{}{}", frame(1, StepEnd::new(1)), frame(2, TextDelta::new("t", long)), frame(3, StepEnd::new(3)));
    let fake = Fake::start([Answer::Whole(stream(&body)), done()]);
    let client = super::builder(fake.url()).max_event_bytes(4 << 10).build().expect("client");
    let mut events = client.everything().events();
    assert_eq!(next_event(&mut events).await.cursor, Some(cursor(1)));
    assert!(next_unreadable(&mut events).await.error.is_too_large());
    assert_eq!(next_event(&mut events).await.cursor, Some(cursor(3)));
    assert_eq!(all(&mut events).await, []);
    assert_eq!(events.counts().unreadable, 1);
}

#[tokio::test]
async fn a_line_that_falls_silent_is_dropped_and_opened_again_where_it_was() {
    // On a busy machine a line may fall silent before its event has come: then the next one has it, as all have.
    let fake = Fake::start([Answer::Held(stream(&frame(8, StepEnd::new(8))))]);
    let client =
        super::builder(fake.url()).idle_timeout(std::time::Duration::from_millis(200)).build().expect("client");
    let mut events = client.everything().events();
    next_event(&mut events).await;
    let last = || fake.asked().last().and_then(|head| header(head, "last-event-id"));
    while last().is_none() {
        match next(&mut events).await {
            Some(Ok(Update::Reconnecting(line))) => assert!(line.why.is_timed_out(), "{}", line.why),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(last(), Some(cursor(8).to_string()));
    fake.wait_until_gone(1);
}

#[tokio::test]
async fn who_reads_slowly_makes_the_server_wait_and_is_told_what_that_cost() {
    // How much the machine's sockets hold by themselves is the machine's affair.
    const PIECES: u64 = 4_000;
    let recorder = Recorder::builder()
        .hub(HubLimits::new(8, 1 << 20))
        .content(ContentPolicy::new(ContentLevel::Full))
        .start()
        .expect("start");
    // On a busy machine the server would cut the line first, and then nobody could say how much was lost.
    let patient = Settings::default().write_idle(6 * SOON);
    let server = Server::spawn_with(recorder.clone(), "127.0.0.1:0", patient).expect("serve");
    let emitter = recorder.emitter();
    let mut events = client(server.url()).execution(emitter.execution_id()).from(From::Live).events();
    assert_eq!(next_event(&mut events).await.event.kind(), Kind::Connected);
    emitter.emit(ExecutionStart::new());
    for _ in 0..PIECES {
        emitter.emit(TextDelta::new("t", "x".repeat(32 << 10)));
        recorder.settle().await.expect("settle");
    }
    emitter.emit(spanwright::event::ExecutionEnd::new(1));
    // The start can be among what was lost, where the server came late to its first event.
    let (mut told, mut dropped) = (0, 0);
    for event in all(&mut events).await {
        match event.body {
            Body::ExecutionStart(_) | Body::TextDelta(_) | Body::ExecutionEnd(_) => told += 1,
            Body::StreamLagged(lagged) => dropped += lagged.dropped,
            _ => {}
        }
    }
    assert!(dropped > 0, "the server did not have to wait");
    assert_eq!(told + dropped, PIECES + 2);
}

#[tokio::test]
async fn a_receiver_that_is_dropped_ends_its_task_and_its_connection_also_while_nothing_comes() {
    let recorder = Recorder::builder().start().expect("start");
    let server = Server::spawn(recorder.clone(), "127.0.0.1:0").expect("serve");
    // No event is ever of this agent: only the server's own first word gets through.
    let events = client(server.url()).agent("nobody").events();
    let mut receiver = events.into_receiver(4).expect("receiver");
    let first = receiver.recv().await.expect("update").expect("event").event().expect("event");
    assert_eq!(first.kind(), Kind::Connected);
    drop(receiver);
    let deadline = Instant::now() + SOON;
    let addr = server.addr();
    let open = move || get(addr, "/stats").json()["server"]["streams"]["open"].as_u64();
    while tokio::task::spawn_blocking(open).await.expect("stats") != Some(0) {
        assert!(Instant::now() < deadline, "the connection stays");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_receiver_holds_the_stream_back() {
    let body: String = (1..=100).map(|n| frame(n, StepEnd::new(n))).collect();
    let fake = Fake::start([Answer::Held(stream(&body))]);
    let mut receiver = client(fake.url()).everything().events().into_receiver(2).expect("receiver");
    for n in 1..=100 {
        let update = receiver.recv().await.expect("update").expect("event");
        assert!(matches!(update, Update::Event(event) if event.cursor == Some(cursor(n))));
        assert!(receiver.len() <= 2);
    }
    drop(receiver);
    fake.wait_until_gone(1);
}

#[tokio::test]
async fn a_receiver_of_any_capacity_is_one() {
    for capacity in [0, usize::MAX] {
        let fake = Fake::start([Answer::Whole(stream(&frame(1, StepEnd::new(1)))), done()]);
        let mut updates = client(fake.url()).everything().events().into_receiver(capacity).expect("receiver");
        assert!(matches!(updates.recv().await, Some(Ok(Update::Event(_)))));
    }
}

async fn asked(fake: &Fake, times: usize) {
    while fake.asked().len() < times {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_are_dropped_let_go_of_their_connection_wherever_they_were() {
    let fake = Fake::start([Answer::Held(stream(&frame(1, StepEnd::new(1)))), Answer::Held(String::new())]);
    let client = client(fake.url());
    let mut reading = client.everything().events();
    next_event(&mut reading).await;
    let mut opening = client.everything().events();
    for (times, events) in [(1, &mut reading), (2, &mut opening)] {
        tokio::select! {
            biased;
            update = events.next() => panic!("{update:?}"),
            () = asked(&fake, times) => {}
        }
    }
    drop((reading, opening));
    tokio::task::spawn_blocking(move || fake.wait_until_gone(2)).await.expect("gone");
}
