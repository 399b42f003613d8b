//! Whoever reads the same run in the same dialect reads the same bytes, whenever they come and however slow they are.

use crate::http;
use spanwright::{
    EventEmitter, Recorder,
    event::{
        ExecutionEnd, ExecutionStart, ReasoningDelta, ReasoningEnd, ReasoningStart, StepEnd, TextDelta, TextEnd,
        TextStart,
    },
    hub::HubLimits,
    log::MemoryLog,
    serve::{Server, ServerHandle},
    wire::Dialect,
};
use std::{thread, time::Duration};

const SOON: Duration = Duration::from_secs(60);

fn emit_text(emitter: &EventEmitter, pieces: usize) {
    emitter.emit(TextStart::new("t"));
    let piece = "word ".repeat(200);
    (0..pieces).for_each(|_| emitter.emit(TextDelta::new("t", piece.clone())));
    emitter.emit(TextEnd::new("t"));
}

/// With a hub that holds ten events: what is older is in the log alone.
fn forgetful() -> (Recorder, ServerHandle, EventEmitter) {
    let builder = Recorder::builder().log(MemoryLog::new()).hub(HubLimits::new(10, 32 << 20));
    let recorder = builder.start().expect("start");
    let server = Server::spawn(recorder.clone(), "127.0.0.1:0").expect("server");
    let emitter = recorder.emitter();
    (recorder, server, emitter)
}

/// The text in a stream's deltas.
fn text_of(stream: &str) -> String {
    let data = stream.lines().filter_map(|line| line.strip_prefix("data: "));
    let pieces = data.filter_map(|data| serde_json::from_str::<serde_json::Value>(data).ok());
    pieces.filter_map(|piece| piece["content"].as_str().map(str::to_owned)).collect()
}

#[test]
fn early_late_and_slow_readers_of_a_long_run_get_all_of_it_in_order() {
    let recorder = Recorder::builder().start().expect("start");
    let server = Server::spawn(recorder.clone(), "127.0.0.1:0").expect("server");
    let emitter = recorder.emitter();
    let path = format!("/executions/{}/stream?dialect=chat", emitter.execution_id());
    let early: Vec<_> = (0..4).map(|_| http::get(server.addr(), &path)).collect();
    // Takes nothing before all is over: its socket is full, and the others have passed what is held.
    let slow = http::get(server.addr(), &path);
    emitter.emit(ExecutionStart::new());
    let reading: Vec<_> = early.into_iter().map(|reply| thread::spawn(move || reply.text())).collect();
    emit_text(&emitter, 3_000);
    recorder.settle().wait(Duration::from_secs(60)).expect("settle");
    let late = http::get(server.addr(), &path);
    emitter.emit(ExecutionEnd::new(1));
    let texts: Vec<_> = reading.into_iter().map(|reader| reader.join().expect("reader")).collect();
    let whole = "word ".repeat(200 * 3_000);
    for text in texts.iter().chain([&late.text(), &slow.text()]) {
        // Pieces that were merged or healed are other pieces of the same text.
        assert!(text_of(text) == whole, "{} of {} bytes", text_of(text).len(), whole.len());
        assert!(text.trim_end().lines().rev().any(|line| line == "event: done"));
    }
}

/// What the log had of it was not read: a run that is told from its last events alone would seem to be well, and whole.
#[test]
fn who_comes_when_the_log_has_shut_down_is_not_told_that_all_is_done() {
    let (recorder, server, emitter) = forgetful();
    emitter.emit(ExecutionStart::new());
    emit_text(&emitter, 2);
    for n in 0..50 {
        emitter.emit(StepEnd::new(n));
        recorder.settle().wait(SOON).expect("settle");
    }
    emitter.emit(ExecutionEnd::new(1));
    recorder.shutdown(SOON).expect("shutdown");
    let path = format!("/executions/{}/stream", emitter.execution_id());
    for dialect in Dialect::ALL.into_iter().filter(|dialect| !dialect.is_per_event()) {
        let text = http::get(server.addr(), &format!("{path}?dialect={}", dialect.as_str())).text();
        let is_well = ["event: done", "\"type\":\"finish\"", "RUN_FINISHED"].iter().any(|end| text.contains(end));
        assert!(!is_well && text.contains("interrupted"), "{}: {text}", dialect.as_str());
    }
}

/// Pieces are not in the log: the rest of the text is made of its whole, and begins where the client was.
#[test]
fn who_comes_back_in_the_middle_of_a_text_whose_pieces_are_gone_gets_the_rest_of_it_once() {
    let (recorder, server, emitter) = forgetful();
    let path = format!("/executions/{}/stream?dialect=chat", emitter.execution_id());
    let mut first = http::get(server.addr(), &path);
    emitter.emit(ExecutionStart::new());
    emitter.emit(TextStart::new("t"));
    let (mut places, mut told) = (Vec::new(), String::new());
    for piece in ["one ", "zwei – ", "three "] {
        emitter.emit(TextDelta::new("t", piece));
        let frame = first.event().expect("frame");
        let frame = if frame.event() == "delta" { frame } else { first.event().expect("delta") };
        told += &text_of(&frame.0);
        places.push((frame.field("id").expect("id").to_owned(), told.clone()));
    }
    let rest = |(id, told): &(String, String)| {
        let reply = http::get_with(server.addr(), &path, &[("Last-Event-ID", id)]);
        (told.clone(), reply)
    };
    let early: Vec<_> = places.iter().map(rest).collect();
    for n in 0..50 {
        emitter.emit(StepEnd::new(n));
        recorder.settle().wait(SOON).expect("settle");
    }
    let late: Vec<_> = places.iter().map(rest).collect();
    emitter.emit(TextDelta::new("t", "four"));
    emitter.emit(TextEnd::new("t"));
    emitter.emit(ExecutionEnd::new(1).final_output("one zwei – three four"));
    recorder.flush().wait(SOON).expect("flush");
    for (told, reply) in early.into_iter().chain(late).chain(places.iter().map(rest)) {
        let rest = reply.text();
        assert_eq!(told + &text_of(&rest), "one zwei – three four", "{rest}");
        assert!(rest.contains("event: done"));
    }
    let rest: String = first.events().into_iter().map(|frame| frame.0).collect();
    assert_eq!(told + &text_of(&rest), "one zwei – three four");
}

/// Several at once: what was told of each is said by its place in the order in which they began.
#[test]
fn who_comes_back_in_the_middle_of_several_texts_gets_the_rest_of_each_once() {
    let (recorder, server, emitter) = forgetful();
    let path = format!("/executions/{}/stream?dialect=ai-sdk-ui", emitter.execution_id());
    let mut first = http::get(server.addr(), &path);
    emitter.emit(ExecutionStart::new());
    emitter.emit(TextStart::new("a"));
    emitter.emit(ReasoningStart::new("r"));
    emitter.emit(TextStart::new("b"));
    let (mut places, mut told) = (Vec::new(), String::new());
    let pieces: [(&str, &str); 5] = [("a", "one "), ("b", "uno "), ("r", "so "), ("a", "two "), ("b", "due ")];
    for (id, piece) in pieces {
        match id {
            "r" => emitter.emit(ReasoningDelta::new(id, piece)),
            _ => emitter.emit(TextDelta::new(id, piece)),
        }
        loop {
            let frame = first.event().expect("frame").0;
            told += &frame;
            told += "\n\n";
            if frame.contains("-delta") {
                places.push((
                    frame.lines().find_map(|line| line.strip_prefix("id: ")).expect("id").to_owned(),
                    told.clone(),
                ));
                break;
            }
        }
    }
    for n in 0..50 {
        emitter.emit(StepEnd::new(n));
        recorder.settle().wait(SOON).expect("settle");
    }
    emitter.emit(TextEnd::new("b"));
    emitter.emit(TextDelta::new("a", "three"));
    emitter.emit(TextEnd::new("a"));
    emitter.emit(ReasoningEnd::new("r"));
    emitter.emit(ExecutionEnd::new(1));
    recorder.flush().wait(SOON).expect("flush");
    for (id, told) in &places {
        let whole = told.clone() + &http::get_with(server.addr(), &path, &[("Last-Event-ID", id)]).text();
        let said = |id: &str| -> String {
            let data = whole.lines().filter_map(|line| line.strip_prefix("data: "));
            let frames = data.filter_map(|data| serde_json::from_str::<serde_json::Value>(data).ok());
            let of = frames.filter(|frame| frame["id"].as_str().is_some_and(|own| own.ends_with(id)));
            of.filter_map(|frame| frame["delta"].as_str().map(str::to_owned)).collect()
        };
        assert_eq!(
            (said("a"), said("b"), said("r")),
            ("one two three".into(), "uno due ".into(), "so ".into()),
            "{whole}"
        );
        assert!(whole.contains("\"finish\""), "{whole}");
    }
}
