use custos_core::{ErasureProfile, ShardSlot};

use crate::stored::{Attempt, noise, rebuild_and_open};

#[test]
fn i1_every_loss_of_up_to_m_shards_still_opens_in_every_profile() {
    for profile in ErasureProfile::ALL {
        let attempt = Attempt::first(profile);
        let plain = noise(100_000, 1);
        let stored = attempt.seal(&plain);
        let all = stored.with_slots();
        for lost in 0u32..1 << profile.total() {
            if lost.count_ones() as usize > profile.parity() {
                continue;
            }
            let kept: Vec<(ShardSlot, &[u8])> =
                all.iter().filter(|(slot, _)| lost >> slot.0 & 1 == 0).copied().collect();
            let opened = rebuild_and_open(&attempt.key, &stored.header(), &kept);
            assert!(opened.as_ref() == Ok(&plain), "{profile}, lost {lost:b}: {:?}", opened.err());
        }
    }
}

#[test]
fn every_shard_carries_the_same_header_but_for_its_slot() {
    let attempt = Attempt::first(ErasureProfile::P10_4);
    let stored = attempt.seal(&noise(70_000, 2));
    for (slot, bytes) in (0..).map(ShardSlot).zip(&stored.sealed.headers) {
        let header = custos_codec::ShardHeader::decode(bytes).expect("just made");
        let expected = custos_codec::ShardHeader { slot, ..stored.header() };
        assert_eq!(header, expected);
        let Attempt { evidence_id, chunk, salt, .. } = attempt;
        assert_eq!(header.expect_identity(evidence_id, chunk, slot, salt), Ok(()));
    }
}
