//! The ledger and its sum: only what the ledger did not hold counts.

use std::collections::BTreeMap;
use std::sync::Arc;

use events::{Body, Event, InventoryAdjusted};
use pipeline::fault::{Fault, FaultClass};
use pipeline::{Outcome, Reason};

use super::apply::Job;
use super::fault;
use super::locks::Lock;
use super::tables::{Line, Tables};
use super::transaction::Transaction;
use crate::defect::Defect;

pub(crate) async fn write(transaction: &mut Transaction, job: &Job, outcomes: &mut [Outcome]) -> Result<(), Fault> {
    let adjustments: Vec<_> =
        job.events.iter().enumerate().filter_map(|(number, event)| Some((number, event, adjustment(event)?))).collect();
    if adjustments.is_empty() {
        return Ok(());
    }
    let world = transaction.world.clone();
    let is_new = |tables: &Tables, event: &Event<'_>| !tables.ledger.contains_key(&event.id);
    let new: Vec<_> = world.step(|state| {
        let counts_again = state.has(Defect::LedgerIgnored);
        adjustments.iter().filter(|(_, event, _)| counts_again || is_new(&state.tables, event)).copied().collect()
    });
    transaction.lock(new.iter().map(|(_, event, _)| Lock::Line(event.id)).collect()).await?;
    let mut articles: Vec<_> = new.iter().map(|(_, _, adjustment)| adjustment.sku.to_string()).collect();
    articles.sort_unstable();
    articles.dedup();
    transaction.lock(articles.into_iter().map(Lock::Stock).collect()).await?;
    let (lines, stock) = world.step(|state| {
        let (mut lines, mut stock) = (BTreeMap::new(), BTreeMap::new());
        for (_, event, adjustment) in &new {
            if !is_new(&state.tables, event) && !state.has(Defect::LedgerIgnored) {
                return Err(fault(FaultClass::UniqueViolation, 2627, "pk_inventory_adjustments"));
            }
            let line =
                Line { event: Arc::clone(event), sku: adjustment.sku.to_string(), delta: adjustment.delta(), applied_at: state.now() };
            let before = state.tables.stock.get(&line.sku).map_or(0, |(quantity, _)| *quantity);
            let quantity: &mut i64 = stock.entry(line.sku.clone()).or_insert(before);
            *quantity = quantity.checked_add(line.delta).ok_or_else(|| fault(FaultClass::Poison, 8115, "stock"))?;
            lines.insert(event.id, line);
        }
        Ok((lines, stock))
    })?;
    world.step(|state| {
        for (number, event, adjustment) in &adjustments {
            if let Some(line) = state.tables.ledger.get(&event.id).filter(|_| !lines.contains_key(&event.id)) {
                let same = line.sku == adjustment.sku && line.delta == adjustment.delta();
                outcomes[*number] =
                    if same { Outcome::Duplicate } else { Outcome::Rejected { reason: Reason::EventIdConflict, code: None } };
            }
        }
    });
    transaction.writes.ledger.extend(lines);
    transaction.writes.stock.extend(stock);
    Ok(())
}

fn adjustment<'e>(event: &'e Event<'static>) -> Option<&'e InventoryAdjusted<'static>> {
    match &event.body {
        Body::InventoryAdjusted(adjustment) => Some(adjustment),
        _ => None,
    }
}
