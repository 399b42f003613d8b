//! The few fields of protobuf messages that back ends answer with. Bytes of anybody: what is no message is said to be none.

/// The bytes are no protobuf message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// A field's value as far as it matters here: of the two fixed sizes nothing is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Varint(u64),
    Bytes(&'a [u8]),
    Fixed,
}

/// A message's fields one after another, ended by the first fault.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Result<(u64, Value<'a>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field().ok_or(Malformed);
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'a> Fields<'a> {
    fn field(&mut self) -> Option<(u64, Value<'a>)> {
        let tag = self.varint()?;
        // "Field numbers": 1 to 536,870,911.
        let number = Some(tag >> 3).filter(|number| (1..1 << 29).contains(number))?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => self.take(8).map(|_| Value::Fixed)?,
            2 => {
                let length = self.varint()?;
                Value::Bytes(self.take(usize::try_from(length).ok()?)?)
            }
            5 => self.take(4).map(|_| Value::Fixed)?,
            // Groups are of proto2 and in no message of OTLP.
            _ => return None,
        };
        Some((number, value))
    }

    /// "Base 128 Varints": at most ten bytes, the least significant first.
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for shift in (0..70).step_by(7) {
            let byte = self.take(1)?[0];
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

/// "Last One Wins"; a field of another type than expected is an unknown field.
fn last<'a, T>(message: &'a [u8], wanted: u64, pick: impl Fn(Value<'a>) -> Option<T>) -> Result<Option<T>, Malformed> {
    Fields(message).try_fold(None, |last, field| {
        let (number, value) = field?;
        Ok(if number == wanted { pick(value).or(last) } else { last })
    })
}

pub(super) fn bytes(message: &[u8], number: u64) -> Result<Option<&[u8]>, Malformed> {
    last(message, number, |value| if let Value::Bytes(bytes) = value { Some(bytes) } else { None })
}

pub(super) fn integer(message: &[u8], number: u64) -> Result<i64, Malformed> {
    let found = last(message, number, |value| if let Value::Varint(value) = value { Some(value) } else { None })?;
    Ok(found.unwrap_or(0).cast_signed())
}

/// How many were rejected, and why, of an `Export…ServiceResponse`; the three signals' have the same numbers.
pub(super) fn partial_success(response: &[u8]) -> Result<Option<(i64, Vec<u8>)>, Malformed> {
    let Some(partial) = bytes(response, 1)? else { return Ok(None) };
    Ok(Some((integer(partial, 1)?, bytes(partial, 2)?.unwrap_or_default().to_vec())))
}

/// The message of a `google.rpc.Status`.
pub(super) fn status_message(status: &[u8]) -> Result<Option<&[u8]>, Malformed> {
    bytes(status, 2)
}
