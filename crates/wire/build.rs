//! Compiles the public and the internal API with a protobuf compiler written in Rust: no `protoc` is needed.

use std::{env, fs, path::PathBuf};

use prost::Message;

const FILES: [&str; 7] = [
    "custos/v1/evidence.proto",
    "custos/v1/ingest.proto",
    "custos/v1/playback.proto",
    "custos/v1/catalogue.proto",
    "custos/v1/custody.proto",
    "custos/v1/cluster.proto",
    "custos/v1/law.proto",
];

const INTERNAL_FILES: [&str; 3] = [
    "custos/internal/v1/group_service.proto",
    "custos/internal/v1/meta.proto",
    "custos/internal/v1/shard.proto",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    for file in FILES.iter().chain(&INTERNAL_FILES) {
        println!("cargo:rerun-if-changed={}", root.join(file).display());
    }
    let descriptors = protox::compile(FILES, [&root])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("custos_v1.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .bytes(".custos.v1.Data.data")
        .bytes(".custos.v1.Frame")
        .bytes(".custos.v1.BackupPiece.data")
        .compile_fds(descriptors)?;
    // Apart, so that reflection shows clients nothing of it.
    tonic_prost_build::configure()
        .bytes(".custos.internal.v1.Packet.body")
        .bytes(".custos.internal.v1.BackupPiece.data")
        .bytes(".custos.internal.v1.WriteRequest.data")
        .bytes(".custos.internal.v1.WriteHead.header")
        .bytes(".custos.internal.v1.ReadResponse.data")
        .bytes(".custos.internal.v1.ReadHead.header")
        .bytes(".custos.internal.v1.Entry.header")
        .compile_fds(protox::compile(INTERNAL_FILES, [&root])?)?;
    Ok(())
}
