//! One publisher, many readers, in one process: what each delivery costs, and what the publisher pays for them.

use crate::{clock, words::Words};
use bytes::Bytes;
use futures_util::StreamExt;
use spanwright::{
    EventEmitter, QueueLimits, Recorder,
    hub::{Filter, FrameStream, From, HubLimits},
};
use std::{
    hint::black_box,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{runtime::Runtime, sync::broadcast, task::JoinHandle};

/// Events published in one go.
const GROUP: u64 = 64;
/// How far the slowest reader may be behind before the publisher waits: nobody loses anything.
const WINDOW: u64 = 4_096;
/// What ring or channel hold.
const CAPACITY: usize = 16_384;

/// What came of one run.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// Deliveries in a second.
    pub per_second: f64,
    /// CPU ns of the publishing side for each event: the emitting thread, and the recorder's.
    pub emitting: f64,
    pub recording: f64,
    /// CPU ns of the whole process for each delivery.
    pub delivery: f64,
}

/// How far each reader is.
struct Progress(Arc<[AtomicU64]>);

/// One reader's part of it. A reader that is gone, well or not, is not waited for.
struct Mark(Arc<[AtomicU64]>, usize);

impl Progress {
    fn of(readers: u64) -> Self {
        Self((0..readers).map(|_| AtomicU64::new(0)).collect())
    }

    fn marks(&self) -> impl Iterator<Item = Mark> + '_ {
        (0..self.0.len()).map(|reader| Mark(self.0.clone(), reader))
    }

    /// Waits until every reader has had this many.
    fn wait_for(&self, events: u64) {
        for reader in &*self.0 {
            while reader.load(Ordering::Relaxed) < events {
                std::thread::sleep(Duration::from_micros(50));
            }
        }
    }
}

impl Mark {
    fn set(&self, events: u64) {
        self.0[self.1].store(events, Ordering::Relaxed);
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        self.set(u64::MAX);
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().expect("runtime")
}

/// Publishes in groups, paced by the readers, and measures.
fn publish(events: u64, readers: u64, progress: &Progress, mut one: impl FnMut()) -> Run {
    let (wall, process) = (Instant::now(), clock::process_ns());
    let (mut emitting, recorder) = (0, clock::named_threads_ns(RECORDER));
    for group in 0..events / GROUP {
        progress.wait_for((group * GROUP).saturating_sub(WINDOW));
        let before = clock::thread_ns();
        (0..GROUP).for_each(|_| one());
        emitting += clock::thread_ns() - before;
    }
    progress.wait_for(events);
    let deliveries = (events * readers) as f64;
    Run {
        per_second: deliveries / wall.elapsed().as_secs_f64(),
        emitting: emitting as f64 / events as f64,
        recording: (clock::named_threads_ns(RECORDER) - recorder) as f64 / events as f64,
        delivery: (clock::process_ns() - process) as f64 / deliveries,
    }
}

/// The recorder's thread, as the kernel cuts its name.
const RECORDER: &str = "spanwright-reco";

fn recorder() -> Recorder {
    let limits = HubLimits::new(CAPACITY, 256 << 20);
    Recorder::builder().hub(limits).queue(QueueLimits::default()).start().expect("recorder")
}

fn emit_and_finish(emitter: &EventEmitter, events: u64, readers: u64, progress: &Progress) -> Run {
    let words = Words::new();
    publish(events, readers, progress, || emitter.emit(black_box(&words).usage()))
}

/// Our readers of events.
pub fn events(readers: u64, events: u64) -> Run {
    let (runtime, recorder, progress) = (runtime(), recorder(), Progress::of(readers));
    let tasks: Vec<_> = progress
        .marks()
        .map(|mark| {
            let mut stream = recorder.subscribe(Filter::everything(), From::Live);
            runtime.spawn(async move {
                for received in 1..=events {
                    black_box(stream.next().await.expect("an event"));
                    if received % GROUP == 0 {
                        mark.set(received);
                    }
                }
                assert_eq!(stream.counts().dropped, 0);
            })
        })
        .collect();
    let run = emit_and_finish(&recorder.emitter(), events, readers, &progress);
    finish(&runtime, tasks);
    run
}

/// Our readers of frames.
pub fn frames(readers: u64, events: u64) -> Run {
    frames_beside(readers, events, 0)
}

/// The same, beside readers that took nothing since they began.
pub fn frames_beside(readers: u64, events: u64, stalled: u64) -> Run {
    let (runtime, recorder, progress) = (runtime(), recorder(), Progress::of(readers));
    let subscribe = || recorder.hub().subscribe_frames(Filter::everything(), From::Live);
    let sleepers: Vec<FrameStream> = (0..stalled).map(|_| subscribe()).collect();
    let tasks: Vec<_> = progress
        .marks()
        .map(|mark| {
            let mut stream = subscribe();
            runtime.spawn(async move {
                while stream.counts().delivered < events {
                    black_box(stream.next().await.expect("frames"));
                    mark.set(stream.counts().delivered);
                }
                assert_eq!(stream.counts().dropped, 0);
            })
        })
        .collect();
    let run = emit_and_finish(&recorder.emitter(), events, readers, &progress);
    finish(&runtime, tasks);
    drop(sleepers);
    run
}

/// tokio's broadcast channel, with a frame that is ready.
pub fn broadcast(readers: u64, events: u64) -> Run {
    let (runtime, progress) = (runtime(), Progress::of(readers));
    let (sender, _) = broadcast::channel::<Bytes>(CAPACITY);
    let tasks: Vec<_> = progress
        .marks()
        .map(|mark| {
            let mut receiver = sender.subscribe();
            runtime.spawn(async move {
                for received in 1..=events {
                    black_box(receiver.recv().await.expect("nothing is lost"));
                    if received % GROUP == 0 {
                        mark.set(received);
                    }
                }
            })
        })
        .collect();
    let frame = Bytes::from(vec![b'x'; 265]);
    let run = publish(events, readers, &progress, || drop(sender.send(black_box(&frame).clone())));
    finish(&runtime, tasks);
    run
}

fn finish(runtime: &Runtime, tasks: Vec<JoinHandle<()>>) {
    runtime.block_on(async {
        for task in tasks {
            task.await.expect("a reader");
        }
    });
}
