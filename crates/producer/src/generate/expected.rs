//! What the tables must show once events have been applied, in whatever order and however often.

use std::collections::{BTreeMap, HashSet};

use events::{Body, Event, EventType};
use uuid::Uuid;

/// The end of a stream of events with distinct ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Rows per type: distinct users, orders and payments; for the stock the adjustments in its ledger.
    pub rows: BTreeMap<EventType, u64>,
    /// The stock per SKU: the sum of its adjustments.
    pub stock: BTreeMap<String, i64>,
}

impl<'e> FromIterator<Event<'e>> for Expected {
    fn from_iter<I: IntoIterator<Item = Event<'e>>>(events: I) -> Self {
        let mut expected = Self::default();
        let mut seen: HashSet<(EventType, Uuid)> = HashSet::new();
        for event in events {
            let identity = match &event.body {
                Body::UserCreated(user) => user.user_id,
                Body::OrderPlaced(order) => order.order_id,
                Body::PaymentSettled(payment) => payment.payment_id,
                Body::InventoryAdjusted(_) => event.id,
            };
            if !seen.insert((event.event_type(), identity)) {
                continue;
            }
            *expected.rows.entry(event.event_type()).or_default() += 1;
            if let Body::InventoryAdjusted(adjustment) = &event.body {
                *expected.stock.entry(adjustment.sku.clone().into_owned()).or_default() += adjustment.delta();
            }
        }
        expected
    }
}
