//! A function that returns a stream, and a stream under a handle: the span is open as long as the stream.

use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use serde::Serialize;
use spanwright::semconv;
use spanwright::{agent, llm, memory, span, tool};

use crate::record::{block_on, caught, pause, record, record_one};

fn words() -> impl Stream<Item = &'static str> + Send {
    stream::iter(["Hel", "lo"]).then(|word| async move {
        pause().await;
        span::step(word).finish();
        word
    })
}

#[llm]
fn answer(model: &str) -> impl Stream<Item = &'static str> + use<> {
    let _ = model;
    words()
}

#[llm(ret = false)]
fn silent_answer() -> impl Stream<Item = &'static str> {
    words()
}

#[tool]
async fn answer_later(fail: bool) -> Result<BoxStream<'static, Result<String, std::fmt::Error>>, String> {
    pause().await;
    if fail {
        return Err("no answer".to_owned());
    }
    Ok(stream::iter([Ok("a".to_owned()), Err(std::fmt::Error), Ok("b".to_owned())]).boxed())
}

#[derive(Serialize)]
struct Chunk {
    n: u8,
}
struct Opaque;

#[agent]
fn chunks() -> impl Stream<Item = Chunk> {
    stream::iter([1, 2]).map(|n| Chunk { n })
}

#[memory(recall)]
fn opaque(query: &str) -> impl Stream<Item = Opaque> + Send + Unpin + '_ {
    stream::iter(query.bytes()).map(|_| Opaque)
}

fn deltas(seen: &crate::record::Seen) -> Vec<&str> {
    let pieces = seen.events.iter().filter(|event| !event.contains("spanwright.delta.end"));
    pieces.map(String::as_str).collect()
}

const HELLO: [&str; 2] =
    [r#"spanwright::delta {"spanwright.delta.text": "Hel"}"#, r#"spanwright::delta {"spanwright.delta.text": "lo"}"#];

#[test]
fn texts_are_told_in_the_span_as_they_come_and_the_span_ends_with_the_last() {
    let seen = record(|| {
        let mut answer = pin!(answer("gpt-4o"));
        assert_eq!(block_on(answer.by_ref().collect::<String>()), "Hello");
        span::step("after").finish();
        assert_eq!(block_on(answer.next()), None);
    });
    let [llm, hel, lo, after] = &seen[..] else { panic!("{seen:#?}") };
    assert_eq!((llm.title(), llm.outcome()), ("chat gpt-4o", "ok"));
    assert_eq!(deltas(llm), HELLO);
    // Work of the stream is in its span, work between two items is not.
    assert_eq!((hel.parent.as_deref(), lo.parent.as_deref()), (Some("chat gpt-4o"), Some("chat gpt-4o")));
    assert_eq!(after.parent, None);
    assert_eq!(llm.get(semconv::REQUEST_STREAM), "true");
    assert!(llm.get(semconv::TIME_TO_FIRST_CHUNK).parse::<f64>().unwrap() >= 0.0);
}

#[test]
fn what_is_not_to_be_kept_of_a_stream_is_not_told() {
    let seen = record(|| block_on(silent_answer().collect::<String>()));
    assert_eq!((seen[0].outcome(), seen[0].events.len()), ("ok", 0));
}

#[test]
fn a_stream_dropped_half_way_or_never_polled_is_cancelled() {
    let seen = record(|| {
        let mut half = Box::pin(answer("half"));
        assert_eq!(block_on(half.next()), Some("Hel"));
        drop(half);
        drop(answer("none"));
    });
    assert_eq!((seen[0].outcome(), deltas(&seen[0])), ("cancelled", vec![HELLO[0]]));
    assert_eq!((seen[2].outcome(), seen[2].get(semconv::TIME_TO_FIRST_CHUNK)), ("cancelled", ""));
}

#[llm]
fn chunked_answer() -> impl Stream<Item = serde_json::Value> {
    let piece =
        |text: &str| serde_json::json!({"model": "gpt-4o", "choices": [{"index": 0, "delta": {"content": text}}]});
    stream::iter([piece("Hel"), piece("lo")])
}

#[test]
fn a_model_s_chunks_dropped_half_way_are_cancelled_and_those_that_break_off_incomplete() {
    let seen = record(|| {
        let mut half = Box::pin(chunked_answer());
        assert!(block_on(half.next()).is_some());
        drop(half);
        assert_eq!(block_on(chunked_answer().count()), 2);
    });
    let (dropped, cut) = (&seen[0], &seen[1]);
    assert_eq!((dropped.outcome(), dropped.get("error.type")), ("cancelled", ""));
    assert_eq!((cut.outcome(), cut.get("error.type")), ("error", "incomplete_stream"));
}

#[test]
fn an_err_among_the_items_or_instead_of_the_stream_fails_the_span() {
    let seen = record_one(|| {
        let mut items = block_on(answer_later(false)).unwrap();
        block_on(async { while items.next().await.is_some() {} });
    });
    assert_eq!((seen.outcome(), seen.get("error.type")), ("error", "core::fmt::Error"));
    assert_eq!(deltas(&seen).len(), 2);
    let none = record_one(|| assert!(block_on(answer_later(true)).is_err()));
    assert_eq!((none.outcome(), none.get("otel.status_description")), ("error", "no answer"));
}

#[test]
fn items_of_any_type_pass_and_those_of_a_memory_are_counted() {
    let seen = record_one(|| assert_eq!(block_on(chunks().map(|chunk| chunk.n).collect::<Vec<_>>()), [1, 2]));
    assert_eq!((seen.title(), seen.outcome()), ("invoke_agent chunks", "ok"));
    let recalled = record_one(|| assert_eq!(block_on(opaque("abc").count()), 3));
    assert_eq!((recalled.get(semconv::MEMORY_QUERY_TEXT), recalled.get(semconv::MEMORY_RECORD_COUNT)), ("abc", "3"));
}

#[test]
fn a_panic_in_a_stream_ends_its_span_as_panicked() {
    let panics = || {
        let mut first = true;
        stream::poll_fn(move |_| match std::mem::take(&mut first) {
            true => Poll::Ready(Some("a")),
            false => std::panic::resume_unwind(Box::new("as told")),
        })
    };
    let seen = record_one(|| {
        let mut items = Box::pin(span::tool("search").stream_with(panics(), |_, _| ()));
        assert_eq!(block_on(items.next()), Some("a"));
        caught(|| block_on(items.next()));
        drop(items);
    });
    assert_eq!(seen.outcome(), "panicked");
    let unwound = record_one(|| {
        caught(|| {
            let _items = span::tool("search").stream_with(panics(), |_, _| ());
            std::panic::resume_unwind(Box::new("around it"));
        });
    });
    assert_eq!(unwound.outcome(), "panicked");
}

#[test]
fn a_reader_of_ones_own_sees_each_item_inside_the_span() {
    let seen = record_one(|| {
        let llm = span::llm("gpt-4o");
        let items = llm.stream_with(stream::iter(["a", "b"]), |span, item| {
            span::text_delta(item);
            if *item == "b" {
                span.finish_reason("stop");
            }
        });
        assert_eq!(items.size_hint(), (2, Some(2)));
        drop(llm);
        assert_eq!(block_on(items.collect::<String>()), "ab");
    });
    assert_eq!((seen.outcome(), seen.get(semconv::FINISH_REASONS)), ("ok", "[\"stop\"]"));
    assert_eq!(deltas(&seen).len(), 2);
}

/// Opens a span when it is dropped.
struct Closing;

impl Stream for Closing {
    type Item = ();
    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<()>> {
        Poll::Ready(None)
    }
}

impl Drop for Closing {
    fn drop(&mut self) {
        span::step("closing").finish();
    }
}

#[test]
fn what_a_stream_does_when_it_is_dropped_is_in_its_span() {
    let each = |ended: bool| {
        let seen = record(|| {
            let mut items = Box::pin(span::tool("search").stream_with(Closing, |_, ()| ()));
            if ended {
                assert!(items.as_mut().poll_next(&mut Context::from_waker(Waker::noop())).is_ready());
            }
        });
        assert_eq!(seen[1].parent.as_deref(), Some("execute_tool search"));
        seen[0].outcome().to_owned()
    };
    assert_eq!((each(true).as_str(), each(false).as_str()), ("ok", "cancelled"));
}

#[test]
fn a_stream_is_send_and_unpin_exactly_when_it_was() {
    fn is_send<T: Send + Unpin>(_: &T) {}
    is_send(&opaque("a"));
    is_send(&span::step("a").stream_with(stream::iter([1]), |_, _| ()));
}

#[test]
fn while_nobody_listens_a_stream_is_passed_on_unread() {
    tracing::subscriber::with_default(tracing::subscriber::NoSubscriber::new(), || {
        assert_eq!(block_on(answer("gpt-4o").collect::<String>()), "Hello");
        let unread = span::step("a").stream_with(stream::iter([1]), |_, _| panic!("nobody asked"));
        assert_eq!(block_on(unread.count()), 1);
    });
}

// -- behind an alias ---------------------------------------------------------------------------------------------------

type PieceStream = Pin<Box<dyn Stream<Item = &'static str> + Send>>;

#[llm(model = "gpt-4o")]
async fn aliased() -> Result<PieceStream, String> {
    Ok(Box::pin(stream::iter(["Hel", "lo"])))
}

#[llm(model = "gpt-4o")]
fn aliased_at_once() -> PieceStream {
    Box::pin(stream::iter(["Hel", "lo"]))
}

/// Not a stream, whatever its name says.
#[derive(Debug)]
struct GoldStream;

#[agent]
fn named_like_one() -> GoldStream {
    GoldStream
}

#[test]
fn a_boxed_stream_behind_an_alias_is_seen_for_what_it_is() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let later = record_one(|| {
        let mut items = block_on(is_send(aliased())).expect("a stream");
        assert_eq!(block_on(items.next()), Some("Hel"));
        assert_eq!(block_on(items.next()), Some("lo"));
        assert_eq!(block_on(items.next()), None);
    });
    assert_eq!((later.outcome(), deltas(&later)), ("ok", HELLO.to_vec()));
    let dropped = record_one(|| {
        let mut items = is_send(aliased_at_once());
        assert_eq!(block_on(items.next()), Some("Hel"));
    });
    assert_eq!((dropped.outcome(), deltas(&dropped)), ("cancelled", vec![HELLO[0]]));
    let other = record_one(|| assert!(matches!(named_like_one(), GoldStream)));
    assert_eq!((other.outcome(), other.get("output.value")), ("ok", r#""GoldStream""#));
}
