//! The records that the group has not consumed yet, and what each would come to: what a hold keeps back, before anybody lets it pass.
//!
//! | module | what it holds |
//! |---|---|
//! | [`report`] | what was seen, as text or JSON; no payload is in it |

pub mod report;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use events::{EventType, Timestamp};
use futures_util::future::BoxFuture;
use pipeline::dead_letter::Diagnosis;
use pipeline::decoded::{Decoded, decode_record};
use pipeline::fault::{Dependency, Fault, FaultClass};
use pipeline::plan::Candidate;
use pipeline::ports::{Clock as _, DryRun, GroupProgress, LogReader, PollLimits};
use pipeline::{LogState, Outcome, PartitionState, Position, Record};
use telemetry::output::print_line;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use crate::backends::SystemClock;
use crate::dlq::dry_run::{Rules, outcomes};
pub use report::Peeked;

/// How long it is waited for records: those behind an open transaction come only when it ends.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the tables are asked. Where they do not answer, the records are told all the same.
const ASKING: Duration = Duration::from_secs(8);
/// One wait for them.
const WAIT: Duration = Duration::from_millis(200);
/// Records, and bytes of them, that one poll may bring.
const POLL_RECORDS: usize = 10_000;
const POLL_BYTES: usize = 16 << 20;
/// Bytes of values that are kept at once, before another poll: records may be large.
const KEPT_BYTES: usize = 64 << 20;

/// Looks at what the group has not consumed, by a reader of its own.
pub type Peek = Arc<dyn Fn(PeekArgs) -> BoxFuture<'static, Result<Peeked, Refusal>> + Send + Sync>;

/// `peek`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Args)]
pub struct PeekArgs {
    /// How many records to look at, the oldest first.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub records: u64,
    /// Only those of this partition.
    #[arg(long, value_name = "P", value_parser = clap::value_parser!(i32).range(0..))]
    pub partition: Option<i32>,
    /// Show only those that cannot be written; the others are counted.
    #[arg(long)]
    pub broken: bool,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// A record that the group has not consumed, and what it would come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Where it stands.
    pub position: Position,
    /// Its own time, where it has one.
    pub at: Option<Timestamp>,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Bytes of its value; `None` where it has none.
    pub size: Option<usize>,
    /// The names of its headers, in order.
    pub headers: Vec<String>,
    /// The event's id, where it could be read.
    pub event_id: Option<Uuid>,
    /// The event's type, where it could be read.
    pub event_type: Option<EventType>,
    /// What it would come to.
    pub verdict: Verdict,
}

/// What a record would come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It keeps the contract; the tables could not be asked.
    Event,
    /// The tables took it, and would end it so.
    Ended(Outcome),
    /// It breaks the contract.
    Broken(Diagnosis),
    /// It has no value, and would be skipped.
    Tombstone,
}

impl Verdict {
    /// The fingerprint of the dead letter that it would become; `None` where it would become none.
    pub fn fingerprint(&self, event_type: Option<EventType>) -> Option<String> {
        match self {
            Self::Broken(diagnosis) => Some(diagnosis.fingerprint()),
            Self::Ended(Outcome::Rejected { reason, code }) => {
                Some(Diagnosis::rejected(Uuid::nil(), event_type?, *reason, *code).fingerprint())
            }
            Self::Event | Self::Ended(_) | Self::Tombstone => None,
        }
    }
}

/// Reads what the group has not consumed, from outside of it, and has the tables do what they would do with it, and undo it. Changes nothing and
/// commits nothing.
///
/// # Errors
/// Kafka is away, or has no such partition. Tables that are away are told in the answer.
pub async fn peek<P, L, T>(progress: &P, reader: &mut L, tables: &T, arguments: PeekArgs, rules: Rules) -> Result<Peeked, Refusal>
where
    P: GroupProgress,
    L: LogReader,
    T: DryRun,
{
    let log = progress.log().await?;
    if let Some(partition) = arguments.partition.filter(|partition| !log.partitions.contains_key(partition)) {
        return Err(Refusal::NoPartition { partition, known: log.partitions.len() });
    }
    let ends = ends(&log, &arguments);
    let is_meant = |partition: &i32| arguments.partition.is_none_or(|only| only == *partition);
    let unconsumed = log.partitions.iter().filter(|(partition, _)| is_meant(partition)).map(|(_, state)| state.lag()).sum();
    let mut records = if ends.is_empty() { Vec::new() } else { read(reader, &log, &ends).await? };
    let is_complete = ends.is_empty() || reader.is_read();
    // Partitions come merged, but a poll knows only what it has received.
    records.sort_by_key(|record| (record.timestamp_ms, record.position.partition, record.position.offset));
    records.truncate(arguments.records as usize);
    let (seen, tables) = judge(tables, &records, rules).await;
    Ok(Peeked { unconsumed, is_complete, seen, tables, only_broken: arguments.broken })
}

/// What each record would come to, and whether the tables could be asked. They are asked as one batch, so that a child sees its parent.
async fn judge(tables: &impl DryRun, records: &[Record], rules: Rules) -> (Vec<Seen>, Result<(), Fault>) {
    let now = SystemClock.now();
    let (mut seen, mut candidates, mut places) = (Vec::with_capacity(records.len()), Vec::new(), Vec::new());
    for record in records {
        let (event_id, event_type, verdict) = match decode_record(record, now, rules.max_clock_skew) {
            Decoded::Valid(event) => {
                let named = (Some(event.id), Some(event.event_type()), Verdict::Event);
                candidates.push(Candidate { event, parked: None });
                places.push(seen.len());
                named
            }
            Decoded::Broken(violation) => (violation.event_id, violation.event_type, Verdict::Broken(Diagnosis::from(&violation))),
            Decoded::Tombstone => (None, None, Verdict::Tombstone),
        };
        seen.push(Seen {
            position: record.position.clone(),
            at: record.timestamp_ms.and_then(Timestamp::from_unix_millis),
            key: record.key.clone(),
            size: record.value.as_ref().map(Vec::len),
            headers: record.headers.iter().map(|header| header.name.clone()).collect(),
            event_id,
            event_type,
            verdict,
        });
    }
    let unanswered =
        Fault { dependency: Dependency::Database, class: FaultClass::Unavailable { timed_out: true }, code: None, subject: "dry_run" };
    let asked = timeout(ASKING, outcomes(tables, &candidates, rules)).await.unwrap_or(Err(unanswered));
    let asked = asked.map(|(outcomes, _)| {
        for (place, outcome) in places.into_iter().zip(outcomes) {
            seen[place].verdict = Verdict::Ended(outcome);
        }
    });
    (seen, asked)
}

/// Why nothing could be looked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such partition.
    #[error("the topic has no partition {partition}; it has {known}, numbered from 0")]
    NoPartition {
        /// What was asked for.
        partition: i32,
        /// How many there are.
        known: usize,
    },
    /// Kafka is away.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Up to where each partition that has something left is read.
fn ends(log: &LogState, arguments: &PeekArgs) -> BTreeMap<i32, i64> {
    let is_meant = |partition: i32| arguments.partition.is_none_or(|only| only == partition);
    let left = log.partitions.iter().filter(|(partition, state)| is_meant(**partition) && state.lag() > 0);
    left.map(|(partition, state)| (*partition, state.end.min(state.next().saturating_add(arguments.records as i64)))).collect()
}

/// Everything up to the ends, or what has come in time and is not too large to be kept.
async fn read(reader: &mut impl LogReader, log: &LogState, ends: &BTreeMap<i32, i64>) -> Result<Vec<Record>, Fault> {
    let (mut records, mut bytes) = (Vec::new(), 0);
    let until = Instant::now() + PATIENCE;
    reader.read_to(ends);
    loop {
        for unstarted in reader.unstarted() {
            let from = log.partitions.get(&unstarted.partition).map_or(0, PartitionState::next);
            reader.start(unstarted, from).await?;
        }
        if reader.is_read() || bytes >= KEPT_BYTES || Instant::now() >= until {
            return Ok(records);
        }
        let polled = reader.poll_batch(PollLimits { records: POLL_RECORDS, bytes: POLL_BYTES }, WAIT).await?;
        bytes += polled.iter().filter_map(|record| record.value.as_ref()).map(Vec::len).sum::<usize>();
        records.extend(polled);
    }
}

/// Prints it on the standard output. The exit code is 0 where it could be printed, every record came and the tables could be asked, and 1 otherwise.
pub fn show(peeked: &Peeked, json: bool) -> ExitCode {
    let printed = if json { print_line(peeked.to_json()) } else { print_line(peeked.to_string().trim_end()) };
    if printed && peeked.tables.is_ok() && peeked.is_complete { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
