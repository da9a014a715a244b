//! Joining the group: one source and one committer over one client, which another one may replace.

use std::sync::Arc;

use pipeline::Fault;
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use tokio::runtime::Handle;

use crate::committer::KafkaCommitter;
use crate::config::KafkaConfig;
use crate::context::Context;
use crate::health::Health;
use crate::in_flight::{InFlight, InFlightGate};
use crate::member::{Closed, CurrentClient, Lease, lease};
use crate::membership::Membership;
use crate::rebalance::Rebalancing;
use crate::source::KafkaSource;
use crate::{client, faults};

/// What every client of one member has in common.
pub(crate) struct Shared {
    pub(crate) config: KafkaConfig,
    pub(crate) topic: Arc<str>,
    pub(crate) membership: Arc<Membership>,
    pub(crate) health: Arc<Health>,
    pub(crate) in_flight: Arc<InFlightGate>,
    pub(crate) current: CurrentClient,
}

/// Joins the consumer group. Returns at once, whether Kafka can be reached or not; partitions come while the source is polled.
///
/// # Errors
/// librdkafka refuses the settings (a certificate that is none), or this is not called within a Tokio runtime.
pub fn open(config: &KafkaConfig) -> Result<(KafkaSource, KafkaCommitter), Fault> {
    let shared = Shared {
        config: config.clone(),
        topic: config.topic.as_str().into(),
        membership: Arc::default(),
        health: Arc::default(),
        in_flight: Arc::default(),
        current: CurrentClient::default(),
    };
    for (variable, broker_setting) in &config.unused {
        tracing::warn!(variable, broker_setting, "a variable has no effect: KAFKA_GROUP_PROTOCOL=consumer leaves it to the brokers");
    }
    let client = shared.join()?;
    let backlog = config.embedded_broker().map(|broker| broker.backlog().clone());
    let committer = KafkaCommitter::new(shared.current.clone(), Arc::clone(&shared.membership), Arc::clone(&shared.topic), backlog);
    let worker = InFlight(Arc::clone(&shared.in_flight));
    Ok((KafkaSource::new(client, worker, shared), committer))
}

impl Shared {
    /// A client that joins the group. From now on it is the member, whatever an earlier one still reports.
    pub(crate) fn join(&self) -> Result<(Lease, Closed), Fault> {
        // The client starts a task, and would panic elsewhere.
        Handle::try_current().map_err(|_| faults::bug("open: needs a Tokio runtime"))?;
        let rebalancing = Rebalancing {
            context: Context::of(&self.config, Arc::clone(&self.health)),
            health: Arc::clone(&self.health),
            membership: Arc::clone(&self.membership),
            in_flight: Arc::clone(&self.in_flight),
            topic: Arc::clone(&self.topic),
            generation: self.membership.renew(),
        };
        let failed = |error| faults::from_error(&error, "open");
        let consumer: StreamConsumer<Rebalancing> = client::consumer(&self.config).create_with_context(rebalancing).map_err(failed)?;
        consumer.subscribe(&[&self.topic]).map_err(failed)?;
        let (lease, closed) = lease(consumer, self.config.embedded_broker().cloned())?;
        self.current.set(&lease);
        Ok((lease, closed))
    }
}
