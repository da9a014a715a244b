//! Why a record became a dead letter, in names and numbers.

use events::{EventType, Rule, Violation};
use uuid::Uuid;

use crate::outcome::WaitsFor;

/// What stands for what a dead letter does not tell.
pub const UNKNOWN: &str = "unknown";

/// Why a record became a dead letter: a stable label of few values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It breaks the contract.
    Contract(Rule),
    /// The database will never take it.
    Constraint(&'static str),
    /// Its event id is in the ledger with other content.
    EventIdConflict,
    /// Its event is older than what the ledger still holds line by line: whether it counts already cannot be told.
    LedgerCompacted,
    /// Its parent never came.
    MissingParent,
    /// Its e-mail address belongs to another user for good.
    EmailTaken,
}

impl Reason {
    /// The label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Contract(rule) => rule.label(),
            Self::Constraint(_) => "constraint",
            Self::EventIdConflict => "event_id_conflict",
            Self::LedgerCompacted => "ledger_compacted",
            Self::MissingParent => "missing_parent",
            Self::EmailTaken => "email_taken",
        }
    }
}

/// What the dead letter says about the event: names and numbers, no values of the event's fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// `eventId`, where it could be read.
    pub event_id: Option<Uuid>,
    /// `eventType`, where it is one of the four.
    pub event_type: Option<EventType>,
    /// The stable reason.
    pub reason: Reason,
    /// One sentence for a person.
    pub error: String,
    /// What to group by besides reason and type: the field or the constraint.
    pub subject: String,
}

impl From<&Violation> for Diagnosis {
    fn from(violation: &Violation) -> Self {
        Self {
            event_id: violation.event_id,
            event_type: violation.event_type,
            reason: Reason::Contract(violation.rule),
            error: violation.to_string(),
            subject: violation.field.map_or_else(String::new, |field| field.group()),
        }
    }
}

impl Diagnosis {
    /// The event's type, or `unknown`.
    pub fn event_type_label(&self) -> &'static str {
        self.event_type.map_or(UNKNOWN, EventType::as_str)
    }

    /// What to group by: reason, event type, and field or constraint.
    pub fn fingerprint(&self) -> String {
        format!("{}:{}:{}", self.reason.label(), self.event_type_label(), self.subject)
    }

    /// An event that the database refused.
    pub fn rejected(event_id: Uuid, event_type: EventType, reason: Reason, code: Option<i64>) -> Self {
        let error = match (reason, code) {
            (Reason::EventIdConflict, _) => "the ledger holds this eventId with another sku or quantity".to_owned(),
            (Reason::LedgerCompacted, _) => {
                "older than the ledger holds line by line, where it has none: whether it counts already cannot be told".to_owned()
            }
            (Reason::Constraint(name), Some(code)) => format!("the database refuses it for good: {name} (error {code})"),
            (Reason::Constraint(name), None) => format!("the database refuses it for good: {name}"),
            (reason, _) => reason.label().to_owned(),
        };
        let subject = match (reason, code) {
            (Reason::Constraint(name), Some(code)) => format!("{name}/{code}"),
            (Reason::Constraint(name), None) => name.to_owned(),
            _ => String::new(),
        };
        Self { event_id: Some(event_id), event_type: Some(event_type), reason, error, subject }
    }

    /// An event that waited in vain.
    pub fn expired(event_id: Uuid, event_type: EventType, waits_for: WaitsFor) -> Self {
        let (error, subject) = match waits_for {
            WaitsFor::User(id) => (format!("its user {id} did not come before the parking deadline"), "userId"),
            WaitsFor::Order(id) => (format!("its order {id} did not come before the parking deadline"), "orderId"),
            WaitsFor::Email => ("its email belonged to another user until the parking deadline".to_owned(), "email"),
        };
        // The id is in the sentence alone: what the letters of many parents have in common is the field.
        let reason = waits_for.reason();
        Self { event_id: Some(event_id), event_type: Some(event_type), reason, error, subject: subject.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sentence, subject and label of a diagnosis.
    fn told(diagnosis: &Diagnosis) -> (&str, &str, &str) {
        (&diagnosis.error, &diagnosis.subject, diagnosis.reason.label())
    }

    #[test]
    fn a_refusal_names_the_constraint_and_the_number() {
        let rejected = |reason, code| Diagnosis::rejected(Uuid::from_u128(1), EventType::OrderPlaced, reason, code);
        let constraint = Reason::Constraint("CK_orders_total");
        assert_eq!(
            told(&rejected(constraint, Some(547))),
            ("the database refuses it for good: CK_orders_total (error 547)", "CK_orders_total/547", "constraint")
        );
        assert_eq!(
            told(&rejected(constraint, None)),
            ("the database refuses it for good: CK_orders_total", "CK_orders_total", "constraint")
        );
        assert_eq!(
            told(&rejected(Reason::EventIdConflict, Some(1))),
            ("the ledger holds this eventId with another sku or quantity", "", "event_id_conflict")
        );
    }

    #[test]
    fn what_has_waited_in_vain_names_the_parent_and_the_field_that_names_it() {
        let parent = Uuid::from_u128(7);
        for (waits_for, error, subject, label) in [
            (WaitsFor::User(parent), format!("its user {parent} did not come before the parking deadline"), "userId", "missing_parent"),
            (WaitsFor::Order(parent), format!("its order {parent} did not come before the parking deadline"), "orderId", "missing_parent"),
            (WaitsFor::Email, "its email belonged to another user until the parking deadline".to_owned(), "email", "email_taken"),
        ] {
            let diagnosis = Diagnosis::expired(Uuid::from_u128(1), EventType::OrderPlaced, waits_for);
            assert_eq!(told(&diagnosis), (error.as_str(), subject, label));
        }
    }
}
