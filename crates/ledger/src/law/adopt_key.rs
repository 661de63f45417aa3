use custos_core::{Refusal, Timestamp};

use super::operation;
use crate::{Envelope, Kv, Outcome, stored::key_id};

/// The first key that a gateway names is the cluster's: two gateways with two keys would each seal
/// what the other cannot read (rule R10).
pub(super) fn adopt_key(
    kv: &mut impl Kv,
    envelope: &Envelope,
    now: Timestamp,
    asked: [u8; 8],
) -> Result<Outcome, Refusal> {
    operation::check_operator(&envelope.actor)?;
    if let Some(adopted) = key_id::load(kv) {
        return Ok(Outcome::KeyAdopted(adopted));
    }
    let digits: String = asked.iter().map(|byte| format!("{byte:02x}")).collect();
    let detail = format!("evidence is sealed under key-encryption key {digits}");
    operation::enter_change(kv, envelope, now, detail);
    key_id::save(kv, asked);
    Ok(Outcome::KeyAdopted(asked))
}
