//! `Server`: listens on this machine's loopback, serves, and ends within a bound.

use super::{
    App, Settings,
    app::Phase,
    failure,
    line::{Door, Headway},
    routes,
    thread::{self, ServerHandle},
};
use crate::{Error, Recorder};
use std::{
    future::Future,
    io,
    net::{SocketAddr, ToSocketAddrs},
    sync::Arc,
};
use tokio::net::{TcpListener, TcpSocket};

/// An HTTP server: on this machine's loopback, and elsewhere where its settings ask for tokens
/// ([`Settings::access`]). What it serves is not encrypted; put a TLS proxy in front where others listen on the way.
#[derive(Debug)]
#[must_use = "a server answers when it is told to `serve`"]
pub struct Server {
    listener: TcpListener,
    addr: SocketAddr,
    settings: Settings,
}

/// What the kernel may hold for one reader. A bound, so that readers that stall are noticed and cost little.
const SEND_BUFFER_BYTES: u32 = 256 << 10;
/// Connections that wait to be accepted.
const BACKLOG: u32 = 1_024;

impl Server {
    /// Listens on an address of 127.0.0.0/8 or on `[::1]`; port 0 is any that is free. On a tokio runtime with I/O and
    /// time enabled; where there is none, use [`spawn`](Server::spawn).
    ///
    /// # Errors
    /// `is_config` for an address that is none, or is not of the loopback; `is_io` when it cannot be had.
    pub async fn bind(addr: impl ToSocketAddrs) -> Result<Self, Error> {
        Self::bind_with(addr, Settings::default()).await
    }

    /// The same, with settings; any address is listened on where they ask for tokens.
    ///
    /// # Errors
    /// As for [`bind`](Server::bind).
    pub async fn bind_with(addr: impl ToSocketAddrs, settings: Settings) -> Result<Self, Error> {
        let listener = listen(&allowed(addr, &settings)?)?;
        let addr = listener.local_addr().map_err(|source| Error::io("address of the server").with_source(source))?;
        Ok(Self { listener, addr, settings })
    }

    /// With these settings. An access that was set stays if these have none: the address may have been let in by it.
    pub fn with(mut self, settings: Settings) -> Self {
        let access = settings.access.or(self.settings.access);
        self.settings = Settings { access, ..settings };
        self
    }

    /// Where it listens: the address to connect to.
    pub fn local_addr(&self) -> SocketAddr {
        self.addr
    }

    /// Serves until the future is dropped.
    pub async fn serve(self, recorder: Recorder) {
        self.serve_until(recorder, std::future::pending()).await;
    }

    /// Serves until `stop` is ready. Then streams end, what is under way is finished, and after
    /// [`drain`](Settings::drain) the connections that are left are cut.
    pub async fn serve_until(self, recorder: Recorder, stop: impl Future<Output = ()>) {
        let app = App::new(recorder, self.settings);
        let _cut = CutOnDrop(app.clone());
        let door = Door { listener: self.listener, app: app.clone() };
        let router = routes::router(app.clone()).fallback(failure::not_found);
        let service = router.into_make_service_with_connect_info::<Headway>();
        let served = axum::serve(door, service).with_graceful_shutdown(app.reached(Phase::Ending));
        let bounded = async {
            stop.await;
            app.enter(Phase::Ending);
            tokio::time::sleep(app.settings.drain).await;
        };
        tokio::select! {
            _ = served => {}
            () = bounded => {}
            () = app.bell.attend() => {}
        }
    }

    /// Serves on a thread and a runtime of its own, for programs that have none; the address as for
    /// [`bind`](Server::bind). The handle ends it when it is dropped.
    ///
    /// # Errors
    /// As for [`bind`](Server::bind); `is_io` when no thread can be had.
    pub fn spawn(recorder: Recorder, addr: impl ToSocketAddrs) -> Result<ServerHandle, Error> {
        Self::spawn_with(recorder, addr, Settings::default())
    }

    /// The same, with settings; any address is listened on where they ask for tokens.
    ///
    /// # Errors
    /// As for [`spawn`](Server::spawn).
    pub fn spawn_with(recorder: Recorder, addr: impl ToSocketAddrs, settings: Settings) -> Result<ServerHandle, Error> {
        thread::spawn(recorder, allowed(addr, &settings)?, settings)
    }
}

/// Connections live on tasks of their own; they end with the future that serves, however it ends.
struct CutOnDrop(Arc<App>);

impl Drop for CutOnDrop {
    fn drop(&mut self) {
        self.0.enter(Phase::Over);
    }
}

/// The addresses, if all of them are of this machine's loopback or tokens are asked for.
fn allowed(addr: impl ToSocketAddrs, settings: &Settings) -> Result<Vec<SocketAddr>, Error> {
    let known = addr.to_socket_addrs().map_err(|source| {
        Error::config("serve address: one such as 127.0.0.1:4400 or [::1]:0 is accepted").with_source(source)
    })?;
    let addrs: Vec<_> = known.collect();
    match addrs.iter().find(|addr| !addr.ip().to_canonical().is_loopback()) {
        Some(foreign) if settings.access.is_none() => Err(Error::config(format!(
            "serve address {foreign} is not of this machine's loopback: without authentication (Settings::access) only \
             127.0.0.0/8 and [::1] are accepted, because whoever reaches the port can read every prompt"
        ))),
        _ => Ok(addrs),
    }
}

/// Listens on the first address that can be had.
fn listen(addrs: &[SocketAddr]) -> Result<TcpListener, Error> {
    if tokio::runtime::Handle::try_current().is_err() {
        return Err(Error::config("Server::bind needs a tokio runtime; Server::spawn brings its own"));
    }
    let mut last = Error::config("serve address: the name has no address");
    for addr in addrs {
        match listen_on(*addr) {
            Ok(listener) => return Ok(listener),
            Err(source) => last = Error::io(format!("cannot listen on {addr}")).with_source(source),
        }
    }
    Err(last)
}

fn listen_on(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // As tokio does it: a server that is started again finds its port free. Elsewhere it would let two share a port.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.bind(addr)?;
    socket.listen(BACKLOG)
}
