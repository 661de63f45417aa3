use std::ops::Range;

use custos_core::{ChunkSize, units::FRAME_BYTES};

use crate::{
    ChainingValue,
    subtree::{Subtree, clamp, frames_of},
    tree::Levels,
};

/// Gives, for the frames that overlap a byte range, the parent nodes that a
/// [`RangeVerifier`](crate::RangeVerifier) has not seen yet, in pre-order: 64 bytes each, the left
/// child's chaining value, then the right one's.
#[derive(Debug)]
pub struct RangeProver {
    size: u64,
    chunk_frames: u64,
    top: Option<Levels>,
    inside: Option<ChunkTree>,
    frames: Range<u64>,
    next: u64,
}

#[derive(Debug)]
struct ChunkTree {
    chunk: u64,
    levels: Levels,
}

impl RangeProver {
    /// Proves `range` (cut to the evidence) of evidence of `size` bytes, given the chaining value
    /// of each of its chunks: one from the progress record of its only chunk, more from the crown.
    /// Builds the tree above the chunks once.
    ///
    /// # Panics
    /// When there are not as many chaining values as chunks.
    #[must_use]
    pub fn new(
        size: u64,
        chunk_size: ChunkSize,
        chunk_cvs: &[ChainingValue],
        range: Range<u64>,
    ) -> Self {
        let chunks = chunk_size.chunk_count(size) as usize;
        assert_eq!(chunk_cvs.len(), chunks, "one chaining value for each chunk");
        let frames = frames_of(&clamp(&range, size));
        Self {
            size,
            chunk_frames: chunk_size.frames() as u64,
            top: (!chunk_cvs.is_empty()).then(|| Levels::new(chunk_cvs)),
            inside: None,
            next: frames.start,
            frames,
        }
    }

    /// Frames that overlap the range, counted over the whole evidence.
    #[must_use]
    pub fn frames(&self) -> Range<u64> {
        self.frames.clone()
    }

    /// Parents to send before frame `frame`; `leaves` are the leaves of the chunk that holds it.
    ///
    /// # Panics
    /// When frames are not asked for in order, or `leaves` are not as many as the chunk has.
    pub fn parents_before(&mut self, frame: u64, leaves: &[ChainingValue]) -> Vec<u8> {
        assert_eq!(frame, self.next, "frames are proven in order");
        assert!(frame < self.frames.end, "the range ends before frame {frame}");
        self.next += 1;
        self.enter_chunk(frame / self.chunk_frames, leaves);

        let mut parents = Vec::new();
        let mut node = Subtree::whole(self.size);
        while !node.is_leaf() {
            let (left, right) = node.children();
            // The nodes above this frame that were not above the one before are those that begin
            // with it.
            if frame == self.frames.start || node.start == frame {
                for child in [left, right] {
                    parents.extend_from_slice(&self.child_cv(node, child).0);
                }
            }
            node = if frame < right.start { left } else { right };
        }
        parents
    }

    fn enter_chunk(&mut self, chunk: u64, leaves: &[ChainingValue]) {
        if self.inside.as_ref().is_some_and(|inside| inside.chunk == chunk) {
            return;
        }
        let frames = self.size.div_ceil(FRAME_BYTES as u64);
        let expected = (frames - chunk * self.chunk_frames).min(self.chunk_frames);
        assert_eq!(leaves.len() as u64, expected, "leaves of chunk {chunk}");
        self.inside = Some(ChunkTree { chunk, levels: Levels::new(leaves) });
    }

    /// Chaining value of a child. Both children stand one level below the parent: a right child
    /// that is smaller has moved up unchanged.
    fn child_cv(&self, parent: Subtree, child: Subtree) -> ChainingValue {
        let level = parent.height() - 1;
        let chunk_level = self.chunk_frames.trailing_zeros();
        let index = |start: u64, level: u32| {
            usize::try_from(start >> level).expect("a tree in memory has fewer nodes")
        };
        if level >= chunk_level {
            let top = self.top.as_ref().expect("evidence with frames has chunks");
            top.node((level - chunk_level) as usize, index(child.start, level))
        } else {
            let inside = self.inside.as_ref().expect("entered before");
            let start = child.start - inside.chunk * self.chunk_frames;
            inside.levels.node(level as usize, index(start, level))
        }
    }
}
