//! Compiles the persisted records (`custos.store.v1`) that this crate owns, and the messages in
//! which the ledger is asked over the network (`custos.internal.v1`), without a system `protoc`.

use std::{env, error::Error, path::Path};

const FILES: [&str; 6] = [
    "custos/internal/v1/ledger.proto",
    "custos/store/v1/cluster.proto",
    "custos/store/v1/command.proto",
    "custos/store/v1/custody.proto",
    "custos/store/v1/evidence.proto",
    "custos/store/v1/law.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    for file in FILES {
        println!("cargo::rerun-if-changed={}", root.join(file).display());
    }
    let mut compiler = protox::Compiler::new([&root])?;
    compiler.include_imports(true).open_files(FILES)?;
    prost_build::Config::new().compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}
