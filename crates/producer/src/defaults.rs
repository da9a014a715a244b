//! What stands in for a field that nobody filled in.

use std::time::SystemTime;

use events::{AdjustmentType, Body, Event, Timestamp};
use rand::RngExt;
use rand::seq::IteratorRandom;
use uuid::Uuid;

use crate::generate::catalog::{ARTICLES, Article, FIRST_NAMES, LAST_NAMES};

/// The currency.
pub const CURRENCY: &str = "EUR";
/// How an order was paid.
pub const PAYMENT_METHOD: &str = "credit_card";
/// How a payment ended.
pub const STATUS: &str = "settled";

/// This instant.
pub fn now() -> Timestamp {
    SystemTime::now().into()
}

/// An event that happens now, under a new id.
pub fn event(body: Body<'static>) -> Event<'static> {
    Event { id: Uuid::new_v4(), at: now(), body }
}

/// Somebody's first and last name, such that every keyboard has the letters.
pub fn person() -> (&'static str, &'static str) {
    let pick = |names: &[&'static str]| names.iter().copied().filter(|name| name.is_ascii()).choose(&mut rand::rng()).unwrap_or_default();
    (pick(FIRST_NAMES), pick(LAST_NAMES))
}

/// An e-mail address for a name. It differs from call to call, because an address belongs to one user.
pub fn email(first_name: &str, last_name: &str) -> String {
    let letters = |name: &str| name.chars().filter(char::is_ascii_alphabetic).collect::<String>().to_lowercase();
    let names: Vec<_> = [letters(first_name), letters(last_name)].into_iter().filter(|name| !name.is_empty()).collect();
    let local = if names.is_empty() { "customer".to_owned() } else { names.join(".") };
    // Both names may be as long as their columns: together they would not fit into this one.
    let local: String = local.chars().take(64).collect();
    format!("{local}.{:06x}@example.com", rand::rng().random_range(0..0x100_0000))
}

/// An article of the catalog.
pub const fn article() -> Article {
    ARTICLES[0]
}

/// Why stock moves.
pub const fn reason(adjustment_type: AdjustmentType) -> &'static str {
    match adjustment_type {
        AdjustmentType::Add => "delivery",
        AdjustmentType::Subtract => "damaged in the warehouse",
        AdjustmentType::OrderFulfilled => "order shipped",
        AdjustmentType::Returned => "returned by customer",
    }
}
