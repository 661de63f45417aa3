//! A shard's payload as a row of messages: cut without copying, put together with a check.

use bytes::{Bytes, BytesMut};
use crc_fast::{CrcAlgorithm, Digest};

use crate::limits::PIECE_BYTES_MAX;

/// CRC-32C (Castagnoli, RFC 3720) of a payload.
#[must_use]
pub fn crc32c(payload: &[u8]) -> u32 {
    narrow(crc_fast::checksum(CrcAlgorithm::Crc32Iscsi, payload))
}

/// The payload in pieces of at most 1 MiB that share its memory.
pub fn pieces(mut payload: Bytes) -> impl Iterator<Item = Bytes> + Send {
    std::iter::from_fn(move || {
        let piece = payload.split_to(payload.len().min(PIECE_BYTES_MAX));
        (!piece.is_empty()).then_some(piece)
    })
}

/// Why pieces do not make the payload that was announced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// A piece is empty or longer than a message may be.
    #[error("a piece of {len} bytes, 1 to {PIECE_BYTES_MAX} are allowed")]
    Piece {
        /// Its bytes.
        len: usize,
    },
    /// More was sent than announced.
    #[error("more than the {expected} bytes that were announced")]
    TooLong {
        /// Bytes announced.
        expected: usize,
    },
    /// Less was sent than announced.
    #[error("{found} of the {expected} bytes that were announced")]
    TooShort {
        /// Bytes announced.
        expected: usize,
        /// Bytes that came.
        found: usize,
    },
    /// The bytes changed on the way.
    #[error("payload has CRC-32C {found:08x}, {expected:08x} was announced")]
    Checksum {
        /// Announced.
        expected: u32,
        /// Of what came.
        found: u32,
    },
}

/// A payload that is being received.
pub struct PayloadAssembly {
    expected: usize,
    crc32c: u32,
    digest: Digest,
    first: Bytes,
    rest: BytesMut,
    received: usize,
}

impl PayloadAssembly {
    /// Awaits `expected` bytes with this CRC-32C; the caller has checked `expected` against its
    /// limit. Nothing is allocated before
    /// the second piece comes, and never more than `expected`.
    #[must_use]
    pub fn new(expected: usize, crc32c: u32) -> Self {
        let digest = Digest::new(CrcAlgorithm::Crc32Iscsi);
        Self { expected, crc32c, digest, first: Bytes::new(), rest: BytesMut::new(), received: 0 }
    }

    /// Takes the next piece.
    ///
    /// # Errors
    /// When it is empty, too long, or more than was announced.
    pub fn push(&mut self, piece: Bytes) -> Result<(), PayloadError> {
        if !(1..=PIECE_BYTES_MAX).contains(&piece.len()) {
            return Err(PayloadError::Piece { len: piece.len() });
        }
        if piece.len() > self.expected - self.received {
            return Err(PayloadError::TooLong { expected: self.expected });
        }
        self.digest.update(&piece);
        if self.received == 0 {
            self.first = piece.clone();
        } else {
            if self.rest.is_empty() {
                // At once and in one place: many small pieces cost no more than few large ones.
                self.rest.reserve(self.expected);
                self.rest.extend_from_slice(&self.first);
            }
            self.rest.extend_from_slice(&piece);
        }
        self.received += piece.len();
        Ok(())
    }

    /// The whole payload; a payload of one piece is not copied.
    ///
    /// # Errors
    /// When it is not whole, or its checksum differs.
    pub fn finish(self) -> Result<Bytes, PayloadError> {
        let (expected, found) = (self.expected, self.received);
        if found != expected {
            return Err(PayloadError::TooShort { expected, found });
        }
        let found = narrow(self.digest.finalize());
        if found != self.crc32c {
            return Err(PayloadError::Checksum { expected: self.crc32c, found });
        }
        Ok(if self.rest.is_empty() { self.first } else { self.rest.freeze() })
    }
}

fn narrow(crc: u64) -> u32 {
    u32::try_from(crc).expect("a CRC of 32 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(len: usize) -> Bytes {
        (0..len).map(|at| u8::try_from(at % 251).expect("small")).collect()
    }

    fn assemble(
        pieces: impl Iterator<Item = Bytes>,
        len: usize,
        crc: u32,
    ) -> Result<Bytes, PayloadError> {
        let mut assembly = PayloadAssembly::new(len, crc);
        for piece in pieces {
            assembly.push(piece)?;
        }
        assembly.finish()
    }

    #[test]
    fn the_checksum_is_the_published_crc_32c() {
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }

    #[test]
    fn pieces_share_the_payloads_memory_and_make_it_whole_again() {
        for len in [1, PIECE_BYTES_MAX, PIECE_BYTES_MAX + 1, 3 * PIECE_BYTES_MAX + 7] {
            let whole = payload(len);
            let first = pieces(whole.clone()).next().expect("one at least");
            assert_eq!(first.as_ptr(), whole.as_ptr(), "{len}");
            let again = assemble(pieces(whole.clone()), len, crc32c(&whole)).expect("whole");
            assert_eq!(again, whole, "{len}");
        }
    }

    #[test]
    fn a_payload_that_is_short_long_altered_or_cut_to_nothing_is_refused() {
        let whole = payload(10);
        let crc = crc32c(&whole);
        let error =
            |pieces: Vec<Bytes>| assemble(pieces.into_iter(), 10, crc).expect_err("refused");
        assert_eq!(
            error(vec![whole.slice(..9)]),
            PayloadError::TooShort { expected: 10, found: 9 }
        );
        assert_eq!(
            error(vec![whole.clone(), whole.slice(..1)]),
            PayloadError::TooLong { expected: 10 }
        );
        assert_eq!(error(vec![Bytes::new()]), PayloadError::Piece { len: 0 });
        let huge = payload(PIECE_BYTES_MAX + 1);
        assert_eq!(error(vec![huge]), PayloadError::Piece { len: PIECE_BYTES_MAX + 1 });
        let altered = Bytes::from_static(b"0123456789");
        assert!(matches!(error(vec![altered]), PayloadError::Checksum { .. }));
    }
}
