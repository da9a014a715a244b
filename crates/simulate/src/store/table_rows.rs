//! The tables row by row: what `verify` compares, and what the contract suite checks.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use events::{Event, Timestamp};
use pipeline::ledger::{LedgerState, OpeningBalance};
use pipeline::ports::{AwaitedParents, TableRepair, TableRows};
use pipeline::rows::{Table, TableRow, WrongStock};
use pipeline::{Awaited, AwaitedChild, AwaitedParent, Fault, ParkedEvent, ParkedKey, WaitsFor};
use uuid::Uuid;

use super::adapter::SimStore;
use super::tables::{Row, Tables};

impl TableRows for SimStore {
    async fn count(&self, table: Table) -> Result<u64, Fault> {
        Ok(self.world.step(|state| rows_of(&state.tables, table).len() as u64))
    }

    async fn rows_after(&self, table: Table, after: Option<Uuid>, limit: usize) -> Result<Vec<TableRow>, Fault> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let page =
            |tables: &Tables| rows_of(tables, table).range((from, Bound::Unbounded)).map(|(_, row)| row.clone()).take(limit).collect();
        Ok(self.world.step(|state| page(&state.tables)))
    }

    async fn rows(&self, table: Table, keys: &[Uuid]) -> Result<Vec<TableRow>, Fault> {
        let rows = self.world.step(|state| rows_of(&state.tables, table));
        Ok(keys.iter().filter_map(|key| rows.get(key).cloned()).collect())
    }

    async fn wrong_stock(&self, limit: usize) -> Result<Vec<WrongStock>, Fault> {
        let mut wrong = self.world.step(|state| wrong_stock(&state.tables));
        wrong.truncate(limit);
        Ok(wrong)
    }

    /// Nobody compacts the simulated ledger.
    async fn ledger_state(&self) -> Result<LedgerState, Fault> {
        Ok(LedgerState::default())
    }

    async fn opening_balances(&self, _: Option<&str>, _: usize) -> Result<Vec<OpeningBalance>, Fault> {
        Ok(Vec::new())
    }

    async fn waiting_page(&self, after: Option<ParkedKey<'_>>, limit: usize) -> Result<Vec<ParkedEvent>, Fault> {
        let after = after.map(|key| (key.position.clone(), key.record.clone()));
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let page =
            |tables: &Tables| tables.parked.range((from, Bound::Unbounded)).map(|(_, parked)| parked.event.clone()).take(limit).collect();
        Ok(self.world.step(|state| page(&state.tables)))
    }

    async fn waiting(&self, event_ids: &[Uuid]) -> Result<Vec<ParkedEvent>, Fault> {
        let waiting = self.world.step(|state| state.tables.parked.values().map(|parked| parked.event.clone()).collect::<Vec<_>>());
        Ok(waiting.into_iter().filter(|event| event_ids.contains(&event.event_id)).collect())
    }
}

impl AwaitedParents for SimStore {
    async fn awaited(&self, parents: usize, children: usize) -> Result<Awaited, Fault> {
        let waiting = self.world.step(|state| state.tables.parked.values().map(|parked| parked.event.clone()).collect::<Vec<_>>());
        let mut by_parent: BTreeMap<_, AwaitedParent> = BTreeMap::new();
        for event in &waiting {
            let child = AwaitedChild { event_id: event.event_id, position: event.position.clone(), parked_at: event.parked_at };
            let of_none =
                AwaitedParent { waits_for: event.waits_for, children: 0, oldest: event.parked_at, written: false, first: Vec::new() };
            let parent = by_parent.entry((event.waits_for.type_number(), event.waits_for.parent_id())).or_insert(of_none);
            parent.children += 1;
            parent.oldest = parent.oldest.min(event.parked_at);
            parent.first.push(child);
        }
        let mut largest: Vec<_> = by_parent.into_values().collect();
        largest.sort_by_key(|parent| (std::cmp::Reverse(parent.children), parent.oldest));
        let all = largest.len() as u64;
        largest.truncate(parents);
        for parent in &mut largest {
            parent.first.sort_by_key(|child| child.parked_at);
            parent.first.truncate(children);
            parent.written = self.world.step(|state| match parent.waits_for {
                WaitsFor::User(id) => state.tables.users.contains_key(&id),
                WaitsFor::Order(id) => state.tables.orders.contains_key(&id),
                WaitsFor::Email => false,
            });
        }
        Ok(Awaited { events: waiting.len() as u64, parents: all, largest })
    }
}

impl TableRepair for SimStore {
    async fn outdate(&self, table: Table, key: Uuid, shown: Uuid) -> Result<bool, Fault> {
        Ok(self.world.step(|state| outdate(&mut state.tables, table, key, shown)))
    }

    async fn delete(&self, table: Table, key: Uuid, shown: Uuid) -> Result<bool, Fault> {
        Ok(self.world.step(|state| delete(&mut state.tables, table, key, shown)))
    }

    async fn correct_stock(&self, wrong: &WrongStock) -> Result<bool, Fault> {
        let (seen, right) = (wrong.quantity.map(|seen| seen as i64), wrong.ledger.unwrap_or_default() as i64);
        Ok(self.world.step(|state| {
            let is_as_seen = state.tables.stock.get(&wrong.sku).map(|(quantity, _)| *quantity) == seen;
            if is_as_seen {
                let updated_at = state.tables.stock.get(&wrong.sku).map_or(Timestamp::UNIX_EPOCH, |(_, updated_at)| *updated_at);
                state.tables.stock.insert(wrong.sku.clone(), (right, updated_at));
            }
            is_as_seen
        }))
    }
}

fn outdate(tables: &mut Tables, table: Table, key: Uuid, shown: Uuid) -> bool {
    let rows = match table {
        Table::Users => &mut tables.users,
        Table::Orders => &mut tables.orders,
        Table::Payments => &mut tables.payments,
        Table::Adjustments => return tables.ledger.remove(&key).is_some(),
    };
    let Some(row) = rows.get_mut(&key).filter(|row| row.event.id == shown) else { return false };
    row.event = Arc::new(Event { id: Uuid::nil(), at: Timestamp::earliest(), ..(*row.event).clone() });
    true
}

fn delete(tables: &mut Tables, table: Table, key: Uuid, shown: Uuid) -> bool {
    let refers = |child: &Row| WaitsFor::parent_of(&child.event.body).and_then(WaitsFor::parent_id) == Some(key);
    let (rows, is_referred_to) = match table {
        Table::Users => (&mut tables.users, tables.orders.values().any(refers)),
        Table::Orders => (&mut tables.orders, tables.payments.values().any(refers)),
        Table::Payments => (&mut tables.payments, false),
        Table::Adjustments => return tables.ledger.remove(&key).is_some(),
    };
    let is_deleted = !is_referred_to && rows.get(&key).is_some_and(|row| row.event.id == shown) && rows.remove(&key).is_some();
    if is_deleted && table == Table::Users {
        tables.addresses.retain(|_, holder| *holder != key);
    }
    is_deleted
}

fn rows_of(tables: &Tables, table: Table) -> BTreeMap<Uuid, TableRow> {
    let rows = match table {
        Table::Users => &tables.users,
        Table::Orders => &tables.orders,
        Table::Payments => &tables.payments,
        Table::Adjustments => return tables.ledger.values().map(|line| TableRow::of(&line.event).1).map(|row| (row.key, row)).collect(),
    };
    rows.iter().map(|(key, row)| (*key, TableRow::of(&row.event).1)).collect()
}

fn wrong_stock(tables: &Tables) -> Vec<WrongStock> {
    let mut wrong: BTreeMap<&str, (Option<i128>, Option<i128>)> = BTreeMap::new();
    for (sku, (quantity, _)) in &tables.stock {
        wrong.entry(sku).or_default().0 = Some(i128::from(*quantity));
    }
    for line in tables.ledger.values() {
        *wrong.entry(&line.sku).or_default().1.get_or_insert(0) += i128::from(line.delta);
    }
    let wrong = wrong.into_iter().filter(|(_, (quantity, ledger))| quantity != ledger);
    wrong.map(|(sku, (quantity, ledger))| WrongStock { sku: sku.to_owned(), quantity, ledger }).collect()
}
