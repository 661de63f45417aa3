//! Proving a range and verifying it, without the network between: what a seek costs.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use custos_bench::sample_evidence::SampleEvidence;

const CHUNKS: u32 = 4;
/// Where ranges begin: in the third chunk, and not at a frame's edge.
const START: u64 = (17 << 20) + 1000;

fn ranges(criterion: &mut Criterion) {
    let evidence = SampleEvidence::new(CHUNKS).expect("what was sealed opens");
    let mut group = criterion.benchmark_group("range of 32 MiB, prove and verify");
    for len in [1, 64 << 10, 1 << 20, 8 << 20] {
        group.throughput(Throughput::Bytes(len));
        group.bench_function(BenchmarkId::from_parameter(len), |bencher| {
            bencher.iter(|| evidence.prove_and_verify(START..START + len).expect("proven"));
        });
    }
    group.finish();
}

criterion_group!(benches, ranges);
criterion_main!(benches);
