//! What is sent, and when: random histories of users, orders, payments and stock, with everything that may stand in a topic.

use std::borrow::Cow;
use std::time::Duration;

use events::{AdjustmentType, Body, Event, InventoryAdjusted, Timestamp};
use uuid::Uuid;

use crate::bodies::{self, Message, name_of};
use crate::crowd;
use crate::dice::{Dice, stream};
use crate::log::{Sent, producer};
use crate::store::REFUSED_QUANTITY;
use crate::world::World;

const TRAFFIC: u64 = stream("traffic");

/// What a producer does.
#[derive(Clone, Debug)]
enum Act {
    Send { key: Vec<u8>, value: Option<Vec<u8>>, transaction: Option<u64> },
    End { transaction: u64, commits: bool },
}

/// What will be sent in a run.
#[derive(Clone, Debug)]
pub struct Traffic {
    acts: Vec<(Duration, Act)>,
}

impl Traffic {
    /// The traffic of a run that begins at this time.
    pub fn new(dice: &mut Dice, beginning: Timestamp) -> Self {
        if crowd::is_crowd(dice) {
            return Self::of_a_crowd(dice, beginning);
        }
        let values = History { dice, beginning, values: Vec::new() }.write();
        // Much at once, so that writers meet; or so slowly that each record is alone.
        let lasts = *dice.pick(TRAFFIC, &[200, 1_500, 8_000, 25_000]);
        // Mostly in the order in which it was made, and some of it long before or after.
        let disorder = *dice.pick(TRAFFIC, &[0, 500, 3_000, 12_000]);
        let timed = spread(dice, values, lasts, disorder);
        Self { acts: in_transactions(dice, timed) }
    }

    fn of_a_crowd(dice: &mut Dice, beginning: Timestamp) -> Self {
        let values = crowd::history(dice, beginning);
        let (lasts, disorder) = (*dice.pick(TRAFFIC, &[100, 300, 1_000]), *dice.pick(TRAFFIC, &[0, 30, 100]));
        let timed = spread(dice, values, lasts, disorder).into_iter();
        Self { acts: timed.map(|(at, (key, value))| (at, Act::Send { key, value, transaction: None })).collect() }
    }

    /// Sends all of it.
    pub async fn send(self, world: World) {
        let began = tokio::time::Instant::now();
        for (at, act) in self.acts {
            tokio::time::sleep_until(began + at).await;
            match act {
                Act::Send { key, value, transaction } => {
                    world.step(|state| {
                        let sent = Sent::new(state.elapsed(), state.now().unix_millis(), key, value);
                        producer::send(state, "producer", sent, transaction)
                    });
                }
                Act::End { transaction, commits } => world.step(|state| {
                    state.tell("producer", if commits { "commits" } else { "aborts" }, || format!("transaction {transaction}"));
                    state.topic.end(transaction, commits);
                }),
            }
            world.announce();
        }
    }
}

/// When each is sent: one after the other for so long, and by so much too late, in milliseconds.
fn spread(dice: &mut Dice, values: Vec<Message>, lasts: u64, disorder: u64) -> Vec<(Duration, Message)> {
    let count = values.len() as u64;
    let mut timed: Vec<_> = (0_u64..)
        .zip(values)
        .map(|(number, value)| (Duration::from_millis(lasts * number / count.max(1) + dice.below(TRAFFIC, disorder + 1)), value))
        .collect();
    timed.sort_by_key(|(at, _)| *at);
    timed
}

/// Some of it in transactions, which end a while later, for good or not.
fn in_transactions(dice: &mut Dice, timed: Vec<(Duration, Message)>) -> Vec<(Duration, Act)> {
    let share = *dice.pick(TRAFFIC, &[0.0, 0.0, 0.05, 0.2]);
    let mut acts = Vec::new();
    let mut open: Option<(u64, u64)> = None;
    for (at, (key, value)) in timed {
        if open.is_none() && dice.chance(TRAFFIC, share) {
            let transaction = acts.len() as u64;
            open = Some((transaction, dice.between(TRAFFIC, 1, 4)));
            let ends = at + Duration::from_millis(dice.between(TRAFFIC, 0, 12_000));
            acts.push((ends, Act::End { transaction, commits: dice.chance(TRAFFIC, 0.75) }));
        }
        acts.push((at, Act::Send { key, value, transaction: open.map(|(transaction, _)| transaction) }));
        open = open.and_then(|(transaction, left)| left.checked_sub(1).map(|left| (transaction, left)));
    }
    // An end may stand before the last of its records: then these are sent after it, and are a transaction that nobody ends.
    let ended_at: Vec<(u64, Duration)> = acts
        .iter()
        .filter_map(|(at, act)| match act {
            Act::End { transaction, .. } => Some((*transaction, *at)),
            Act::Send { .. } => None,
        })
        .collect();
    for (at, act) in &mut acts {
        if let Act::Send { transaction, .. } = act
            && ended_at.iter().any(|(number, ended)| *transaction == Some(*number) && *ended <= *at)
        {
            *transaction = None;
        }
    }
    acts.sort_by_key(|(at, _)| *at);
    acts
}

struct History<'d> {
    dice: &'d mut Dice,
    beginning: Timestamp,
    values: Vec<Message>,
}

impl History<'_> {
    fn write(mut self) -> Vec<Message> {
        let users = self.ids(8);
        let orders = self.ids(8);
        let payments = self.ids(6);
        let shares_addresses = self.dice.chance(TRAFFIC, 0.35);
        let orphans = if self.dice.chance(TRAFFIC, 0.4) { 0.15 } else { 0.0 };
        for _ in 0..self.dice.between(TRAFFIC, 5, 90) {
            let body = match self.dice.below(TRAFFIC, 10) {
                0..3 => self.user(&users, shares_addresses),
                3..6 => self.order(&users, &orders, orphans),
                6..8 => self.payment(&orders, &payments, orphans),
                _ => self.adjustment(),
            };
            let at = self.time(body_is_stock(&body));
            let event = Event { id: self.dice.id(TRAFFIC), at, body };
            self.push(&event);
            self.trouble(&event);
        }
        self.values
    }

    fn ids(&mut self, most: u64) -> Vec<Uuid> {
        (0..self.dice.between(TRAFFIC, 1, most)).map(|_| self.dice.id(TRAFFIC)).collect()
    }

    /// Times are few, so that ties are many.
    fn time(&mut self, is_stock: bool) -> Timestamp {
        let seconds = self.dice.below(TRAFFIC, 6) as i64;
        let from_far = self.dice.chance(TRAFFIC, if is_stock { 0.02 } else { 0.01 });
        self.beginning.plus_micros(seconds * 1_000_000 + if from_far { 5 * 86_400_000_000 } else { 0 })
    }

    fn push(&mut self, event: &Event<'_>) {
        self.values.push((event.key().into_bytes(), Some(event.to_json())));
    }

    /// What may come with an event: itself again, its id with another content, broken records, tombstones.
    fn trouble(&mut self, event: &Event<'static>) {
        if self.dice.chance(TRAFFIC, 0.1) {
            self.push(event);
        }
        if let Body::InventoryAdjusted(adjustment) = &event.body
            && self.dice.chance(TRAFFIC, 0.04)
        {
            let quantity = adjustment.quantity + 1;
            let body = Body::InventoryAdjusted(InventoryAdjusted { quantity, ..adjustment.clone() });
            self.push(&Event { body, ..event.clone() });
        }
        if self.dice.chance(TRAFFIC, 0.04) {
            let number = self.dice.roll(TRAFFIC);
            self.values.push((event.key().into_bytes(), Some(format!("{{\"broken\": {number}").into_bytes())));
        }
        if self.dice.chance(TRAFFIC, 0.03) {
            self.values.push((event.key().into_bytes(), None));
        }
    }

    fn user(&mut self, users: &[Uuid], shares_addresses: bool) -> Body<'static> {
        let user_id = *self.dice.pick(TRAFFIC, users);
        let shares = shares_addresses && self.dice.chance(TRAFFIC, 0.5);
        let name = if shares { format!("shared{}", self.dice.below(TRAFFIC, 2)) } else { name_of(user_id) };
        bodies::user(user_id, &name, self.beginning)
    }

    /// One of these, or now and then one that never comes.
    fn parent(&mut self, of: &[Uuid], orphans: f64) -> Uuid {
        if self.dice.chance(TRAFFIC, orphans) { self.dice.id(TRAFFIC) } else { *self.dice.pick(TRAFFIC, of) }
    }

    fn order(&mut self, users: &[Uuid], orders: &[Uuid], orphans: f64) -> Body<'static> {
        let is_refused = self.dice.chance(TRAFFIC, 0.04);
        let quantity = if is_refused { REFUSED_QUANTITY } else { 1 };
        let order_id = *self.dice.pick(TRAFFIC, orders);
        bodies::order(order_id, self.parent(users, orphans), quantity, self.beginning)
    }

    fn payment(&mut self, orders: &[Uuid], payments: &[Uuid], orphans: f64) -> Body<'static> {
        let payment_id = *self.dice.pick(TRAFFIC, payments);
        bodies::payment(payment_id, self.parent(orders, orphans), self.beginning)
    }

    fn adjustment(&mut self) -> Body<'static> {
        let sku = *self.dice.pick(TRAFFIC, &["keyboard", "mouse", "screen"]);
        Body::InventoryAdjusted(InventoryAdjusted {
            sku: Cow::Borrowed(sku),
            quantity: self.dice.between(TRAFFIC, 0, 40) as i32 - 20,
            adjustment_type: AdjustmentType::Returned,
            reason: "count".into(),
            adjusted_at: self.beginning,
        })
    }
}

const fn body_is_stock(body: &Body<'_>) -> bool {
    matches!(body, Body::InventoryAdjusted(_))
}
