//! Folding old lines of the ledger of stock into opening balances: [`pipeline::ledger`] says why no event counts twice then.
//!
//! | module | what it holds |
//! |---|---|
//! | [`bounds`] | what still needs the lines |
//! | [`report`] | what would be folded or was, as text or JSON |
//!
//! May run beside consumers. It is done in transactions of up to [`LINES_PER_TRANSACTION`] lines; one that was broken off, by whatever, is gone on with by
//! the next run, whatever that asks for.

pub mod bounds;
pub mod report;

use std::time::Duration;

use clap::{Args, Subcommand};
use pipeline::audit::AuditAction;
use pipeline::backoff;
use pipeline::fault::{Fault, FaultClass};
use pipeline::ledger::{Compaction, Cutoff, LINES_PER_TRANSACTION};
use pipeline::ports::{AuditLog, DeadLetterReader, GroupOffsets, Heartbeats, LedgerCompaction, ParkingExpiry, RedriveJobs};
use pipeline::rows::Table;

use crate::audit::{Audit, Subject, Who, outcome};
use crate::chance;
use crate::dlq;
use crate::plural::counted;
use bounds::Wanted;
pub use bounds::{Kept, Obstacle};
pub use report::Report;

/// How often a transaction is tried that met another writer.
const TRIES: u32 = 10;

/// `ledger …`.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum LedgerCommand {
    /// Fold lines of the ledger that nothing needs any more into one opening balance per article. Shows what it would do, and folds nothing without
    /// `--execute`.
    ///
    /// May run beside consumers; one that was broken off is gone on with. From then on a stock adjustment that is older than what was folded counts only
    /// if the ledger holds its line; otherwise it becomes a dead letter (`ledger_compacted`): whether it counts already cannot be told.
    Compact(CompactArgs),
}

/// `ledger compact`.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct CompactArgs {
    /// How old a line's event must be, and how long ago it must have been applied, such as 90d. Longer than the topic keeps records, and than the oldest
    /// dead letter and the oldest parked event are old.
    #[arg(long, value_name = "AGE", value_parser = age)]
    pub older_than: Duration,
    /// Fold them. Without it, only what this would do is shown.
    #[arg(long)]
    pub execute: bool,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// How old a line must be.
///
/// # Errors
/// The text is no age, with what it has to be.
pub(crate) fn age(text: &str) -> Result<Duration, &'static str> {
    let age = settings::span::parse(text).filter(|age| !age.is_zero());
    age.ok_or("must be a number with a unit, such as 12h or 90d")
}

/// The tables of a ledger that can be compacted.
pub trait LedgerTables: LedgerCompaction + ParkingExpiry + Heartbeats + RedriveJobs + AuditLog {}

impl<T: LedgerCompaction + ParkingExpiry + Heartbeats + RedriveJobs + AuditLog> LedgerTables for T {}

/// Why nothing was folded, or not all of it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It cannot be noted who did it.
    #[error(transparent)]
    Unaudited(#[from] dlq::Refusal),
    /// The compaction has begun and not come to its end.
    #[error("not all was folded: {}. What was folded is whole; run the command again to go on", .0.without_advice())]
    BrokenOff(Fault),
    /// A part is away.
    #[error("{}", .0.without_advice())]
    Fault(#[from] Fault),
}

/// Looks at what would be folded and what forbids it, and with `execute` folds it, unless something forbids it. A compaction that was begun and broken off is
/// gone on with in its place: what its lines are needed for was settled when it began.
///
/// # Errors
/// A part is away, or, with `execute`, it cannot be noted: nothing was folded then. Or it was broken off.
pub async fn compact<P: GroupOffsets, T: LedgerTables, Q: DeadLetterReader>(
    kafka: &P,
    tables: &T,
    dead_letters: &Q,
    kept: Kept,
    (who, arguments): (Who, &CompactArgs),
    on_progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Report, Refusal> {
    let state = tables.ledger_state().await?;
    let lines = within_time(tables.count(Table::Adjustments).await)?;
    let age = i64::try_from(arguments.older_than.as_micros()).unwrap_or(i64::MAX);
    let before = tables.now().await?.plus_micros(age.saturating_neg());
    let cutoff = state.under_way.map_or(Cutoff { events_before: before, applied_before: before }, |under_way| under_way.cutoff);
    let obstacles = match state.under_way {
        Some(_) => Vec::new(),
        None => {
            let wanted = Wanted { older_than: arguments.older_than, before, already: state.events_before };
            bounds::obstacles(kafka, tables, dead_letters, &kept, wanted).await?
        }
    };
    let foldable = within_time(tables.foldable(cutoff).await)?;
    let mut report = Report { kept, older_than: arguments.older_than, cutoff, state, lines, foldable, obstacles, folded: None };
    if arguments.execute && report.obstacles.is_empty() {
        let Kept { topic, .. } = &report.kept;
        let goes_on = if state.under_way.is_some() { ", gone on with" } else { "" };
        let subject = format!("ledger of topic {topic}: lines of events before {}{goes_on}", cutoff.events_before);
        let operation = Audit(tables).begin(who, AuditAction::Compact, Subject::new(subject)).await?;
        let folded = fold(tables, cutoff, lines.unwrap_or_default(), on_progress).await;
        operation.end(outcome(&folded, |folded| format!("{} folded", counted(*folded, "line", "lines")))).await;
        report.folded = Some(folded?);
    }
    Ok(report)
}

/// What was counted; `None` where that takes longer than a statement may: the larger a ledger is, the more it is worth to fold it.
fn within_time<N>(counted: Result<N, Fault>) -> Result<Option<N>, Fault> {
    match counted {
        Err(Fault { class: FaultClass::Unavailable { timed_out: true }, .. }) => Ok(None),
        counted => counted.map(Some),
    }
}

/// Folds to the end. Returns how many lines.
async fn fold(tables: &impl LedgerCompaction, cutoff: Cutoff, lines: u64, on_progress: &(dyn Fn(u64, u64) + Sync)) -> Result<u64, Refusal> {
    let Compaction { number, .. } = retried(|| tables.begin_compaction(cutoff)).await?;
    let (mut folded, mut looked_at) = (0, 0);
    loop {
        let step = retried(|| tables.compact(number, LINES_PER_TRANSACTION)).await.map_err(Refusal::BrokenOff)?;
        folded += step.folded;
        looked_at += step.looked_at;
        on_progress(looked_at, lines.max(looked_at));
        if step.ended {
            return Ok(folded);
        }
    }
}

/// What met another writer is tried again.
async fn retried<N, F: Future<Output = Result<N, Fault>>>(mut work: impl FnMut() -> F) -> Result<N, Fault> {
    let mut tries = 1;
    loop {
        match work().await {
            Err(Fault { class: FaultClass::LockConflict | FaultClass::UniqueViolation, .. }) if tries < TRIES => tries += 1,
            ended => return ended,
        }
        tokio::time::sleep(backoff::race(chance::fraction())).await;
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_meets_another_writer_is_tried_again_and_not_for_ever() {
        for (conflicts, class, expected) in [
            (TRIES - 1, FaultClass::LockConflict, Ok(())),
            (TRIES, FaultClass::LockConflict, Err(FaultClass::LockConflict)),
            (1, FaultClass::Operator, Err(FaultClass::Operator)),
        ] {
            let mut left = conflicts;
            let worked = retried(|| {
                left = left.saturating_sub(1);
                let fault = Fault { dependency: pipeline::Dependency::Database, class, code: Some(1205), subject: "compact" };
                ready(if left > 0 || expected.is_err() { Err(fault) } else { Ok(()) })
            });
            assert_eq!(worked.await.map_err(|fault| fault.class), expected);
        }
    }

    #[test]
    fn a_ledger_that_is_too_large_to_be_counted_can_be_folded_all_the_same() {
        let fault = |class| Fault { dependency: pipeline::Dependency::Database, class, code: None, subject: "count_rows" };
        assert_eq!(within_time(Ok(5)), Ok(Some(5)));
        assert_eq!(within_time::<u64>(Err(fault(FaultClass::Unavailable { timed_out: true }))), Ok(None));
        let away = fault(FaultClass::Unavailable { timed_out: false });
        assert_eq!(within_time::<u64>(Err(away.clone())), Err(away));
    }

    #[test]
    fn an_age_is_a_number_with_a_unit_and_not_nothing() {
        assert_eq!(age("90d"), Ok(Duration::from_secs(90 * 86_400)));
        for wrong in ["", "0", "0d", "-1d", "a while"] {
            assert!(age(wrong).is_err(), "{wrong}");
        }
    }
}
