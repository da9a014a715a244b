//! The pipeline on one screen: what the running process says of itself, how far the group is, what waits, and what is dead.

mod changes;
mod consumers;
mod dead_letters;
mod process;
mod screen;

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use events::Timestamp;
use pipeline::AwaitedParent;
use pipeline::fault::Fault;
use pipeline::ports::{AuditLog, AwaitedParents, Clock as _, DeadLetterReader, GroupProgress, Heartbeats, ParkingExpiry};
use serde::Serialize;
use telemetry::Shutdown;
use telemetry::output::print_line;

pub use changes::Change;
use changes::changes;
pub use dead_letters::Group;
use dead_letters::groups;
pub use process::{Answer, AnsweredLog, AnsweredPosition, EventTimeLag, Part, Process, Verification, group_of};

use crate::backends::SystemClock;
use crate::fleet::ConsumerView;
use crate::parked::parent_name;
use crate::{fleet, reason, watch};

/// Missing parents that are told.
const PARENTS: usize = 3;

/// `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Args)]
pub struct StatusArgs {
    /// Show it again every so many seconds, until Ctrl-C.
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "5", value_parser = watch::seconds, conflicts_with = "json")]
    pub watch: Option<Duration>,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// Everything that is known of the pipeline at one moment. A part that cannot be asked says why in its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// When it was asked for.
    pub at: Timestamp,
    /// The process that consumes here.
    pub process: Process,
    /// The topic, and how far the group is, partition by partition; `None` where nothing says which Kafka to ask, and no process tells.
    pub lag: Option<Known<Lag>>,
    /// Who consumes, by what each of them says; `None` where nothing says where the tables are.
    pub consumers: Option<Known<Vec<ConsumerView>>>,
    /// Events that wait for a parent; `None` where nothing says where the tables are.
    pub parked: Option<Known<Parked>>,
    /// The dead letters by what they have in common, the most frequent first; `None` where nothing says where they are.
    pub dead_letters: Option<Known<Vec<Group>>>,
    /// Dead letters that a redrive has claimed: they are in no group. 0 where nothing says.
    pub claimed: u64,
    /// What operators have changed last, the newest first; `None` where nothing says where the tables are.
    pub changes: Option<Known<Vec<Change>>>,
}

/// What a part answered, or why it did not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Known<T> {
    /// Its answer.
    Yes(T),
    /// A sentence.
    No {
        /// What is wrong, and who mends it.
        problem: String,
    },
}

impl<T> From<Result<T, Fault>> for Known<T> {
    fn from(answer: Result<T, Fault>) -> Self {
        answer.map_or_else(|fault| Self::No { problem: reason::told(&fault) }, Self::Yes)
    }
}

/// How far the group is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lag {
    /// The topic.
    pub topic: String,
    /// The group.
    pub group: String,
    /// Members of the group; `None` where the brokers do not tell.
    pub members: Option<u64>,
    /// The topic's partitions, whoever owns them.
    pub partitions: Vec<PartitionLag>,
}

/// One partition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PartitionLag {
    /// Its number.
    pub partition: i32,
    /// One after the last offset.
    pub end: i64,
    /// The next offset that the group reads.
    pub next: i64,
    /// Whether the group has ever committed one.
    pub committed: bool,
    /// Offsets that the group has not consumed.
    pub lag: u64,
    /// The member of the group that has it: where it connects from, and the end of its id. `None` where nobody has it, or nobody tells.
    pub owner: Option<String>,
}

/// Events that wait for a parent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Parked {
    /// How many.
    pub events: u64,
    /// When the oldest of them was parked.
    pub oldest: Option<Timestamp>,
    /// What the most of them wait for, these first.
    pub largest: Vec<MissingParent>,
}

/// What some events wait for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MissingParent {
    /// Such as `user 0190…`.
    pub parent: String,
    /// How many wait for it.
    pub events: u64,
}

/// Who knows how far a group is.
#[derive(Debug)]
pub struct Progress<'a, P> {
    /// The topic.
    pub topic: &'a str,
    /// The group.
    pub group: &'a str,
    /// Kafka.
    pub kafka: &'a P,
}

/// What to ask. What is `None` is not known, and told so.
pub struct Sources<'a, F, P, S, Q> {
    /// What the process says of itself: [`Process::ask`], or [`Process::here`] where it is this one.
    pub process: F,
    /// What it consumes.
    pub topic: &'a str,
    /// Who knows how far the group is. Without it the process is asked: an embedded broker is in that.
    pub progress: Option<Progress<'a, P>>,
    /// The tables.
    pub tables: Option<&'a S>,
    /// The dead letters.
    pub dead_letters: Option<&'a Q>,
}

/// Asks every part at once. Looks at every dead letter: not for each second.
pub async fn status<F, P, S, Q>(sources: Sources<'_, F, P, S, Q>) -> Status
where
    F: Future<Output = Process>,
    P: GroupProgress,
    S: ParkingExpiry + AwaitedParents + AuditLog + Heartbeats,
    Q: DeadLetterReader,
{
    let Sources { process, topic, progress, tables, dead_letters } = sources;
    let lag = async {
        match progress {
            Some(progress) => {
                let topic = progress.topic;
                Some(match lag(progress).await {
                    // Of all settings it is the topic's name that is to be compared.
                    Err(fault) if fault.is_about_topic() => Known::No { problem: format!("{} ({topic})", reason::told(&fault)) },
                    answer => answer.into(),
                })
            }
            None => None,
        }
    };
    let consumers = async {
        match tables {
            Some(tables) => Some(fleet::consumers(tables).await.into()),
            None => None,
        }
    };
    let parked = async {
        match tables {
            Some(tables) => Some(parked(tables).await.into()),
            None => None,
        }
    };
    let changes = async {
        match tables {
            Some(tables) => Some(changes(tables).await.into()),
            None => None,
        }
    };
    let queue = dead_letters;
    let dead_letters = async {
        match queue {
            Some(queue) => Some(groups(queue).await.into()),
            None => None,
        }
    };
    let claimed = async {
        match queue {
            Some(queue) => queue.claimed().await.unwrap_or_default(),
            None => 0,
        }
    };
    let (process, lag, consumers, parked, dead_letters, claimed, changes) =
        tokio::join!(process, lag, consumers, parked, dead_letters, claimed, changes);
    let lag = lag.or_else(|| Lag::told_by(&process, topic).map(Known::Yes));
    Status { at: SystemClock.now(), process, lag, consumers, parked, dead_letters, claimed, changes }
}

async fn lag(Progress { topic, group, kafka }: Progress<'_, impl GroupProgress>) -> Result<Lag, Fault> {
    let (log, members) = tokio::join!(kafka.log(), kafka.members());
    // Without them the rest can be told all the same.
    let (log, members) = (log?, members.ok().flatten());
    let owner = |partition: i32| {
        let member = members.iter().flatten().find(|member| member.partitions.contains(&partition))?;
        Some(format!("{} {}", member.host, short_id(&member.id)))
    };
    let partitions = log.partitions.iter().map(|(partition, state)| PartitionLag {
        partition: *partition,
        end: state.end,
        next: state.next(),
        committed: state.committed.is_some(),
        lag: state.lag(),
        owner: owner(*partition),
    });
    let partitions = partitions.collect();
    let members = members.as_ref().map(|members| members.len() as u64);
    Ok(Lag { topic: topic.to_owned(), group: group.to_owned(), members, partitions })
}

impl Lag {
    /// As the process itself tells it, of the partitions that it reads.
    fn told_by(process: &Process, topic: &str) -> Option<Self> {
        let answer = process.answer.as_ref()?;
        let log = answer.log.as_ref().filter(|log| !log.partitions.is_empty())?;
        let partition = |of: &AnsweredPosition| PartitionLag {
            partition: of.partition,
            end: of.end,
            next: of.position,
            committed: true,
            lag: u64::try_from(of.end - of.position).unwrap_or_default(),
            owner: None,
        };
        let partitions = log.partitions.iter().map(partition).collect();
        Some(Self { topic: topic.to_owned(), group: answer.group.clone()?, members: None, partitions })
    }
}

async fn parked(tables: &(impl ParkingExpiry + AwaitedParents)) -> Result<Parked, Fault> {
    let ((events, oldest), awaited) = tokio::try_join!(tables.parked(), tables.awaited(PARENTS, 1))?;
    let named = |parent: &AwaitedParent| MissingParent { parent: parent_name(parent.waits_for), events: parent.children };
    Ok(Parked { events, oldest, largest: awaited.largest.iter().map(named).collect() })
}

/// The end of a member's id: its beginning is the same for all.
fn short_id(id: &str) -> &str {
    id.char_indices().nth_back(7).map_or(id, |(at, _)| &id[at..])
}

impl Status {
    /// Whether the process is ready, no process has found the tables different from the log, and every part that was asked has answered. Lag and dead
    /// letters do not count: both are work that goes on.
    pub fn is_well(&self) -> bool {
        self.process.is_ready()
            && !self.process.tables_differ()
            && !matches!(&self.consumers, Some(Known::Yes(consumers)) if fleet::tables_differ(consumers))
            && !matches!(self.lag, Some(Known::No { .. }))
            && !matches!(self.parked, Some(Known::No { .. }))
            && !matches!(self.dead_letters, Some(Known::No { .. }))
    }

    /// As JSON.
    pub fn to_json(&self) -> String {
        // Text, numbers and lists can be written.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Asks, and shows what was found: once, or again and again until Ctrl-C.
///
/// # Errors
/// The signals of the system cannot be heard, or the screen cannot be written.
pub async fn tell(arguments: StatusArgs, mut ask: impl AsyncFnMut() -> Status) -> anyhow::Result<ExitCode> {
    let Some(every) = arguments.watch else {
        return Ok(show(&ask().await, arguments.json));
    };
    let stop = Shutdown::on_signals()?.token();
    watch::repeat(every, &stop, async |out| {
        let status = ask().await;
        Ok(write!(out, "{}\n\n{status}", status.at)?)
    })
    .await
}

/// Prints it on the standard output. The exit code is 0 where [`Status::is_well`] holds and it could be printed, and 1 otherwise.
fn show(status: &Status, json: bool) -> ExitCode {
    let printed = if json { print_line(status.to_json()) } else { print_line(status.to_string().trim_end()) };
    if printed && status.is_well() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(partitions: Vec<AnsweredPosition>) -> Process {
        let log = Some(AnsweredLog { lost: 0, partitions });
        let answer = Answer { status: "ready".into(), parts: std::collections::BTreeMap::new(), group: Some("g".into()), log };
        Process {
            address: "127.0.0.1:9090".parse().unwrap(),
            answer: Some(answer),
            verification: None,
            events_per_second: None,
            ahead_of_clock: 0,
            event_time_lag: None,
        }
    }

    #[test]
    fn the_lag_of_a_broker_that_nobody_else_can_ask_is_what_the_process_tells() {
        let lag = Lag::told_by(&process(vec![AnsweredPosition { partition: 3, position: 7, end: 19 }]), "events").unwrap();
        assert_eq!((lag.topic.as_str(), lag.group.as_str(), lag.members), ("events", "g", None));
        let [partition] = &lag.partitions[..] else { panic!("{lag:?}") };
        assert_eq!((partition.partition, partition.next, partition.end, partition.lag), (3, 7, 19, 12));
        assert_eq!(Lag::told_by(&process(Vec::new()), "events"), None, "it has not begun to read");
    }
}
