//! The adapters that a consumer runs on.

use std::sync::Arc;

use pipeline::ports::{ClaimQueue, DeadLetterReader, FloodPermits, GroupProgress, LogPositions, ParkingExpiry};
use pipeline::{Clock, DeadLetterQueue, EventStore, OffsetCommitter, ParkingLot, RecordSource};

/// A choice of adapters. Named once by each composition root, so that the rest of this crate reads as if there were only one.
pub trait Backends: Sized + Send + Sync + 'static {
    /// Where records come from.
    type Source: RecordSource + 'static;
    /// Where finished offsets are noted.
    type Offsets: OffsetCommitter + 'static;
    /// How far the log reaches and how far the group has come.
    type Progress: GroupProgress + Clone + 'static;
    /// The tables.
    type Store: EventStore + LogPositions + ParkingLot + ParkingExpiry + Clone + 'static;
    /// The dead letter queue.
    type DeadLetters: DeadLetterQueue + DeadLetterReader + ClaimQueue + FloodPermits + Clone + 'static;
}

/// The chosen adapters.
pub struct Adapters<P: Backends> {
    /// See [`Backends::Source`].
    pub source: P::Source,
    /// See [`Backends::Offsets`].
    pub offsets: P::Offsets,
    /// See [`Backends::Progress`].
    pub progress: P::Progress,
    /// See [`Backends::Store`].
    pub store: P::Store,
    /// See [`Backends::DeadLetters`].
    pub dead_letters: P::DeadLetters,
    /// The name of the topic, by which the tables know its logs.
    pub topic: Arc<str>,
}

/// The clock of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> events::Timestamp {
        std::time::SystemTime::now().into()
    }
}
