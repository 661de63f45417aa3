//! Compiles the public API with a protobuf compiler written in Rust: no `protoc` is needed.

use std::{env, fs, path::PathBuf};

use prost::Message;

const FILES: [&str; 5] = [
    "custos/v1/evidence.proto",
    "custos/v1/ingest.proto",
    "custos/v1/playback.proto",
    "custos/v1/catalogue.proto",
    "custos/v1/custody.proto",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    for file in FILES {
        println!("cargo:rerun-if-changed={}", root.join(file).display());
    }
    let descriptors = protox::compile(FILES, [&root])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("custos_v1.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure()
        .bytes(".custos.v1.Data.data")
        .bytes(".custos.v1.Frame")
        .compile_fds(descriptors)?;
    Ok(())
}
