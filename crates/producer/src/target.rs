//! Where messages go, and what to do when they do not arrive.

use pipeline::{Fault, FaultClass};

/// The topic, and the brokers as the settings name them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// `KAFKA_BROKERS`, for messages to people.
    pub brokers: String,
    /// The topic.
    pub topic: String,
}

impl Target {
    /// The same brokers with another topic, if one is given.
    #[must_use]
    pub fn with_topic(self, topic: Option<String>) -> Self {
        Self { topic: topic.unwrap_or(self.topic), ..self }
    }

    /// What a person is told about a message that was not delivered: what happened, and what to do.
    pub fn explain(&self, fault: &Fault) -> String {
        let Self { brokers, topic } = self;
        match fault.class {
            FaultClass::Unavailable { .. } => format!(
                "Kafka at {brokers} did not acknowledge it in time. Is it running, and is this the right address? It is set with \
                 KAFKA_BROKERS. ({fault})"
            ),
            // The subject names what a person must look at.
            FaultClass::Operator => format!("Kafka at {brokers} refuses messages for topic {topic}: {}. ({fault})", fault.subject),
            FaultClass::Poison => {
                format!("Topic {topic} cannot take this message. It may be too large; sending it again will not help. ({fault})")
            }
            _ => format!("Kafka at {brokers} did not take it. ({fault})"),
        }
    }

    /// What a person is told while nothing has come back for a while.
    pub fn still_waiting(&self) -> String {
        format!("Waiting for Kafka at {} …", self.brokers)
    }
}

#[cfg(test)]
mod tests {
    use pipeline::Dependency;

    use super::*;

    #[test]
    fn a_person_is_told_the_address_or_what_to_look_at() {
        let target = Target { brokers: "kafka:9092".to_owned(), topic: "events".to_owned() };
        let told = |class, subject| target.explain(&Fault { dependency: Dependency::Kafka, class, code: Some(7), subject });
        let away = told(FaultClass::Unavailable { timed_out: true }, "publish");
        assert!(away.contains("kafka:9092") && away.contains("KAFKA_BROKERS") && away.contains("error 7"), "{away}");
        let refused = told(FaultClass::Operator, "topic: there is none of this name; correct KAFKA_TOPIC, or create it");
        assert!(
            refused.contains("refuses messages for topic events: topic: there is none of this name; correct KAFKA_TOPIC, or create it."),
            "{refused}"
        );
    }
}
