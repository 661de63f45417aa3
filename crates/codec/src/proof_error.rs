use custos_core::ErrorKind;

/// Why a proven range does not verify. Nothing that failed is handed out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// A parent node is not the one that the evidence hash commits to.
    #[error("proof before frame {frame}: parent at height {height} does not verify")]
    Parent {
        /// Frame that the parent came with.
        frame: u64,
        /// Levels below the parent: 1 for one that stands on frames.
        height: u32,
    },
    /// A frame is not the one that the evidence hash commits to.
    #[error("frame {frame} does not verify")]
    Frame {
        /// Which frame of the evidence, from 0.
        frame: u64,
    },
    /// Fewer bytes than this place needs.
    #[error("frame {frame}: {part} is cut short: {found} bytes, expected {expected}")]
    Truncated {
        /// Which frame of the evidence, from 0.
        frame: u64,
        /// `parents` or `data`.
        part: &'static str,
        /// Bytes needed.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// More bytes than this place has.
    #[error("frame {frame}: {part} is too long: {found} bytes, expected {expected}")]
    Extra {
        /// Which frame of the evidence, from 0.
        frame: u64,
        /// `parents` or `data`.
        part: &'static str,
        /// Bytes that belong here.
        expected: usize,
        /// Bytes given.
        found: usize,
    },
    /// A frame after the last one of the range.
    #[error("a frame came after the last one of the range (frame {frame})")]
    PastRange {
        /// Frames of the range end before this one.
        frame: u64,
    },
    /// The stream ended before the range did.
    #[error("proof ended before frame {next}, expected frames up to {end}")]
    Unfinished {
        /// First frame that did not come.
        next: u64,
        /// One past the last frame expected.
        end: u64,
    },
    /// The range lies wholly past the end, which no proof can show to be the end.
    #[error("range starts at {start} but the evidence is said to have {size} bytes")]
    RangePastEnd {
        /// First byte asked for.
        start: u64,
        /// Claimed bytes of the evidence.
        size: u64,
    },
    /// The evidence is said to be empty but its hash is not that of no bytes.
    #[error("evidence is said to be empty but its hash says otherwise")]
    NotEmpty,
    /// An earlier push failed; nothing after it can be trusted to be in its place.
    #[error("proof failed before")]
    Failed,
}

impl ProofError {
    /// How callers should class it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        ErrorKind::Integrity
    }
}
