//! What is wrong with a dependency, as a sentence for the person who is on call.

use pipeline::fault::{Dependency, Fault, FaultClass};

/// What becomes of the work, in sentences about a fault. None is the beginning of one after it.
const ONCE_IT_CAN: &str = "; the work goes on by itself once it can";
const ONCE_IT_DOES: &str = "; the work goes on by itself once it does";
const BY_ITSELF: &str = "; the work goes on by itself";
const A_PERSON: &str = ", and a person must mend it";
const NOT_THE_DATA: &str = "; nothing is dead-lettered for it";

/// What is wrong and who mends it: numbers and names only.
pub(crate) fn reason(fault: &Fault) -> String {
    let outlook = match fault.class {
        FaultClass::Unavailable { timed_out: false } => ONCE_IT_CAN,
        FaultClass::Unavailable { timed_out: true } => ONCE_IT_DOES,
        FaultClass::Operator => A_PERSON,
        FaultClass::UniqueViolation | FaultClass::LockConflict | FaultClass::ReleaseLost => BY_ITSELF,
        FaultClass::UnknownState | FaultClass::Bug | FaultClass::Poison | FaultClass::EmailTaken | FaultClass::MissingParent => {
            NOT_THE_DATA
        }
    };
    let advice = advice(fault).map_or_else(String::new, |advice| format!(": {advice}"));
    let (symptom, detail) = (fault.symptom(), in_brackets(&fault.detail()));
    // What a person must do ends the sentence; why something is away does not.
    match fault.class {
        FaultClass::Unavailable { .. } => format!("{symptom}{advice}{outlook}{detail}"),
        _ => format!("{symptom}{outlook}{advice}{detail}"),
    }
}

/// What is wrong and what to look at, without what becomes of the work: for where none may be under way.
pub(crate) fn told(fault: &Fault) -> String {
    let advice = advice(fault).map_or_else(String::new, |advice| format!(": {advice}"));
    format!("{}{advice}{}", fault.symptom(), in_brackets(&fault.detail()))
}

/// What is wrong, and what to do about it where that is said: of a sentence that [`reason`] or [`told`] made, in this process or in another one.
pub(crate) fn taken_apart(sentence: &str) -> (String, Option<String>) {
    let outlooks = [ONCE_IT_CAN, ONCE_IT_DOES, BY_ITSELF, A_PERSON, NOT_THE_DATA];
    let told = outlooks.iter().fold(sentence.to_owned(), |told, outlook| told.replacen(outlook, "", 1));
    // An advice ends with what to do, after a semicolon or as an order.
    let beginnings = ["; ", ", check ", ": check ", ": run "];
    match beginnings.iter().filter_map(|beginning| told.find(beginning)).min() {
        // The sign and the space before the order.
        Some(at) => (told[..at].to_owned(), Some(told[at + 2..].to_owned())),
        None => (told, None),
    }
}

fn in_brackets(detail: &str) -> String {
    if detail.is_empty() { String::new() } else { format!(" ({detail})") }
}

/// What to look at, where a person must act: what the adapter says, or else what it can be.
pub(crate) fn advice(fault: &Fault) -> Option<&'static str> {
    let specific = fault.advice();
    let advice = match (fault.dependency, fault.class) {
        (_, FaultClass::Unavailable { .. } | FaultClass::UniqueViolation | FaultClass::LockConflict | FaultClass::ReleaseLost) => {
            return specific;
        }
        _ if specific.is_some() => return specific,
        (Dependency::Database, FaultClass::Operator) => {
            "login, rights, space, memory or read-only; `consumer check` and the error number say more"
        }
        (Dependency::Database, _) => "schema and program do not go together; run `consumer migrate`, or look up the error number",
        (Dependency::DeadLetterQueue, _) => {
            "login, rights, memory or disk of Redis, or the key holds something else; `consumer check` says more"
        }
        (Dependency::Kafka, _) => "topic, rights or login; `consumer check` says more",
    };
    Some(advice)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(dependency: Dependency, class: FaultClass, code: Option<i64>, subject: &'static str) -> String {
        reason(&Fault { dependency, class, code, subject })
    }

    #[test]
    fn where_nothing_may_run_nothing_is_said_to_go_on_by_itself() {
        let fault = |code, subject| Fault {
            dependency: Dependency::Kafka,
            class: FaultClass::Unavailable { timed_out: false },
            code: Some(code),
            subject,
        };
        let refused = told(&fault(-195, pipeline::fault::REFUSED));
        assert_eq!(refused, "Kafka cannot be reached: connection refused: nothing listens at this address, or a firewall refuses");
        assert_eq!(told(&fault(-185, "log")), "Kafka cannot be reached or used just now (log, librdkafka's error -185)");
        let missing =
            Fault { class: FaultClass::Operator, ..fault(3, "topic: there is none of this name; correct KAFKA_TOPIC, or create it") };
        assert_eq!(told(&missing), "Kafka refuses: topic: there is none of this name; correct KAFKA_TOPIC, or create it");
        assert_eq!(
            told(&Fault { subject: "members", code: Some(41), ..missing }),
            "Kafka refuses: topic, rights or login; `consumer check` says more (members, Kafka's error 41)"
        );
    }

    #[test]
    fn a_sentence_falls_into_what_is_wrong_and_what_to_do() {
        let of = |dependency, class, subject| Fault { dependency, class, code: None, subject };
        let away = FaultClass::Unavailable { timed_out: false };
        for (fault, wrong, to_do) in [
            (
                of(Dependency::Kafka, away, pipeline::fault::REFUSED),
                "Kafka cannot be reached: connection refused: nothing listens at this address, or a firewall refuses",
                None,
            ),
            (
                of(Dependency::Database, away, pipeline::fault::UNKNOWN_HOST),
                "the database cannot be reached: unknown host: the name has no address here",
                Some("check its spelling and DNS"),
            ),
            (
                of(Dependency::DeadLetterQueue, FaultClass::Operator, "OOM: no memory is left; raise maxmemory"),
                "the dead letter queue refuses: OOM: no memory is left",
                Some("raise maxmemory"),
            ),
            (
                of(Dependency::DeadLetterQueue, FaultClass::Operator, "login: check REDIS_USERNAME and REDIS_PASSWORD"),
                "the dead letter queue refuses: login",
                Some("check REDIS_USERNAME and REDIS_PASSWORD"),
            ),
        ] {
            let expected = (wrong.to_owned(), to_do.map(str::to_owned));
            assert_eq!((taken_apart(&reason(&fault)), taken_apart(&told(&fault))), (expected.clone(), expected));
        }
        for outlook in [FaultClass::Unavailable { timed_out: true }, FaultClass::LockConflict, FaultClass::Bug] {
            let fault = of(Dependency::Database, outlook, "ping");
            assert_eq!(taken_apart(&reason(&fault)), taken_apart(&told(&fault)), "the outlook is no remedy");
        }
    }

    #[test]
    fn a_reason_is_a_sentence_that_says_who_what_and_whether_to_act() {
        for (text, expected) in [
            (
                fault(Dependency::Database, FaultClass::Unavailable { timed_out: false }, Some(4060), "connect"),
                "the database cannot be reached or used just now; the work goes on by itself once it can (connect, error 4060)",
            ),
            (
                fault(Dependency::Kafka, FaultClass::Unavailable { timed_out: false }, Some(-195), pipeline::fault::UNKNOWN_HOST),
                "Kafka cannot be reached: unknown host: the name has no address here, check its spelling and DNS; the work goes on by itself \
                 once it can",
            ),
            (
                fault(Dependency::Kafka, FaultClass::Unavailable { timed_out: true }, None, "committed"),
                "Kafka does not answer in time; the work goes on by itself once it does (committed)",
            ),
            (
                fault(Dependency::DeadLetterQueue, FaultClass::Operator, None, "WRONGPASS"),
                "the dead letter queue refuses, and a person must mend it: login, rights, memory or disk of Redis, or the key holds something \
                 else; `consumer check` says more (WRONGPASS)",
            ),
            (
                fault(
                    Dependency::Kafka,
                    FaultClass::Operator,
                    Some(3),
                    "topic: there is none of this name; correct KAFKA_TOPIC, or create it",
                ),
                "Kafka refuses, and a person must mend it: topic: there is none of this name; correct KAFKA_TOPIC, or create it",
            ),
            (
                fault(Dependency::Database, FaultClass::Bug, Some(208), "apply_batch"),
                "the database refuses in a way that must not happen; nothing is dead-lettered for it: schema and program do not go together; \
                 run `consumer migrate`, or look up the error number (apply_batch, error 208)",
            ),
        ] {
            assert_eq!(text, expected);
        }
    }
}
