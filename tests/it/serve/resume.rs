//! Coming back: after a cursor, after the end, to a place that is not there, to the next process.

use super::{SOON, emit_numbers, numbers, resume, served, settle, stream_of, tags};
use crate::http::{Frame, get, get_with};
use spanwright::{
    Cursor, Recorder, StepId, StreamEvent,
    event::{
        Body, ExecutionEnd, ExecutionPaused, ExecutionResumed, ExecutionStart, FeedbackReceived, FeedbackType,
        ParentType, StreamMode, TextDelta, TextEnd, TextStart,
    },
    hub::HubLimits,
    serve::Server,
};

#[test]
fn a_client_that_comes_back_gets_exactly_what_followed_from_the_ring_and_from_the_log() {
    for ring in [1_000, 4] {
        let (recorder, server, emitter) = served(ring);
        emit_numbers(&emitter, 0..100);
        emitter.emit(ExecutionEnd::new(1_u64));
        settle(&recorder);
        let all = get(server.addr(), &stream_of(&emitter)).events();
        assert_eq!(numbers(&all), (0..100).collect::<Vec<_>>(), "ring of {ring}");
        for seen in [0, 1, 37, 99, 100] {
            let after = all[seen].id().expect("id");
            let rest = resume(&server, &stream_of(&emitter), after).events();
            assert_eq!(rest[0].id(), Some(after), "it begins where the client was");
            let text = |frames: &[Frame]| frames.iter().map(|frame| frame.0.clone()).collect::<Vec<_>>();
            assert_eq!(text(&rest[1..]), text(&all[seen + 1..]), "ring of {ring}, after {seen}: the same bytes");
        }
    }
}

#[test]
fn last_event_id_wins_over_after_and_after_over_from() {
    let (recorder, server, emitter) = served(100);
    emit_numbers(&emitter, 0..9);
    emitter.emit(ExecutionEnd::new(1_u64));
    settle(&recorder);
    let cursor = |offset| Cursor::new(recorder.hub().newest().epoch, offset).to_string();
    let path = format!("{}?after={}&from=live", stream_of(&emitter), cursor(3));
    assert_eq!(numbers(&get(server.addr(), &path).events()), [3, 4, 5, 6, 7, 8]);
    let headers = [("Last-Event-ID", cursor(7))].map(|(name, value)| (name, value));
    let both = get_with(server.addr(), &path, &[(headers[0].0, &headers[0].1)]);
    assert_eq!(numbers(&both.events()), [7, 8]);
    let empty = get_with(server.addr(), &path, &[("Last-Event-ID", "")]);
    assert_eq!(numbers(&empty.events()), [3, 4, 5, 6, 7, 8], "an empty id is none");
}

fn of(number: u64, body: impl Into<Body>) -> StreamEvent {
    StreamEvent::new(body).of_step(StepId::from_span_id(number))
}

/// By who has a loop of his own; whether its end is read from memory or from the log.
#[test]
fn an_execution_that_began_twice_and_ended_once_is_over_for_who_comes_back() {
    for ring in [1_000, 4] {
        let (recorder, server, emitter) = served(ring);
        [of(1, ExecutionStart::new()), of(2, ExecutionStart::new())].into_iter().for_each(|start| emitter.emit(start));
        emit_numbers(&emitter, 0..3);
        emitter.emit(of(2, ExecutionEnd::new(1_u64)));
        emit_numbers(&recorder.emitter(), 0..30);
        settle(&recorder);
        let last = get(server.addr(), &stream_of(&emitter)).events().iter().rev().find_map(Frame::id).expect("id");
        assert_eq!(resume(&server, &stream_of(&emitter), last).status, 204, "ring of {ring}");
    }
}

#[test]
fn the_end_of_what_an_execution_called_elsewhere_ends_no_stream_of_it() {
    let step = StepId::from_span_id(1).to_string();
    let called = ExecutionStart::new().parent_id(step).parent_type(ParentType::StepExecution);
    for ring in [1_000, 4] {
        let (recorder, server, emitter) = served(ring);
        let began = [of(1, ExecutionStart::new()), of(2, called.clone()), of(2, ExecutionEnd::new(1_u64))];
        began.into_iter().for_each(|event| emitter.emit(event));
        emit_numbers(&recorder.emitter(), 0..30);
        settle(&recorder);
        let live = get(server.addr(), &format!("{}?from=live", stream_of(&emitter)));
        assert_eq!(live.status, 200, "ring of {ring}: it runs");
        let mut whole = get(server.addr(), &stream_of(&emitter));
        while whole.event().expect("event").event() != "data-execution-end" {}
        let chat = get(server.addr(), &format!("{}?dialect=chat", stream_of(&emitter)));
        emitter.emit(TextStart::new("t"));
        emitter.emit(TextDelta::new("t", "what it found"));
        emitter.emit(TextEnd::new("t"));
        emitter.emit(of(1, ExecutionEnd::new(1_u64)));
        for reply in [live, whole] {
            assert_eq!(tags(&reply.events()).last(), Some(&"data-execution-end"), "ring of {ring}");
        }
        let chat = chat.text();
        assert!(chat.contains("found"), "ring of {ring}: {chat}");
    }
}

#[test]
fn a_client_that_comes_back_after_the_end_is_told_to_stay_away() {
    for ring in [1_000, 4] {
        let (recorder, server, emitter) = served(ring);
        emit_numbers(&emitter, 0..30);
        emitter.emit(ExecutionEnd::new(1_u64));
        settle(&recorder);
        let other = recorder.emitter();
        emit_numbers(&other, 0..30);
        for mode in StreamMode::ALL {
            let path = format!("{}?mode={}", stream_of(&emitter), mode.as_str());
            let frames = get(server.addr(), &path).events();
            let last = frames.iter().rev().find_map(Frame::id).expect("id");
            let reply = resume(&server, &path, last);
            assert_eq!(reply.status, 204, "ring of {ring}, {mode:?}");
            assert_eq!(reply.text(), "");
        }
        let live = format!("{}?from=live", stream_of(&emitter));
        assert_eq!(get(server.addr(), &live).status, 204, "nothing is to come");
        emitter.emit(FeedbackReceived::new(FeedbackType::Correction));
        settle(&recorder);
        let late = resume(&server, &stream_of(&emitter), Cursor::new(recorder.hub().newest().epoch, 31)).events();
        assert_eq!(tags(&late), ["data-connected", "data-feedback-received"], "what came after the end is there");
    }
}

#[test]
fn an_execution_that_goes_on_after_its_end_is_streamed_again() {
    let (recorder, server, emitter) = served(100);
    emitter.emit(ExecutionEnd::new(1_u64));
    emitter.emit(ExecutionResumed::new());
    settle(&recorder);
    let mut reply = get(server.addr(), &format!("{}?from=live", stream_of(&emitter)));
    assert_eq!((reply.status, reply.frame().expect("connected").event()), (200, "data-connected"));
    emitter.emit(ExecutionEnd::new(2_u64));
    assert_eq!(tags(&reply.events()), ["data-execution-end"]);
}

#[test]
fn a_cursor_that_leads_nowhere_is_a_gap_that_is_told() {
    let (recorder, server, emitter) = served(100);
    emit_numbers(&emitter, 0..5);
    emitter.emit(ExecutionEnd::new(1_u64));
    settle(&recorder);
    let newest = recorder.hub().newest();
    for cursor in [Cursor::new(newest.epoch ^ 1, 3), Cursor::new(newest.epoch, newest.offset + 1)] {
        let frames = resume(&server, &stream_of(&emitter), cursor).events();
        assert_eq!(tags(&frames)[..2], ["data-connected", "data-stream-gap"]);
        assert_eq!(frames[1].id(), None, "nobody resumes from a gap");
        assert_eq!(numbers(&frames), [0, 1, 2, 3, 4], "what there is of the execution follows");
    }
}

#[test]
fn a_client_that_comes_back_is_told_how_many_pieces_are_gone_meanwhile() {
    let (recorder, server, emitter) = served(4);
    emitter.emit(TextStart::new("t"));
    for _ in 0..100 {
        emitter.emit(TextDelta::new("t", "x "));
        settle(&recorder);
    }
    emitter.emit(TextEnd::new("t"));
    emitter.emit(ExecutionEnd::new(1_u64));
    settle(&recorder);
    // It had the start and ten pieces; the ring has let go of the next ones, and the log never had them.
    let frames = resume(&server, &stream_of(&emitter), Cursor::new(recorder.hub().newest().epoch, 11)).events();
    let lagged = |frame: &Frame| if let Body::StreamLagged(lagged) = frame.data().body { lagged.dropped } else { 0 };
    let pieces = tags(&frames).iter().filter(|tag| **tag == "data-text-delta").count() as u64;
    assert_eq!(frames.iter().map(lagged).sum::<u64>() + pieces, 90, "{:?}", tags(&frames));
}

#[test]
fn a_client_comes_back_to_the_next_process_with_its_cursor() {
    let folder = crate::scratch::Scratch::new();
    let start = || {
        let log = spanwright::log::SqliteLog::open(folder.file("trace.db")).expect("open");
        let recorder = Recorder::builder().log(log).hub(HubLimits::new(16, 1 << 20)).start().expect("start");
        let server = Server::spawn(recorder.clone(), "127.0.0.1:0").expect("serve");
        (recorder, server)
    };
    let (recorder, server) = start();
    let emitter = recorder.emitter();
    let (id, path) = (emitter.execution_id().clone(), stream_of(&emitter));
    emit_numbers(&emitter, 0..50);
    let mut reply = get(server.addr(), &path);
    let seen: Vec<_> = (0..21).map(|_| reply.event().expect("event")).collect();
    let last = seen[20].id().expect("id");
    emitter.emit(ExecutionPaused::new("the night"));
    recorder.shutdown(SOON).expect("shutdown");
    drop((emitter, recorder, server));
    let (recorder, server) = start();
    let emitter = recorder.emitter().for_execution(id);
    emitter.emit(ExecutionResumed::new());
    emit_numbers(&emitter, 50..80);
    emitter.emit(ExecutionEnd::new(1_u64));
    settle(&recorder);
    let rest = resume(&server, &path, last).events();
    assert_eq!(numbers(&rest), (20..80).collect::<Vec<_>>(), "{:?}", tags(&rest));
    assert_eq!(resume(&server, &path, rest.last().and_then(Frame::id).expect("id")).status, 204);
    let page = get(server.addr(), &format!("/executions/{}/events?limit=1000&after={last}", emitter.execution_id()));
    assert_eq!(page.json()["events"].as_array().map(Vec::len), Some(63));
}

#[test]
fn a_stream_whose_log_has_shut_down_ends_instead_of_going_past_what_the_log_has() {
    let (recorder, server, emitter) = served(4);
    emit_numbers(&emitter, 0..100);
    recorder.shutdown(SOON).expect("shutdown");
    let seen = Cursor::new(recorder.hub().newest().epoch, 10);
    for path in [stream_of(&emitter), "/stream".to_owned()] {
        let frames = resume(&server, &path, seen).events();
        assert_eq!(tags(&frames), ["data-connected"], "{path}");
        assert_eq!(frames[0].id(), Some(seen), "it comes back to where it was");
    }
}
