//! Compiles the part of etcd's API that `custos-bench ledger` speaks, without `protoc`.

use std::{env, path::PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("proto");
    println!("cargo:rerun-if-changed={}", root.join("etcd.proto").display());
    let descriptors = protox::compile(["etcd.proto"], [&root])?;
    tonic_prost_build::configure()
        .build_server(false)
        .bytes(".etcdserverpb.PutRequest")
        .compile_fds(descriptors)?;
    Ok(())
}
