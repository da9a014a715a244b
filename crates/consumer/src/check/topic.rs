//! The broker, the topic and the group.

use std::time::Duration;

use kafka::security::Security;
use kafka::{GroupKind, GroupProtocol, KafkaConfig, TopicDescription, TopicSettings};
use pipeline::{Fault, LogState};
use settings::span;

use check::Finding;

use crate::plural::counted;

const PART: &str = "Kafka";
/// The strategy beside which brokers let no member of `consumer` in, where librdkafka's are settled with it.
const COOPERATIVE: &str = "cooperative-sticky";

/// Assesses what the broker says of the topic.
/// `similar` are topics that may have been meant where it is missing.
pub(crate) fn topic(
    config: &KafkaConfig,
    seen_retention: Option<Duration>,
    answer: Result<&TopicDescription, &Fault>,
    similar: &[String],
) -> Vec<Finding> {
    let reached = Finding::ok(PART, "broker and login", format!("{} answers, {}", config.brokers, protection(&config.security)));
    let topic = match answer {
        Ok(topic) => topic,
        Err(fault) if fault.is_about_topic() => {
            let advice = "create it with the partitions you want (6 is a good start), or check KAFKA_TOPIC and the user's rights";
            let meant = if similar.is_empty() { String::new() } else { format!("; there is {}", similar.join(", ")) };
            let found = format!("{} is not there, or not for this user{meant}", config.topic);
            return vec![reached, Finding::fail(PART, "topic", found, advice)];
        }
        Err(fault) => return vec![Finding::fault(PART, "broker and login", fault, "check KAFKA_BROKERS and the other KAFKA_ settings")],
    };
    let mut findings = vec![reached, partitions(config, topic), replicas(topic)];
    match &topic.settings {
        None => findings.push(Finding::warn(
            PART,
            "topic settings",
            "not told",
            "give the user the right DescribeConfigs on the topic, or look at its settings by hand",
        )),
        Some(settings) => {
            findings.extend(in_sync(topic, settings));
            findings.extend(size(config, settings));
            findings.extend(cleanup(settings));
            findings.extend(seen_retention.and_then(|seen| retention(settings, seen)));
        }
    }
    findings
}

/// Assesses whether the offsets of the group can be read, and whether it is one that takes consumers; `kind` is `None` where nobody told.
pub(crate) fn group(config: &KafkaConfig, answer: Result<&LogState, &Fault>, kind: Option<&GroupKind>) -> Vec<Finding> {
    let check = "group";
    let log = match answer {
        Ok(log) => log,
        Err(fault) => {
            return vec![Finding::fault(PART, check, fault, "give the user the right Read on the group, or check KAFKA_CONSUMER_GROUP")];
        }
    };
    let has_committed = log.partitions.values().any(|partition| partition.committed.is_some());
    let group = match kind {
        Some(GroupKind::Others(of)) => Finding::fail(
            PART,
            check,
            format!("{} is a group of {of}, not of consumers", config.group),
            "choose another KAFKA_CONSUMER_GROUP",
        ),
        // Share and streams groups commit nothing that is told here.
        Some(GroupKind::Newer) if !has_committed => {
            let found =
                format!("{} is a share group, a streams group, or one of KAFKA_GROUP_PROTOCOL=consumer without commits", config.group);
            let advice =
                "look at it with `kafka-groups --list`: a share or streams group takes no consumers, choose another KAFKA_CONSUMER_GROUP";
            Finding::warn(PART, check, found, advice)
        }
        Some(GroupKind::Consumers(strategy)) if config.protocol == GroupProtocol::Consumer && strategy == COOPERATIVE => {
            let found = format!("{} has members of KAFKA_GROUP_PROTOCOL=classic, which share by {strategy}", config.group);
            let advice = "restart them with `consumer` as well, one after the other: the brokers may give those partitions only when the last of \
                          the others has left";
            Finding::warn(PART, check, found, advice)
        }
        _ => Finding::ok(PART, check, format!("the offsets of {} can be read", config.group)),
    };
    let unused = config.unused.iter().map(|(variable, theirs)| {
        Finding::warn(PART, variable, "has no effect with KAFKA_GROUP_PROTOCOL=consumer", format!("the brokers decide: set {theirs} there"))
    });
    std::iter::once(group).chain(unused).collect()
}

const fn protection(security: &Security) -> &'static str {
    match security {
        Security::Plaintext => "neither encrypted nor logged in",
        Security::Ssl(_) => "encrypted",
        Security::SaslPlaintext(_) => "logged in, not encrypted",
        Security::SaslSsl(..) => "logged in, encrypted",
    }
}

fn partitions(config: &KafkaConfig, topic: &TopicDescription) -> Finding {
    let found = format!("{} has {}", config.topic, counted(topic.partitions as u64, "partition", "partitions"));
    match (topic.leaderless, topic.partitions) {
        (0, 1) => {
            let advice = "only one consumer of a group can work: add partitions before there are events, since keys move to others";
            Finding::warn(PART, "partitions", found, advice)
        }
        (0, _) => Finding::ok(PART, "partitions", found),
        (leaderless, _) => {
            Finding::fail(PART, "partitions", format!("{found}, {leaderless} without a leader"), "bring the brokers back that hold them")
        }
    }
}

fn replicas(topic: &TopicDescription) -> Finding {
    let found = format!("replication factor {}", topic.replicas);
    if topic.under_replicated > 0 {
        let found = format!("{found}, {} with a replica that is behind", counted(topic.under_replicated as u64, "partition", "partitions"));
        return Finding::warn(PART, "replicas", found, "look after the brokers: one more failure may stop or lose something");
    }
    if topic.replicas == 1 {
        return Finding::warn(PART, "replicas", found, "events are lost with their broker: use 3 where events matter");
    }
    Finding::ok(PART, "replicas", found)
}

fn in_sync(topic: &TopicDescription, settings: &TopicSettings) -> Option<Finding> {
    let (check, least) = ("min.insync.replicas", settings.min_in_sync_replicas?);
    Some(match least {
        _ if least > topic.replicas => Finding::fail(
            PART,
            check,
            format!("{least}, of {}", counted(topic.replicas as u64, "replica", "replicas")),
            "no record can be written: lower it, or add replicas",
        ),
        1 if topic.replicas > 1 => {
            Finding::warn(PART, check, "1", "an acknowledged event may be on one broker only: set it to 2 with 3 replicas")
        }
        _ => Finding::ok(PART, check, least.to_string()),
    })
}

fn size(config: &KafkaConfig, settings: &TopicSettings) -> Option<Finding> {
    let (check, theirs, ours) = ("record size", settings.max_message_bytes?, u64::from(config.max_message_bytes));
    let found = format!("max.message.bytes is {theirs}, KAFKA_MAX_MESSAGE_BYTES {ours}");
    Some(match ours.cmp(&theirs) {
        std::cmp::Ordering::Less => Finding::warn(
            PART,
            check,
            found,
            "a large record could be consumed, but not be sent again from the dead letter queue: raise ours",
        ),
        std::cmp::Ordering::Greater => {
            Finding::warn(PART, check, found, "the broker refuses large records that our producer would send: make them equal")
        }
        std::cmp::Ordering::Equal => Finding::ok(PART, check, found),
    })
}

fn cleanup(settings: &TopicSettings) -> Option<Finding> {
    Some(if settings.compacts? {
        let advice =
            "compaction removes events that were not consumed yet (of one sku, all stock adjustments but the last): use delete alone";
        Finding::warn(PART, "cleanup.policy", "compact", advice)
    } else {
        Finding::ok(PART, "cleanup.policy", "delete")
    })
}

fn retention(settings: &TopicSettings, seen: Duration) -> Option<Finding> {
    let (check, kept) = ("retention", settings.retention?);
    let kept_text = if kept == Duration::MAX { "for ever".to_owned() } else { span::format(kept) };
    let found = format!("records are kept {kept_text}, dead letters remembered {}", span::format(seen));
    Some(if kept > seen {
        Finding::warn(
            PART,
            check,
            found,
            "a replay from the beginning would list old dead letters again: set DLQ_SEEN_RETENTION above retention.ms",
        )
    } else {
        Finding::ok(PART, check, found)
    })
}

#[cfg(test)]
mod tests {
    use pipeline::{Dependency, FaultClass};
    use settings::Reader;

    use super::*;
    use check::State;

    const DAY: Duration = Duration::from_secs(86_400);

    fn good() -> TopicDescription {
        let settings = TopicSettings {
            max_message_bytes: Some(1_048_588),
            min_in_sync_replicas: Some(2),
            compacts: Some(false),
            retention: Some(7 * DAY),
        };
        TopicDescription { partitions: 6, replicas: 3, leaderless: 0, under_replicated: 0, settings: Some(settings) }
    }

    fn config() -> KafkaConfig {
        KafkaConfig { max_message_bytes: 1_048_588, ..KafkaConfig::read(&mut Reader::from_pairs([])) }
    }

    fn troubles(change: impl FnOnce(&mut TopicDescription)) -> Vec<(&'static str, State)> {
        let mut description = good();
        change(&mut description);
        let findings = topic(&config(), Some(30 * DAY), Ok(&description), &[]);
        findings.into_iter().filter(|finding| finding.state != State::Ok).map(|finding| (finding.check, finding.state)).collect()
    }

    fn settings(topic: &mut TopicDescription) -> &mut TopicSettings {
        topic.settings.as_mut().unwrap()
    }

    #[test]
    fn a_group_that_takes_no_consumers_is_told_and_so_is_what_the_brokers_decide() {
        let look = |pairs: &[(&str, &str)], kind: GroupKind, committed: Option<i64>| {
            let config = KafkaConfig::read(&mut Reader::from_pairs(pairs.iter().copied()));
            let partition = pipeline::PartitionState { first: 0, end: 9, committed };
            let log = LogState { id: pipeline::LogId::UNKNOWN, partitions: [(0, partition)].into() };
            let found = group(&config, Ok(&log), Some(&kind));
            found.into_iter().map(|finding| (finding.check, finding.state)).collect::<Vec<_>>()
        };
        let classic = |strategy: &str| GroupKind::Consumers(strategy.to_owned());
        for kind in [GroupKind::Unseen, classic(""), classic("range"), classic("cooperative-sticky")] {
            assert_eq!(look(&[], kind, None), [("group", State::Ok)]);
        }
        assert_eq!(look(&[], GroupKind::Newer, None), [("group", State::Warn)]);
        assert_eq!(look(&[], GroupKind::Newer, Some(3)), [("group", State::Ok)]);
        assert_eq!(look(&[], GroupKind::Others("connect".into()), None), [("group", State::Fail)]);
        let newer = [("KAFKA_GROUP_PROTOCOL", "consumer")];
        assert_eq!(look(&newer, classic("range"), None), [("group", State::Ok)]);
        assert_eq!(look(&newer, classic("cooperative-sticky"), None), [("group", State::Warn)]);
        let set = [("KAFKA_GROUP_PROTOCOL", "consumer"), ("KAFKA_SESSION_TIMEOUT", "10s")];
        assert_eq!(look(&set, GroupKind::Unseen, None), [("group", State::Ok), ("KAFKA_SESSION_TIMEOUT", State::Warn)]);
    }

    #[test]
    fn each_weakness_of_a_topic_is_one_finding() {
        assert_eq!(troubles(|_| {}), []);
        assert_eq!(troubles(|topic| topic.partitions = 1), [("partitions", State::Warn)]);
        assert_eq!(troubles(|topic| topic.leaderless = 2), [("partitions", State::Fail)]);
        assert_eq!(troubles(|topic| topic.under_replicated = 1), [("replicas", State::Warn)]);
        assert_eq!(troubles(|topic| (topic.replicas, settings(topic).min_in_sync_replicas) = (1, Some(1))), [("replicas", State::Warn)]);
        assert_eq!(troubles(|topic| settings(topic).min_in_sync_replicas = Some(1)), [("min.insync.replicas", State::Warn)]);
        assert_eq!(troubles(|topic| settings(topic).min_in_sync_replicas = Some(4)), [("min.insync.replicas", State::Fail)]);
        assert_eq!(troubles(|topic| settings(topic).max_message_bytes = Some(2_000_000)), [("record size", State::Warn)]);
        assert_eq!(troubles(|topic| settings(topic).max_message_bytes = Some(1_000)), [("record size", State::Warn)]);
        assert_eq!(troubles(|topic| settings(topic).compacts = Some(true)), [("cleanup.policy", State::Warn)]);
        assert_eq!(troubles(|topic| settings(topic).retention = Some(Duration::MAX)), [("retention", State::Warn)]);
        assert_eq!(troubles(|topic| settings(topic).retention = Some(31 * DAY)), [("retention", State::Warn)]);
        assert_eq!(troubles(|topic| topic.settings = None), [("topic settings", State::Warn)]);
    }

    #[test]
    fn one_is_told_in_the_singular() {
        let found = |change: fn(&mut TopicDescription), check| {
            let mut description = good();
            change(&mut description);
            let findings = topic(&config(), Some(30 * DAY), Ok(&description), &[]);
            findings.into_iter().find(|finding| finding.check == check).unwrap().found
        };
        assert_eq!(found(|topic| topic.partitions = 1, "partitions"), "events has 1 partition");
        assert_eq!(
            found(|topic| (topic.partitions, topic.leaderless) = (1, 1), "partitions"),
            "events has 1 partition, 1 without a leader"
        );
        assert_eq!(found(|_| {}, "partitions"), "events has 6 partitions");
        let behind = |count| format!("replication factor 3, {count} with a replica that is behind");
        assert_eq!(found(|topic| topic.under_replicated = 1, "replicas"), behind("1 partition"));
        assert_eq!(found(|topic| topic.under_replicated = 2, "replicas"), behind("2 partitions"));
        assert_eq!(found(|topic| topic.replicas = 1, "min.insync.replicas"), "2, of 1 replica");
    }

    #[test]
    fn a_missing_topic_is_told_from_a_broker_that_is_away() {
        let fault = |class, code, subject| Fault { dependency: Dependency::Kafka, class, code, subject };
        let missing = fault(FaultClass::Operator, Some(3), "topic: there is none of this name; correct KAFKA_TOPIC, or create it");
        let similar = ["orders".to_owned(), "events-2".to_owned()];
        assert!(topic(&config(), Some(DAY), Err(&missing), &similar)[1].found.ends_with("; there is orders, events-2"));
        let states = |fault: &Fault| -> Vec<_> {
            topic(&config(), Some(DAY), Err(fault), &[]).iter().map(|finding| (finding.check, finding.state)).collect()
        };
        assert_eq!(states(&missing), [("broker and login", State::Ok), ("topic", State::Fail)]);
        let away = fault(FaultClass::Unavailable { timed_out: false }, None, "describe_topic");
        assert_eq!(states(&away), [("broker and login", State::Fail)]);
    }
}
