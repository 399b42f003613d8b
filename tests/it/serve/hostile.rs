//! Clients that stall, vanish, flood or talk nonsense: they cost a socket for a while, and nobody else anything.

use super::{SOON, emit_numbers, numbers, resume, served, settle, stream_of, tags, until, wait_for, with_settings};
use crate::http::{Frame, Reply, connect, connect_narrow, get, get_with};
use proptest::prelude::*;
use spanwright::{
    Cursor, EventEmitter, ExecutionId, Recorder,
    event::{ExecutionEnd, StepEnd, TextDelta},
    serve::{Server, ServerHandle, Settings},
};
use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// Short deadlines, so that what is to be cut is cut in a test; still long for a machine that is busy.
pub(super) fn strict() -> Settings {
    Settings::default().write_idle(Duration::from_millis(2_000)).keep_alive(Duration::from_millis(500))
}

/// Sends the head of a request for this path, and what else is given, and does not read: what comes soon finds no room.
pub(super) fn ask(addr: SocketAddr, path: &str, more: &str) -> TcpStream {
    let mut tcp = connect_narrow(addr);
    write!(tcp, "GET {path} HTTP/1.1\r\nHost: {addr}\r\n\r\n{more}").expect("send");
    tcp
}

/// Asks for a stream, reads once, and stops.
fn ask_and_read_once(addr: SocketAddr, path: &str) -> TcpStream {
    let mut tcp = ask(addr, path, "");
    assert!(tcp.read(&mut [0; 64]).expect("something") > 0);
    tcp
}

/// What there is until the end, however it ends.
pub(super) fn rest(mut tcp: TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    // A reset is an end too; what came before it stays in `all`. Only silence is none.
    if let Err(error) = tcp.read_to_end(&mut all) {
        assert!(!matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut), "it hangs");
    }
    all
}

/// Until so many were cut. On a busy machine a question for the numbers may be among them.
fn wait_for_stalled(addr: SocketAddr, least: u64) {
    let deadline = Instant::now() + SOON;
    while get(addr, "/stats").json()["server"]["stalled"].as_u64().expect("a number") < least {
        assert!(Instant::now() < deadline, "fewer than {least} are cut");
    }
}

/// A reader that does what a reader should: it takes what comes at once, and thinks about it afterwards. It ends with
/// the execution.
fn healthy(addr: SocketAddr, emitter: &EventEmitter) -> JoinHandle<Vec<u8>> {
    let mut tcp = connect(addr);
    write!(tcp, "GET {} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n", stream_of(emitter)).expect("send");
    assert_eq!(tcp.peek(&mut [0]).expect("an answer"), 1);
    thread::spawn(move || rest(tcp))
}

/// That it had the numbers below this one, each once, in order, lost nothing, and saw the end.
fn had_all(reader: JoinHandle<Vec<u8>>, count: u64) {
    let frames = frames(&reader.join().expect("reader"));
    assert_eq!(numbers(&frames), (0..count).collect::<Vec<_>>());
    assert!(tags(&frames).iter().all(|tag| *tag != "data-stream-lagged" && *tag != "data-stream-gap"));
    assert_eq!(frames.last().map(Frame::event), Some("data-execution-end"));
}

/// The events of an answer in chunks.
fn frames(answer: &[u8]) -> Vec<Frame> {
    let text = std::str::from_utf8(answer).expect("text");
    let (_, mut chunks) = text.split_once("\r\n\r\n").expect("a head");
    let mut body = String::new();
    while let Some((size, rest)) = chunks.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).expect("a size");
        body += &rest[..size];
        chunks = &rest[size + 2..];
    }
    let blocks = body.split_inclusive("\n\n").filter(|block| !block.starts_with(':'));
    blocks.map(|block| Frame(block.to_owned())).collect()
}

/// This server's ends of its connections, as the kernel has them: state, and inode, which is 0 where no descriptor is
/// left. None where the system does not tell.
fn ends(addr: SocketAddr) -> Option<Vec<(String, String)>> {
    const LISTEN: &str = "0A";
    let table = std::fs::read_to_string("/proc/self/net/tcp").ok()?;
    let port = format!(":{:04X}", addr.port());
    let rows = table.lines().map(|line| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
    let own = rows.filter(|row| row[1].ends_with(&port) && row[3] != LISTEN);
    Some(own.map(|mut row| (row.swap_remove(3), row.swap_remove(9))).collect())
}

/// File descriptors of this process that are connections of this server; not those of the clients.
fn descriptors(addr: SocketAddr) -> Option<usize> {
    Some(ends(addr)?.iter().filter(|(_, inode)| inode != "0").count())
}

fn wait_for_descriptors(addr: SocketAddr, wanted: usize) {
    let deadline = Instant::now() + SOON;
    while descriptors(addr).is_some_and(|now| now != wanted) {
        assert!(Instant::now() < deadline, "{:?} descriptors stay, not {wanted}", descriptors(addr));
    }
}

/// Until none is left that we closed and of which the kernel still holds what its peer does not take. It would for
/// minutes.
fn wait_for_orphans(addr: SocketAddr) {
    const FIN_WAIT_1: &str = "04";
    let is_orphan = |(state, inode): &(String, String)| state == FIN_WAIT_1 && inode == "0";
    let deadline = Instant::now() + SOON;
    while ends(addr).is_some_and(|ends| ends.iter().any(is_orphan)) {
        assert!(Instant::now() < deadline, "the kernel keeps what nobody takes");
    }
}

/// A part of the descriptors that this process may have, up to a thousand: tests run beside this one.
pub(super) fn many() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(256);
    (soft / 8_usize).clamp(16, 1_000)
}

#[test]
fn two_hundred_readers_that_read_once_and_stop_leave_nothing_behind_and_can_come_back() {
    const EVENTS: u64 = 12_000;
    // Longer than a healthy reader may have to wait for its turn, with all this beside it.
    let (recorder, server) = with_settings(strict().write_idle(Duration::from_secs(5)));
    let (addr, emitter) = (server.addr(), recorder.emitter());
    let path = stream_of(&emitter);
    let mut stalled: Vec<_> = (0..many().min(200)).map(|_| ask_and_read_once(addr, &path)).collect();
    let reader = healthy(addr, &emitter);
    wait_for(addr, "/server/streams/open", stalled.len() as u64 + 1);
    emit_numbers(&emitter, 0..EVENTS);
    wait_for_stalled(addr, stalled.len() as u64);
    wait_for(addr, "/server/streams/open", 1);
    wait_for_descriptors(addr, 1);
    wait_for_orphans(addr);
    let taken = String::from_utf8_lossy(&rest(stalled.swap_remove(0))).into_owned();
    emitter.emit(ExecutionEnd::new(1_u64));
    had_all(reader, EVENTS);
    assert_eq!(recorder.stats().shed(), 0);
    wait_for_descriptors(addr, 0);
    came_back_without_loss(&server, &path, &taken, EVENTS);
}

/// What was taken before the cut stays readable, and its last id is where to go on.
fn came_back_without_loss(server: &ServerHandle, path: &str, taken: &str, events: u64) {
    // The last event may have been cut in the middle: the one before it counts.
    let whole = &taken[..taken.rfind("\n\n").expect("an event")];
    let last: Cursor =
        whole.lines().rev().find_map(|line| line.strip_prefix("id: ")).expect("id").parse().expect("cursor");
    let before = whole.matches("event: data-step-end\n").count() as u64;
    assert!(before > 0 && before < events);
    assert_eq!(numbers(&resume(server, path, last).events()), (before..events).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_has_ended_on_a_runtime_that_goes_on_has_cut_everyone() {
    let recorder = Recorder::builder().start().expect("start");
    let settings = Settings::default().drain(Duration::from_millis(100));
    let server = Server::bind("127.0.0.1:0").await.expect("bind").with(settings);
    let (addr, emitter) = (server.local_addr(), recorder.emitter());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = tokio::spawn(server.serve_until(recorder.clone(), async { drop(stopped.await) }));
    let stalled = tokio::task::spawn_blocking(move || {
        let open = (0..3).map(|_| ask_and_read_once(addr, "/stream")).collect::<Vec<_>>();
        (0..500).for_each(|_| emitter.emit(TextDelta::new("t", "x".repeat(8_000))));
        settle(emitter.recorder());
        open
    });
    let stalled = stalled.await.expect("clients");
    drop(stop);
    serving.await.expect("the server ends, though nobody reads");
    tokio::task::spawn_blocking(move || wait_for_descriptors(addr, 0)).await.expect("cut");
    drop(stalled);
}

/// The network of the part: a loopback of its own, which can be taken down under connections that stand.
fn loopback(state: &str) {
    let done = std::process::Command::new("ip").args(["link", "set", "lo", state]).status().expect("ip");
    assert!(done.success());
}

#[test]
fn peers_that_vanish_without_a_word_are_reaped() {
    const NAME: &str = "serve::hostile::peers_that_vanish_without_a_word_are_reaped";
    if crate::child::part().is_some() {
        return vanish();
    }
    let can = std::process::Command::new("unshare").args(["-rn", "ip", "link", "set", "lo", "up"]).output();
    if !can.is_ok_and(|done| done.status.success()) {
        return eprintln!("skipped: this machine has no network namespaces");
    }
    crate::child::run_under(&["unshare", "-rn"], NAME, "vanish", &[]);
}

fn vanish() {
    loopback("up");
    let (recorder, server) = with_settings(strict());
    let (addr, emitter) = (server.addr(), recorder.emitter());
    let path = stream_of(&emitter);
    let vanished: Vec<_> = (0..50).map(|_| ask_and_read_once(addr, &path)).collect();
    loopback("down");
    // Nothing comes through from here on, no FIN and no RST: half-open for both.
    drop(vanished);
    for _ in 0..200 {
        emitter.emit(TextDelta::new("t", "x".repeat(8_000)));
    }
    settle(&recorder);
    wait_for_descriptors(addr, 0);
    loopback("up");
    wait_for(addr, "/server/streams/open", 0);
    wait_for_stalled(addr, 50);
}

/// Beginnings of requests that never become whole.
const HALVES: [&str; 4] = [
    "G",
    "GET /stream HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
    "GET /stats HTTP/1.1\r\nHost: 127.0.0.1\r\n",
    "\r\n\r\nGET /he",
];

#[test]
fn a_thousand_requests_that_never_become_whole_are_closed_while_others_are_served() {
    let most = many();
    let (recorder, server) = with_settings(strict().connections(2 * most));
    let (addr, emitter) = (server.addr(), recorder.emitter());
    let reader = healthy(addr, &emitter);
    let halves: Vec<_> = HALVES.iter().cycle().take(most).map(|half| said(addr, half.as_bytes())).collect();
    emit_numbers(&emitter, 0..100);
    // It has its own bound, which a busy machine may miss.
    until(|| get(addr, "/health").status == 200);
    wait_for_stalled(addr, most as u64);
    for tcp in halves {
        assert!(rest(tcp).is_empty(), "no answer to what was no question");
    }
    emitter.emit(ExecutionEnd::new(1_u64));
    had_all(reader, 100);
    wait_for_descriptors(addr, 0);
}

pub(super) fn said(addr: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut tcp = connect(addr);
    // The server may have closed it before all was said.
    let _ = tcp.write_all(bytes);
    tcp
}

/// The status of what was answered, if anything was; the connection ends in any case.
fn status_of(addr: SocketAddr, request: &[u8]) -> Option<u16> {
    let tcp = said(addr, request);
    let _ = tcp.shutdown(Shutdown::Write);
    let answer = rest(tcp);
    let code = answer.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    std::str::from_utf8(code).ok()?.parse().ok()
}

#[test]
fn heads_that_are_far_too_large_are_refused_or_cut_and_others_are_served() {
    let (_recorder, server) = with_settings(strict());
    let addr = server.addr();
    let head = |more: &str| format!("GET /stats HTTP/1.1\r\nHost: {addr}\r\n{more}\r\n");
    let large = [
        format!("GET /{} HTTP/1.1\r\nHost: {addr}\r\n\r\n", "x".repeat(100_000)),
        format!("{} / HTTP/1.1\r\nHost: {addr}\r\n\r\n", "X".repeat(1_000_000)),
        head(&format!("X: {}\r\n", "x".repeat(4 << 20))),
        head(&format!("{}: x\r\n", "x".repeat(1 << 20))),
        head(&"X: y\r\n".repeat(101)),
        head(&"X: y\r\n".repeat(100_000)),
    ];
    for request in &large {
        let status = status_of(addr, request.as_bytes());
        // A reset may overtake the answer, since the server does not read on.
        assert!(status.is_none_or(|status| matches!(status, 400 | 414 | 431)), "{status:?} to {:.40}", request);
    }
    assert_eq!(status_of(addr, large[4].as_bytes()), Some(431), "small enough to be answered for sure");
    assert_eq!(get(addr, "/stats").status, 200);
    wait_for(addr, "/server/connections/open", 1);
}

#[test]
fn thousands_of_connections_past_the_limit_are_closed_at_once_and_counted_and_the_streams_that_run_go_on() {
    const PAST: u64 = 3_000;
    let (recorder, server) = with_settings(Settings::default().connections(8));
    let (addr, emitter) = (server.addr(), recorder.emitter());
    let reader = healthy(addr, &emitter);
    let held: Vec<_> = (0..7).map(|_| ask_and_read_once(addr, "/stream")).collect();
    for n in 0..PAST {
        let mut tcp = connect(addr);
        // Closed in an orderly way, or reset: never a word, never silence.
        assert_eq!(tcp.read(&mut [0; 1]).unwrap_or_default(), 0);
        emitter.emit(StepEnd::new(n));
    }
    drop(held);
    emitter.emit(ExecutionEnd::new(1_u64));
    had_all(reader, PAST);
    wait_until_served(addr);
    assert_eq!(get(addr, "/stats").json()["server"]["over_limit"], PAST);
}

/// A place becomes free when the server has seen the end of the one who had it.
fn wait_until_served(addr: SocketAddr) {
    wait_for_descriptors(addr, 0);
    let deadline = Instant::now() + SOON;
    while status_of_stats(addr) != Some(200) {
        assert!(Instant::now() < deadline, "nobody is served");
    }
}

fn status_of_stats(addr: SocketAddr) -> Option<u16> {
    status_of(addr, format!("GET /health HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n").as_bytes())
}

#[test]
fn giant_and_hostile_cursors_ids_and_queries_are_refused_in_a_sentence() {
    let (_recorder, server, emitter) = served(100);
    let (stream, giant) = (stream_of(&emitter), "9".repeat(60_000));
    let paths = [
        format!("{stream}?after={giant}"),
        format!("{stream}?after=0123456789abcdef-{giant}"),
        format!("{stream}?after=0123456789abcdef-18446744073709551616"),
        format!("{stream}?after=0123456789abcdef--1"),
        format!("{stream}?after=%F0%9F%92%A9&{}", "a=b&".repeat(10_000)),
        format!("{stream}?mode={giant}"),
        format!("{stream}?from={giant}"),
        format!("/executions?limit={giant}"),
        "/executions?limit=-1".into(),
        "/executions?limit=1e3".into(),
        format!("/executions/{giant}/stream"),
        format!("/executions/{}", "%00".repeat(100)),
        format!("/executions/{}/events", "%C3%BC".repeat(129)),
        "/executions/%E2%80%A8%0d%0aid:%201/stream".into(),
        format!("/executions/x{}", "/..".repeat(1_000)),
        format!("/{}", "a/".repeat(30_000)),
        "/executions//stream".into(),
        "/stream?after=%".into(),
        "/stream?%ff=%ff&after=%ff".into(),
    ];
    for path in paths {
        let reply = get(server.addr(), &path);
        assert!(matches!(reply.status, 400..=499), "{} to {path:.60}", reply.status);
        let error = reply.json()["error"].as_str().expect("a sentence").to_owned();
        assert!((10..400).contains(&error.len()), "{path:.60}: {error}");
    }
    let giant = get_with(server.addr(), &stream, &[("Last-Event-ID", &giant)]);
    assert_eq!(giant.status, 400);
}

#[test]
fn a_cursor_beyond_everything_is_a_gap_and_no_number_overflows() {
    let (recorder, server, emitter) = served(100);
    emit_numbers(&emitter, 0..5);
    let epoch = recorder.hub().newest().epoch;
    for cursor in [Cursor::new(epoch, u64::MAX), Cursor::new(!epoch, u64::MAX), Cursor::new(!epoch, 1)] {
        let mut reply = resume(&server, &stream_of(&emitter), cursor);
        assert_eq!(reply.status, 200);
        let first = [reply.event(), reply.event()].map(|frame| frame.expect("frame").event().to_owned());
        assert_eq!(first, ["data-connected", "data-stream-gap"], "{cursor}");
        let page = get(server.addr(), &format!("/executions/{}/events?after={cursor}", emitter.execution_id()));
        assert!(matches!(page.status, 200 | 410), "{cursor}");
    }
}

#[test]
fn requests_in_a_row_are_answered_in_their_order_and_one_behind_a_stream_does_not_hide_that_its_client_left() {
    let (_recorder, server) = with_settings(strict());
    let addr = server.addr();
    let row: String = (0..50)
        .map(|n| format!("GET /{} HTTP/1.1\r\nHost: {addr}\r\n\r\n", if n % 2 == 0 { "stats" } else { "nothing" }))
        .collect();
    let last = format!("HEAD /stream HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n");
    let answers = String::from_utf8(rest(said(addr, (row + &last).as_bytes()))).expect("text");
    let lines: Vec<_> = answers.lines().filter_map(|line| line.split("HTTP/1.1 ").nth(1)?.get(..3)).collect();
    assert_eq!(lines, [["200", "404"].repeat(25), vec!["200"]].concat());
    let behind: Vec<_> =
        (0..20).map(|_| ask(addr, "/stream", &format!("GET /stats HTTP/1.1\r\nHost: {addr}\r\n\r\n"))).collect();
    wait_for(addr, "/server/streams/open", 20);
    drop(behind);
    wait_for(addr, "/server/streams/open", 0);
    wait_for_descriptors(addr, 0);
}

#[test]
fn questions_for_the_heads_of_streams_leave_no_stream() {
    let (_recorder, server, emitter) = served(100);
    let addr = server.addr();
    let one = format!("HEAD {} HTTP/1.1\r\nHost: {addr}\r\n\r\n", stream_of(&emitter));
    let last = format!("HEAD /stream HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n");
    let heads = String::from_utf8(rest(said(addr, (one.repeat(100) + &last).as_bytes()))).expect("text");
    assert_eq!(heads.matches("HTTP/1.1 200").count(), 101);
    assert!(!heads.contains("data-connected"), "a head has no body");
    wait_for(addr, "/server/streams/open", 0);
}

#[test]
fn lines_that_are_reset_in_the_middle_are_noticed_and_their_neighbours_lose_nothing() {
    let (recorder, server) = with_settings(strict());
    let (addr, emitter) = (server.addr(), recorder.emitter());
    let reader = healthy(addr, &emitter);
    let path = stream_of(&emitter);
    for round in 0..10 {
        let lines: Vec<_> = (0..10).map(|_| ask_and_read_once(addr, &path)).collect();
        emit_numbers(&emitter, round * 100..(round + 1) * 100);
        // What was not read yet makes a reset of the end ("… send a RST", RFC 9293, 3.6.1).
        drop(lines);
    }
    wait_for(addr, "/server/streams/open", 1);
    emitter.emit(ExecutionEnd::new(1_u64));
    had_all(reader, 1_000);
    wait_for_descriptors(addr, 0);
}

#[test]
fn streams_of_executions_that_nobody_knows_leave_nothing_when_they_are_left() {
    let (recorder, server, _emitter) = served(100);
    let addr = server.addr();
    for _ in 0..1_000 {
        let mut reply: Reply = get(addr, &format!("/executions/{}/stream", ExecutionId::new()));
        assert_eq!(reply.frame().expect("connected").event(), "data-connected");
    }
    wait_for(addr, "/server/streams/open", 0);
    wait_for_descriptors(addr, 0);
    let stats = get(addr, "/stats").json();
    assert_eq!((&stats["server"]["streams"]["total"], &stats["hub"]["bytes"]), (&1_000.into(), &0.into()));
    assert_eq!(recorder.hub().held().events, 0, "asking for an execution does not make one");
}

/// Things that are no HTTP/1.1: TLS, HTTP/2, other protocols, other versions, nothing.
const NONSENSE: [&[u8]; 9] = [
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"SSH-2.0-OpenSSH_9.6\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /stream HTTP/1.1\r\nHost : x\r\n\r\n",
    b"GET /stream HTTP/1.1\r\n folded\r\n\r\n",
    b"POST /stream HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxy",
    b"POST /stream HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\n",
    b"",
];

#[test]
fn nonsense_is_refused_or_cut() {
    let (_recorder, server) = with_settings(strict());
    for bytes in NONSENSE {
        let status = status_of(server.addr(), bytes);
        assert!(status.is_none_or(|status| matches!(status, 400..=499 | 505)), "{status:?} to {bytes:?}");
    }
    until(|| get(server.addr(), "/health").status == 200);
}

#[test]
fn whatever_bytes_come_the_connection_ends_and_the_server_goes_on() {
    let (_recorder, server): (Recorder, _) = with_settings(strict());
    let addr = server.addr();
    let bytes = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..2_000),
        "(GET|HEAD|POST|\u{0}) [ -~]{0,80}( HTTP/1\\.[01])?\r?\n([ -~\u{0}]{0,40}\r?\n){0,8}(\r?\n)?"
            .prop_map(String::into_bytes),
    ];
    proptest!(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() }, |(bytes in bytes)| {
        let status = status_of(addr, &bytes);
        prop_assert!(status.is_none_or(|status| status < 500 || status == 501 || status == 505), "{status:?}");
    });
    until(|| get(addr, "/health").status == 200);
    wait_for(addr, "/server/streams/open", 0);
}
