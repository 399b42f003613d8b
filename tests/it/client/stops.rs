//! What makes a client stop, and what makes it wait.

use super::{
    builder, client,
    fake::{Answer, Fake, frame, header, status, stream},
    next, next_event,
};
use spanwright::{
    Error, ExecutionId,
    client::{Backoff, Client, Reconnecting, Update},
    event::{ExecutionEnd, StepEnd},
};
use std::time::Duration;

/// What a stream ends with, which nothing follows.
async fn last(client: &Client) -> Option<Error> {
    let mut events = client.everything().events();
    let last = next(&mut events).await;
    if last.is_some() {
        assert!(next(&mut events).await.is_none(), "that was the last");
    }
    last.map(|update| update.expect_err("no update"))
}

async fn reconnecting(client: &Client) -> Reconnecting {
    match next(&mut client.everything().events()).await {
        Some(Ok(Update::Reconnecting(line))) => line,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_answer_that_would_be_the_same_again_ends_the_stream_and_says_why() {
    type Is = fn(&Error) -> bool;
    let cases: [(&str, Is); 9] = [
        ("401 Unauthorized", Error::is_denied),
        ("403 Forbidden", Error::is_denied),
        ("400 Bad Request", Error::is_invalid),
        ("404 Not Found", Error::is_not_found),
        ("410 Gone", Error::is_not_found),
        ("405 Method Not Allowed", Error::is_invalid),
        ("501 Not Implemented", Error::is_invalid),
        ("205 Reset Content", Error::is_invalid),
        ("304 Not Modified", Error::is_config),
    ];
    for (line, is) in cases {
        let fake = Fake::start([status(line, "", r#"{"error":"that is not for you"}"#)]);
        let error = last(&client(fake.url())).await.expect("an error");
        assert!(is(&error) && error.to_string().contains(&line[..3]), "{line}: {error}");
        if line.starts_with('4') {
            assert!(error.to_string().contains("that is not for you"), "{error}");
        }
        assert_eq!(fake.asked().len(), 1, "{line}: it was asked once");
    }
}

#[tokio::test]
async fn what_is_no_event_stream_ends_the_stream() {
    let fake = Fake::start([status("200 OK", "content-type: text/html\r\n", "<p>Please log in</p>")]);
    let error = last(&client(fake.url())).await.expect("an error");
    assert!(error.is_invalid() && error.to_string().contains("text/html"), "{error}");
    let packed = stream("").replace("connection: close", "connection: close\r\ncontent-encoding: gzip");
    let fake = Fake::start([Answer::Whole(packed)]);
    let error = last(&client(fake.url())).await.expect("an error");
    assert!(error.is_invalid() && error.to_string().contains("gzip"), "{error}");
    let fake = Fake::start([
        Answer::Whole(stream("").replace("text/event-stream", "Text/Event-Stream ; charset=utf-8")),
        status("204 No Content", "", ""),
    ]);
    assert!(reconnecting(&client(fake.url())).await.why.is_closed(), "that is one");
}

#[tokio::test]
async fn at_204_a_stream_is_over() {
    let fake = Fake::start([status("204 No Content", "", "")]);
    assert!(last(&client(fake.url())).await.is_none());
    assert_eq!(fake.asked().len(), 1);
}

#[tokio::test]
async fn the_end_of_an_execution_is_asked_for_at_once_and_without_a_word() {
    let body = format!("retry: 3600000\n\n{}", frame(1, ExecutionEnd::new(1)));
    let fake = Fake::start([Answer::Whole(stream(&body)), status("204 No Content", "", "")]);
    let client = builder(fake.url()).backoff(Backoff::default()).build().expect("client");
    let mut events = client.execution(&ExecutionId::new()).events();
    next_event(&mut events).await;
    assert!(next(&mut events).await.is_none());
    assert_eq!(events.counts().reconnects, 0);
}

#[tokio::test]
async fn a_bad_moment_of_the_server_is_waited_out_for_as_long_as_it_says_within_a_bound() {
    let later = |seconds: u64| status("503 Service Unavailable", &format!("Retry-After: {seconds}\r\n"), "");
    let jitter = Duration::from_millis(500);
    let (seven, bound) = (Duration::from_secs(7), Duration::from_secs(300));
    let retry = Answer::Whole(stream("retry: 7000\n\n"));
    let ages = Answer::Whole(stream("retry: 99999999999999999999\n\n"));
    let cases =
        [(later(7), seven), (later(u64::MAX), bound), (retry, seven), (ages, bound), (later(0), Duration::ZERO)];
    for (answer, least) in cases {
        let fake = Fake::start([answer]);
        let client = builder(fake.url()).backoff(Backoff::default()).build().expect("client");
        let line = reconnecting(&client).await;
        assert!(line.pause >= least && line.pause <= least + jitter, "{:?} for {least:?}", line.pause);
        assert_eq!(line.attempt, 1);
    }
}

#[tokio::test]
async fn tries_count_up_until_an_event_comes_and_the_wait_grows_up_to_its_bound() {
    let busy = || status("429 Too Many Requests", "", "");
    let good = Answer::Whole(stream(&frame(1, StepEnd::new(1))));
    let answers = [busy(), status("500 Oops", "", ""), status("502 Bad Gateway", "", ""), good, busy()];
    let fake = Fake::start(answers);
    let backoff = Backoff::new(Duration::from_micros(100), Duration::from_micros(300));
    let client = builder(fake.url()).backoff(backoff).build().expect("client");
    let mut events = client.everything().events();
    let mut attempts = Vec::new();
    while attempts.len() < 12 {
        match next(&mut events).await {
            Some(Ok(Update::Reconnecting(line))) => {
                assert!(line.pause <= Duration::from_micros(300));
                attempts.push(line.attempt);
            }
            Some(Ok(Update::Event(_))) => assert_eq!(attempts, [1, 2, 3]),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(attempts[3..7], [1, 2, 3, 4], "counted anew since the event");
    assert_eq!(events.counts().reconnects, 12);
    assert!(fake.asked()[4..].iter().all(|head| header(head, "last-event-id").is_some()));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_tried_again() {
    // Held without anybody listening there, so that no other test does.
    let port = tokio::net::TcpSocket::new_v4().expect("socket");
    port.bind(([127, 0, 0, 1], 0).into()).expect("free port");
    let addr = port.local_addr().expect("address");
    let line = reconnecting(&client(format!("http://{addr}"))).await;
    assert!(line.why.is_io(), "{}", line.why);
}

#[test]
fn without_a_runtime_there_is_an_error_and_no_panic() {
    let fake = Fake::start([status("204 No Content", "", "")]);
    let mut events = client(fake.url()).everything().events();
    let waker = std::task::Waker::noop();
    let polled = std::pin::pin!(events.next()).poll(&mut std::task::Context::from_waker(waker));
    assert!(matches!(polled, std::task::Poll::Ready(Some(Err(error))) if error.is_config()));
    let error = client(fake.url()).everything().events().into_receiver(1).expect_err("no runtime");
    assert!(error.is_config(), "{error}");
}

#[test]
fn an_address_that_cannot_be_used_is_refused_in_a_sentence_without_its_secrets() {
    let bad = [
        "localhost:4400",
        "ftp://localhost",
        "http://",
        "",
        "http://ada:lovelace@localhost:4400",
        "http://localhost/?token=lovelace",
    ];
    for url in bad {
        let error = builder(url.to_owned()).build().expect_err(url);
        assert!(error.is_config() && error.to_string().contains("accepted"), "{url}: {error}");
        assert!(!error.to_string().contains("lovelace"), "{error}");
    }
    for token in ["", "two words", "line\nbreak", "Bearer: x"] {
        let error = builder("http://localhost".to_owned()).bearer(token).build().expect_err(token);
        assert!(error.is_config() && (token.is_empty() || !error.to_string().contains(token)), "{error}");
    }
    assert!(builder("http://localhost".to_owned()).tickets().build().expect_err("no token").is_config());
}

#[tokio::test]
async fn a_server_that_asks_for_ages_is_heeded_where_that_is_wanted_and_nothing_overflows() {
    let fake = Fake::start([status("503 Service Unavailable", &format!("Retry-After: {}\r\n", u64::MAX), "")]);
    let backoff = Backoff::new(Duration::MAX, Duration::MAX).heed(Duration::MAX);
    let client = builder(fake.url()).backoff(backoff).build().expect("client");
    assert!(reconnecting(&client).await.pause >= Duration::from_secs(u64::MAX));
}
