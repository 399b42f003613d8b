//! OpenTelemetry's SDK and its OTLP exporters, with the same spans; and prost by itself.

use super::{
    sink,
    work::{BATCH, NEVER, requests, span_data},
};
use crate::case::{BURST, Case, Cases, Op};
use opentelemetry_otlp::{Protocol, SpanExporter as Exporter, WithExportConfig};
use opentelemetry_proto::{
    tonic::collector::trace::v1::ExportTraceServiceRequest,
    transform::{common::tonic::ResourceAttributesWithSchema, trace::tonic::group_spans_by_resource_and_scope},
};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{BatchConfigBuilder, BatchSpanProcessor, SpanData, SpanExporter, SpanProcessor},
};
use prost::Message;
use std::hint::black_box;

fn resource() -> Resource {
    Resource::builder_empty().with_service_name("benches").build()
}

/// As the exporter makes the body of a request: its `build_trace_export_body`.
fn body(spans: Vec<SpanData>, resource: &ResourceAttributesWithSchema) -> Vec<u8> {
    ExportTraceServiceRequest { resource_spans: group_spans_by_resource_and_scope(spans, resource) }.encode_to_vec()
}

struct Transform {
    spans: Vec<SpanData>,
    ready: Vec<Vec<SpanData>>,
    resource: ResourceAttributesWithSchema,
}

impl Case for Transform {
    fn prepare(&mut self) {
        self.ready = self.spans.chunks(BATCH).map(<[_]>::to_vec).collect();
    }

    fn burst(&mut self, times: usize) {
        assert_eq!(times, self.ready.iter().map(Vec::len).sum::<usize>());
        for batch in self.ready.drain(..) {
            black_box(body(batch, &self.resource));
        }
    }
}

/// Spans of the SDK to requests.
pub(super) fn transform(op: Op) -> Cases {
    Box::new(move || {
        let resource = ResourceAttributesWithSchema::from(&resource());
        Box::new(Transform { spans: span_data(op), ready: Vec::new(), resource })
    })
}

struct Prost {
    requests: Vec<ExportTraceServiceRequest>,
    buffer: Vec<u8>,
}

impl Case for Prost {
    fn burst(&mut self, times: usize) {
        assert_eq!(times, BURST);
        for request in &self.requests {
            self.buffer.clear();
            request.encode(&mut self.buffer).expect("a vector has room");
            black_box(&self.buffer);
        }
    }
}

/// Messages that are made already, into a buffer that is used again.
pub(super) fn prost(op: Op) -> Cases {
    Box::new(move || Box::new(Prost { requests: requests(op), buffer: Vec::new() }))
}

struct Batch {
    spans: Vec<SpanData>,
    ready: Vec<SpanData>,
    processor: BatchSpanProcessor,
}

impl Case for Batch {
    fn prepare(&mut self) {
        self.ready = self.spans.clone();
    }

    fn burst(&mut self, times: usize) {
        assert_eq!(times, self.ready.len());
        self.ready.drain(..).for_each(|span| self.processor.on_end(span));
        self.processor.force_flush().expect("exported");
    }
}

/// As the SDK's batch processor is set up by itself, but that its queue holds a burst: nothing may be lost.
fn batch(op: Op, exporter: impl SpanExporter + 'static) -> Box<dyn Case> {
    let config = BatchConfigBuilder::default()
        .with_max_queue_size(2 * BURST)
        .with_max_export_batch_size(BATCH)
        .with_scheduled_delay(NEVER);
    let mut processor = BatchSpanProcessor::builder(exporter).with_batch_config(config.build()).build();
    processor.set_resource(&resource());
    Box::new(Batch { spans: span_data(op), ready: Vec::new(), processor })
}

/// Makes what the exporter would send, and sends it nowhere.
#[derive(Debug)]
struct Encoder(ResourceAttributesWithSchema);

impl SpanExporter for Encoder {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        black_box(body(batch, &self.0));
        Ok(())
    }
}

/// The batch processor, and everything of the exporter but sending.
pub(super) fn batch_encode(op: Op) -> Cases {
    Box::new(move || batch(op, Encoder(ResourceAttributesWithSchema::from(&resource()))))
}

/// The exporter over HTTP, as it is by itself: reqwest, blocking.
pub(super) fn http(op: Op) -> Cases {
    Box::new(move || {
        let url = format!("{}/v1/traces", sink::http());
        let exporter = Exporter::builder().with_http().with_protocol(Protocol::HttpBinary).with_endpoint(url);
        batch(op, exporter.build().expect("exporter"))
    })
}

/// The exporter over gRPC, on a runtime with one thread.
pub(super) fn grpc(op: Op) -> Cases {
    Box::new(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = Box::leak(Box::new(runtime.expect("runtime")));
        let _inside = runtime.enter();
        let exporter = Exporter::builder().with_tonic().with_endpoint(sink::grpc());
        batch(op, exporter.build().expect("exporter"))
    })
}
