//! Proving that the tables are what the log says.
//!
//! The rows are a function of the log. So the log is read once more, from outside of the group, and folded into tables of our own, the *shadow*: by
//! the code that judges records everywhere, and by the statements of the embedded store, which share nothing with those of SQL Server. Then
//! both are compared, row by row.
//!
//! | module | what it holds |
//! |---|---|
//! | [`arguments`] | what is asked for, on a command line |
//! | [`fold`] | the shadow, and reading the log into it |
//! | [`comparison`] | what is compared with what, and what was found so far |
//! | [`compare`] | going through both, and what becomes of a row that differs |
//! | `stock` | the stock of each article against its ledger |
//! | `waiting` | events that wait in one of the two |
//! | `openings`, `folding` | lines of the ledger that were folded, against their sums |
//! | `dead_letters` | records that became dead letters, and what those explain |
//! | [`difference`] | what can be wrong |
//! | [`repair`](mod@repair) | writing what the log says |
//! | [`report`] | all of it, as text or JSON |
//! | [`schedule`] | doing it again and again, in one consumer of the group |
//! | [`last`] | what was found the last time |
//!
//! # Why a pipeline that writes on raises no alarm
//! A row that differs is read again: first how far the tables hold the log (P), then the row. Rows only ever become newer, so the row shows
//! at least what P means. Then the shadow is brought to exactly P. If the row is still missing, or older than the shadow's, the tables have lost
//! something. A row that is newer than the shadow's proves nothing yet: its event may stand behind P. It is looked for there, up to the end of
//! the log; an event that is nowhere in it is unknown.
//!
//! # What the log does not decide
//! - Events that became dead letters: an operator may have removed them since. What the queue holds explains a row that is missing.
//! - Who holds an e-mail address that several users claim ([`pipeline::parking`]): the order of arrival decides it. Told, and not counted.
//! - What stood in the log before its first offset, where retention has deleted it, or in an earlier log of a topic that was created anew: rows
//!   that no record explains are then unexplained.

pub mod arguments;
pub mod compare;
pub mod comparison;
mod dead_letters;
pub mod difference;
pub mod fold;
mod folding;
pub mod last;
mod openings;
pub mod repair;
pub mod report;
pub mod schedule;
mod stock;
mod waiting;

use std::collections::BTreeMap;
use std::time::Duration;

use pipeline::ports::LogPositions;
use pipeline::{Fault, LogId};

pub use arguments::VerifyArgs;
pub use compare::verify;
pub use comparison::{Verification, Verified};
pub use difference::{Difference, Kind};
pub use fold::{Fold, FoldSettings, Folded, ShadowFold};
pub use repair::{Repairable, repair};
pub use report::Report;
pub use schedule::ScheduleConfig;

/// How a verification works.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Rows of the tables that are read per second, at most; `None` for as fast as they come.
    pub rate: Option<f64>,
    /// How long an event may go on waiting whose parent is there, before that is a difference: consumers release it within a sweep.
    pub patience: Duration,
    /// Whether differences are told with values. They may be personal data.
    pub values: bool,
    /// Whether dead letters are compared with those that the log makes. One that was redriven or purged is missing then.
    pub dead_letters: bool,
    /// Whether only those rows are compared that the log has changed since a verification that found all equal; all of them where there was none.
    pub changed_only: bool,
}

/// Why a verification did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfinished {
    /// A part failed.
    #[error("{0}")]
    Fault(#[from] Fault),
    /// It was told to stop, or its time was over.
    #[error("it was stopped")]
    Stopped,
    /// The shadow of an earlier run is of other offsets than the tables can ever have.
    #[error(
        "partition {partition}: the shadow holds the log up to offset {shadow}, the tables only up to {tables}. Were they restored from a \
         backup? Wait until the consumer has caught up, or verify without --state"
    )]
    TablesBehind {
        /// The partition.
        partition: i32,
        /// The shadow's next offset.
        shadow: i64,
        /// The tables' next offset.
        tables: i64,
    },
    /// Nothing has come of the log for too long.
    #[error("partition {partition}: nothing has come for {seconds} s, although the log goes on from offset {next} to {end}{reason}")]
    NothingComes {
        /// The partition.
        partition: i32,
        /// The offset that is waited for.
        next: i64,
        /// Where the tables are.
        end: i64,
        /// How long.
        seconds: u64,
        /// Why, where that is known.
        reason: String,
    },
    /// The tables know nothing of this log.
    #[error("the tables hold no position of this topic: no consumer has written into them, or one that is older than positions")]
    NoPositions,
}

/// How far these tables hold each partition of this log.
async fn positions(tables: &impl LogPositions, topic: &str, log: LogId) -> Result<BTreeMap<i32, i64>, Fault> {
    let known = tables.positions(topic).await?;
    Ok(known.into_iter().filter(|known| known.log == log).map(|known| (known.partition, known.next_offset)).collect())
}
