//! What is wrong between a client and its brokers, told in one line per change instead of one per attempt.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use pipeline::{Fault, FaultClass};
use rdkafka::error::RDKafkaErrorCode as Code;

use crate::{faults, reason};

/// How long a client that was refused for good is kept, before another one asks again.
const REFUSED_PAUSE: Duration = Duration::from_secs(15);

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
    began: Instant,
    /// Whether a text came with it. An error comes once with its text and then once more to the consumer, without.
    from_text: bool,
}

impl Trouble {
    /// Whether it is about who logs in: the client has no connection because of it.
    fn is_login(&self) -> bool {
        self.fault.code == Some(Code::Authentication as i64)
    }

    fn is_over_with_client(&self) -> bool {
        self.ends == Ends::Never && (self.fault.class != FaultClass::Operator || self.began.elapsed() >= REFUSED_PAUSE)
    }
}

/// What is known.
#[derive(Default)]
struct State {
    trouble: Option<Trouble>,
    /// Why connections broke, where that is known: a trouble only if no broker can be reached.
    hint: Option<&'static str>,
}

/// The state of one client's connection to the cluster. librdkafka reports the beginning of a trouble once, or again and again, and its
/// end never: the end shows in the statistics, or in that work goes on.
#[derive(Default)]
pub(crate) struct Health {
    state: Mutex<State>,
    /// Whether there is anything in the state.
    troubled: AtomicBool,
    /// Whether anything has ever worked. Then the settings are right, and no hint at them is.
    worked: AtomicBool,
    quiet: bool,
}

impl Health {
    /// Of a client that only answers, and logs nothing: whoever asks it hears what is wrong, from [`Health::explain`]. It would tell of the
    /// same outage once more, and never of its end.
    pub(crate) fn quiet() -> Arc<Self> {
        Arc::new(Self { quiet: true, ..Self::default() })
    }

    /// Notes an error that librdkafka reported. Most are passing and change nothing: one of several brokers is away, a connection was idle.
    pub(crate) fn report(&self, code: Code, text: Option<&str>) {
        let fault = faults::reported(code, text.unwrap_or_default());
        let ends = match (code, fault.class) {
            (Code::Fatal, _) => Ends::Never,
            (Code::AllBrokersDown | Code::Authentication | Code::SaslAuthenticationFailed | Code::SSL, _)
            | (Code::BrokerTransportFailure, FaultClass::Operator) => Ends::Reachable,
            (_, FaultClass::Operator) => Ends::Working,
            _ => {
                tracing::debug!(code = code as i64, class = fault.class.label(), "Kafka reported a passing error");
                return;
            }
        };
        self.begin(Trouble { fault, ends, began: Instant::now(), from_text: text.is_some() });
    }

    /// Notes that the client has failed for good, and with which code where that is known.
    pub(crate) fn fail(&self, code: Option<Code>) {
        let fault = code.and_then(faults::refused_for_good).unwrap_or_else(|| faults::reported(Code::Fatal, ""));
        let mut state = self.lock();
        let (class, subject) = (fault.class, fault.subject);
        // That it failed may be told first, and why afterwards; and what it failed with may be known already, as if it could pass.
        if state
            .trouble
            .as_ref()
            .is_some_and(|known| known.ends == Ends::Never && (known.fault.class == FaultClass::Operator || class != FaultClass::Operator))
        {
            return;
        }
        if !state.trouble.as_ref().is_some_and(|known| (known.fault.class, known.fault.subject) == (class, subject)) {
            self.tell(&fault);
        }
        state.trouble = Some(Trouble { fault, ends: Ends::Never, began: Instant::now(), from_text: false });
        self.troubled.store(true, Ordering::Release);
    }

    /// Looks whether a line about a broken connection tells why: librdkafka does not report it otherwise.
    pub(crate) fn hear(&self, line: &str) {
        if let Some(hint) = reason::hint(line)
            && !self.worked.load(Ordering::Relaxed)
        {
            self.lock().hint = Some(hint);
            self.troubled.store(true, Ordering::Release);
        }
    }

    /// The cause of a failed request, where it is known: librdkafka itself only says that no answer came in time.
    pub(crate) fn explain(&self, fault: Fault) -> Fault {
        if !matches!(fault.class, FaultClass::Unavailable { .. }) {
            return fault;
        }
        let state = self.lock();
        match (&state.trouble, state.hint) {
            (Some(trouble), _) if trouble.fault.class == FaultClass::Operator => trouble.fault.clone(),
            (Some(_), Some(hint)) => Fault { subject: hint, ..fault },
            (Some(trouble), None) if trouble.is_login() => Fault { subject: trouble.fault.subject, ..fault },
            _ => fault,
        }
    }

    /// A broker answers.
    pub(crate) fn reachable(&self) {
        self.end(&[Ends::Reachable]);
    }

    /// Work goes on: a record or a partition came.
    pub(crate) fn working(&self) {
        if !self.worked.load(Ordering::Relaxed) {
            self.worked.store(true, Ordering::Relaxed);
        }
        self.end(&[Ends::Reachable, Ends::Working]);
    }

    /// What this code told of has ended.
    pub(crate) fn is_over(&self, code: Code) {
        let known = self.lock().trouble.as_ref().and_then(|trouble| trouble.fault.code);
        if known == Some(code as i64) {
            self.end(&[Ends::Reachable, Ends::Working]);
        }
    }

    /// Whether the client reported a fatal error, so that another one must take its place. Not at once where a person must act first: the
    /// next one would fail in the same way.
    pub(crate) fn is_lost(&self) -> bool {
        self.troubled.load(Ordering::Acquire) && self.lock().trouble.as_ref().is_some_and(Trouble::is_over_with_client)
    }

    /// Another client begins: nothing is known of it.
    pub(crate) fn renew(&self) {
        *self.lock() = State::default();
        self.troubled.store(false, Ordering::Release);
    }

    /// What is wrong now.
    pub(crate) fn trouble(&self) -> Option<Fault> {
        self.lock().trouble.as_ref().map(|trouble| trouble.fault.clone())
    }

    fn begin(&self, mut trouble: Trouble) {
        let mut state = self.lock();
        if let (FaultClass::Unavailable { .. }, Some(hint)) = (trouble.fault.class, state.hint) {
            trouble.fault.subject = hint;
        }
        // "All brokers are down" follows a refused login, and says less.
        let outranked = |known: &Trouble| {
            known.fault.class == FaultClass::Operator && trouble.fault.class != FaultClass::Operator
                || known.is_login() && !trouble.is_login()
        };
        let repeated = |known: &Trouble| {
            (known.fault.class, known.fault.subject) == (trouble.fault.class, trouble.fault.subject)
                || known.from_text && !trouble.from_text && known.fault.code == trouble.fault.code
        };
        if state.trouble.as_ref().is_some_and(|known| repeated(known) || known.ends == Ends::Never || outranked(known)) {
            return;
        }
        self.tell(&trouble.fault);
        state.trouble = Some(trouble);
        self.troubled.store(true, Ordering::Release);
    }

    fn tell(&self, fault: &Fault) {
        if !self.quiet {
            let why = fault.advice().map_or_else(|| fault.detail(), str::to_owned);
            tracing::warn!(class = fault.class.label(), code = fault.code, "{} cannot be used: {why}", fault.dependency.name());
        }
    }

    fn end(&self, ended: &[Ends]) {
        if !self.troubled.load(Ordering::Acquire) {
            return;
        }
        let mut state = self.lock();
        state.hint = None;
        match &state.trouble {
            Some(trouble) if !ended.contains(&trouble.ends) => return,
            Some(_) if !self.quiet => tracing::info!("Kafka can be used again"),
            _ => {}
        }
        state.trouble = None;
        self.troubled.store(false, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
        health.report(Code::BrokerTransportFailure, None);
        health.report(Code::PollExceeded, None);
        assert_eq!(health.trouble(), None);
        health.report(Code::AllBrokersDown, None);
        assert_eq!(code(&health), Some(-187));
        health.reachable();
        assert_eq!(health.trouble(), None);
    }

    #[test]
    fn a_refused_login_is_not_hidden_by_the_broken_connections_that_follow_it() {
        let health = Health::default();
        health.report(Code::Authentication, None);
        health.report(Code::AllBrokersDown, None);
        assert_eq!(code(&health), Some(-169));
    }

    #[test]
    fn a_missing_topic_stays_a_trouble_until_something_arrives() {
        let health = Health::default();
        health.report(Code::UnknownTopicOrPartition, None);
        health.reachable();
        assert_eq!(code(&health), Some(3));
        health.working();
        assert_eq!(health.trouble(), None);
    }

    #[test]
    fn what_ends_for_one_reason_leaves_what_began_for_another() {
        let health = Health::default();
        health.report(Code::TopicAuthorizationFailed, None);
        health.is_over(Code::GroupIdNotFound);
        assert_eq!(code(&health), Some(29));
        health.report(Code::GroupIdNotFound, None);
        health.is_over(Code::GroupIdNotFound);
        assert_eq!(health.trouble(), None);
    }

    #[test]
    fn a_client_that_is_lost_stays_lost() {
        let health = Health::default();
        health.report(Code::Fatal, None);
        health.working();
        health.report(Code::AllBrokersDown, None);
        assert_eq!(code(&health), Some(-150));
    }

    #[test]
    fn a_client_that_was_refused_for_good_says_why_and_is_kept_for_a_while() {
        let health = Health::default();
        health.report(Code::Fatal, None);
        assert!(health.is_lost());
        health.fail(Some(Code::GroupAuthorizationFailed));
        assert_eq!(health.trouble().map(|fault| (fault.class, fault.code)), Some((FaultClass::Operator, Some(30))));
        assert!(!health.is_lost(), "the next one would be refused as well");
        health.lock().trouble.as_mut().unwrap().began -= REFUSED_PAUSE;
        assert!(health.is_lost());
        health.renew();
        health.report(Code::GroupMaxSizeReached, Some("Fatal error"));
        health.fail(Some(Code::GroupMaxSizeReached));
        health.working();
        assert_eq!(code(&health), Some(81), "it looked as if it could pass");
        health.renew();
        health.fail(Some(Code::UnsupportedVersion));
        assert!(health.trouble().is_some_and(|fault| fault.subject.contains("KAFKA_GROUP_PROTOCOL")));
        health.renew();
        health.fail(Some(Code::InvalidRequest));
        assert!(health.is_lost() && code(&health) == Some(-150), "nobody knows better: another client, at once");
    }

    const HANGS_UP: &str = "h:1/bootstrap: Disconnected (after 0ms in state APIVERSION_QUERY)";

    #[test]
    fn why_connections_break_is_said_once_none_is_left() {
        let health = Health::default();
        health.hear(HANGS_UP);
        assert_eq!(health.trouble(), None, "it may be one broker of several");
        health.report(Code::AllBrokersDown, None);
        assert!(health.trouble().is_some_and(|fault| fault.subject.contains("KAFKA_SECURITY_PROTOCOL")));
        health.reachable();
        health.report(Code::AllBrokersDown, None);
        assert!(health.trouble().is_some_and(|fault| fault.subject == "connection"), "it was said about an earlier outage");
    }

    #[test]
    fn a_token_that_cannot_be_fetched_is_an_outage_that_says_of_what() {
        let health = Health::quiet();
        health.report(Code::Authentication, Some(&format!("Failed to acquire SASL OAUTHBEARER token: {}", crate::oauth::AWAY)));
        health.report(Code::AllBrokersDown, None);
        let explained = health.explain(faults::timed_out("publish"));
        assert!(
            matches!(explained.class, FaultClass::Unavailable { .. }) && explained.subject.contains("TOKEN_ENDPOINT_URL"),
            "{explained}"
        );
        health.report(Code::Authentication, Some(crate::oauth::REFUSED));
        assert_eq!(health.explain(faults::timed_out("publish")).class, FaultClass::Operator);
    }

    #[test]
    fn an_error_that_comes_again_without_its_text_says_no_less() {
        let health = Health::default();
        let text = "SASL PLAIN mechanism handshake failed: Broker: Unsupported SASL mechanism";
        health.report(Code::Authentication, Some(text));
        let known = health.trouble();
        health.report(Code::Authentication, None);
        assert_eq!(health.trouble(), known);
        health.report(Code::Authentication, Some("SASL authentication error"));
        assert_ne!(health.trouble(), known, "the mechanism is right now, the password is not");
    }

    #[test]
    fn a_request_without_an_answer_is_explained_by_what_is_known() {
        let health = Health::quiet();
        let slow = faults::timed_out("publish");
        assert_eq!(health.explain(slow.clone()), slow);
        health.hear(HANGS_UP);
        assert_eq!(health.explain(slow.clone()), slow, "some broker may answer");
        health.report(Code::AllBrokersDown, None);
        let explained = health.explain(slow.clone());
        assert!(explained.class == slow.class && explained.subject.contains("KAFKA_SECURITY_PROTOCOL"), "{explained}");
        health.report(Code::SSL, Some(""));
        assert!(health.explain(slow.clone()).subject.contains("KAFKA_SSL_CA_FILE"));
        let poison = faults::from_code(Code::MessageSizeTooLarge, "publish");
        assert_eq!(health.explain(poison.clone()), poison, "an answer explains itself");
        health.working();
        health.hear(HANGS_UP);
        health.report(Code::AllBrokersDown, None);
        assert_eq!(health.explain(slow.clone()), slow, "it has worked: the settings are right");
    }
}
