//! Exporters of the OpenTelemetry SDK as destinations: on any thread, with any runtime or none; nothing is lost while they
//! fail, and nothing waits for ever for what they cannot take.

use super::{LIMIT, full};
use opentelemetry_sdk::{
    Resource,
    error::{OTelSdkError, OTelSdkResult},
    trace::{InMemorySpanExporter, SpanData, SpanExporter},
};
use spanwright::{
    EventEmitter, Recorder,
    event::{ExecutionEnd, ExecutionStart, StepEnd, StepStart, StepType},
    log::MemoryLog,
    otlp::{Delivery, Destination, Signal, Stats},
};
use std::{
    collections::BTreeMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

type Export = dyn Fn(&[SpanData]) -> Pin<Box<dyn Future<Output = OTelSdkResult> + Send>> + Send + Sync;

/// Does as it is told with each batch, and remembers what it took and what else was asked of it.
#[derive(Clone)]
struct Scripted(Arc<Script>);

struct Script {
    export: Box<Export>,
    taken: Mutex<Vec<SpanData>>,
    asked: Mutex<Vec<&'static str>>,
    resource: Mutex<Option<Resource>>,
}

impl std::fmt::Debug for Scripted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Scripted")
    }
}

impl Scripted {
    fn new<F>(export: impl Fn(&[SpanData]) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = OTelSdkResult> + Send + 'static,
    {
        let export: Box<Export> = Box::new(move |batch| Box::pin(export(batch)));
        let (taken, asked, resource) = Default::default();
        Self(Arc::new(Script { export, taken, asked, resource }))
    }

    /// One that takes no batch with a span of the id that is put there.
    fn refusing_one() -> (Arc<Mutex<String>>, Self) {
        let poisoned = Arc::new(Mutex::new(String::new()));
        let known = poisoned.clone();
        let exporter = Self::new(move |batch| {
            let bad = batch.iter().any(|span| id(span) == *known.lock().expect("id"));
            async move { if bad { failed() } else { Ok(()) } }
        });
        (poisoned, exporter)
    }

    fn names(&self) -> BTreeMap<String, usize> {
        let mut names = BTreeMap::new();
        for span in self.0.taken.lock().expect("taken").iter() {
            *names.entry(id(span)).or_default() += 1;
        }
        names
    }

    fn asked(&self, what: &'static str) -> OTelSdkResult {
        self.0.asked.lock().expect("asked").push(what);
        Ok(())
    }
}

fn id(span: &SpanData) -> String {
    span.span_context.span_id().to_string()
}

impl SpanExporter for Scripted {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        (self.0.export)(&batch).await?;
        self.0.taken.lock().expect("taken").extend(batch);
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        self.asked("shutdown")
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.asked("flush")
    }

    fn set_resource(&mut self, resource: &Resource) {
        *self.0.resource.lock().expect("resource") = Some(resource.clone());
    }
}

fn failed() -> OTelSdkResult {
    Err(OTelSdkError::InternalFailure("the other side\r\n\u{1b}[2Jis down".into()))
}

fn recorder() -> Recorder {
    Recorder::builder().log(MemoryLog::new()).content(full()).start().expect("start")
}

/// One execution with this many steps; their span ids, the root's first, which ends last.
fn run(emitter: &EventEmitter, steps: usize) -> Vec<String> {
    let root = spanwright::StepId::new();
    emitter.emit(spanwright::StreamEvent::new(ExecutionStart::new().name("run")).of_step(root.clone()));
    let mut ids = vec![format!("{:016x}", root.span_id())];
    for _ in 0..steps {
        let step = spanwright::StepId::new();
        ids.push(format!("{:016x}", step.span_id()));
        let start = StepStart::new(StepType::FunctionNode, "step").parent_step_id(root.clone());
        emitter.emit(spanwright::StreamEvent::new(start).of_step(step.clone()));
        emitter.emit(spanwright::StreamEvent::new(StepEnd::new(1)).of_step(step));
    }
    emitter.emit(spanwright::StreamEvent::new(ExecutionEnd::new(1)).of_step(root));
    ids
}

fn start(recorder: &Recorder, exporter: impl SpanExporter + 'static) -> Delivery {
    let quick = Duration::from_millis(1);
    let destination = Destination::exporter(exporter).interval(quick).backoff(quick, quick);
    destination.start(recorder.log().expect("log").clone()).expect("start")
}

/// Until everything is settled, however often it has to be tried.
fn settle(recorder: &Recorder, delivery: &Delivery) -> Stats {
    recorder.flush().wait(LIMIT).expect("flush");
    while delivery.flush().wait(LIMIT).is_err() {}
    delivery.stats(Signal::Traces)
}

fn once(ids: &[String]) -> BTreeMap<String, usize> {
    ids.iter().map(|id| (id.clone(), 1)).collect()
}

/// What exporters do: tasks and timers of tokio, a runtime made and dropped as `reqwest::blocking` does, plain blocking.
fn ways() -> Vec<Scripted> {
    vec![
        Scripted::new(|_| async { Ok(()) }),
        Scripted::new(|_| async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            tokio::spawn(async { tokio::task::yield_now().await }).await.map_err(|_| OTelSdkError::AlreadyShutdown)
        }),
        Scripted::new(|_| async {
            let own = tokio::runtime::Builder::new_current_thread().build().expect("runtime");
            drop(own);
            Ok(())
        }),
        Scripted::new(|_| async {
            let address = tokio::net::lookup_host("127.0.0.1:1").await.map(|mut all| all.next());
            assert!(address.is_ok_and(|address| address.is_some()));
            Ok(())
        }),
    ]
}

fn every_way_works() {
    for exporter in ways() {
        let recorder = recorder();
        let delivery = start(&recorder, exporter.clone());
        let ids = run(&recorder.emitter(), 3);
        let stats = settle(&recorder, &delivery);
        assert_eq!((exporter.names(), stats.accepted, stats.dropped), (once(&ids), 4, 0));
        delivery.shutdown(LIMIT).expect("shutdown");
    }
}

#[test]
fn exporters_of_every_kind_work_without_a_runtime() {
    every_way_works();
}

#[test]
fn exporters_of_every_kind_work_inside_a_current_thread_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime");
    runtime.block_on(async { every_way_works() });
}

#[test]
fn exporters_of_every_kind_work_on_a_worker_of_a_runtime_with_one() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runtime");
    runtime.block_on(async { tokio::spawn(async { every_way_works() }).await.expect("task") });
}

#[test]
fn the_sdks_own_exporter_gets_ids_parents_times_and_the_resource() {
    let (recorder, exporter) = (recorder(), InMemorySpanExporter::default());
    let delivery = start(&recorder, exporter.clone());
    let emitter = recorder.emitter();
    let ids = run(&emitter, 1);
    settle(&recorder, &delivery);
    let spans = exporter.get_finished_spans().expect("spans");
    let root = spans.iter().find(|span| span.parent_span_id == opentelemetry::trace::SpanId::INVALID).expect("root");
    let step = spans.iter().find(|span| span.parent_span_id == root.span_context.span_id()).expect("step");
    let trace = format!("{:032x}", emitter.execution_id().trace_id());
    assert!([root, step].iter().all(|span| span.span_context.trace_id().to_string() == trace));
    assert!([root, step].iter().all(|span| span.span_context.is_sampled() && ids.contains(&id(span))));
    assert!(root.start_time <= step.start_time && step.end_time <= root.end_time);
    assert_eq!(
        (root.instrumentation_scope.name(), root.status.clone()),
        ("spanwright", opentelemetry::trace::Status::Unset)
    );
}

#[test]
fn it_is_told_the_resource_first_flushed_after_each_batch_and_shut_down_at_the_end() {
    let (recorder, exporter) = (recorder(), Scripted::new(|_| async { Ok(()) }));
    let delivery = start(&recorder, exporter.clone());
    let resource = exporter.0.resource.lock().expect("resource").clone().expect("told");
    assert!(resource.iter().any(|(key, _)| key.as_str() == "service.name"));
    run(&recorder.emitter(), 2);
    settle(&recorder, &delivery);
    delivery.shutdown(LIMIT).expect("shutdown");
    let asked = exporter.0.asked.lock().expect("asked").clone();
    let (last, before) = asked.split_last().expect("asked");
    assert!(*last == "shutdown" && !before.is_empty() && before.iter().all(|what| *what == "flush"), "{asked:?}");
}

#[test]
fn while_it_fails_nothing_is_lost_however_long_that_is() {
    let calls = Arc::new(Mutex::new(0));
    let count = calls.clone();
    let exporter = Scripted::new(move |_| {
        let mut calls = count.lock().expect("calls");
        *calls += 1;
        let answer = if *calls <= 60 { failed() } else { Ok(()) };
        async { answer }
    });
    let recorder = recorder();
    let delivery = start(&recorder, exporter.clone());
    let ids = run(&recorder.emitter(), 5);
    let stats = settle(&recorder, &delivery);
    assert_eq!((exporter.names(), stats.accepted, stats.dropped), (once(&ids), 6, 0));
    assert_eq!(stats.failures, 60);
    assert!(stats.last_error.expect("said").contains("the other side [2Jis down"));
}

#[test]
fn what_cannot_be_taken_is_given_up_and_takes_nothing_along() {
    let (poisoned, exporter) = Scripted::refusing_one();
    let recorder = recorder();
    let emitter = recorder.emitter();
    let mut ids = run(&emitter, 6);
    poisoned.lock().expect("id").clone_from(&ids[3]);
    let delivery = start(&recorder, exporter.clone());
    let stats = settle(&recorder, &delivery);
    ids.remove(3);
    assert_eq!((exporter.names(), stats.accepted, stats.dropped), (once(&ids), 6, 1));
}

#[test]
fn one_that_cannot_be_taken_alone_waits_until_others_are() {
    let (poisoned, exporter) = Scripted::refusing_one();
    let recorder = recorder();
    let bad = run(&recorder.emitter(), 0);
    poisoned.lock().expect("id").clone_from(&bad[0]);
    let delivery = start(&recorder, exporter.clone());
    recorder.flush().wait(LIMIT).expect("flush");
    for _ in 0..20 {
        assert!(delivery.flush().wait(LIMIT).is_err());
    }
    assert_eq!(delivery.stats(Signal::Traces).dropped, 0);
    let good = run(&recorder.emitter(), 0);
    let stats = settle(&recorder, &delivery);
    assert_eq!((exporter.names(), stats.accepted, stats.dropped), (once(&good), 1, 1));
}

#[test]
fn a_panic_of_the_exporter_is_a_failure_like_another() {
    let calls = Arc::new(Mutex::new(0));
    let count = calls.clone();
    let exporter = Scripted::new(move |_| {
        let first = std::mem::replace(&mut *count.lock().expect("calls"), 1) == 0;
        async move {
            assert!(!first, "on purpose");
            Ok(())
        }
    });
    let recorder = recorder();
    let delivery = start(&recorder, exporter.clone());
    let ids = run(&recorder.emitter(), 1);
    let stats = settle(&recorder, &delivery);
    assert_eq!((exporter.names(), stats.failures), (once(&ids), 1));
}

/// Panics as soon as it is told anything.
#[derive(Debug)]
struct Touchy;

impl SpanExporter for Touchy {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        Ok(())
    }

    fn set_resource(&mut self, _: &Resource) {
        panic!("on purpose");
    }
}

#[test]
fn a_panic_when_it_is_told_the_resource_is_said_by_the_start() {
    let log = recorder().log().expect("log").clone();
    let error = Destination::exporter(Touchy).start(log).expect_err("refused");
    assert!(error.is_config() && error.to_string().contains("panicked"), "{error}");
}

#[test]
fn an_exporter_is_started_once_and_takes_spans_only() {
    let recorder = recorder();
    let log = || recorder.log().expect("log").clone();
    let destination = Destination::exporter(Scripted::new(|_| async { Ok(()) }));
    let first = destination.start(log()).expect("start");
    assert!(destination.start(log()).expect_err("used").is_config());
    assert_eq!(first.name(), "exporter");
    let metrics = Destination::exporter(Scripted::new(|_| async { Ok(()) })).metrics(true);
    assert!(metrics.start(log()).expect_err("no metrics").is_config());
}
