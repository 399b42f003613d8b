//! The record as JSON Lines: what is written is read back as it was, and a bad line costs nothing but itself.

use super::{LIMIT, Scratch};
use crate::{runs, shared};
use proptest::prelude::*;
use spanwright::{
    ContentLevel, ContentPolicy, EventLog, ExecutionId, Recorder, StreamEvent,
    event::{ExecutionEnd, ExecutionStart, Note},
    log::{LoggedEvent, MemoryLog, Query, Scope, SqliteLog, jsonl},
};
use std::sync::Arc;

fn recorder(log: impl EventLog) -> Recorder {
    let policy = ContentPolicy::new(ContentLevel::Full).max_text_bytes(1 << 20).max_json_bytes(1 << 20);
    Recorder::builder().log(log).content(policy).start().expect("start")
}

fn log(recorder: &Recorder) -> &Arc<dyn EventLog> {
    recorder.flush().wait(LIMIT).expect("flush");
    recorder.log().expect("log")
}

fn written(recorder: &Recorder, query: Query) -> Vec<u8> {
    let mut file = Vec::new();
    jsonl::write(log(recorder).as_ref(), query, &mut file).expect("write");
    file
}

fn everything() -> Query {
    Query::new(Scope::Everything, 0, 100)
}

/// Takes a file in, and says how many events were good.
fn take_in(recorder: &Recorder, file: &[u8]) -> u64 {
    let good = jsonl::read(file).map(|event| event.expect("a good line").to_stream());
    recorder.on_behalf_of(None).emit_all(good).expect("taken in").accepted
}

/// Everything about an event but where it stands in its log.
fn told(event: &LoggedEvent) -> (u64, StreamEvent, Option<String>) {
    let tenant = event.context.tenant_id.as_ref().map(ToString::to_string);
    (event.sequence, event.to_stream().expect("decodes"), tenant)
}

fn record(recorder: &Recorder, scope: Scope) -> Vec<LoggedEvent> {
    log(recorder).read(Query::new(scope, 0, 1_000_000)).wait(LIMIT).expect("page").events
}

#[test]
fn a_hundred_real_runs_come_out_of_one_record_and_go_into_another_as_they_were() {
    let Some(text) = shared::read("data/airline-runs.jsonl") else { return };
    let scratch = Scratch::new();
    let first = recorder(SqliteLog::open(scratch.file("first.db")).expect("open"));
    for run in runs::read(&text) {
        runs::emit(&run, &first.emitter());
    }
    let file = written(&first, everything());
    let second = recorder(SqliteLog::open(scratch.file("second.db")).expect("open"));
    let accepted = take_in(&second, &file);
    let (was, is) = (record(&first, Scope::Everything), record(&second, Scope::Everything));
    assert_eq!(accepted, was.len() as u64);
    assert_eq!(was.iter().map(told).collect::<Vec<_>>(), is.iter().map(told).collect::<Vec<_>>());
    // Ids are of the log that gave them; all else is the same, byte by byte.
    assert_eq!(without_ids(&written(&second, everything())), without_ids(&file));
}

fn without_ids(file: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(file).expect("UTF-8");
    text.lines().map(|line| line.split_once(',').expect("fields").1.to_owned()).collect()
}

#[test]
fn one_execution_and_one_tenant_are_written_alone_and_a_file_goes_on_where_the_last_one_ended() {
    let recorder = recorder(MemoryLog::new());
    let ids = ["acme", "other"].map(|tenant| {
        let emitter = recorder.emitter();
        emitter.emit(ExecutionStart::new().tenant_id(tenant));
        emitter.emit(ExecutionEnd::new(1));
        emitter.execution_id().clone()
    });
    let of = |file: &[u8]| -> Vec<ExecutionId> {
        jsonl::read(file).map(|event| event.expect("event").context.execution_id).collect()
    };
    assert_eq!(
        of(&written(&recorder, Query::new(Scope::Execution(ids[1].clone()), 0, 1))),
        [ids[1].clone(), ids[1].clone()]
    );
    assert_eq!(of(&written(&recorder, everything().of_tenant("acme"))), [ids[0].clone(), ids[0].clone()]);
    let so_far = jsonl::write(log(&recorder).as_ref(), everything(), std::io::sink()).expect("write");
    assert_eq!((so_far.events, so_far.unreadable), (4, 0));
    recorder.emitter().emit(ExecutionStart::new().name("later"));
    let rest = written(&recorder, Query::new(Scope::Everything, so_far.read_to, 100));
    assert_eq!(of(&rest).len(), 1);
    let backwards = jsonl::write(log(&recorder).as_ref(), Query::back(Scope::Everything, 9, 1), std::io::sink());
    assert!(backwards.expect_err("reads on only").is_invalid());
}

#[test]
fn a_bad_line_is_named_and_everything_else_is_read() {
    let recorder = recorder(MemoryLog::new());
    (0..3).for_each(|_| recorder.emitter().emit(ExecutionStart::new().name("good")));
    let file = String::from_utf8(written(&recorder, everything())).expect("UTF-8");
    let good: Vec<&str> = file.lines().collect();
    let newer = good[0].replace("\"schema_version\":1", "\"schema_version\":2");
    let lines = [good[0], "", "{\"event_id\":", good[1], &newer, "\u{feff}", "[1]\r", good[2]];
    let bytes = format!("\u{feff}{}", lines.join("\n"));
    let read: Vec<_> = jsonl::read(bytes.as_bytes()).collect();
    let (events, errors): (Vec<_>, Vec<_>) = read.into_iter().partition(Result::is_ok);
    assert_eq!(events.len(), 3);
    let errors: Vec<String> =
        errors.into_iter().filter_map(|error| error.err().map(|error| error.to_string())).collect();
    let named: Vec<&str> = errors.iter().filter_map(|error| error.split(':').next()).collect();
    assert_eq!(named, ["line 3", "line 5", "line 6", "line 7"], "{errors:?}");
    assert!(errors[1].contains("schema version 2"), "{errors:?}");
}

#[test]
fn a_line_that_is_too_long_is_passed_over_and_its_number_told() {
    let recorder = recorder(MemoryLog::new());
    recorder.emitter().emit(ExecutionStart::new().name("good"));
    let good = written(&recorder, everything());
    let mut file = vec![b'x'; jsonl::MAX_LINE_BYTES + 5];
    file.push(b'\n');
    file.extend_from_slice(&good);
    let read: Vec<_> = jsonl::read(&file[..]).collect();
    assert!(read[0].as_ref().is_err_and(|error| error.is_too_large() && error.to_string().starts_with("line 1:")));
    assert!(read[1].is_ok() && read.len() == 2);
}

#[test]
fn an_input_that_fails_says_so_once_and_is_over() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("no such disk"))
        }
    }
    let mut read = jsonl::read(std::io::BufReader::new(Broken));
    assert!(read.next().expect("an error").is_err_and(|error| error.is_io()));
    assert!(read.next().is_none());
}

#[test]
fn more_events_than_the_queue_has_room_for_are_all_taken_in() {
    let recorder = Recorder::builder()
        .log(MemoryLog::new())
        .queue(spanwright::QueueLimits::new(1_024, 8 << 20))
        .start()
        .expect("start");
    let id = ExecutionId::new();
    let events =
        (0..20_000_u64).map(|n| StreamEvent::new(Note::new("n", spanwright::Json::of(&n))).of_execution(id.clone()));
    let admitted = recorder.on_behalf_of(None).emit_all(events).expect("taken in");
    assert_eq!((admitted.accepted, admitted.denied, admitted.shed), (20_000, 0, 0));
}

proptest! {
    #[test]
    fn any_bytes_are_read_to_their_end(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let lines = bytes.split(|byte| *byte == b'\n').count();
        prop_assert!(jsonl::read(&bytes[..]).count() <= lines);
    }
}
