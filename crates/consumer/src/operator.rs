//! What operators work with in a process that consumes: [`/admin`](crate::admin) and [`/console`](crate::console) are two doors to the same.

use pipeline::ports::{
    AwaitedParents, ClaimQueue, DeadLetterReader, DryRun, EventTrace, FloodPermits, Heartbeats, LogPositions, ParkingExpiry,
};
use telemetry::{Health, Metrics};
use tokio_util::sync::CancellationToken;

use crate::check::SelfCheck;
use crate::dlq::AdminContext;
use crate::dlq::jobs::JobTables;
use crate::peek::Peek;
use crate::verify::schedule::VerifyNow;

/// The tables that operators work with.
pub trait OperatorTables: ParkingExpiry + AwaitedParents + EventTrace + DryRun + Heartbeats + JobTables + LogPositions {}

impl<T: ParkingExpiry + AwaitedParents + EventTrace + DryRun + Heartbeats + JobTables + LogPositions> OperatorTables for T {}

/// The dead letters that they work with.
pub trait OperatorQueue: DeadLetterReader + ClaimQueue + FloodPermits + Clone + 'static {}

impl<Q: DeadLetterReader + ClaimQueue + FloodPermits + Clone + 'static> OperatorQueue for Q {}

/// What `/admin` and `/console` of a process both work with.
#[derive(Clone)]
pub struct OperatorParts<G, T, Q, P> {
    /// The dead letters, the way back to the topics, and the tables.
    pub context: AdminContext<Q, P, T>,
    /// How far the group is.
    pub progress: G,
    /// The consumer group.
    pub group: String,
    /// What this process says of itself.
    pub health: Health,
    /// What it counts.
    pub metrics: Metrics,
    /// Checks the settings and every part.
    pub check: SelfCheck,
    /// Begins a verification; `None` where this process does none.
    pub verify: Option<VerifyNow>,
    /// Looks at what the group has not consumed.
    pub peek: Peek,
    /// When to stop; jobs go on in another process.
    pub stop: CancellationToken,
}
