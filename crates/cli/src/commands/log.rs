use custos_client::{Client, EntrySelection};
use custos_core::{
    Act, Checkpoint, CustodyEntry, EvidenceId, EvidenceSummary, InclusionProof, LogIndex,
};
use custos_ledger::{CustodyLeaf, Subject, merkle};
use data_encoding::{BASE64, HEXLOWER};

use crate::{
    args::{LogProveArgs, LogShowArgs},
    error::CliError,
    json::{CheckpointObject, EntryObject, ProofObject},
    output::{Console, OutputFormat},
    printable,
    table::{self, Align, Table},
};

/// Shows size and root of the log.
pub(super) async fn checkpoint(client: &Client, console: &Console) -> Result<(), CliError> {
    let checkpoint = client.checkpoint().await?;
    match console.format() {
        OutputFormat::Json => console.object(&CheckpointObject::from(&checkpoint)),
        OutputFormat::Human => console.lines(body(&checkpoint)),
    }
}

/// The body of a C2SP checkpoint (c2sp.org/tlog-checkpoint).
fn body(checkpoint: &Checkpoint) -> [String; 3] {
    let origin = printable::line(&checkpoint.origin);
    [origin, checkpoint.size.to_string(), BASE64.encode(&checkpoint.root)]
}

/// Lists entries page by page.
pub(super) async fn show(
    client: &Client,
    args: &LogShowArgs,
    console: &Console,
) -> Result<(), CliError> {
    let mut table = Table::new(&[
        ("INDEX", Align::Right),
        ("TIME", Align::Left),
        ("ACT", Align::Left),
        ("ACTOR", Align::Left),
        ("ABOUT", Align::Left),
        ("DETAIL", Align::Left),
    ]);
    let only = EntrySelection { evidence_id: args.evidence_id, record: args.record.clone() };
    let mut left = args.limit.unwrap_or(u64::MAX);
    let mut next = Some(LogIndex(args.from));
    let mut seen = Seen::Nothing;
    while let Some(from) = next.filter(|_| left > 0) {
        let page = client.custody_entries(from, only.clone()).await?;
        let count = page.entries.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let entries = &page.entries[..count];
        match console.format() {
            OutputFormat::Json => {
                for entry in entries {
                    console.object(&EntryObject::from(entry))?;
                }
            }
            OutputFormat::Human if entries.is_empty() => {}
            OutputFormat::Human => {
                let rows: Vec<_> = entries.iter().map(row).collect();
                console.lines(table.page(&rows))?;
            }
        }
        left -= count as u64;
        seen = entries.iter().fold(seen, Seen::and);
        next = page.next;
    }
    let is_complete = args.from == 0 && next.is_none();
    match (args.evidence_id.filter(|_| is_complete), seen) {
        (Some(evidence_id), Seen::Nothing) => Err(CliError::NoEntries { evidence_id }),
        (Some(evidence_id), Seen::Refusals) => Err(CliError::OnlyRefusals { evidence_id }),
        _ => Ok(()),
    }
}

/// What the log has about one evidence item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Nothing,
    /// Attempts on something that never was.
    Refusals,
    Acts,
}

impl Seen {
    fn and(self, entry: &CustodyEntry) -> Self {
        match (self, entry.act) {
            (Self::Acts, _) => Self::Acts,
            (_, Act::Refused) => Self::Refusals,
            _ => Self::Acts,
        }
    }
}

fn row(entry: &CustodyEntry) -> Vec<String> {
    let dash = || "-".to_owned();
    vec![
        entry.index.to_string(),
        entry.time.to_string(),
        entry.act.to_string(),
        entry.actor.clone().unwrap_or_else(dash),
        about(entry),
        entry.detail.clone().unwrap_or_else(dash),
    ]
}

/// The evidence and the record of the law that an entry is about.
fn about(entry: &CustodyEntry) -> String {
    let evidence = entry.evidence_id.map(|id| id.to_string());
    let both: Vec<String> = evidence.into_iter().chain(entry.record.clone()).collect();
    if both.is_empty() { "-".to_owned() } else { both.join(" ") }
}

/// Proves one entry; with an id, that the entry seals what the catalogue says.
pub(super) async fn prove(
    client: &Client,
    args: &LogProveArgs,
    console: &Console,
) -> Result<(), CliError> {
    let (index, evidence) = match (args.evidence_id, args.entry) {
        (Some(id), _) => {
            let evidence = client.evidence(id).await;
            let evidence = evidence.map_err(|error| CliError::from(error).about_evidence(id))?;
            (evidence.log_index, Some(evidence))
        }
        (None, Some(entry)) => (LogIndex(entry), None),
        (None, None) => {
            let reason = "name the evidence, or an entry with --entry".to_owned();
            return Err(CliError::Argument { argument: "ID", reason });
        }
    };
    let proof = client.prove_inclusion(index).await?;
    if let Some(evidence) = &evidence {
        check_seals(&proof, evidence)?;
    }
    match console.format() {
        OutputFormat::Json => console.object(&ProofObject::from(&proof)),
        OutputFormat::Human => console.lines(lines(&proof, evidence.map(|e| e.evidence_id))),
    }
}

/// A proof of some other entry would verify as well.
fn check_seals(proof: &InclusionProof, evidence: &EvidenceSummary) -> Result<(), CliError> {
    let other = |reason: String| CliError::OtherEntry {
        evidence_id: evidence.evidence_id,
        index: proof.index.0,
        reason,
    };
    let leaf = CustodyLeaf::decode(&proof.leaf).map_err(|error| other(error.to_string()))?;
    if leaf.index != proof.index {
        return Err(other(format!("it says that it is entry {}", leaf.index)));
    }
    let Subject::Sealed(sealed) = leaf.subject else {
        return Err(other(format!("it is of the act `{}`, not `{}`", leaf.act, Act::Sealed)));
    };
    if leaf.evidence_id != Some(evidence.evidence_id) {
        return Err(other("it is about other evidence".to_owned()));
    }
    let says = [
        ("size", sealed.size.to_string(), evidence.size.to_string()),
        ("blake3", sealed.blake3.to_string(), evidence.blake3.to_string()),
        ("sha256", sealed.sha256.to_string(), evidence.sha256.to_string()),
    ];
    for (field, sealed, shown) in says {
        if sealed != shown {
            return Err(other(format!("it seals {field} {sealed}, the catalogue shows {shown}")));
        }
    }
    Ok(())
}

fn lines(proof: &InclusionProof, seals: Option<EvidenceId>) -> Vec<String> {
    let mut entry = vec![("entry", proof.index.to_string())];
    entry.extend(seals.map(|id| ("seals", id.to_string())));
    entry.push(("leaf hash", HEXLOWER.encode(&merkle::leaf_hash(&proof.leaf))));
    let path: Vec<String> = proof.path.iter().map(|hash| HEXLOWER.encode(hash)).collect();
    entry.push(("path", if path.is_empty() { "(empty)".to_owned() } else { path.join("\n") }));
    entry.push(("checkpoint", body(&proof.checkpoint).join("\n")));
    entry.push(("verified", "the entry is under the checkpoint".to_owned()));
    table::fields("", &entry)
}

#[cfg(test)]
mod tests {
    use custos_core::{
        Blake3Hash, ChunkSize, Descriptor, ErasureProfile, ErrorKind, EvidenceKind, Sha256Hash,
        Timestamp,
    };
    use custos_ledger::SealedSubject;

    use super::*;

    fn sealed() -> (EvidenceSummary, CustodyLeaf) {
        let time = Timestamp::from_millis(1_000);
        let evidence = EvidenceSummary {
            evidence_id: EvidenceId::from_bytes([7; 16]),
            put_by: "station".to_owned(),
            descriptor: Descriptor::of_kind(EvidenceKind::Video),
            opened_at: time,
            sealed_at: time,
            log_index: LogIndex(2),
            size: 5,
            blake3: Blake3Hash([1; 32]),
            sha256: Sha256Hash([2; 32]),
            profile: ErasureProfile::P4_2,
            chunk_size: ChunkSize::DEFAULT,
            retain_until: time,
            missing_fields: Vec::new(),
            missing_shards: 0,
        };
        let leaf = CustodyLeaf {
            index: LogIndex(2),
            time,
            act: Act::Sealed,
            evidence_id: Some(evidence.evidence_id),
            record: None,
            subject: Subject::Sealed(SealedSubject {
                size: evidence.size,
                blake3: evidence.blake3,
                sha256: evidence.sha256,
                descriptor_digest: [3; 32],
                retain_until: time,
            }),
            private_commitment: [4; 32],
        };
        (evidence, leaf)
    }

    fn proof_of(leaf: &CustodyLeaf) -> InclusionProof {
        let checkpoint = Checkpoint { origin: "log".to_owned(), size: 3, root: [0; 32] };
        InclusionProof { index: LogIndex(2), leaf: leaf.encode(), path: Vec::new(), checkpoint }
    }

    #[test]
    fn i4_a_proof_of_another_entry_is_no_proof_of_this_evidence() {
        let (evidence, leaf) = sealed();
        check_seals(&proof_of(&leaf), &evidence).expect("its own entry");
        let elsewhere = CustodyLeaf { index: LogIndex(1), ..leaf.clone() };
        let of_other =
            CustodyLeaf { evidence_id: Some(EvidenceId::from_bytes([8; 16])), ..leaf.clone() };
        let mut other_bytes = leaf.clone();
        if let Subject::Sealed(sealed) = &mut other_bytes.subject {
            sealed.blake3 = Blake3Hash([9; 32]);
        }
        let view = CustodyLeaf { act: Act::Viewed, subject: Subject::None, ..leaf };
        for wrong in [elsewhere, of_other, other_bytes, view] {
            let error = check_seals(&proof_of(&wrong), &evidence).expect_err("another entry");
            assert_eq!(error.kind(), ErrorKind::Integrity, "{error}");
        }
        let mut garbled = proof_of(&wrong_bytes());
        garbled.leaf.truncate(3);
        assert!(check_seals(&garbled, &evidence).is_err());
    }

    fn wrong_bytes() -> CustodyLeaf {
        sealed().1
    }

    #[test]
    fn a_checkpoint_is_shown_as_its_c2sp_body() {
        let checkpoint = Checkpoint { origin: "custos.local/1".to_owned(), size: 3, root: [0; 32] };
        let root = format!("{}=", "A".repeat(43));
        assert_eq!(body(&checkpoint), ["custos.local/1".to_owned(), "3".to_owned(), root]);
    }
}
