//! What kind of group has the configured name: not every one takes consumers.

use std::time::Duration;

use pipeline::Fault;
use rdkafka::consumer::Consumer as _;

use crate::config::KafkaConfig;
use crate::observer::Observer;

/// How long the question may take.
const BOUND: Duration = Duration::from_secs(5);
/// The type of a group whose members are consumers (Kafka's `ConsumerProtocol.PROTOCOL_TYPE`).
const CONSUMERS: &str = "consumer";

/// A group as its brokers tell it to a client of the classic protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupKind {
    /// There is none of this name, or this user may not see it.
    Unseen,
    /// A group of consumers, of the classic protocol, and how its members share (`range`); empty where it has none, or they are about to settle
    /// that.
    Consumers(String),
    /// A group of the classic protocol, of something else: Kafka Connect, a schema registry.
    Others(String),
    /// A group of another protocol: consumers that share as the brokers say, a share group, or a streams group. Kafka does not tell them
    /// apart to whom asks in the older way, which is the only one that librdkafka's binding has.
    Newer,
}

/// Asks which kind of group has the configured name. The answer comes within 10 s.
///
/// # Errors
/// Kafka is away, or refuses the login.
pub async fn group_kind(config: &KafkaConfig) -> Result<GroupKind, Fault> {
    let observer = Observer::open(config)?;
    let name = config.group.clone();
    let kind = observer.look("group_kind", BOUND, move |observer, _| {
        let list = observer.consumer.client().fetch_group_list(Some(&name), BOUND)?;
        Ok(list
            .groups()
            .iter()
            .find(|group| group.name() == name)
            .map_or(GroupKind::Unseen, |group| kind(group.protocol_type(), group.protocol())))
    });
    let kind = kind.await;
    // What is left of the client ends by itself.
    observer.close(BOUND).await.ok();
    kind
}

fn kind(protocol_type: &str, strategy: &str) -> GroupKind {
    match protocol_type {
        CONSUMERS => GroupKind::Consumers(strategy.to_owned()),
        "" => GroupKind::Newer,
        other => GroupKind::Others(other.to_owned()),
    }
}
