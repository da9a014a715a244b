//! The four events and what they have in common.

use std::borrow::Cow;

use uuid::Uuid;

use crate::{Money, Timestamp};

/// One event: the envelope and what happened. Text is borrowed from the message where JSON allows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// `eventId`: the identity under which an event counts once.
    pub id: Uuid,
    /// `timestamp`: when it happened by the producer's clock, in UTC, truncated to microseconds. Orders events about one entity.
    pub at: Timestamp,
    /// What happened.
    pub body: Body<'a>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body<'a> {
    /// A user signed up or changed.
    UserCreated(UserCreated<'a>),
    /// A user placed an order.
    OrderPlaced(OrderPlaced<'a>),
    /// A payment of an order was settled.
    PaymentSettled(PaymentSettled<'a>),
    /// The stock of an article moved.
    InventoryAdjusted(InventoryAdjusted<'a>),
}

/// `UserCreated`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserCreated<'a> {
    /// The user's identity, and the message key.
    pub user_id: Uuid,
    /// Up to 255 UTF-16 code units, unique by [`UserCreated::email_key`].
    pub email: Cow<'a, str>,
    /// Up to 100 UTF-16 code units.
    pub first_name: Cow<'a, str>,
    /// Up to 100 UTF-16 code units.
    pub last_name: Cow<'a, str>,
    /// When the user came to be.
    pub created_at: Timestamp,
}

impl UserCreated<'_> {
    /// The form in which two e-mail addresses are compared. Computed here so that every store agrees on what "taken" means.
    pub fn email_key(&self) -> String {
        crate::rules::email_key(&self.email)
    }
}

/// `OrderPlaced`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderPlaced<'a> {
    /// The order's identity, and the message key.
    pub order_id: Uuid,
    /// The user who ordered: the parent.
    pub user_id: Uuid,
    /// What the order costs.
    pub total_amount: Money,
    /// Three upper-case letters (ISO 4217).
    pub currency: Cow<'a, str>,
    /// What was ordered, in the order of the message.
    pub items: Vec<OrderItem<'a>>,
    /// When it was ordered.
    pub placed_at: Timestamp,
}

/// One line of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderItem<'a> {
    /// The article; compares exactly.
    pub sku: Cow<'a, str>,
    /// How many.
    pub quantity: i32,
    /// The price of one.
    pub price: Money,
}

/// `PaymentSettled`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentSettled<'a> {
    /// The payment's identity.
    pub payment_id: Uuid,
    /// The order that was paid: the parent, and the message key.
    pub order_id: Uuid,
    /// How much was paid.
    pub amount: Money,
    /// Three upper-case letters (ISO 4217).
    pub currency: Cow<'a, str>,
    /// Up to 50 UTF-16 code units.
    pub payment_method: Cow<'a, str>,
    /// Up to 20 UTF-16 code units.
    pub status: Cow<'a, str>,
    /// When it was settled.
    pub settled_at: Timestamp,
}

/// `InventoryAdjusted`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InventoryAdjusted<'a> {
    /// The article, and the message key.
    pub sku: Cow<'a, str>,
    /// As the producer wrote it; [`InventoryAdjusted::delta`] is what counts.
    pub quantity: i32,
    /// What the quantity means.
    pub adjustment_type: AdjustmentType,
    /// Up to 255 UTF-16 code units.
    pub reason: Cow<'a, str>,
    /// When it was counted.
    pub adjusted_at: Timestamp,
}

impl InventoryAdjusted<'_> {
    /// What the stock moves by. Wider than the quantity, because `subtract` negates the smallest 32-bit number too.
    pub fn delta(&self) -> i64 {
        let quantity = i64::from(self.quantity);
        match self.adjustment_type {
            AdjustmentType::Add | AdjustmentType::OrderFulfilled | AdjustmentType::Returned => quantity,
            AdjustmentType::Subtract => -quantity,
        }
    }
}

/// `adjustmentType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AdjustmentType {
    /// Stock rises by the quantity.
    Add,
    /// Stock falls by the quantity.
    Subtract,
    /// Left with an order; the quantity carries its sign.
    OrderFulfilled,
    /// Came back from a customer; the quantity carries its sign.
    Returned,
}

impl AdjustmentType {
    /// All of them, in the order in which a menu shows them.
    pub const ALL: [Self; 4] = [Self::Add, Self::Subtract, Self::OrderFulfilled, Self::Returned];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Subtract => "subtract",
            Self::OrderFulfilled => "order_fulfilled",
            Self::Returned => "returned",
        }
    }

    /// The type with this name on the wire.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// `eventType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventType {
    /// See [`UserCreated`].
    UserCreated,
    /// See [`OrderPlaced`].
    OrderPlaced,
    /// See [`PaymentSettled`].
    PaymentSettled,
    /// See [`InventoryAdjusted`].
    InventoryAdjusted,
}

impl EventType {
    /// All of them, parents before children.
    pub const ALL: [Self; 4] = [Self::UserCreated, Self::OrderPlaced, Self::PaymentSettled, Self::InventoryAdjusted];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UserCreated => "UserCreated",
            Self::OrderPlaced => "OrderPlaced",
            Self::PaymentSettled => "PaymentSettled",
            Self::InventoryAdjusted => "InventoryAdjusted",
        }
    }

    /// The type with this name on the wire.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl std::fmt::Display for EventType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Event<'_> {
    /// Which of the four this is.
    pub const fn event_type(&self) -> EventType {
        match self.body {
            Body::UserCreated(_) => EventType::UserCreated,
            Body::OrderPlaced(_) => EventType::OrderPlaced,
            Body::PaymentSettled(_) => EventType::PaymentSettled,
            Body::InventoryAdjusted(_) => EventType::InventoryAdjusted,
        }
    }

    /// The Kafka message key: what belongs together travels on one partition, in order.
    pub fn key(&self) -> String {
        match &self.body {
            Body::UserCreated(user) => user.user_id.to_string(),
            Body::OrderPlaced(order) => order.order_id.to_string(),
            Body::PaymentSettled(payment) => payment.order_id.to_string(),
            Body::InventoryAdjusted(adjustment) => adjustment.sku.clone().into_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn what_belongs_together_travels_under_one_key() {
        let keys = EventType::ALL.map(|event_type| samples::of(event_type).key());
        let order = "2f1c7d5e-0002-4000-8000-000000000002";
        assert_eq!(keys, ["2f1c7d5e-0001-4000-8000-000000000001", order, order, "KEYBOARD-DE"]);
    }

    #[test]
    fn stock_moves_up_down_or_as_the_sign_says() {
        let Body::InventoryAdjusted(sample) = samples::of(EventType::InventoryAdjusted).body else { panic!("an adjustment") };
        let delta = |adjustment_type, quantity| InventoryAdjusted { adjustment_type, quantity, ..sample.clone() }.delta();
        for (adjustment_type, plus, minus) in [
            (AdjustmentType::Add, 7, -7),
            (AdjustmentType::Subtract, -7, 7),
            (AdjustmentType::OrderFulfilled, 7, -7),
            (AdjustmentType::Returned, 7, -7),
        ] {
            assert_eq!((delta(adjustment_type, 7), delta(adjustment_type, -7)), (plus, minus), "{adjustment_type:?}");
        }
    }

    #[test]
    fn addresses_are_compared_in_lower_case() {
        let Body::UserCreated(sample) = samples::of(EventType::UserCreated).body else { panic!("a user") };
        assert_eq!(UserCreated { email: "Zoë@Example.COM".into(), ..sample }.email_key(), "zoë@example.com");
    }
}
