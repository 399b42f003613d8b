//! Where a destination begins to read the log.

use super::{pump::Settings, record::LOG_LIMIT, stats::Counters};
use crate::{Error, EventLog};
use std::io::Write;

/// The place that the log has for it; that of a new destination where it has none, and whether the log does not have that
/// one yet.
///
/// A place that is damaged is none, which is told. To begin at the record's beginning would send everything twice, to stop
/// would keep a program from its work for what is beside it.
pub(super) fn known(log: &dyn EventLog, settings: &Settings, counters: &Counters) -> Result<(u64, bool), Error> {
    let known = match log.place(settings.name.clone()).wait(LOG_LIMIT) {
        Err(error) if error.is_corrupt() => {
            lost(settings, counters, &error);
            None
        }
        known => known?,
    };
    match known {
        Some(place) => Ok((place, false)),
        None => begin(log, settings, counters),
    }
}

/// At once: what happens from now on is sent, if this process comes to it or not. Where the file is damaged there, it is
/// tried again with each thing that is settled.
fn begin(log: &dyn EventLog, settings: &Settings, counters: &Counters) -> Result<(u64, bool), Error> {
    let place = if settings.from_beginning { 0 } else { log.opened_at().offset };
    match counters.of_log(log.keep_place(settings.name.clone(), place).wait(LOG_LIMIT)) {
        Err(error) if !error.is_corrupt() => Err(error),
        kept => Ok((place, kept.is_err())),
    }
}

fn lost(settings: &Settings, counters: &Counters, error: &Error) {
    let from = if settings.from_beginning { "the record's beginning" } else { "this start" };
    let words = format!("{}: its place in the log is damaged; it is delivered from {from} on: {error}", settings.name);
    counters.undecodable();
    counters.say(&words);
    let _ = writeln!(std::io::stderr(), "spanwright: {words}");
}
