//! Bodies that are made to harm: each stops at its limit, with a sentence, and what was good before it is kept.

use super::{
    ingest::{GZIP, JSON, LINES, gzipped, kept, steps},
    served,
};
use crate::http::{Reply, connect, get, post, post_head};
use spanwright::{ExecutionId, serve::ServerHandle};
use std::io::Write;

const MIB: usize = 1 << 20;

fn event_with(field: &str) -> String {
    format!(r#"{{"type":"data-note","execution_id":"bomb","name":"n","value":{field}}}"#)
}

/// The answer to two good events and then this.
fn after_two_good(server: &ServerHandle, gzip: bool, bomb: &str) -> (u16, String) {
    let mut body = steps(&ExecutionId::parse("good").expect("id"), 0..2).join("\n");
    body = format!("{body}\n{bomb}\n");
    let bytes = if gzip { gzipped(body.as_bytes()) } else { body.into_bytes() };
    let headers: &[_] = if gzip { &[LINES, GZIP] } else { &[LINES] };
    let reply = post(server.addr(), "/events", headers, &bytes);
    let (status, answer) = (reply.status, reply.json());
    assert_eq!(answer["accepted"], 2, "{answer}");
    (status, answer["error"].as_str().expect("error").to_owned())
}

#[test]
fn what_is_deep_wide_or_long_stops_at_its_limit_and_what_was_before_is_kept() {
    let (recorder, server, _emitter) = served(100);
    let bombs = [
        (event_with(&"[".repeat(100_000)), 422, "deeper than 65"),
        (event_with(&"{\"a\":".repeat(100)), 422, "deeper than 65"),
        ("[".repeat(100), 422, "deeper than 65"),
        (event_with(&format!("[{}0]", "0,".repeat(100_000))), 422, "more than 100000 values"),
        (event_with(&format!("[{}0]", "{},".repeat(60_000))), 422, "more than 100000 values"),
        (event_with(&format!("\"{}\"", "x".repeat(2 * MIB))), 413, "longer than 2097152 bytes"),
        ("x".repeat(3 * MIB), 413, "longer than 2097152 bytes"),
    ];
    for (at, (bomb, status, why)) in bombs.iter().enumerate() {
        for gzip in [false, true] {
            let (answered, error) = after_two_good(&server, gzip, bomb);
            assert_eq!(answered, *status, "{at} {error}");
            assert!(error.contains(why), "{at} {error}");
        }
    }
    let id = ExecutionId::parse("good").expect("id");
    assert_eq!(kept(&recorder, &id), [0, 1].repeat(2 * bombs.len()));
    assert_eq!(get(server.addr(), "/executions/bomb").status, 404);
}

#[test]
fn what_is_just_within_the_limits_is_taken() {
    let (_recorder, server, _emitter) = served(100);
    let deepest = format!("{}{}", "[".repeat(64), "]".repeat(64));
    let widest = format!("[{}0]", "0,".repeat(99_000));
    let longest = format!("\"{}\"", "x".repeat(MIB - 2));
    let body = [deepest, widest, longest].map(|value| event_with(&value)).join("\n");
    let reply = post(server.addr(), "/events", &[LINES], body.as_bytes());
    assert_eq!(reply.json()["accepted"], 3);
    // Of a payload the limit is that of payloads: the line is refused, and no bomb.
    let longer = event_with(&format!("\"{}\"", "x".repeat(MIB)));
    let answer = post(server.addr(), "/events", &[JSON], longer.as_bytes()).json();
    assert_eq!((&answer["accepted"], &answer["refused_count"]), (&0.into(), &1.into()));
}

#[test]
fn a_packed_bomb_is_as_small_as_its_limit() {
    let (_recorder, server, _emitter) = served(100);
    let lines = [&[b' '; 1_023][..], b"\n"].concat();
    let blank = gzipped(&lines.repeat(20 * 1_024));
    assert!(blank.len() < 100_000, "hundreds to one");
    let empty = gzipped(&vec![b'\n'; 4 * MIB]);
    let members = gzipped(b"\n").repeat(2_000);
    let damaged = [&gzipped(b"{}\n")[..], b"rest"].concat();
    let twice = gzipped(&blank);
    let cut = &blank[..blank.len() / 2];
    let bombs: [(&[u8], u16, &str); 7] = [
        (&empty, 413, "more than 100000 lines"),
        (&blank, 413, "16777216"),
        (&members, 413, "1000 gzip members"),
        (&damaged, 400, "not gzip"),
        (b"plain", 400, "not gzip"),
        (cut, 400, "cut short"),
        // What is packed twice is bytes that are no event.
        (&twice, 422, "refused"),
    ];
    for (body, status, why) in bombs {
        let reply = post(server.addr(), "/events", &[LINES, GZIP], body);
        let (answered, answer) = (reply.status, reply.json());
        assert_eq!((answered, &answer["accepted"]), (status, &0.into()), "{why}: {answer}");
        assert!(answer["error"].as_str().expect("error").contains(why), "{answer}");
    }
}

#[test]
fn a_body_past_its_limit_is_refused_by_its_length_before_and_by_its_bytes_when_it_says_none() {
    let (_recorder, server, _emitter) = served(100);
    let blank = [&[b' '; 1_023][..], b"\n"].concat().repeat(17 * 1_024);
    let reply = post(server.addr(), "/events", &[LINES], &blank);
    assert_eq!(reply.status, 413);
    assert!(reply.json()["error"].as_str().expect("error").contains("at most 16777216"));
    let mut tcp = connect(server.addr());
    let head = format!(
        "POST /events HTTP/1.1\r\nHost: {}\r\nContent-Type: application/jsonl\r\nTransfer-Encoding: chunked\r\n\r\n",
        server.addr()
    );
    tcp.write_all(head.as_bytes()).expect("send");
    tcp.write_all(format!("{:x}\r\n", blank.len()).as_bytes()).expect("send");
    tcp.write_all(&blank).expect("send");
    tcp.write_all(b"\r\n0\r\n\r\n").expect("send");
    let reply = Reply::read(tcp);
    assert_eq!((reply.status, &reply.json()["accepted"]), (413, &0.into()));
}

#[test]
fn a_client_that_asks_before_it_sends_is_told_before_it_sends() {
    let (_recorder, server, _emitter) = served(100);
    let mut tcp = connect(server.addr());
    let headers = [("Content-Type", "text/plain"), ("Expect", "100-continue")];
    tcp.write_all(post_head(server.addr(), "/events", &headers, MIB).as_bytes()).expect("send");
    assert_eq!(Reply::read(tcp).status, 415, "and not 100");
}

/// Lines that are refused count as those that are taken, and cost less here.
#[test]
fn more_lines_than_a_body_may_hold_are_not_read_and_those_before_are_taken() {
    let (recorder, server, _emitter) = served(100);
    let id = ExecutionId::new();
    let mut lines = vec!["x".to_owned(); 100_000];
    lines.splice(..2, steps(&id, 0..2));
    lines.extend(steps(&id, 2..4));
    let reply = post(server.addr(), "/events", &[LINES], lines.join("\n").as_bytes());
    let (status, answer) = (reply.status, reply.json());
    assert_eq!((status, &answer["accepted"], &answer["refused_count"]), (413, &2.into(), &99_998.into()));
    assert_eq!(kept(&recorder, &id), [0, 1]);
}

#[test]
fn bodies_that_are_read_at_once_are_bounded_and_a_place_that_becomes_free_is_given_again() {
    let (recorder, server, _emitter) = served(100);
    let id = ExecutionId::new();
    let open: Vec<_> = (0..16)
        .map(|n| {
            let (mut tcp, line) = (connect(server.addr()), steps(&id, n..n + 1).remove(0) + "\n");
            let head = post_head(server.addr(), "/events", &[LINES], line.len() + 1);
            tcp.write_all((head + &line).as_bytes()).expect("send");
            tcp
        })
        .collect();
    let try_one = || post(server.addr(), "/events", &[LINES], b"");
    super::until(|| try_one().status == 503);
    let refused = try_one();
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert!(refused.json()["error"].as_str().expect("error").contains("16 bodies"));
    drop(open);
    super::until(|| try_one().status == 200);
    super::until(|| recorder.flush().wait(super::SOON).is_ok() && kept(&recorder, &id).len() == 16);
}
