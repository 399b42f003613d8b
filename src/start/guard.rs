//! What a start gave: ends everything in order when it goes, within a bound.

use crate::{Error, Recorder, Rules, error::say};
use std::{path::PathBuf, time::Duration};

/// Keeps everything running. When it is dropped, what was emitted is kept and shown, which may take up to five
/// seconds, and one line on stderr says where the record is. Where it is delivered to others, that may take up to five
/// seconds before; what is left then, the next start delivers, and a line says so.
///
/// ```no_run
/// let _guard = spanwright::init()?; // not `let _ =`: that would drop it at once
/// # Ok::<_, spanwright::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "everything ends when the guard is dropped: bind it to a name such as `_guard`"]
pub struct Guard {
    recorder: Recorder,
    log: Option<PathBuf>,
    rules: Rules,
    #[cfg(feature = "otlp")]
    deliveries: Vec<crate::otlp::Delivery>,
    #[cfg(feature = "serve")]
    server: Option<crate::serve::ServerHandle>,
    #[cfg(feature = "terminal")]
    terminal: Option<crate::terminal::TerminalTree>,
}

/// How long dropping the guard may wait for the record.
const LIMIT: Duration = Duration::from_secs(5);

impl Guard {
    pub(super) fn new(recorder: Recorder, log: Option<PathBuf>, rules: Rules) -> Self {
        for id in recorder.recovered() {
            say(&format!("{id} was at work when its process ended; it is closed as lost"));
        }
        Self {
            recorder,
            log,
            rules,
            #[cfg(feature = "otlp")]
            deliveries: Vec::new(),
            #[cfg(feature = "serve")]
            server: None,
            #[cfg(feature = "terminal")]
            terminal: None,
        }
    }

    /// The recorder that everything goes through.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    pub(super) const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Where the server listens, if there is one: `http://127.0.0.1:4400`.
    pub fn url(&self) -> Option<String> {
        #[cfg(feature = "serve")]
        return self.server.as_ref().map(crate::serve::ServerHandle::url);
        #[cfg(not(feature = "serve"))]
        None
    }

    /// The destinations that the record is delivered to, in the order in which the builder got them.
    #[cfg(feature = "otlp")]
    pub fn deliveries(&self) -> &[crate::otlp::Delivery] {
        &self.deliveries
    }

    #[cfg(feature = "otlp")]
    pub(super) fn deliver(&mut self, destination: &crate::otlp::Destination) -> Result<(), Error> {
        self.deliveries.push(destination.start_with(&self.recorder)?);
        Ok(())
    }

    #[cfg(feature = "serve")]
    pub(super) fn serve(&mut self, address: &str, settings: crate::serve::Settings) -> Result<(), Error> {
        self.server = Some(crate::serve::Server::spawn_with(self.recorder.clone(), address, settings)?);
        Ok(())
    }

    #[cfg(not(feature = "serve"))]
    pub(super) fn serve(&mut self, address: &str) -> Result<(), Error> {
        Err(Error::config(format!("serving on {address}: needs the feature `serve` of spanwright")))
    }

    #[cfg(feature = "terminal")]
    pub(super) fn draw(&mut self) -> Result<(), Error> {
        use crate::{
            hub::{Filter, From},
            terminal::{Output, TerminalTree},
        };
        let mut stream = self.recorder.subscribe(Filter::everything(), From::Live);
        let output = Output::stderr();
        // Plain lines would end with the footer, and the guard says the same after them.
        let is_tree = output.is_tree();
        let output = if is_tree { output.with_footer(self.footer()) } else { output };
        let tree = TerminalTree::start(move |limit| stream.recv_timeout(limit), output)?;
        if is_tree {
            self.recorder.on_execution_end(Box::new(tree.make_way()));
        }
        self.terminal = Some(tree);
        Ok(())
    }

    /// `log spanwright.db   live http://127.0.0.1:4400`.
    #[cfg(feature = "terminal")]
    fn footer(&self) -> String {
        let log = self.log.as_ref().map(|path| format!("log {}", path.display()));
        let link = self.url().map(|url| format!("live {url}"));
        log.into_iter().chain(link).collect::<Vec<_>>().join("   ")
    }

    #[cfg(not(feature = "terminal"))]
    pub(super) fn draw(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        #[cfg(feature = "otlp")]
        self.end_deliveries();
        // Takes no more, keeps what there is. Then streams end, each once it has delivered what there was; whoever
        // draws or serves comes to its own end by that.
        let closed = self.recorder.shutdown(LIMIT);
        #[cfg(feature = "terminal")]
        drop(self.terminal.take());
        #[cfg(feature = "serve")]
        drop(self.server.take());
        match closed {
            Ok(()) => self.log.iter().for_each(|path| say(&format!("record in {}", path.display()))),
            Err(error) => say(&format!("the record may lack its end: {error}")),
        }
        self.say_losses();
    }
}

#[cfg(feature = "otlp")]
impl Guard {
    /// What was emitted is logged, then delivered, as far as five seconds go: the log has to be open for it.
    fn end_deliveries(&self) {
        if self.deliveries.is_empty() {
            return;
        }
        let deadline = crate::time::deadline(LIMIT);
        let _ = self.recorder.flush().wait(LIMIT);
        self.deliveries.iter().for_each(|delivery| delivery.stop(deadline));
        for delivery in &self.deliveries {
            let left = deadline.saturating_duration_since(std::time::Instant::now());
            // The lines say what is left, of which signal.
            let _ = delivery.shutdown(left);
            delivery.losses().into_iter().for_each(|line| say(&line));
        }
    }
}

impl Guard {
    /// Losses are never silent.
    fn say_losses(&self) {
        let stats = self.recorder.stats();
        if stats.shed() + stats.unlogged > 0 {
            say(&format!("{} events were lost under load, {} could not be kept", stats.shed(), stats.unlogged));
        }
        if stats.callback_panics > 0 {
            say(&format!("{} times a `Debug` or `Display` panicked while a span was read", stats.callback_panics));
        }
    }
}
