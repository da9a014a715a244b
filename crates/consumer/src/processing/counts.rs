//! What the records of each partition came to, for whoever has to account for every one of them.

use std::collections::BTreeMap;
use std::ops::AddAssign;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pipeline::outcome::Outcome;
use serde::Serialize;

use super::chunk::Chunk;
use super::write::ended;

/// How many records came to what when they were first read. What becomes later of one that waits is not among it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Records that were read.
    pub records: u64,
    /// Written.
    pub applied: u64,
    /// The row shows this very event, or the ledger holds it.
    pub duplicate: u64,
    /// The row shows a newer event.
    pub stale: u64,
    /// Waits for something to come before it.
    pub parked: u64,
    /// Became a dead letter.
    pub dead_letters: u64,
    /// Null values.
    pub tombstones: u64,
}

impl Counts {
    /// The records that came to something. All of them, or the consumer has lost one, or counted one twice.
    pub const fn accounted(&self) -> u64 {
        self.applied + self.duplicate + self.stale + self.parked + self.dead_letters + self.tombstones
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.records += other.records;
        self.applied += other.applied;
        self.duplicate += other.duplicate;
        self.stale += other.stale;
        self.parked += other.parked;
        self.dead_letters += other.dead_letters;
        self.tombstones += other.tombstones;
    }
}

/// [`Counts`] by partition. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct RecordCounts(Arc<Mutex<BTreeMap<i32, Counts>>>);

impl RecordCounts {
    /// The counts until now.
    pub fn by_partition(&self) -> BTreeMap<i32, Counts> {
        self.lock().clone()
    }

    /// Adds the records of a chunk; there is one outcome for each of its events.
    pub(super) fn add(&self, chunk: &Chunk, outcomes: &[Outcome]) {
        let mut partitions = self.lock();
        let mut count = |partition: i32, add: fn(&mut Counts) -> &mut u64| *add(partitions.entry(partition).or_default()) += 1;
        for record in chunk.records() {
            count(record.position.partition, |counts| &mut counts.records);
            if record.value.is_none() {
                count(record.position.partition, |counts| &mut counts.tombstones);
            }
        }
        for (record, _) in &chunk.decoded().broken {
            count(record.position.partition, |counts| &mut counts.dead_letters);
        }
        for (_, record, outcome) in ended(chunk.decoded(), outcomes) {
            count(
                record.position.partition,
                match outcome {
                    Outcome::Applied => |counts| &mut counts.applied,
                    Outcome::Duplicate => |counts| &mut counts.duplicate,
                    Outcome::Stale => |counts| &mut counts.stale,
                    Outcome::Parked(_) => |counts| &mut counts.parked,
                    Outcome::Rejected { .. } => |counts| &mut counts.dead_letters,
                },
            );
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<i32, Counts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
