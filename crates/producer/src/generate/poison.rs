//! Records that can never be written, one kind for each way to break the contract.

use events::{EventType, samples};
use pipeline::ports::Message;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use uuid::Uuid;

/// A way to break the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PoisonKind {
    /// The text breaks off.
    NotJson,
    /// A text holds bytes that are not UTF-8.
    NotUtf8,
    /// `eventType` is none of the four.
    UnknownType,
    /// A field is not there.
    MissingField,
    /// A field has another JSON type.
    WrongType,
    /// An amount has more than four decimals.
    BadMoney,
    /// A text does not fit its column.
    TooLong,
    /// `adjustmentType` is none of the four.
    UnknownAdjustmentType,
}

impl PoisonKind {
    /// All of them, in the order in which [`Poison`] makes them.
    pub const ALL: [Self; 8] = [
        Self::NotJson,
        Self::NotUtf8,
        Self::UnknownType,
        Self::MissingField,
        Self::WrongType,
        Self::BadMoney,
        Self::TooLong,
        Self::UnknownAdjustmentType,
    ];

    /// The label of the rule that it breaks ([`events::Rule::label`]).
    pub const fn label(self) -> &'static str {
        match self {
            Self::NotJson => "not_json",
            Self::NotUtf8 => "not_utf8",
            Self::UnknownType => "unknown_event_type",
            Self::MissingField => "missing_field",
            Self::WrongType => "wrong_type",
            Self::BadMoney => "invalid_money",
            Self::TooLong => "too_long",
            Self::UnknownAdjustmentType => "unknown_adjustment_type",
        }
    }

    /// The bytes of such a record. Records with different ids differ.
    pub fn payload(self, id: Uuid) -> Vec<u8> {
        let of = |event_type, field, value| {
            let mut event = sample(event_type, id);
            event[field] = value;
            event.to_string().into_bytes()
        };
        match self {
            Self::NotJson => {
                let mut text = sample(EventType::OrderPlaced, id).to_string().into_bytes();
                text.pop();
                text
            }
            Self::NotUtf8 => {
                [br#"{"firstName":"Zo"#.as_slice(), b"\xEB", br#"","eventId":""#, id.to_string().as_bytes(), br#""}"#].concat()
            }
            Self::UnknownType => of(EventType::UserCreated, "eventType", json!("UserRenamed")),
            Self::MissingField => {
                let mut event = sample(EventType::OrderPlaced, id);
                event.as_object_mut().map(|fields| fields.remove("currency"));
                event.to_string().into_bytes()
            }
            Self::WrongType => of(EventType::InventoryAdjusted, "quantity", json!("five")),
            Self::BadMoney => of(EventType::PaymentSettled, "amount", json!("19.90001")),
            Self::TooLong => of(EventType::UserCreated, "firstName", json!("x".repeat(101))),
            Self::UnknownAdjustmentType => of(EventType::InventoryAdjusted, "adjustmentType", json!("recounted")),
        }
    }
}

fn sample(event_type: EventType, id: Uuid) -> Value {
    let mut event: Value = serde_json::from_slice(&samples::of(event_type).to_json()).unwrap_or_default();
    event["eventId"] = json!(id);
    event
}

/// Unwritable records without end, each kind in turn. The same seed gives the same records.
pub struct Poison {
    rng: Xoshiro256PlusPlus,
    kinds: std::iter::Cycle<std::array::IntoIter<PoisonKind, { PoisonKind::ALL.len() }>>,
}

impl Poison {
    /// Records for a seed. Their ids differ from those of the events with the same seed.
    pub fn new(seed: u64) -> Self {
        Self { rng: Xoshiro256PlusPlus::seed_from_u64(!seed), kinds: PoisonKind::ALL.into_iter().cycle() }
    }
}

impl Iterator for Poison {
    type Item = (PoisonKind, Message);

    fn next(&mut self) -> Option<Self::Item> {
        let kind = self.kinds.next()?;
        let id = uuid::Builder::from_random_bytes(self.rng.random()).into_uuid();
        let message = Message { key: Some(id.to_string().into_bytes()), value: Some(kind.payload(id)), headers: Vec::new() };
        Some((kind, message))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_kind_is_refused_by_the_decoder_with_its_own_label() {
        let labels: HashSet<_> = PoisonKind::ALL.map(PoisonKind::label).into();
        assert_eq!(labels.len(), PoisonKind::ALL.len());
        for (kind, message) in Poison::new(1).take(PoisonKind::ALL.len()) {
            let violation = events::decode(&message.value.unwrap()).map(|_| ()).unwrap_err();
            assert_eq!(violation.rule.label(), kind.label(), "{kind:?}");
        }
    }

    #[test]
    fn no_two_records_are_the_same_and_a_seed_repeats_them() {
        let once: Vec<_> = Poison::new(7).take(100).collect();
        assert_eq!(once, Poison::new(7).take(100).collect::<Vec<_>>());
        let distinct: HashSet<_> = once.into_iter().map(|(_, message)| message.value).collect();
        assert_eq!(distinct.len(), 100);
    }
}
