//! Events, parked events, dead letters and consumers with random identities.

use std::borrow::Cow;

use events::{
    AdjustmentType, Body, Event, EventType, InventoryAdjusted, Money, OrderItem, OrderPlaced, PaymentSettled, Timestamp, UserCreated,
    samples,
};
use pipeline::dead_letter::Diagnosis;
use pipeline::heartbeat::{ConsumerState, Heartbeat, OwnedPartition};
use pipeline::record::TimestampType;
use pipeline::{DeadLetter, ParkedEvent, Position, Record, WaitsFor};
use uuid::Uuid;

/// A random identity.
pub fn id() -> Uuid {
    Uuid::new_v4()
}

/// A text that no other test has: the prefix (up to 17 characters, where it is to fit a SKU) and 32 hexadecimal digits.
pub fn unique(prefix: &str) -> String {
    format!("{prefix}-{}", id().simple())
}

/// The amount, as a decimal text such as `299.99`.
pub fn money(text: &str) -> Money {
    text.parse().expect("an amount")
}

/// So many seconds after the time of every event built here, 2026-01-15T10:00:00Z.
pub fn second(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH.plus_micros((1_768_471_200 + seconds) * 1_000_000)
}

/// This user, with an e-mail address of its own.
pub fn user(user_id: Uuid) -> Event<'static> {
    event(EventType::UserCreated).with_user(|user| {
        user.user_id = user_id;
        user.email = format!("{}@example.com", unique("ada")).into();
    })
}

/// This order, with two items.
pub fn order(order_id: Uuid, user_id: Uuid) -> Event<'static> {
    event(EventType::OrderPlaced).with_order(|order| {
        order.order_id = order_id;
        order.user_id = user_id;
    })
}

/// This payment.
pub fn payment(payment_id: Uuid, order_id: Uuid) -> Event<'static> {
    event(EventType::PaymentSettled).with_payment(|payment| {
        payment.payment_id = payment_id;
        payment.order_id = order_id;
    })
}

/// An adjustment of this article by so many, which may be negative.
pub fn adjustment(sku: &str, delta: i32) -> Event<'static> {
    event(EventType::InventoryAdjusted).with_adjustment(|adjustment| {
        adjustment.sku = sku.to_owned().into();
        adjustment.quantity = delta;
        adjustment.adjustment_type = AdjustmentType::Returned;
    })
}

/// An order item.
pub fn item(sku: &str, quantity: i32, price: &str) -> OrderItem<'static> {
    OrderItem { sku: Cow::Owned(sku.to_owned()), quantity, price: money(price) }
}

fn event(event_type: EventType) -> Event<'static> {
    Event { id: id(), at: second(0), ..samples::of(event_type) }
}

/// Changes of an event that is being built.
///
/// # Panics
/// The event is of another type.
pub trait Build: Sized {
    /// Another event about the same, so many seconds later (or earlier).
    #[must_use]
    fn later(self, seconds: i64) -> Self;

    /// With this event id.
    #[must_use]
    fn with_id(self, id: Uuid) -> Self;

    /// A user with these changes.
    #[must_use]
    fn with_user(self, change: impl FnOnce(&mut UserCreated<'static>)) -> Self;

    /// An order with these changes.
    #[must_use]
    fn with_order(self, change: impl FnOnce(&mut OrderPlaced<'static>)) -> Self;

    /// A payment with these changes.
    #[must_use]
    fn with_payment(self, change: impl FnOnce(&mut PaymentSettled<'static>)) -> Self;

    /// An adjustment with these changes.
    #[must_use]
    fn with_adjustment(self, change: impl FnOnce(&mut InventoryAdjusted<'static>)) -> Self;
}

impl Build for Event<'static> {
    fn later(self, seconds: i64) -> Self {
        Self { id: id(), at: self.at.plus_micros(seconds * 1_000_000), ..self }
    }

    fn with_id(self, id: Uuid) -> Self {
        Self { id, ..self }
    }

    fn with_user(mut self, change: impl FnOnce(&mut UserCreated<'static>)) -> Self {
        let Body::UserCreated(user) = &mut self.body else { panic!("not a user") };
        change(user);
        self
    }

    fn with_order(mut self, change: impl FnOnce(&mut OrderPlaced<'static>)) -> Self {
        let Body::OrderPlaced(order) = &mut self.body else { panic!("not an order") };
        change(order);
        self
    }

    fn with_payment(mut self, change: impl FnOnce(&mut PaymentSettled<'static>)) -> Self {
        let Body::PaymentSettled(payment) = &mut self.body else { panic!("not a payment") };
        change(payment);
        self
    }

    fn with_adjustment(mut self, change: impl FnOnce(&mut InventoryAdjusted<'static>)) -> Self {
        let Body::InventoryAdjusted(adjustment) = &mut self.body else { panic!("not an adjustment") };
        change(adjustment);
        self
    }
}

/// The first place in a topic of its own.
pub fn position() -> Position {
    Position { topic: unique("topic").into(), partition: 0, offset: 0 }
}

/// A record with this value, without a key, in a topic of its own.
pub fn record(value: impl Into<Vec<u8>>) -> Record {
    let timestamp_ms = Some(second(0).unix_millis());
    Record {
        position: position(),
        assignment: 1,
        timestamp_ms,
        timestamp_type: Some(TimestampType::CreateTime),
        key: None,
        value: Some(value.into()),
        headers: Vec::new(),
    }
}

/// The event as it is parked, with the parent that it needs. One that needs none waits for its e-mail address.
pub fn parked(event: &Event<'_>) -> ParkedEvent {
    parked_at(event, position())
}

/// [`parked`], at this place.
pub fn parked_at(event: &Event<'_>, position: Position) -> ParkedEvent {
    let record = Record { position, key: Some(event.key().into_bytes()), ..record(event.to_json()) };
    ParkedEvent::new(&record, event.id, WaitsFor::parent_of(&event.body).unwrap_or(WaitsFor::Email))
}

/// The dead letter of a record whose value breaks the contract.
///
/// # Panics
/// The value keeps the contract.
pub fn dead_letter(value: impl Into<Vec<u8>>) -> DeadLetter {
    let record = record(value);
    let violation = events::decode(record.value.as_deref().unwrap_or_default()).expect_err("it breaks the contract");
    DeadLetter::new(&record, &Diagnosis::from(&violation), second(0))
}

/// A consumer that is ready and owns two partitions.
pub fn heartbeat(instance: Uuid) -> Heartbeat {
    let owned = |partition| OwnedPartition { partition, position: Some(10), end: Some(12) };
    let state = ConsumerState {
        status: "ready".to_owned(),
        partitions: vec![owned(0), owned(1)],
        events_per_second: 3,
        last_commit: Some("2026-01-15T10:00:00Z".to_owned()),
        ..ConsumerState::default()
    };
    Heartbeat {
        instance,
        host: "host-a".to_owned(),
        process_id: 4711,
        version: "0.1.0".to_owned(),
        group: "group".to_owned(),
        topic: "events".to_owned(),
        started_at: second(0),
        state,
    }
}
