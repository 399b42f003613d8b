//! What a server did, in numbers.

use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) connections: Gauge,
    pub(super) streams: Gauge,
    /// Closed at once, since as many were open as may be.
    pub(super) over_limit: AtomicU64,
    /// Closed, since nothing could be written to them for too long.
    pub(super) stalled: AtomicU64,
    /// Requests for a foreign host or from a foreign page.
    pub(super) denied: AtomicU64,
    /// Requests without a token that holds: answered 401.
    pub(super) unauthorized: AtomicU64,
    /// Requests with a token or cookie that is not enough or not well sent: answered 400 or 403.
    pub(super) forbidden: AtomicU64,
}

/// How many there are, and were.
#[derive(Debug, Default)]
pub(super) struct Gauge {
    open: AtomicU64,
    total: AtomicU64,
}

impl Gauge {
    pub(super) fn enter(&self) {
        self.open.fetch_add(1, Relaxed);
        self.total.fetch_add(1, Relaxed);
    }

    pub(super) fn leave(&self) {
        self.open.fetch_sub(1, Relaxed);
    }

    pub(super) fn open(&self) -> u64 {
        self.open.load(Relaxed)
    }

    fn to_json(&self) -> Value {
        json!({"open": self.open(), "total": self.total.load(Relaxed)})
    }
}

impl Counters {
    pub(super) fn to_json(&self) -> Value {
        json!({
            "connections": self.connections.to_json(),
            "streams": self.streams.to_json(),
            "over_limit": self.over_limit.load(Relaxed),
            "stalled": self.stalled.load(Relaxed),
            "denied": self.denied.load(Relaxed),
            "unauthorized": self.unauthorized.load(Relaxed),
            "forbidden": self.forbidden.load(Relaxed),
        })
    }
}
