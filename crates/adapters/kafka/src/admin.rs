//! Making the topic, counting its partitions, and what it may have been meant to be where it is missing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pipeline::{Fault, FaultClass};
use rdkafka::ClientContext;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::Client;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::{IsError as _, KafkaError, KafkaResult, RDKafkaErrorCode};
use tokio::time::{sleep, timeout};

use crate::config::KafkaConfig;
use crate::context::Context;
use crate::health::Health;
use crate::observer::Observer;
use crate::{client, faults};

/// How long one request may take.
const BOUND: Duration = Duration::from_secs(5);
/// The pause between two looks at a topic that is not there yet.
const PAUSE: Duration = Duration::from_millis(200);
/// From this likeness on, 0 to 1, a name may have been mistyped for another one: two letters of six.
const NEAR: f64 = 0.6;
/// So many similar names are told.
const MOST_SIMILAR: usize = 3;

/// Makes the topic if it is missing, and returns how many partitions it has. One that exists is left as it is, whatever was asked for.
/// While Kafka is away this waits, up to `wait`.
///
/// # Errors
/// Kafka stayed away, or refuses: login, certificates, rights, more replicas than brokers, no partitions.
pub async fn ensure_topic(config: &KafkaConfig, partitions: u16, replication: u16, wait: Duration) -> Result<usize, Fault> {
    let deadline = Instant::now() + wait;
    let observer = Observer::open(config)?;
    let ensured = loop {
        let fault = match count(&observer).await {
            Err(fault) if is_missing_topic(&fault) => match create(config, partitions, replication).await {
                // Brokers learn of a new topic one after the other.
                Ok(()) => fault,
                Err(fault) => fault,
            },
            Err(fault) => fault,
            counted => break counted,
        };
        let passes = is_missing_topic(&fault) || matches!(fault.class, FaultClass::Unavailable { .. });
        if !passes || Instant::now() + PAUSE >= deadline {
            break Err(fault);
        }
        sleep(PAUSE).await;
    };
    // What is left of the client ends by itself.
    observer.close(BOUND).await.ok();
    ensured
}

/// How many partitions the topic has.
///
/// # Errors
/// Kafka is away, or refuses the login, or the topic is missing ([`FaultClass::Operator`]).
pub async fn topic_partitions(config: &KafkaConfig) -> Result<usize, Fault> {
    let observer = Observer::open(config)?;
    let counted = count(&observer).await;
    observer.close(BOUND).await.ok();
    counted
}

/// Up to three topics of these brokers whose names are near the configured one, the nearest first.
///
/// # Errors
/// Kafka is away, or refuses the login.
pub async fn similar_topics(config: &KafkaConfig) -> Result<Vec<String>, Fault> {
    let observer = Observer::open(config)?;
    let names = names_like(&observer).await;
    observer.close(BOUND).await.ok();
    names
}

/// See [`similar_topics`]: of the topic that is observed.
pub(crate) async fn names_like(observer: &Arc<Observer>) -> Result<Vec<String>, Fault> {
    let look = |observer: &Observer, _| {
        let metadata = observer.consumer.client().fetch_metadata(None, BOUND)?;
        Ok(metadata.topics().iter().map(|topic| topic.name().to_owned()).collect())
    };
    observer.look("topic_names", BOUND, look).await.map(|names| similar(&observer.topic, names))
}

/// Those of the names that somebody who typed `topic` may have meant. Kafka's own topics are none of them.
fn similar(topic: &str, names: Vec<String>) -> Vec<String> {
    let likeness = |name: &str| strsim::normalized_damerau_levenshtein(&topic.to_lowercase(), &name.to_lowercase());
    let mut near: Vec<_> = names.into_iter().filter(|name| !name.starts_with("__")).map(|name| (likeness(&name), name)).collect();
    near.retain(|(likeness, _)| *likeness >= NEAR);
    near.sort_by(|(a, first), (b, second)| b.total_cmp(a).then_with(|| first.cmp(second)));
    near.into_iter().map(|(_, name)| name).take(MOST_SIMILAR).collect()
}

async fn count(observer: &Arc<Observer>) -> Result<usize, Fault> {
    observer
        .look("topic_partitions", BOUND, |observer, _| partitions(observer.consumer.client(), &observer.topic, BOUND))
        .await
        .map(|all| all.len())
}

/// On a client of its own: it is done once in the life of a topic.
async fn create(config: &KafkaConfig, partitions: u16, replication: u16) -> Result<(), Fault> {
    const CREATE: &str = "create_topic";
    let failed = |error: &KafkaError| faults::from_error(error, CREATE);
    let admin = client::admin(config).create_with_context(Context::of(config, Health::quiet()));
    let admin: AdminClient<Context> = admin.map_err(|error| failed(&error))?;
    admin.inner().context().hand_over_token(admin.inner());
    let topic = NewTopic::new(&config.topic, i32::from(partitions), TopicReplication::Fixed(i32::from(replication)));
    let options = AdminOptions::new().request_timeout(Some(BOUND)).operation_timeout(Some(BOUND));
    let created = timeout(2 * BOUND, admin.create_topics([&topic], &options)).await.map_err(|_| faults::timed_out(CREATE))?;
    let results = created.map_err(|error| failed(&error))?;
    match results.into_iter().next() {
        Some(Err((_, code))) if code != RDKafkaErrorCode::TopicAlreadyExists => Err(faults::from_code(code, CREATE)),
        _ => Ok(()),
    }
}

/// The partitions of a topic, from its metadata.
pub(crate) fn partitions<C: ClientContext>(client: &Client<C>, topic: &str, bound: Duration) -> KafkaResult<Vec<i32>> {
    let metadata = client.fetch_metadata(Some(topic), bound)?;
    let missing = KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopicOrPartition);
    let found = metadata.topics().iter().find(|found| found.name() == topic).ok_or_else(|| missing.clone())?;
    if let Some(error) = found.error().filter(|error| error.is_error()) {
        return Err(KafkaError::MetadataFetch(error.into()));
    }
    let partitions: Vec<_> = found.partitions().iter().map(rdkafka::metadata::MetadataPartition::id).collect();
    if partitions.is_empty() { Err(missing) } else { Ok(partitions) }
}

/// Whether the brokers answered that they have no topic of this name.
pub fn is_missing_topic(fault: &Fault) -> bool {
    fault.code == Some(RDKafkaErrorCode::UnknownTopicOrPartition as i64) || fault.code == Some(RDKafkaErrorCode::UnknownTopic as i64)
}

#[cfg(test)]
mod tests {
    use super::similar;

    #[test]
    fn a_mistyped_name_finds_the_one_that_was_meant() {
        let names = || ["events", "Events", "invoices", "__consumer_offsets", "events-2"].map(str::to_owned).to_vec();
        assert_eq!(similar("evnets", names()), ["Events", "events", "events-2"]);
        assert_eq!(similar("invoces", names()), ["invoices"]);
        assert_eq!(similar("__consumer_offset", names()), [""; 0], "Kafka's own");
        assert_eq!(similar("orders", names()), [""; 0]);
    }
}
