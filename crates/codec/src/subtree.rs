use std::ops::Range;

use custos_core::units::FRAME_BYTES;

/// Place of a node in the tree over the frames of a whole evidence item: what prover and verifier
/// must agree on without a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Subtree {
    /// First frame below the node.
    pub(crate) start: u64,
    /// Frames below the node, at least 1.
    pub(crate) frames: u64,
}

impl Subtree {
    /// The whole tree over evidence of `size` bytes, at least 1.
    pub(crate) fn whole(size: u64) -> Self {
        assert!(size > 0, "empty evidence has no tree");
        Self { start: 0, frames: size.div_ceil(FRAME_BYTES as u64) }
    }

    pub(crate) fn end(self) -> u64 {
        self.start + self.frames
    }

    pub(crate) fn is_leaf(self) -> bool {
        self.frames == 1
    }

    pub(crate) fn overlaps(self, frames: &Range<u64>) -> bool {
        self.start < frames.end && frames.start < self.end()
    }

    /// Levels below the node: 0 for a leaf.
    pub(crate) fn height(self) -> u32 {
        self.frames.next_power_of_two().trailing_zeros()
    }

    /// The two nodes below; the left one is the largest full subtree that leaves a right one.
    pub(crate) fn children(self) -> (Self, Self) {
        assert!(!self.is_leaf(), "a leaf has no children");
        let left = 1 << (self.height() - 1);
        (
            Self { start: self.start, frames: left },
            Self { start: self.start + left, frames: self.frames - left },
        )
    }
}

/// `range` cut to evidence of `size` bytes.
pub(crate) fn clamp(range: &Range<u64>, size: u64) -> Range<u64> {
    let end = range.end.min(size);
    range.start.min(end)..end
}

/// Frames that hold the bytes of `range`; none for an empty one.
pub(crate) fn frames_of(range: &Range<u64>) -> Range<u64> {
    let frame = FRAME_BYTES as u64;
    let start = range.start / frame;
    if range.is_empty() { start..start } else { start..range.end.div_ceil(frame) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_left_child_is_the_largest_power_of_two_that_leaves_a_right_one() {
        for (frames, left) in [(2, 1), (3, 2), (4, 2), (5, 4), (8, 4), (9, 8), (1 << 24, 1 << 23)] {
            let (l, r) = Subtree { start: 0, frames }.children();
            assert_eq!((l.frames, r.start, r.end()), (left, left, frames));
        }
    }

    #[test]
    fn ranges_are_cut_to_the_evidence_and_to_whole_frames() {
        assert_eq!(clamp(&(5..u64::MAX), 10), 5..10);
        assert_eq!(clamp(&(50..60), 10), 10..10);
        assert_eq!(frames_of(&(0..0)), 0..0);
        assert_eq!(frames_of(&(65_535..65_537)), 0..2);
        assert_eq!(frames_of(&(65_536..65_536)), 1..1);
        assert_eq!(frames_of(&(65_536..131_072)), 1..2);
    }
}
