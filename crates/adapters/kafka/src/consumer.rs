//! Joining the group: one source and one committer over one client.

use std::sync::Arc;

use pipeline::Fault;
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use tokio::runtime::Handle;

use crate::committer::KafkaCommitter;
use crate::config::{Flavor, KafkaConfig};
use crate::context::Context;
use crate::health::Health;
use crate::member::lease;
use crate::membership::Membership;
use crate::rebalance::Rebalancing;
use crate::source::KafkaSource;
use crate::work::{Work, Worker};
use crate::{client, faults};

/// Joins the consumer group. Returns at once, whether Kafka can be reached or not; partitions come while the source is polled.
///
/// # Errors
/// librdkafka refuses the settings (a certificate that is none), or this is not called within a Tokio runtime.
pub fn open(config: &KafkaConfig) -> Result<(KafkaSource, KafkaCommitter), Fault> {
    // The client starts a task, and would panic elsewhere.
    Handle::try_current().map_err(|_| faults::bug("open: needs a Tokio runtime"))?;
    let topic: Arc<str> = config.topic.as_str().into();
    let membership = Arc::new(Membership::default());
    let health = Arc::new(Health::default());
    let context = Context::of(&config.brokers, Arc::clone(&health));
    let gapless = matches!(config.flavor, Flavor::Embedded(_));
    let work = Arc::new(Work::default());
    let rebalancing = Rebalancing {
        context,
        health: Arc::clone(&health),
        membership: Arc::clone(&membership),
        work: Arc::clone(&work),
        topic: Arc::clone(&topic),
        gapless,
    };
    let failed = |error| faults::from_error(&error, "open");
    let consumer: StreamConsumer<Rebalancing> = client::consumer(config).create_with_context(rebalancing).map_err(failed)?;
    consumer.subscribe(&[&topic]).map_err(failed)?;

    let (lease, closed) = lease(consumer, config.embedded_broker().cloned())?;
    let backlog = config.embedded_broker().map(|broker| broker.backlog().clone());
    let committer = KafkaCommitter::new(lease.downgrade(), Arc::clone(&membership), Arc::clone(&topic), backlog);
    Ok((KafkaSource::new((lease, closed), Worker(work), membership, health, topic), committer))
}
