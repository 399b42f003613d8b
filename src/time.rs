//! The moment of an event: nanoseconds inside, milliseconds on the wire, RFC 3339 in the persisted form.

use crate::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{
    fmt,
    num::NonZeroU64,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// A moment in Unix time, in nanoseconds: years 1678 to 2262.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(
    /// Nanoseconds with the sign bit turned over: in the same order as the moments, and never zero, so that every
    /// event's `Option` of it is one word.
    NonZeroU64,
);

const SIGN: u64 = 1 << 63;
const NANOS_PER_SECOND: u64 = 1_000_000_000;
const NANOS_PER_MILLI: i64 = 1_000_000;

/// The moment after which a wait is over. A limit that no clock can reach is a year.
pub(crate) fn deadline(limit: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(limit).unwrap_or_else(|| now + Duration::from_secs(365 * 24 * 3600))
}

impl Timestamp {
    /// Now, by the system's clock. A clock before 1970 or past 2262 reads as that bound: emitting never fails.
    pub fn now() -> Self {
        Self::from(SystemTime::now())
    }

    /// From nanoseconds of Unix time. The smallest number there is reads as the one after it.
    pub const fn from_unix_nanos(nanos: i64) -> Self {
        match NonZeroU64::new(nanos.cast_unsigned() ^ SIGN) {
            Some(turned) => Self(turned),
            None => Self(NonZeroU64::MIN),
        }
    }

    /// From milliseconds of Unix time, the wire's unit. None outside of the years 1678 to 2262.
    pub const fn from_unix_millis(millis: i64) -> Option<Self> {
        match millis.checked_mul(NANOS_PER_MILLI) {
            Some(nanos) => Some(Self::from_unix_nanos(nanos)),
            None => None,
        }
    }

    /// Nanoseconds of Unix time.
    pub const fn unix_nanos(self) -> i64 {
        (self.0.get() ^ SIGN).cast_signed()
    }

    /// Milliseconds of Unix time, rounded down.
    pub const fn unix_millis(self) -> i64 {
        self.unix_nanos().div_euclid(NANOS_PER_MILLI)
    }

    /// This much later.
    pub(crate) fn after(self, passed: Duration) -> Self {
        let passed = i64::try_from(passed.as_nanos()).unwrap_or(i64::MAX);
        Self::from_unix_nanos(self.unix_nanos().saturating_add(passed))
    }

    /// Time passed since `earlier`; zero if the clock stepped back meanwhile.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(u64::try_from(self.unix_nanos().saturating_sub(earlier.unix_nanos())).unwrap_or(0))
    }

    fn to_system_time(self) -> SystemTime {
        let nanos = Duration::from_nanos(self.unix_nanos().unsigned_abs());
        if self.unix_nanos() >= 0 { UNIX_EPOCH + nanos } else { UNIX_EPOCH - nanos }
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self::from_unix_nanos(nanos_of(after)),
            Err(before) => Self::from_unix_nanos(-nanos_of(before.duration())),
        }
    }
}

/// At most what fits; in 64 bits, as this is on the way of every event.
fn nanos_of(duration: Duration) -> i64 {
    let nanos = duration.as_secs().saturating_mul(NANOS_PER_SECOND).saturating_add(u64::from(duration.subsec_nanos()));
    i64::try_from(nanos).unwrap_or(i64::MAX)
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Timestamp").field(&self.unix_nanos()).finish()
    }
}

/// RFC 3339 with nanoseconds, in UTC. Moments before 1970 have no such form in this library and show as 1970.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.to_system_time().max(UNIX_EPOCH);
        write!(f, "{}", humantime::format_rfc3339_nanos(time))
    }
}

impl std::str::FromStr for Timestamp {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let time = humantime::parse_rfc3339(text).map_err(|source| {
            Error::invalid(format!("timestamp {text:?} is not RFC 3339 in UTC, such as 2026-11-21T05:00:00Z"))
                .with_source(source)
        })?;
        Ok(Self::from(time))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}
