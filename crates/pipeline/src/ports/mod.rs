//! The traits that adapters implement: small, asynchronous, generic.

mod dead_letters;
mod log;
mod operations;
mod store;
mod tables;

pub use dead_letters::{Claim, ClaimQueue, DeadLetterArchive, DeadLetterQueue, DeadLetterReader, End, FloodPermits, ListState, Permit};
pub use log::{
    Clock, Delivered, GroupOffsets, GroupProgress, LogReader, Lost, Message, OffsetCommitter, PollLimits, Publisher, RecordSource, Skipped,
    Unstarted,
};
pub use operations::{AUDIT_LOOKED_THROUGH, AuditLog, AuditPage, Heartbeats, Leases, MOST_CONSUMERS, RedriveJobs};
pub use store::{AwaitedParents, DryRun, EventStore, LogPositions, ParkingExpiry, ParkingLot};
pub use tables::{ChangeMark, EventTrace, LedgerCompaction, RowChanges, TableRepair, TableRows};
