//! Spans as OTLP requests in a file, of as many as a back end takes at once.

use super::{Export, Exported};
use crate::{
    Error,
    log::jsonl::cannot_write,
    otlp::{
        delivery::Elements,
        settings::{BATCH_SPANS, Encoding, MOST_BATCH_BYTES, resource},
        signals::Spans,
        span::{Output, Span},
    },
};
use std::io::Write;

impl Export {
    /// Writes OTLP in JSON: an `ExportTraceServiceRequest` a line, as the Collector's file exporter writes and its receiver
    /// reads them; [`read_json`](crate::otlp::read_json) reads them back.
    ///
    /// # Errors
    /// As for [`perfetto`](Export::perfetto).
    pub fn json(&self, mut out: impl Write) -> Result<Exported, Error> {
        self.requests(Encoding::Json, |request| {
            out.write_all(request)?;
            out.write_all(b"\n")
        })
        .and_then(|exported| out.flush().map(|()| exported).map_err(cannot_write))
    }

    /// Writes OTLP in protobuf: messages `ExportTraceServiceRequest` behind their lengths (four bytes, big endian), as the
    /// Collector's file exporter does.
    ///
    /// # Errors
    /// As for [`perfetto`](Export::perfetto).
    pub fn protobuf(&self, mut out: impl Write) -> Result<Exported, Error> {
        self.requests(Encoding::Protobuf, |request| {
            let length = u32::try_from(request.len()).map_err(std::io::Error::other)?;
            out.write_all(&length.to_be_bytes())?;
            out.write_all(request)
        })
        .and_then(|exported| out.flush().map(|()| exported).map_err(cannot_write))
    }

    fn requests(
        &self,
        encoding: Encoding,
        mut write: impl FnMut(&[u8]) -> std::io::Result<()>,
    ) -> Result<Exported, Error> {
        let mut request = self.request(encoding);
        let mut exported = Exported::default();
        self.each_execution(|row| {
            let mut count = 0;
            exported.unreadable += self.fold(&row.execution_id, |output| {
                let Output::Finished(span) = output else { return Ok(()) };
                count += 1;
                request.add(&span, self.max_value_bytes);
                if request.is_full() { request.write(&mut write) } else { Ok(()) }
            })?;
            exported.executions += u64::from(count > 0);
            exported.spans += count;
            // Of one execution: whoever looks for one finds whole lines.
            request.write(&mut write)
        })?;
        Ok(exported)
    }

    pub(in crate::otlp) fn request(&self, encoding: Encoding) -> Request {
        let spans = Spans::new(encoding, self.dialect, &resource::complete(&self.resource));
        Request { spans, items: Vec::new(), bytes: Vec::new(), whole: Vec::new() }
    }
}

pub(in crate::otlp) struct Request {
    spans: Spans,
    /// Where each ends.
    items: Vec<usize>,
    bytes: Vec<u8>,
    whole: Vec<u8>,
}

impl Request {
    #[expect(clippy::borrowed_box, reason = "the items of a request are boxed")]
    pub(in crate::otlp) fn add(&mut self, span: &Box<Span>, max_value_bytes: usize) {
        self.spans.encode(span, max_value_bytes, &mut self.bytes);
        self.items.push(self.bytes.len());
    }

    pub(in crate::otlp) fn is_full(&self) -> bool {
        self.items.len() >= BATCH_SPANS || self.bytes.len() >= MOST_BATCH_BYTES
    }

    pub(in crate::otlp) fn write(&mut self, write: &mut impl FnMut(&[u8]) -> std::io::Result<()>) -> Result<(), Error> {
        if self.items.is_empty() {
            return Ok(());
        }
        let starts = std::iter::once(0).chain(self.items.iter().copied());
        let items: Vec<&[u8]> = starts.zip(&self.items).map(|(start, end)| &self.bytes[start..*end]).collect();
        self.whole.clear();
        self.spans.wrap(&items, &mut self.whole);
        let written = write(&self.whole).map_err(cannot_write);
        self.items.clear();
        self.bytes.clear();
        written
    }
}
