//! Where a token goes, and where it does not.

use super::{
    all, builder,
    fake::{Answer, Fake, frame, header, status, stream},
    next, next_event,
};
use spanwright::{client::Update, event::StepEnd};

const TOKEN: &str = "c2VjcmV0-lovelace";

fn done() -> Answer {
    status("204 No Content", "", "")
}

fn to(url: &str) -> Answer {
    status("307 Temporary Redirect", &format!("Location: {url}\r\n"), "")
}

#[tokio::test]
async fn a_token_goes_into_the_header_and_nowhere_else() {
    let fake = Fake::start([done()]);
    let builder = builder(fake.url()).bearer(TOKEN);
    let mut shown = format!("{builder:?}");
    let client = builder.build().expect("client");
    let watch = client.session("s 1/2");
    shown += &format!("{client:?}{watch:?}");
    let mut events = watch.events();
    assert_eq!(all(&mut events).await, []);
    shown += &format!("{events:?}");
    assert!(!shown.contains("lovelace"), "{shown}");
    let head = &fake.asked()[0];
    assert!(head.starts_with("GET /sessions/s%201%2F2/stream HTTP/1.1\r\n"), "{head}");
    assert_eq!(header(head, "authorization"), Some(format!("Bearer {TOKEN}")));
    assert_eq!(header(head, "accept").as_deref(), Some("text/event-stream"));
    assert_eq!(head.matches(TOKEN).count(), 1);
}

#[tokio::test]
async fn a_redirect_to_another_host_gets_no_token() {
    let other = Fake::start([done()]);
    let fake = Fake::start([to(&format!("{}/stream", other.url()))]);
    let client = builder(fake.url()).bearer(TOKEN).build().expect("client");
    let error = next(&mut client.everything().events()).await.expect("told").expect_err("refused");
    assert!(error.is_config() && error.to_string().contains("307"), "{error}");
    assert_eq!(other.asked(), [""; 0], "nobody asked it");
    let error = client.stats().await.expect_err("refused");
    assert!(error.is_config(), "{error}");
    assert_eq!(other.asked(), [""; 0]);
}

#[tokio::test]
async fn a_redirect_within_the_host_is_followed_and_without_a_token_any() {
    let fake = Fake::start([to("/moved/stream"), done()]);
    let client = builder(fake.url()).bearer(TOKEN).build().expect("client");
    assert_eq!(all(&mut client.everything().events()).await, []);
    let asked = fake.asked();
    assert!(asked[1].starts_with("GET /moved/stream ") && asked[1].contains(TOKEN), "{asked:?}");

    let other = Fake::start([done()]);
    let fake = Fake::start([to(&format!("{}/stream", other.url()))]);
    let client = builder(fake.url()).build().expect("client");
    assert_eq!(all(&mut client.everything().events()).await, []);
    assert_eq!(other.asked().len(), 1);
}

#[tokio::test]
async fn a_ticket_is_fetched_anew_for_every_connection_and_the_token_stays_away_from_streams() {
    let ticket = |name: &str| status("200 OK", "", &format!(r#"{{"ticket":"{name}","expires_in_s":30}}"#));
    let cut = Answer::Whole(stream(&frame(1, StepEnd::new(1))));
    let fake = Fake::start([ticket("one+&"), cut, status("503 Busy", "", ""), ticket("two"), done()]);
    let client = builder(fake.url()).bearer(TOKEN).tickets().build().expect("client");
    let mut events = client.everything().events();
    next_event(&mut events).await;
    let mut lost = Vec::new();
    while let Some(update) = next(&mut events).await {
        match update.expect("update") {
            Update::Reconnecting(line) => lost.push(line.why.to_string()),
            other => panic!("{other:?}"),
        }
    }
    let asked = fake.asked();
    let lines: Vec<&str> = asked.iter().map(|head| head.lines().next().expect("line")).collect();
    let (post, get) = ("POST /tickets HTTP/1.1", "GET /stream?ticket=");
    let wanted = [post, &format!("{get}one%2B%26 HTTP/1.1"), post, post, &format!("{get}two HTTP/1.1")];
    assert_eq!(lines, wanted);
    for (head, line) in asked.iter().zip(lines) {
        assert_eq!(head.contains(TOKEN), line == post, "{head}");
    }
    assert!(lost.len() == 2 && !lost.concat().contains("one"), "{lost:?}");
}

#[tokio::test]
async fn no_error_says_the_ticket() {
    let ticket = status("200 OK", "", r#"{"ticket":"lovelace"}"#);
    // The connection ends without an answer.
    let fake = Fake::start([ticket, Answer::Whole(String::new())]);
    let client = builder(fake.url()).bearer(TOKEN).tickets().build().expect("client");
    match next(&mut client.everything().events()).await {
        Some(Ok(Update::Reconnecting(line))) => {
            let (shown, debug) = (line.why.to_string(), format!("{:?}", line.why));
            assert!(!shown.contains("lovelace") && !debug.contains("lovelace"), "{shown} {debug}");
        }
        other => panic!("{other:?}"),
    }
    let odd = Fake::start([status("200 OK", "", r#"{"ticket":["lovelace"]}"#)]);
    let client = builder(odd.url()).bearer(TOKEN).tickets().build().expect("client");
    let error = next(&mut client.everything().events()).await.expect("told").expect_err("no ticket");
    assert!(error.is_corrupt() && !error.to_string().contains("lovelace"), "{error}");
}
