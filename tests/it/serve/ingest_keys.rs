//! A body that is sent again: with its key nothing is taken twice, wherever it was cut.

use super::{
    ingest::{GZIP, LINES, gzipped, kept, steps},
    served, until,
};
use crate::{
    http::{Reply, connect, post, post_head},
    intake::Mute,
};
use proptest::prelude::*;
use spanwright::{
    Answer, EventLog, ExecutionId, Pending, Recorder,
    event::Batch,
    log::MemoryLog,
    serve::{Server, ServerHandle},
};
use std::{
    io::{Read, Write},
    net::Shutdown,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

fn keyed<'a>(key: &'a str, rest: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&[LINES, ("Idempotency-Key", key)], rest].concat()
}

/// Sends so much of a body and no more. Then it is gone at once, or waits until the server has nothing to say to that.
fn send_cut(server: &ServerHandle, headers: &[(&str, &str)], body: &[u8], cut: usize, waits: bool) {
    let mut tcp = connect(server.addr());
    tcp.write_all(post_head(server.addr(), "/events", headers, body.len()).as_bytes()).expect("send");
    // It may have been refused: while the one before is under way, for one.
    let _ = tcp.write_all(&body[..cut]);
    if waits {
        let _ = tcp.shutdown(Shutdown::Write);
        let _ = tcp.read_to_end(&mut Vec::new());
    }
}

/// Sends it until it is taken, as a client does: 409 means that the server has not noticed yet that the first has gone.
fn send_whole(server: &ServerHandle, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    let mut last = None;
    until(|| {
        let reply = post(server.addr(), "/events", headers, body);
        let done = reply.status != 409;
        last = Some(reply);
        done
    });
    last.expect("a reply")
}

#[test]
fn the_same_body_with_the_same_key_is_answered_as_before_and_taken_once() {
    let (recorder, server, _emitter) = served(100);
    let id = ExecutionId::new();
    let mut lines = steps(&id, 0..5);
    lines.insert(2, "x".to_owned());
    let body = lines.join("\n");
    let first = send_whole(&server, &keyed("k", &[]), body.as_bytes());
    let (status, first) = (first.status, first.json());
    assert_eq!((status, &first["accepted"], &first["refused"][0]["line"]), (422, &5.into(), &3.into()));
    for headers in [keyed("k", &[]), keyed("k", &[GZIP])] {
        let bytes = if headers.contains(&GZIP) { gzipped(body.as_bytes()) } else { body.clone().into_bytes() };
        let again = send_whole(&server, &headers, &bytes);
        let (status, again) = (again.status, again.json());
        assert_eq!(status, 422);
        for member in ["accepted", "refused", "refused_count", "error"] {
            assert_eq!(again[member], first[member], "{member}");
        }
    }
    assert_eq!(kept(&recorder, &id), [0, 1, 2, 3, 4]);
    assert_eq!(send_whole(&server, &keyed("other", &[]), body.as_bytes()).json()["accepted"], 5, "another key");
    assert_eq!(post(server.addr(), "/events", &[LINES], body.as_bytes()).json()["accepted"], 5, "no key");
    let elsewhere = format!("/executions/{id}/events");
    assert_eq!(
        post(server.addr(), &elsewhere, &keyed("k", &[]), body.as_bytes()).json()["accepted"],
        5,
        "another path"
    );
}

#[test]
fn a_key_is_for_one_body() {
    let (recorder, server, _emitter) = served(100);
    let id = ExecutionId::new();
    let body = steps(&id, 0..5).join("\n");
    assert_eq!(send_whole(&server, &keyed("k", &[]), body.as_bytes()).status, 200);
    let others = [steps(&id, 0..4), steps(&id, 0..6), steps(&id, 1..6), Vec::new()];
    for other in others {
        let reply = send_whole(&server, &keyed("k", &[]), other.join("\n").as_bytes());
        assert_eq!(reply.status, 422);
        let answer = reply.json();
        assert!(answer["error"].as_str().expect("error").contains("another body"), "{answer}");
        assert!(answer["accepted"].is_null(), "what became of the first is not told of the second");
    }
    assert_eq!(kept(&recorder, &id), [0, 1, 2, 3, 4]);
}

#[test]
fn a_key_that_is_none_is_refused() {
    let (_recorder, server, _emitter) = served(100);
    let long = "k".repeat(129);
    for key in ["", "ü", long.as_str()] {
        assert_eq!(post(server.addr(), "/events", &keyed(key, &[]), b"").status, 400, "{key:?}");
    }
    let twice = keyed("a", &[("Idempotency-Key", "b")]);
    assert_eq!(post(server.addr(), "/events", &twice, b"").status, 400);
    assert_eq!(post(server.addr(), "/events", &keyed(&long[1..], &[]), b"").status, 200);
}

#[test]
fn while_the_first_is_under_way_a_second_with_its_key_has_to_come_again() {
    let (recorder, server, _emitter) = served(100);
    let id = ExecutionId::new();
    let body = steps(&id, 0..5).join("\n");
    let mut first = connect(server.addr());
    let head = post_head(server.addr(), "/events", &keyed("k", &[]), body.len());
    first.write_all((head + &body[..body.len() - 1]).as_bytes()).expect("send");
    until(|| post(server.addr(), "/events", &keyed("k", &[]), body.as_bytes()).status == 409);
    let conflict = post(server.addr(), "/events", &keyed("k", &[]), body.as_bytes());
    assert_eq!((conflict.status, conflict.header("retry-after")), (409, Some("1")));
    first.write_all(&body.as_bytes()[body.len() - 1..]).expect("send");
    assert_eq!(Reply::read(first).json()["accepted"], 5);
    assert_eq!(send_whole(&server, &keyed("k", &[]), body.as_bytes()).json()["accepted"], 5);
    assert_eq!(kept(&recorder, &id), [0, 1, 2, 3, 4]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn cut_anywhere_and_sent_again_until_it_is_taken_each_event_is_there_once_and_in_order(
        count in 1_u64..1_500,
        cuts in prop::collection::vec((0.0_f64..1.0, any::<bool>()), 0..5),
        packed in any::<bool>(),
        bad in prop::collection::vec(0.0_f64..1.0, 0..3),
    ) {
        let (recorder, server, _emitter) = served(100);
        let id = ExecutionId::new();
        let mut lines = steps(&id, 0..count);
        bad.iter().for_each(|at| lines.insert((at * count as f64) as usize, "no event".to_owned()));
        let plain = lines.join("\n").into_bytes();
        let body = if packed { gzipped(&plain) } else { plain };
        let headers = keyed("k", if packed { &[GZIP] } else { &[] });
        for (cut, waits) in cuts {
            let at = (cut * body.len() as f64) as usize;
            send_cut(&server, &headers, &body, at, waits);
        }
        let reply = send_whole(&server, &headers, &body);
        prop_assert_eq!(reply.status, if bad.is_empty() { 200 } else { 422 });
        let answer = reply.json();
        prop_assert_eq!(&answer["accepted"], &serde_json::json!(count));
        prop_assert_eq!(&answer["refused_count"], &serde_json::json!(bad.len()));
        prop_assert_eq!(kept(&recorder, &id), (0..count).collect::<Vec<_>>());
    }
}

/// A log that says nothing while it holds its answers. When they are dropped it has kept nothing of all that.
#[derive(Debug)]
struct Hanging(MemoryLog, Arc<Mutex<Option<Vec<Answer<()>>>>>);

impl Hanging {
    fn or_hang(&self, ask: impl FnOnce() -> Pending<()>) -> Pending<()> {
        let mut held = self.1.lock().expect("lock");
        let Some(held) = &mut *held else { return ask() };
        let (answer, pending) = Pending::asked();
        held.push(answer);
        pending
    }
}

impl EventLog for Hanging {
    crate::hands_on::hands_on!(self to self.0 => opened_at unfinished read last_before resolve executions execution sessions place keep_place close);

    fn append(&self, batch: Arc<Batch>) -> Pending<()> {
        self.or_hang(|| self.0.append(batch))
    }

    fn flush(&self) -> Pending<()> {
        self.or_hang(|| self.0.flush())
    }
}

#[test]
fn what_the_log_loses_after_its_sender_has_gone_is_taken_again_with_the_next_try() {
    let held = Arc::new(Mutex::new(Some(Vec::new())));
    let recorder = Recorder::builder().log(Hanging(MemoryLog::new(), held.clone())).start().expect("start");
    let server = Server::spawn(recorder.clone(), "127.0.0.1:0").expect("serve");
    let id = ExecutionId::new();
    let (headers, body) = (keyed("k", &[]), steps(&id, 0..10).join("\n"));
    let mut tcp = connect(server.addr());
    let head = post_head(server.addr(), "/events", &headers, body.len());
    tcp.write_all((head + &body).as_bytes()).expect("send");
    until(|| recorder.stats().recorded == 10);
    drop(tcp);
    // The request is over when its line is: nobody is left to hear what becomes of it.
    super::wait_for(server.addr(), "/server/connections/open", 1);
    drop(held.lock().expect("lock").take());
    until(|| recorder.stats().unlogged == 10);
    until(|| send_whole(&server, &headers, body.as_bytes()).status == 200);
    assert_eq!(send_whole(&server, &headers, body.as_bytes()).json()["accepted"], 10);
    assert_eq!(kept(&recorder, &id), (0..10).collect::<Vec<_>>());
}

#[test]
fn while_the_log_cannot_say_whose_an_execution_is_nothing_is_told_as_somebody_elses() {
    let mute = Arc::new(AtomicBool::new(true));
    let recorder = Recorder::builder().log(Mute(MemoryLog::new(), mute.clone())).start().expect("start");
    let server = Server::spawn(recorder.clone(), "127.0.0.1:0").expect("serve");
    let id = ExecutionId::parse("run-7").expect("id");
    let (headers, body) = (keyed("k", &[]), steps(&id, 0..700).join("\n"));
    let reply = send_whole(&server, &headers, body.as_bytes());
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("1")));
    let answer = reply.json();
    assert_eq!((&answer["accepted"], &answer["denied"]), (&0.into(), &0.into()), "{answer}");
    mute.store(false, Ordering::SeqCst);
    let reply = send_whole(&server, &headers, body.as_bytes());
    assert_eq!((reply.status, &reply.json()["accepted"]), (200, &700.into()));
    assert_eq!(kept(&recorder, &id), (0..700).collect::<Vec<_>>());
}
