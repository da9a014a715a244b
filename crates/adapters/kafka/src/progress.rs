//! How far the log reaches, and how far the whole group has come.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pipeline::Fault;
use pipeline::ports::GroupProgress;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::{Offset, TopicPartitionList};

use crate::config::KafkaConfig;
use crate::context::Context;
use crate::embedded::EmbeddedBroker;
use crate::{admin, blocking, client, faults};

/// How long one look may take.
const BOUND: Duration = Duration::from_secs(10);

/// A look at the topic and the group from outside. Its client is no member of the group and fetches nothing: on a consuming client
/// these questions would wait behind its fetches. Clones share the client.
#[derive(Clone)]
pub struct KafkaProgress {
    inner: Arc<Observer>,
}

struct Observer {
    consumer: BaseConsumer<Context>,
    topic: String,
    /// After the client: the broker outlives it.
    _broker: Option<EmbeddedBroker>,
}

impl KafkaProgress {
    /// A client of these brokers. Returns at once, whether they can be reached or not.
    ///
    /// # Errors
    /// librdkafka refuses the settings (a certificate that is none).
    pub fn open(config: &KafkaConfig) -> Result<Self, Fault> {
        let consumer = client::observer(config).create_with_context(Context::default());
        let consumer = consumer.map_err(|error| faults::from_error(&error, "open"))?;
        let inner = Observer { consumer, topic: config.topic.clone(), _broker: config.embedded_broker().cloned() };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Lets the client go, off the worker threads, and waits for that up to `bound`.
    ///
    /// # Errors
    /// It took longer; it goes on in the background.
    pub async fn close(self, bound: Duration) -> Result<(), Fault> {
        blocking::call("close", bound, move || {
            drop(self);
            Ok(())
        })
        .await
    }

    async fn look<T: Send + 'static>(
        &self,
        operation: &'static str,
        look: impl FnOnce(&Observer, Instant) -> KafkaResult<T> + Send + 'static,
    ) -> Result<T, Fault> {
        let observer = Arc::clone(&self.inner);
        blocking::call(operation, BOUND + Duration::from_secs(1), move || {
            observer.serve();
            look(&observer, Instant::now() + BOUND)
        })
        .await
    }
}

impl GroupProgress for KafkaProgress {
    async fn high_watermarks(&self) -> Result<BTreeMap<i32, i64>, Fault> {
        let highest =
            |watermarks: BTreeMap<i32, (i64, i64)>| watermarks.into_iter().map(|(partition, (_, high))| (partition, high)).collect();
        self.look("high_watermarks", |observer, deadline| observer.watermarks(deadline)).await.map(highest)
    }

    async fn committed(&self) -> Result<BTreeMap<i32, i64>, Fault> {
        self.look("committed", Observer::committed).await
    }
}

impl Observer {
    /// Takes what librdkafka has to tell: nothing else polls this client, and its log lines would pile up.
    fn serve(&self) {
        while self.consumer.poll(Duration::ZERO).is_some() {}
    }

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
