//! A stream ends with the right to read it.

use super::{super::super::Settings, Served, ask, claims, served, signed, unix_seconds};
use axum::body::{Body, to_bytes};
use futures_util::StreamExt;
use serde_json::json;
use std::time::Duration;
use tokio::task::JoinSet;

const STREAMS: usize = 1_000;
const HOUR: Duration = Duration::from_secs(3_600);

/// Streams that are read to their end, each on a task.
async fn open(server: &Served, headers: &[(&str, &str)]) -> JoinSet<String> {
    let mut readers = JoinSet::new();
    for _ in 0..STREAMS {
        let response = ask(&server.router, "GET", "/stream", headers).await;
        assert_eq!(response.status(), 200);
        let mut body = response.into_body().into_data_stream();
        let first = body.next().await.expect("a first frame").expect("bytes");
        readers.spawn(async {
            let rest = to_bytes(Body::from_stream(body), 16 << 20).await.expect("whole frames and an end");
            String::from_utf8([first, rest].concat()).expect("UTF-8")
        });
    }
    readers
}

async fn all_end(mut readers: JoinSet<String>) {
    let mut ended = 0;
    while let Some(text) = readers.join_next().await {
        let text = text.expect("reader");
        assert!(text.contains("event: data-connected") && text.ends_with("\n\n"), "{text:?}");
        ended += 1;
    }
    assert_eq!(ended, STREAMS);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_streams_end_when_their_token_does() {
    let server = served(Settings::default());
    let mut token = claims("read", None);
    token["exp"] = json!(unix_seconds() + 2 * 3_600);
    let readers = open(&server, &[("Authorization", &format!("Bearer {}", signed(&token)))]).await;
    tokio::time::advance(HOUR).await;
    let open = || server.app.counters.to_json()["streams"]["open"].clone();
    assert_eq!(open(), STREAMS);
    let before = tokio::time::Instant::now();
    all_end(readers).await;
    assert!(before.elapsed() <= HOUR + Duration::from_secs(1), "{:?}", before.elapsed());
    assert_eq!(open(), 0);
}

#[tokio::test]
async fn a_thousand_streams_end_when_their_token_is_revoked() {
    let server = served(Settings::default());
    let token = signed(&claims("read", None));
    let readers = open(&server, &[("Authorization", &format!("Bearer {token}"))]).await;
    server.access.revoke(&token).expect("revoke");
    all_end(readers).await;
    let again = ask(&server.router, "GET", "/stream", &[("Authorization", &format!("Bearer {token}"))]).await;
    assert_eq!(again.status(), 401);
}

#[tokio::test]
async fn what_was_made_with_a_token_goes_with_it_and_others_stay() {
    let server = served(Settings::default());
    let mut named = claims("read", None);
    named["jti"] = json!("the laptop of somebody");
    let (gone, stays) = (signed(&named), signed(&claims("read", None)));
    let [gone, stays] = [gone, stays].map(|token| format!("Bearer {token}"));
    let cookie = cookie(&server, &gone).await;
    let by_cookie = [("Cookie", cookie.as_str()), ("Origin", super::ORIGIN)];
    let readers = open(&server, &by_cookie).await;
    let mut others = open(&server, &[("Authorization", &stays)]).await;
    server.access.revoke_id("the laptop of somebody").expect("revoke");
    all_end(readers).await;
    assert_eq!(ask(&server.router, "GET", "/executions", &by_cookie).await.status(), 401);
    assert!(others.try_join_next().is_none(), "the streams of another token stay");
}

#[tokio::test]
async fn a_session_that_is_ended_takes_its_streams_along() {
    let server = served(Settings::default());
    let cookie = cookie(&server, &format!("Bearer {}", signed(&claims("read", None)))).await;
    let by_cookie = [("Cookie", cookie.as_str()), ("Origin", super::ORIGIN)];
    let readers = open(&server, &by_cookie).await;
    let ended = ask(&server.router, "DELETE", "/session", &by_cookie).await;
    assert_eq!(ended.status(), 204);
    assert!(ended.headers()["set-cookie"].to_str().expect("ASCII").starts_with("spanwright=; Path=/; Max-Age=0"));
    all_end(readers).await;
}

/// To those who read a run as a whole an end without a word is the end of the run.
#[tokio::test]
async fn a_run_that_is_not_over_is_cut_and_not_ended() {
    let server = served(Settings::default());
    let token = signed(&claims("read", None));
    let bearer = format!("Bearer {token}");
    let path = "/executions/run/stream?dialect=ai-sdk-ui";
    let mut body = ask(&server.router, "GET", path, &[("Authorization", &bearer)]).await.into_body().into_data_stream();
    body.next().await.expect("a first frame").expect("bytes");
    server.access.revoke(&token).expect("revoke");
    assert!(body.next().await.expect("a cut").is_err());
}

async fn cookie(server: &Served, bearer: &str) -> String {
    let response = ask(&server.router, "POST", "/session", &[("Authorization", bearer)]).await;
    let text = response.headers()["set-cookie"].to_str().expect("ASCII").to_owned();
    text.split(';').next().expect("pair").to_owned()
}
