//! Redrives as jobs: objects of the database that outlive the process which does them.
//!
//! | module | what it holds |
//! |---|---|
//! | `plan` | making one: its letters are named once |
//! | `run` | going on with one, whoever began it |
//! | `noting` | what became of each letter, page by page |
//! | [`keep`](mod@keep) | finding those that nobody goes on with |
//! | [`ended`] | how its letters ended, as far as that is known now |
//! | [`report`] | one as JSON |
//! | `control` | pausing, resuming and cancelling one |
//!
//! Who goes on with a job has its lease. A process that is killed leaves the lease and the claims of one page: when the first has ended, another
//! process goes on with the letters that have no result yet, and when the claims have ended it meets those of that page too. What the broker had
//! acknowledged by then and nobody had noted is sent once more, under the same event id, and changes nothing; a letter that has a result is never sent
//! again by its job.

mod control;
pub mod ended;
pub mod keep;
mod noting;
mod plan;
pub mod report;
mod run;

use std::time::Duration;

use pipeline::fault::Fault;
use pipeline::ports::{AuditLog, Leases, LogPositions, RedriveJobs};
use pipeline::redrive_job::{JobCounts, LetterResult, RedriveJob};

pub use control::control;
pub use keep::keep;
pub use plan::{CANARY, plan, plan_canary};
pub use run::{Held, run, take};

/// How long a job stays with a process that does not prolong its lease: so soon another one goes on with it.
const LEASE: Duration = Duration::from_secs(15);
/// How often the lease is prolonged, and how soon a change by an operator is heard.
const LOOK: Duration = Duration::from_secs(1);
/// Letters that are written or read at once.
const PAGE: usize = 1000;

/// The tables that keep jobs, note who has done what, and know how far the log was consumed. Clones are the same.
pub trait JobTables: AuditLog + RedriveJobs + Leases + LogPositions + Clone + 'static {}

impl<T: AuditLog + RedriveJobs + Leases + LogPositions + Clone + 'static> JobTables for T {}

/// The name of the lease of a job.
fn lease_of(job: i64) -> String {
    format!("redrive/{job}")
}

/// The job of this number.
///
/// # Errors
/// The tables are away.
pub async fn find(tables: &impl RedriveJobs, number: i64) -> Result<Option<RedriveJob>, Fault> {
    let jobs = tables.jobs_before(number.saturating_add(1), 1).await?;
    Ok(jobs.into_iter().find(|job| job.number == number))
}

/// What became of the letters of a job, in words and numbers that add up; only what occurs, and how many were redriven.
pub fn in_words(counts: &JobCounts) -> Vec<(&'static str, u64)> {
    let of = |results: &[LetterResult]| results.iter().map(|result| counts.get(*result)).sum();
    let words = [
        ("redriven", of(&[LetterResult::Sent])),
        ("gone", of(&[LetterResult::Gone])),
        ("too many retries", of(&[LetterResult::TooManyRetries])),
        ("unreadable", of(&[LetterResult::Unreadable])),
        ("topic refused", of(&[LetterResult::TopicRefused])),
        ("failed", of(&[LetterResult::NotAcknowledged, LetterResult::Unsettled])),
        ("not sent yet", of(&[LetterResult::Pending])),
    ];
    words.into_iter().filter(|(name, letters)| *letters > 0 || *name == "redriven").collect()
}
