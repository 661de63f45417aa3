use std::collections::BTreeSet;
use std::io;

use custos_ports::Disk;

use crate::DiskId;
use crate::checksum::crc32c;
use crate::record::array;

/// The file that it is kept in.
const FILE: &str = "settled";
const MAGIC: &[u8; 8] = b"CUSTSETL";
const VERSION: u16 = 1;
const CRC_AT: usize = 12;
const FIXED_BYTES: usize = 48;
/// Most records that are remembered as doubtful; of more the oldest are forgotten, and are
/// reported as corrupt after the next loss of the index.
const DOUBTFUL_MAX: usize = 4096;

/// Which records of a disk were complete once, whatever is found of them later.
///
/// Records vouch for those before them, and nothing follows the last ones of a run: this does it
/// for them, from the next close or opening on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Settled {
    /// Every record up to this sequence number that is on the disk was complete,
    up_to: u64,
    /// except these, which were found torn or could not be read.
    doubtful: BTreeSet<u64>,
}

impl Settled {
    /// What the disk says; nothing where the file is missing or damaged. Records are then judged by
    /// what they are.
    pub(crate) fn load(disk: &dyn Disk, id: DiskId) -> Self {
        let bytes_max = FIXED_BYTES + DOUBTFUL_MAX * 8;
        let problem = match disk.read_small(FILE, bytes_max) {
            Ok(bytes) => match Self::decode(&bytes, id) {
                Some(settled) => return settled,
                None => "it is damaged or of another disk".to_owned(),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Self::default(),
            Err(error) => error.to_string(),
        };
        tracing::warn!(file = %disk.locate(FILE).display(), problem, "not used");
        Self::default()
    }

    /// Replaces it on the disk, durably.
    pub(crate) fn store(&self, disk: &dyn Disk, id: DiskId) -> io::Result<()> {
        disk.replace_small(FILE, &self.encode(id))
    }

    pub(crate) fn up_to(&self) -> u64 {
        self.up_to
    }

    pub(crate) fn vouches_for(&self, sequence: u64) -> bool {
        sequence <= self.up_to && !self.doubtful.contains(&sequence)
    }

    /// All further records up to `up_to` were complete.
    pub(crate) fn extend(&mut self, up_to: u64) {
        self.up_to = up_to.max(self.up_to);
    }

    /// Nobody knows of this record whether it was complete.
    pub(crate) fn doubt(&mut self, sequence: u64) {
        self.doubtful.insert(sequence);
        if self.doubtful.len() > DOUBTFUL_MAX {
            self.doubtful.pop_first();
        }
    }

    fn encode(&self, id: DiskId) -> Vec<u8> {
        let count = u32::try_from(self.doubtful.len()).expect("at most 4096");
        let mut out = vec![0; FIXED_BYTES];
        out[..8].copy_from_slice(MAGIC);
        out[8..10].copy_from_slice(&VERSION.to_le_bytes());
        out[16..32].copy_from_slice(id.as_bytes());
        out[32..40].copy_from_slice(&self.up_to.to_le_bytes());
        out[40..44].copy_from_slice(&count.to_le_bytes());
        self.doubtful.iter().for_each(|sequence| out.extend_from_slice(&sequence.to_le_bytes()));
        let crc = crc32c(&out);
        out[CRC_AT..CRC_AT + 4].copy_from_slice(&crc.to_le_bytes());
        out
    }

    fn decode(bytes: &[u8], id: DiskId) -> Option<Self> {
        let (fixed, rest) = bytes.split_at_checked(FIXED_BYTES)?;
        let mut zeroed = bytes.to_vec();
        zeroed[CRC_AT..CRC_AT + 4].fill(0);
        let is_ours = &fixed[..8] == MAGIC
            && u16::from_le_bytes(array(fixed, 8)) == VERSION
            && u32::from_le_bytes(array(fixed, CRC_AT)) == crc32c(&zeroed)
            && fixed[16..32] == id.as_bytes()[..]
            && u32::from_le_bytes(array(fixed, 40)) as usize == rest.len() / 8
            && rest.len().is_multiple_of(8);
        is_ours.then(|| Self {
            up_to: u64::from_le_bytes(array(fixed, 32)),
            doubtful: rest
                .chunks_exact(8)
                .map(|bytes| u64::from_le_bytes(array(bytes, 0)))
                .collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: DiskId = DiskId::from_bytes([7; 16]);

    #[test]
    fn it_round_trips_and_any_flipped_bit_is_caught() {
        let mut settled = Settled::default();
        settled.extend(90);
        settled.doubt(17);
        settled.doubt(23);
        let bytes = settled.encode(ID);
        assert_eq!(Settled::decode(&bytes, ID), Some(settled));
        assert_eq!(Settled::decode(&bytes, DiskId::from_bytes([8; 16])), None);
        for at in 0..bytes.len() {
            assert_eq!(Settled::decode(&bytes[..at], ID), None);
            let mut flipped = bytes.clone();
            flipped[at] ^= 4;
            assert_eq!(Settled::decode(&flipped, ID), None, "byte {at}");
        }
    }

    #[test]
    fn it_vouches_for_everything_up_to_its_number_but_what_is_doubtful() {
        let mut settled = Settled::default();
        assert!(!settled.vouches_for(1));
        settled.extend(9);
        settled.doubt(4);
        assert_eq!(
            [3, 4, 9, 10].map(|number| settled.vouches_for(number)),
            [true, false, true, false]
        );
        (100..100 + DOUBTFUL_MAX as u64).for_each(|number| settled.doubt(number));
        assert_eq!(settled.doubtful.len(), DOUBTFUL_MAX);
    }
}
