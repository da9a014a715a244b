//! The reference model: what happened, and the rows that it must end in. Random histories.

use std::collections::{BTreeMap, BTreeSet};

use events::{Body, Event, InventoryAdjusted, Timestamp};
use readmodel::{OrderSummary, OrderView, ReadStore, UserView};
use uuid::Uuid;

use crate::builders::{Build, adjustment, item, order, payment, second, user};
use crate::seed::Seed;
use crate::views::{order_of, recent_user};

/// Events about some users, orders, payments and articles, all of whose parents exist, and what they are about.
#[derive(Debug, Default)]
pub struct History {
    /// In the order in which they were made: no order of time.
    pub events: Vec<Event<'static>>,
    /// The users.
    pub users: Vec<Uuid>,
    /// The orders.
    pub orders: Vec<Uuid>,
    /// The articles.
    pub skus: Vec<String>,
}

/// The last state of everything in a history.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// By user.
    pub users: BTreeMap<Uuid, UserView>,
    /// By order.
    pub orders: BTreeMap<Uuid, OrderView>,
    /// By article.
    pub stock: BTreeMap<String, i64>,
}

impl History {
    /// Of these events, which bring every parent themselves.
    pub fn of(events: Vec<Event<'static>>) -> Self {
        let (mut users, mut orders, mut skus) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for event in &events {
            match &event.body {
                Body::UserCreated(user) => drop(users.insert(user.user_id)),
                Body::OrderPlaced(order) => drop(orders.insert(order.order_id)),
                Body::InventoryAdjusted(adjustment) => drop(skus.insert(adjustment.sku.to_string())),
                Body::PaymentSettled(_) => {}
            }
        }
        Self { events, users: users.into_iter().collect(), orders: orders.into_iter().collect(), skus: skus.into_iter().collect() }
    }

    /// A history of some hundred events at most. Times are few, so that ties are many; users and orders of children change.
    pub fn random(seed: &mut Seed) -> Self {
        let mut ids = |most| (0..seed.number(1..=most)).map(|_| seed.id()).collect::<Vec<_>>();
        let (users, orders, payments) = (ids(8), ids(12), ids(12));
        let skus = (0..3).map(|_| format!("sku-{}", seed.id().simple())).collect();
        let mut history = Self { events: Vec::new(), users, orders, skus };
        history.add_users(seed);
        history.add_orders(seed);
        history.add_payments(&payments, seed);
        for number in 0..seed.number(0..=40) {
            let event = adjustment(seed.pick::<String>(&history.skus), seed.number(-100..=100));
            history.events.push(event.with_id(seed.id()).with_adjustment(|adjustment| adjustment.adjusted_at = second(number.into())));
        }
        history
    }

    fn add_users(&mut self, seed: &mut Seed) {
        for &user_id in &self.users {
            for version in 0..seed.number(1..=4) {
                let event = user(user_id).with_user(|user| user.first_name = format!("version {version}").into());
                self.events.push(event.later(seed.number(0..=3).into()).with_id(seed.id()));
            }
        }
    }

    fn add_orders(&mut self, seed: &mut Seed) {
        for &order_id in &self.orders {
            for _ in 0..seed.number(1..=4) {
                // No two are placed at once, so that "the last five, newest first" has one answer.
                let placed_at = second(self.events.len() as i64);
                let items = (0..seed.number(0..=4)).map(|line| item(&format!("item-{line}"), seed.number(1..=9), "9.99")).collect();
                let event =
                    order(order_id, *seed.pick(&self.users)).with_order(|order| (order.placed_at, order.items) = (placed_at, items));
                self.events.push(event.later(seed.number(0..=3).into()).with_id(seed.id()));
            }
        }
    }

    fn add_payments(&mut self, payments: &[Uuid], seed: &mut Seed) {
        for &payment_id in payments {
            for _ in 0..seed.number(1..=3) {
                let settled_at = second(self.events.len() as i64);
                let event = payment(payment_id, *seed.pick(&self.orders)).with_payment(|payment| payment.settled_at = settled_at);
                self.events.push(event.later(seed.number(0..=3).into()).with_id(seed.id()));
            }
        }
    }

    /// The rows that these events end in: for each entity its newest event by (timestamp, event id), and for stock the sum. The times of our
    /// own clock, which no event holds, are 1970.
    pub fn fold(&self) -> Rows {
        let newest = self.newest();
        let mut stock: BTreeMap<String, i64> = self.skus.iter().map(|sku| (sku.clone(), 0)).collect();
        for adjustment in &newest.adjustments {
            *stock.entry(adjustment.sku.to_string()).or_default() += adjustment.delta();
        }
        let payments = newest.payments_by_order();
        let view = |id: Uuid, event: &Event<'_>| order_of(event, payments.get(&id).copied(), Timestamp::UNIX_EPOCH);
        let orders: BTreeMap<Uuid, OrderView> = newest.orders.iter().map(|(id, event)| (*id, view(*id, event))).collect();
        let mut of_user: BTreeMap<Uuid, Vec<&OrderSummary>> = BTreeMap::new();
        orders.values().for_each(|order| of_user.entry(order.order.user_id).or_default().push(&order.order));
        let mut view = |id: Uuid, event| user_with_orders(event, of_user.remove(&id).unwrap_or_default());
        let users = newest.users.iter().map(|(id, event)| (*id, view(*id, event))).collect();
        Rows { users, orders, stock }
    }

    /// The events that the tables hold in the end: the newest of each entity, and every adjustment.
    pub fn shown(&self) -> BTreeSet<Uuid> {
        let Newest { users, orders, payments, .. } = self.newest();
        let adjustments = self.events.iter().filter(|event| matches!(event.body, Body::InventoryAdjusted(_)));
        [users, orders, payments].into_iter().flat_map(BTreeMap::into_values).chain(adjustments).map(|event| event.id).collect()
    }

    fn newest(&self) -> Newest<'_> {
        let mut in_order: Vec<&Event<'static>> = self.events.iter().collect();
        in_order.sort_unstable_by_key(|event| (event.at, event.id));
        let mut newest = Newest::default();
        for event in in_order {
            match &event.body {
                Body::UserCreated(user) => drop(newest.users.insert(user.user_id, event)),
                Body::OrderPlaced(order) => drop(newest.orders.insert(order.order_id, event)),
                Body::PaymentSettled(payment) => drop(newest.payments.insert(payment.payment_id, event)),
                Body::InventoryAdjusted(adjustment) => newest.adjustments.push(adjustment),
            }
        }
        newest
    }
}

/// What is left of a history when older events are forgotten.
#[derive(Default)]
struct Newest<'h> {
    users: BTreeMap<Uuid, &'h Event<'static>>,
    orders: BTreeMap<Uuid, &'h Event<'static>>,
    payments: BTreeMap<Uuid, &'h Event<'static>>,
    adjustments: Vec<&'h InventoryAdjusted<'static>>,
}

impl<'h> Newest<'h> {
    /// For each order that was paid, the newest settled payment.
    fn payments_by_order(&self) -> BTreeMap<Uuid, &'h Event<'static>> {
        let settled = self.payments.values().filter_map(|event| match &event.body {
            Body::PaymentSettled(payment) => Some((payment.settled_at, payment.payment_id, payment.order_id, *event)),
            _ => None,
        });
        let mut settled: Vec<_> = settled.collect();
        settled.sort_unstable_by_key(|(at, payment, ..)| (*at, *payment));
        settled.into_iter().map(|(_, _, order, event)| (order, event)).collect()
    }
}

fn user_with_orders(event: &Event<'_>, mut orders: Vec<&OrderSummary>) -> UserView {
    orders.sort_unstable_by_key(|order| std::cmp::Reverse(order.placed_at));
    orders.truncate(readmodel::views::ORDERS_SHOWN.into());
    UserView { user: recent_user(event, Timestamp::UNIX_EPOCH), orders: orders.into_iter().cloned().collect() }
}

impl Rows {
    /// What a store shows of everything in a history, `updatedAt` included. What it does not have is missing here; stock that nobody moved is 0.
    ///
    /// # Panics
    /// The store cannot be read.
    pub async fn read(store: &impl ReadStore, history: &History) -> Self {
        let mut rows = Self::default();
        for &user_id in &history.users {
            rows.users.extend(store.user(user_id).await.unwrap().map(|view| (user_id, view)));
        }
        for &order_id in &history.orders {
            rows.orders.extend(store.order(order_id).await.unwrap().map(|view| (order_id, view)));
        }
        for sku in &history.skus {
            rows.stock.insert(sku.clone(), store.inventory(sku).await.unwrap().map_or(0, |view| view.quantity));
        }
        rows
    }

    /// The same with 1970 for the times of the database's clock.
    #[must_use]
    pub fn without_our_clock(mut self) -> Self {
        for view in self.users.values_mut() {
            view.user.updated_at = Timestamp::UNIX_EPOCH;
            view.orders.iter_mut().for_each(|order| order.updated_at = Timestamp::UNIX_EPOCH);
        }
        self.orders.values_mut().for_each(|view| view.order.updated_at = Timestamp::UNIX_EPOCH);
        self
    }
}
