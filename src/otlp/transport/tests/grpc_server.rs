//! Servers of gRPC: tonic's, with OTLP's own service or with answers made by hand, frame by frame.

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body as _, Frame};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use std::{
    collections::VecDeque,
    convert::Infallible,
    future::{Future, poll_fn},
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};
use tonic::{
    body::Body,
    transport::{Server, server::TcpIncoming},
};
use tower_service::Service;

/// A server that runs until it is dropped.
pub(super) struct GrpcServer {
    addr: SocketAddr,
    _runtime: tokio::runtime::Runtime,
}

impl GrpcServer {
    /// Gives every call the answer that the function makes of it.
    pub(super) fn start(answer: impl Fn(&HeaderMap, &str, Bytes) -> Answer + Send + Sync + 'static) -> Self {
        Self::serve(Server::builder(), ByHand(Arc::new(answer)))
    }

    /// OTLP's own service.
    pub(super) fn otlp<T>(server: Server, service: T) -> Self
    where
        T: TraceService,
    {
        Self::serve(server, TraceServiceServer::new(service).accept_compressed(tonic::codec::CompressionEncoding::Gzip))
    }

    /// The same at an address where a server was before.
    pub(super) fn otlp_at<T>(addr: SocketAddr, service: T) -> Self
    where
        T: TraceService,
    {
        Self::serve_at(addr, Server::builder(), TraceServiceServer::new(service))
    }

    fn serve<S>(server: Server, service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
        S::Future: Send,
    {
        Self::serve_at("127.0.0.1:0".parse().expect("address"), server, service)
    }

    fn serve_at<S>(addr: SocketAddr, server: Server, service: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
        S::Future: Send,
    {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runtime");
        let incoming = {
            let _inside = runtime.enter();
            TcpIncoming::bind(addr).expect("bind")
        };
        let addr = incoming.local_addr().expect("address");
        runtime.spawn(server.serve_with_incoming(service, incoming));
        Self { addr, _runtime: runtime }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub(super) const fn addr(&self) -> SocketAddr {
        self.addr
    }
}

/// An answer, frame by frame.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: Vec<(&'static str, String)>,
    pub(super) data: Vec<Bytes>,
    pub(super) trailers: Option<Vec<(&'static str, String)>>,
    pub(super) end: End,
}

/// What happens where the answer ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Well,
    Cut,
    Stalled,
}

impl Answer {
    /// A message and a status behind it.
    pub(super) fn message(message: &[u8], trailers: Vec<(&'static str, String)>) -> Self {
        let size = u32::try_from(message.len()).expect("size").to_be_bytes();
        let data = vec![Bytes::from([&[0], &size[..], message].concat())];
        Self { status: 200, head: grpc(), data, trailers: Some(trailers), end: End::Well }
    }

    /// A status and nothing else ("Trailers-Only").
    pub(super) fn status(status: Vec<(&'static str, String)>) -> Self {
        Self { status: 200, head: [grpc(), status].concat(), data: Vec::new(), trailers: None, end: End::Well }
    }

    fn response(self) -> Response<Body> {
        let response = self
            .head
            .iter()
            .fold(Response::builder().status(self.status), |response, (name, value)| response.header(*name, value));
        let mut frames: VecDeque<_> = self.data.into_iter().map(|data| Ok(Frame::data(data))).collect();
        let trailers = self.trailers.map(|pairs| {
            let pairs = pairs.iter().map(|(name, value)| (name.parse().expect("name"), value.parse().expect("value")));
            Ok(Frame::trailers(HeaderMap::from_iter(pairs)))
        });
        frames.extend(trailers);
        if self.end == End::Cut {
            frames.push_back(Err(std::io::Error::other("cut")));
        }
        response.body(Body::new(Frames(frames, self.end))).expect("response")
    }
}

fn grpc() -> Vec<(&'static str, String)> {
    vec![("content-type", "application/grpc".to_owned())]
}

struct Frames(VecDeque<Result<Frame<Bytes>, std::io::Error>>, End);

impl http_body::Body for Frames {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.0.pop_front() {
            // Nobody wakes it.
            None if self.1 == End::Stalled => Poll::Pending,
            frame => Poll::Ready(frame),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_empty() && self.1 != End::Stalled
    }
}

type Answering = dyn Fn(&HeaderMap, &str, Bytes) -> Answer + Send + Sync;

#[derive(Clone)]
struct ByHand(Arc<Answering>);

impl Service<Request<Body>> for ByHand {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let answer = self.0.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let (mut body, mut all) = (pin!(body), Vec::new());
            while let Some(Ok(frame)) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
                if let Ok(data) = frame.into_data() {
                    all.extend_from_slice(&data);
                }
            }
            Ok(answer(&parts.headers, parts.uri.path(), Bytes::from(all)).response())
        })
    }
}
