//! Compiles the persisted records of the Raft log, and what the members of the group say to each
//! other, without a system `protoc`.

use std::{env, error::Error, path::Path};

const FILES: [&str; 2] = ["custos/internal/v1/group.proto", "custos/store/v1/raft.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    for file in FILES {
        println!("cargo::rerun-if-changed={}", root.join(file).display());
    }
    let descriptors = protox::compile(FILES, [&root])?;
    let mut config = prost_build::Config::new();
    config.bytes([
        ".custos.store.v1.RaftEntry",
        ".custos.internal.v1.GroupRequest",
        ".custos.internal.v1.GroupAnswer",
        ".custos.internal.v1.AppendRequest",
        ".custos.internal.v1.SnapshotOffer",
        ".custos.internal.v1.SnapshotPiece",
    ]);
    config.compile_fds(descriptors)?;
    Ok(())
}
