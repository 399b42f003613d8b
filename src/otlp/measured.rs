//! What `benches/` measures parts of the export by. Not for people: it changes without notice.

use super::{
    Delivery, Destination, Encoding, Export, Signal,
    delivery::Source,
    offline::Request,
    span::{Output, Span},
    transport::{Reply, Transport},
};
use crate::{Error, Recorder};
use std::{fmt, hint::black_box};

/// The finished spans of a part of the record, and the room to encode them in.
pub struct Held {
    spans: Vec<Span>,
    request: Request,
    max_value_bytes: usize,
}

impl Held {
    /// What this exports.
    ///
    /// # Errors
    /// What the log says.
    pub fn of(export: &Export) -> Result<Self, Error> {
        let mut spans = Vec::new();
        export.each_execution(|row| {
            let hold = |output| {
                if let Output::Finished(span) = output {
                    spans.push(*span);
                }
                Ok(())
            };
            export.fold(&row.execution_id, hold).map(drop)
        })?;
        let request = export.request(Encoding::Protobuf);
        Ok(Self { spans, request, max_value_bytes: export.max_value_bytes })
    }

    /// Spans that are held.
    pub fn count(&self) -> usize {
        self.spans.len()
    }

    /// Maps and encodes them all, as requests of OTLP in protobuf.
    ///
    /// # Errors
    /// None: what is written is only shown.
    pub fn encode(&mut self, mut show: impl FnMut(&[u8])) -> Result<(), Error> {
        let mut write = |request: &[u8]| {
            show(request);
            Ok(())
        };
        for span in &self.spans {
            self.request.add(span, self.max_value_bytes);
            if self.request.is_full() {
                self.request.write(&mut write)?;
            }
        }
        self.request.write(&mut write)
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("spans", &self.count()).finish_non_exhaustive()
    }
}

/// A way that ends here.
struct Nowhere;

impl Transport for Nowhere {
    fn send(&mut self, _: Signal, body: &[u8]) -> Reply {
        black_box(body);
        Reply::Accepted
    }
}

/// Starts a delivery that does everything but send.
///
/// # Errors
/// As [`Destination::start_with`].
pub fn deliver_nowhere(destination: &Destination, recorder: &Recorder) -> Result<Delivery, Error> {
    destination.start_over(&Source::of(recorder)?, |_| Ok(Box::new(Nowhere)))
}
