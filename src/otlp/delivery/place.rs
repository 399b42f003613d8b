//! Where a destination begins to read the log.

use super::{pump::Settings, record::LOG_LIMIT, stats::Counters};
use crate::{Error, EventLog, error::say};

/// The place that the log has for it, that of a new destination where it has none; and whether the log does not have that
/// one yet.
///
/// A place that is damaged is none, which is told: no program is kept from its work for what is beside it.
///
/// # Errors
/// What the log says. Of a damaged place nothing is an error: one that cannot be kept either is tried again with each thing that
/// is settled.
pub(super) fn known(log: &dyn EventLog, settings: &Settings, counters: &Counters) -> Result<(u64, bool), Error> {
    match log.place(settings.name.clone()).wait(LOG_LIMIT) {
        Ok(Some(place)) => Ok((place, false)),
        Ok(None) => begin(log, settings).map(|place| (place, false)),
        Err(error) if error.is_corrupt() => {
            tell(settings, counters, &error);
            let is_unkept = counters.of_log(begin(log, settings)).is_err();
            Ok((beginning(log, settings), is_unkept))
        }
        Err(error) => Err(error),
    }
}

/// Kept at once: what happens from now on is sent, if this process comes to it or not.
fn begin(log: &dyn EventLog, settings: &Settings) -> Result<u64, Error> {
    let place = beginning(log, settings);
    log.keep_place(settings.name.clone(), place).wait(LOG_LIMIT).map(|()| place)
}

fn beginning(log: &dyn EventLog, settings: &Settings) -> u64 {
    if settings.from_beginning { 0 } else { log.opened_at().offset }
}

fn tell(settings: &Settings, counters: &Counters, error: &Error) {
    let from = if settings.from_beginning { "the record's beginning" } else { "this start" };
    let words = format!("{}: its place in the log is damaged; it is delivered from {from} on: {error}", settings.told);
    counters.undecodable();
    counters.say(&words);
    say(&words);
}
