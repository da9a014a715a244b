//! `EventStore`: one batch, one transaction. `DryRun`: the same transaction, rolled back.

use pipeline::ports::DryRun;
use pipeline::{Applied, Batch, Dependency, EventStore, Fault, Outcome};
use rusqlite::Connection;

use crate::database::{Sqlite, now};
use crate::faults::Failure;
use crate::{emails, parking, positions, rows, stock};

impl EventStore for Sqlite {
    async fn apply(&self, batch: Batch<'_>) -> Result<Applied, Fault> {
        self.write(Dependency::Database, OPERATION, |transaction| apply(transaction, batch)).await
    }
}

impl DryRun for Sqlite {
    async fn dry_run(&self, batch: Batch<'_>) -> Result<Applied, Fault> {
        self.roll_back(OPERATION, |transaction| apply(transaction, batch)).await
    }
}

/// What a fault calls it, as SQL Server's adapter does.
const OPERATION: &str = "apply_batch";

/// Writes the tables parents first; what is parked again stays in the parking table, everything else that was released leaves it.
fn apply(transaction: &Connection, batch: Batch<'_>) -> Result<Applied, Failure> {
    let now = now();
    let mut outcomes = vec![Outcome::Applied; batch.len()];
    let has_users = batch.users().next().is_some();
    let expired = if has_users && parking::addresses_wanted(transaction)? { emails::changing(transaction, batch)? } else { Vec::new() };
    rows::write_users(transaction, batch, now, &mut outcomes)?;
    rows::write_orders(transaction, batch, now, &mut outcomes)?;
    rows::write_payments(transaction, batch, now, &mut outcomes)?;
    stock::write(transaction, batch, now, &mut outcomes)?;
    parking::release(transaction, batch, &outcomes)?;
    // An event that is parked or rejected is not durable yet. Nothing is an empty batch, and moves nothing.
    if !batch.is_empty() && outcomes.iter().all(Outcome::persisted) {
        positions::advance(transaction, batch.positions(), now)?;
    }
    // Nobody can park an event between this look and the commit: that would need the lock that this transaction holds.
    let children_wait = parking::children_wait(transaction, batch, &outcomes)?;
    let addresses_free = parking::addresses_free(transaction, &expired)?;
    Ok(Applied { outcomes, children_wait, addresses_free })
}
