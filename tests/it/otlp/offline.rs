//! The record in OTLP files, without a destination: what is in them is what the log has.

use super::{LIMIT, full};
use crate::{runs, shared};
use opentelemetry_proto::tonic::{collector::trace::v1::ExportTraceServiceRequest, trace::v1::Span};
use prost::Message;
use spanwright::{
    ExecutionId, Recorder,
    event::{ExecutionEnd, ExecutionStart, LlmCallEnd, LlmCallStart},
    log::MemoryLog,
    otlp::{Export, Naming, OpenInference},
};

fn recorder() -> Recorder {
    Recorder::builder().log(MemoryLog::new()).content(full()).start().expect("start")
}

fn export(recorder: &Recorder) -> Export {
    recorder.flush().wait(LIMIT).expect("flush");
    Export::of(recorder.log().expect("log").clone())
}

fn from_json(file: &[u8]) -> Vec<ExportTraceServiceRequest> {
    let text = std::str::from_utf8(file).expect("UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("a request")).collect()
}

fn from_protobuf(mut file: &[u8]) -> Vec<ExportTraceServiceRequest> {
    let mut requests = Vec::new();
    while let Some((length, rest)) = file.split_first_chunk() {
        let (message, rest) = rest.split_at(u32::from_be_bytes(*length) as usize);
        requests.push(ExportTraceServiceRequest::decode(message).expect("a request"));
        file = rest;
    }
    assert!(file.is_empty());
    requests
}

fn spans(requests: &[ExportTraceServiceRequest]) -> Vec<&Span> {
    let scopes = requests.iter().flat_map(|request| &request.resource_spans).flat_map(|one| &one.scope_spans);
    scopes.flat_map(|scope| &scope.spans).collect()
}

fn call(recorder: &Recorder) -> ExecutionId {
    let emitter = recorder.emitter();
    emitter.emit(ExecutionStart::new().name("research").input("what is told"));
    emitter.emit(LlmCallStart::new("research", 1).model("gpt-4o").input("what is asked"));
    emitter.emit(LlmCallEnd::new(5));
    emitter.emit(ExecutionEnd::new(9));
    emitter.execution_id().clone()
}

#[test]
fn a_hundred_real_runs_are_the_same_spans_in_both_forms() {
    let Some(text) = shared::read("data/airline-runs.jsonl") else { return };
    let recorder = recorder();
    runs::read(&text).iter().for_each(|run| runs::emit(run, &recorder.emitter()));
    let (mut json, mut protobuf) = (Vec::new(), Vec::new());
    let export = export(&recorder).content(true).resource("service.name", "airline");
    let told = export.json(&mut json).expect("json");
    assert_eq!(export.protobuf(&mut protobuf).expect("protobuf"), told);
    let (json, protobuf) = (from_json(&json), from_protobuf(&protobuf));
    assert_eq!(json, protobuf);
    assert_eq!((told.executions, told.unreadable), (100, 0));
    assert_eq!(spans(&json).len() as u64, told.spans);
    let resource = json[0].resource_spans[0].resource.as_ref().expect("resource");
    assert!(resource.attributes.iter().any(|one| one.key == "service.name" && format!("{one:?}").contains("airline")));
    assert!(json.iter().all(|request| spans(std::slice::from_ref(request)).len() <= 512));
}

#[test]
fn one_execution_is_written_alone_and_content_only_when_asked_for() {
    let recorder = recorder();
    let (first, _) = (call(&recorder), call(&recorder));
    let mut file = Vec::new();
    let told = export(&recorder).execution(first.clone()).json(&mut file).expect("json");
    assert_eq!((told.executions, told.spans), (1, 2));
    let text = String::from_utf8(file.clone()).expect("UTF-8");
    assert!(!text.contains("what is told") && !text.contains("what is asked"));
    assert!(spans(&from_json(&file)).iter().all(|span| span.trace_id == first.trace_id().to_be_bytes()));
    let mut file = Vec::new();
    export(&recorder).execution(first).content(true).json(&mut file).expect("json");
    let text = String::from_utf8(file).expect("UTF-8");
    assert!(text.contains("what is told") && text.contains("what is asked"));
}

#[test]
fn the_dialect_is_what_is_asked_for() {
    let recorder = recorder();
    call(&recorder);
    let keys = |export: Export| {
        let mut file = Vec::new();
        export.json(&mut file).expect("json");
        let requests = from_json(&file);
        let keys = spans(&requests).into_iter().flat_map(|span| span.attributes.iter().map(|one| one.key.clone()));
        keys.collect::<Vec<_>>()
    };
    let has = |keys: &[String], prefix: &str| keys.iter().any(|key| key.starts_with(prefix));
    assert!(has(&keys(export(&recorder)), "openinference."));
    assert!(!has(&keys(export(&recorder).openinference(OpenInference::Off)), "openinference."));
    assert!(has(&keys(export(&recorder).langfuse(true)), "langfuse."));
    assert!(!keys(export(&recorder).naming(Naming::Latest)).is_empty());
}

#[test]
fn a_file_that_cannot_be_written_is_told() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("no space left"))
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let recorder = recorder();
    call(&recorder);
    for failed in [export(&recorder).json(Full), export(&recorder).protobuf(Full), export(&recorder).perfetto(Full)] {
        let error = failed.expect_err("told");
        assert!(error.is_io() && error.to_string().contains("no space left"), "{error}");
    }
}
