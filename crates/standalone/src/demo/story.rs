//! The events of the demo: one customer's journey, with ids of its own in every run, so that it can be shown on a shared stack too.

use std::borrow::Cow;
use std::time::SystemTime;

use events::{AdjustmentType, Body, Event, InventoryAdjusted, Money, OrderItem, OrderPlaced, PaymentSettled, Timestamp, UserCreated};
use uuid::Uuid;

/// One run's cast.
pub struct Story {
    /// Marks everything of this run.
    pub tag: String,
    /// The customer.
    pub user_id: Uuid,
    /// What she orders.
    pub order_id: Uuid,
    /// What she pays.
    pub payment_id: Uuid,
    /// The article.
    pub sku: String,
    /// The customer who comes late.
    pub late_user_id: Uuid,
    /// The order that comes before its customer.
    pub orphan_order_id: Uuid,
    start: Timestamp,
}

/// The second of the last event. All of them have happened when the story is told: the consumer warns of events that are dated in the future.
const LAST: i64 = 8;

impl Story {
    /// A new cast.
    pub fn new() -> Self {
        let tag = Uuid::new_v4().simple().to_string()[..8].to_owned();
        Self {
            sku: format!("DEMO-{tag}"),
            tag,
            user_id: Uuid::new_v4(),
            order_id: Uuid::new_v4(),
            payment_id: Uuid::new_v4(),
            late_user_id: Uuid::new_v4(),
            orphan_order_id: Uuid::new_v4(),
            start: Timestamp::from(SystemTime::now()).plus_micros(-LAST * 1_000_000),
        }
    }

    /// The journey in the order in which it happened: stock comes in, a user signs up, orders, pays, and the stock leaves.
    pub fn journey(&self) -> Vec<Event<'static>> {
        vec![
            self.stock(0, AdjustmentType::Add, 100, "delivery"),
            self.event(1, self.user(self.user_id, "ada")),
            self.event(2, self.order(self.order_id, self.user_id)),
            self.event(3, self.payment()),
            self.stock(4, AdjustmentType::OrderFulfilled, -2, "order"),
        ]
    }

    /// Another delivery, for the event that is sent three times.
    pub fn delivery(&self) -> Event<'static> {
        self.stock(5, AdjustmentType::Add, 10, "delivery")
    }

    /// An order whose user has not come.
    pub fn orphan(&self) -> Event<'static> {
        self.event(6, self.order(self.orphan_order_id, self.late_user_id))
    }

    /// The user of the orphan, late.
    pub fn late_user(&self) -> Event<'static> {
        self.event(7, self.user(self.late_user_id, "late"))
    }

    /// Records that can never be written: what they are called, and their bytes.
    pub fn broken(&self) -> Vec<(&'static str, String)> {
        let broken_field =
            String::from_utf8_lossy(&self.event(LAST, self.order(Uuid::new_v4(), self.user_id)).to_json()).replace("\"EUR\"", "\"euro\"");
        vec![
            ("malformed JSON", format!("{{\"invalid\": \"json {}\"", self.tag)),
            (
                "unknown event type",
                format!("{{\"eventId\":\"{}\",\"eventType\":\"CartEmptied\",\"demo\":\"{}\"}}", Uuid::new_v4(), self.tag),
            ),
            ("broken field (currency)", broken_field.replace("\"items\":[", &format!("\"demo\":\"{}\",\"items\":[", self.tag))),
        ]
    }

    fn event(&self, second: i64, body: Body<'static>) -> Event<'static> {
        Event { id: Uuid::new_v5(&self.user_id, &second.to_be_bytes()), at: self.at(second), body }
    }

    fn at(&self, second: i64) -> Timestamp {
        self.start.plus_micros(second * 1_000_000)
    }

    fn stock(&self, second: i64, adjustment_type: AdjustmentType, quantity: i32, reason: &'static str) -> Event<'static> {
        let sku = Cow::Owned(self.sku.clone());
        let adjusted_at = self.at(second);
        self.event(
            second,
            Body::InventoryAdjusted(InventoryAdjusted { sku, quantity, adjustment_type, reason: reason.into(), adjusted_at }),
        )
    }

    fn user(&self, user_id: Uuid, name: &str) -> Body<'static> {
        Body::UserCreated(UserCreated {
            user_id,
            email: Cow::Owned(format!("{name}.{}@example.com", self.tag)),
            first_name: "Ada".into(),
            last_name: "Lovelace".into(),
            created_at: self.at(1),
        })
    }

    fn order(&self, order_id: Uuid, user_id: Uuid) -> Body<'static> {
        let price = Money::from_units(1_499_950).unwrap_or_default();
        let items = vec![OrderItem { sku: Cow::Owned(self.sku.clone()), quantity: 2, price }];
        let total_amount = price.checked_mul(2).unwrap_or_default();
        Body::OrderPlaced(OrderPlaced { order_id, user_id, total_amount, currency: "EUR".into(), items, placed_at: self.at(2) })
    }

    fn payment(&self) -> Body<'static> {
        Body::PaymentSettled(PaymentSettled {
            payment_id: self.payment_id,
            order_id: self.order_id,
            amount: Money::from_units(2_999_900).unwrap_or_default(),
            currency: "EUR".into(),
            payment_method: "credit_card".into(),
            status: "settled".into(),
            settled_at: self.at(3),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_has_happened_when_the_story_is_told() {
        let story = Story::new();
        let now: Timestamp = SystemTime::now().into();
        let events = [story.journey(), vec![story.delivery(), story.orphan(), story.late_user()]].concat();
        assert!(events.iter().all(|event| event.at <= now));
        assert_eq!(story.start.plus_micros(LAST * 1_000_000).max(now), now);
    }

    #[test]
    fn the_journey_keeps_the_contract_and_the_broken_records_do_not() {
        let story = Story::new();
        for event in story.journey().into_iter().chain([story.delivery(), story.orphan(), story.late_user()]) {
            assert_eq!(events::decode(&event.to_json()).unwrap(), event);
        }
        let labels: Vec<_> = story.broken().iter().map(|(_, bytes)| events::decode(bytes.as_bytes()).unwrap_err().rule.label()).collect();
        assert_eq!(labels, ["not_json", "unknown_event_type", "invalid_value"]);
    }
}
