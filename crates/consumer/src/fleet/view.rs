//! The consumers, as they are shown.

use std::collections::BTreeMap;

use events::Timestamp;
use pipeline::fault::Fault;
use pipeline::heartbeat::{DownPart, Heartbeat, OwnedPartition, SeenConsumer, VerificationVerdict};
use pipeline::ports::Heartbeats;
use serde::Serialize;
use uuid::Uuid;

use super::{GONE, TOLD};

/// A consumer: one that is there, or one that is gone without having said so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConsumerView {
    /// This run of the process.
    pub instance: Uuid,
    /// The machine, or the container.
    pub host: String,
    /// The process there.
    pub process_id: u32,
    /// Of the program.
    pub version: String,
    /// The consumer group.
    pub group: String,
    /// The topic that is read.
    pub topic: String,
    /// When it started, by its own clock.
    pub started_at: Timestamp,
    /// How long ago it was heard of, by the database's clock.
    pub last_seen_seconds: u64,
    /// Whether it was heard of within [`GONE`].
    pub alive: bool,
    /// `ready`, `not ready` or `stopping`.
    pub status: String,
    /// The partitions that it owns; of one that is gone, that it has owned.
    pub partitions: Vec<PartitionView>,
    /// How many it owns beside them.
    pub more_partitions: u64,
    /// What does not work, or holds it.
    pub down: Vec<DownPart>,
    /// Events that ended in each of the last ten seconds, on average.
    pub events_per_second: u64,
    /// When offsets were committed last, by its own clock.
    pub last_commit: Option<String>,
    /// What the last verification that it did came to.
    pub verification: Option<VerificationVerdict>,
}

impl ConsumerView {
    /// As a person tells it from others: the machine and the process there.
    pub fn name(&self) -> String {
        format!("{} {}", self.host, self.process_id)
    }
}

/// A partition that a consumer owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PartitionView {
    /// Its number.
    pub partition: i32,
    /// One after the last offset whose record is finished; `None` where it has not begun.
    pub position: Option<i64>,
    /// One after the last offset of the log, as it was seen last.
    pub end: Option<i64>,
    /// Offsets between the two.
    pub lag: Option<u64>,
}

impl From<OwnedPartition> for PartitionView {
    fn from(OwnedPartition { partition, position, end }: OwnedPartition) -> Self {
        let lag = position.zip(end).map(|(position, end)| u64::try_from(end.saturating_sub(position)).unwrap_or_default());
        Self { partition, position, end, lag }
    }
}

impl From<SeenConsumer> for ConsumerView {
    fn from(SeenConsumer { heartbeat, age }: SeenConsumer) -> Self {
        let Heartbeat { instance, host, process_id, version, group, topic, started_at, state } = heartbeat;
        let alive = age <= GONE;
        Self {
            instance,
            host,
            process_id,
            version,
            group,
            topic,
            started_at,
            last_seen_seconds: age.as_secs(),
            alive,
            status: state.status,
            partitions: state.partitions.into_iter().map(PartitionView::from).collect(),
            more_partitions: state.more_partitions,
            down: state.down,
            // Of whoever is gone, this is over.
            events_per_second: if alive { state.events_per_second } else { 0 },
            last_commit: state.last_commit,
            verification: state.verification,
        }
    }
}

/// The consumers of this database: those that are there, and after them those that are gone without having said so, within [`TOLD`].
///
/// # Errors
/// The database is away.
pub async fn consumers(store: &impl Heartbeats) -> Result<Vec<ConsumerView>, Fault> {
    let mut consumers: Vec<_> = store.consumers(TOLD).await?.into_iter().map(ConsumerView::from).collect();
    consumers.sort_by_key(|consumer| !consumer.alive);
    Ok(consumers)
}

/// A verification that came to its end, and the consumer whose it was.
type Verified<'a> = (Option<Timestamp>, bool, &'a ConsumerView);

/// The consumer whose verification has found the tables different from the log; `None` where the last finished one of each topic, whichever process did
/// it, has found nothing.
pub fn found_different(consumers: &[ConsumerView]) -> Option<&ConsumerView> {
    let mut last = BTreeMap::<&str, Verified<'_>>::new();
    for consumer in consumers {
        let Some(verdict) = consumer.verification.as_ref().filter(|verdict| verdict.outcome != VerificationVerdict::UNFINISHED) else {
            continue;
        };
        let verified = (Timestamp::parse(&verdict.ended_at).ok(), verdict.differences > 0, consumer);
        let known = last.entry(&consumer.topic).or_insert(verified);
        if (verified.0, verified.1) > (known.0, known.1) {
            *known = verified;
        }
    }
    last.into_values().find(|(_, differs, _)| *differs).map(|(.., consumer)| consumer)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use testkit::builders::{heartbeat, id};

    use super::*;

    #[test]
    fn who_has_said_nothing_for_more_than_ten_seconds_is_gone() {
        let view = |millis| ConsumerView::from(SeenConsumer { heartbeat: heartbeat(id()), age: Duration::from_millis(millis) });
        let (there, gone) = (view(10_000), view(10_001));
        assert_eq!((there.alive, there.events_per_second, there.last_seen_seconds), (true, 3, 10));
        assert_eq!((gone.alive, gone.events_per_second), (false, 0));
        assert_eq!(gone.partitions.iter().map(|partition| partition.lag).collect::<Vec<_>>(), [Some(2), Some(2)]);
    }

    #[test]
    fn the_tables_differ_where_the_last_verification_of_a_topic_that_came_to_its_end_says_so() {
        let seen = |topic: &str, at: &str, outcome: &str, differences| {
            let mut heartbeat = Heartbeat { topic: topic.to_owned(), ..heartbeat(id()) };
            let (ended_at, outcome) = (format!("2026-01-15T{at}Z"), outcome.to_owned());
            heartbeat.state.verification = Some(VerificationVerdict { ended_at, outcome, differences, ..VerificationVerdict::default() });
            ConsumerView::from(SeenConsumer { heartbeat, age: Duration::ZERO })
        };
        let (nine, ten) = (seen("events", "09:00:00", "different", 3), seen("events", "10:00:00", "equal", 0));
        let differ = |consumers: &[ConsumerView]| found_different(consumers).is_some();
        assert!(!differ(&[]) && !differ(std::slice::from_ref(&ten)) && differ(std::slice::from_ref(&nine)));
        assert!(!differ(&[nine.clone(), ten.clone()]) && !differ(&[ten.clone(), nine.clone()]), "it was mended");
        assert!(differ(&[ten, seen("events", "10:00:00.5", "different", 1)]));
        assert!(differ(&[nine.clone(), seen("events", "11:00:00", "unfinished", 0)]), "that says nothing");
        assert!(differ(&[nine, seen("orders", "11:00:00", "equal", 0)]), "another topic");
    }

    #[test]
    fn a_lag_is_told_where_both_ends_are_known() {
        let lag = |position, end| PartitionView::from(OwnedPartition { partition: 0, position, end }).lag;
        assert_eq!([lag(Some(3), Some(9)), lag(Some(9), Some(3)), lag(None, Some(9)), lag(Some(3), None)], [Some(6), Some(0), None, None]);
    }
}
