use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use crc_fast::CrcAlgorithm;

use crate::record::{BLOCK_BYTES, RecordHead};

/// Bytes that a disk writes whole or not at all.
pub(crate) const SECTOR_BYTES: usize = 512;

/// A file, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Inode(pub(crate) u64);

/// One change of what a disk holds.
#[derive(Debug, Clone)]
pub(crate) enum Effect {
    Write {
        inode: Inode,
        offset: u64,
        bytes: Bytes,
    },
    /// Cuts a file or fills it up with zeros.
    SetLen {
        inode: Inode,
        len: u64,
    },
    /// Fills a file up with zeros unless it is that long.
    Extend {
        inode: Inode,
        len: u64,
    },
    Link {
        name: String,
        inode: Inode,
    },
    Unlink {
        name: String,
    },
    Rename {
        from: String,
        to: String,
        inode: Inode,
    },
}

impl Effect {
    /// The file whose sync makes it durable, if it is a change of content.
    pub(crate) fn content_of(&self) -> Option<Inode> {
        match self {
            Self::Write { inode, .. } | Self::SetLen { inode, .. } | Self::Extend { inode, .. } => {
                Some(*inode)
            }
            Self::Link { .. } | Self::Unlink { .. } | Self::Rename { .. } => None,
        }
    }

    /// The folder whose sync makes it durable, if it is a change of names.
    pub(crate) fn folder(&self) -> Option<&str> {
        match self {
            Self::Link { name, .. } | Self::Unlink { name } | Self::Rename { to: name, .. } => {
                Some(name.rsplit_once('/').map_or("", |(folder, _)| folder))
            }
            _ => None,
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Write { inode, offset, bytes } = self else { return write!(f, "{self:?}") };
        write!(f, "Write {inode:?} {offset}+{}", bytes.len())?;
        // Records of which the head is there say what they are.
        for at in 0..bytes.len() / BLOCK_BYTES {
            if let Ok(head) = RecordHead::decode(&bytes[at * BLOCK_BYTES..]) {
                let RecordHead { stamp, key, .. } = &head;
                let kind = if head.total_blocks() == 1 { "end" } else { "shard" };
                write!(f, ", {kind} {:x} {stamp:?} at block {at}", key.salt.0[0])?;
            }
        }
        Ok(())
    }
}

/// All that a disk holds at one moment. Cheap to copy: copies share their blocks.
#[derive(Debug, Clone, Default)]
pub(crate) struct Image {
    files: BTreeMap<Inode, Content>,
    names: BTreeMap<String, Inode>,
}

/// Content of a file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Content {
    blocks: Vec<Arc<Block>>,
    len: u64,
}

#[derive(Debug, Clone)]
struct Block {
    bytes: [u8; BLOCK_BYTES],
    hash: u64,
}

impl Block {
    fn zero() -> Self {
        let bytes = [0; BLOCK_BYTES];
        Self { bytes, hash: hash_of(&bytes) }
    }
}

pub(crate) fn hash_of(bytes: &[u8]) -> u64 {
    crc_fast::checksum(CrcAlgorithm::Crc64Nvme, bytes)
}

impl Content {
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn read(&self, out: &mut [u8], offset: u64) -> usize {
        let left = usize::try_from(self.len.saturating_sub(offset)).expect("small files");
        let count = out.len().min(left);
        let mut at = usize::try_from(offset).expect("small files");
        let mut out = &mut out[..count];
        while !out.is_empty() {
            let within = at % BLOCK_BYTES;
            let now = out.len().min(BLOCK_BYTES - within);
            let (head, rest) = out.split_at_mut(now);
            head.copy_from_slice(&self.blocks[at / BLOCK_BYTES].bytes[within..within + now]);
            at += now;
            out = rest;
        }
        count
    }

    /// First block from `offset` on that is not all zeros: only such were ever written.
    pub(crate) fn next_data(&self, offset: u64) -> Option<u64> {
        let first = usize::try_from(offset).expect("small files") / BLOCK_BYTES;
        let written = |block: &Arc<Block>| block.bytes.iter().any(|byte| *byte != 0);
        let found = self.blocks.iter().skip(first).position(written)?;
        Some(offset.max(((first + found) * BLOCK_BYTES) as u64))
    }

    pub(crate) fn flip(&mut self, offset: usize, bit: u8) {
        let block = Arc::make_mut(&mut self.blocks[offset / BLOCK_BYTES]);
        block.bytes[offset % BLOCK_BYTES] ^= 1 << bit;
        block.hash = hash_of(&block.bytes);
    }

    fn write(&mut self, bytes: &[u8], offset: u64) {
        self.extend(offset + bytes.len() as u64);
        let mut at = usize::try_from(offset).expect("small files");
        let mut bytes = bytes;
        while !bytes.is_empty() {
            let within = at % BLOCK_BYTES;
            let now = bytes.len().min(BLOCK_BYTES - within);
            let block = Arc::make_mut(&mut self.blocks[at / BLOCK_BYTES]);
            block.bytes[within..within + now].copy_from_slice(&bytes[..now]);
            block.hash = hash_of(&block.bytes);
            at += now;
            bytes = &bytes[now..];
        }
    }

    fn extend(&mut self, len: u64) {
        if len > self.len {
            let blocks = usize::try_from(len.div_ceil(BLOCK_BYTES as u64)).expect("small files");
            if blocks > self.blocks.len() {
                self.blocks.resize(blocks, Arc::new(Block::zero()));
            }
            self.len = len;
        }
    }

    fn set_len(&mut self, len: u64) {
        if len >= self.len {
            return self.extend(len);
        }
        let whole = usize::try_from(len / BLOCK_BYTES as u64).expect("small files");
        let within = usize::try_from(len % BLOCK_BYTES as u64).expect("small files");
        self.blocks.truncate(whole + usize::from(within > 0));
        if within > 0 {
            let block = Arc::make_mut(&mut self.blocks[whole]);
            block.bytes[within..].fill(0);
            block.hash = hash_of(&block.bytes);
        }
        self.len = len;
    }
}

impl Image {
    pub(crate) fn apply(&mut self, effect: &Effect) {
        match effect {
            Effect::Write { inode, offset, bytes } => self.content(*inode).write(bytes, *offset),
            Effect::SetLen { inode, len } => self.content(*inode).set_len(*len),
            Effect::Extend { inode, len } => self.content(*inode).extend(*len),
            Effect::Link { name, inode } => {
                self.content(*inode);
                self.names.insert(name.clone(), *inode);
            }
            Effect::Unlink { name } => {
                self.names.remove(name);
            }
            Effect::Rename { from, to, inode } => {
                self.content(*inode);
                if self.names.get(from) == Some(inode) {
                    self.names.remove(from);
                }
                self.names.insert(to.clone(), *inode);
            }
        }
    }

    pub(crate) fn find(&self, name: &str) -> Option<Inode> {
        self.names.get(name).copied()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        self.names.keys()
    }

    pub(crate) fn is_named(&self, inode: Inode) -> bool {
        self.names.values().any(|named| *named == inode)
    }

    pub(crate) fn get(&self, inode: Inode) -> Option<&Content> {
        self.files.get(&inode)
    }

    pub(crate) fn content(&mut self, inode: Inode) -> &mut Content {
        self.files.entry(inode).or_default()
    }

    pub(crate) fn replace(&mut self, inode: Inode, content: Content) {
        self.files.insert(inode, content);
    }

    /// Bytes of all files.
    pub(crate) fn bytes(&self) -> u64 {
        self.files.values().map(|content| content.len).sum()
    }

    /// Drops files that no folder names, as a file system does when it is mounted.
    pub(crate) fn drop_unnamed(&mut self) {
        let named: Vec<Inode> = self.names.values().copied().collect();
        self.files.retain(|inode, _| named.contains(inode));
    }

    pub(crate) fn largest_inode(&self) -> u64 {
        self.files.keys().next_back().map_or(0, |inode| inode.0)
    }

    /// Equal for images whose files have equal names and content.
    pub(crate) fn hash(&self) -> u64 {
        let mut all = Vec::new();
        for (name, inode) in &self.names {
            let content = &self.files[inode];
            all.extend_from_slice(name.as_bytes());
            all.push(0);
            all.extend_from_slice(&content.len.to_le_bytes());
            content
                .blocks
                .iter()
                .for_each(|block| all.extend_from_slice(&block.hash.to_le_bytes()));
        }
        hash_of(&all)
    }
}
