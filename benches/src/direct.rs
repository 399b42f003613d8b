//! Our direct door: typed events into an `EventEmitter`.

use crate::{
    case::{Case, Cases, Op},
    words::Words,
};
use spanwright::{
    EventEmitter, Recorder, StreamEvent,
    event::{
        Class, LlmCallEnd, LlmCallStart, StepEnd, StepStart, StepType, StreamMode, TextDelta, TextEnd, TokenUsage,
    },
    log::MemoryLog,
};
use std::{hint::black_box, time::Duration};

/// How events are handed over.
#[derive(Debug, Clone, Copy)]
enum Door {
    /// `emit`.
    Emit,
    /// `emit_with`: asked for only when wanted.
    EmitWith,
}

struct Direct {
    emitter: EventEmitter,
    op: Op,
    door: Door,
    words: Words,
}

/// A recorder without hub and log.
pub fn nobody(op: Op) -> Cases {
    own(recorder_without_anyone(), op, Door::Emit, StreamMode::Full)
}

/// The same, asked first.
pub fn nobody_asked(op: Op) -> Cases {
    own(recorder_without_anyone(), op, Door::EmitWith, StreamMode::Full)
}

/// A hub, and an emitter that shows it nothing.
pub fn silent(op: Op) -> Cases {
    own(recorder(), op, Door::Emit, StreamMode::Silent)
}

/// The same, asked first.
pub fn silent_asked(op: Op) -> Cases {
    own(recorder(), op, Door::EmitWith, StreamMode::Silent)
}

/// A hub without readers.
pub fn hub(op: Op) -> Cases {
    own(recorder(), op, Door::Emit, StreamMode::Full)
}

/// The same, asked first.
pub fn hub_asked(op: Op) -> Cases {
    own(recorder(), op, Door::EmitWith, StreamMode::Full)
}

/// The same; all threads share one emitter.
pub fn hub_shared(op: Op) -> Cases {
    let emitter = recorder().emitter();
    Box::new(move || case(emitter.clone(), op, Door::Emit))
}

/// A hub and a log in memory.
pub fn memory(op: Op) -> Cases {
    let recorder = Recorder::builder().log(MemoryLog::new()).start().expect("recorder");
    own(recorder, op, Door::Emit, StreamMode::Full)
}

/// A hub and the durable log, on a disk of its own folder.
#[cfg(feature = "sqlite-log")]
pub fn sqlite(op: Op) -> Cases {
    let folder = tempfile::tempdir().expect("folder");
    let log = spanwright::log::SqliteLog::open(folder.path().join("cost.db")).expect("log");
    let recorder = Recorder::builder().log(log).start().expect("recorder");
    // The folder goes with the process.
    std::mem::forget(folder);
    own(recorder, op, Door::Emit, StreamMode::Full)
}

fn recorder() -> Recorder {
    Recorder::builder().start().expect("recorder")
}

fn recorder_without_anyone() -> Recorder {
    Recorder::builder().without_hub().start().expect("recorder")
}

fn own(recorder: Recorder, op: Op, door: Door, mode: StreamMode) -> Cases {
    Box::new(move || {
        let emitter = recorder.emitter();
        emitter.set_mode(mode);
        case(emitter, op, door)
    })
}

fn case(emitter: EventEmitter, op: Op, door: Door) -> Box<dyn Case> {
    Box::new(Direct { emitter, op, door, words: Words::new() })
}

impl Words {
    fn of_step(&self, event: impl Into<StreamEvent>) -> StreamEvent {
        event.into().of_step(self.step_id.clone())
    }

    /// A model call's start.
    pub fn call_start(&self) -> StreamEvent {
        let start = LlmCallStart::new(&*self.tool, self.history_length);
        self.of_step(start.model(&*self.model).provider(&*self.provider))
    }

    fn call_end(&self) -> StreamEvent {
        self.of_step(LlmCallEnd::new(self.tokens[0]))
    }

    fn step_start(&self) -> StreamEvent {
        self.of_step(StepStart::new(StepType::ToolNode, &*self.tool))
    }

    fn step_end(&self) -> StreamEvent {
        self.of_step(StepEnd::new(self.tokens[0]))
    }

    /// An event of usage.
    pub fn usage(&self) -> StreamEvent {
        let [prompt, completion, total, cumulative] = self.tokens;
        let usage = TokenUsage::new(prompt, completion, total, cumulative);
        self.of_step(usage.cost_usd(self.cost[0]).cumulative_cost_usd(self.cost[1]))
    }

    /// The end of a long text.
    pub fn text_end(&self) -> StreamEvent {
        self.of_step(TextEnd::new(&*self.segment_id).final_text(&*self.long_text))
    }

    /// A piece of text.
    pub fn delta(&self) -> StreamEvent {
        self.of_step(TextDelta::new(&*self.segment_id, &*self.piece))
    }
}

impl Case for Direct {
    fn burst(&mut self, times: usize) {
        let (emitter, words) = (&self.emitter, black_box(&self.words));
        match (self.door, self.op) {
            (Door::Emit, Op::Span) => repeat(times, || {
                emitter.emit(words.call_start());
                emitter.emit(words.call_end());
            }),
            (Door::Emit, Op::Step) => repeat(times, || {
                emitter.emit(words.step_start());
                emitter.emit(words.step_end());
            }),
            (Door::Emit, Op::Event) => repeat(times, || emitter.emit(words.usage())),
            (Door::Emit, Op::Delta) => repeat(times, || emitter.emit(words.delta())),
            (Door::EmitWith, Op::Span) => repeat(times, || {
                emitter.emit_with(Class::Structural, || words.call_start());
                emitter.emit_with(Class::Structural, || words.call_end());
            }),
            (Door::EmitWith, Op::Step) => repeat(times, || {
                emitter.emit_with(Class::Structural, || words.step_start());
                emitter.emit_with(Class::Structural, || words.step_end());
            }),
            (Door::EmitWith, Op::Event) => repeat(times, || emitter.emit_with(Class::Structural, || words.usage())),
            (Door::EmitWith, Op::Delta) => repeat(times, || emitter.emit_with(Class::Bulk, || words.delta())),
            _ => repeat(times, || emitter.emit(words.text_end())),
        }
    }

    fn drain(&mut self) {
        self.emitter.recorder().flush().wait(Duration::from_secs(60)).expect("flush");
        let stats = self.emitter.recorder().stats();
        assert_eq!((stats.shed(), stats.merged), (0, 0), "a burst fits into the queue: {stats:?}");
    }
}

fn repeat(times: usize, mut op: impl FnMut()) {
    for _ in 0..times {
        op();
    }
}
