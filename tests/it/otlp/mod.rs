//! What leaves for OpenTelemetry back ends, for other tools, and what comes back from files.

mod beside;
mod bridge;
mod drawn;
mod exported;
mod import;
mod logs;
mod map;
mod meant;
mod metrics;
mod offline;
mod operations;
mod perfetto;
mod shapes;
mod torn;

use spanwright::{ContentLevel, ContentPolicy, Timestamp};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);

/// Everything that is told is kept as it is.
fn full() -> ContentPolicy {
    ContentPolicy::new(ContentLevel::Full).max_text_bytes(1 << 20).max_json_bytes(1 << 20)
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(1_763_692_800_000 + millis).expect("time")
}
