//! Connections, and the deadlines on them: a reader that stalls costs a socket for a while, and nobody else anything.

use super::{
    App,
    app::{Phase, Reached},
    deadline::Deadline,
};
use axum::{
    extract::{ConnectInfo, FromRequestParts, connect_info::Connected},
    http::request::Parts,
    serve::{IncomingStream, Listener},
};
use std::{
    convert::Infallible,
    future::Future,
    io::{self, IoSlice},
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};

/// Up to here the parts of a write are copied into one: for the kernel a plain write of little is a tenth cheaper than one
/// that gathers a chunk's length, bytes and end.
const TOGETHER_BYTES: usize = 2 << 10;

fn together<'a>(parts: &[IoSlice<'_>], space: &'a mut [u8; TOGETHER_BYTES]) -> Option<&'a [u8]> {
    let mut end = 0;
    for part in parts {
        space.get_mut(end..end + part.len())?.copy_from_slice(part);
        end += part.len();
    }
    Some(&space[..end])
}

/// Accepts connections, as many at once as the settings allow.
pub(super) struct Door {
    pub(super) listener: TcpListener,
    pub(super) app: Arc<App>,
}

impl Listener for Door {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Line, SocketAddr) {
        loop {
            // Axum's own: passes over errors of one connection, waits a second on others (too many open files).
            let (tcp, peer) = Listener::accept(&mut self.listener).await;
            if self.app.counters.connections.open() < self.app.settings.connections as u64 {
                // Frames are small and go out at once; without it they only come later.
                let _ = tcp.set_nodelay(true);
                return (Line::new(tcp, self.app.clone()), peer);
            }
            self.app.counters.over_limit.fetch_add(1, Relaxed);
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// How a handler tells the connection of its request that the body makes headway. No byte says so by itself: a client
/// that sends and never reads, or dribbles the head of a request, makes none.
///
/// Only who has a deadline of its own for the whole of the body may tell. Requests of a connection are dealt with one
/// after the other (there is no HTTP/2), so a stream is not kept by the body of another request.
#[derive(Debug, Clone, Default)]
pub(super) struct Headway(Arc<AtomicU64>);

impl Headway {
    pub(super) fn made(&self) {
        self.0.fetch_add(1, Relaxed);
    }
}

impl Connected<IncomingStream<'_, Door>> for Headway {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Self {
        stream.io().headway.clone()
    }
}

impl<S: Sync> FromRequestParts<S> for Headway {
    type Rejection = Infallible;

    /// Of the connection; in a server of someone else's, whose connections are not ours, nobody listens to it.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let own = parts.extensions.get::<ConnectInfo<Self>>();
        Ok(own.map(|ConnectInfo(headway)| headway.clone()).unwrap_or_default())
    }
}

/// A connection that is closed when nothing could be written to it for too long, and no body came on.
///
/// The deadline is polled by whatever polls the socket, and wakes that task itself. So it also fires where a deadline
/// inside a body cannot: while the body is not asked for more, since the socket is full.
pub(super) struct Line {
    tcp: TcpStream,
    app: Arc<App>,
    /// Since the last write that went through, or since the one that waits began to wait; or since headway was made.
    deadline: Deadline,
    /// The deadline has passed, and this is the turn in which something can still be written.
    last_turn: bool,
    write_waits: bool,
    headway: Headway,
    /// How much of it was seen.
    seen: u64,
    over: Reached,
}

impl Line {
    fn new(tcp: TcpStream, app: Arc<App>) -> Self {
        app.counters.connections.enter();
        let (deadline, over) = (Deadline::new(idle(&app)), app.reached(Phase::Over));
        Self { tcp, app, deadline, last_turn: false, write_waits: false, headway: Headway::default(), seen: 0, over }
    }

    /// For a socket that is not ready: waits for the deadline in its place.
    fn poll_cut<T>(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if Pin::new(&mut self.over).poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let limit = if self.write_waits { self.app.settings.write_idle } else { self.idle() };
        ready!(self.deadline.poll_passed(limit, cx));
        // It may be the server that was held up. Then there is something to write by now, and room for it: who has a turn
        // and still does not get on is the client.
        if !std::mem::replace(&mut self.last_turn, true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Err(self.stalled()))
    }

    /// There was a sign of life.
    fn lives(&mut self) {
        self.deadline.touch();
        self.last_turn = false;
    }

    /// Headway counts from when it is seen, which is when the socket is asked for more: what the server needed for what
    /// came is not the client's delay.
    fn idle(&mut self) -> Duration {
        let made = self.headway.0.load(Relaxed);
        if std::mem::replace(&mut self.seen, made) != made {
            self.lives();
        }
        idle(&self.app)
    }

    /// The connection is reset, if its client does not take what was written: the kernel would keep half a megabyte for
    /// a peer that is silent or gone, long after we have closed. What it did take before stays readable to it.
    fn stalled(&self) -> io::Error {
        self.app.counters.stalled.fetch_add(1, Relaxed);
        if self.write_waits {
            let _ = self.tcp.set_zero_linger();
        }
        io::ErrorKind::TimedOut.into()
    }

    fn after_write(&mut self, written: Poll<io::Result<usize>>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let waits = written.is_pending();
        if !waits || !self.write_waits {
            self.lives();
        }
        self.write_waits = waits;
        if waits { self.poll_cut(cx) } else { written }
    }
}

/// A stream shows a sign of life in each keep-alive; any other answer comes sooner. So a line without a write for this
/// long is idle, or its client never sent a whole request, unless a body comes on that may take longer.
fn idle(app: &App) -> Duration {
    app.settings.keep_alive + app.settings.write_idle
}

impl AsyncRead for Line {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match Pin::new(&mut this.tcp).poll_read(cx, buf) {
            Poll::Pending => this.poll_cut(cx),
            ready => ready,
        }
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.tcp).poll_write(cx, buf);
        this.after_write(written, cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let (this, mut space) = (self.get_mut(), [0; TOGETHER_BYTES]);
        let written = match together(bufs, &mut space) {
            Some(whole) => Pin::new(&mut this.tcp).poll_write(cx, whole),
            None => Pin::new(&mut this.tcp).poll_write_vectored(cx, bufs),
        };
        this.after_write(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_shutdown(cx)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.app.counters.connections.leave();
    }
}
