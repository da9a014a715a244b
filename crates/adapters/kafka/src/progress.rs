//! How far the log reaches, and how far the whole group has come.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pipeline::Fault;
use pipeline::ports::GroupProgress;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};

use crate::admin;
use crate::config::KafkaConfig;
use crate::observer::Observer;

/// How long one look may take.
const BOUND: Duration = Duration::from_secs(10);

/// A look at the topic and the group from outside. Clones share the client.
#[derive(Clone)]
pub struct KafkaProgress {
    observer: Arc<Observer>,
}

impl KafkaProgress {
    /// A client of these brokers. Returns at once, whether they can be reached or not.
    ///
    /// # Errors
    /// librdkafka refuses the settings (a certificate that is none).
    pub fn open(config: &KafkaConfig) -> Result<Self, Fault> {
        Ok(Self { observer: Observer::open(config)? })
    }

    /// Lets the client go, off the worker threads, and waits for that up to `bound`.
    ///
    /// # Errors
    /// It took longer; it goes on in the background.
    pub async fn close(self, bound: Duration) -> Result<(), Fault> {
        self.observer.close(bound).await
    }
}

impl GroupProgress for KafkaProgress {
    async fn high_watermarks(&self) -> Result<BTreeMap<i32, i64>, Fault> {
        let highest =
            |watermarks: BTreeMap<i32, (i64, i64)>| watermarks.into_iter().map(|(partition, (_, high))| (partition, high)).collect();
        self.observer.look("high_watermarks", BOUND, Observer::watermarks).await.map(highest)
    }

    async fn committed(&self) -> Result<BTreeMap<i32, i64>, Fault> {
        self.observer.look("committed", BOUND, Observer::committed).await
    }
}

impl Observer {
    /// For each partition, the first offset in the log and the one after the last.
    fn watermarks(&self, deadline: Instant) -> KafkaResult<BTreeMap<i32, (i64, i64)>> {
        let partitions = admin::partitions(self.consumer.client(), &self.topic, left(deadline)?)?;
        partitions
            .into_iter()
            .map(|partition| Ok((partition, self.consumer.fetch_watermarks(&self.topic, partition, left(deadline)?)?)))
            .collect()
    }

    fn committed(&self, deadline: Instant) -> KafkaResult<BTreeMap<i32, i64>> {
        let watermarks = self.watermarks(deadline)?;
        let mut list = TopicPartitionList::with_capacity(watermarks.len());
        for partition in watermarks.keys() {
            list.add_partition(&self.topic, *partition);
        }
        let committed = self.consumer.committed_offsets(list, left(deadline)?)?;
        let mut next: BTreeMap<_, _> = watermarks.into_iter().map(|(partition, (low, _))| (partition, low)).collect();
        for element in committed.elements() {
            element.error()?;
            if let (Offset::Offset(offset), Some(next)) = (element.offset(), next.get_mut(&element.partition())) {
                *next = offset.max(*next);
            }
        }
        Ok(next)
    }
}

fn left(deadline: Instant) -> KafkaResult<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(KafkaError::OffsetFetch(RDKafkaErrorCode::OperationTimedOut)) } else { Ok(left) }
}
