//! `ReadStore`: each answer by one statement, so that it shows one moment.

use events::Timestamp;
use pipeline::{Dependency, Fault};
use readmodel::views::ORDERS_SHOWN;
use readmodel::{AsOf, InventoryView, OrderItemView, OrderSummary, OrderView, PaymentView, ReadFault, ReadStore, RecentUser, UserView};
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use crate::database::{Sqlite, now};
use crate::faults::Failure;
use crate::values::{Id, id, money, time};

/// The indexes that nothing but these questions needs.
const INDEXES: &str =
    "DROP INDEX IF EXISTS ix_users_created; DROP INDEX IF EXISTS ix_orders_user_placed; DROP INDEX IF EXISTS ix_payments_order_settled;";

impl Sqlite {
    /// Lets go of the indexes that only the read API needs, for good: tables that nobody asks so are written faster.
    ///
    /// # Errors
    /// The file cannot be written.
    pub async fn drop_read_indexes(&self) -> Result<(), Fault> {
        self.write(Dependency::Database, "drop_read_indexes", |transaction| Ok(transaction.execute_batch(INDEXES)?)).await
    }
}

impl ReadStore for Sqlite {
    async fn user(&self, user_id: Uuid) -> Result<Option<UserView>, ReadFault> {
        self.read(|connection| user(connection, user_id)).await.map_err(Failure::into_read_fault)
    }

    async fn recent_users(&self, limit: u16) -> Result<Vec<RecentUser>, ReadFault> {
        self.read(|connection| recent_users(connection, limit)).await.map_err(Failure::into_read_fault)
    }

    async fn order(&self, order_id: Uuid) -> Result<Option<OrderView>, ReadFault> {
        self.read(|connection| order(connection, order_id)).await.map_err(Failure::into_read_fault)
    }

    async fn inventory(&self, sku: &str) -> Result<Option<InventoryView>, ReadFault> {
        self.read(|connection| inventory(connection, sku)).await.map_err(Failure::into_read_fault)
    }

    async fn ping(&self) -> Result<(), ReadFault> {
        self.read(ping).await.map_err(Failure::into_read_fault)
    }

    async fn as_of(&self) -> Result<Option<AsOf>, ReadFault> {
        self.read(|connection| as_of(connection, now())).await.map_err(Failure::into_read_fault)
    }
}

fn user(connection: &Connection, user_id: Uuid) -> Result<Option<UserView>, Failure> {
    let mut statement = connection.prepare_cached(include_str!("../sql/read_user.sql"))?;
    let mut rows = statement.query(params![Id(&user_id), ORDERS_SHOWN])?;
    let mut view: Option<UserView> = None;
    while let Some(row) = rows.next()? {
        let view = match &mut view {
            Some(view) => view,
            none => none.insert(UserView { user: recent_user(row)?, orders: Vec::new() }),
        };
        if is_there(row, 6)? {
            view.orders.push(summary(row, 6)?);
        }
    }
    Ok(view)
}

fn recent_users(connection: &Connection, limit: u16) -> Result<Vec<RecentUser>, Failure> {
    let mut statement = connection.prepare_cached(include_str!("../sql/read_recent_users.sql"))?;
    let users = statement.query_map([limit], recent_user)?;
    Ok(users.collect::<Result<_, _>>()?)
}

fn order(connection: &Connection, order_id: Uuid) -> Result<Option<OrderView>, Failure> {
    let mut statement = connection.prepare_cached(include_str!("../sql/read_order.sql"))?;
    let mut rows = statement.query([Id(&order_id)])?;
    let mut view: Option<OrderView> = None;
    while let Some(row) = rows.next()? {
        let view = match &mut view {
            Some(view) => view,
            none => none.insert(OrderView { order: summary(row, 0)?, payment: payment(row)?, items: Vec::new() }),
        };
        if is_there(row, 12)? {
            view.items.push(OrderItemView { sku: row.get(12)?, quantity: row.get(13)?, price: money(row, 14)? });
        }
    }
    Ok(view)
}

fn inventory(connection: &Connection, sku: &str) -> Result<Option<InventoryView>, Failure> {
    let mut statement = connection.prepare_cached("SELECT sku, quantity, updated_at FROM inventory WHERE sku = ?1")?;
    let view = statement.query_row([sku], |row| {
        let updated_at: Timestamp = time(row, 2)?;
        Ok(InventoryView { sku: row.get(0)?, quantity: row.get(1)?, updated_at })
    });
    Ok(view.optional()?)
}

fn ping(connection: &Connection) -> Result<(), Failure> {
    let mut ping = connection.prepare_cached("SELECT EXISTS (SELECT 1 FROM users)")?;
    Ok(ping.query_row([], |_| Ok(()))?)
}

fn as_of(connection: &Connection, now: Timestamp) -> Result<Option<AsOf>, Failure> {
    let mut statement = connection.prepare_cached(
        "SELECT max(written_at) FROM (SELECT max(updated_at) AS written_at FROM log_positions UNION ALL SELECT max(heartbeat_at) FROM consumer_heartbeats)",
    )?;
    let written_at = statement.query_row([], |row| if is_there(row, 0)? { time(row, 0).map(Some) } else { Ok(None) })?;
    Ok(written_at.map(|written_at| AsOf { written_at, now }))
}

/// Whether an outer join found a row; its first column is one that is never null.
fn is_there(row: &Row<'_>, column: usize) -> rusqlite::Result<bool> {
    Ok(row.get_ref(column)? != rusqlite::types::ValueRef::Null)
}

fn recent_user(row: &Row<'_>) -> rusqlite::Result<RecentUser> {
    Ok(RecentUser {
        user_id: id(row, 0)?,
        email: row.get(1)?,
        first_name: row.get(2)?,
        last_name: row.get(3)?,
        created_at: time(row, 4)?,
        updated_at: time(row, 5)?,
    })
}

fn summary(row: &Row<'_>, first: usize) -> rusqlite::Result<OrderSummary> {
    Ok(OrderSummary {
        order_id: id(row, first)?,
        user_id: id(row, first + 1)?,
        total_amount: money(row, first + 2)?,
        currency: row.get(first + 3)?,
        placed_at: time(row, first + 4)?,
        updated_at: time(row, first + 5)?,
    })
}

fn payment(row: &Row<'_>) -> rusqlite::Result<Option<PaymentView>> {
    if !is_there(row, 6)? {
        return Ok(None);
    }
    Ok(Some(PaymentView {
        payment_id: id(row, 6)?,
        amount: money(row, 7)?,
        currency: row.get(8)?,
        payment_method: row.get(9)?,
        status: row.get(10)?,
        settled_at: time(row, 11)?,
    }))
}
