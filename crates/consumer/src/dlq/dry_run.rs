//! Asking the database what a redrive would come to.

use std::time::Duration;

use events::Timestamp;
use pipeline::decoded::{Decoded, decode_record};
use pipeline::fault::Fault;
use pipeline::outcome::Outcome;
use pipeline::plan::{Candidate, items};
use pipeline::ports::{Clock as _, DeadLetterReader, DryRun, Message};
use pipeline::record::{Position, Record};
use pipeline::rounds::Rounds;

use super::bad_events::outcomes_of;
use super::choice::{Choice, RedriveRequest};
use super::dry_run_outcome::{DryRunOutcome, Preview, Totals};
use super::listed::Listed;
use super::scan::Scan;
use crate::backends::SystemClock;

/// Payloads of one batch, in bytes; more is dry-run in several.
const GROUP_BYTES: usize = 64 << 20;

/// How the consumer would decode and write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Rows that one statement may write.
    pub max_rows: usize,
    /// How far an event's timestamp may lie after its record's, and after our clock.
    pub max_clock_skew: Duration,
}

/// Says of each entry that a redrive would send how it would end: decodes its payload and has the tables do what they would do with it, and
/// undo it. Changes nothing.
///
/// The entries are one batch as long as that is not larger than a statement may be. What is dry-run in one batch is not there for the
/// next, so that children may seem to wait for parents of an earlier batch; [`Totals::batches`] tells.
///
/// # Errors
/// A part is away. Nothing is waited out.
pub async fn dry_run<Q, R>(
    queue: &Q,
    tables: &R,
    order: &RedriveRequest,
    rules: Rules,
    mut show: impl FnMut(Preview),
) -> Result<Totals, Fault>
where
    Q: DeadLetterReader,
    R: DryRun,
{
    let now = SystemClock.now();
    let mut stage = Stage { tables, rules, now, entries: Vec::new(), bytes: 0, totals: Totals::default() };
    let mut chosen = 0;
    let mut scan = Scan::start(queue).await?;
    'scan: loop {
        let page = scan.look().await?;
        if page.is_empty() {
            break;
        }
        for listed in page {
            if order.limit.is_some_and(|limit| chosen >= limit) {
                break 'scan;
            }
            match order.choose(&listed, now) {
                Choice::NotSelected => stage.totals.not_selected += 1,
                Choice::TooManyRetries => stage.tell(&listed, &DryRunOutcome::TooManyRetries, &mut show),
                Choice::Unreadable => stage.tell(&listed, &DryRunOutcome::Unreadable, &mut show),
                Choice::Chosen(_, message) => {
                    chosen += 1;
                    let record = record(now, message);
                    stage.add(listed, record, &mut show).await?;
                }
            }
        }
    }
    stage.play(&mut show).await?;
    Ok(stage.totals)
}

/// How one message would end that is sent now.
///
/// # Errors
/// The tables are away.
pub async fn foresee(tables: &impl DryRun, message: Message, rules: Rules) -> Result<DryRunOutcome, Fault> {
    let now = SystemClock.now();
    let record = record(now, message);
    let event = match decode_record(&record, now, rules.max_clock_skew) {
        Decoded::Valid(event) => event,
        Decoded::Broken(violation) => return Ok(DryRunOutcome::Broken(violation)),
        Decoded::Tombstone => return Ok(DryRunOutcome::Unreadable),
    };
    let candidates = [Candidate { event, parked: None }];
    let (mut outcomes, _) = outcomes(tables, &candidates, rules).await?;
    Ok(outcomes.pop().map_or(DryRunOutcome::Unreadable, DryRunOutcome::Ended))
}

/// As the consumer writes candidates, round by round: how each would end, and in how many batches.
pub(crate) async fn outcomes(tables: &impl DryRun, candidates: &[Candidate<'_>], rules: Rules) -> Result<(Vec<Outcome>, u64), Fault> {
    let mut rounds = Rounds::new(candidates, rules.max_rows);
    let mut batches = 0;
    while let Some(round) = rounds.next_round() {
        batches += 1;
        let ended = outcomes_of(tables, &items(candidates, &round)).await?;
        rounds.note(&round, ended);
    }
    Ok((rounds.into_outcomes(), batches))
}

/// The record that a redrive would send, as the consumer would take it: stamped now.
fn record(now: Timestamp, message: Message) -> Record {
    // Where it would stand is not known, and nothing is decided by it.
    let position = Position { topic: "".into(), partition: 0, offset: 0 };
    let Message { key, value, headers } = message;
    Record { position, assignment: 0, timestamp_ms: Some(now.unix_millis()), timestamp_type: None, key, value, headers }
}

/// What is gathered for the next batch.
struct Stage<'a, R> {
    tables: &'a R,
    rules: Rules,
    now: Timestamp,
    entries: Vec<(Listed, Record)>,
    bytes: usize,
    totals: Totals,
}

impl<R: DryRun> Stage<'_, R> {
    fn tell(&mut self, listed: &Listed, dry_run_outcome: &DryRunOutcome, show: &mut impl FnMut(Preview)) {
        self.totals.note(dry_run_outcome);
        show(Preview::new(listed, dry_run_outcome, self.now));
    }

    async fn add(&mut self, listed: Listed, record: Record, show: &mut impl FnMut(Preview)) -> Result<(), Fault> {
        if self.entries.len() >= self.rules.max_rows || self.bytes + record.size() > GROUP_BYTES {
            self.play(show).await?;
        }
        self.bytes += record.size();
        self.entries.push((listed, record));
        Ok(())
    }

    /// Dry-runs what was gathered, and tells of each entry in its order.
    async fn play(&mut self, show: &mut impl FnMut(Preview)) -> Result<(), Fault> {
        let entries = std::mem::take(&mut self.entries);
        self.bytes = 0;
        let mut dry_run_outcome: Vec<Option<DryRunOutcome>> = Vec::with_capacity(entries.len());
        let (mut candidates, mut places) = (Vec::new(), Vec::new());
        for (place, (_, record)) in entries.iter().enumerate() {
            dry_run_outcome.push(match decode_record(record, self.now, self.rules.max_clock_skew) {
                Decoded::Valid(event) => {
                    candidates.push(Candidate { event, parked: None });
                    places.push(place);
                    None
                }
                Decoded::Broken(violation) => Some(DryRunOutcome::Broken(violation)),
                Decoded::Tombstone => Some(DryRunOutcome::Unreadable),
            });
        }
        let (outcomes, batches) = outcomes(self.tables, &candidates, self.rules).await?;
        self.totals.batches += batches;
        for (place, outcome) in places.into_iter().zip(outcomes) {
            dry_run_outcome[place] = Some(DryRunOutcome::Ended(outcome));
        }
        for ((listed, _), dry_run_outcome) in entries.iter().zip(dry_run_outcome) {
            self.tell(listed, &dry_run_outcome.unwrap_or(DryRunOutcome::Unreadable), show);
        }
        Ok(())
    }
}
