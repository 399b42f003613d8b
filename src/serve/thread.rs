//! A server on a thread of its own, for programs without a runtime.

use super::{Server, Settings};
use crate::{Error, Recorder};
use std::{
    net::SocketAddr,
    sync::mpsc::{self, RecvTimeoutError},
    time::Duration,
};
use tokio::sync::oneshot;

/// A server that runs on a thread of its own. Ends it when dropped, within a bound.
#[derive(Debug)]
#[must_use = "the server ends when its handle is dropped"]
pub struct ServerHandle {
    addr: SocketAddr,
    /// Dropped to end the server.
    stop: Option<oneshot::Sender<()>>,
    /// Gives nothing; its other end goes with the thread.
    ended: mpsc::Receiver<()>,
    limit: Duration,
}

/// What the thread may take beyond the time in which connections end.
const SLACK: Duration = Duration::from_secs(1);

impl ServerHandle {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The address as a link: `http://127.0.0.1:4400`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Ends streams, finishes what is under way, cuts what is left after [`drain`](Settings::drain), and waits for all
    /// this. Blocks the thread; not for async code.
    ///
    /// # Errors
    /// `is_timed_out` when it took a second more than `drain`; it goes on in the background then.
    pub fn shutdown(mut self) -> Result<(), Error> {
        self.end()
    }

    fn end(&mut self) -> Result<(), Error> {
        drop(self.stop.take());
        match self.ended.recv_timeout(self.limit) {
            Ok(()) | Err(RecvTimeoutError::Disconnected) => Ok(()),
            Err(RecvTimeoutError::Timeout) => {
                Err(Error::timed_out(format!("the server did not end within {:?}", self.limit)))
            }
        }
    }
}

impl Drop for ServerHandle {
    fn drop(&mut self) {
        // Nobody is left to tell.
        let _ = self.end();
    }
}

/// Starts the thread and waits until it listens.
pub(super) fn spawn(recorder: Recorder, addrs: Vec<SocketAddr>, settings: Settings) -> Result<ServerHandle, Error> {
    let (started, start) = mpsc::sync_channel(1);
    let (stop, stopped) = oneshot::channel::<()>();
    let (end, ended) = mpsc::channel::<()>();
    let limit = settings.drain + SLACK;
    let run = move || {
        run(recorder, &addrs, settings, &started, stopped);
        drop(end);
    };
    let thread = std::thread::Builder::new().name("spanwright-serve".into()).spawn(run);
    thread.map_err(|source| Error::io("no thread for the server").with_source(source))?;
    let addr = start.recv().map_err(|_| Error::closed("the server's thread ended before it listened"))??;
    Ok(ServerHandle { addr, stop: Some(stop), ended, limit })
}

fn run(
    recorder: Recorder,
    addrs: &[SocketAddr],
    settings: Settings,
    started: &mpsc::SyncSender<Result<SocketAddr, Error>>,
    stopped: oneshot::Receiver<()>,
) {
    // Whoever started the thread waits for exactly one answer.
    let answer = |answer| drop(started.send(answer));
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build() {
        Ok(runtime) => runtime,
        Err(source) => return answer(Err(Error::io("no runtime for the server").with_source(source))),
    };
    runtime.block_on(async {
        match Server::bind_with(addrs, settings).await {
            Err(error) => answer(Err(error)),
            Ok(server) => {
                answer(Ok(server.local_addr()));
                // The sender is never used: its end is the signal.
                let stop = async { drop(stopped.await) };
                server.serve_until(recorder, stop).await;
            }
        }
    });
}
