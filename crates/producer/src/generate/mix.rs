//! The stream of sample events.

use std::borrow::Cow;

use events::{Body, Event, Money, OrderItem, OrderPlaced, PaymentSettled, Timestamp, UserCreated};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};
use uuid::Uuid;

use super::catalog::{ARTICLES, CURRENCIES, FIRST_NAMES, LAST_NAMES, PAYMENT_METHODS};
use super::held::Held;
use super::pool::Pool;
use super::price_list::PriceList;

/// Microseconds between two events of the stream.
const STEP: i64 = 1000;
/// A parent that is held back comes at most so many places after its child.
const HOLD: u64 = 64;
/// 2026-01-01T00:00:00Z.
const DEFAULT_START_MICROS: i64 = 1_767_225_600_000_000;

/// What to generate. The same configuration gives the same events, byte for byte.
#[derive(Clone, Debug, PartialEq)]
pub struct GeneratorConfig {
    /// How many events.
    pub events: u64,
    /// What ids and contents are drawn from.
    pub seed: u64,
    /// How many of the events are `UserCreated`: at least 1, at most all.
    pub users: u64,
    /// The share of orders and payments, from 0 to 1, that come before their parent. A goal: the end of the stream, and a stream of few
    /// users, fall short of it. With 0, every child follows its parent.
    pub out_of_order: f64,
    /// The time of the first event. Each further one is a millisecond later.
    pub start: Timestamp,
}

impl GeneratorConfig {
    /// So many events, one in ten of them a user, parents first, from 2026-01-01T00:00:00Z on.
    pub fn new(events: u64, seed: u64) -> Self {
        Self { events, seed, users: events.div_ceil(10), out_of_order: 0.0, start: Timestamp::UNIX_EPOCH.plus_micros(DEFAULT_START_MICROS) }
    }

    /// The latest start from which all the events lie before this instant.
    pub fn start_before(&self, end: Timestamp) -> Timestamp {
        end.plus_micros(i64::try_from(self.events).unwrap_or(i64::MAX).saturating_mul(-STEP))
    }
}

/// Generates users, their orders of 1 to 5 items, payments over the order's total, and the stock that moves with them.
///
/// Pure and deterministic; memory is bounded however long the stream is.
pub struct Generator {
    config: GeneratorConfig,
    rng: Xoshiro256PlusPlus,
    /// Events given out, the current one among them.
    given: u64,
    users_left: u64,
    users_made: u64,
    users: Pool<Uuid>,
    unpaid: Pool<OrderPlaced<'static>>,
    held: Held,
    price_list: PriceList,
}

impl Generator {
    /// A generator at the beginning of its stream.
    pub fn new(config: GeneratorConfig) -> Self {
        let users_left = config.users.clamp(1, config.events.max(1));
        let rng = Xoshiro256PlusPlus::seed_from_u64(config.seed);
        let (users, unpaid, held, price_list) = (Pool::new(), Pool::new(), Held::new(), PriceList::new());
        Self { config, rng, given: 0, users_left, users_made: 0, users, unpaid, held, price_list }
    }

    /// Places after the current one that are not promised to a parent that is held back.
    fn free(&self) -> u64 {
        (self.config.events - self.given).saturating_sub(self.held.len())
    }

    fn fresh(&mut self) -> Event<'static> {
        let nobody = self.users_made == 0;
        // Drawn so that exactly the users asked for come, spread evenly over the stream.
        if nobody || self.rng.random_range(0..=self.free()) < self.users_left {
            let early = nobody && self.is_early() && self.user_after(self.given).is_some();
            return if early { self.order() } else { self.user() };
        }
        match self.rng.random_range(0..100) {
            0..45 => self.order(),
            45..70 => self.payment(),
            _ => {
                let at = self.now();
                let adjustment = self.price_list.adjust(at, &mut self.rng);
                self.event(at, Body::InventoryAdjusted(adjustment))
            }
        }
    }

    fn user(&mut self) -> Event<'static> {
        let user = self.new_user();
        self.persisted(&user);
        user
    }

    fn order(&mut self) -> Event<'static> {
        let user_id = self.parent_user(self.given);
        let order = self.new_order(user_id);
        let at = order.placed_at;
        self.unpaid.put(order.clone(), &mut self.rng);
        self.event(at, Body::OrderPlaced(order))
    }

    fn payment(&mut self) -> Event<'static> {
        let early = self.is_early() && self.free() > self.users_left;
        let order = if early { Some(self.held_order()) } else { self.unpaid.take(&mut self.rng) };
        let Some(order) = order else { return self.order() };
        self.price_list.sell(&order.items);
        let payment = PaymentSettled {
            payment_id: self.uuid(),
            order_id: order.order_id,
            amount: order.total_amount,
            currency: order.currency,
            payment_method: Cow::Borrowed(self.one_of(PAYMENT_METHODS)),
            status: Cow::Borrowed("settled"),
            settled_at: self.now(),
        };
        self.event(payment.settled_at, Body::PaymentSettled(payment))
    }

    /// An order that is sent later than now.
    fn held_order(&mut self) -> OrderPlaced<'static> {
        let place = self.later_than(self.given);
        let user_id = self.parent_user(place);
        let order = self.new_order(user_id);
        let event = self.event(order.placed_at, Body::OrderPlaced(order.clone()));
        self.held.hold(place, event);
        order
    }

    /// The user of an order that is sent at this place: for the share of early children one who comes after it, if that is possible.
    fn parent_user(&mut self, place: u64) -> Uuid {
        let early = if self.is_early() { self.user_after(place) } else { None };
        let persisted = early.or_else(|| self.users.any(&mut self.rng).copied());
        // Everybody is held back.
        persisted.or_else(|| self.held.user_after(0)).unwrap_or_default()
    }

    fn user_after(&mut self, place: u64) -> Option<Uuid> {
        let held = self.held.user_after(place);
        if held.is_some() || self.users_left == 0 || self.free() < self.users_left {
            return held;
        }
        let user = self.new_user();
        let later = self.later_than(place);
        self.held.hold(later, user);
        self.held.user_after(place)
    }

    fn new_user(&mut self) -> Event<'static> {
        self.users_left -= 1;
        self.users_made += 1;
        let user = UserCreated {
            user_id: self.uuid(),
            // Distinct within a stream by its number, and between streams by the seed.
            email: Cow::Owned(format!("customer-{}@shop-{:x}.example.com", self.users_made, self.config.seed)),
            first_name: Cow::Borrowed(self.one_of(FIRST_NAMES)),
            last_name: Cow::Borrowed(self.one_of(LAST_NAMES)),
            created_at: self.now(),
        };
        self.event(user.created_at, Body::UserCreated(user))
    }

    fn new_order(&mut self, user_id: Uuid) -> OrderPlaced<'static> {
        let items: Vec<_> = (0..self.rng.random_range(1..=5)).map(|_| self.item()).collect();
        let total = items.iter().filter_map(|item| item.price.checked_mul(item.quantity));
        OrderPlaced {
            order_id: self.uuid(),
            user_id,
            total_amount: total.fold(Money::ZERO, |sum, line| sum.checked_add(line).unwrap_or(sum)),
            currency: Cow::Borrowed(self.one_of(CURRENCIES)),
            items,
            placed_at: self.now(),
        }
    }

    fn item(&mut self) -> OrderItem<'static> {
        let article = ARTICLES[self.rng.random_range(0..ARTICLES.len())];
        OrderItem { sku: Cow::Borrowed(article.sku), quantity: self.rng.random_range(1..=3), price: article.price() }
    }

    fn event(&mut self, at: Timestamp, body: Body<'static>) -> Event<'static> {
        Event { id: self.uuid(), at, body }
    }

    /// Notes that a parent is in the stream: its children may follow.
    fn persisted(&mut self, event: &Event<'_>) {
        if let Body::UserCreated(user) = &event.body {
            self.users.put(user.user_id, &mut self.rng);
        }
    }

    /// The time at this place of the stream.
    fn now(&self) -> Timestamp {
        let steps = i64::try_from(self.given - 1).unwrap_or(i64::MAX);
        self.config.start.plus_micros(steps.saturating_mul(STEP))
    }

    fn later_than(&mut self, place: u64) -> u64 {
        place + self.rng.random_range(1..=HOLD)
    }

    fn is_early(&mut self) -> bool {
        self.config.out_of_order > 0.0 && self.rng.random::<f64>() < self.config.out_of_order
    }

    fn one_of(&mut self, texts: &'static [&'static str]) -> &'static str {
        texts[self.rng.random_range(0..texts.len())]
    }

    fn uuid(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(self.rng.random()).into_uuid()
    }
}

impl Iterator for Generator {
    type Item = Event<'static>;

    fn next(&mut self) -> Option<Event<'static>> {
        let places_left = self.config.events - self.given;
        if places_left == 0 {
            return None;
        }
        self.given += 1;
        let Some(parent) = self.held.due(self.given, places_left) else { return Some(self.fresh()) };
        self.persisted(&parent);
        Some(parent)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = usize::try_from(self.config.events - self.given);
        (left.unwrap_or(usize::MAX), left.ok())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};

    use events::EventType;

    use super::*;
    use crate::generate::Expected;

    fn stream(config: GeneratorConfig) -> Vec<Event<'static>> {
        Generator::new(config).collect()
    }

    /// How many children have their parent before them, and how many after them. Fails where a parent never comes.
    fn parentage(events: &[Event<'_>]) -> (usize, usize) {
        let mut places = BTreeMap::new();
        for (place, event) in events.iter().enumerate() {
            match &event.body {
                Body::UserCreated(user) => places.insert(user.user_id, place),
                Body::OrderPlaced(order) => places.insert(order.order_id, place),
                _ => None,
            };
        }
        let parents = events.iter().enumerate().filter_map(|(place, event)| match &event.body {
            Body::OrderPlaced(order) => Some((place, places[&order.user_id])),
            Body::PaymentSettled(payment) => Some((place, places[&payment.order_id])),
            _ => None,
        });
        let (after, before): (Vec<_>, Vec<_>) = parents.partition(|(child, parent)| child > parent);
        (after.len(), before.len())
    }

    #[test]
    fn a_seed_gives_the_same_bytes_each_time_and_another_seed_other_ids() {
        let bytes = |seed| stream(GeneratorConfig::new(2000, seed)).iter().map(Event::to_json).collect::<Vec<_>>();
        assert_eq!(bytes(7), bytes(7));
        let ids = |seed| stream(GeneratorConfig::new(2000, seed)).iter().map(|event| event.id).collect::<HashSet<_>>();
        assert!(ids(7).is_disjoint(&ids(8)));
    }

    #[test]
    fn another_start_moves_the_times_and_nothing_else() {
        let config = GeneratorConfig::new(500, 3);
        let start = config.start.plus_micros(86_400_000_000);
        for (one, other) in stream(config.clone()).iter().zip(stream(GeneratorConfig { start, ..config })) {
            assert_eq!((one.id, one.key(), one.at.plus_micros(86_400_000_000)), (other.id, other.key(), other.at));
        }
    }

    #[test]
    fn the_last_event_lies_before_the_end_that_was_asked_for() {
        let end = Timestamp::parse("2026-11-22T12:00:00Z").unwrap();
        let config = GeneratorConfig::new(1000, 3);
        let config = GeneratorConfig { start: config.start_before(end), ..config };
        let last = stream(config).last().unwrap().at;
        assert!(last < end && last.plus_micros(STEP) >= end);
    }

    #[test]
    fn every_event_passes_the_decoder_and_no_id_or_address_comes_twice() {
        let events = stream(GeneratorConfig { out_of_order: 0.2, ..GeneratorConfig::new(5000, 1) });
        let (mut ids, mut addresses) = (HashSet::new(), HashSet::new());
        for event in &events {
            assert_eq!(events::decode(&event.to_json()).as_ref(), Ok(event));
            assert!(ids.insert(event.id));
            if let Body::UserCreated(user) = &event.body {
                assert!(addresses.insert(user.email_key()));
            }
        }
        assert_eq!(events.len(), 5000);
    }

    #[test]
    fn children_follow_their_parents() {
        let (after, before) = parentage(&stream(GeneratorConfig::new(20_000, 5)));
        assert_eq!(before, 0);
        assert!(after > 10_000, "{after}");
    }

    #[test]
    fn the_share_of_early_children_is_the_one_asked_for() {
        for share in [0.05, 0.2, 0.5, 1.0] {
            let (after, before) = parentage(&stream(GeneratorConfig { out_of_order: share, ..GeneratorConfig::new(20_000, 5) }));
            let real = before as f64 / (before + after) as f64;
            assert!((real - share).abs() < 0.03, "asked for {share}, got {real}");
        }
    }

    #[test]
    fn exactly_so_many_users_come_as_were_asked_for() {
        for (events, users, out_of_order) in [(1, 1, 1.0), (2, 2, 1.0), (1000, 1, 0.0), (1000, 1, 1.0), (1000, 1000, 0.5), (1000, 300, 0.3)]
        {
            let config = GeneratorConfig { users, out_of_order, ..GeneratorConfig::new(events, 2) };
            let events: Vec<_> = stream(config);
            parentage(&events);
            let count = events.iter().filter(|event| event.event_type() == EventType::UserCreated).count();
            assert_eq!(count as u64, users);
        }
        assert!(stream(GeneratorConfig::new(0, 2)).is_empty());
    }

    #[test]
    fn a_payment_pays_the_total_of_its_order_once_and_the_total_is_the_sum_of_the_items() {
        let mut due = BTreeMap::new();
        for event in stream(GeneratorConfig::new(5000, 9)) {
            match event.body {
                Body::OrderPlaced(order) => {
                    assert_eq!(crate::fields::total(&order.items), Ok(order.total_amount));
                    assert!((1..=5).contains(&order.items.len()));
                    due.insert(order.order_id, (order.total_amount, order.currency));
                }
                Body::PaymentSettled(payment) => {
                    assert_eq!(due.remove(&payment.order_id), Some((payment.amount, payment.currency)));
                }
                _ => {}
            }
        }
    }

    #[test]
    fn stock_moves_in_all_four_ways_and_never_falls_below_zero() {
        let (mut stock, mut kinds) = (BTreeMap::new(), HashSet::new());
        for event in stream(GeneratorConfig::new(20_000, 4)) {
            if let Body::InventoryAdjusted(adjustment) = &event.body {
                kinds.insert(adjustment.adjustment_type);
                let level = stock.entry(adjustment.sku.to_string()).or_insert(0);
                *level += adjustment.delta();
                assert!(*level >= 0, "{}", adjustment.sku);
            }
        }
        assert_eq!(kinds.len(), 4);
        let expected: Expected = Generator::new(GeneratorConfig::new(20_000, 4)).collect();
        assert_eq!(expected.stock, stock);
        assert_eq!(expected.rows.values().sum::<u64>(), 20_000);
    }

    #[test]
    fn what_is_expected_does_not_depend_on_order_or_repetition() {
        let events = stream(GeneratorConfig::new(2000, 6));
        let once: Expected = events.iter().cloned().collect();
        let again: Expected = events.iter().rev().chain(&events).cloned().collect();
        assert_eq!(once, again);
    }
}
