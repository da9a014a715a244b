//! One call of a store: a batch to SQLite, and dead letters to Redis where `REDIS_HOST` is set.
#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::sync::Arc;
use std::time::Duration;

use bench::place::{Embedded, Place as _};
use bench::stage::max_rows;
use bench::workload::generator;
use bench::{dead_letters, floor};
use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use pipeline::{DeadLetterQueue as _, LogId, LogPosition};
use redis_dlq::RedisConfig;
use settings::Reader;
use tokio::runtime::Runtime;
use uuid::Uuid;

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

/// What it costs that a batch also moves the positions of the partitions that it came from. Both kinds are written by turns into the same
/// tables, so that both meet the same machine and tables of the same size; each figure counts its own kind.
fn sqlite_positions(criterion: &mut Criterion) {
    const PARTITIONS: i32 = 8;
    let runtime = Runtime::new().unwrap();
    let (log, topic) = (LogId(Uuid::from_u128(1)), Arc::<str>::from("events"));
    let mut group = criterion.benchmark_group("sqlite, by turns");
    group.throughput(Throughput::Elements(BATCH as u64)).sampling_mode(SamplingMode::Flat);
    for counted in ["moving no position", "moving 8 positions"] {
        let opened = runtime.block_on(Embedded { folder: None, durable: true }.open()).unwrap();
        let mut seed = 0;
        group.bench_function(format!("apply a batch of 1000, {counted}"), |bencher| {
            bencher.iter_custom(|times| {
                let mut took = Duration::ZERO;
                for turn in 0..2 * times {
                    seed += 1;
                    let events: Vec<_> = generator(BATCH, seed).collect();
                    let position = |partition| LogPosition { log, topic: topic.clone(), partition, next_offset: seed as i64 };
                    let (kind, partitions) = if turn % 2 == 0 { ("moving no position", 0) } else { ("moving 8 positions", PARTITIONS) };
                    let positions: Vec<_> = (0..partitions).map(position).collect();
                    let write = floor::write_moving(&opened.tables, &events, BATCH, max_rows(), &positions);
                    let time = runtime.block_on(write).unwrap();
                    if kind == counted {
                        took += time;
                    }
                }
                took
            });
        });
    }
    group.finish();
}

fn redis_push(criterion: &mut Criterion) {
    let mut env = Reader::from_environment().unwrap();
    if !RedisConfig::is_set(&env) {
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

criterion_group!(benches, sqlite_apply, sqlite_positions, redis_push);
criterion_main!(benches);
