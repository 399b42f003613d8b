//! The frame of an event: ours into a text that is used again, beside serde_json and sonic-rs into a vector that is
//! used again (the JSON only, without `id:` and `event:` lines), and the naive `to_string` and `format!`.

use crate::{
    case::{Case, Cases, Op},
    naive::NaiveEvent,
    words::Words,
};
use spanwright::{Cursor, StreamEvent, Timestamp, wire::sse};
use std::hint::black_box;

struct Frames<F> {
    write: F,
}

impl<F: FnMut() + Send> Case for Frames<F> {
    fn burst(&mut self, times: usize) {
        (0..times).for_each(|_| (self.write)());
    }
}

fn cases<F: FnMut() + Send + 'static>(make: impl Fn() -> F + 'static) -> Cases {
    Box::new(move || Box::new(Frames { write: make() }))
}

fn ours(op: Op) -> StreamEvent {
    let words = Words::new();
    let event = match op {
        Op::Span => words.call_start(),
        Op::Event => words.usage(),
        Op::Delta => words.delta(),
        _ => words.text_end(),
    };
    black_box(event.of_execution(words.execution_id.clone()).at(Timestamp::now()))
}

fn theirs(op: Op) -> NaiveEvent {
    let words = Words::new();
    black_box(match op {
        Op::Span => NaiveEvent::call_start(&words),
        Op::Event => NaiveEvent::usage(&words),
        Op::Delta => NaiveEvent::delta(&words),
        _ => NaiveEvent::text_end(&words, &words.long_text),
    })
}

/// `write_frame` into a text that is used again.
pub fn spanwright(op: Op) -> Cases {
    cases(move || {
        let (event, mut out, mut offset) = (ours(op), String::new(), 1_000_000);
        move || {
            out.clear();
            offset += 1;
            sse::write_frame(Cursor::new(0x0123_4567_89ab_cdef, offset), black_box(&event), &mut out);
            black_box(&out);
        }
    })
}

/// The same without the `id:` line.
pub fn spanwright_without_id(op: Op) -> Cases {
    cases(move || {
        let (event, mut out) = (ours(op), String::new());
        move || {
            out.clear();
            sse::write_frame_without_id(black_box(&event), &mut out);
            black_box(&out);
        }
    })
}

/// `serde_json::to_writer` into a vector that is used again.
pub fn serde_reused(op: Op) -> Cases {
    cases(move || {
        let (event, mut out) = (theirs(op), Vec::new());
        move || {
            out.clear();
            serde_json::to_writer(&mut out, black_box(&event)).expect("JSON");
            black_box(&out);
        }
    })
}

/// `sonic_rs::to_writer` into a vector that is used again.
pub fn sonic_reused(op: Op) -> Cases {
    cases(move || {
        let (event, mut out) = (theirs(op), Vec::new());
        move || {
            out.clear();
            sonic_rs::to_writer(&mut out, black_box(&event)).expect("JSON");
            black_box(&out);
        }
    })
}

/// `format!("data: {}\n\n", to_string)`.
pub fn naive(op: Op) -> Cases {
    cases(move || {
        let event = theirs(op);
        move || drop(black_box(black_box(&event).to_sse()))
    })
}
