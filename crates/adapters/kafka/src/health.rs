//! What is wrong between a client and its brokers, told in one line per change instead of one per attempt.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pipeline::{Fault, FaultClass};
use rdkafka::error::RDKafkaErrorCode as Code;

use crate::faults;

/// What ends a trouble.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// Any broker answers.
    Reachable,
    /// Something arrives: a record or a partition.
    Working,
    /// Nothing: the client is lost.
    Never,
}

struct Trouble {
    fault: Fault,
    ends: Ends,
}

/// The state of one client's connection to the cluster. librdkafka reports the beginning of a trouble once, or again and again, and its
/// end never: the end shows in the statistics, or in that work goes on.
#[derive(Default)]
pub(crate) struct Health {
    trouble: Mutex<Option<Trouble>>,
    troubled: AtomicBool,
}

impl Health {
    /// Notes an error that librdkafka reported. Most are passing and change nothing: one of several brokers is away, a connection was idle.
    pub(crate) fn report(&self, code: Code) {
        let (class, _) = faults::classify(code);
        let ends = match (code, class) {
            (Code::Fatal, _) => Ends::Never,
            (Code::AllBrokersDown | Code::Authentication | Code::SaslAuthenticationFailed | Code::SSL, _) => Ends::Reachable,
            (_, FaultClass::Operator) => Ends::Working,
            _ => {
                tracing::debug!(code = code as i64, class = class.label(), "Kafka reported a passing error");
                return;
            }
        };
        self.begin(Trouble { fault: faults::from_code(code, "connection"), ends });
    }

    /// A broker answers.
    pub(crate) fn reachable(&self) {
        self.end(&[Ends::Reachable]);
    }

    /// Work goes on: a record or a partition came.
    pub(crate) fn working(&self) {
        self.end(&[Ends::Reachable, Ends::Working]);
    }

    /// What is wrong now.
    pub(crate) fn trouble(&self) -> Option<Fault> {
        self.lock().as_ref().map(|trouble| trouble.fault.clone())
    }

    fn begin(&self, trouble: Trouble) {
        let mut current = self.lock();
        // "All brokers are down" follows a refused login, and says less.
        let outranked = |known: &Trouble| known.fault.class == FaultClass::Operator && trouble.fault.class != FaultClass::Operator;
        if current.as_ref().is_some_and(|known| known.fault == trouble.fault || known.ends == Ends::Never || outranked(known)) {
            return;
        }
        tracing::warn!(
            class = trouble.fault.class.label(),
            code = trouble.fault.code,
            subject = trouble.fault.subject,
            "Kafka cannot be used"
        );
        *current = Some(trouble);
        self.troubled.store(true, Ordering::Release);
    }

    fn end(&self, ended: &[Ends]) {
        if !self.troubled.load(Ordering::Acquire) {
            return;
        }
        let mut current = self.lock();
        if current.as_ref().is_some_and(|trouble| ended.contains(&trouble.ends)) {
            *current = None;
            self.troubled.store(false, Ordering::Release);
            tracing::info!("Kafka can be used again");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Trouble>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(health: &Health) -> Option<i64> {
        health.trouble().and_then(|fault| fault.code)
    }

    #[test]
    fn one_broker_of_several_being_away_is_no_trouble_all_of_them_is() {
        let health = Health::default();
        health.report(Code::BrokerTransportFailure);
        health.report(Code::PollExceeded);
        assert_eq!(health.trouble(), None);
        health.report(Code::AllBrokersDown);
        assert_eq!(code(&health), Some(-187));
        health.reachable();
        assert_eq!(health.trouble(), None);
    }

    #[test]
    fn a_refused_login_is_not_hidden_by_the_broken_connections_that_follow_it() {
        let health = Health::default();
        health.report(Code::Authentication);
        health.report(Code::AllBrokersDown);
        assert_eq!(code(&health), Some(-169));
    }

    #[test]
    fn a_missing_topic_stays_a_trouble_until_something_arrives() {
        let health = Health::default();
        health.report(Code::UnknownTopicOrPartition);
        health.reachable();
        assert_eq!(code(&health), Some(3));
        health.working();
        assert_eq!(health.trouble(), None);
    }

    #[test]
    fn a_client_that_is_lost_stays_lost() {
        let health = Health::default();
        health.report(Code::Fatal);
        health.working();
        health.report(Code::AllBrokersDown);
        assert_eq!(code(&health), Some(-150));
    }
}
