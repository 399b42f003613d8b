//! Ours: the encoder by itself, and a delivery that goes on when it is asked to.

use super::{
    sink,
    work::{BATCH, LIMIT, NEVER, has_content, held, record},
};
use crate::case::{BURST, Case, Cases, Op};
use spanwright::{
    Error, EventLog, Recorder,
    log::{MemoryLog, SqliteLog},
    otlp::{Capture, Delivery, Destination, Signal, measured},
};
use std::hint::black_box;

struct Encode(measured::Held);

impl Case for Encode {
    fn burst(&mut self, times: usize) {
        assert_eq!(times, BURST);
        self.0.encode(|request| _ = black_box(request)).expect("shown");
    }
}

/// Finished spans to requests.
pub(super) fn encode(op: Op) -> Cases {
    Box::new(move || Box::new(Encode(held(op))))
}

/// A delivery that looks when it is asked to.
struct Deliver {
    recorder: Recorder,
    delivery: Delivery,
}

impl Case for Deliver {
    fn prepare(&mut self) {
        record(&self.recorder);
    }

    fn burst(&mut self, times: usize) {
        let before = self.delivery.stats(Signal::Traces).accepted;
        self.delivery.flush().wait(LIMIT).expect("delivered");
        assert_eq!(self.delivery.stats(Signal::Traces).accepted - before, times as u64, "{:?}", self.delivery);
    }

    /// A flush is answered as soon as all of it is settled, and then the log is looked at once more. The answer to the next
    /// one comes after that: nothing of what is recorded from now on is read before it is asked for.
    fn drain(&mut self) {
        self.delivery.flush().wait(LIMIT).expect("nothing to deliver");
    }
}

type Start = fn(&Destination, &Recorder) -> Result<Delivery, Error>;

fn deliver(op: Op, recorder: Recorder, destination: Destination, start: Start) -> Cases {
    let capture = if has_content(op) { Capture::Spans } else { Capture::Off };
    let destination = destination.capture(capture).interval(NEVER).batch_spans(BATCH);
    let destination = destination.resource("service.name", "benches").from_beginning(true);
    Box::new(move || {
        let delivery = start(&destination, &recorder).expect("started");
        let mut case = Box::new(Deliver { recorder: recorder.clone(), delivery });
        // Its first look is over before anything is there to be seen.
        case.drain();
        case
    })
}

/// Nothing of it is in memory any more: as after an outage.
fn long_ago(log: impl EventLog) -> Recorder {
    Recorder::builder().without_hub().log(log).start().expect("recorder")
}

/// It has just happened, and is in the log.
fn just_now() -> Recorder {
    Recorder::builder().log(on_disk()).start().expect("recorder")
}

fn on_disk() -> SqliteLog {
    let folder = tempfile::tempdir().expect("folder");
    let log = SqliteLog::open(folder.path().join("otlp.db")).expect("log");
    // The folder goes with the process.
    std::mem::forget(folder);
    log
}

fn nowhere() -> Destination {
    Destination::http("http://127.0.0.1:9")
}

/// Taken from memory, folded, encoded.
pub(super) fn live(op: Op) -> Cases {
    deliver(op, just_now(), nowhere(), measured::deliver_nowhere)
}

/// Read in a log in memory.
pub(super) fn memory(op: Op) -> Cases {
    deliver(op, long_ago(MemoryLog::new()), nowhere(), measured::deliver_nowhere)
}

/// Read in the durable log.
pub(super) fn sqlite(op: Op) -> Cases {
    deliver(op, long_ago(on_disk()), nowhere(), measured::deliver_nowhere)
}

/// Taken from memory, and sent over HTTP.
pub(super) fn live_http(op: Op) -> Cases {
    deliver(op, just_now(), Destination::http(sink::http()), Destination::start_with)
}

/// The same from the durable log.
pub(super) fn sqlite_http(op: Op) -> Cases {
    deliver(op, long_ago(on_disk()), Destination::http(sink::http()), Destination::start_with)
}

/// Taken from memory, and sent over gRPC.
pub(super) fn live_grpc(op: Op) -> Cases {
    deliver(op, just_now(), Destination::grpc(sink::grpc()), Destination::start_with)
}

/// The same from the durable log.
pub(super) fn sqlite_grpc(op: Op) -> Cases {
    deliver(op, long_ago(on_disk()), Destination::grpc(sink::grpc()), Destination::start_with)
}
