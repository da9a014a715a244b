//! What is wrong with a dependency, as a sentence for the person who is on call.

use pipeline::fault::{Dependency, Fault, FaultClass};

/// What is wrong and who mends it: numbers and names only.
pub(crate) fn reason(fault: &Fault) -> String {
    let outlook = match fault.class {
        FaultClass::Unavailable { timed_out: false } => "; the work goes on by itself once it can",
        FaultClass::Unavailable { timed_out: true } => "; the work goes on by itself once it does",
        FaultClass::Operator => ", and a person must mend it",
        FaultClass::UniqueViolation | FaultClass::LockConflict | FaultClass::ReleaseLost => "; the work goes on by itself",
        FaultClass::UnknownState | FaultClass::Bug | FaultClass::Poison | FaultClass::EmailTaken | FaultClass::MissingParent => {
            "; nothing is dead-lettered for it"
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
        let missing = Fault { class: FaultClass::Operator, ..fault(3, "topic: create it or check KAFKA_TOPIC") };
        assert_eq!(told(&missing), "Kafka refuses: topic: create it or check KAFKA_TOPIC");
        assert_eq!(
            told(&Fault { subject: "members", code: Some(41), ..missing }),
            "Kafka refuses: topic, rights or login; `consumer check` says more (members, Kafka's error 41)"
        );
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
                fault(Dependency::Kafka, FaultClass::Operator, Some(3), "topic: create it or check KAFKA_TOPIC"),
                "Kafka refuses, and a person must mend it: topic: create it or check KAFKA_TOPIC",
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
