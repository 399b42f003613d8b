//! An outlet of many small things in one request: collects by bytes, splits and cuts what is refused for its size.

use super::{
    outlet::{Outlet, Sent},
    stats::Counters,
};
use crate::otlp::{
    settings::MOST_BATCH_BYTES,
    span::Output,
    transport::{Reply, Signal, Transport},
    unwound::caught,
};
use std::{collections::VecDeque, ops::Range, sync::Arc};

/// What a request is made of: spans, log records.
pub(crate) trait Elements: Send {
    type Item: Send;

    const SIGNAL: Signal;

    /// What the fold's output becomes.
    fn items(&mut self, output: Output, items: &mut Vec<Self::Item>);

    /// Appends one item. No value in it is longer than `max_value_bytes`: a longer one is cut so that it stays valid.
    fn encode(&mut self, item: &Self::Item, max_value_bytes: usize, out: &mut Vec<u8>);

    /// Appends a whole request of these encoded items.
    fn wrap(&self, items: &[&[u8]], out: &mut Vec<u8>);
}

/// How much goes into one request, and how long a value in it may be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    pub(crate) batch_bytes: usize,
    pub(crate) batch_items: usize,
    pub(crate) value_bytes: usize,
}

/// What is left of each value of an item that was refused for its size by itself.
const CUT_VALUE_BYTES: usize = 1024;

pub(crate) struct Batch<E: Elements> {
    elements: E,
    transport: Box<dyn Transport>,
    counters: Arc<Counters>,
    sizes: Sizes,
    items: Vec<E::Item>,
    /// Where each item stands in `bytes`.
    places: Vec<Range<usize>>,
    bytes: Vec<u8>,
    /// Items, by their index, of which each request is made that is still to be sent; empty until sending begins.
    parts: VecDeque<Range<usize>>,
    request: Vec<u8>,
}

impl<E: Elements> Batch<E> {
    pub(crate) fn new(elements: E, transport: Box<dyn Transport>, sizes: Sizes, counters: Arc<Counters>) -> Self {
        Self {
            elements,
            transport,
            counters,
            sizes,
            items: Vec::new(),
            places: Vec::new(),
            bytes: Vec::new(),
            parts: VecDeque::new(),
            request: Vec::new(),
        }
    }

    /// Requests of as many items as fit; an item that is too large by itself is cut first, and then goes by itself.
    fn divide(&mut self) {
        let frame = self.frame_bytes();
        let (mut start, mut bytes) = (0, frame);
        for index in 0..self.items.len() {
            if frame + self.item_bytes(index) > self.sizes.batch_bytes {
                self.cut(index);
            }
            bytes += self.item_bytes(index);
            if index > start && (bytes > self.sizes.batch_bytes || index - start == self.sizes.batch_items) {
                self.parts.push_back(start..index);
                (start, bytes) = (index, frame + self.item_bytes(index));
            }
        }
        self.parts.push_back(start..self.items.len());
    }

    /// What a request has around its items.
    fn frame_bytes(&self) -> usize {
        let mut empty = Vec::new();
        self.elements.wrap(&[], &mut empty);
        // Protobuf's lengths grow with what they are of: two of five bytes at most.
        empty.len() + 2 * 5
    }

    /// With the comma before it.
    fn item_bytes(&self, index: usize) -> usize {
        self.places[index].len() + 1
    }

    /// False when nothing was won by it.
    fn cut(&mut self, index: usize) -> bool {
        let start = self.bytes.len();
        let shortest = CUT_VALUE_BYTES.min(self.sizes.value_bytes);
        let written = caught(|| self.elements.encode(&self.items[index], shortest, &mut self.bytes));
        let cut = start..self.bytes.len();
        let shorter = written.is_some() && cut.len() < self.places[index].len();
        match shorter {
            true => {
                self.places[index] = cut;
                self.counters.cut();
            }
            false => self.bytes.truncate(start),
        }
        shorter
    }

    fn send_part(&mut self, part: Range<usize>) -> Reply {
        let items: Vec<&[u8]> = self.places[part.clone()].iter().map(|place| &self.bytes[place.clone()]).collect();
        self.request.clear();
        self.elements.wrap(&items, &mut self.request);
        if self.request.len() > MOST_BATCH_BYTES {
            let bytes = self.request.len();
            return Reply::TooLarge(format!("{bytes} bytes by itself; {MOST_BATCH_BYTES} are sent at most"));
        }
        self.counters.request();
        self.transport.send(E::SIGNAL, &self.request)
    }

    fn settle(&mut self, part: Range<usize>, reply: Reply) {
        let count = part.len() as u64;
        match reply {
            Reply::Accepted => self.counters.accepted(count),
            Reply::Partial { rejected, message } => {
                let rejected = rejected.min(count);
                self.counters.accepted(count - rejected);
                self.counters.rejected(rejected, &message);
            }
            Reply::TooLarge(why) => self.too_large(part, &why),
            Reply::Refused(why) => self.counters.dropped(count, &why),
            Reply::Retry { .. } => self.parts.push_front(part),
        }
    }

    /// Half of it each; one by itself is cut, and at last given up: it takes nothing else along.
    fn too_large(&mut self, part: Range<usize>, why: &str) {
        let middle = part.start + part.len() / 2;
        if part.len() > 1 {
            self.counters.split();
            self.parts.push_front(middle..part.end);
            self.parts.push_front(part.start..middle);
        } else if self.cut(part.start) {
            self.parts.push_front(part);
        } else {
            self.counters.dropped(1, why);
        }
    }

    /// Written at once. What panics at that is dropped, and takes nothing along.
    fn add(&mut self, item: E::Item) {
        let start = self.bytes.len();
        match caught(|| self.elements.encode(&item, self.sizes.value_bytes, &mut self.bytes)) {
            Some(()) => {
                self.items.push(item);
                self.places.push(start..self.bytes.len());
            }
            None => {
                self.bytes.truncate(start);
                self.counters.dropped(1, "a panic of ours while it was written; stderr has more");
            }
        }
    }

    fn clear(&mut self) {
        self.items.clear();
        self.places.clear();
        self.bytes.clear();
    }
}

impl<E: Elements> Outlet for Batch<E> {
    fn take(&mut self, output: Output) {
        let (mut items, is_late) = (Vec::new(), !output.is_span());
        self.elements.items(output, &mut items);
        if is_late && items.is_empty() {
            self.counters.late();
        }
        items.into_iter().for_each(|item| self.add(item));
    }

    /// Also while some of it is still to be sent: what came now would be in no part.
    fn is_full(&self) -> bool {
        !self.parts.is_empty()
            || self.items.len() >= self.sizes.batch_items
            || self.bytes.len() >= self.sizes.batch_bytes
    }

    fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    fn send(&mut self) -> Sent {
        if self.parts.is_empty() && !self.items.is_empty() {
            self.divide();
        }
        while let Some(part) = self.parts.front().cloned() {
            let reply = self.send_part(part.clone());
            if let Reply::Retry { after, why } = reply {
                return Sent::Again { after, why };
            }
            // Not before there is a word on it: if sending panics, it waits as before.
            self.parts.pop_front();
            self.settle(part, reply);
        }
        self.clear();
        Sent::Settled
    }
}
