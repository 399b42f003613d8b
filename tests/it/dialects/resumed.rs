//! Who was cut off and comes back with the id of the last frame is told the rest.

use super::{answer, front_ends::script::script, id};
use crate::http;
use spanwright::{
    EventEmitter, Recorder, StreamEvent,
    event::{
        Body, ExecutionEnd, ExecutionStart, FeedbackReceived, FeedbackType, StepEnd, StreamMode, TextDelta, TextEnd,
        TextStart,
    },
    hub::HubLimits,
    log::MemoryLog,
    serve::{Server, ServerHandle},
    wire::Dialect,
};
use std::time::Duration;

/// The dialects that tell a run as a whole.
const WHOLE: [Dialect; 4] = [Dialect::AiSdkUi, Dialect::AgUi, Dialect::Chat, Dialect::Gateway];

struct World {
    recorder: Recorder,
    server: ServerHandle,
    emitter: EventEmitter,
}

/// With a hub that holds so many events.
fn world(ring: usize) -> World {
    let builder = Recorder::builder().log(MemoryLog::new()).hub(HubLimits::new(ring, 32 << 20));
    let recorder = builder.start().expect("start");
    let server = Server::spawn(recorder.clone(), "127.0.0.1:0").expect("server");
    let emitter = recorder.emitter().for_execution(id());
    World { recorder, server, emitter }
}

impl World {
    fn emit(&self, events: impl IntoIterator<Item = impl Into<StreamEvent>>) {
        events.into_iter().for_each(|event| self.emitter.emit(event));
        self.recorder.settle().wait(Duration::from_secs(60)).expect("settle");
    }

    fn get(&self, dialect: Dialect, query: &str, last: Option<&str>) -> http::Reply {
        let path = format!("/executions/{}/stream?dialect={}{query}", id(), dialect.as_str());
        match last {
            Some(last) => http::get_with(self.server.addr(), &path, &[("Last-Event-ID", last)]),
            None => http::get(self.server.addr(), &path),
        }
    }
}

fn id_of(frame: &str) -> Option<&str> {
    frame.lines().find_map(|line| line.strip_prefix("id: "))
}

#[test]
fn a_run_that_is_resumed_in_the_middle_goes_on_after_what_was_told_to_the_byte() {
    let answer: Vec<StreamEvent> = answer().into_iter().map(StreamEvent::from).collect();
    for events in [answer, script()] {
        let world = world(1_000);
        world.emit(events);
        for dialect in WHOLE {
            let whole = world.get(dialect, "", None).text();
            let frames: Vec<&str> = whole.split_inclusive("\n\n").collect();
            for (at, frame) in frames.iter().enumerate() {
                let Some(id) = id_of(frame) else { continue };
                let (reply, rest) = (world.get(dialect, "", Some(id)), frames[at + 1..].concat());
                match rest.is_empty() {
                    true => assert_eq!(reply.status, 204),
                    false => assert_eq!(reply.text(), format!(": connected\n\n{rest}"), "{}", dialect.as_str()),
                }
            }
            assert!(frames.len() > 4 && id_of(frames[frames.len() - 1]).is_some(), "{whole}");
        }
    }
}

#[test]
fn who_has_heard_the_end_is_told_to_stay_away_whatever_was_recorded_after_it() {
    let world = world(1_000);
    world.emit([Body::from(ExecutionStart::new()), ExecutionEnd::new(1).into()]);
    world.emit([FeedbackReceived::new(FeedbackType::ThumbsUp)]);
    for dialect in WHOLE {
        let whole = world.get(dialect, "", None).text();
        let last = whole.split_inclusive("\n\n").filter_map(id_of).last().expect("an id");
        assert_eq!(world.get(dialect, "", Some(last)).status, 204, "{}", dialect.as_str());
    }
}

#[test]
fn a_run_whose_end_is_not_shown_ends_its_stream_all_the_same() {
    let world = world(1_000);
    world.emitter.set_mode(StreamMode::Silent);
    world.emit([Body::from(ExecutionStart::new()), TextStart::new("t").into(), ExecutionEnd::new(1).into()]);
    for dialect in WHOLE {
        let whole = world.get(dialect, "", None).text();
        let last = id_of(&whole).expect("a place from which there is nothing more");
        assert!(!whole.contains("data:"), "nothing of it is shown: {whole}");
        assert_eq!(world.get(dialect, "", Some(last)).status, 204, "{}", dialect.as_str());
    }
}

#[test]
fn what_was_told_before_events_that_nobody_is_shown_is_not_told_again() {
    // Most of it is read from the log, where what is shown and what is not are on one page; a live reader had them one
    // by one.
    let world = world(1);
    world.emit([
        Body::from(ExecutionStart::new()),
        TextStart::new("t").into(),
        TextDelta::new("t", "hello").into(),
        TextEnd::new("t").into(),
    ]);
    world.emitter.set_mode(StreamMode::Silent);
    world.emit([StepEnd::new(1)]);
    world.emit([ExecutionEnd::new(1)]);
    let whole = world.get(Dialect::AiSdkUi, "", None).text();
    let place = id_of(&whole).and_then(|id| id.split_once('-')).map(|(epoch, _)| format!("{epoch}-4")).expect("id");
    for dialect in WHOLE {
        let rest = world.get(dialect, "", Some(&place)).text();
        assert!(!rest.contains("hello") && !rest.contains("text-end") && !rest.contains("TEXT_MESSAGE"), "{rest}");
    }
}

#[test]
fn a_mode_that_would_leave_out_the_end_is_refused() {
    let world = world(1_000);
    for dialect in WHOLE {
        for (mode, status) in [("full", 200), ("summary", 200), ("control_only", 400), ("silent", 400)] {
            assert_eq!(world.get(dialect, &format!("&mode={mode}"), None).status, status, "{mode}");
        }
    }
}
