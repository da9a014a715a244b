//! Whether a record has come to something: it was applied, or something newer was, or it waits, or it is a dead letter.

use events::{Body, Event};
use pipeline::{ParkedEvent, Position};

use crate::log::{Sent, Topic};
use crate::store::{Row, Tables};
use crate::world::State;

/// How far the future is that no event may come from, as the consumer is configured here.
pub const MAX_CLOCK_SKEW_MS: i64 = 300_000;

impl State {
    /// Whether a record has come to something. What went from the log unread is excused.
    pub fn is_settled(&self, number: usize) -> bool {
        let sent = &self.topic.sent[number];
        sent.excused || self.has_come_to_something(number)
    }

    /// The same, whatever is excused.
    pub fn has_come_to_something(&self, number: usize) -> bool {
        let sent = &self.topic.sent[number];
        if sent.value.is_none() {
            return sent.taken > 0;
        }
        if self.is_buried(sent) {
            return true;
        }
        let Some(event) = writable(sent) else { return false };
        is_shown(&self.tables, event) || is_parked(&self.tables, &self.topic, sent)
    }

    /// Whether a record is a dead letter, or one that cannot be told from it: an equal one, of the same time, at the same place of another
    /// log.
    pub(crate) fn is_buried(&self, sent: &Sent) -> bool {
        let mut twins = self.topic.at(sent.partition, sent.offset).iter().map(|number| &self.topic.sent[*number]);
        twins.any(|twin| twin.dead && (&twin.value, &twin.key, twin.timestamp_ms) == (&sent.value, &sent.key, sent.timestamp_ms))
    }

    /// These records are gone from the log. Of what had come to nothing, nothing is expected any more.
    pub fn gone(&mut self, numbers: &[usize]) {
        for &number in numbers {
            if !self.has_come_to_something(number) {
                self.topic.sent[number].excused = true;
            }
        }
    }
}

/// The event of a record that keeps the contract, also by its time.
pub(crate) fn writable(sent: &Sent) -> Option<&Event<'static>> {
    let event = sent.event.as_deref()?;
    (event.at.unix_millis() - sent.timestamp_ms <= MAX_CLOCK_SKEW_MS).then_some(event)
}

/// Whether an event was parked from this record, by its time too: an equal one may have stood at the same place of another log.
pub(crate) fn is_of(parked: &ParkedEvent, sent: &Sent) -> bool {
    (Some(parked.value.as_bytes()), parked.timestamp_ms) == (sent.value.as_deref(), Some(sent.timestamp_ms))
}

/// Whether the tables show the event, or something newer, or hold it in the ledger.
pub(crate) fn is_shown(tables: &Tables, event: &Event<'_>) -> bool {
    let shows = |row: Option<&Row>| row.is_some_and(|row| row.clock() >= (event.at, event.id));
    match &event.body {
        Body::UserCreated(user) => shows(tables.users.get(&user.user_id)),
        Body::OrderPlaced(order) => shows(tables.orders.get(&order.order_id)),
        Body::PaymentSettled(payment) => shows(tables.payments.get(&payment.payment_id)),
        Body::InventoryAdjusted(adjustment) => {
            let line = tables.ledger.get(&event.id);
            line.is_some_and(|line| line.sku == adjustment.sku && line.delta == adjustment.delta())
        }
    }
}

fn is_parked(tables: &Tables, topic: &Topic, sent: &Sent) -> bool {
    let position = Position { topic: topic.name.clone(), partition: sent.partition, offset: sent.offset };
    tables.parked_at(&position).any(|parked| is_of(&parked.event, sent))
}
