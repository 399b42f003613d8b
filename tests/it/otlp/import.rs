//! OTLP files read back: our own give the same trees, others' give trees of what they say.

use super::{LIMIT, full};
use crate::{runs, shared};
use serde_json::{Value, json};
use spanwright::{
    ExecutionId, Recorder, StreamEvent,
    event::{Body, Kind, OpenThings, Outcome, ToolFailure},
    log::{ExecutionsQuery, MemoryLog, Query, Scope},
    otlp::{self, Export, OpenInference},
    view::RunTree,
};

fn recorder() -> Recorder {
    Recorder::builder().log(MemoryLog::new()).content(full()).start().expect("start")
}

fn exported(recorder: &Recorder, openinference: OpenInference) -> Vec<u8> {
    recorder.flush().wait(LIMIT).expect("flush");
    let mut file = Vec::new();
    let log = recorder.log().expect("log").clone();
    Export::of(log)
        .content(true)
        .openinference(openinference)
        .max_value_bytes(1 << 20)
        .json(&mut file)
        .expect("export");
    file
}

fn imported(file: &[u8]) -> Recorder {
    let recorder = recorder();
    for events in otlp::read_json(file) {
        let events = events.expect("a trace");
        let count = events.len() as u64;
        let intake = recorder.on_behalf_of(None);
        assert_eq!(intake.emit_all(events).expect("taken in").accepted, count);
    }
    recorder
}

fn events(recorder: &Recorder, id: &ExecutionId) -> Vec<StreamEvent> {
    let page = recorder.log().expect("log").read(Query::new(Scope::Execution(id.clone()), 0, 100_000)).wait(LIMIT);
    page.expect("page").events.iter().map(|event| event.to_stream().expect("decodes")).collect()
}

fn ids(recorder: &Recorder) -> Vec<ExecutionId> {
    let rows = recorder.log().expect("log").executions(ExecutionsQuery::newest(1_000)).wait(LIMIT).expect("rows");
    let mut ids: Vec<_> = rows.into_iter().map(|row| row.execution_id).collect();
    ids.sort_by_key(ToString::to_string);
    ids
}

fn outline(events: &[StreamEvent]) -> String {
    let mut tree = RunTree::new();
    events.iter().for_each(|event| drop(tree.apply(event)));
    tree.outline()
}

#[test]
fn a_hundred_real_runs_exported_and_read_back_are_the_same_trees() {
    let Some(text) = shared::read("data/airline-runs.jsonl") else { return };
    let first = recorder();
    runs::read(&text).iter().for_each(|run| runs::emit(run, &first.emitter()));
    for openinference in [OpenInference::Small, OpenInference::Off] {
        let second = imported(&exported(&first, openinference));
        assert_eq!(ids(&first), ids(&second));
        for id in ids(&first) {
            assert_eq!(outline(&events(&first, &id)), outline(&events(&second, &id)));
        }
    }
}
