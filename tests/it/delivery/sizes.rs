//! Requests that are too large for the other side.

use super::{Answer, Collector, Run, destination, ended, flush, ms, recorder, start};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
    trace_service_server::{TraceService, TraceServiceServer},
};
use spanwright::{
    event::ExecutionEnd,
    otlp::{Capture, Destination, Signal},
};
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

#[test]
fn what_is_refused_for_its_size_comes_in_halves_and_in_order() {
    let collector =
        Collector::start(|arrived| if arrived.spans.len() > 3 { Answer::status(413) } else { Answer::Taken });
    let recorder = recorder();
    let delivery = start(&destination(&collector), &recorder);
    (0..10).for_each(|_| Run::whole(&recorder, 9));
    flush(&recorder, &delivery);
    assert_eq!(collector.by_trace(), ended(&**recorder.log().expect("log")));
    let stats = delivery.stats(Signal::Traces);
    assert_eq!((stats.accepted, stats.rejected, stats.dropped), (100, 0, 0));
    assert!(stats.splits > 0 && stats.failures == 0, "{stats:?}");
}

#[test]
fn a_span_that_is_too_large_by_itself_takes_nothing_along() {
    let too_large = Arc::new(AtomicU64::new(0));
    let known = too_large.clone();
    let collector = Collector::start(move |arrived| {
        let has_it = arrived.spans.iter().any(|span| span.span_id == known.load(Relaxed));
        if has_it { Answer::Refused(413, "", "4 MiB is all".into()) } else { Answer::Taken }
    });
    let recorder = recorder();
    let run = Run::begin(&recorder);
    (0..20).for_each(|_| drop(run.step()));
    too_large.store(run.step().span_id(), Relaxed);
    (0..20).for_each(|_| drop(run.step()));
    run.end();
    let delivery = start(&destination(&collector).from_beginning(true), &recorder);
    flush(&recorder, &delivery);
    let stats = delivery.stats(Signal::Traces);
    assert_eq!((stats.accepted, stats.rejected, stats.dropped), (41, 0, 1), "{stats:?}");
    assert!(stats.last_error.expect("told").contains("4 MiB is all"));
    let mut expected: Vec<u64> = ended(&**recorder.log().expect("log")).into_values().flatten().collect();
    expected.retain(|span| *span != too_large.load(Relaxed));
    assert_eq!(collector.spans().iter().map(|span| span.span_id).collect::<Vec<_>>(), expected);
}

#[test]
fn a_span_that_is_too_large_by_itself_is_taken_when_its_values_are_cut() {
    let is_large = |arrived: &super::collector::Arrived| arrived.bytes > 20_000;
    let collector =
        Collector::start(move |arrived| if is_large(arrived) { Answer::status(413) } else { Answer::Taken });
    let recorder = recorder();
    let delivery = start(&destination(&collector).capture(Capture::Spans), &recorder);
    let run = Run::begin(&recorder);
    run.step();
    run.emit(&run.root, ExecutionEnd::new(1).final_output("word ".repeat(9_000)));
    flush(&recorder, &delivery);
    let stats = delivery.stats(Signal::Traces);
    assert_eq!((stats.accepted, stats.cut, stats.dropped), (2, 1, 0), "{stats:?}");
    assert_eq!(collector.by_trace(), ended(&**recorder.log().expect("log")));
}

#[test]
fn requests_have_no_more_bytes_than_was_said_and_are_never_empty() {
    const MOST: usize = 16 << 10;
    let (collector, recorder) = (Collector::taking_all(), recorder());
    let delivery = start(&destination(&collector).batch_bytes(MOST).batch_spans(10_000), &recorder);
    (0..20).for_each(|_| Run::whole(&recorder, 99));
    flush(&recorder, &delivery);
    let seen = collector.seen();
    assert_eq!(collector.spans().len(), 2_000);
    assert!(seen.iter().all(|(arrived, _)| arrived.bytes <= MOST && !arrived.spans.is_empty()));
    assert!(seen.iter().any(|(arrived, _)| arrived.bytes > MOST * 9 / 10), "they are filled");
}

/// OTLP's own service, which takes three spans at once and says so with one of gRPC's codes.
struct Narrow {
    refusal: tonic::Status,
    taken: Arc<Mutex<Vec<u64>>>,
}

#[tonic::async_trait]
impl TraceService for Narrow {
    async fn export(
        &self,
        request: tonic::Request<ExportTraceServiceRequest>,
    ) -> Result<tonic::Response<ExportTraceServiceResponse>, tonic::Status> {
        let spans = super::collector::arrived(request.into_inner()).spans;
        if spans.len() > 3 {
            return Err(self.refusal.clone());
        }
        self.taken.lock().expect("lock").extend(spans.iter().map(|span| span.span_id));
        Ok(tonic::Response::new(ExportTraceServiceResponse::default()))
    }
}

#[test]
fn over_grpc_too_what_is_too_large_comes_in_halves() {
    let refusals = [
        tonic::Status::resource_exhausted("grpc: received message larger than max"),
        tonic::Status::out_of_range("decoded message length too large: found 5 bytes, the limit is: 4 bytes"),
    ];
    for refusal in refusals {
        let taken = Arc::<Mutex<Vec<u64>>>::default();
        let server =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runtime");
        let addr = serve(&server, Narrow { refusal, taken: taken.clone() });
        let recorder = recorder();
        let to = Destination::grpc(format!("http://{addr}")).interval(ms(1)).backoff(ms(1), ms(6));
        let delivery = start(&to, &recorder);
        (0..3).for_each(|_| Run::whole(&recorder, 9));
        flush(&recorder, &delivery);
        let expected: Vec<u64> = super::read_all(&**recorder.log().expect("log"))
            .iter()
            .filter(|event| matches!(event.kind.tag(), "data-step-end" | "data-execution-end"))
            .map(|event| event.context.step_id.as_ref().expect("step").span_id())
            .collect();
        assert_eq!(*taken.lock().expect("lock"), expected);
        let stats = delivery.stats(Signal::Traces);
        assert_eq!((stats.accepted, stats.dropped, stats.failures), (30, 0, 0), "{stats:?}");
        server.shutdown_background();
    }
}

fn serve(runtime: &tokio::runtime::Runtime, service: Narrow) -> SocketAddr {
    let _inside = runtime.enter();
    let incoming = tonic::transport::server::TcpIncoming::bind("127.0.0.1:0".parse().expect("address")).expect("bind");
    let addr = incoming.local_addr().expect("address");
    runtime.spawn(tonic::transport::Server::builder().serve_with_incoming(TraceServiceServer::new(service), incoming));
    addr
}
