//! Sealing, opening and coding one chunk of 8 MiB with 4+2.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use custos_bench::sample_chunk::{CHUNK_SIZE, PROFILE, SampleChunk};
use custos_codec::encode_parity;
use custos_core::{ChunkIndex, ShardSlot};

const SHARD_BYTES: usize = 2 << 20;

fn codec(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("chunk of 8 MiB, 4+2");
    group.throughput(Throughput::Bytes(CHUNK_SIZE.bytes() as u64));
    let mut sample = SampleChunk::new(ChunkIndex(0));
    group.bench_function("seal", |bencher| {
        bencher.iter(|| sample.seal().layout);
    });
    group.bench_function("open", |bencher| {
        bencher.iter(|| sample.open(&[]).expect("opens"));
    });
    let lost = [ShardSlot(0), ShardSlot(1)];
    group.bench_function("open, two data shards lost", |bencher| {
        bencher.iter(|| sample.open(&lost).expect("opens"));
    });
    let mut shards = vec![3; PROFILE.total() * SHARD_BYTES];
    group.bench_function("parity", |bencher| {
        bencher.iter(|| encode_parity(PROFILE, SHARD_BYTES, &mut shards));
    });
    group.finish();
}

criterion_group!(benches, codec);
criterion_main!(benches);
