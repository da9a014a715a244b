//! Events that hold canaries, and take every way that an event can take.

use std::collections::BTreeSet;

use events::{Body, Event};
use pipeline::ports::Message;
use serde_json::{Value, json};
use testkit::builders::{Build as _, adjustment, id, order, payment, user};
use testkit::canary::CANARY;
use uuid::Uuid;

/// A line that was never written, and a command to the terminal.
const FORGERY: &str = "\r\n{\"level\":\"INFO\",\"message\":\"FORGED\"}\u{1b}[2J";

pub struct Journey {
    /// A user whose e-mail address, names and payment method are canaries.
    pub user: Uuid,
    good: Vec<Event<'static>>,
    /// Refused when they are written, or expired in the end, with the reason.
    refused: Vec<(Event<'static>, &'static str)>,
    broken: Vec<Vec<u8>>,
}

impl Journey {
    pub fn new() -> Self {
        let canary = |what: &str| format!("{what}-{CANARY}");
        let user = user(id()).with_user(|user| {
            user.email = format!("{}@example.com", canary("mail")).into();
            user.first_name = canary("First").into();
            user.last_name = format!("{}{FORGERY}", canary("Last")).into();
        });
        let Body::UserCreated(created) = &user.body else { unreachable!() };
        let (user_id, email) = (created.user_id, created.email.clone());
        let order = order(id(), user_id);
        let Body::OrderPlaced(placed) = &order.body else { unreachable!() };
        let payment = payment(id(), placed.order_id).with_payment(|payment| payment.payment_method = canary("method").into());
        let stock = adjustment(&canary("sku"), 3).with_adjustment(|stock| stock.reason = canary("reason").into());
        let other_content = stock.clone().with_adjustment(|stock| stock.quantity = 4);
        let same_email = testkit::builders::user(id()).later(1).with_user(|user| user.email = email);
        let orphan = testkit::builders::payment(id(), id()).with_payment(|payment| payment.payment_method = canary("method").into());
        let broken = broken(&[&user, &order, &payment, &stock]);
        let refused = vec![(other_content, "event_id_conflict"), (same_email, "email_taken"), (orphan, "missing_parent")];
        Self { user: user_id, good: vec![order, user, payment, stock], refused, broken }
    }

    /// Good ones twice, and everything else once. Keys hold canaries and forged lines too.
    pub fn messages(&self) -> Vec<Message> {
        let events = self.good.iter().chain(&self.good).chain(self.refused.iter().map(|(event, _)| event));
        let values = events.map(|event| event.to_json()).chain(self.broken.iter().cloned());
        let key = format!("key-{CANARY}{FORGERY}").into_bytes();
        values.map(|value| Message { key: Some(key.clone()), value: Some(value), headers: Vec::new() }).collect()
    }

    /// How many become dead letters.
    pub fn unwritable(&self) -> usize {
        self.broken.len() + self.refused.len()
    }

    /// The reasons of the dead letters.
    pub fn reasons(&self) -> BTreeSet<&'static str> {
        let broken = self.broken.iter().map(|value| events::decode(value).unwrap_err().rule.label());
        broken.chain(self.refused.iter().map(|(_, reason)| *reason)).collect()
    }

    /// Events, and the status of a decision about each that the log tells once.
    pub fn decisions(&self) -> Vec<(Uuid, &'static str)> {
        let orphan = self.refused[2].0.id;
        let mut decisions: Vec<_> = self.good.iter().map(|event| (event.id, "duplicate")).collect();
        decisions.push((orphan, "parked"));
        decisions
    }
}

/// Every field of every event in every wrong way, and what is no event at all.
fn broken(events: &[&Event<'static>]) -> Vec<Vec<u8>> {
    let canary = format!("{CANARY}{FORGERY}");
    let mut broken = vec![
        format!("{{\"invalid\": {canary}").into_bytes(),
        format!("\"{CANARY}\"").into_bytes(),
        format!("{{\"eventType\":\"{CANARY}\"}}").into_bytes(),
        [CANARY.as_bytes(), b"\xff\xfe"].concat(),
    ];
    for event in events {
        let good: Value = serde_json::from_slice(&event.to_json()).unwrap();
        for name in good.as_object().unwrap().keys() {
            for wrong in [json!(canary), json!({ CANARY: CANARY }), json!([CANARY]), json!(7), json!(CANARY.repeat(600)), Value::Null] {
                let mut value = good.clone();
                value[name] = wrong;
                broken.push(value.to_string().into_bytes());
            }
        }
    }
    // Where the field may hold any text, the event is a good one: those are sent elsewhere.
    broken.retain(|value| events::decode(value).is_err());
    broken
}
