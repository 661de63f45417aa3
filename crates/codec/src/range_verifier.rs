use std::ops::Range;

use bytes::Bytes;
use custos_core::{Blake3Hash, units::FRAME_BYTES};

use crate::{
    ChainingValue, ProofError,
    chaining_value::CV_BYTES,
    subtree::{Subtree, clamp, frames_of},
    tree::{EMPTY_BLAKE3, frame_cv, frame_root, parent_cv, parent_root},
};

const PARENT_BYTES: usize = 2 * CV_BYTES;

/// Verifies a byte range of evidence against its hash while it streams in. Memory is bounded by
/// the height of the tree: about 1 KiB.
///
/// `size` need not be trusted: a range that reaches the end proves the end with its last frame,
/// and bytes before the end are proven to be at their place.
#[derive(Debug)]
pub struct RangeVerifier {
    root: Blake3Hash,
    size: u64,
    asked: Range<u64>,
    range: Range<u64>,
    frames: Range<u64>,
    next: u64,
    /// Nodes that the rest of the range stands under, the next one last.
    pending: Vec<Expected>,
    has_failed: bool,
}

/// A node whose hash is known from the node above it.
#[derive(Debug, Clone, Copy)]
struct Expected {
    node: Subtree,
    hash: NodeHash,
}

#[derive(Debug, Clone, Copy)]
enum NodeHash {
    Root(Blake3Hash),
    Inner(ChainingValue),
}

impl RangeVerifier {
    /// Expects `range` (cut to the evidence) of evidence of `size` bytes with hash `root`.
    #[must_use]
    pub fn new(root: Blake3Hash, size: u64, range: Range<u64>) -> Self {
        let asked = range;
        let range = clamp(&asked, size);
        let frames = frames_of(&range);
        let pending = if frames.is_empty() {
            Vec::new()
        } else {
            vec![Expected { node: Subtree::whole(size), hash: NodeHash::Root(root) }]
        };
        Self { root, size, asked, range, next: frames.start, frames, pending, has_failed: false }
    }

    /// Frames that overlap the range, counted over the whole evidence; they come in order.
    #[must_use]
    pub fn expected_frames(&self) -> Range<u64> {
        self.frames.clone()
    }

    /// Verifies the next frame: `parents` as [`RangeProver::parents_before`] gives them, `data`
    /// the whole frame. Returns the part of it inside the range.
    ///
    /// [`RangeProver::parents_before`]: crate::RangeProver::parents_before
    ///
    /// # Errors
    /// Names what does not verify. After an error every further push fails.
    pub fn push(&mut self, parents: &[u8], data: Bytes) -> Result<Bytes, ProofError> {
        if self.has_failed {
            return Err(ProofError::Failed);
        }
        let verified = self.verify(parents, &data);
        self.has_failed = verified.is_err();
        verified?;
        let start = self.next * FRAME_BYTES as u64;
        self.next += 1;
        let within = |at: u64| {
            usize::try_from(at.saturating_sub(start)).map_or(data.len(), |at| at.min(data.len()))
        };
        Ok(data.slice(within(self.range.start)..within(self.range.end)))
    }

    /// Ends the proof.
    ///
    /// # Errors
    /// Unless every frame of the range was verified. Where no frame is expected: when empty
    /// evidence has another hash than no bytes have, or when the range asked for lies wholly past
    /// the claimed end, which no frame has proven to be the end.
    pub fn finish(self) -> Result<(), ProofError> {
        if self.has_failed {
            return Err(ProofError::Failed);
        }
        if self.next != self.frames.end {
            return Err(ProofError::Unfinished { next: self.next, end: self.frames.end });
        }
        if self.size == 0 && self.root != EMPTY_BLAKE3 {
            return Err(ProofError::NotEmpty);
        }
        if self.size > 0 && self.range.is_empty() && !self.asked.is_empty() {
            return Err(ProofError::RangePastEnd { start: self.asked.start, size: self.size });
        }
        Ok(())
    }

    fn verify(&mut self, parents: &[u8], data: &Bytes) -> Result<(), ProofError> {
        let frame = self.next;
        if frame >= self.frames.end {
            return Err(ProofError::PastRange { frame });
        }
        let parents_len = self.descend(parents)?;
        exact(frame, "parents", parents_len, parents.len())?;
        let leaf = self.pending.pop().expect("descend ends on the frame's own leaf");
        assert_eq!(leaf.node, Subtree { start: frame, frames: 1 }, "frames come in order");

        let offset = frame * FRAME_BYTES as u64;
        let expected =
            usize::try_from((self.size - offset).min(FRAME_BYTES as u64)).expect("at most a frame");
        exact(frame, "data", expected, data.len())?;
        let is_genuine = match leaf.hash {
            NodeHash::Root(root) => frame_root(data) == root,
            NodeHash::Inner(cv) => frame_cv(data, offset) == cv,
        };
        if is_genuine { Ok(()) } else { Err(ProofError::Frame { frame }) }
    }

    /// Verifies parents down to the next frame's leaf, and returns how many bytes they took.
    fn descend(&mut self, parents: &[u8]) -> Result<usize, ProofError> {
        let frame = self.next;
        let mut used = 0;
        while let Some(&Expected { node, hash }) = self.pending.last()
            && !node.is_leaf()
        {
            let rest = &parents[used..];
            let Some((left_cv, right_cv)) = split_parent(rest) else {
                let (part, expected) = ("parents", used + PARENT_BYTES);
                return Err(ProofError::Truncated { frame, part, expected, found: parents.len() });
            };
            used += PARENT_BYTES;
            let is_genuine = match hash {
                NodeHash::Root(root) => parent_root(&left_cv, &right_cv) == root,
                NodeHash::Inner(cv) => parent_cv(&left_cv, &right_cv) == cv,
            };
            if !is_genuine {
                return Err(ProofError::Parent { frame, height: node.height() });
            }
            self.pending.pop();
            let (left, right) = node.children();
            for (node, cv) in [(right, right_cv), (left, left_cv)] {
                if node.overlaps(&self.frames) {
                    self.pending.push(Expected { node, hash: NodeHash::Inner(cv) });
                }
            }
        }
        Ok(used)
    }
}

fn split_parent(bytes: &[u8]) -> Option<(ChainingValue, ChainingValue)> {
    let (left, rest) = bytes.split_first_chunk::<CV_BYTES>()?;
    let right = rest.first_chunk::<CV_BYTES>()?;
    Some((ChainingValue(*left), ChainingValue(*right)))
}

fn exact(frame: u64, part: &'static str, expected: usize, found: usize) -> Result<(), ProofError> {
    match found.cmp(&expected) {
        std::cmp::Ordering::Less => Err(ProofError::Truncated { frame, part, expected, found }),
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Greater => Err(ProofError::Extra { frame, part, expected, found }),
    }
}
