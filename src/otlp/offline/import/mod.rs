//! OTLP in JSON, read back: spans of any instrumentation to events.

mod json;
mod place;
mod span;
mod tell;

use crate::{Error, StreamEvent, log::jsonl::Lines};
use span::Span;
use std::{
    collections::{BTreeSet, HashMap, HashSet, VecDeque},
    fmt,
    io::BufRead,
};

/// Reads traces from OTLP JSON: what the Collector's file exporter and [`Export::json`](super::Export::json) write, a
/// request a line; or one document over many lines.
///
/// Each trace is given as the events of an execution, in their order, with its ids and times; give them to
/// [`Intake::emit_all`](crate::Intake::emit_all). What spans say is understood as [`AgentLayer`](crate::AgentLayer)
/// understands it, by the same table; spans that it has no word for are steps, so that nothing of the tree is missing.
/// Events of spans that are not understood are notes. Of what this crate exported itself everything that was written comes
/// back. Requests of metrics and log events are passed over.
///
/// What cannot be read is an error that names its line, and the rest is read all the same. Spans of one trace may stand
/// anywhere in the file, so traces are held until its end, 256 MiB of it at most, which takes less than that of memory: past
/// that, the trace that was not added to for longest is given as it is. Where that one goes on after all, an error says so, and
/// what is left of it is given by itself. Of a trace that the record has already, everything would be there twice.
///
/// ```no_run
/// use spanwright::{Recorder, log::SqliteLog, otlp};
/// use std::{fs::File, io::BufReader};
///
/// let recorder = Recorder::builder().log(SqliteLog::open("spanwright.db")?).start()?;
/// let intake = recorder.on_behalf_of(None);
/// for events in otlp::read_json(BufReader::new(File::open("traces.jsonl")?)) {
///     intake.emit_all(events?)?;
/// }
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub fn read_json<R: BufRead>(input: R) -> Traces<R> {
    Traces {
        lines: Lines::new(input),
        held: HashMap::new(),
        touched: BTreeSet::new(),
        given: HashSet::new(),
        most: MAX_HELD_BYTES,
        bytes: 0,
        lines_read: 0,
        ready: VecDeque::new(),
    }
}

/// The traces of a file, or why something in it is none; see [`read_json`].
pub struct Traces<R> {
    lines: Lines<R>,
    held: HashMap<u128, Held>,
    /// The traces that are held, by the line that added to each last.
    touched: BTreeSet<(u64, u128)>,
    /// Those that were given before the end.
    given: HashSet<u128>,
    /// How many bytes of the file are held.
    most: usize,
    bytes: usize,
    lines_read: u64,
    ready: VecDeque<Result<Vec<StreamEvent>, Error>>,
}

#[derive(Default)]
struct Held {
    spans: Vec<Span>,
    bytes: usize,
    /// The line that added to it last.
    touched: u64,
}

fn no_request(number: u64, source: serde_json::Error) -> Error {
    Error::invalid(format!("line {number}: no OTLP request in JSON ({source})")).with_source(source)
}

fn goes_on(number: u64, id: u128) -> Error {
    Error::too_large(format!(
        "line {number}: trace {id:032x} goes on, and was given already: more of others came in between than is held; what is \
         left of it is given by itself"
    ))
}

/// How much of a file is held of traces that may go on.
const MAX_HELD_BYTES: usize = 256 << 20;
/// How many traces that were given before the end are remembered.
const MAX_GIVEN: usize = 1 << 16;

impl<R: BufRead> Iterator for Traces<R> {
    type Item = Result<Vec<StreamEvent>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(ready) = self.ready.pop_front() {
                return Some(ready);
            }
            match self.turn() {
                Some(Ok(())) => {}
                Some(Err(error)) => return Some(Err(error)),
                None if self.held.is_empty() => return None,
                None => self.give_out_all(),
            }
        }
    }
}

impl<R: BufRead> Traces<R> {
    /// Takes in the next line; none when there is none.
    fn turn(&mut self) -> Option<Result<(), Error>> {
        self.lines_read += 1;
        let (number, line) = match self.lines.next()? {
            Ok(line) => line,
            Err(error) => return Some(Err(error)),
        };
        Some(match json::read(line) {
            Ok(spans) => {
                let bytes = line.len();
                self.take(number, spans, bytes);
                Ok(())
            }
            Err(source) if self.lines_read == 1 && source.is_eof() => {
                let first = line.to_vec();
                self.go_on(number, &first, source)
            }
            Err(source) => Err(no_request(number, source)),
        })
    }

    /// After a first line that wants an end. A document that is laid out over lines has none that is a request; where the
    /// next one is, a crash cut off the first.
    fn go_on(&mut self, number: u64, first: &[u8], source: serde_json::Error) -> Result<(), Error> {
        let (second, line) = match self.lines.next() {
            None => return Err(no_request(number, source)),
            Some(next) => next?,
        };
        if let Ok(spans) = json::read(line) {
            let bytes = line.len();
            self.ready.push_back(Err(no_request(number, source)));
            self.take(second, spans, bytes);
            return Ok(());
        }
        let document = self.lines.document(first, MAX_HELD_BYTES)?;
        let spans = json::read(document).map_err(|source| no_request(number, source))?;
        let bytes = document.len();
        self.take(number, spans, bytes);
        Ok(())
    }

    fn take(&mut self, number: u64, spans: Vec<json::Span>, bytes: usize) {
        let each = bytes / spans.len().max(1);
        for span in spans {
            match Span::of(span) {
                Ok(span) => {
                    let (id, line) = (span.trace_id, self.lines_read);
                    if self.given.remove(&id) {
                        self.ready.push_back(Err(goes_on(number, id)));
                    }
                    let held = self.held.entry(id).or_default();
                    held.spans.push(span);
                    if held.touched != line {
                        self.touched.remove(&(held.touched, id));
                        self.touched.insert((line, id));
                    }
                    (held.bytes, held.touched) = (held.bytes + each, line);
                    self.bytes += each;
                }
                Err(why) => self.ready.push_back(Err(Error::invalid(format!("line {number}: {why}")))),
            }
        }
        while self.bytes > self.most && self.give_out_quietest() {}
    }

    fn give_out_quietest(&mut self) -> bool {
        let quietest = self.touched.pop_first();
        let Some((id, held)) = quietest.and_then(|(_, id)| Some((id, self.held.remove(&id)?))) else { return false };
        if self.given.len() < MAX_GIVEN {
            self.given.insert(id);
        }
        self.bytes = self.bytes.saturating_sub(held.bytes);
        self.ready.push_back(Ok(tell::events(held.spans)));
        true
    }

    /// The oldest first, as they would have been recorded.
    fn give_out_all(&mut self) {
        self.touched.clear();
        let mut traces: Vec<Vec<Span>> = self.held.drain().map(|(_, held)| held.spans).collect();
        traces.sort_by_cached_key(|spans| spans.iter().map(|span| (span.start, span.span_id)).min());
        self.ready.extend(traces.into_iter().map(|spans| Ok(tell::events(spans))));
        self.bytes = 0;
    }
}

impl<R> fmt::Debug for Traces<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traces").field("held", &self.held.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(trace: u32) -> String {
        let span = fastrand::u64(1..);
        format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"{trace:032x}","spanId":"{span:016x}","name":"n"}}]}}]}}]}}"#
        )
    }

    #[test]
    fn a_trace_that_goes_on_after_it_was_given_is_told_and_nothing_of_it_is_lost() {
        let lines: Vec<String> = [1, 2, 3, 1, 1, 2].map(line).into();
        let mut traces = read_json(std::io::Cursor::new(lines.join("\n")));
        traces.most = lines[0].len() * 2;
        let given: Vec<_> =
            traces.map(|trace| trace.map(|events| trace_id(&events)).map_err(|e| e.to_string())).collect();
        let told: Vec<&String> = given.iter().filter_map(|one| one.as_ref().err()).collect();
        // When the third came the first was given, and when that went on the second, which went on too.
        assert_eq!(given.iter().flatten().copied().collect::<Vec<_>>(), [1, 2, 3, 1, 2]);
        assert_eq!(told.len(), 2, "{given:?}");
        assert!(told[0].starts_with("line 4: trace 00000000000000000000000000000001 goes on"), "{told:?}");
        assert!(told[1].starts_with("line 6: trace 00000000000000000000000000000002 goes on"), "{told:?}");
    }

    fn trace_id(events: &[StreamEvent]) -> u128 {
        events[0].execution_id.as_ref().expect("an execution").trace_id()
    }
}
