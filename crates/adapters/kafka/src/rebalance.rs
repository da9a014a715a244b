//! How the group moves partitions to and from this member. All of this runs inside polling, on the thread that polls.

use std::error::Error;
use std::sync::Arc;

use rdkafka::client::OAuthToken;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext, RebalanceProtocol};
use rdkafka::error::KafkaError;
use rdkafka::statistics::Statistics;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientContext, Offset, TopicPartitionList};

use crate::context::Context;
use crate::faults;
use crate::health::Health;
use crate::in_flight::InFlightGate;
use crate::membership::Membership;

/// Where partitions stand until it is said where they begin: at an offset about which librdkafka 2.12.1 asks nobody.
///
/// Not the group's offset. Where the coordinator refuses it, be it because it is moving (`COORDINATOR_NOT_AVAILABLE`), librdkafka tells so and
/// never fetches these partitions, though it goes on to own them; a seek then fails for ever. Not the log's beginning by its name either: the
/// answer to that question is ignored after a seek, but the question is asked again, half a second later, and the seek is forgotten.
const NOWHERE: Offset = Offset::Offset(0);

/// The consuming client's context.
pub(crate) struct Rebalancing {
    pub(crate) context: Context,
    pub(crate) health: Arc<Health>,
    pub(crate) membership: Arc<Membership>,
    pub(crate) in_flight: Arc<InFlightGate>,
    pub(crate) topic: Arc<str>,
    /// Which client this is; see [`Membership::renew`].
    pub(crate) generation: u64,
}

impl Rebalancing {
    fn assigned(&self, partitions: &[i32]) {
        self.membership.assign(partitions.iter().copied());
        if !partitions.is_empty() {
            self.health.working();
        }
        tracing::info!(?partitions, "partitions were assigned");
    }

    fn revoked(&self, consumer: &BaseConsumer<Self>, partitions: &[i32]) {
        // Only a thread that reads ahead has anything to wait for: the source itself polls when nothing is under way.
        self.in_flight.wait();
        let paused = self.membership.revoke(partitions);
        // librdkafka keeps the mark of a paused partition beyond the assignment.
        apply(&paused, &self.topic, "resume", |list| consumer.resume(list));
        tracing::info!(?partitions, lost = consumer.assignment_lost(), "partitions were taken away");
    }

    fn refused(&self, error: &KafkaError) {
        let fault = faults::from_error(error, "rebalance");
        tracing::warn!(class = fault.class.label(), code = fault.code, "the group could not be rebalanced");
    }
}

impl Rebalancing {
    /// What stands between the last stable offset and the high watermark is not delivered before its transaction ends.
    fn note_open_transactions(&self, statistics: &Statistics) {
        let partitions = statistics.topics.get(&*self.topic).map(|topic| &topic.partitions).into_iter().flatten();
        for (number, partition) in partitions.filter(|(_, partition)| partition.ls_offset >= 0) {
            let held_back = u64::try_from(partition.hi_offset - partition.ls_offset).unwrap_or_default();
            self.membership.hold_back(*number, held_back);
        }
    }
}

impl ConsumerContext for Rebalancing {
    /// Takes and gives up what the group says.
    ///
    /// Partitions are taken paused, and from [`NOWHERE`]: where they begin is said later, by a seek.
    fn rebalance(&self, consumer: &BaseConsumer<Self>, err: RDKafkaRespErr, partitions: &mut TopicPartitionList) {
        let is_cooperative = matches!(consumer.rebalance_protocol(), RebalanceProtocol::Cooperative);
        let is_current = self.membership.is_current(self.generation);
        let numbers = numbers(partitions);
        let done = if err == RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS {
            if is_current {
                self.assigned(&numbers);
            }
            let taken = partitions
                .set_all_offsets(NOWHERE)
                .and_then(|()| if is_cooperative { consumer.incremental_assign(partitions) } else { consumer.assign(partitions) });
            if is_current {
                apply(&self.membership.to_pause(), &self.topic, "pause", |list| consumer.pause(list));
            }
            taken
        } else {
            let error = (err != RDKafkaRespErr::RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS).then(|| KafkaError::Rebalance(err.into()));
            match error.filter(|_| is_current) {
                Some(error) => self.refused(&error),
                None if is_current => self.revoked(consumer, &numbers),
                None => {}
            }
            if is_cooperative { consumer.incremental_unassign(partitions) } else { consumer.unassign() }
        };
        if let Err(error) = done {
            self.refused(&error);
        }
    }
}

impl ClientContext for Rebalancing {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = Context::ENABLE_REFRESH_OAUTH_TOKEN;

    fn generate_oauth_token(&self, config: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        self.context.generate_oauth_token(config)
    }

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.context.log(level, facility, message);
    }

    fn stats(&self, statistics: Statistics) {
        self.note_open_transactions(&statistics);
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

pub(crate) fn list(topic: &str, partitions: &[i32]) -> TopicPartitionList {
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for partition in partitions {
        list.add_partition(topic, *partition);
    }
    list
}

fn numbers(list: &TopicPartitionList) -> Vec<i32> {
    list.elements().iter().map(|element| element.partition()).collect()
}
