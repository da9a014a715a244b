//! The floor: a bare loop that executes the store's statement with ready-made batches.

use std::time::{Duration, Instant};

use events::Event;
use pipeline::plan::{Candidate, items, plan};
use pipeline::{Batch, EventStore, Fault, Item, LogPosition};

/// Applies these events, in batches of this size; returns how long the store took. Decoding and planning are done before the clock runs.
/// With batches of one event this is one statement and one commit per event, as simple consumers write.
///
/// # Errors
/// The store fails: a floor has nothing to wait out a fault with.
pub async fn write(tables: &impl EventStore, events: &[Event<'static>], batch: usize, max_rows: usize) -> Result<Duration, Fault> {
    write_moving(tables, events, batch, max_rows, &[]).await
}

/// The same, where every batch also moves these positions, as the consumer's do.
///
/// # Errors
/// See [`write()`].
pub async fn write_moving(
    tables: &impl EventStore,
    events: &[Event<'static>],
    batch: usize,
    max_rows: usize,
    positions: &[LogPosition],
) -> Result<Duration, Fault> {
    let candidates: Vec<_> = events.iter().map(|event| Candidate { event: event.clone(), parked: None }).collect();
    let batches: Vec<Vec<Item<'_>>> = (0..candidates.len())
        .step_by(batch)
        .flat_map(|start| plan(&candidates, start..candidates.len().min(start + batch), max_rows))
        .map(|round| items(&candidates, &round))
        .collect();
    let started = Instant::now();
    for items in &batches {
        tables.apply(Batch::new(items).moving(positions)).await?;
    }
    Ok(started.elapsed())
}
