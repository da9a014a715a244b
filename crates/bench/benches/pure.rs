//! The parts without IO: decoding and validating one event of each type, and planning a batch.

use std::hint::black_box;

use bench::pure::candidates;
use bench::stage::max_rows;
use bench::workload::generator;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use events::{EventType, samples};
use pipeline::plan::{items, plan};

/// Events in a batch.
const BATCH: usize = 1000;

fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode and validate");
    for event_type in EventType::ALL {
        let json = samples::of(event_type).to_json();
        group.throughput(Throughput::Bytes(json.len() as u64));
        group.bench_function(event_type.as_str(), |bencher| bencher.iter(|| drop(black_box(events::decode(black_box(&json))))));
    }
    group.finish();
}

fn plan_batch(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("plan");
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function("a batch of 1000", |bencher| {
        let ready = || candidates(generator(BATCH, 1));
        bencher.iter_batched_ref(
            ready,
            |candidates| {
                let candidates: &Vec<_> = candidates;
                for round in plan(candidates, 0..BATCH, max_rows()) {
                    drop(black_box(items(candidates, &round)));
                }
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, decode, plan_batch);
criterion_main!(benches);
