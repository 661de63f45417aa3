use std::path::Path;

use custos_core::{ChunkIndex, DiskId, Salt, ShardKey, ShardSlot, Timestamp, VaultId};
use serde_json::{Value, json};

use super::ScrubSettings;
use crate::node_folder::parse_versioned;
use crate::small_file;

const FORMAT: &str = "custos-scrub";
const DAY_MS: i64 = 86_400_000;

/// How far the scrub of a disk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ScrubProgress {
    /// When the pass that runs, or the last one, began, by the node's clock.
    pub pass_started: Option<Timestamp>,
    /// When the last whole pass ended.
    pub pass_ended: Option<Timestamp>,
    /// A pass is under way.
    pub in_pass: bool,
    /// The last shard that was checked in this pass.
    pub after: Option<ShardKey>,
    /// Shards checked in this pass.
    pub shards_checked: u64,
    /// Bytes of payload checked in this pass.
    pub bytes_checked: u64,
    /// Damaged shards found in this pass.
    pub damaged: u64,
    /// Damaged shards found in all passes.
    pub damaged_ever: u64,
    /// Of them, those that the ledger refused to put on record.
    pub unrecorded_ever: u64,
}

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// A new pass.
    Begin,
    /// The pass that is under way.
    GoOn,
    /// Nothing for so many milliseconds.
    WaitMillis(u64),
}

impl ScrubProgress {
    pub(crate) fn next(&self, now: Timestamp, settings: ScrubSettings) -> Next {
        if self.in_pass {
            return Next::GoOn;
        }
        let Some(started) = self.pass_started else { return Next::Begin };
        let due = started.as_millis().saturating_add(i64::from(settings.period_days) * DAY_MS);
        match due.saturating_sub(now.as_millis()) {
            ..=0 => Next::Begin,
            left => Next::WaitMillis(u64::try_from(left).expect("positive")),
        }
    }

    pub(crate) fn begin(&mut self, now: Timestamp) {
        *self = Self {
            pass_started: Some(now),
            in_pass: true,
            pass_ended: self.pass_ended,
            damaged_ever: self.damaged_ever,
            unrecorded_ever: self.unrecorded_ever,
            ..Self::default()
        };
    }

    pub(crate) fn checked(&mut self, key: ShardKey, bytes: u64) {
        self.after = Some(key);
        self.shards_checked += 1;
        self.bytes_checked += bytes;
    }

    pub(crate) fn end(&mut self, now: Timestamp) {
        self.in_pass = false;
        self.after = None;
        self.pass_ended = Some(now);
    }

    /// Share of `shards` that are behind the cursor, in 1/1000.
    #[must_use]
    pub fn permille(&self, shards: u64) -> u32 {
        if !self.in_pass {
            return if self.pass_ended.is_some() { 1000 } else { 0 };
        }
        let share = self.shards_checked.saturating_mul(1000) / shards.max(1);
        u32::try_from(share.min(1000)).expect("at most 1000")
    }

    /// Where the scrub of `disk` stood; from the start when the file is missing, damaged or of
    /// another disk: then shards are checked again, which does no harm. Blocks the thread.
    pub(crate) fn load(file: &Path, disk: DiskId) -> Self {
        let read = match small_file::read(file) {
            Ok(None) => return Self::default(),
            Ok(Some(text)) => parse(&text, disk),
            Err(error) => Err(error.to_string()),
        };
        read.unwrap_or_else(|reason| {
            tracing::warn!(file = %file.display(), reason, "the scrub begins anew");
            Self::default()
        })
    }

    /// Durable when it returns; blocks the thread.
    pub(crate) fn save(&self, file: &Path, disk: DiskId) -> std::io::Result<()> {
        small_file::replace(file, self.render(disk).as_bytes())
    }

    fn render(&self, disk: DiskId) -> String {
        let millis = |time: Option<Timestamp>| time.map(Timestamp::as_millis);
        let after = self.after.map(|key| {
            json!({
                "chunk": key.chunk.0,
                "evidence_id": key.evidence_id.to_string(),
                "salt": key.salt.to_string(),
                "slot": key.slot.0,
                "vault": key.vault.0,
            })
        });
        let value = json!({
            "after": after,
            "bytes_checked": self.bytes_checked,
            "damaged": self.damaged,
            "damaged_ever": self.damaged_ever,
            "disk_id": disk.to_string(),
            "format": FORMAT,
            "in_pass": self.in_pass,
            "pass_ended_ms": millis(self.pass_ended),
            "pass_started_ms": millis(self.pass_started),
            "shards_checked": self.shards_checked,
            "unrecorded_ever": self.unrecorded_ever,
            "version": 1,
        });
        format!("{value:#}\n")
    }
}

fn parse(text: &[u8], disk: DiskId) -> Result<ScrubProgress, String> {
    let value = parse_versioned(text, FORMAT).map_err(|unreadable| unreadable.reason)?;
    if value["disk_id"].as_str() != Some(disk.to_string().as_str()) {
        return Err(format!("it is not of disk {disk}"));
    }
    let number = |name: &str| value[name].as_u64().ok_or_else(|| format!("it has no {name}"));
    let after = match &value["after"] {
        Value::Null => None,
        key => Some(parse_key(key).ok_or_else(|| format!("no shard: {key}"))?),
    };
    let time = |name: &str| value[name].as_i64().map(Timestamp::from_millis);
    Ok(ScrubProgress {
        pass_started: time("pass_started_ms"),
        pass_ended: time("pass_ended_ms"),
        in_pass: value["in_pass"].as_bool().ok_or("it has no in_pass")?,
        after,
        shards_checked: number("shards_checked")?,
        bytes_checked: number("bytes_checked")?,
        damaged: number("damaged")?,
        damaged_ever: number("damaged_ever")?,
        unrecorded_ever: number("unrecorded_ever")?,
    })
}

fn parse_key(value: &Value) -> Option<ShardKey> {
    Some(ShardKey {
        vault: VaultId(u32::try_from(value["vault"].as_u64()?).ok()?),
        evidence_id: value["evidence_id"].as_str()?.parse().ok()?,
        chunk: ChunkIndex(u32::try_from(value["chunk"].as_u64()?).ok()?),
        slot: ShardSlot(u8::try_from(value["slot"].as_u64()?).ok()?),
        salt: value["salt"].as_str()?.parse::<Salt>().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use custos_core::EvidenceId;

    use super::*;

    const DISK: DiskId = DiskId([0x5a; 16]);

    fn key() -> ShardKey {
        ShardKey {
            vault: VaultId(7),
            evidence_id: EvidenceId::from_bytes([0x11; 16]),
            chunk: ChunkIndex::CROWN,
            slot: ShardSlot(3),
            salt: Salt([0x22; 16]),
        }
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn a_pass_begins_a_period_after_the_one_before_began() {
        let settings = ScrubSettings { period_days: 2, ..ScrubSettings::default() };
        let mut progress = ScrubProgress::default();
        assert_eq!(progress.next(at(5), settings), Next::Begin);
        progress.begin(at(5));
        progress.checked(key(), 100);
        progress.damaged_ever = 4;
        assert_eq!(progress.next(at(i64::MAX), settings), Next::GoOn);
        assert_eq!((progress.permille(4), progress.permille(0)), (250, 1000));
        progress.end(at(1000));
        assert_eq!(progress.next(at(1000), settings), Next::WaitMillis(2 * 86_400_000 - 995));
        assert_eq!(progress.next(at(5 + 2 * 86_400_000), settings), Next::Begin);
        progress.begin(at(9));
        assert_eq!((progress.shards_checked, progress.damaged_ever), (0, 4));
        assert_eq!(progress.pass_ended, Some(at(1000)));
    }

    #[test]
    fn the_cursor_is_read_back_and_a_damaged_one_begins_anew() {
        let dir = tempfile::tempdir().expect("tempdir");
        let file = dir.path().join("scrub.json");
        let mut progress = ScrubProgress::load(&file, DISK);
        assert_eq!(progress, ScrubProgress::default());
        progress.begin(at(5));
        progress.checked(key(), 100);
        progress.save(&file, DISK).expect("saved");
        assert_eq!(ScrubProgress::load(&file, DISK), progress);
        assert_eq!(ScrubProgress::load(&file, DiskId([1; 16])), ScrubProgress::default());
        let text = std::fs::read_to_string(&file).expect("read");
        for cut in 0..text.len() - 2 {
            std::fs::write(&file, &text[..cut]).expect("written");
            assert_eq!(ScrubProgress::load(&file, DISK), ScrubProgress::default(), "cut at {cut}");
        }
    }

    #[test]
    fn the_file_reads_as_its_page_says() {
        let text = r#"{
  "after": {
    "chunk": 4294967295,
    "evidence_id": "11111111-1111-1111-1111-111111111111",
    "salt": "22222222222222222222222222222222",
    "slot": 3,
    "vault": 7
  },
  "bytes_checked": 100,
  "damaged": 0,
  "damaged_ever": 0,
  "disk_id": "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a",
  "format": "custos-scrub",
  "in_pass": true,
  "pass_ended_ms": null,
  "pass_started_ms": 5,
  "shards_checked": 1,
  "unrecorded_ever": 0,
  "version": 1
}
"#;
        let progress = parse(text.as_bytes(), DISK).expect("parsed");
        assert_eq!(progress.after, Some(key()));
        assert_eq!(progress.render(DISK), text);
    }
}
