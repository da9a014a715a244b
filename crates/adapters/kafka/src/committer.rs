//! Noting finished offsets of partitions that are still owned.

use std::sync::Arc;
use std::time::Duration;

use pipeline::offsets::Commit;
use pipeline::{Fault, OffsetCommitter};
use rdkafka::consumer::{CommitMode, Consumer as _};
use rdkafka::{Offset, TopicPartitionList};
use tokio::time::{Instant, sleep};

use crate::embedded::backlog::Backlog;
use crate::member::CurrentClient;
use crate::membership::{Committable, Membership};
use crate::{blocking, faults};

/// How long one commit may take, tries and pauses together. librdkafka itself would wait for a coordinator as long as a session.
const BOUND: Duration = Duration::from_secs(10);
/// How often a commit is sent whose coordinator is moving or slow, and the pause in between.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(500);

/// Commits for the partitions of one [`crate::KafkaSource`]; after that is closed, commits fail.
pub struct KafkaCommitter {
    client: CurrentClient,
    membership: Arc<Membership>,
    topic: Arc<str>,
    backlog: Option<Backlog>,
}

impl KafkaCommitter {
    pub(crate) const fn new(client: CurrentClient, membership: Arc<Membership>, topic: Arc<str>, backlog: Option<Backlog>) -> Self {
        Self { client, membership, topic, backlog }
    }

    async fn send(&self, next: &[Committable], bound: Duration) -> Result<(), Fault> {
        let client = self.client.get().ok_or_else(|| faults::away("commit: the source is closed"))?;
        let (topic, next) = (Arc::clone(&self.topic), next.to_vec());
        blocking::call("commit", bound, move || {
            let mut offsets = TopicPartitionList::with_capacity(next.len());
            for Committable { partition, offset, .. } in next {
                offsets.add_partition_offset(&topic, partition, Offset::Offset(offset))?;
            }
            client.consumer.commit(&offsets, CommitMode::Sync)
        })
        .await
    }
}

impl OffsetCommitter for KafkaCommitter {
    /// A commit whose future is dropped, or that meets its bound, may still be made: librdkafka ends commits that are under way before it
    /// gives a partition up, so it cannot meet those of the next owner.
    async fn commit(&self, commit: &Commit) -> Result<usize, Fault> {
        let deadline = Instant::now() + BOUND;
        let mut tries = 0;
        loop {
            let next = self.membership.committable(&self.topic, commit);
            if next.is_empty() {
                return Ok(0);
            }
            tries += 1;
            match self.send(&next, deadline.saturating_duration_since(Instant::now())).await {
                Ok(()) => {
                    self.membership.committed(&next);
                    if let Some(backlog) = &self.backlog {
                        next.iter().for_each(|next| backlog.committed(next.partition, next.offset));
                    }
                    return Ok(next.len());
                }
                Err(fault) if tries < TRIES && faults::is_commit_retriable(&fault) && Instant::now() + PAUSE < deadline => {
                    sleep(PAUSE).await;
                }
                Err(fault) => return Err(fault),
            }
        }
    }
}
