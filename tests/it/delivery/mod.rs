//! Delivery to OpenTelemetry back ends, with a real one on the other side: what arrives, how often, in which order, and
//! what is counted of the rest.

mod collector;
mod counts;
mod ends;
mod faults;
mod held;
mod killed;
mod outage;
mod paused;
mod places;
mod running;
mod sizes;
mod unwound;

use collector::{Answer, Collector};
use spanwright::{
    EventLog, ExecutionId, Recorder, StepId, StreamEvent,
    event::{Body, ExecutionEnd, ExecutionStart, StepEnd, StepStart, StepType},
    log::{LoggedEvent, MemoryLog, Query, Scope, SqliteLog},
    otlp::{Delivery, Destination},
};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    hash::{BuildHasher, RandomState},
    path::Path,
    time::Duration,
};

/// Only so that what hangs fails too; a busy machine is slow.
const LIMIT: Duration = Duration::from_secs(300);

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn recorder() -> Recorder {
    Recorder::builder().log(MemoryLog::new()).start().expect("recorder")
}

fn recorder_on(path: &Path) -> Recorder {
    Recorder::builder().log(SqliteLog::open(path).expect("log")).start().expect("recorder")
}

/// A destination in scaled time: a second is a tenth of a millisecond, a minute six.
fn destination(collector: &Collector) -> Destination {
    Destination::http(collector.url()).interval(ms(1)).backoff(Duration::from_micros(100), ms(6)).timeout(LIMIT)
}

fn start(destination: &Destination, recorder: &Recorder) -> Delivery {
    destination.start_with(recorder).expect("delivery")
}

/// Everything that was emitted is logged, and everything that is logged is settled.
fn flush(recorder: &Recorder, delivery: &Delivery) {
    recorder.flush().wait(LIMIT).expect("logged");
    delivery.flush().wait(LIMIT).expect("delivered");
}

/// The same where the back end does not always answer: who asked then is told so, and asks again.
fn flush_at_last(recorder: &Recorder, delivery: &Delivery) {
    recorder.flush().wait(LIMIT).expect("logged");
    while let Err(error) = delivery.flush().wait(LIMIT) {
        assert!(error.is_io(), "{error}");
    }
}

/// An execution as an agent tells it, a step of its own for its root.
struct Run {
    id: ExecutionId,
    root: StepId,
    recorder: Recorder,
}

impl Run {
    fn begin(recorder: &Recorder) -> Self {
        let run = Self { id: ExecutionId::new(), root: StepId::new(), recorder: recorder.clone() };
        run.emit(&run.root, ExecutionStart::new().name("agent"));
        run
    }

    fn emit(&self, step: &StepId, body: impl Into<Body>) {
        self.recorder.emit(StreamEvent::new(body).of_execution(self.id.clone()).of_step(step.clone()));
    }

    fn open(&self) -> StepId {
        let step = StepId::new();
        self.emit(&step, StepStart::new(StepType::FunctionNode, "step").parent_step_id(self.root.clone()));
        step
    }

    fn step(&self) -> StepId {
        let step = self.open();
        self.close(&step);
        step
    }

    fn close(&self, step: &StepId) {
        self.emit(step, StepEnd::new(1));
    }

    fn end(self) {
        self.emit(&self.root, ExecutionEnd::new(1));
    }

    /// An execution of so many steps, from its start to its end.
    fn whole(recorder: &Recorder, steps: usize) {
        let run = Self::begin(recorder);
        (0..steps).for_each(|_| drop(run.step()));
        run.end();
    }
}

fn read_all(log: &dyn EventLog) -> Vec<LoggedEvent> {
    let (mut query, mut events) = (Query::new(Scope::Everything, 0, 5_000), Vec::new());
    loop {
        let page = log.read(query.clone()).wait(LIMIT).expect("page");
        events.extend(page.events);
        if page.complete {
            return events;
        }
        query.after = page.read_to;
    }
}

/// What the log has the beginning and the end of: the span ids of each trace, in the order of their ends.
fn ended(log: &dyn EventLog) -> BTreeMap<u128, Vec<u64>> {
    let (mut open, mut roots, mut ended) = (HashSet::new(), HashMap::new(), BTreeMap::<u128, Vec<u64>>::new());
    for event in read_all(log) {
        let (trace, step) =
            (event.context.execution_id.trace_id(), event.context.step_id.as_ref().map(StepId::span_id));
        let over = match event.decode().expect("readable").body {
            Body::ExecutionStart(_) => {
                roots.insert(trace, step.expect("step"));
                open.extend(step);
                continue;
            }
            Body::StepStart(_) => {
                open.extend(step);
                continue;
            }
            Body::ExecutionEnd(_) | Body::ExecutionLost(_) => roots.get(&trace).copied(),
            Body::StepEnd(_) | Body::StepFailed(_) => step,
            _ => continue,
        };
        let over = over.filter(|span| open.remove(span));
        ended.entry(trace).or_default().extend(over);
    }
    ended.retain(|_, spans| !spans.is_empty());
    ended
}

/// A coin, where a request must not be lost for ever.
fn coin() -> bool {
    RandomState::new().hash_one(0).is_multiple_of(2)
}

fn count(spans: &BTreeMap<u128, Vec<u64>>) -> u64 {
    spans.values().map(|spans| spans.len() as u64).sum()
}
