use custos_core::{EvidenceId, Timestamp};

const DAY_MS: i64 = 86_400_000;

/// Shards of evidence opened at least so many days ago are cold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ColdAge {
    pub(crate) days: u32,
}

impl ColdAge {
    /// Whether shards of this evidence belong to the cold part.
    pub(crate) fn is_cold(self, evidence_id: EvidenceId, now: Timestamp) -> bool {
        opened_at(evidence_id) <= now.as_millis().saturating_sub(self.millis())
    }

    /// Whether shards of this evidence may be in the cold part already, whoever's clock was wrong
    /// by up to a day.
    pub(crate) fn may_be_cold(self, evidence_id: EvidenceId, now: Timestamp) -> bool {
        // Whatever the clocks say.
        if self.days == 0 {
            return true;
        }
        let earliest = self.millis().saturating_sub(DAY_MS);
        opened_at(evidence_id) <= now.as_millis().saturating_sub(earliest)
    }

    fn millis(self) -> i64 {
        i64::from(self.days) * DAY_MS
    }
}

/// Milliseconds since 1970 in the first 48 bits of a version 7 UUID (RFC 9562 section 5.7).
fn opened_at(evidence_id: EvidenceId) -> i64 {
    let bytes = evidence_id.as_bytes();
    bytes[..6].iter().fold(0, |millis, byte| millis << 8 | i64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_is_cold_so_many_days_after_it_was_opened() {
        let opened = Timestamp::from_millis(1_800_000_000_123);
        let id = EvidenceId::from_parts(opened, [7; 10]);
        let age = ColdAge { days: 3 };
        assert!(!age.is_cold(id, opened.plus_days(2)));
        assert!(age.is_cold(id, opened.plus_days(3)));
        assert!(!age.may_be_cold(id, opened.plus_days(1)));
        assert!(age.may_be_cold(id, opened.plus_days(2)));
        let long_before = Timestamp::from_millis(0);
        assert!(ColdAge { days: 0 }.may_be_cold(id, long_before));
    }
}
