//! How the group moves partitions to and from this member. All of this runs inside polling, on the thread that polls.

use std::sync::Arc;

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext, Rebalance};
use rdkafka::error::KafkaError;
use rdkafka::statistics::Statistics;
use rdkafka::{ClientContext, Offset, TopicPartitionList};

use crate::context::Context;
use crate::embedded::settings::COMMITTED_BOUND;
use crate::faults;
use crate::health::Health;
use crate::membership::Membership;
use crate::work::Work;

/// The consuming client's context.
pub(crate) struct Rebalancing {
    pub(crate) context: Context,
    pub(crate) health: Arc<Health>,
    pub(crate) membership: Arc<Membership>,
    pub(crate) work: Arc<Work>,
    pub(crate) topic: Arc<str>,
    /// Whether every offset must come: the embedded broker has none that hold no record.
    pub(crate) gapless: bool,
}

impl Rebalancing {
    fn assigned(&self, consumer: &BaseConsumer<Self>, partitions: &[i32]) {
        let starts = if self.gapless { self.starts(consumer, partitions) } else { vec![None; partitions.len()] };
        self.membership.assign(partitions.iter().copied().zip(starts));
        if !partitions.is_empty() {
            self.health.working();
        }
        tracing::info!(?partitions, "partitions were assigned");
    }

    fn revoked(&self, consumer: &BaseConsumer<Self>, partitions: &[i32]) {
        // Only a thread that reads ahead has anything to wait for: the source itself polls when nothing is under way.
        self.work.wait();
        let paused = self.membership.revoke(partitions);
        // librdkafka keeps the mark of a paused partition beyond the assignment.
        apply(&paused, &self.topic, "resume", |list| consumer.resume(list));
        tracing::info!(?partitions, lost = consumer.assignment_lost(), "partitions were taken away");
    }

    /// Where each partition must begin: at its committed offset, or at 0. Unknown where the broker does not say so in time.
    fn starts(&self, consumer: &BaseConsumer<Self>, partitions: &[i32]) -> Vec<Option<i64>> {
        // The list is gone before the consumer is: one that outlived it would keep it from closing.
        let committed = consumer.committed_offsets(list(&self.topic, partitions), COMMITTED_BOUND).map_err(|error| {
            let fault = faults::from_error(&error, "committed_offsets");
            tracing::warn!(code = fault.code, "the start of the assigned partitions is not known: a gap before it would not be seen");
        });
        let start = |partition: &i32| match committed.as_ref().ok()?.find_partition(&self.topic, *partition)?.offset() {
            Offset::Offset(offset) => Some(offset),
            _ => Some(0),
        };
        partitions.iter().map(start).collect()
    }
}

impl ConsumerContext for Rebalancing {
    fn pre_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(partitions) => self.assigned(consumer, &numbers(partitions)),
            Rebalance::Revoke(partitions) => self.revoked(consumer, &numbers(partitions)),
            Rebalance::Error(error) => {
                let fault = faults::from_error(error, "rebalance");
                tracing::warn!(class = fault.class.label(), code = fault.code, "the group could not be rebalanced");
            }
        }
    }

    fn post_rebalance(&self, consumer: &BaseConsumer<Self>, _rebalance: &Rebalance<'_>) {
        apply(&self.membership.to_pause(), &self.topic, "pause", |list| consumer.pause(list));
    }
}

impl ClientContext for Rebalancing {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.context.log(level, facility, message);
    }

    fn stats(&self, statistics: Statistics) {
        self.context.stats(statistics);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.context.error(error, reason);
    }
}

/// Pauses or resumes partitions. That only fails for partitions that the client does not have, which need neither.
pub(crate) fn apply(
    partitions: &[i32],
    topic: &str,
    what: &'static str,
    action: impl FnOnce(&TopicPartitionList) -> rdkafka::error::KafkaResult<()>,
) {
    if !partitions.is_empty() && action(&list(topic, partitions)).is_err() {
        tracing::debug!(?partitions, what, "partitions were gone already");
    }
}

fn list(topic: &str, partitions: &[i32]) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for partition in partitions {
        list.add_partition(topic, *partition);
    }
    list
}

fn numbers(list: &TopicPartitionList) -> Vec<i32> {
    list.elements().iter().map(|element| element.partition()).collect()
}
