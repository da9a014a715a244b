//! Classes of failure, and the one policy that answers them.

use std::sync::OnceLock;
use std::{fmt, io};

/// A part of the world that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dependency {
    /// SQL Server, or the embedded SQLite.
    Database,
    /// Redis, or the embedded queue.
    DeadLetterQueue,
    /// The broker.
    Kafka,
}

impl Dependency {
    /// A stable label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::DeadLetterQueue => "dead_letter_queue",
            Self::Kafka => "kafka",
        }
    }

    /// Says where it is, for messages: `at db.example.com:1433`, `in data/events.db`. A program speaks to one of each and says so once, when it has
    /// read its settings; what is said later counts for nothing.
    pub fn is(self, place: String) {
        PLACES[self as usize].get_or_init(|| place);
    }

    /// Where it is, where the program has said so.
    pub fn place(self) -> Option<&'static str> {
        PLACES[self as usize].get().map(String::as_str)
    }

    /// Who it is, in a sentence: `the database at db.example.com:1433`.
    pub fn name(self) -> String {
        let name = match self {
            Self::Database => "the database",
            Self::DeadLetterQueue => "the dead letter queue",
            Self::Kafka => "Kafka",
        };
        self.place().map_or_else(|| name.to_owned(), |place| format!("{name} {place}"))
    }
}

/// Where each part is. Of the process, as its log is: a message about a part may be written wherever that fails.
static PLACES: [OnceLock<String>; 3] = [const { OnceLock::new() }; 3];

/// What kind of failure it is. Adapters translate their driver's errors into this once, in their `faults` module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultClass {
    /// Two writers met on a key of ours.
    UniqueViolation,
    /// Two writers met on a lock: deadlock, lock timeout, snapshot conflict.
    LockConflict,
    /// The dependency is away, or about to be.
    Unavailable {
        /// Nothing came back in time: the work may have been too much at once.
        timed_out: bool,
    },
    /// Only a person can mend it: a full disk, a missing right, a wrong password.
    Operator,
    /// The transaction or the connection is in a state that we do not understand.
    UnknownState,
    /// Our statement or schema is wrong. Never the data's fault.
    Bug,
    /// The data breaks a constraint that retrying cannot satisfy.
    Poison,
    /// The e-mail address belongs to another user, who may still give it up.
    EmailTaken,
    /// A foreign key of ours found no parent.
    MissingParent,
    /// A parked event of this batch was released or expired by someone else meanwhile. Nothing was written; read it again.
    ReleaseLost,
}

impl FaultClass {
    /// A stable label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::UniqueViolation => "key_race",
            Self::LockConflict => "lock_race",
            Self::Unavailable { timed_out: false } => "unavailable",
            Self::Unavailable { timed_out: true } => "timeout",
            Self::Operator => "operator",
            Self::UnknownState => "doomed",
            Self::Bug => "bug",
            Self::Poison => "poison",
            Self::EmailTaken => "email_taken",
            Self::MissingParent => "missing_parent",
            Self::ReleaseLost => "release_lost",
        }
    }
}

/// A failure as the rest of the program sees it: numbers and names, never the text of a server, which may quote an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Who failed.
    pub dependency: Dependency,
    /// How.
    pub class: FaultClass,
    /// The server's number, where it gave one.
    pub code: Option<i64>,
    /// What we were doing or what to look at: a name of ours, such as a constraint or an operation.
    pub subject: &'static str,
}

impl Fault {
    /// Whether Kafka refuses only the topic that was named: it is missing, its name is none, or this user may not use it. Other topics work.
    ///
    /// The numbers are those of [Kafka's protocol](https://kafka.apache.org/protocol#protocol_error_codes): `UNKNOWN_TOPIC_OR_PARTITION`,
    /// `INVALID_TOPIC_EXCEPTION`, `TOPIC_AUTHORIZATION_FAILED`; and librdkafka's own for the first of them.
    pub const fn is_about_topic(&self) -> bool {
        matches!((self.dependency, self.code), (Dependency::Kafka, Some(3 | 17 | 29 | -188)))
    }
}

impl Fault {
    /// What is wrong, as the beginning of a sentence: `the database at db.example.com:1433 cannot be reached or used just now`.
    pub fn symptom(&self) -> String {
        let what = match self.class {
            // Why there is no connection is known.
            FaultClass::Unavailable { timed_out: false } if self.advice().is_some() && !self.is_answer() => "cannot be reached",
            FaultClass::Unavailable { timed_out: false } if self.advice().is_some() => "cannot be used just now",
            FaultClass::Unavailable { timed_out: false } => "cannot be reached or used just now",
            FaultClass::Unavailable { timed_out: true } => "does not answer in time",
            FaultClass::Operator => "refuses",
            FaultClass::UniqueViolation | FaultClass::LockConflict | FaultClass::ReleaseLost => {
                "is busy: other writers are at the same rows"
            }
            FaultClass::UnknownState | FaultClass::Bug => "refuses in a way that must not happen",
            FaultClass::Poison | FaultClass::EmailTaken | FaultClass::MissingParent => "refuses the data",
        };
        format!("{} {what}", self.dependency.name())
    }

    /// Whether whoever fails has said so: they were reached. Servers give numbers, Redis words in capitals.
    fn is_answer(&self) -> bool {
        match self.dependency {
            Dependency::Kafka => self.code.is_some_and(|code| code > 0),
            Dependency::Database => self.code.is_some(),
            Dependency::DeadLetterQueue => self.code.is_some() || self.subject.starts_with(|first: char| first.is_ascii_uppercase()),
        }
    }

    /// What is to be looked at, where the adapter that knows the error says so.
    pub fn advice(&self) -> Option<&'static str> {
        self.subject.contains(": ").then_some(self.subject)
    }

    /// What was done, unless that is an advice already, and the server's number with whose number it is; empty where nothing of it is known. Kafka's
    /// numbers stand for one sentence each: where that is told, they are not.
    pub fn detail(&self) -> String {
        let has_advice = self.advice().is_some();
        let subject = (!has_advice).then(|| self.subject.to_owned());
        let code = match (self.dependency, self.code) {
            (Dependency::Kafka, _) if has_advice => None,
            (Dependency::Kafka, Some(code @ ..0)) => Some(format!("librdkafka's error {code}")),
            (Dependency::Kafka, Some(code)) => Some(format!("Kafka's error {code}")),
            (_, code) => code.map(|code| format!("error {code}")),
        };
        subject.into_iter().chain(code).collect::<Vec<_>>().join(", ")
    }
}

impl Fault {
    /// What is wrong, without the adapter's advice, for where that stands beside it.
    pub fn without_advice(&self) -> String {
        let detail = self.detail();
        if detail.is_empty() { self.symptom() } else { format!("{} ({detail})", self.symptom()) }
    }
}

impl fmt::Display for Fault {
    /// `the database at db.example.com:1433 cannot be reached or used just now (apply_batch, error 4060)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.symptom())?;
        self.advice().map_or(Ok(()), |advice| write!(f, ": {advice}"))?;
        let detail = self.detail();
        if detail.is_empty() { Ok(()) } else { write!(f, " ({detail})") }
    }
}

impl std::error::Error for Fault {}

/// What to look at where a connection is refused.
pub const REFUSED: &str = "connection refused: nothing listens at this address, or a firewall refuses";
/// What to look at where a name has no address.
pub const UNKNOWN_HOST: &str = "unknown host: the name has no address here, check its spelling and DNS";

/// Why a server cannot be connected to, where the operating system's error says so: an advice for [`Fault::subject`].
///
/// Linux tells `EHOSTUNREACH` and `ENETUNREACH` apart, which makes no difference to whoever mends it. That a name has no address is told by
/// `getaddrinfo` in numbers of its own, which Rust's library gives as text alone.
pub fn unreachable(kind: io::ErrorKind, text: &str) -> Option<&'static str> {
    match kind {
        io::ErrorKind::ConnectionRefused => Some(REFUSED),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Some("no route: the network has no way to this address"),
        _ if text.starts_with("failed to lookup address information") => Some(UNKNOWN_HOST),
        _ => None,
    }
}

/// Tries that a race gets before it is taken for something else.
pub const RACE_TRIES: u32 = 10;

/// What to do about a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Try the same again after a short, random pause.
    RetrySoon,
    /// Pause the partitions, keep polling, try again with growing pauses, for ever.
    Wait(Cause),
    /// The batch holds an event that cannot be written: find it by halving.
    Isolate,
    /// Read the parked events again.
    Reread,
}

/// Why the consumer waits: what an operator is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// A dependency is away. It comes back by itself.
    Outage,
    /// A person must act. The work goes on by itself afterwards.
    Operator,
    /// Schema or program are wrong. Nothing is dead-lettered; the work goes on by itself once it is mended.
    Bug,
    /// So many records are unwritable that it must be a producer's defect. An operator decides; see [`crate::dlq_limit`].
    PoisonFlood,
}

impl Cause {
    /// A stable label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Outage => "outage",
            Self::Operator => "operator",
            Self::Bug => "bug",
            Self::PoisonFlood => "poison_flood",
        }
    }
}

impl FaultClass {
    /// The answer to a fault on the `tries`-th try (from 1) of the same work.
    pub const fn policy(self, tries: u32) -> Action {
        match self {
            Self::UniqueViolation if tries >= RACE_TRIES => Action::Wait(Cause::Bug),
            Self::LockConflict if tries >= RACE_TRIES => Action::Wait(Cause::Outage),
            Self::UniqueViolation | Self::LockConflict => Action::RetrySoon,
            Self::Unavailable { timed_out: _ } => Action::Wait(Cause::Outage),
            Self::Operator => Action::Wait(Cause::Operator),
            Self::UnknownState if tries <= 1 => Action::RetrySoon,
            Self::UnknownState | Self::Bug => Action::Wait(Cause::Bug),
            Self::Poison | Self::EmailTaken | Self::MissingParent => Action::Isolate,
            Self::ReleaseLost => Action::Reread,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const AWAY: FaultClass = FaultClass::Unavailable { timed_out: false };
    const SLOW: FaultClass = FaultClass::Unavailable { timed_out: true };

    #[test]
    fn each_class_has_its_answer_on_the_first_try() {
        for (class, action) in [
            (FaultClass::UniqueViolation, Action::RetrySoon),
            (FaultClass::LockConflict, Action::RetrySoon),
            (AWAY, Action::Wait(Cause::Outage)),
            (SLOW, Action::Wait(Cause::Outage)),
            (FaultClass::Operator, Action::Wait(Cause::Operator)),
            (FaultClass::UnknownState, Action::RetrySoon),
            (FaultClass::Bug, Action::Wait(Cause::Bug)),
            (FaultClass::Poison, Action::Isolate),
            (FaultClass::EmailTaken, Action::Isolate),
            (FaultClass::MissingParent, Action::Isolate),
            (FaultClass::ReleaseLost, Action::Reread),
        ] {
            assert_eq!(class.policy(1), action, "{}", class.label());
        }
    }

    #[test]
    fn a_fault_is_told_in_names_and_numbers_of_ours() {
        let fault = |code| Fault { dependency: Dependency::Database, class: AWAY, code, subject: "apply_batch" };
        assert_eq!(fault(Some(4060)).to_string(), "the database cannot be reached or used just now (apply_batch, error 4060)");
        assert_eq!(fault(None).to_string(), "the database cannot be reached or used just now (apply_batch)");
        let refused = Fault { subject: "rights: the user may not read", class: FaultClass::Operator, ..fault(Some(229)) };
        assert_eq!(refused.to_string(), "the database refuses: rights: the user may not read (error 229)");
        let nobody = Fault { subject: REFUSED, ..fault(None) };
        assert_eq!(nobody.to_string(), format!("the database cannot be reached: {REFUSED}"));
        let told = Fault { subject: "LOADING: Redis is starting; wait", dependency: Dependency::DeadLetterQueue, ..fault(None) };
        assert_eq!(told.to_string(), "the dead letter queue cannot be used just now: LOADING: Redis is starting; wait");
        let slow = Fault { dependency: Dependency::Kafka, class: SLOW, code: None, subject: "commit" };
        assert_eq!(slow.to_string(), "Kafka does not answer in time (commit)");
    }

    #[test]
    fn why_there_is_no_connection_is_told_as_the_system_knows_it() {
        let why = |address: &str| {
            let error = std::net::TcpStream::connect(address).unwrap_err();
            unreachable(error.kind(), &error.to_string())
        };
        // A port that is nobody's.
        assert_eq!(why("127.0.0.1:1"), Some(REFUSED));
        // RFC 6761, section 6.4: never a name.
        assert_eq!(why("database.invalid:1433"), Some(UNKNOWN_HOST));
        assert_eq!(unreachable(io::ErrorKind::UnexpectedEof, "end of file"), None);
    }

    /// Dashboards and alerts tell them apart by their labels.
    #[test]
    fn no_two_labels_of_a_kind_are_the_same() {
        let causes = [Cause::Outage, Cause::Operator, Cause::Bug, Cause::PoisonFlood].map(Cause::label);
        let dependencies = [Dependency::Database, Dependency::DeadLetterQueue, Dependency::Kafka].map(Dependency::label);
        for labels in [&causes[..], &dependencies] {
            assert_eq!(BTreeSet::from_iter(labels).len(), labels.len(), "{labels:?}");
            assert!(labels.iter().all(|label| label.starts_with(|c: char| c.is_ascii_lowercase())), "{labels:?}");
        }
    }

    #[test]
    fn what_lasts_is_taken_for_something_else() {
        for (class, tries, action) in [
            (FaultClass::UniqueViolation, RACE_TRIES - 1, Action::RetrySoon),
            (FaultClass::UniqueViolation, RACE_TRIES, Action::Wait(Cause::Bug)),
            (FaultClass::LockConflict, RACE_TRIES - 1, Action::RetrySoon),
            (FaultClass::LockConflict, RACE_TRIES, Action::Wait(Cause::Outage)),
            (FaultClass::UnknownState, 2, Action::Wait(Cause::Bug)),
            (AWAY, u32::MAX, Action::Wait(Cause::Outage)),
        ] {
            assert_eq!(class.policy(tries), action, "{} on try {tries}", class.label());
        }
    }

    #[test]
    fn only_poison_its_kin_and_lost_releases_are_ever_answered_by_anything_but_waiting() {
        let waits = |class: FaultClass| matches!(class.policy(RACE_TRIES), Action::Wait(_));
        let all = [
            FaultClass::UniqueViolation,
            FaultClass::LockConflict,
            AWAY,
            SLOW,
            FaultClass::Operator,
            FaultClass::UnknownState,
            FaultClass::Bug,
        ];
        assert!(all.into_iter().all(waits), "an outage is never an error of the data");
    }
}
