//! Whether the rows are right: a fast wrong answer is a failure.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use events::{Body, Event};
use pipeline::ports::{DeadLetterReader as _, ParkingExpiry as _};
use readmodel::ReadStore;
use testkit::views;

use crate::place::{Opened, Place, Tables};
use crate::workload::{Reference, Workload};

/// Checks rows, dead letters and parked events after a whole workload.
///
/// # Errors
/// Something is missing, there too often, or there at all.
pub async fn whole<P: Place>(opened: &Opened<P::Tables, P::DeadLetters>, workload: &Workload, reference: &Reference) -> anyhow::Result<()> {
    rows(&opened.tables, reference).await?;
    let dead_letters = opened.dead_letters.depth().await?;
    ensure!(dead_letters == workload.dead_letters, "{dead_letters} dead letters instead of {}", workload.dead_letters);
    let (parked, expected) = (opened.tables.parked().await?.0, workload.refused.len() as u64);
    ensure!(parked == expected, "{parked} events are parked instead of {expected}");
    for user in &workload.refused {
        ensure!(opened.tables.user(*user).await?.is_none(), "a user is in the tables whose address belongs to another");
    }
    Ok(())
}

/// Checks the rows alone.
///
/// # Errors
/// They are not those of the reference.
pub async fn rows(tables: &impl ReadStore, reference: &Reference) -> anyhow::Result<()> {
    ensure!(reference.is_shown_by(tables).await, "the rows are wrong");
    Ok(())
}

/// What to look for after a stream that is too long to be kept: the stock as a whole, and some of the rows.
#[derive(Default)]
pub struct Sample {
    every: usize,
    seen: usize,
    stock: BTreeMap<String, i64>,
    parked: u64,
    events: Vec<Event<'static>>,
}

impl Sample {
    /// Keeps each `every`-th event.
    pub fn new(every: usize) -> Self {
        Self { every, ..Self::default() }
    }

    /// So many events are parked beside the stream, and stay so.
    pub fn expect_parked(&mut self, parked: u64) {
        self.parked = parked;
    }

    /// Notes an event of an insert-only stream.
    pub fn note(&mut self, event: &Event<'static>) {
        if let Body::InventoryAdjusted(adjustment) = &event.body {
            *self.stock.entry(adjustment.sku.to_string()).or_default() += adjustment.delta();
        }
        if self.seen.is_multiple_of(self.every) {
            self.events.push(event.clone());
        }
        self.seen += 1;
    }

    /// Checks the stock of every article and the rows of the kept events.
    ///
    /// # Errors
    /// Something is missing or other than it must be.
    pub async fn check(&self, tables: &impl Tables) -> anyhow::Result<()> {
        for (sku, quantity) in &self.stock {
            let found = tables.inventory(sku).await?.context("an article is missing")?;
            ensure!(found.quantity == *quantity, "the stock of {sku} is {} instead of {quantity}", found.quantity);
        }
        for event in &self.events {
            ensure!(is_shown(tables, event).await?, "{} {} is not in its table, or not as it was sent", event.event_type(), event.id);
        }
        ensure!(tables.parked().await?.0 == self.parked, "events are parked whose parents came before them, or are parked no more");
        Ok(())
    }
}

async fn is_shown(tables: &impl Tables, event: &Event<'static>) -> anyhow::Result<bool> {
    Ok(match &event.body {
        Body::UserCreated(user) => {
            let found = tables.user(user.user_id).await?;
            found.is_some_and(|found| found.user == views::recent_user(event, found.user.updated_at))
        }
        Body::OrderPlaced(order) => tables.order(order.order_id).await?.is_some_and(|found| {
            let expected = views::order_of(event, None, found.order.updated_at);
            (found.order, found.items) == (expected.order, expected.items)
        }),
        Body::PaymentSettled(payment) => {
            let found = tables.order(payment.order_id).await?.and_then(|found| found.payment);
            found.is_some_and(|found| found.payment_id == payment.payment_id && found.amount == payment.amount)
        }
        // Its share of the stock was checked.
        Body::InventoryAdjusted(_) => true,
    })
}
