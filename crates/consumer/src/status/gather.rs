//! Asking every part at once.

use pipeline::AwaitedParent;
use pipeline::fault::{Dependency, Fault};
use pipeline::ports::{AuditLog, AwaitedParents, Clock as _, DeadLetterReader, GroupProgress, Heartbeats, ParkingExpiry};

use super::changes::changes;
use super::dead_letters::groups;
use super::verdict::problems;
use super::{AnsweredPosition, Known, Lag, MissingParent, Parked, PartitionLag, Process, Status};
use crate::backends::SystemClock;
use crate::fleet::{self, ConsumerView};
use crate::parked::parent_name;

/// Missing parents that are told.
const PARENTS: usize = 3;

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
    pub tables: Opened<'a, S>,
    /// The dead letters.
    pub dead_letters: Opened<'a, Q>,
    /// Settings that somebody has set for this look and that do nothing, a sentence each.
    pub idle_settings: &'a [String],
}

/// What can be asked; `None` where nothing names it, and a sentence where what is named cannot be opened.
pub type Opened<'a, T> = Option<Result<&'a T, &'a str>>;

/// Asks, where there is somebody to ask.
async fn ask<'a, T, A, F>(opened: Opened<'a, T>, question: impl FnOnce(&'a T) -> F) -> Option<Known<A>>
where
    F: Future<Output = Result<A, Fault>>,
{
    Some(match opened? {
        Ok(part) => question(part).await.into(),
        Err(problem) => Known::not(problem),
    })
}

/// Asks every part at once. Looks at every dead letter: not for each second.
pub async fn status<F, P, S, Q>(sources: Sources<'_, F, P, S, Q>) -> Status
where
    F: Future<Output = Process>,
    P: GroupProgress,
    S: ParkingExpiry + AwaitedParents + AuditLog + Heartbeats,
    Q: DeadLetterReader,
{
    let Sources { process, topic, progress, tables, dead_letters: queue, idle_settings } = sources;
    let lag = async {
        match progress {
            Some(progress) => Some(lag(progress).await),
            None => None,
        }
    };
    let claimed = async {
        match queue {
            Some(Ok(queue)) => queue.claimed().await.unwrap_or_default(),
            Some(Err(_)) | None => 0,
        }
    };
    let (process, lag, consumers, parked, dead_letters, claimed, changes) =
        tokio::join!(process, lag, ask(tables, fleet::consumers), ask(tables, parked), ask(queue, groups), claimed, ask(tables, changes));
    let mut lag = lag.or_else(|| Lag::told_by(&process, topic).map(Known::Yes));
    if let (Some(Known::Yes(lag)), Some(Known::Yes(consumers))) = (&mut lag, &consumers) {
        lag.name_owners(consumers);
    }
    let at = SystemClock.now();
    let (topic, idle_settings) = (topic.to_owned(), idle_settings.to_vec());
    let known = Status { at, problems: Vec::new(), process, lag, consumers, parked, dead_letters, claimed, changes, topic, idle_settings };
    Status { problems: problems(&known), ..known }
}

/// How far the group is. Of all settings it is the topic's name that is to be compared where that is missing.
async fn lag(progress: Progress<'_, impl GroupProgress>) -> Known<Lag> {
    let Progress { topic, kafka, .. } = progress;
    match look_at_group(progress).await {
        Err(fault) if fault.is_about_topic() => {
            let similar = kafka.similar_topics().await.unwrap_or_default();
            let meant = if similar.is_empty() { String::new() } else { format!(" (similar: {})", similar.join(", ")) };
            let where_it_is = Dependency::Kafka.name();
            let problem = format!(
                "{where_it_is} has no topic {topic}, or not for this user; correct KAFKA_TOPIC{meant}, or create the topic: \
                 `kafka-topics --create`, or `standalone --create-topic`"
            );
            Known::No { problem, about_topic: true }
        }
        answer => answer.into(),
    }
}

async fn look_at_group(Progress { topic, group, kafka }: Progress<'_, impl GroupProgress>) -> Result<Lag, Fault> {
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
    /// Calls owners as the consumers call themselves, where they do: of a process, brokers know an address and an id that say nothing to a person.
    /// Where the one consumer is the one member of the group, what that owns is its own, although it has not said so yet.
    fn name_owners(&mut self, consumers: &[ConsumerView]) {
        let ours: Vec<_> = consumers
            .iter()
            .filter(|consumer| consumer.alive && (&consumer.group, &consumer.topic) == (&self.group, &self.topic))
            .collect();
        for partition in &mut self.partitions {
            let says_so = |consumer: &&&ConsumerView| consumer.partitions.iter().any(|own| own.partition == partition.partition);
            let alone = match ours[..] {
                [alone] if self.members == Some(1) && partition.owner.is_some() => Some(alone),
                _ => None,
            };
            if let Some(owner) = ours.iter().find(says_so).copied().or(alone) {
                partition.owner = Some(owner.name());
            }
        }
    }

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::AnsweredLog;
    use crate::status::verdict::testing::{consumer, lag, well};

    #[test]
    fn an_owner_is_called_as_it_calls_itself() {
        let mut status = well();
        let consumer = consumer(1);
        let lag = lag(&mut status);
        lag.partitions.iter_mut().for_each(|partition| partition.owner = Some("/10.0.0.7 3f9a1c2d".to_owned()));
        let owners = |lag: &Lag| lag.partitions.iter().map(|partition| partition.owner.clone().unwrap()).collect::<Vec<_>>();
        lag.name_owners(&[]);
        assert_eq!(owners(lag), ["/10.0.0.7 3f9a1c2d", "/10.0.0.7 3f9a1c2d"], "it says nothing");
        let silent = ConsumerView { partitions: Vec::new(), ..consumer.clone() };
        let mut alone = lag.clone();
        alone.name_owners(std::slice::from_ref(&silent));
        assert_eq!(owners(&alone), ["host-a 4711", "host-a 4711"], "it has not said so yet, and is the only one");
        let other = ConsumerView { group: "other".to_owned(), ..consumer.clone() };
        lag.members = Some(2);
        lag.name_owners(&[silent, other]);
        assert_eq!(owners(lag), ["/10.0.0.7 3f9a1c2d", "/10.0.0.7 3f9a1c2d"]);
        lag.name_owners(&[consumer]);
        assert_eq!(owners(lag), ["host-a 4711", "host-a 4711"]);
    }

    #[test]
    fn the_lag_of_a_broker_that_nobody_else_can_ask_is_what_the_process_tells() {
        let mut process = well().process;
        assert_eq!(Lag::told_by(&process, "events"), None, "it has not begun to read");
        let partitions = vec![AnsweredPosition { partition: 3, position: 7, end: 19 }];
        process.answer.as_mut().unwrap().log = Some(AnsweredLog { lost: 0, partitions });
        let lag = Lag::told_by(&process, "events").unwrap();
        assert_eq!((lag.topic.as_str(), lag.group.as_str(), lag.members), ("events", "group", None));
        let [partition] = &lag.partitions[..] else { panic!("{lag:?}") };
        assert_eq!((partition.partition, partition.next, partition.end, partition.lag), (3, 7, 19, 12));
    }
}
