use custos_core::{
    Act, EvidenceId, InclusionProof,
    law::{RecordKind, Tombstone},
};
use custos_ledger::{CustodyLeaf, Subject, merkle};
use data_encoding::HEXLOWER;
use serde::Serialize;

use super::Session;
use crate::{error::CliError, json::ProofObject, output::OutputFormat, table, units};

/// What `dispose certificate` says.
#[derive(Serialize)]
struct CertificateObject<'a> {
    tombstone: &'a Tombstone,
    seal_proof: ProofObject<'a>,
    end_proof: ProofObject<'a>,
}

/// Shows what remains of evidence that has ended, with the proofs of the entries that say what it
/// was and that it has ended.
pub(super) async fn show(session: Session<'_>, evidence: EvidenceId) -> Result<(), CliError> {
    let tombstone = session.client.tombstone(evidence).await;
    let tombstone = tombstone.map_err(|error| CliError::from(error).about_evidence(evidence))?;
    let seal = session.client.prove_inclusion(tombstone.seal_index).await?;
    check_seal(&seal, &tombstone)?;
    let end = session.client.prove_inclusion(tombstone.end_index).await?;
    check_end(&end, &tombstone)?;
    match session.console.format() {
        OutputFormat::Json => session.console.object(&CertificateObject {
            tombstone: &tombstone,
            seal_proof: (&seal).into(),
            end_proof: (&end).into(),
        }),
        OutputFormat::Human => session.console.lines(lines(&tombstone, &seal, &end)),
    }
}

fn other(proof: &InclusionProof, tombstone: &Tombstone, reason: String) -> CliError {
    CliError::OtherEntry { evidence_id: tombstone.evidence, index: proof.index.0, reason }
}

/// The leaf of an entry, if it is of this act and about the evidence that has ended: a proof of
/// some other entry would verify as well.
fn leaf_of(
    proof: &InclusionProof,
    tombstone: &Tombstone,
    act: Act,
) -> Result<CustodyLeaf, CliError> {
    let other = |reason: String| other(proof, tombstone, reason);
    let leaf = CustodyLeaf::decode(&proof.leaf).map_err(|error| other(error.to_string()))?;
    if leaf.index != proof.index {
        return Err(other(format!("it says that it is entry {}", leaf.index)));
    }
    if leaf.act != act {
        return Err(other(format!("it is of the act `{}`, not `{act}`", leaf.act)));
    }
    if leaf.evidence_id != Some(tombstone.evidence) {
        return Err(other("it is about other evidence".to_owned()));
    }
    Ok(leaf)
}

fn check_seal(proof: &InclusionProof, tombstone: &Tombstone) -> Result<(), CliError> {
    let leaf = leaf_of(proof, tombstone, Act::Sealed)?;
    let Subject::Sealed(sealed) = &leaf.subject else {
        return Err(other(proof, tombstone, "it does not say what it seals".to_owned()));
    };
    check_says(
        proof,
        tombstone,
        [
            ("size", sealed.size.to_string(), tombstone.size.to_string()),
            ("blake3", sealed.blake3.to_string(), tombstone.blake3.to_string()),
            ("sha256", sealed.sha256.to_string(), tombstone.sha256.to_string()),
            ("time", leaf.time.to_string(), tombstone.sealed_at.to_string()),
        ],
    )
}

fn check_end(proof: &InclusionProof, tombstone: &Tombstone) -> Result<(), CliError> {
    let leaf = leaf_of(proof, tombstone, Act::Disposed)?;
    let record = format!("{}/{}", RecordKind::Disposition, tombstone.disposition);
    check_says(
        proof,
        tombstone,
        [
            ("record", leaf.record.unwrap_or_default(), record),
            ("time", leaf.time.to_string(), tombstone.ended_at.to_string()),
        ],
    )
}

fn check_says<const N: usize>(
    proof: &InclusionProof,
    tombstone: &Tombstone,
    says: [(&str, String, String); N],
) -> Result<(), CliError> {
    for (field, said, shown) in says {
        if said != shown {
            let reason = format!("it says {field} {said}, the store shows {shown}");
            return Err(other(proof, tombstone, reason));
        }
    }
    Ok(())
}

fn lines(tombstone: &Tombstone, seal: &InclusionProof, end: &InclusionProof) -> Vec<String> {
    let mut lines = table::fields(
        "",
        &[
            ("evidence", tombstone.evidence.to_string()),
            ("size", units::exact_size(tombstone.size)),
            ("blake3", tombstone.blake3.to_string()),
            ("sha256", tombstone.sha256.to_string()),
            ("ordered", format!("by {}", tombstone.disposition)),
            ("order entry", tombstone.order_index.to_string()),
        ],
    );
    for (heading, proof, time) in
        [("sealed", seal, tombstone.sealed_at), ("ended", end, tombstone.ended_at)]
    {
        let path: Vec<String> = proof.path.iter().map(|hash| HEXLOWER.encode(hash)).collect();
        let checkpoint = &proof.checkpoint;
        lines.push(String::new());
        lines.extend(table::fields(
            "",
            &[
                (heading, format!("{time}, custody entry {}", proof.index)),
                ("leaf hash", HEXLOWER.encode(&merkle::leaf_hash(&proof.leaf))),
                ("path", if path.is_empty() { "(empty)".to_owned() } else { path.join("\n") }),
                (
                    "checkpoint",
                    [
                        checkpoint.origin.clone(),
                        checkpoint.size.to_string(),
                        HEXLOWER.encode(&checkpoint.root),
                    ]
                    .join("\n"),
                ),
                ("verified", "the entry is under the checkpoint".to_owned()),
            ],
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use custos_core::{Blake3Hash, Checkpoint, ErrorKind, LogIndex, Sha256Hash, Timestamp};
    use custos_ledger::SealedSubject;

    use super::*;

    fn tombstone() -> Tombstone {
        Tombstone {
            evidence: EvidenceId::from_bytes([7; 16]),
            size: 5,
            blake3: Blake3Hash([1; 32]),
            sha256: Sha256Hash([2; 32]),
            sealed_at: Timestamp::from_millis(1_000),
            seal_index: LogIndex(2),
            disposition: "D1".to_owned(),
            order_index: LogIndex(8),
            ended_at: Timestamp::from_millis(9_000),
            end_index: LogIndex(9),
        }
    }

    fn ended() -> CustodyLeaf {
        let tombstone = tombstone();
        CustodyLeaf {
            index: tombstone.end_index,
            time: tombstone.ended_at,
            act: Act::Disposed,
            evidence_id: Some(tombstone.evidence),
            record: Some("disposition/D1".to_owned()),
            subject: Subject::None,
            private_commitment: [4; 32],
        }
    }

    fn sealed() -> CustodyLeaf {
        let tombstone = tombstone();
        CustodyLeaf {
            index: tombstone.seal_index,
            time: tombstone.sealed_at,
            act: Act::Sealed,
            record: None,
            subject: Subject::Sealed(SealedSubject {
                size: tombstone.size,
                blake3: tombstone.blake3,
                sha256: tombstone.sha256,
                descriptor_digest: [3; 32],
                retain_until: tombstone.sealed_at,
            }),
            ..ended()
        }
    }

    fn proof_of(leaf: &CustodyLeaf) -> InclusionProof {
        let checkpoint = Checkpoint { origin: "log".to_owned(), size: 10, root: [0; 32] };
        InclusionProof { index: leaf.index, leaf: leaf.encode(), path: Vec::new(), checkpoint }
    }

    #[test]
    fn i3_a_proof_of_another_entry_is_no_certificate_of_an_end() {
        let tombstone = tombstone();
        check_seal(&proof_of(&sealed()), &tombstone).expect("its own entry");
        check_end(&proof_of(&ended()), &tombstone).expect("its own entry");
        let other_evidence =
            CustodyLeaf { evidence_id: Some(EvidenceId::from_bytes([8; 16])), ..ended() };
        let other_order = CustodyLeaf { record: Some("disposition/D2".to_owned()), ..ended() };
        let earlier = CustodyLeaf { time: Timestamp::from_millis(1), ..ended() };
        for wrong in [other_evidence, other_order, earlier, sealed()] {
            let error = check_end(&proof_of(&wrong), &tombstone).expect_err("another entry");
            assert_eq!(error.kind(), ErrorKind::Integrity, "{error}");
        }
        let mut other_bytes = sealed();
        if let Subject::Sealed(subject) = &mut other_bytes.subject {
            subject.sha256 = Sha256Hash([9; 32]);
        }
        check_seal(&proof_of(&other_bytes), &tombstone).expect_err("other bytes");
    }
}
