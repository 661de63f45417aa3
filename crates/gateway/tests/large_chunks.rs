//! I10: the budget of buffers is never smaller than what one chunk of any allowed size needs.

mod rig;

use custos_core::{ChunkSize, ErasureProfile};
use custos_gateway::GatewayOptions;
use custos_ports::fakes::Fault;
use rig::{Rig, footage, options};

/// Chunks of 64 MiB, and pools that are set too small for them.
fn rig_of_large_chunks() -> Rig {
    let profile = ErasureProfile::P4_2;
    let hosts: Vec<_> = (0..profile.total()).map(|number| format!("host {number}")).collect();
    let large = GatewayOptions { chunk_size: ChunkSize::MAX, ..options(profile) };
    Rig::with_options(profile, &hosts, large)
}

#[tokio::test]
async fn a_chunk_of_64_mib_is_read_with_two_stores_lost() {
    let rig = rig_of_large_chunks();
    let bytes = footage(ChunkSize::MAX.bytes() + 5);
    let receipt = rig.put(1, &bytes).await.expect("puts");
    rig.fail(&[0, 3], Fault::Offline);
    let got = rig.get(receipt.evidence_id, receipt.blake3, 0, None).await.expect("gets");
    assert!(got == bytes);
}
