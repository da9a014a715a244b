//! What is sent: events with children first, revisions, orphans, unwritable records.

use std::collections::BTreeSet;

use events::{Body, Event};
use producer::generate::{Content, Generator, GeneratorConfig, Record, Records};
use testkit::history::History;
use uuid::Uuid;

/// Each so manyth user or order is written twice.
const REVISED: usize = 9;
/// How far from each other the two are in the stream, at most.
const DISTANCE: usize = 40;
/// After so many events comes an order whose user never does, and its payment.
const ORPHANS: usize = 500;

/// A stream whose end is known.
pub struct Stream {
    /// In the order in which they are sent.
    pub records: Vec<Record>,
    /// The events that end in the tables.
    pub history: History,
    /// The events that wait for good.
    pub orphans: BTreeSet<Uuid>,
    /// The values that nobody can write.
    pub poison: Vec<Vec<u8>>,
}

impl Stream {
    /// About so many events, a third of the children before their parents; each so manyth record is unwritable.
    pub fn new(events: u64, seed: u64, poison_every: Option<u64>) -> Self {
        let mut events: Vec<_> = Generator::new(GeneratorConfig { out_of_order: 0.3, ..GeneratorConfig::new(events, seed) }).collect();
        revise(&mut events);
        let orphans = orphans(&events);
        let mut sent = events.clone();
        for (number, pair) in orphans.chunks(2).enumerate() {
            let place = (number * ORPHANS).min(sent.len());
            sent.splice(place..place, pair.iter().cloned());
        }
        let records: Vec<_> = Records::new(sent.into_iter()).with_poison(poison_every, seed).collect();
        let poison = records.iter().filter(|(content, _)| matches!(content, Content::Poison(_)));
        let poison = poison.map(|(_, message)| message.value.clone().unwrap()).collect();
        Self { records, history: History::of(events), orphans: orphans.iter().map(|event| event.id).collect(), poison }
    }

    /// How many records there are.
    pub fn total(&self) -> i64 {
        self.records.len() as i64
    }
}

/// Adds newer states of some users and orders, before and after the states that they replace.
fn revise(events: &mut Vec<Event<'static>>) {
    let entities = events.iter().enumerate().filter(|(_, event)| matches!(event.body, Body::UserCreated(_) | Body::OrderPlaced(_)));
    let revised: Vec<_> = entities.step_by(REVISED).map(|(place, event)| (place, revision(event))).collect();
    // From the end, so that the places stay what they are.
    for (number, (place, event)) in revised.into_iter().enumerate().rev() {
        let distance = number * 7 % DISTANCE;
        let place = if number % 2 == 0 { place + distance } else { place.saturating_sub(distance) };
        events.insert(place.min(events.len()), event);
    }
}

fn revision(event: &Event<'static>) -> Event<'static> {
    let mut newer = Event { id: sibling(event.id), at: event.at.plus_micros(3_600_000_000), body: event.body.clone() };
    match &mut newer.body {
        Body::UserCreated(user) => user.last_name = "Renamed".into(),
        Body::OrderPlaced(order) => order.items.truncate(1),
        Body::PaymentSettled(_) | Body::InventoryAdjusted(_) => {}
    }
    newer
}

/// Orders of nobody, each followed by its payment.
fn orphans(events: &[Event<'static>]) -> Vec<Event<'static>> {
    let find = |wanted: fn(&Body<'_>) -> bool| events.iter().find(|event| wanted(&event.body)).unwrap().clone();
    let order = find(|body| matches!(body, Body::OrderPlaced(_)));
    let payment = find(|body| matches!(body, Body::PaymentSettled(_)));
    let mut orphans = Vec::new();
    for number in 0..events.len().div_ceil(ORPHANS) {
        let id = |part: u128| Uuid::from_u128(order.id.as_u128() ^ (number as u128 * 4 + part) << 8);
        let (mut order, mut payment) = (order.clone(), payment.clone());
        (order.id, payment.id) = (id(1), id(2));
        if let (Body::OrderPlaced(order), Body::PaymentSettled(payment)) = (&mut order.body, &mut payment.body) {
            (order.order_id, order.user_id) = (id(1), id(3));
            (payment.order_id, payment.payment_id) = (id(1), id(2));
        }
        orphans.extend([order, payment]);
    }
    orphans
}

fn sibling(id: Uuid) -> Uuid {
    Uuid::from_u128(id.as_u128() ^ 1)
}
