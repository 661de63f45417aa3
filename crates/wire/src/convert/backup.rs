use custos_core::LogIndex;

use crate::{
    internal_v1::{self, backup_response::Part as Internal},
    v1::{self, backup_response::Part},
};

/// A part of a backup from a meta node as clients get it; its head says where in the custody log
/// it stands.
#[must_use]
pub fn backup_to_wire(
    part: internal_v1::BackupResponse,
    recorded_at: LogIndex,
) -> v1::BackupResponse {
    let part = part.part.map(|part| match part {
        Internal::Head(head) => Part::Head(v1::BackupHead {
            origin: head.origin,
            taken_ms: head.taken_ms,
            meta_id: head.meta_id,
            log_term: head.log_term,
            log_node: head.log_node,
            log_index: head.log_index,
            custody_size: head.custody_size,
            custody_root: head.custody_root,
            files: head.files,
            bytes: head.bytes,
            recorded_at: recorded_at.0,
        }),
        Internal::File(file) => Part::File(v1::BackupFile {
            name: file.name,
            bytes: file.bytes,
            blake3: file.blake3,
            sent: file.sent,
        }),
        Internal::Piece(piece) => Part::Piece(v1::BackupPiece { data: piece.data }),
    });
    v1::BackupResponse { part }
}
