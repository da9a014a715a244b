//! The adapters that a consumer runs on.

use pipeline::ports::{DeadLetterReader, FloodPermits, GroupProgress, LogPositions, ParkingExpiry};
use pipeline::{Clock, DeadLetterQueue, EventStore, OffsetCommitter, ParkingLot, RecordSource};

/// A choice of adapters. Named once by each composition root, so that the rest of this crate reads as if there were only one.
pub trait Parts: Sized + Send + Sync + 'static {
    /// Where records come from.
    type Source: RecordSource + 'static;
    /// Where finished offsets are noted.
    type Offsets: OffsetCommitter + 'static;
    /// How far the log reaches and how far the group has come.
    type Progress: GroupProgress + Clone + 'static;
    /// The tables.
    type Store: EventStore + LogPositions + ParkingLot + ParkingExpiry + Clone + 'static;
    /// The dead letter queue.
    type Letters: DeadLetterQueue + DeadLetterReader + FloodPermits + Clone + 'static;
}

/// The chosen adapters.
pub struct Adapters<P: Parts> {
    /// See [`Parts::Source`].
    pub source: P::Source,
    /// See [`Parts::Offsets`].
    pub offsets: P::Offsets,
    /// See [`Parts::Progress`].
    pub progress: P::Progress,
    /// See [`Parts::Store`].
    pub store: P::Store,
    /// See [`Parts::Letters`].
    pub letters: P::Letters,
}

/// The clock of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> events::Timestamp {
        std::time::SystemTime::now().into()
    }
}
