//! The bytes of a body as they were before they were packed: counted on both sides, a little at a time, so that a bomb is
//! as small as what it is packed in until it is noticed.

use super::{
    limits::{BODY_BYTES, GZIP_MEMBERS},
    stop::Stop,
};
use flate2::write::GzDecoder;
use std::{borrow::Cow, io::Write};

#[derive(Debug)]
pub(super) struct Unpack {
    packing: Packing,
    received: u64,
    unpacked: u64,
}

#[derive(Debug)]
enum Packing {
    None,
    Gzip(Box<Gzip>),
}

/// A gzip file is one or more members (RFC 1952, 2.2), with nothing between and after them.
#[derive(Debug)]
struct Gzip {
    member: GzDecoder<Vec<u8>>,
    members: usize,
}

impl Unpack {
    pub(super) fn new(gzip: bool) -> Self {
        let packing = match gzip {
            true => Packing::Gzip(Box::new(Gzip { member: GzDecoder::new(Vec::new()), members: 1 })),
            false => Packing::None,
        };
        Self { packing, received: 0, unpacked: 0 }
    }

    /// Takes something off the input, and gives what it unpacks to: 64 KiB at most where it was packed.
    pub(super) fn step<'a>(&mut self, input: &mut &'a [u8]) -> Result<Cow<'a, [u8]>, Stop> {
        let (before, whole) = (input.len(), *input);
        let piece = match &mut self.packing {
            Packing::None => {
                *input = &[];
                Cow::Borrowed(whole)
            }
            Packing::Gzip(gzip) => Cow::Owned(gzip.step(input)?),
        };
        self.received += (before - input.len()) as u64;
        self.bounded(piece)
    }

    /// The body has ended: what is left.
    pub(super) fn end(&mut self) -> Result<Vec<u8>, Stop> {
        let rest = match &mut self.packing {
            // Nothing at all is no events, packed or not.
            Packing::Gzip(gzip) if self.received > 0 => gzip.end()?,
            _ => Vec::new(),
        };
        self.bounded(Cow::Owned(rest)).map(Cow::into_owned)
    }

    fn bounded<'a>(&mut self, piece: Cow<'a, [u8]>) -> Result<Cow<'a, [u8]>, Stop> {
        self.unpacked += piece.len() as u64;
        match self.unpacked.max(self.received) > BODY_BYTES {
            true => Err(Stop::too_large(format!("the body is longer than {BODY_BYTES} bytes, which is the limit"))),
            false => Ok(piece),
        }
    }
}

impl Gzip {
    /// The decoder writes what one of its buffers holds (32 KiB), and takes no more input than it needs for that.
    fn step(&mut self, input: &mut &[u8]) -> Result<Vec<u8>, Stop> {
        let taken = self.member.write(input).map_err(|_| damaged())?;
        *input = &input[taken..];
        // It takes nothing more: its member is over.
        if taken == 0 {
            return self.next_member();
        }
        Ok(std::mem::take(self.member.get_mut()))
    }

    fn next_member(&mut self) -> Result<Vec<u8>, Stop> {
        let rest = self.end()?;
        self.member = GzDecoder::new(Vec::new());
        self.members += 1;
        match self.members > GZIP_MEMBERS {
            true => Err(Stop::too_large(format!("the body has more than {GZIP_MEMBERS} gzip members"))),
            false => Ok(rest),
        }
    }

    /// Length and checksum are compared here.
    fn end(&mut self) -> Result<Vec<u8>, Stop> {
        self.member.try_finish().map_err(|_| damaged())?;
        Ok(std::mem::take(self.member.get_mut()))
    }
}

fn damaged() -> Stop {
    Stop::malformed("the body is not gzip, as its Content-Encoding says, or it is damaged or cut short")
}

#[cfg(test)]
mod tests {
    use super::{BODY_BYTES, Unpack};
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    #[test]
    fn a_bomb_is_never_held_as_a_whole_and_stops_at_the_limit() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&vec![b' '; BODY_BYTES as usize + (4 << 20)]).expect("pack");
        let packed = encoder.finish().expect("pack");
        let (mut unpack, mut rest, mut bytes, mut largest) = (Unpack::new(true), &packed[..], 0, 0);
        let stop = loop {
            match unpack.step(&mut rest) {
                Ok(piece) => (bytes, largest) = (bytes + piece.len(), largest.max(piece.len())),
                Err(stop) => break stop,
            }
        };
        assert!(stop.why.contains("16777216"), "{stop:?}");
        assert!(bytes <= BODY_BYTES as usize && largest <= 64 << 10, "{bytes} {largest}");
    }
}
