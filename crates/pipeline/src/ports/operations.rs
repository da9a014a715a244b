//! What processes and operators know of each other: leases, heartbeats, the audit log, jobs.

use std::future::Future;
use std::time::Duration;

use uuid::Uuid;

use crate::audit::{AuditEntry, AuditRecord, AuditTail};
use crate::fault::Fault;
use crate::heartbeat::{Heartbeat, SeenConsumer};
use crate::redrive_job::{JobChange, JobCounts, JobLetter, JobPlan, RedriveJob};

/// Who of several processes does what one of them is to do.
pub trait Leases: Send + Sync {
    /// Takes a lease for so long (whole seconds) by the database's clock, or prolongs one's own. Returns whether this holder has it: somebody else may,
    /// until theirs ends.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn take_lease(&self, name: &str, holder: Uuid, duration: Duration) -> impl Future<Output = Result<bool, Fault>> + Send;

    /// Gives a lease back before its time; one that somebody else has by now stays theirs.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn release_lease(&self, name: &str, holder: Uuid) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// Who consumes: each process says so again and again, and any process can ask.
pub trait Heartbeats: Send + Sync {
    /// Notes that this consumer is there, now by the store's clock, in place of what it said before. A consumer that comes new also removes what was
    /// said last more than a day ago.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn beat(&self, heartbeat: &Heartbeat) -> impl Future<Output = Result<(), Fault>> + Send;

    /// The consumers that have said something within this time (whole seconds), by the store's clock; those that started first come first, at most
    /// [`MOST_CONSUMERS`].
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn consumers(&self, within: Duration) -> impl Future<Output = Result<Vec<SeenConsumer>, Fault>> + Send;

    /// This consumer stops: nobody need look for it.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn end_heartbeat(&self, instance: Uuid) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// Consumers that [`Heartbeats::consumers`] tells of, those seen last; a topic rarely has as many partitions.
pub const MOST_CONSUMERS: usize = 1000;

/// Which entries of the audit log are looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditPage {
    /// Those after this number, the oldest first.
    After(i64),
    /// Those before this number, the newest first.
    Before(i64),
    /// Those of one operation after this number, the oldest first.
    Of {
        /// The operation.
        operation: Uuid,
        /// The number.
        after: i64,
    },
    /// Those whose subject is this, or begins with it and a comma, the newest first: of the newest [`AUDIT_LOOKED_THROUGH`].
    About(String),
}

/// Entries of the audit log that are looked through for those about one thing, the newest: no index holds what an entry is about.
pub const AUDIT_LOOKED_THROUGH: u32 = 20_000;

/// What operators have changed. Only ever added to.
pub trait AuditLog: Send + Sync {
    /// Adds entries that say this, chained to the last one ([`crate::audit::chain`]), in one transaction. Of several writers at one time each adds its
    /// entries in one piece. Returns the new end of the log; nothing to add changes nothing.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`]. Where the connection broke at the last moment, they may be in the log all the same.
    fn append_audit(&self, records: &[AuditRecord]) -> impl Future<Output = Result<AuditTail, Fault>> + Send;

    /// Up to `limit` entries.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn audit_page(&self, page: AuditPage, limit: usize) -> impl Future<Output = Result<Vec<AuditEntry>, Fault>> + Send;
}

impl<L: AuditLog> AuditLog for &L {
    async fn append_audit(&self, records: &[AuditRecord]) -> Result<AuditTail, Fault> {
        (**self).append_audit(records).await
    }

    async fn audit_page(&self, page: AuditPage, limit: usize) -> Result<Vec<AuditEntry>, Fault> {
        (**self).audit_page(page, limit).await
    }
}

/// Redrives that outlive the process that does them. Who of several processes goes on with one is told by [`Leases`].
pub trait RedriveJobs: Send + Sync {
    /// Makes a job without letters, [planned](crate::redrive_job::JobState::Planned), and returns its number; one whose operation is there already
    /// stays as it is. Forgets ended jobs that are older than the last [`KEPT_JOBS`](crate::redrive_job::KEPT_JOBS).
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn plan_job(&self, plan: &JobPlan) -> impl Future<Output = Result<i64, Fault>> + Send;

    /// Adds letters to a job, or gives those that it has these results and places, and replaces its counts. Each id comes once.
    /// A place that is [too long](crate::landed::LONGEST_LANDED) is not kept.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`]. Some may have been noted; noting all of them again is safe.
    fn note_letters(&self, job: i64, letters: &[JobLetter], counts: &JobCounts) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Takes a job from one of the states from which this change can be done to the one to which it leads. Returns whether it was in such a state.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn change_job(&self, job: i64, change: &JobChange) -> impl Future<Output = Result<bool, Fault>> + Send;

    /// Up to `limit` jobs before this number, the newest first.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn jobs_before(&self, number: i64, limit: usize) -> impl Future<Output = Result<Vec<RedriveJob>, Fault>> + Send;

    /// The numbers of the jobs that [run](crate::redrive_job::JobState::Running), the oldest first.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn running_jobs(&self) -> impl Future<Output = Result<Vec<i64>, Fault>> + Send;

    /// Up to `limit` letters of a job after this id, in the order of their ids.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn job_letters(&self, job: i64, after: &str, limit: usize) -> impl Future<Output = Result<Vec<JobLetter>, Fault>> + Send;
}
