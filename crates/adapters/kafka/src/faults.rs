//! Kafka's error codes → classes of failure. Codes and their names are those of Kafka's protocol; negative ones are librdkafka's own.

use pipeline::{Dependency, Fault, FaultClass};
use rdkafka::error::{KafkaError, RDKafkaErrorCode as Code};

use crate::reason;

const AWAY: FaultClass = FaultClass::Unavailable { timed_out: false };
const TIMED_OUT: FaultClass = FaultClass::Unavailable { timed_out: true };

/// In the classic protocol the broker says no more than this of either.
const DIFFERENT: &str = "group: its members differ in KAFKA_ASSIGNMENT_STRATEGY, or a share or streams group has the name in KAFKA_CONSUMER_GROUP; \
     give all the same strategy, or choose another name";
const NO_CONSUMERS: &str = "group: a share or streams group has the name in KAFKA_CONSUMER_GROUP, or members of KAFKA_GROUP_PROTOCOL=classic are in \
     it; choose another name, or let those leave first";
/// Brokers before Kafka 4.0 do not know the protocol.
const OLD_BROKERS: &str = "group: the brokers do not know KAFKA_GROUP_PROTOCOL=consumer, use classic";

/// The class of a code and, where a person must act, what to look at.
pub(crate) const fn classify(code: Code) -> (FaultClass, Option<&'static str>) {
    match code {
        // The network, the brokers, elections, and a group that is rearranging itself: all of it passes.
        Code::BrokerTransportFailure
        | Code::AllBrokersDown
        | Code::Resolve
        | Code::NetworkException
        | Code::BrokerNotAvailable
        | Code::LeaderNotAvailable
        | Code::NotLeaderForPartition
        | Code::ReplicaNotAvailable
        | Code::NotEnoughReplicas
        | Code::NotEnoughReplicasAfterAppend
        | Code::ISRInsufficient
        | Code::KafkaStorageError
        | Code::NotController
        | Code::OffsetNotAvailable
        | Code::FencedLeaderEpoch
        | Code::UnknownLeaderEpoch
        | Code::PreferredLeaderNotAvailable
        | Code::EligibleLeadersNotAvailable
        | Code::UnknownBroker
        | Code::DestroyBroker
        | Code::BrokerDestroy
        | Code::ThrottlingQuotaExceeded
        | Code::QueueFull
        | Code::PurgeQueue
        | Code::PurgeInflight
        | Code::InvalidMessage
        | Code::WaitingForCoordinator
        | Code::CoordinatorNotAvailable
        | Code::CoordinatorLoadInProgress
        | Code::NotCoordinator
        | Code::IllegalGeneration
        | Code::UnknownMemberId
        | Code::MemberIdRequired
        | Code::RebalanceInProgress
        | Code::ReassignmentInProgress
        | Code::UnstableOffsetCommit
        | Code::StaleMemberEpoch
        | Code::FencedMemberEpoch
        | Code::UnknownTopicId
        | Code::RebootstrapRequired
        | Code::AssignmentLost
        | Code::NoOffset
        | Code::PollExceeded
        | Code::Outdated
        | Code::Retry
        | Code::InProgress
        | Code::State => (AWAY, None),
        Code::RequestTimedOut | Code::OperationTimedOut | Code::MessageTimedOut | Code::TimedOutQueue => (TIMED_OUT, None),
        // Only a person can mend these.
        Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition | Code::InvalidTopic => {
            (FaultClass::Operator, Some("topic: there is none of this name; correct KAFKA_TOPIC, or create it"))
        }
        Code::Authentication | Code::SaslAuthenticationFailed => (
            FaultClass::Operator,
            Some(
                "login: user, password or token is wrong, check KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD, or KAFKA_SASL_OAUTHBEARER_*, and KAFKA_SASL_MECHANISM",
            ),
        ),
        Code::UnsupportedSASLMechanism | Code::IllegalSASLState => (FaultClass::Operator, Some(reason::MECHANISM)),
        Code::SSL => (FaultClass::Operator, Some(reason::UNTRUSTED)),
        Code::TopicAuthorizationFailed => (FaultClass::Operator, Some("rights: the user may not use the topic")),
        Code::GroupAuthorizationFailed => (FaultClass::Operator, Some("rights: the user may not use the consumer group")),
        Code::ClusterAuthorizationFailed | Code::TransactionalIdAuthorizationFailed => {
            (FaultClass::Operator, Some("rights: the user may not do this in the cluster"))
        }
        Code::InconsistentGroupProtocol => (FaultClass::Operator, Some(DIFFERENT)),
        Code::GroupIdNotFound => (FaultClass::Operator, Some(NO_CONSUMERS)),
        Code::UnsupportedAssignor => (FaultClass::Operator, Some("group: the brokers do not have KAFKA_PROPERTY_GROUP_REMOTE_ASSIGNOR")),
        Code::InvalidSessionTimeout => (FaultClass::Operator, Some("group: the broker refuses KAFKA_SESSION_TIMEOUT")),
        Code::InvalidGroupId => (FaultClass::Operator, Some("group: check KAFKA_CONSUMER_GROUP")),
        Code::GroupMaxSizeReached => (FaultClass::Operator, Some("group: the broker lets no more members in")),
        Code::InvalidPartitions | Code::InvalidReplicationFactor | Code::PolicyViolation => {
            (FaultClass::Operator, Some("topic: the cluster refuses its partitions or replication factor"))
        }
        Code::CriticalSystemResource | Code::FileSystem => (FaultClass::Operator, Some("system: memory, threads or files of this machine")),
        // The record itself: it would be refused for ever.
        Code::MessageSizeTooLarge | Code::MessageBatchTooLarge | Code::InvalidMessageSize => {
            (FaultClass::Poison, Some("message_too_large"))
        }
        Code::InvalidRecord | Code::InvalidTimestamp => (FaultClass::Poison, Some("message_refused")),
        // The client's own state is broken.
        Code::Fatal
        | Code::Fenced
        | Code::ProducerFenced
        | Code::FencedInstanceId
        | Code::OutOfOrderSequenceNumber
        | Code::UnknownProducerId
        | Code::InvalidProducerEpoch => (FaultClass::UnknownState, None),
        // What is not listed holds and alarms; it is never poison.
        _ => (FaultClass::Bug, None),
    }
}

/// An error code as the rest of the program sees it; `operation` is what we were doing.
pub(crate) fn from_code(code: Code, operation: &'static str) -> Fault {
    let (class, look_at) = classify(code);
    Fault { dependency: Dependency::Kafka, class, code: Some(number(code)), subject: look_at.unwrap_or(operation) }
}

/// An error that librdkafka reported unasked. The text that comes with it is not shown, but may say more than the code.
pub(crate) fn reported(code: Code, text: &str) -> Fault {
    let known = from_code(code, "connection");
    reason::of(code, text).map_or(known.clone(), |(class, subject)| Fault { class, subject, ..known })
}

/// What a client failed for good with, where its code says what only a person can mend: in the protocol `consumer` a refusal ends the client.
pub(crate) fn refused_for_good(code: Code) -> Option<Fault> {
    let known = from_code(code, "connection");
    match code {
        Code::UnsupportedVersion | Code::UnsupportedFeature => Some(Fault { class: FaultClass::Operator, subject: OLD_BROKERS, ..known }),
        _ => Some(known).filter(|fault| fault.class == FaultClass::Operator),
    }
}

/// An error of the driver as the rest of the program sees it.
pub(crate) fn from_error(error: &KafkaError, operation: &'static str) -> Fault {
    let code = match error {
        KafkaError::AdminOp(code) => Some(*code),
        other => other.rdkafka_error_code(),
    };
    let (class, subject) = match error {
        _ if code.is_some() => (FaultClass::Bug, operation),
        // Values were checked when they were read; what is left are files that are not what they should be.
        KafkaError::ClientConfig(..) | KafkaError::ClientCreation(_) => {
            (FaultClass::Operator, "client: librdkafka refuses the settings, check KAFKA_SSL_* and KAFKA_SASL_*")
        }
        KafkaError::Canceled | KafkaError::NoMessageReceived | KafkaError::PauseResume(_) => (AWAY, operation),
        _ => (FaultClass::Bug, operation),
    };
    code.map_or(Fault { dependency: Dependency::Kafka, class, code: None, subject }, |code| from_code(code, operation))
}

/// No answer came within our own bound.
pub(crate) const fn timed_out(operation: &'static str) -> Fault {
    Fault { dependency: Dependency::Kafka, class: TIMED_OUT, code: None, subject: operation }
}

/// The client is gone, or the machine could not give us a thread.
pub(crate) const fn away(operation: &'static str) -> Fault {
    Fault { dependency: Dependency::Kafka, class: AWAY, code: None, subject: operation }
}

/// The program used this crate in a way that cannot work.
pub(crate) const fn bug(operation: &'static str) -> Fault {
    Fault { dependency: Dependency::Kafka, class: FaultClass::Bug, code: None, subject: operation }
}

/// Whether a commit that failed so may succeed when it is sent again: the coordinator is moving or slow. All other failures mean that the
/// membership changed, and the next commit, under the new one, decides.
pub(crate) fn is_commit_retriable(fault: &Fault) -> bool {
    const RETRIABLE: [Code; 5] = [
        Code::RequestTimedOut,
        Code::NotCoordinator,
        Code::CoordinatorNotAvailable,
        Code::CoordinatorLoadInProgress,
        Code::WaitingForCoordinator,
    ];
    RETRIABLE.iter().any(|code| fault.code == Some(number(*code)))
}

const fn number(code: Code) -> i64 {
    code as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_never_taken_for_an_error_of_the_data() {
        for code in [Code::AllBrokersDown, Code::BrokerTransportFailure, Code::NotEnoughReplicas, Code::NotCoordinator] {
            assert_eq!(from_code(code, "commit").class, AWAY, "{code:?}");
        }
        assert_eq!(from_code(Code::MessageTimedOut, "publish").class, TIMED_OUT);
    }

    #[test]
    fn what_only_a_person_can_mend_says_what_to_look_at() {
        for (code, word) in [
            (Code::UnknownTopicOrPartition, "KAFKA_TOPIC"),
            (Code::Authentication, "KAFKA_SASL_PASSWORD"),
            (Code::SSL, "KAFKA_SSL_CA_FILE"),
            (Code::InconsistentGroupProtocol, "KAFKA_ASSIGNMENT_STRATEGY"),
            (Code::InconsistentGroupProtocol, "share"),
            (Code::GroupIdNotFound, "share"),
            (Code::GroupAuthorizationFailed, "rights"),
        ] {
            let fault = from_code(code, "take");
            assert_eq!(fault.class, FaultClass::Operator);
            assert!(fault.subject.contains(word), "{fault}");
        }
    }

    #[test]
    fn only_what_the_record_itself_causes_is_poison_and_the_unlisted_holds() {
        assert_eq!(from_code(Code::MessageSizeTooLarge, "publish").class, FaultClass::Poison);
        assert_eq!(from_code(Code::MessageSizeTooLarge, "publish").subject, "message_too_large");
        assert_eq!(from_code(Code::InvalidRequest, "publish").class, FaultClass::Bug);
        assert_eq!(from_code(Code::Unknown, "publish").class, FaultClass::Bug);
    }

    #[test]
    fn a_commit_is_sent_again_only_while_the_coordinator_moves() {
        for code in [Code::RequestTimedOut, Code::NotCoordinator, Code::CoordinatorLoadInProgress] {
            assert!(is_commit_retriable(&from_code(code, "commit")), "{code:?}");
        }
        for code in [Code::IllegalGeneration, Code::StaleMemberEpoch, Code::UnknownMemberId, Code::RebalanceInProgress, Code::NoOffset] {
            assert!(!is_commit_retriable(&from_code(code, "commit")), "{code:?}");
        }
    }

    #[test]
    fn an_error_without_a_code_does_not_carry_the_drivers_text() {
        let fault = from_error(&KafkaError::ClientCreation("ssl.key.password=hunter2".to_owned()), "open");
        assert_eq!(fault.class, FaultClass::Operator);
        assert!(!fault.to_string().contains("hunter2"));
        assert_eq!(from_error(&KafkaError::AdminOp(Code::OperationTimedOut), "create_topic").class, TIMED_OUT);
    }
}
