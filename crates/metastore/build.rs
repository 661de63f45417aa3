//! Compiles the persisted records of the Raft log without a system `protoc`.

use std::error::Error;

const PROTO_ROOT: &str = "../../proto";
const RAFT_PROTO: &str = "../../proto/custos/store/v1/raft.proto";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={RAFT_PROTO}");
    let descriptors = protox::compile([RAFT_PROTO], [PROTO_ROOT])?;
    let mut config = prost_build::Config::new();
    config.bytes([".custos.store.v1.RaftEntry"]);
    config.compile_fds(descriptors)?;
    Ok(())
}
