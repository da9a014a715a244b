//! What a batch is written to: rows, positions of the log, and what waits for its parent.

use std::future::Future;

use events::Timestamp;

use crate::batch::Batch;
use crate::fault::Fault;
use crate::log::LogPosition;
use crate::outcome::Applied;
use crate::parking::{Awaited, Parents, ParkedEvent, ParkedKey};

/// The tables.
pub trait EventStore: Send + Sync {
    /// Writes a batch in one transaction and says how each event ended. On an error nothing of the batch is in the tables, or, where the
    /// connection broke at the last moment, all of it; the same batch may be applied again in either case.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn apply(&self, batch: Batch<'_>) -> impl Future<Output = Result<Applied, Fault>> + Send;
}

/// How far the tables hold the log. Positions never go back within one log, and those of one log do not touch those of another.
pub trait LogPositions: Send + Sync {
    /// The positions of every log that a topic of this name ever had, in any order.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn positions(&self, topic: &str) -> impl Future<Output = Result<Vec<LogPosition>, Fault>> + Send;

    /// Moves positions forward, and begins those that are new; one that is further already stays. Each partition of a log comes once.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn advance(&self, positions: &[LogPosition]) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// Asking the tables what they would do.
pub trait DryRun: Send + Sync {
    /// Does everything that [`EventStore::apply`] does with this batch, in the same statement, and rolls it back: says how each event would end.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`]; a fault that the data causes is found as [`EventStore::apply`] finds it.
    fn dry_run(&self, batch: Batch<'_>) -> impl Future<Output = Result<Applied, Fault>> + Send;
}

/// Events that wait for a parent.
pub trait ParkingLot: Send + Sync {
    /// Stores events; one that is stored already (same place, same record) stays as it is. Says whether the parent of any of them is persisted,
    /// or its e-mail address has become free, meanwhile: a parent that is persisted after this look finds them waiting.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn park(&self, events: &[ParkedEvent]) -> impl Future<Output = Result<bool, Fault>> + Send;

    /// Up to `limit` parked events, oldest first, whose parent is in its table, or who wait for an e-mail address and are worth trying:
    ///
    /// - no other user's row holds the address, or its holder waits for another one itself (they may have to change places in one batch); of
    ///   several such events for one address only the earliest by (event timestamp, event id)
    /// - the user's row shows this event or a newer one already, so that it only has to leave the table
    /// - for [`Parents::Any`] alone, an event of an older program, which did not note what it waits for
    ///
    /// Expired events are not among them. `after` continues a look: only events after this place in the order are returned.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn releasable(
        &self,
        parents: &Parents,
        after: Option<&ParkedEvent>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<ParkedEvent>, Fault>> + Send;

    /// Takes events out of the table that have become dead letters.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn discard(&self, events: &[ParkedKey<'_>]) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// The end of waiting.
pub trait ParkingExpiry: Send + Sync {
    /// This instant by the database's clock, with which parking times compare.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn now(&self) -> impl Future<Output = Result<Timestamp, Fault>> + Send;

    /// Claims events that were parked at `cutoff` or before and whose parent is still missing, so that no release takes them any more,
    /// and returns up to `limit` claimed ones, those of an earlier claim among them.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn claim_expired(&self, cutoff: Timestamp, limit: usize) -> impl Future<Output = Result<Vec<ParkedEvent>, Fault>> + Send;

    /// How many events are parked, and since when the oldest is.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn parked(&self) -> impl Future<Output = Result<(u64, Option<Timestamp>), Fault>> + Send;
}

/// What events wait for.
pub trait AwaitedParents: Send + Sync {
    /// Everything that waits, counted; the `parents` that the most wait for, each with its first `children`. Costs about as much however many wait
    /// for one of them.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn awaited(&self, parents: usize, children: usize) -> impl Future<Output = Result<Awaited, Fault>> + Send;
}
