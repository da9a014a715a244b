//! Random histories, and the rows that they must end in.

use std::collections::BTreeMap;

use events::{Body, Event, Timestamp};
use readmodel::{OrderSummary, OrderView, UserView};
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
        let mut in_order: Vec<&Event<'static>> = self.events.iter().collect();
        in_order.sort_unstable_by_key(|event| (event.at, event.id));
        let (mut users, mut orders, mut payments) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut stock: BTreeMap<String, i64> = self.skus.iter().map(|sku| (sku.clone(), 0)).collect();
        for event in in_order {
            match &event.body {
                Body::UserCreated(user) => drop(users.insert(user.user_id, event)),
                Body::OrderPlaced(order) => drop(orders.insert(order.order_id, event)),
                Body::PaymentSettled(payment) => drop(payments.insert(payment.payment_id, (event, payment))),
                Body::InventoryAdjusted(adjustment) => *stock.entry(adjustment.sku.to_string()).or_default() += adjustment.delta(),
            }
        }
        let newest_payment = |order_id: Uuid| {
            let of_order = payments.values().filter(|(_, payment)| payment.order_id == order_id);
            of_order.max_by_key(|(_, payment)| payment.settled_at).map(|(event, _)| *event)
        };
        let view = |id: Uuid, event: &Event<'_>| order_of(event, newest_payment(id), Timestamp::UNIX_EPOCH);
        let orders: BTreeMap<Uuid, OrderView> = orders.into_iter().map(|(id, event)| (id, view(id, event))).collect();
        let users = users.into_iter().map(|(id, event)| (id, user_with_orders(event, id, &orders))).collect();
        Rows { users, orders, stock }
    }
}

fn user_with_orders(event: &Event<'_>, user_id: Uuid, orders: &BTreeMap<Uuid, OrderView>) -> UserView {
    let of_user = orders.values().map(|order| &order.order).filter(|order| order.user_id == user_id);
    let mut orders: Vec<OrderSummary> = of_user.cloned().collect();
    orders.sort_unstable_by_key(|order| std::cmp::Reverse(order.placed_at));
    orders.truncate(readmodel::views::ORDERS_SHOWN.into());
    UserView { user: recent_user(event, Timestamp::UNIX_EPOCH), orders }
}

impl Rows {
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
