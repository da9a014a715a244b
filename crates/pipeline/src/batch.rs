//! What a store is asked to write in one transaction.

use events::{Body, Event, InventoryAdjusted, OrderPlaced, PaymentSettled, UserCreated};

use crate::log::LogPosition;
use crate::parking::ParkedKey;

/// One event of a batch.
#[derive(Clone, Debug)]
pub struct Item<'a> {
    /// The event.
    pub event: &'a Event<'a>,
    /// The rows of the parking table that leave it when this event is settled: its own, if it was parked, and those of parked events
    /// that it supersedes.
    pub releases: Vec<ParkedKey<'a>>,
}

/// Events to write in one transaction: users first, then orders, payments and adjustments, each sorted by key, so that writers lock rows
/// in one order. At most one event per entity, and each adjustment's event id once. Splitting a batch keeps all of that true.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    items: &'a [Item<'a>],
    positions: &'a [LogPosition],
}

impl<'a> Batch<'a> {
    /// A batch of these items, which the planner has ordered and deduplicated.
    pub const fn new(items: &'a [Item<'a>]) -> Self {
        Self { items, positions: &[] }
    }

    /// The same, which also moves these positions if every event of it ends applied, duplicate or stale. Where one is parked or rejected,
    /// it is not durable yet what the records came to: then the positions stay, and are moved later by themselves. So do those of an empty
    /// batch. Each partition of a log comes once.
    pub const fn moving(self, positions: &'a [LogPosition]) -> Self {
        Self { positions, ..self }
    }

    /// The positions to move.
    pub const fn positions(self) -> &'a [LogPosition] {
        self.positions
    }

    /// Its events; an event's place in this slice is its number in the answer.
    pub const fn items(self) -> &'a [Item<'a>] {
        self.items
    }

    /// How many events.
    pub const fn len(self) -> usize {
        self.items.len()
    }

    /// Whether there is nothing to write.
    pub const fn is_empty(self) -> bool {
        self.items.is_empty()
    }

    /// The first half and the rest. Neither moves a position: it would say that both are written.
    pub fn halves(self) -> (Self, Self) {
        let (first, rest) = self.items.split_at(self.items.len() / 2);
        (Self::new(first), Self::new(rest))
    }

    /// The users, with their numbers.
    pub fn users(self) -> impl Iterator<Item = (usize, &'a Event<'a>, &'a UserCreated<'a>)> {
        self.bodies(|body| if let Body::UserCreated(user) = body { Some(user) } else { None })
    }

    /// The orders, with their numbers.
    pub fn orders(self) -> impl Iterator<Item = (usize, &'a Event<'a>, &'a OrderPlaced<'a>)> {
        self.bodies(|body| if let Body::OrderPlaced(order) = body { Some(order) } else { None })
    }

    /// The payments, with their numbers.
    pub fn payments(self) -> impl Iterator<Item = (usize, &'a Event<'a>, &'a PaymentSettled<'a>)> {
        self.bodies(|body| if let Body::PaymentSettled(payment) = body { Some(payment) } else { None })
    }

    /// The adjustments, with their numbers.
    pub fn adjustments(self) -> impl Iterator<Item = (usize, &'a Event<'a>, &'a InventoryAdjusted<'a>)> {
        self.bodies(|body| if let Body::InventoryAdjusted(adjustment) = body { Some(adjustment) } else { None })
    }

    /// The rows to take out of the parking table, each with the number of the event that it leaves with.
    pub fn releases(self) -> impl Iterator<Item = (usize, ParkedKey<'a>)> {
        self.items.iter().enumerate().flat_map(|(number, item)| item.releases.iter().map(move |key| (number, *key)))
    }

    fn bodies<B>(self, pick: impl Fn(&'a Body<'a>) -> Option<&'a B>) -> impl Iterator<Item = (usize, &'a Event<'a>, &'a B)>
    where
        B: 'a,
    {
        self.items.iter().enumerate().filter_map(move |(number, item)| pick(&item.event.body).map(|body| (number, item.event, body)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use events::{EventType, samples};
    use uuid::Uuid;

    use super::*;
    use crate::log::LogId;
    use crate::record::{Position, RecordId};

    /// Numbers and event types of what a table's rows are made of.
    fn told<'a, B>(bodies: impl Iterator<Item = (usize, &'a Event<'a>, B)>) -> Vec<(usize, EventType)> {
        bodies.map(|(number, event, _)| (number, event.event_type())).collect()
    }

    #[test]
    fn each_table_takes_its_events_under_their_numbers_in_the_batch() {
        use EventType::{InventoryAdjusted, OrderPlaced, PaymentSettled, UserCreated};
        let events = [UserCreated, UserCreated, OrderPlaced, PaymentSettled, InventoryAdjusted].map(samples::of);
        let items = events.each_ref().map(|event| Item { event, releases: Vec::new() });
        let batch = Batch::new(&items);
        assert_eq!((batch.len(), batch.is_empty(), batch.items().len()), (5, false, 5));
        assert_eq!(told(batch.users()), [(0, UserCreated), (1, UserCreated)]);
        assert_eq!(told(batch.orders()), [(2, OrderPlaced)]);
        assert_eq!(told(batch.payments()), [(3, PaymentSettled)]);
        assert_eq!(told(batch.adjustments()), [(4, InventoryAdjusted)]);
        assert_eq!((Batch::new(&[]).len(), Batch::new(&[]).is_empty()), (0, true));
    }

    #[test]
    fn rows_leave_the_parking_table_with_the_event_that_they_are_settled_by() {
        let event = samples::of(EventType::OrderPlaced);
        let positions = [4, 7, 9].map(|offset| Position { topic: "events".into(), partition: 0, offset });
        let record = RecordId::default();
        let key = |index: usize| ParkedKey { position: &positions[index], record: &record };
        let items = [vec![], vec![key(0), key(1)], vec![key(2)]].map(|releases| Item { event: &event, releases });
        assert_eq!(Batch::new(&items).releases().collect::<Vec<_>>(), [(1, key(0)), (1, key(1)), (2, key(2))]);
    }

    #[test]
    fn a_half_has_the_events_of_its_side_and_moves_no_position() {
        let event = samples::of(EventType::OrderPlaced);
        let items = vec![Item { event: &event, releases: Vec::new() }; 5];
        let positions = [LogPosition { log: LogId(Uuid::nil()), topic: Arc::from("events"), partition: 0, next_offset: 9 }];
        let batch = Batch::new(&items).moving(&positions);
        assert_eq!((batch.positions(), batch.len()), (&positions[..], 5));
        let (first, rest) = batch.halves();
        assert_eq!((first.len(), rest.len()), (2, 3));
        assert!(first.positions().is_empty() && rest.positions().is_empty());
        assert!(std::ptr::eq(&items[2], &rest.items()[0]), "the rest begins where the first half ends");
        let (none, one) = Batch::new(&items[..1]).halves();
        assert_eq!((none.len(), one.len()), (0, 1));
    }
}
