//! The parts without IO: decoding and planning, in nanoseconds and allocations. Criterion measures the same more closely.

use std::hint::black_box;
use std::time::{Duration, Instant};

use events::{Event, EventType, samples};
use pipeline::plan::{Candidate, items, plan};

use crate::stage::max_rows;
use crate::statistics::Samples;
use crate::workload::generator;

/// How often the repetitions are timed.
const TIMES: usize = 7;

/// What one part costs.
#[derive(Clone, Debug)]
pub struct Cost {
    /// What is done.
    pub what: String,
    /// Nanoseconds per event.
    pub nanos: Samples,
    /// Allocations per event.
    pub allocations: f64,
    /// Bytes allocated per event.
    pub bytes: f64,
}

impl Cost {
    /// The cost of some work on so many events.
    fn of(what: String, events: u32, repeats: u32, mut work: impl FnMut()) -> Self {
        work();
        let allocated = allocation_counter::measure(&mut work);
        let mut once = || {
            let started = Instant::now();
            (0..repeats).for_each(|_| work());
            started.elapsed()
        };
        let nanos = (0..TIMES).map(|_| per_event(once(), repeats * events)).collect();
        let (allocations, bytes) = (allocated.count_total as f64 / f64::from(events), allocated.bytes_total as f64 / f64::from(events));
        Self { what, nanos, allocations, bytes }
    }
}

/// Decodes one event of each type, and plans a batch.
pub fn costs(batch: u32, repeats: u32) -> Vec<Cost> {
    let mut costs: Vec<_> = EventType::ALL.into_iter().map(|event_type| decode(event_type, repeats)).collect();
    costs.push(plan_batch(batch, repeats.div_ceil(batch)));
    costs
}

/// Decoding and validating one event.
fn decode(event_type: EventType, repeats: u32) -> Cost {
    let json = samples::of(event_type).to_json();
    let what = format!("decode and validate `{event_type}`, {} bytes", json.len());
    Cost::of(what, 1, repeats, || drop(black_box(events::decode(black_box(&json)))))
}

fn plan_batch(batch: u32, repeats: u32) -> Cost {
    let candidates = candidates(generator(batch as usize, 1));
    Cost::of(format!("plan a batch of {batch}"), batch, repeats, || {
        for round in plan(&candidates, 0..candidates.len(), max_rows()) {
            drop(black_box(items(&candidates, &round)));
        }
    })
}

/// Events as the planner takes them.
pub fn candidates<'e>(events: impl Iterator<Item = Event<'e>>) -> Vec<Candidate<'e>> {
    events.map(|event| Candidate { event, parked: None }).collect()
}

fn per_event(took: Duration, events: u32) -> f64 {
    took.as_secs_f64() * 1e9 / f64::from(events)
}
