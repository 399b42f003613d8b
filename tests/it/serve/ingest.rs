//! Events of other processes and languages: what is taken, what is refused, and what the answer promises.

use super::{SOON, served, settle};
use crate::http::{Reply, connect, get, post};
use flate2::{Compression, write::GzEncoder};
use spanwright::{
    EventLog, ExecutionId, Pending, Recorder,
    event::{Batch, Body},
    log::{MemoryLog, Query, Scope},
    serve::{Server, ServerHandle},
};
use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

pub(super) const LINES: (&str, &str) = ("Content-Type", "application/x-ndjson");
pub(super) const JSON: (&str, &str) = ("Content-Type", "application/json");
pub(super) const GZIP: (&str, &str) = ("Content-Encoding", "gzip");

/// Events that are numbered, so that a loss, a repetition and a change of order show.
pub(super) fn steps(id: &ExecutionId, numbers: std::ops::Range<u64>) -> Vec<String> {
    let step = |n| format!(r#"{{"type":"data-step-end","execution_id":"{id}","duration_ms":{n},"timestamp":{n}}}"#);
    numbers.map(step).collect()
}

/// The numbers of an execution's events in the log.
pub(super) fn kept(recorder: &Recorder, id: &ExecutionId) -> Vec<u64> {
    let log = recorder.log().expect("log");
    let page = log.read(Query::new(Scope::Execution(id.clone()), 0, 200_000)).wait(SOON).expect("read");
    let number = |body| if let Body::StepEnd(step) = body { Some(step.duration_ms) } else { None };
    page.events.iter().filter_map(|one| number(one.decode().expect("event").body)).collect()
}

pub(super) fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("pack");
    encoder.finish().expect("pack")
}

pub(super) fn post_lines(server: &ServerHandle, lines: &[String]) -> Reply {
    post(server.addr(), "/events", &[LINES], lines.join("\n").as_bytes())
}

type Headers<'a> = &'a [(&'a str, &'a str)];

fn refused_lines(answer: &serde_json::Value) -> Vec<u64> {
    let refused = answer["refused"].as_array().expect("refused").iter();
    refused.map(|one| one["line"].as_u64().expect("line")).collect()
}

#[test]
fn lines_that_are_posted_are_on_disk_in_order_with_their_times_and_seen_by_who_watches() {
    let (recorder, server, _emitter) = served(100);
    let id = ExecutionId::new();
    let path = format!("/executions/{id}/stream");
    let mut live = get(server.addr(), &path);
    let reply = post_lines(&server, &steps(&id, 0..20));
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
    let answer = reply.json();
    assert_eq!((&answer["accepted"], &answer["durable"]), (&20.into(), &true.into()), "{answer}");
    assert_eq!(
        (&answer["refused"], &answer["refused_count"], &answer["denied"]),
        (&serde_json::json!([]), &0.into(), &0.into())
    );
    assert_eq!(kept(&recorder, &id), (0..20).collect::<Vec<_>>(), "acknowledged is kept: nothing was flushed here");
    assert_eq!(live.event().expect("connected").event(), "data-connected");
    for n in 0..20 {
        let event = live.event().expect("event").data();
        assert_eq!(event.time.map(spanwright::Timestamp::unix_millis), Some(n), "the sender's own time");
    }
    let cursor = answer["cursor"].as_str().expect("cursor");
    assert_eq!(
        get(server.addr(), &format!("/executions/{id}/events?after={cursor}")).json()["events"],
        serde_json::json!([])
    );
}

#[test]
fn every_form_that_is_accepted_says_the_same() {
    let (recorder, server, _emitter) = served(100);
    let id = ExecutionId::new();
    let steps = steps(&id, 0..3);
    let (lines, array) = (steps.join("\n"), format!(" [{} ,\n {},{}]\n ", steps[0], steps[1], steps[2]));
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(&steps[0]).expect("JSON"));
    let two_members = [gzipped(&lines.as_bytes()[..50]), gzipped(&lines.as_bytes()[50..])].concat();
    let forms: [(Headers<'_>, Vec<u8>, u64); 12] = [
        (&[LINES], lines.clone().into(), 3),
        (&[LINES], format!("\r\n{}\r\n\r\n \n", lines.replace('\n', "\r\n")).into(), 3),
        (&[LINES], Vec::new(), 0),
        (&[("Content-Type", "Application/JSONL; charset=utf-8")], lines.clone().into(), 3),
        (&[JSON], array.clone().into(), 3),
        (&[JSON], pretty.expect("JSON").into(), 1),
        (&[JSON], b" [ \n ] ".into(), 0),
        (&[JSON, ("Content-Encoding", "identity")], steps[0].clone().into(), 1),
        (&[LINES, GZIP], gzipped(lines.as_bytes()), 3),
        (&[LINES, ("Content-Encoding", "X-Gzip")], two_members, 3),
        (&[JSON, GZIP], gzipped(array.as_bytes()), 3),
        (&[LINES, GZIP], Vec::new(), 0),
    ];
    let mut expected = Vec::new();
    for (headers, body, count) in forms {
        let reply = post(server.addr(), "/events", headers, &body);
        let (status, answer) = (reply.status, reply.json());
        assert_eq!((status, &answer["accepted"]), (200, &count.into()), "{headers:?} {answer}");
        expected.extend(0..count);
    }
    assert_eq!(kept(&recorder, &id), expected);
}

#[test]
fn a_body_in_chunks_is_cut_into_events_wherever_the_chunks_end() {
    let (recorder, server, _emitter) = served(100);
    let id = ExecutionId::new();
    let body = steps(&id, 0..30).join("\n");
    let mut tcp = connect(server.addr());
    let head = format!(
        "POST /events HTTP/1.1\r\nHost: {}\r\nContent-Type: application/jsonl\r\nTransfer-Encoding: chunked\r\n\r\n",
        server.addr()
    );
    tcp.write_all(head.as_bytes()).expect("send");
    for chunk in body.as_bytes().chunks(37) {
        tcp.write_all(format!("{:x}\r\n", chunk.len()).as_bytes()).expect("send");
        tcp.write_all(chunk).expect("send");
        tcp.write_all(b"\r\n").expect("send");
    }
    tcp.write_all(b"0\r\n\r\n").expect("send");
    assert_eq!(Reply::read(tcp).json()["accepted"], 30);
    assert_eq!(kept(&recorder, &id), (0..30).collect::<Vec<_>>());
}

#[test]
fn a_line_that_is_no_event_is_refused_by_its_number_and_the_others_are_taken() {
    let (recorder, server, _emitter) = served(100);
    let id = ExecutionId::new();
    let mut lines = steps(&id, 0..4);
    lines.insert(1, "no JSON".into());
    lines.insert(3, String::new());
    lines.insert(4, format!(r#"{{"type":"data-step-end","execution_id":"{id}"}}"#));
    lines.push(r#"{"type":"data-connected","execution_id":"x"}"#.into());
    lines.push(r#"{"type":"data-step-end","duration_ms":1}"#.into());
    lines.push(format!(
        r#"{{"type":"data-step-end","execution_id":"{id}","duration_ms":1,"timestamp":99999999999999999}}"#
    ));
    lines.push(format!(r#"{{"type":"data-step-end","execution_id":"{id}","duration_ms":"{}"}}"#, "x".repeat(100_000)));
    let reply = post_lines(&server, &lines);
    assert_eq!(reply.status, 422);
    let answer = reply.json();
    assert_eq!(refused_lines(&answer), [2, 5, 8, 9, 10, 11]);
    for (at, why) in [(1, "duration_ms"), (2, "data-connected"), (3, "execution_id"), (4, "1678")] {
        let error = answer["refused"][at]["error"].as_str().expect("error");
        assert!(error.contains(why), "{error}");
    }
    assert!(answer.to_string().len() < 2_000, "what was sent is not sent back as a whole");
    assert_eq!((&answer["accepted"], &answer["refused_count"]), (&4.into(), &6.into()));
    assert!(answer["error"].as_str().expect("error").contains("events refused: 6; taken: "));
    assert_eq!(kept(&recorder, &id), [0, 1, 2, 3]);
}

#[test]
fn an_array_may_hold_places_that_are_no_events_and_what_is_no_array_any_more_ends_the_reading() {
    let (recorder, server, _emitter) = served(100);
    let id = ExecutionId::new();
    let one = &steps(&id, 7..8)[0];
    let refused =
        post(server.addr(), "/events", &[JSON], format!("[{one},,5,[1,2],{{\"a\":\"],\"}},{one},]").as_bytes());
    let (status, answer) = (refused.status, refused.json());
    assert_eq!((status, refused_lines(&answer), &answer["accepted"]), (422, vec![2, 3, 4, 5, 7], &2.into()));
    for (body, why) in [
        (format!("[{one}] x"), "follows the array"),
        (format!("[{one},"), "within its array"),
        (format!("[{one},{{"), "within its array"),
    ] {
        let reply = post(server.addr(), "/events", &[JSON], body.as_bytes());
        assert_eq!(reply.status, 400, "{body}");
        let answer = reply.json();
        assert_eq!(answer["accepted"], 1, "what was before is kept");
        assert!(answer["error"].as_str().expect("error").contains(why), "{answer}");
    }
    assert_eq!(kept(&recorder, &id), [7; 5]);
}

#[test]
fn more_than_a_hundred_refused_lines_are_counted_and_not_listed() {
    let (_recorder, server, _emitter) = served(100);
    let answer = post_lines(&server, &vec!["x".to_owned(); 1_500]).json();
    assert_eq!((answer["refused"].as_array().map(Vec::len), &answer["refused_count"]), (Some(100), &1_500.into()));
}

#[test]
fn the_execution_of_the_path_is_that_of_events_which_name_none_and_of_no_other() {
    let (recorder, server, _emitter) = served(100);
    let (id, other) = (ExecutionId::parse("run/1 ü").expect("id"), ExecutionId::new());
    let mut lines = vec![r#"{"type":"data-step-end","duration_ms":1}"#.to_owned()];
    lines.extend(steps(&id, 2..3));
    lines.extend(steps(&other, 3..4));
    let reply = post(server.addr(), "/executions/run%2F1%20%C3%BC/events", &[LINES], lines.join("\n").as_bytes());
    let (status, answer) = (reply.status, reply.json());
    assert_eq!((status, &answer["accepted"], &answer["refused"][0]["line"]), (422, &2.into(), &3.into()));
    assert_eq!((kept(&recorder, &id), kept(&recorder, &other)), (vec![1, 2], vec![]));
}

#[test]
fn what_is_no_form_that_is_accepted_is_answered_with_those_that_are() {
    let (recorder, server, _emitter) = served(100);
    let wrong: [&[(&str, &str)]; 6] = [
        &[],
        &[("Content-Type", "text/plain")],
        &[("Content-Type", "application/x-www-form-urlencoded")],
        &[LINES, ("Content-Encoding", "br")],
        &[LINES, ("Content-Encoding", "gzip, gzip")],
        &[LINES, GZIP, GZIP],
    ];
    for headers in wrong {
        let reply = post(server.addr(), "/events", headers, &vec![b' '; 3 << 20]);
        assert_eq!(reply.status, 415, "{headers:?}");
        assert!(reply.header("accept").expect("accept").contains("application/x-ndjson"));
        assert!(reply.header("accept-encoding").expect("accept-encoding").contains("gzip"));
        assert!(reply.json()["error"].as_str().expect("error").contains("accepted"));
    }
    assert_eq!(get(server.addr(), "/executions/x/pause").header("allow"), Some("POST"));
    settle(&recorder);
    assert_eq!(recorder.stats().recorded, 0);
}

#[test]
fn secrets_of_others_are_masked_too_and_kinds_of_other_versions_are_kept() {
    let (_recorder, server, _emitter) = served(100);
    let lines = [
        r#"{"type":"data-note","execution_id":"x","name":"config","value":{"api_key":"canary-7"}}"#.to_owned(),
        r#"{"type":"data-of-tomorrow","execution_id":"x","anything":[1,2]}"#.to_owned(),
    ];
    assert_eq!(post_lines(&server, &lines).json()["accepted"], 2);
    let record = get(server.addr(), "/executions/x/events").text();
    assert!(!record.contains("canary-7") && record.contains("[redacted"), "{record}");
    assert!(record.contains("data-of-tomorrow") && record.contains("anything"), "{record}");
}

#[test]
fn without_a_log_the_answer_says_that_nothing_is_kept() {
    let recorder = Recorder::builder().start().expect("start");
    let server = Server::spawn(recorder.clone(), "127.0.0.1:0").expect("serve");
    let answer = post_lines(&server, &steps(&ExecutionId::new(), 0..3)).json();
    assert_eq!((&answer["accepted"], &answer["durable"]), (&3.into(), &false.into()));
    recorder.shutdown(SOON).expect("shutdown");
    let reply = post_lines(&server, &steps(&ExecutionId::new(), 0..3));
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("1")));
    assert!(reply.json()["error"].as_str().expect("error").contains("shut down"));
}

/// A log that refuses to keep anything while it is told to.
#[derive(Debug)]
struct Refusing(MemoryLog, Arc<AtomicBool>);

impl EventLog for Refusing {
    crate::hands_on::hands_on!(self to self.0 => opened_at unfinished flush read last_before resolve executions execution sessions place keep_place close);

    fn append(&self, batch: Arc<Batch>) -> Pending<()> {
        match self.1.load(Ordering::SeqCst) {
            true => Pending::asked().1,
            false => self.0.append(batch),
        }
    }
}

#[test]
fn what_the_log_could_not_keep_is_not_acknowledged_and_a_retry_with_the_key_brings_it() {
    let refuses = Arc::new(AtomicBool::new(false));
    let recorder = Recorder::builder().log(Refusing(MemoryLog::new(), refuses.clone())).start().expect("start");
    let server = Server::spawn(recorder.clone(), "127.0.0.1:0").expect("serve");
    let id = ExecutionId::new();
    let body = steps(&id, 0..700).join("\n");
    let send = || post(server.addr(), "/events", &[LINES, ("Idempotency-Key", "k")], body.as_bytes());
    refuses.store(true, Ordering::SeqCst);
    let reply = send();
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("1")));
    assert_eq!(reply.json()["accepted"], 0);
    refuses.store(false, Ordering::SeqCst);
    let reply = send();
    assert_eq!((reply.status, &reply.json()["accepted"]), (200, &700.into()));
    assert_eq!(kept(&recorder, &id), (0..700).collect::<Vec<_>>());
}
