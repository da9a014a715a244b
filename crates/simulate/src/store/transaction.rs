//! A transaction on the server: its locks, and what it has written and not committed.
//!
//! As under read committed with row versions: each statement sees what was committed when it began, and what its own transaction wrote; who
//! writes a row waits for who wrote it before, and then meets the row as that left it.

use std::collections::BTreeMap;
use std::time::Duration;

use pipeline::fault::{Fault, FaultClass};
use tokio::time::Instant;
use uuid::Uuid;

use super::key::{ParkedKey, PositionKey};
use super::locks::{Grant, Lock};
use super::tables::{Line, Row};
use super::{AWAY, fault};
use crate::world::World;

/// `SET LOCK_TIMEOUT`.
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// What a transaction has written.
#[derive(Debug, Default)]
pub(crate) struct Writes {
    pub(crate) users: BTreeMap<Uuid, Row>,
    pub(crate) orders: BTreeMap<Uuid, Row>,
    pub(crate) payments: BTreeMap<Uuid, Row>,
    pub(crate) ledger: BTreeMap<Uuid, Line>,
    pub(crate) stock: BTreeMap<String, i64>,
    pub(crate) unparked: Vec<ParkedKey>,
    /// Parked events that were applied.
    pub(crate) released: Vec<ParkedKey>,
    pub(crate) positions: BTreeMap<PositionKey, i64>,
}

/// A transaction. Whoever drops it has rolled it back, unless it was committed.
pub(crate) struct Transaction {
    pub(crate) world: World,
    /// Who asked for it.
    pub(crate) who: String,
    number: u64,
    failovers: u64,
    pub(crate) writes: Writes,
}

impl Transaction {
    pub(crate) fn begin(world: &World, who: &str) -> Self {
        let (number, failovers) = world.step(|state| (state.tables.locks.begin(), state.tables.failovers));
        Self { world: world.clone(), who: who.to_owned(), number, failovers, writes: Writes::default() }
    }

    /// Takes locks one after the other, waiting for whoever holds them.
    pub(crate) async fn lock(&self, locks: Vec<Lock>) -> Result<(), Fault> {
        let deadline = Instant::now() + LOCK_TIMEOUT;
        for lock in locks {
            loop {
                self.alive()?;
                match self.world.step(|state| state.tables.locks.acquire(self.number, &lock)) {
                    Grant::Held => break,
                    Grant::Deadlock => {
                        self.world.tell(&self.who, "deadlock", || format!("{lock:?}"));
                        return Err(fault(FaultClass::LockConflict, 1205, "apply_batch"));
                    }
                    Grant::Wait if Instant::now() >= deadline => return Err(fault(FaultClass::LockConflict, 1222, "apply_batch")),
                    Grant::Wait => tokio::time::sleep(Duration::from_millis(3)).await,
                }
            }
        }
        Ok(())
    }

    /// Whether the server has not forgotten it.
    pub(crate) fn alive(&self) -> Result<(), Fault> {
        let failovers = self.world.step(|state| state.tables.failovers);
        if failovers == self.failovers { Ok(()) } else { Err(fault(AWAY, 983, "apply_batch")) }
    }

    /// Makes what was written visible, all at once.
    pub(crate) fn commit(&mut self) -> Result<(), Fault> {
        self.alive()?;
        let Writes { mut users, mut orders, mut payments, mut ledger, stock, unparked, released, positions } =
            std::mem::take(&mut self.writes);
        self.world.step(|state| {
            let now = state.now();
            // When a row can be seen, not when it was written: who looks at rows goes by that.
            let written = users.values_mut().chain(orders.values_mut()).chain(payments.values_mut());
            written.for_each(|row| row.updated_at = now);
            ledger.values_mut().for_each(|line| line.applied_at = now);
            let writes_rows = !(users.is_empty() && orders.is_empty() && payments.is_empty() && ledger.is_empty());
            state.rows_change(&self.who, [&users, &orders, &payments]);
            released.iter().for_each(|key| state.released(&self.who, key));
            users.into_iter().for_each(|(id, row)| state.tables.put_user(id, row));
            state.tables.orders.extend(orders);
            state.tables.payments.extend(payments);
            state.tables.ledger.extend(ledger);
            for (sku, quantity) in stock {
                state.tables.stock.insert(sku.clone(), (quantity, now));
                state.stock_changed(&sku);
            }
            for key in unparked {
                if let Some(parked) = state.tables.parked.remove(&key) {
                    state.unparked(&parked);
                }
            }
            for (key, next) in positions {
                state.advanced(&key, next);
            }
            if writes_rows {
                state.rows_changed(&self.who);
            }
            state.tables.locks.release(self.number);
        });
        Ok(())
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let (number, failovers) = (self.number, self.failovers);
        self.world.step(|state| {
            if state.tables.failovers == failovers {
                state.tables.locks.release(number);
            }
        });
    }
}
