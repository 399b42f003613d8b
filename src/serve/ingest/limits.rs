//! How much is taken from outside, in one place. What a single payload may be stands with [`Json`].

use crate::Json;
use std::time::Duration;

/// A body, in bytes, as it comes and as it is unpacked.
pub(super) const BODY_BYTES: u64 = 16 << 20;
/// One event, in bytes.
pub(super) const EVENT_BYTES: usize = 2 << 20;
/// Events of one body: its lines, or the elements of its array.
pub(super) const EVENTS: u64 = 100_000;
/// How deep an event may be nested: a payload is one level further in than the event itself.
pub(super) const DEPTH: usize = Json::MAX_DEPTH + 1;
/// Values and names in one event: a tree of them can need 98 times the bytes of their text.
pub(super) const NODES: usize = 100_000;
/// Members of a gzip file: each costs a new decoder, however short it is.
pub(super) const GZIP_MEMBERS: usize = 1_000;

/// Bodies that are read at once. With the bounds on a body and on what is not durable yet this bounds memory, and how
/// much of the queue strangers can fill.
pub(super) const AT_ONCE: usize = 16;
/// Of these so many for one tenant.
pub(super) const OF_ONE_TENANT: usize = AT_ONCE / 2;
/// Events, and bytes of their texts, that are given to the recorder before it is waited for.
pub(super) const WINDOW_EVENTS: u64 = 512;
pub(super) const WINDOW_BYTES: usize = 1 << 20;
/// How long the recorder and its log may take to make a window durable.
pub(super) const DURABLE_WITHIN: Duration = Duration::from_secs(10);
/// How long a client may send nothing, and may take for the whole of a body.
pub(super) const SILENCE: Duration = Duration::from_secs(10);
pub(super) const WHOLE_BODY: Duration = Duration::from_secs(120);
/// How much is read and thrown away of a body that is refused, so that its sender comes to read why, and for how long.
pub(super) const DRAINED_BYTES: u64 = BODY_BYTES;
pub(super) const DRAINED_WITHIN: Duration = Duration::from_secs(2);

/// Refused events that an answer lists; further ones are counted.
pub(super) const LISTED: usize = 100;
/// How long the reason of one of them may be, in characters: it may quote what was sent.
pub(super) const REASON_CHARS: usize = 240;

/// Idempotency keys: how long one may be, how many are remembered, in how many bytes, and for how long.
pub(in crate::serve) const KEY_BYTES: usize = 128;
pub(super) const KEYS: usize = 10_000;
pub(super) const KEYS_BYTES: usize = 16 << 20;
pub(super) const KEY_AGE: Duration = Duration::from_secs(3_600);
