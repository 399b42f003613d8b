//! Batches over any answers, and over writing that panics: each item is accounted for once.

use super::{
    batch::{Batch, Elements, Sizes},
    outlet::{Outlet, Sent},
    stats::{Counters, Stats},
};
use crate::otlp::{
    settings::MOST_BATCH_BYTES,
    span::{Fact, Output, Run},
    transport::{Reply, Signal, Transport},
};
use crate::{
    ExecutionId, Timestamp,
    event::{Body, StepEnd},
};
use proptest::prelude::*;
use std::sync::{Arc, Mutex};

/// Items that are written as their size, a number and so many bytes, of which no more than a value may have are cut away.
struct Sized;

/// One that nobody can write.
const POISON: u64 = u64::MAX;
/// What of an item is no value, and so never cut.
const HARD: u64 = 1 << 40;

struct Item {
    number: usize,
    bytes: u64,
}

/// An output that stands for items of these sizes: as the number that a step took.
fn output(bytes: u64) -> Output {
    let id = ExecutionId::from_trace_id(7);
    let run = Run { trace_id: 7, execution_id: id, session_id: None, tenant_id: None, user_id: None };
    let fact = Fact { time: Timestamp::from_unix_nanos(0), body: Body::from(StepEnd::new(bytes)) };
    Output::Late { run: Arc::new(run), parent: None, fact }
}

struct Numbered {
    next: usize,
    inner: Sized,
}

impl Elements for Numbered {
    type Item = Item;

    const SIGNAL: Signal = Signal::Traces;

    fn items(&mut self, output: Output, items: &mut Vec<Item>) {
        let Output::Late { fact: Fact { body: Body::StepEnd(end), .. }, .. } = output else { return };
        items.push(Item { number: self.next, bytes: end.duration_ms });
        self.next += 1;
    }

    fn encode(&mut self, item: &Item, max_value_bytes: usize, out: &mut Vec<u8>) {
        self.inner.write(item, max_value_bytes, out);
    }

    fn wrap(&self, items: &[&[u8]], out: &mut Vec<u8>) {
        out.extend_from_slice(b"head");
        items.iter().for_each(|item| out.extend_from_slice(item));
    }
}

impl Sized {
    fn write(&self, item: &Item, max_value_bytes: usize, out: &mut Vec<u8>) {
        // Half of it is there when it panics.
        out.extend_from_slice(&(item.number as u64).to_be_bytes());
        assert!(item.bytes != POISON, "a fault of ours");
        let bytes = if item.bytes >= HARD { item.bytes - HARD } else { item.bytes.min(max_value_bytes as u64) };
        out.extend_from_slice(&bytes.to_be_bytes());
        out.resize(out.len() + bytes as usize, b'x');
    }
}

/// What a request holds, by number.
fn numbers(request: &[u8]) -> Vec<u64> {
    let mut rest = request.strip_prefix(b"head").expect("whole requests");
    let mut numbers = Vec::new();
    while !rest.is_empty() {
        let word = |at: usize| u64::from_be_bytes(rest[at..at + 8].try_into().expect("8 bytes"));
        numbers.push(word(0));
        rest = &rest[16 + word(8) as usize..];
    }
    numbers
}

type Requests = Arc<Mutex<Vec<(Vec<u64>, usize)>>>;

/// Answers one after the other, then takes everything. One that is none panics.
struct Script(std::vec::IntoIter<Option<Reply>>, Requests);

impl Transport for Script {
    fn send(&mut self, _: Signal, body: &[u8]) -> Reply {
        self.1.lock().expect("lock").push((numbers(body), body.len()));
        self.0.next().unwrap_or(Some(Reply::Accepted)).expect("a fault of the transport")
    }
}

/// Takes items and sends whenever it is full, again and again, as a pump does.
fn deliver(sizes: Sizes, items: &[u64], replies: Vec<Option<Reply>>) -> Told {
    let (counters, requests) = (Arc::new(Counters::default()), Requests::default());
    let script = Box::new(Script(replies.into_iter(), requests.clone()));
    let mut batch = Batch::new(Numbered { next: 0, inner: Sized }, script, sizes, counters.clone());
    for bytes in items {
        batch.take(output(*bytes));
        while batch.is_full() {
            send(&mut batch);
        }
    }
    while !batch.is_empty() {
        send(&mut batch);
    }
    let requests = requests.lock().expect("lock").clone();
    Told { stats: counters.read(), requests }
}

struct Told {
    stats: Stats,
    requests: Vec<(Vec<u64>, usize)>,
}

fn send(batch: &mut Batch<Numbered>) {
    let sent = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| batch.send()));
    let waits = matches!(sent, Err(_) | Ok(Sent::Again { .. }));
    assert_eq!(batch.is_empty(), !waits, "what is not settled waits, and nothing else");
}

const SIZES: Sizes = Sizes { batch_bytes: 1_000, batch_items: 10, value_bytes: 500 };

fn any_reply() -> impl Strategy<Value = Option<Reply>> {
    prop_oneof![
        4 => Just(Some(Reply::Accepted)),
        2 => (0..20_u64).prop_map(|rejected| Some(Reply::Partial { rejected, message: "some".into() })),
        3 => Just(Some(Reply::TooLarge("too large".into()))),
        1 => Just(Some(Reply::Refused("no".into()))),
        2 => Just(Some(Reply::Retry { after: None, why: "later".into() })),
        1 => Just(None),
    ]
}

fn any_item() -> impl Strategy<Value = u64> {
    prop_oneof![8 => 0..300_u64, 1 => 300..5_000_u64, 1 => Just(POISON), 1 => (0..3_000_u64).prop_map(|bytes| bytes + HARD)]
}

proptest! {
    #[test]
    fn each_item_is_accepted_or_rejected_or_dropped_and_once(
        items in proptest::collection::vec(any_item(), 0..80),
        replies in proptest::collection::vec(any_reply(), 0..60),
    ) {
        let told = deliver(SIZES, &items, replies);
        let Stats { accepted, rejected, dropped, requests, .. } = told.stats;
        prop_assert_eq!(accepted + rejected + dropped, items.len() as u64);
        prop_assert_eq!(requests, told.requests.len() as u64);
        for (numbers, bytes) in &told.requests {
            prop_assert!((1..=SIZES.batch_items).contains(&numbers.len()));
            prop_assert!(*bytes <= SIZES.batch_bytes || numbers.len() == 1, "{} bytes", bytes);
            prop_assert!(numbers.windows(2).all(|two| two[0] < two[1]));
        }
        // Never back to what came before, but for what is sent again in parts.
        let firsts: Vec<u64> = told.requests.iter().map(|(numbers, _)| numbers[0]).collect();
        prop_assert!(firsts.windows(2).all(|two| two[0] <= two[1]), "{:?}", firsts);
    }
}

#[test]
fn what_panics_when_it_is_written_is_dropped_alone() {
    let told = deliver(SIZES, &[1, POISON, 2, POISON, 3], Vec::new());
    assert_eq!((told.stats.accepted, told.stats.dropped), (3, 2));
    assert_eq!(told.requests.into_iter().map(|(numbers, _)| numbers).collect::<Vec<_>>(), [[0, 2, 4]]);
    assert!(told.stats.last_error.expect("told").contains("panic"));
}

#[test]
fn what_a_panic_kept_from_being_sent_is_sent_again_whole() {
    let told = deliver(SIZES, &[900, 900, 900], vec![Some(Reply::Accepted), None, None]);
    let numbers: Vec<_> = told.requests.iter().map(|(numbers, _)| numbers[0]).collect();
    assert_eq!((told.stats.accepted, numbers), (3, vec![0, 1, 1, 1, 2]));
}

#[test]
fn an_item_that_is_too_large_by_itself_is_cut_and_one_that_stays_so_is_given_up() {
    let sizes = Sizes { batch_bytes: MOST_BATCH_BYTES, batch_items: 10, value_bytes: 8 << 20 };
    let hard = MOST_BATCH_BYTES as u64 + HARD;
    let told = deliver(sizes, &[1, 6 << 20, hard, 2], Vec::new());
    assert_eq!((told.stats.accepted, told.stats.cut, told.stats.dropped), (3, 1, 1), "{:?}", told.stats);
    assert!(told.requests.iter().all(|(_, bytes)| *bytes <= MOST_BATCH_BYTES));
    let words = told.stats.last_error.expect("told");
    assert!(words.contains("by itself") && words.contains("3670016"), "{words}");
}

#[test]
fn what_the_other_side_finds_too_large_is_halved_then_cut_then_given_up() {
    let no = || Some(Reply::TooLarge("4 MiB is all".into()));
    let sizes = Sizes { batch_bytes: 100_000, batch_items: 10, value_bytes: 10_000 };
    let told = deliver(sizes, &[5_000, 10], vec![no(), no(), no(), Some(Reply::Accepted)]);
    let stats = told.stats;
    assert_eq!((stats.splits, stats.cut, stats.dropped, stats.accepted), (1, 1, 1, 1), "{:?}", told.requests);
}
