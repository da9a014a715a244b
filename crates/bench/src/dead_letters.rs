//! Pushing dead letters to Redis.

use std::time::Instant;

use anyhow::ensure;
use events::{EventType, samples};
use pipeline::dead_letter::Diagnosis;
use pipeline::ports::DeadLetterReader as _;
use pipeline::{DeadLetter, DeadLetterQueue as _};
use producer::generate::Poison;
use redis_dlq::{RedisConfig, RedisDlq};
use uuid::Uuid;

use crate::source::record;
use crate::statistics::Samples;

/// Letters of unwritable records, no two the same.
pub fn dead_letters(count: usize, seed: u64) -> Vec<DeadLetter> {
    let at = samples::of(EventType::UserCreated).at;
    let dead_letter = |(offset, (_, message))| {
        let record = record(offset, message);
        let diagnosis = events::decode(record.value.as_deref().unwrap_or_default()).err().map(|violation| Diagnosis::from(&violation));
        diagnosis.map(|diagnosis| DeadLetter::new(&record, &diagnosis, at))
    };
    (0..).zip(Poison::new(seed)).filter_map(dead_letter).take(count).collect()
}

/// A queue of its own on this Redis. Its keys stay behind.
///
/// # Errors
/// The certificates cannot be read.
pub fn queue(redis: &RedisConfig) -> anyhow::Result<RedisDlq> {
    Ok(RedisDlq::new(&RedisConfig { list: format!("bench:{}", Uuid::new_v4().simple()), ..redis.clone() })?)
}

/// Pushes so many dead letters at once, and says how many per second became durable.
///
/// # Errors
/// Redis is away, or does not hold each dead letter once.
pub async fn push(redis: &RedisConfig, count: usize, runs: usize) -> anyhow::Result<Samples> {
    let mut rates = Samples::default();
    for run in 0..runs {
        let (queue, dead_letters) = (queue(redis)?, dead_letters(count, run as u64));
        // The connection is made before the clock runs.
        queue.depth().await?;
        let started = Instant::now();
        let new = queue.push(&dead_letters).await?;
        rates.add(count as f64 / started.elapsed().as_secs_f64());
        let depth = queue.depth().await?;
        ensure!(new == count && depth == count as u64, "Redis holds {depth} letters, {new} of them new, instead of {count}");
    }
    Ok(rates)
}
