//! Consuming records again: the group's offsets are moved back, while nobody is in the group.
//!
//! | module | what it holds |
//! |---|---|
//! | [`report`] | what comes again and what does not, as text or JSON |
//!
//! The positions of the tables stay: [`pipeline::replay`] says why the group's offsets suffice. What is applied again changes nothing, as with every
//! record that comes twice.

pub mod report;

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use events::Timestamp;
use pipeline::audit::AuditAction;
use pipeline::fault::Fault;
use pipeline::ports::{AuditLog, GroupOffsets, LogPositions};
use pipeline::replay::{Replay, replay as replay_partition};
use pipeline::{GroupMember, LogPosition, LogState};

use crate::audit::{Audit, Subject, Who, outcome};
use crate::dlq;
pub use report::Report;

/// Partitions that an entry of the audit log names: it has room for so many.
const NAMED: usize = 40;

/// `replay`.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct ReplayArgs {
    /// From where on: `earliest`, an offset, or a time such as 2026-01-15T10:30:00Z, compared with the records' own times in Kafka.
    #[arg(long, value_name = "FROM", value_parser = from)]
    pub from: StartAt,
    /// Only this partition; without it all of them.
    #[arg(long, value_name = "P", value_parser = clap::value_parser!(i32).range(0..))]
    pub partition: Option<i32>,
    /// Move the group's offsets. Without it, only what this would do is shown.
    #[arg(long)]
    pub execute: bool,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// From where on records are to come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartAt {
    /// From the first one that the log still has.
    Earliest,
    /// From this offset of each partition.
    Offset(i64),
    /// From the first one of each partition that is not older.
    Time(Timestamp),
}

fn from(text: &str) -> Result<StartAt, &'static str> {
    match text {
        "earliest" => Ok(StartAt::Earliest),
        "latest" => Err("nothing would come again from there, and what the tables do not hold cannot be skipped"),
        _ => match text.parse::<i64>() {
            Ok(offset) if offset >= 0 => Ok(StartAt::Offset(offset)),
            Ok(_) => Err("an offset is 0 or more"),
            Err(_) => {
                Timestamp::parse(text).map(StartAt::Time).map_err(|_| "not `earliest`, an offset, or a time such as 2026-01-15T10:30:00Z")
            }
        },
    }
}

impl std::fmt::Display for StartAt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Earliest => f.write_str("the beginning"),
            Self::Offset(offset) => write!(f, "offset {offset}"),
            Self::Time(at) => write!(f, "{at}"),
        }
    }
}

/// Whose offsets they are, and how long the topic keeps records, where that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The group.
    pub name: String,
    /// The topic.
    pub topic: String,
    /// The topic's `retention.ms`; [`Duration::MAX`] where records are kept for ever.
    pub retention: Option<Duration>,
}

/// Why nothing was moved.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no such partition.
    #[error("--partition: the topic has no partition {partition}; it has {known}, numbered from 0")]
    NoPartition {
        /// What was asked for.
        partition: i32,
        /// How many there are.
        known: usize,
    },
    /// Somebody consumes.
    #[error(
        "the group has members, so nothing was moved: {}. Stop them first; one that was killed is gone after KAFKA_SESSION_TIMEOUT",
        report::names(.0)
    )]
    Members(Vec<GroupMember>),
    /// The brokers do not say whether somebody does.
    #[error("whether somebody is in the group cannot be told, so nothing was moved: {}", .0.without_advice())]
    UnknownMembers(Fault),
    /// The brokers do not have the question.
    #[error("these brokers do not tell whether somebody is in the group, so nothing was moved")]
    UntoldMembers,
    /// It cannot be noted who did it.
    #[error(transparent)]
    Unaudited(#[from] dlq::Refusal),
    /// The broker did not take the offsets.
    #[error("the group's offsets were not moved: {}. A consumer may have joined the group meanwhile", .0.without_advice())]
    NotMoved(Fault),
    /// Kafka or the tables are away.
    #[error("{}", .0.without_advice())]
    Fault(#[from] Fault),
}

/// Looks at what would come again, and with `execute` moves the group's offsets there. The group goes on from there to the end, as always.
///
/// # Errors
/// A part is away, or, with `execute`, somebody is in the group or it cannot be noted. Nothing was moved then.
pub async fn replay<P, T>(kafka: &P, tables: &T, group: Group, arguments: &ReplayArgs) -> Result<Report, Refusal>
where
    P: GroupOffsets,
    T: LogPositions + AuditLog,
{
    let members = kafka.members().await;
    let (log, known) = tokio::try_join!(kafka.log(), tables.positions(&group.topic))?;
    if let Some(partition) = arguments.partition.filter(|partition| !log.partitions.contains_key(partition)) {
        return Err(Refusal::NoPartition { partition, known: log.partitions.len() });
    }
    let wanted = wanted(kafka, arguments.from, &log).await?;
    let is_meant = |partition: &i32| arguments.partition.is_none_or(|only| only == *partition);
    let partitions = plan(&log, &known, &wanted, is_meant);
    let moves: BTreeMap<i32, i64> =
        partitions.iter().filter(|(_, found)| found.again() > 0).map(|(number, found)| (*number, found.then)).collect();
    if arguments.execute {
        match &members {
            Ok(Some(members)) if members.is_empty() => {}
            Ok(Some(members)) => return Err(Refusal::Members(members.clone())),
            Ok(None) => return Err(Refusal::UntoldMembers),
            Err(fault) => return Err(Refusal::UnknownMembers(fault.clone())),
        }
        if !moves.is_empty() {
            let subject = subject(&group, arguments.from, &partitions);
            let operation = Audit(tables).begin(Who::command_line(), AuditAction::Replay, Subject::new(subject)).await?;
            let moved = kafka.reset(&moves).await.map_err(Refusal::NotMoved);
            operation.end(outcome(&moved, |()| "moved".to_owned())).await;
            moved?;
        }
    }
    let members = members.ok().flatten();
    Ok(Report { group, from: arguments.from, members, partitions, executed: arguments.execute && !moves.is_empty() })
}

/// The offset of each partition from which on its records are to come again.
async fn wanted(kafka: &impl GroupOffsets, from: StartAt, log: &LogState) -> Result<BTreeMap<i32, i64>, Fault> {
    match from {
        StartAt::Earliest => Ok(log.partitions.keys().map(|partition| (*partition, 0)).collect()),
        StartAt::Offset(offset) => Ok(log.partitions.keys().map(|partition| (*partition, offset)).collect()),
        StartAt::Time(at) => kafka.offsets_at(at.unix_millis()).await,
    }
}

fn plan(log: &LogState, known: &[LogPosition], wanted: &BTreeMap<i32, i64>, is_meant: impl Fn(&i32) -> bool) -> BTreeMap<i32, Replay> {
    let of = |partition: i32| {
        // A partition that was added between the two questions has nothing to be read again.
        let wanted = wanted.get(&partition).copied().unwrap_or(i64::MAX);
        (partition, replay_partition(partition, log, known, wanted))
    };
    log.partitions.keys().filter(|partition| is_meant(partition)).map(|partition| of(*partition)).collect()
}

/// What the audit log says of it.
fn subject(group: &Group, from: StartAt, partitions: &BTreeMap<i32, Replay>) -> String {
    let moved: Vec<_> = partitions.iter().filter(|(_, found)| found.again() > 0).collect();
    let named = moved.iter().take(NAMED).map(|(number, Replay { now, then, .. })| format!("{number}: {now} to {then}"));
    let named = named.collect::<Vec<_>>().join(", ");
    let more = moved.len().saturating_sub(NAMED);
    let more = if more == 0 { String::new() } else { format!(", and {more} more") };
    format!("offsets of group {} in topic {}, back to {from}; {named}{more}", group.name, group.topic)
}
