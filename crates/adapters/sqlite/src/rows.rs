//! Users, orders and payments: registers in which the last writer wins.
//!
//! The guard is in the statements: a row changes only for an event that is greater by (timestamp, event id) than the one it shows.

use std::collections::HashSet;

use events::{Event, OrderItem, Timestamp};
use pipeline::{Batch, Outcome, WaitsFor};
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};
use uuid::Uuid;

use crate::emails::{self, Claimant};
use crate::faults::Failure;
use crate::values::{Id, Micros, id, time};

/// Writes the users that can have their address; the others wait for it.
pub(crate) fn write_users(connection: &Connection, batch: Batch<'_>, now: Timestamp, outcomes: &mut [Outcome]) -> Result<(), Failure> {
    let claimants: Vec<_> = batch.users().map(|(number, event, user)| Claimant { number, event, user, key: user.email_key() }).collect();
    let everyone: Vec<_> = claimants.iter().collect();
    let mut users = Users::prepare(connection, now)?;
    let refused = if emails::is_crowded(&claimants) { emails::refused(connection, &everyone)? } else { HashSet::new() };
    let mut contested = Vec::new();
    for claimant in everyone {
        outcomes[claimant.number] = match refused.contains(&claimant.number) {
            true => Outcome::Parked(WaitsFor::Email),
            false => match users.write(claimant) {
                Err(Failure::Sqlite(error)) if emails::is_taken(&error) => {
                    contested.push(claimant);
                    continue;
                }
                written => written?,
            },
        };
    }
    if contested.is_empty() {
        return Ok(());
    }
    let refused = emails::refused(connection, &contested)?;
    let (waiting, accepted): (Vec<_>, Vec<_>) = contested.into_iter().partition(|claimant| refused.contains(&claimant.number));
    for claimant in waiting {
        outcomes[claimant.number] = Outcome::Parked(WaitsFor::Email);
    }
    for claimant in &accepted {
        emails::vacate(connection, claimant)?;
    }
    for claimant in accepted {
        outcomes[claimant.number] = users.write(claimant)?;
    }
    Ok(())
}

/// The rows of users.
struct Users<'c> {
    upsert: CachedStatement<'c>,
    shown: CachedStatement<'c>,
    now: Timestamp,
}

impl<'c> Users<'c> {
    fn prepare(connection: &'c Connection, now: Timestamp) -> Result<Self, Failure> {
        Ok(Self {
            upsert: connection.prepare_cached(include_str!("../sql/upsert_user.sql"))?,
            shown: connection.prepare_cached("SELECT event_at, event_id FROM users WHERE user_id = ?1")?,
            now,
        })
    }

    fn write(&mut self, Claimant { event, user, key, .. }: &Claimant<'_>) -> Result<Outcome, Failure> {
        let written = self.upsert.execute(params![
            Id(&user.user_id),
            user.email,
            key,
            user.first_name,
            user.last_name,
            Micros(user.created_at),
            Id(&event.id),
            Micros(event.at),
            Micros(self.now)
        ])?;
        if written == 0 { why_unwritten(&mut self.shown, &user.user_id, event) } else { Ok(Outcome::Applied) }
    }
}

pub(crate) fn write_orders(connection: &Connection, batch: Batch<'_>, now: Timestamp, outcomes: &mut [Outcome]) -> Result<(), Failure> {
    let mut upsert = connection.prepare_cached(include_str!("../sql/upsert_order.sql"))?;
    let mut shown = connection.prepare_cached("SELECT event_at, event_id FROM orders WHERE order_id = ?1")?;
    let mut items = Items::prepare(connection)?;
    for (number, event, order) in batch.orders() {
        let (placed_at, event_at) = (Micros(order.placed_at), Micros(event.at));
        let total_amount = order.total_amount.to_string();
        let written = upsert.execute(params![
            Id(&order.order_id),
            Id(&order.user_id),
            total_amount,
            order.currency,
            placed_at,
            Id(&event.id),
            event_at,
            Micros(now)
        ])?;
        if written == 0 {
            outcomes[number] = why_unwritten(&mut shown, &order.order_id, event)?;
        } else {
            items.replace(&order.order_id, &order.items)?;
        }
    }
    Ok(())
}

pub(crate) fn write_payments(connection: &Connection, batch: Batch<'_>, now: Timestamp, outcomes: &mut [Outcome]) -> Result<(), Failure> {
    let mut upsert = connection.prepare_cached(include_str!("../sql/upsert_payment.sql"))?;
    let mut shown = connection.prepare_cached("SELECT event_at, event_id FROM payments WHERE payment_id = ?1")?;
    for (number, event, payment) in batch.payments() {
        let written = upsert.execute(params![
            Id(&payment.payment_id),
            Id(&payment.order_id),
            payment.amount.to_string(),
            payment.currency,
            payment.payment_method,
            payment.status,
            Micros(payment.settled_at),
            Id(&event.id),
            Micros(event.at),
            Micros(now)
        ])?;
        if written == 0 {
            outcomes[number] = why_unwritten(&mut shown, &payment.payment_id, event)?;
        }
    }
    Ok(())
}

/// Items follow their order's row: they change only where this batch made the row show the event.
struct Items<'c> {
    /// Asked by itself: `RETURNING` would make a table of one row for each order.
    order_row: CachedStatement<'c>,
    delete: CachedStatement<'c>,
    insert: CachedStatement<'c>,
}

impl<'c> Items<'c> {
    fn prepare(connection: &'c Connection) -> Result<Self, Failure> {
        Ok(Self {
            order_row: connection.prepare_cached("SELECT order_row FROM orders WHERE order_id = ?1")?,
            delete: connection.prepare_cached("DELETE FROM order_items WHERE order_row = ?1")?,
            insert: connection
                .prepare_cached("INSERT INTO order_items (order_row, line_no, sku, quantity, price) VALUES (?1, ?2, ?3, ?4, ?5)")?,
        })
    }

    fn replace(&mut self, order_id: &Uuid, items: &[OrderItem<'_>]) -> Result<(), Failure> {
        let order_row: i64 = self.order_row.query_row([Id(order_id)], |row| row.get(0))?;
        self.delete.execute([order_row])?;
        for (line, item) in (1_i64..).zip(items) {
            self.insert.execute(params![order_row, line, item.sku, item.quantity, item.price.to_string()])?;
        }
        Ok(())
    }
}

/// How an event ended that changed no row, by what its row shows.
fn why_unwritten(shown: &mut CachedStatement<'_>, key: &Uuid, event: &Event<'_>) -> Result<Outcome, Failure> {
    let shown = shown.query_row([Id(key)], |row| Ok((time(row, 0)?, id(row, 1)?))).optional()?;
    Ok(match shown {
        Some((_, shown_id)) if shown_id == event.id => Outcome::Duplicate,
        Some(clock) if clock > (event.at, event.id) => Outcome::Stale,
        // Nothing but a missing parent keeps a newer event out; an event without a parent cannot come here.
        _ => Outcome::Parked(WaitsFor::parent_of(&event.body).ok_or(Failure::RowMissing)?),
    })
}
