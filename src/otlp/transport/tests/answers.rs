//! What answers over HTTP come to.

use super::{BODY, Reply, Signal, http, open, refused, retried, send, server::*, taken_with_warning};
use std::{
    io::Write,
    sync::{Mutex, mpsc},
    time::Duration,
};

const PROTOBUF: &str = "Content-Type: application/x-protobuf\r\n";
const JSON: &str = "Content-Type: application/json\r\n";

#[test]
fn a_status_is_what_counts() {
    for status in [200, 201, 202, 204, 250, 299] {
        let server = Server::with(status, "", b"");
        assert_eq!(send(&http(&server)), Reply::Accepted, "{status}");
    }
    let early =
        Server::saying([b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(), whole(200, "", b"")].concat(), || Then::KeepOpen);
    assert_eq!(send(&http(&early)), Reply::Accepted);
    let another = Server::saying(b"HTTP/1.1 101 Switching Protocols\r\n\r\n".to_vec(), || Then::Close);
    refused(send(&http(&another)));
    for status in [300, 304, 400, 401, 403, 404, 408, 415, 418, 422, 499, 500, 501, 505, 507, 599] {
        assert!(refused(send(&http(&Server::with(status, "", b"")))).contains(&status.to_string()));
    }
    for status in [429, 502, 503, 504] {
        assert_eq!(retried(send(&http(&Server::with(status, "", b"")))), (None, format!("status {status}")));
    }
    let too_large = send(&http(&Server::with(413, PROTOBUF, b"\x12\x034 M")));
    assert_eq!(too_large, Reply::TooLarge("status 413: 4 M".into()));
}

#[test]
fn a_back_end_that_asks_for_time_gets_it_up_to_ten_minutes_and_for_none_the_usual() {
    for (asked, waited) in
        [("7", Some(7)), ("86400", Some(600)), ("0", None), ("Sun, 06 Nov 1994 08:49:37 GMT", None), ("soon", None)]
    {
        let server = Server::with(503, &format!("Retry-After: {asked}\r\n"), b"");
        assert_eq!(retried(send(&http(&server))).0, waited.map(Duration::from_secs), "{asked}");
    }
    let server = Server::with(429, "Retry-After: Fri, 31 Dec 2100 23:59:59 GMT\r\n", b"");
    assert_eq!(retried(send(&http(&server))).0, Some(Duration::from_secs(600)));
    // It makes nothing retryable that is not.
    refused(send(&http(&Server::with(500, "Retry-After: 7\r\n", b""))));
}

#[test]
fn a_request_that_was_taken_is_taken_whatever_is_said_beside_it() {
    let html = "Content-Type: text/html\r\n";
    for (headers, body) in [
        ("", &b""[..]),
        (PROTOBUF, b""),
        (PROTOBUF, b"\x0a\x00"),
        (PROTOBUF, b"{}"),
        (PROTOBUF, b"\xff\xff\xff"),
        (JSON, b"{}"),
        (JSON, b"{\"partialSuccess\":{}}"),
        (JSON, b"{\"partialSuccess\":null}"),
        (JSON, b"{\"partialSuccess\":7}"),
        (JSON, b"not JSON"),
        (html, b"<p>OK</p>"),
        ("", b"\xde\xad\xbe\xef"),
    ] {
        assert_eq!(send(&http(&Server::with(200, headers, body))), Reply::Accepted, "{headers} {body:?}");
    }
}

#[test]
fn a_partial_success_is_told_in_both_encodings_whichever_was_sent() {
    let told = |rejected, message: &str| Reply::Partial { rejected, message: message.into() };
    for (headers, body, expected) in [
        (PROTOBUF, &b"\x0a\x06\x08\x05\x12\x02no"[..], told(5, "no")),
        (PROTOBUF, b"\x0a\x04\x12\x02hm", told(0, "hm")),
        ("", b"\x0a\x02\x08\x05", told(5, "")),
        (JSON, b"{\"partialSuccess\":{\"rejectedSpans\":\"5\",\"errorMessage\":\"no\"}}", told(5, "no")),
        (JSON, b"{\"partialSuccess\":{\"rejectedDataPoints\":2}}", told(2, "")),
        (JSON, b"{\"partialSuccess\":{\"rejectedSpans\":\"4\",\"errorMessage\":null}}", told(4, "")),
        (JSON, b"{\"partial_success\":{\"rejected_log_records\":3}}", told(3, "")),
        // Measured: JSON as the answer to protobuf, whatever its type says.
        (PROTOBUF, b"{\"partialSuccess\":{\"errorMessage\":\"hm\"}}", told(0, "hm")),
    ] {
        assert_eq!(send(&http(&Server::with(200, headers, body))), expected, "{body:?}");
    }
}

#[test]
fn an_answer_is_read_up_to_its_limit_and_no_further() {
    let endless = Server::start(|_, tcp| {
        let _ = tcp.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        let chunk = [b"10000\r\n".as_slice(), &[b'x'; 1 << 16], b"\r\n"].concat();
        while tcp.write_all(&chunk).is_ok() {}
        Then::Close
    });
    assert!(taken_with_warning(send(&http(&endless))).contains("4194304"));
    let refusing = Server::with(400, "", &vec![b'x'; 5 << 20]);
    assert!(refused(send(&http(&refusing))).chars().count() < 600);
}

#[test]
fn an_answer_cut_off_behind_its_status_is_an_answer() {
    let cut = Server::saying("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789", || Then::Close);
    assert!(taken_with_warning(send(&http(&cut))).contains("cut off"));
    let stalled = Server::saying("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789", || Then::Hang);
    // On a busy machine the status itself may come too late for the first.
    let mut waits = [200, 2_000, 20_000].into_iter().map(Duration::from_millis);
    let late = waits.find_map(|wait| match send(&http(&stalled).timeout(wait)) {
        Reply::Retry { .. } => None,
        reply => Some(taken_with_warning(reply)),
    });
    assert!(late.expect("a status").contains("cut off"));
    let busy = Server::saying("HTTP/1.1 503 Busy\r\nRetry-After: 4\r\nContent-Length: 100\r\n\r\nlat", || Then::Close);
    assert_eq!(retried(send(&http(&busy))), (Some(Duration::from_secs(4)), "status 503: lat".into()));
}

#[test]
fn no_answer_is_asked_for_again() {
    let closing = Server::start(|_, _| Then::Close);
    retried(send(&http(&closing)));
    let cut = Server::saying("HTTP/1.1 20", || Then::Close);
    retried(send(&http(&cut)));
    let silent = Server::start(|_, _| Then::Hang);
    let (_, why) = retried(send(&http(&silent).timeout(Duration::from_millis(200))));
    assert_eq!(why, "no answer within 200ms");
    let nobody = Nobody::new();
    let nowhere = super::Destination::http(format!("http://{}", nobody.addr()));
    assert!(retried(send(&nowhere)).1.starts_with("no connection: "));
    let nonsense = Server::saying("SSH-2.0-OpenSSH_9.2\r\n", || Then::Close);
    retried(send(&http(&nonsense)));
}

#[test]
fn where_an_answer_points_nobody_goes() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = Server::with(200, "", b"");
        let port = elsewhere.addr().port();
        let there = format!("Location: http://localhost:{port}/v1/traces?key=secretsecret\r\n");
        let server = Server::with(status, &there, b"");
        let why = refused(send(&http(&server).header("Authorization", "Bearer canary-of-mine")));
        assert!(why.contains("points to localhost,"), "{why}");
        assert!(!why.contains("secretsecret"), "{why}");
        assert_eq!((elsewhere.connections(), server.seen().len()), (0, 1));
    }
    let relative = refused(send(&http(&Server::with(308, "Location: /elsewhere\r\n", b""))));
    assert!(relative.contains("points to 127.0.0.1,"), "{relative}");
    let nowhere = refused(send(&http(&Server::with(302, "", b""))));
    assert!(nowhere.contains("points to nowhere,"), "{nowhere}");
}

#[test]
fn what_a_back_end_says_is_told_in_one_line_and_not_at_length() {
    let said = |headers: &str, body: &[u8]| refused(send(&http(&Server::with(400, headers, body))));
    assert_eq!(said(PROTOBUF, b"\x08\x03\x12\x0bno such key"), "status 400: no such key");
    assert_eq!(said(JSON, br#"{"code":3,"message":"no such key"}"#), "status 400: no such key");
    assert_eq!(said(JSON, br#"{"error":"no"}"#), r#"status 400: {"error":"no"}"#);
    assert_eq!(said("", b"a\x1b[2J\r\nb\0c\xff \xe2\x80\xaed"), "status 400: a [2J b c\u{fffd} d");
    let long = said("", "ä".repeat(10_000).as_bytes());
    assert_eq!(long.chars().count(), "status 400: ".len() + 512 + 1);
}

#[test]
fn a_connection_is_used_again_and_never_one_that_was_closed() {
    let server = Server::with(200, "", b"");
    let mut transport = open(&http(&server));
    (0..5).for_each(|_| assert_eq!(transport.send(Signal::Traces, BODY), Reply::Accepted));
    assert_eq!(server.connections(), 1);
    // Said to stay open, and closed while nobody looks: the next request finds that out before it is sent.
    let (close, closing) = mpsc::channel();
    let closing = Mutex::new(closing);
    let server = Server::start(move |_, tcp| {
        tcp.write_all(&whole(200, "", b"")).expect("write");
        closing.lock().expect("lock").recv().expect("told to");
        Then::Close
    });
    let mut transport = open(&http(&server));
    for sent in 1..=20 {
        assert_eq!(transport.send(Signal::Traces, BODY), Reply::Accepted);
        close.send(()).expect("tell");
        server.until_closed();
        assert_eq!(server.seen().len(), sent);
    }
}
