//! One call of a store: a batch to SQLite, and dead letters to Redis where `REDIS_HOST` is set.
#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::time::Duration;

use bench::place::{Embedded, Place as _};
use bench::stage::max_rows;
use bench::workload::generator;
use bench::{dead_letters, floor};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use pipeline::DeadLetterQueue as _;
use redis_dlq::RedisConfig;
use settings::Reader;
use tokio::runtime::Runtime;

/// Events in a batch, dead letters in a push.
const BATCH: usize = 1000;

/// One batch of new events, in one transaction that waits for the disk.
fn sqlite_apply(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let opened = runtime.block_on(Embedded { folder: None, durable: true }.open()).unwrap();
    let mut seed = 0;
    let mut group = criterion.benchmark_group("sqlite");
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function("apply a batch of 1000", |bencher| {
        bencher.iter_custom(|times| {
            let mut took = Duration::ZERO;
            for _ in 0..times {
                seed += 1;
                let events: Vec<_> = generator(BATCH, seed).collect();
                took += runtime.block_on(floor::write(&opened.tables, &events, BATCH, max_rows())).unwrap();
            }
            took
        });
    });
    group.finish();
}

fn redis_push(criterion: &mut Criterion) {
    let mut env = Reader::from_environment().unwrap();
    if !env.is_set("REDIS_HOST") {
        eprintln!("redis: did not run: REDIS_HOST switches it on");
        return;
    }
    let (runtime, config) = (Runtime::new().unwrap(), RedisConfig::read(&mut env));
    let queue = dead_letters::queue(&config).unwrap();
    let mut seed = 0;
    let mut group = criterion.benchmark_group("redis");
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function("push 1000 letters", |bencher| {
        bencher.iter_custom(|times| {
            let mut took = Duration::ZERO;
            for _ in 0..times {
                seed += 1;
                let dead_letters = dead_letters::dead_letters(BATCH, seed);
                let started = std::time::Instant::now();
                assert_eq!(runtime.block_on(queue.push(&dead_letters)).unwrap(), BATCH, "each letter is new");
                took += started.elapsed();
            }
            took
        });
    });
    group.finish();
}

criterion_group!(benches, sqlite_apply, redis_push);
criterion_main!(benches);
