//! The moment of an event: nanoseconds inside, milliseconds on the wire, RFC 3339 in the persisted form.

use crate::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A moment in Unix time, in nanoseconds: years 1678 to 2262.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

const NANOS_PER_MILLI: i64 = 1_000_000;

impl Timestamp {
    /// Now, by the system's clock. A clock before 1970 or past 2262 reads as that bound: emitting never fails.
    pub fn now() -> Self {
        Self::from(SystemTime::now())
    }

    /// From nanoseconds of Unix time.
    pub const fn from_unix_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// From milliseconds of Unix time, the wire's unit. None outside of the years 1678 to 2262.
    pub const fn from_unix_millis(millis: i64) -> Option<Self> {
        match millis.checked_mul(NANOS_PER_MILLI) {
            Some(nanos) => Some(Self(nanos)),
            None => None,
        }
    }

    /// Nanoseconds of Unix time.
    pub const fn unix_nanos(self) -> i64 {
        self.0
    }

    /// Milliseconds of Unix time, rounded down.
    pub const fn unix_millis(self) -> i64 {
        self.0.div_euclid(NANOS_PER_MILLI)
    }

    /// Time passed since `earlier`; zero if the clock stepped back meanwhile.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    fn to_system_time(self) -> SystemTime {
        let nanos = Duration::from_nanos(self.0.unsigned_abs());
        if self.0 >= 0 { UNIX_EPOCH + nanos } else { UNIX_EPOCH - nanos }
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Self(i64::try_from(after.as_nanos()).unwrap_or(i64::MAX)),
            Err(before) => Self(i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |nanos| -nanos)),
        }
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
