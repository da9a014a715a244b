//! Orders and payments: rows whose parent must be there.

use std::collections::BTreeMap;
use std::sync::Arc;

use events::{Body, Event};
use pipeline::fault::{Fault, FaultClass};
use pipeline::{Outcome, WaitsFor};
use uuid::Uuid;

use super::apply::{Job, ended, is_newer};
use super::fault;
use super::locks::Lock;
use super::tables::{Row, Tables};
use super::transaction::{Transaction, Writes};
use crate::defect::Defect;

/// The quantity that no check of the table lets pass: what cannot be written, and cannot be known before.
pub const REFUSED_QUANTITY: i32 = 1_000_666;

/// A child of the batch.
struct Child {
    number: usize,
    event: Arc<Event<'static>>,
    id: Uuid,
    parent: Uuid,
    matched: bool,
    /// Whether its event would change the row as that was when the statement began, and its parent was there.
    writes: bool,
}

/// What the two tables differ in.
struct Table {
    key: fn(&Event<'_>) -> Option<(Uuid, Uuid)>,
    rows: fn(&Tables) -> &BTreeMap<Uuid, Row>,
    parents: fn(&Tables) -> &BTreeMap<Uuid, Row>,
    new_parents: fn(&Writes) -> &BTreeMap<Uuid, Row>,
    new_rows: fn(&mut Writes) -> &mut BTreeMap<Uuid, Row>,
    lock: fn(Uuid) -> Lock,
    parent_lock: fn(Uuid) -> Lock,
    primary_key: &'static str,
}

const ORDERS: Table = Table {
    key: |event| match &event.body {
        Body::OrderPlaced(order) => Some((order.order_id, order.user_id)),
        _ => None,
    },
    rows: |tables| &tables.orders,
    parents: |tables| &tables.users,
    new_parents: |writes| &writes.users,
    new_rows: |writes| &mut writes.orders,
    lock: Lock::Order,
    parent_lock: Lock::User,
    primary_key: "pk_orders",
};

const PAYMENTS: Table = Table {
    key: |event| match &event.body {
        Body::PaymentSettled(payment) => Some((payment.payment_id, payment.order_id)),
        _ => None,
    },
    rows: |tables| &tables.payments,
    parents: |tables| &tables.orders,
    new_parents: |writes| &writes.orders,
    new_rows: |writes| &mut writes.payments,
    lock: Lock::Payment,
    parent_lock: Lock::Order,
    primary_key: "pk_payments",
};

pub(crate) async fn write_orders(transaction: &mut Transaction, job: &Job, outcomes: &mut [Outcome]) -> Result<(), Fault> {
    write(transaction, job, outcomes, &ORDERS).await
}

pub(crate) async fn write_payments(transaction: &mut Transaction, job: &Job, outcomes: &mut [Outcome]) -> Result<(), Fault> {
    write(transaction, job, outcomes, &PAYMENTS).await
}

async fn write(transaction: &mut Transaction, job: &Job, outcomes: &mut [Outcome], table: &Table) -> Result<(), Fault> {
    let world = transaction.world.clone();
    let (children, defect) = world.step(|state| (table.children(&state.tables, &transaction.writes, job, state.defect), state.defect));
    if children.is_empty() {
        return Ok(());
    }
    let writing: Vec<_> = children.iter().filter(|child| child.writes).collect();
    transaction.lock(writing.iter().map(|child| (table.lock)(child.id)).collect()).await?;
    // The check of the foreign key waits for whoever is writing the parent.
    transaction.lock(writing.iter().map(|child| (table.parent_lock)(child.parent)).collect()).await?;
    let written = world.step(|state| {
        let mut written = BTreeMap::new();
        for child in &writing {
            let row = (table.rows)(&state.tables).get(&child.id);
            if !child.matched && row.is_some() {
                return Err(fault(FaultClass::UniqueViolation, 2627, table.primary_key));
            }
            if !is_newer(&child.event, row, defect) {
                continue;
            }
            if is_refused(&child.event) {
                return Err(fault(FaultClass::Poison, 547, "ck_order_items_quantity"));
            }
            written.insert(child.number, (child.id, Row { event: Arc::clone(&child.event), updated_at: state.now() }));
        }
        Ok(written)
    })?;
    world.step(|state| {
        for child in &children {
            let row = (table.rows)(&state.tables).get(&child.id);
            let ended = ended(&child.event, written.contains_key(&child.number), row);
            let parent = WaitsFor::parent_of(&child.event.body).unwrap_or(WaitsFor::Email);
            outcomes[child.number] = match ended {
                None if state.has(Defect::MissingParentIsStale) => Outcome::Stale,
                ended => ended.unwrap_or(Outcome::Parked(parent)),
            };
        }
    });
    (table.new_rows)(&mut transaction.writes).extend(written.into_values());
    Ok(())
}

impl Table {
    fn children(&self, tables: &Tables, writes: &Writes, job: &Job, defect: Option<Defect>) -> Vec<Child> {
        let child = |(number, event): (usize, &Arc<Event<'static>>)| {
            let (id, parent) = (self.key)(event)?;
            let row = (self.rows)(tables).get(&id);
            let has_parent = (self.parents)(tables).contains_key(&parent) || (self.new_parents)(writes).contains_key(&parent);
            let writes = has_parent && is_newer(event, row, defect);
            Some(Child { number, event: Arc::clone(event), id, parent, matched: row.is_some(), writes })
        };
        job.events.iter().enumerate().filter_map(child).collect()
    }
}

/// Whether a check of the table refuses it.
pub fn is_refused(event: &Event<'_>) -> bool {
    let Body::OrderPlaced(order) = &event.body else { return false };
    order.currency.len() != 3 || order.items.iter().any(|item| item.quantity == REFUSED_QUANTITY)
}
