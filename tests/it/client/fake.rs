//! A server that gives the answers that it was told to, in order, and notes what it was asked.

use super::cursor;
use spanwright::{StreamEvent, wire::sse::write_frame};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    thread,
};

#[derive(Clone)]
pub(super) enum Answer {
    /// These bytes, and the end of the connection.
    Whole(String),
    /// These bytes, and then nothing, until the client goes.
    Held(String),
}

pub(super) struct Fake {
    pub(super) addr: SocketAddr,
    told: Arc<(Mutex<Told>, Condvar)>,
}

#[derive(Default)]
struct Told {
    heads: Vec<String>,
    gone: usize,
}

impl Fake {
    /// The last answer is given for ever.
    pub(super) fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let answers: Vec<Answer> = answers.into_iter().collect();
        let listener = TcpListener::bind("127.0.0.1:0").expect("listen");
        let addr = listener.local_addr().expect("address");
        let told = Arc::new((Mutex::new(Told::default()), Condvar::new()));
        let shared = told.clone();
        thread::spawn(move || {
            let mut given = answers.iter().chain(std::iter::repeat(answers.last().expect("an answer")));
            for stream in listener.incoming().map_while(Result::ok) {
                let (answer, told) = (given.next().expect("endless").clone(), shared.clone());
                thread::spawn(move || give(stream, answer, &told));
            }
        });
        Self { addr, told }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The head of every request so far.
    pub(super) fn asked(&self) -> Vec<String> {
        self.told.0.lock().expect("told").heads.clone()
    }

    /// Waits until so many connections were ended by the client.
    pub(super) fn wait_until_gone(&self, wanted: usize) {
        let told = self.told.0.lock().expect("told");
        let (_told, waited) =
            self.told.1.wait_timeout_while(told, super::SOON, |told| told.gone < wanted).expect("told");
        assert!(!waited.timed_out(), "the client does not let go");
    }
}

fn give(mut stream: TcpStream, answer: Answer, told: &(Mutex<Told>, Condvar)) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    told.0.lock().expect("told").heads.push(String::from_utf8(head).expect("ASCII"));
    let (Answer::Whole(text) | Answer::Held(text)) = &answer;
    if stream.write_all(text.as_bytes()).is_err() || matches!(answer, Answer::Whole(_)) {
        return;
    }
    while stream.read(&mut byte).is_ok_and(|read| read > 0) {}
    told.0.lock().expect("told").gone += 1;
    told.1.notify_all();
}

/// An answer without a length: it ends with the connection.
pub(super) fn stream(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{body}")
}

/// A short answer, with further headers, each with its line end.
pub(super) fn status(status: &str, headers: &str, body: &str) -> Answer {
    let length = body.len();
    Answer::Whole(format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}"))
}

pub(super) fn frame(offset: u64, event: impl Into<StreamEvent>) -> String {
    let mut out = String::new();
    write_frame(cursor(offset), &event.into(), &mut out);
    out
}

/// What a header of the request says.
pub(super) fn header(head: &str, name: &str) -> Option<String> {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).next()
}
