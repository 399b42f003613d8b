//! What a reader may keep as its place.

use crate::{Error, Text, id};

/// A reader's name is at most this many bytes long.
const MAX_NAME_BYTES: usize = 256;

pub(super) fn check_name(name: &Text) -> Result<(), Error> {
    id::check_text("a reader's name", name, MAX_NAME_BYTES)
}

/// Offsets that are not durable may be taken back, and those that follow a place are what its reader is to be told.
/// The reader's name may be an address with a token in it: it is not told.
pub(super) fn check_offset(offset: u64, durable_to: u64) -> Result<(), Error> {
    if offset <= durable_to {
        return Ok(());
    }
    Err(Error::invalid(format!("place {offset} of a reader: up to {durable_to}, which is durable, is accepted")))
}
