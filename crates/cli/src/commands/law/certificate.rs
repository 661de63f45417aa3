use custos_core::{Act, EvidenceId, InclusionProof, law::Tombstone};
use custos_ledger::{CustodyLeaf, Subject, merkle};
use data_encoding::HEXLOWER;
use serde::Serialize;

use super::Session;
use crate::{error::CliError, json::ProofObject, output::OutputFormat, table, units};

/// What `dispose certificate` says.
#[derive(Serialize)]
struct CertificateObject<'a> {
    tombstone: &'a Tombstone,
    proof: ProofObject<'a>,
}

/// Shows what remains of evidence that has ended, with the proof of the entry that says so.
pub(super) async fn show(session: Session<'_>, evidence: EvidenceId) -> Result<(), CliError> {
    let tombstone = session.client.tombstone(evidence).await;
    let tombstone = tombstone.map_err(|error| CliError::from(error).about_evidence(evidence))?;
    let proof = session.client.prove_inclusion(tombstone.end_index).await?;
    check_ends(&proof, &tombstone)?;
    match session.console.format() {
        OutputFormat::Json => {
            let proof = (&proof).into();
            session.console.object(&CertificateObject { tombstone: &tombstone, proof })
        }
        OutputFormat::Human => session.console.lines(lines(&tombstone, &proof)),
    }
}

/// A proof of some other entry would verify as well.
fn check_ends(proof: &InclusionProof, tombstone: &Tombstone) -> Result<(), CliError> {
    let other = |reason: String| CliError::OtherEntry {
        evidence_id: tombstone.evidence,
        index: proof.index.0,
        reason,
    };
    let leaf = CustodyLeaf::decode(&proof.leaf).map_err(|error| other(error.to_string()))?;
    if leaf.index != proof.index {
        return Err(other(format!("it says that it is entry {}", leaf.index)));
    }
    if leaf.act != Act::Disposed {
        return Err(other(format!("it is of the act `{}`, not `{}`", leaf.act, Act::Disposed)));
    }
    if leaf.evidence_id != Some(tombstone.evidence) {
        return Err(other("it is about other evidence".to_owned()));
    }
    let Subject::Sealed(ended) = leaf.subject else {
        return Err(other("it does not say what has ended".to_owned()));
    };
    let says = [
        ("size", ended.size.to_string(), tombstone.size.to_string()),
        ("blake3", ended.blake3.to_string(), tombstone.blake3.to_string()),
        ("sha256", ended.sha256.to_string(), tombstone.sha256.to_string()),
        ("time", leaf.time.to_string(), tombstone.ended_at.to_string()),
    ];
    for (field, said, shown) in says {
        if said != shown {
            return Err(other(format!("it says {field} {said}, the store shows {shown}")));
        }
    }
    Ok(())
}

fn lines(tombstone: &Tombstone, proof: &InclusionProof) -> Vec<String> {
    let path: Vec<String> = proof.path.iter().map(|hash| HEXLOWER.encode(hash)).collect();
    table::fields(
        "",
        &[
            ("evidence", tombstone.evidence.to_string()),
            ("size", units::exact_size(tombstone.size)),
            ("blake3", tombstone.blake3.to_string()),
            ("sha256", tombstone.sha256.to_string()),
            ("sealed", format!("{}, custody entry {}", tombstone.sealed_at, tombstone.seal_index)),
            (
                "ordered",
                format!("by {}, custody entry {}", tombstone.disposition, tombstone.order_index),
            ),
            ("ended", format!("{}, custody entry {}", tombstone.ended_at, tombstone.end_index)),
            ("leaf hash", HEXLOWER.encode(&merkle::leaf_hash(&proof.leaf))),
            ("path", if path.is_empty() { "(empty)".to_owned() } else { path.join("\n") }),
            (
                "checkpoint",
                format!(
                    "{}\n{}\n{}",
                    proof.checkpoint.origin,
                    proof.checkpoint.size,
                    HEXLOWER.encode(&proof.checkpoint.root)
                ),
            ),
            ("verified", "the entry about its end is under the checkpoint".to_owned()),
        ],
    )
}
