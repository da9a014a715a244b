//! `TableRows` and `TableRepair`: the tables row by row, to compare them with those of another store, and making way for what is right.

use events::Timestamp;
use pipeline::ledger::{LedgerState, OPENING_BALANCE, OpeningBalance};
use pipeline::ports::{TableRepair, TableRows};
use pipeline::rows::{Fields, Table, TableRow, WrongStock};
use pipeline::{Dependency, Fault, ParkedEvent, ParkedKey, Position};
use rusqlite::{CachedStatement, Connection, Params, Row, params};
use uuid::Uuid;

use crate::database::{Sqlite, now};
use crate::faults::Failure;
use crate::ledger;
use crate::parking::parked_event;
use crate::values::{Id, Micros, id, limit, time};

impl TableRows for Sqlite {
    async fn count(&self, table: Table) -> Result<u64, Fault> {
        let sql = match table {
            Table::Users => "SELECT count(*) FROM users",
            Table::Orders => "SELECT count(*) FROM orders",
            Table::Payments => "SELECT count(*) FROM payments",
            Table::Adjustments => "SELECT count(*) FROM inventory_adjustments WHERE adjustment_type <> 'opening_balance'",
        };
        let counted = self.read(|connection| Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get::<_, i64>(0))?)).await;
        counted.map(i64::unsigned_abs).map_err(fault("count"))
    }

    async fn rows_after(&self, table: Table, after: Option<Uuid>, count: usize) -> Result<Vec<TableRow>, Fault> {
        // Nothing comes before the empty key.
        let after = after.map_or_else(Vec::new, |key| key.as_bytes().to_vec());
        self.read(|connection| Rows::prepare(connection, table, Which::Page)?.read(params![after, limit(count)]))
            .await
            .map_err(fault("rows_after"))
    }

    async fn rows(&self, table: Table, keys: &[Uuid]) -> Result<Vec<TableRow>, Fault> {
        let found = self.read(|connection| {
            // In one transaction: an order's items are those of its row.
            let moment = connection.unchecked_transaction()?;
            let mut rows = Rows::prepare(&moment, table, Which::Key)?;
            let mut found = Vec::with_capacity(keys.len());
            for key in keys {
                found.extend(rows.read([Id(key)])?);
            }
            Ok(found)
        });
        found.await.map_err(fault("rows"))
    }

    async fn wrong_stock(&self, count: usize) -> Result<Vec<WrongStock>, Fault> {
        let found = self.read(|connection| {
            let mut statement = connection.prepare_cached(include_str!("../sql/wrong_stock.sql"))?;
            let rows = statement.query_map([limit(count)], |row| {
                let (quantity, ledger): (Option<i64>, Option<i64>) = (row.get(1)?, row.get(2)?);
                Ok(WrongStock { sku: row.get(0)?, quantity: quantity.map(i128::from), ledger: ledger.map(i128::from) })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        });
        found.await.map_err(fault("wrong_stock"))
    }

    async fn ledger_state(&self) -> Result<LedgerState, Fault> {
        self.read(ledger::state).await.map_err(fault("ledger_state"))
    }

    async fn opening_balances(&self, after: Option<&str>, count: usize) -> Result<Vec<OpeningBalance>, Fault> {
        self.read(|connection| ledger::opening_balances(connection, after, count)).await.map_err(fault("opening_balances"))
    }

    async fn waiting_page(&self, after: Option<ParkedKey<'_>>, count: usize) -> Result<Vec<ParkedEvent>, Fault> {
        let found = self.read(|connection| {
            let (topic, partition, offset, record) = match after {
                Some(ParkedKey { position: Position { topic, partition, offset }, record }) => {
                    (topic.as_ref(), *partition, *offset, record.as_str())
                }
                None => ("", 0, 0, ""),
            };
            let mut statement = connection.prepare_cached(include_str!("../sql/waiting_page.sql"))?;
            let rows = statement.query_map(params![topic, partition, offset, record, limit(count)], parked_event)?;
            Ok(rows.collect::<Result<_, _>>()?)
        });
        found.await.map_err(fault("waiting_page"))
    }

    async fn waiting(&self, event_ids: &[Uuid]) -> Result<Vec<ParkedEvent>, Fault> {
        let found = self.read(|connection| {
            let mut statement = connection.prepare_cached(include_str!("../sql/waiting.sql"))?;
            let mut found = Vec::new();
            for event_id in event_ids {
                let rows = statement.query_map([Id(event_id)], parked_event)?;
                found.extend(rows.collect::<Result<Vec<_>, _>>()?);
            }
            Ok(found)
        });
        found.await.map_err(fault("waiting"))
    }
}

impl TableRepair for Sqlite {
    async fn outdate(&self, table: Table, key: Uuid, shown: Uuid) -> Result<bool, Fault> {
        let outdate = |key| {
            format!("UPDATE {table} SET event_at = {}, event_id = zeroblob(16) WHERE {key} = ?1", Timestamp::earliest().unix_micros())
        };
        let sql = match table {
            Table::Users => outdate("user_id"),
            Table::Orders => outdate("order_id"),
            Table::Payments => outdate("payment_id"),
            Table::Adjustments => format!("DELETE FROM {table} WHERE event_id = ?1"),
        };
        let changed = self.write(Dependency::Database, "outdate", |transaction| {
            Ok(transaction.prepare_cached(&format!("{sql} AND event_id = ?2"))?.execute(params![Id(&key), Id(&shown)])?)
        });
        changed.await.map(|rows| rows > 0)
    }

    async fn delete(&self, table: Table, key: Uuid, shown: Uuid) -> Result<bool, Fault> {
        let row = match table {
            Table::Users => "users WHERE user_id = ?1 AND event_id = ?2 AND NOT EXISTS (SELECT 1 FROM orders o WHERE o.user_id = ?1)",
            Table::Orders => {
                "orders WHERE order_id = ?1 AND event_id = ?2 AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.order_row = orders.order_row)"
            }
            Table::Payments => "payments WHERE payment_id = ?1 AND event_id = ?2",
            Table::Adjustments => "inventory_adjustments WHERE event_id = ?1 AND event_id = ?2",
        };
        let deleted = self.write(Dependency::Database, "delete", |transaction| {
            let values = params![Id(&key), Id(&shown)];
            if table == Table::Orders {
                let items = format!("DELETE FROM order_items WHERE order_row = (SELECT order_row FROM {row})");
                transaction.prepare_cached(&items)?.execute(values)?;
            }
            Ok(transaction.prepare_cached(&format!("DELETE FROM {row}"))?.execute(values)?)
        });
        deleted.await.map(|rows| rows > 0)
    }

    async fn correct_stock(&self, wrong: &WrongStock) -> Result<bool, Fault> {
        let corrected = self.write(Dependency::Database, "correct_stock", |transaction| {
            let number = |value: Option<i128>| value.map(i64::try_from).transpose().map_err(|_| Failure::StockOverflow);
            let (quantity, ledger) = (number(wrong.quantity)?, number(wrong.ledger)?.unwrap_or_default());
            let missing = ledger.checked_sub(quantity.unwrap_or_default()).ok_or(Failure::StockOverflow)?;
            let rows = match quantity {
                Some(quantity) => transaction
                    .prepare_cached("UPDATE inventory SET quantity = quantity + ?2, updated_at = ?4 WHERE sku = ?1 AND quantity = ?3")?
                    .execute(params![wrong.sku, missing, quantity, Micros(now())])?,
                None => transaction
                    .prepare_cached("INSERT INTO inventory (sku, quantity, updated_at) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING")?
                    .execute(params![wrong.sku, missing, Micros(now())])?,
            };
            Ok(rows > 0)
        });
        corrected.await
    }
}

fn fault(operation: &'static str) -> impl FnOnce(Failure) -> Fault {
    move |failure| failure.into_fault(Dependency::Database, operation)
}

/// Which rows a statement reads.
#[derive(Clone, Copy)]
enum Which {
    /// So many after a key.
    Page,
    /// The one with a key.
    Key,
}

/// A statement that reads rows of a table, and one for the items of orders.
struct Rows<'c> {
    table: Table,
    rows: CachedStatement<'c>,
    items: CachedStatement<'c>,
}

impl<'c> Rows<'c> {
    fn prepare(connection: &'c Connection, table: Table, which: Which) -> Result<Self, Failure> {
        // A payment without its order, which only another program's hand can leave, is a row without one.
        let (key, columns, from) = match table {
            Table::Users => ("user_id", "user_id, event_id, event_at, email, email_key, first_name, last_name, created_at", "users"),
            Table::Orders => ("order_id", "order_id, event_id, event_at, user_id, total_amount, currency, placed_at", "orders"),
            Table::Payments => (
                "payment_id",
                "payment_id, p.event_id, p.event_at, order_id, amount, p.currency, payment_method, status, settled_at",
                "payments AS p LEFT JOIN orders USING (order_row)",
            ),
            Table::Adjustments => {
                ("event_id", "event_id, event_id, event_at, sku, delta, adjustment_type, reason, adjusted_at", "inventory_adjustments")
            }
        };
        // An opening balance shows no event.
        let events = if table == Table::Adjustments { format!(" AND adjustment_type <> '{OPENING_BALANCE}'") } else { String::new() };
        let condition = match which {
            Which::Page => format!("{key} > ?1{events} ORDER BY {key} LIMIT ?2"),
            Which::Key => format!("{key} = ?1{events}"),
        };
        Ok(Self {
            table,
            rows: connection.prepare_cached(&format!("SELECT {columns} FROM {from} WHERE {condition}"))?,
            items: connection.prepare_cached(
                "SELECT line_no, sku, quantity, price FROM order_items
                 WHERE order_row = (SELECT order_row FROM orders WHERE order_id = ?1) ORDER BY line_no",
            )?,
        })
    }

    fn read(&mut self, values: impl Params) -> Result<Vec<TableRow>, Failure> {
        let table = self.table;
        let mut rows: Vec<_> = self.rows.query_map(values, |row| table_row(table, row))?.collect::<Result<_, _>>()?;
        if table == Table::Orders {
            for row in &mut rows {
                add_items(&mut self.items, row)?;
            }
        }
        Ok(rows)
    }
}

fn add_items(items: &mut CachedStatement<'_>, order: &mut TableRow) -> Result<(), Failure> {
    let mut lines = items.query([Id(&order.key)])?;
    while let Some(line) = lines.next()? {
        let quantity: i64 = line.get(2)?;
        let fields = std::mem::take(&mut order.fields);
        order.fields = fields.item(line.get(0)?, line.get::<_, String>(1)?, quantity, line.get::<_, String>(3)?);
    }
    Ok(())
}

fn table_row(table: Table, row: &Row<'_>) -> rusqlite::Result<TableRow> {
    let text = |column| row.get::<_, String>(column);
    let fields = Fields::default();
    let fields = match table {
        Table::Users => {
            let fields =
                fields.text("email", text(3)?).text("email_key", text(4)?).text("first_name", text(5)?).text("last_name", text(6)?);
            instant(fields, "created_at", row, 7)?
        }
        Table::Orders => {
            let fields = fields.id("user_id", id(row, 3)?).text("total_amount", text(4)?).text("currency", text(5)?);
            instant(fields, "placed_at", row, 6)?
        }
        Table::Payments => {
            let order = row.get::<_, Option<[u8; 16]>>(3)?.map(Uuid::from_bytes);
            let fields = order.into_iter().fold(fields, |fields, order| fields.id("order_id", order));
            let fields = fields.text("amount", text(4)?).text("currency", text(5)?);
            instant(fields.text("payment_method", text(6)?).text("status", text(7)?), "settled_at", row, 8)?
        }
        Table::Adjustments => {
            let fields = fields.text("sku", text(3)?).number("delta", row.get::<_, i64>(4)?);
            instant(fields.text("adjustment_type", text(5)?).text("reason", text(6)?), "adjusted_at", row, 7)?
        }
    };
    Ok(TableRow { key: id(row, 0)?, event_id: id(row, 1)?, event_at: time(row, 2)?, fields })
}

/// Adds an instant; one that no event can have, as the number that it is stored as.
fn instant(fields: Fields, name: &'static str, row: &Row<'_>, column: usize) -> rusqlite::Result<Fields> {
    let micros: i64 = row.get(column)?;
    Ok(match Timestamp::from_unix_micros(micros) {
        Some(at) => fields.time(name, at),
        None => fields.text(name, micros.to_string()),
    })
}
