//! What is written into files.

use super::{BODY, Reply, Signal, open, retried};
use crate::otlp::{Destination, Encoding};
use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

/// A folder of its own, gone when the test is.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("spanwright-otlp-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        // Left by a process of this number that was killed.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("folder");
        Self(folder)
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_request_is_a_line_and_other_signals_have_files_beside_it() {
    let folder = Folder::new();
    let path = folder.file("run.jsonl");
    let destination = Destination::file(&path).metrics(true).logs(true);
    for signal in [Signal::Traces, Signal::Metrics, Signal::Logs, Signal::Traces] {
        assert_eq!(destination.transport(signal).expect("open").send(signal, b"{}"), Reply::Accepted);
    }
    assert_eq!(fs::read(path).expect("traces"), b"{}\n{}\n");
    assert_eq!(fs::read(folder.file("run.metrics.jsonl")).expect("metrics"), b"{}\n");
    assert_eq!(fs::read(folder.file("run.logs.jsonl")).expect("logs"), b"{}\n");
}

#[test]
fn behind_half_a_line_a_new_one_begins() {
    let folder = Folder::new();
    let path = folder.file("run.jsonl");
    fs::write(&path, "{\"a\":1}\n{\"resou").expect("write");
    assert_eq!(open(&Destination::file(&path)).send(Signal::Traces, b"{}"), Reply::Accepted);
    assert_eq!(fs::read_to_string(&path).expect("read"), "{\"a\":1}\n{\"resou\n{}\n");
}

#[test]
fn messages_are_behind_their_lengths_and_half_a_one_is_taken_off() {
    let folder = Folder::new();
    let path = folder.file("run.bin");
    let destination = Destination::file(&path).encoding(Encoding::Protobuf);
    let whole = [&u32::try_from(BODY.len()).expect("small").to_be_bytes(), BODY].concat();
    for left in 0..whole.len() {
        fs::write(&path, [&whole, &whole[..left]].concat()).expect("write");
        assert_eq!(open(&destination).send(Signal::Traces, BODY), Reply::Accepted);
        assert_eq!(fs::read(&path).expect("read"), [&*whole, &whole].concat(), "{left} bytes were left");
    }
}

#[test]
fn room_that_was_never_written_is_taken_off() {
    let folder = Folder::new();
    let path = folder.file("run.bin");
    let destination = Destination::file(&path).encoding(Encoding::Protobuf);
    let whole = [&u32::try_from(BODY.len()).expect("small").to_be_bytes(), BODY].concat();
    for zeros in [1, 4, 5, 100_000] {
        fs::write(&path, [&*whole, &vec![0; zeros]].concat()).expect("write");
        assert_eq!(open(&destination).send(Signal::Traces, BODY), Reply::Accepted);
        assert_eq!(fs::read(&path).expect("read"), [&*whole, &whole].concat(), "{zeros} zeros");
    }
}

#[test]
fn what_is_no_such_file_is_left_alone() {
    let folder = Folder::new();
    let path = folder.file("letter.txt");
    fs::write(&path, "Dear reader").expect("write");
    let refused = Destination::file(&path).encoding(Encoding::Protobuf).transport(Signal::Traces);
    assert!(refused.err().expect("refused").to_string().contains("letter.txt"));
    assert_eq!(fs::read(&path).expect("read"), b"Dear reader");
    // Nor is one whose fifth byte happens to be the first of a message, or that is shorter than a length.
    for text in ["year\n1999\n2000\n", "12\n", "7"] {
        fs::write(&path, text).expect("write");
        assert!(Destination::file(&path).encoding(Encoding::Protobuf).transport(Signal::Traces).is_err(), "{text}");
        assert_eq!(fs::read_to_string(&path).expect("read"), text);
    }
    for no_file in [folder.0.clone(), folder.file("missing/run.jsonl"), PathBuf::from("/dev/null"), PathBuf::new()] {
        assert!(Destination::file(&no_file).transport(Signal::Traces).is_err(), "{}", no_file.display());
    }
}

#[test]
fn what_cannot_be_written_now_is_written_later() {
    let folder = Folder::new();
    let inner = folder.file("inner");
    fs::create_dir(&inner).expect("folder");
    let mut transport = open(&Destination::file(inner.join("run.jsonl")));
    fs::remove_dir_all(&inner).expect("remove");
    assert!(retried(transport.send(Signal::Traces, b"{}")).1.contains("run.jsonl"));
    fs::create_dir(&inner).expect("folder");
    assert_eq!(transport.send(Signal::Traces, b"{}"), Reply::Accepted);
    // Moved away meanwhile: a new one is begun.
    fs::rename(inner.join("run.jsonl"), inner.join("old.jsonl")).expect("rename");
    assert_eq!(transport.send(Signal::Traces, b"{}"), Reply::Accepted);
    assert_eq!(fs::read(inner.join("run.jsonl")).expect("read"), b"{}\n");
}
