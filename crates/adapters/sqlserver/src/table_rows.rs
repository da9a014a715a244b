//! The tables row by row, to compare them with those of another store, and making way for what is right.

use pipeline::ledger::{LedgerState, OpeningBalance};
use pipeline::ports::{TableRepair, TableRows};
use pipeline::rows::{Fields, Table, TableRow, WrongStock};
use pipeline::{Fault, ParkedEvent, ParkedKey};
use uuid::Uuid;

use crate::connection::ResultSets;
use crate::faults;
use crate::ledger;
use crate::parking::{ids, parked_events, to_bigint};
use crate::row::{Columns, columns_of, only_row};
use crate::statement::{
    CORRECT_STOCK, COUNT_ROWS, DELETE_ORDER, DELETE_PAYMENT, DELETE_USER, LEDGER_STATE, OPENING_BALANCES, OUTDATE_ORDER, OUTDATE_PAYMENT,
    OUTDATE_USER, PAGE_ADJUSTMENTS, PAGE_ORDERS, PAGE_PAYMENTS, PAGE_USERS, REMOVE_ADJUSTMENT, ROWS_ADJUSTMENTS, ROWS_ORDERS,
    ROWS_PAYMENTS, ROWS_USERS, Statement, WAITING, WAITING_PAGE, WRONG_STOCK,
};
use crate::store::SqlServer;

impl TableRows for SqlServer {
    async fn count(&self, table: Table) -> Result<u64, Fault> {
        let sets = self.pool.ask(&COUNT_ROWS, &[]).await?.accept();
        only_row(&sets, &COUNT_ROWS)?.natural::<i64, _>(table.name())
    }

    async fn rows_after(&self, table: Table, after: Option<Uuid>, limit: usize) -> Result<Vec<TableRow>, Fault> {
        let statement = match table {
            Table::Users => &PAGE_USERS,
            Table::Orders => &PAGE_ORDERS,
            Table::Payments => &PAGE_PAYMENTS,
            Table::Adjustments => &PAGE_ADJUSTMENTS,
        };
        // From the key on, since no key is before that of zeros; where a page goes on, the first row was there already.
        let (from, count) = after.map_or((Uuid::nil(), limit), |key| (key, limit.saturating_add(1)));
        let sets = self.pool.ask(statement, &[&to_bigint(count), &from]).await?.accept();
        let mut rows = table_rows(table, &sets, statement)?;
        rows.retain(|row| Some(row.key) != after);
        rows.truncate(limit);
        Ok(rows)
    }

    async fn rows(&self, table: Table, keys: &[Uuid]) -> Result<Vec<TableRow>, Fault> {
        let statement = match table {
            Table::Users => &ROWS_USERS,
            Table::Orders => &ROWS_ORDERS,
            Table::Payments => &ROWS_PAYMENTS,
            Table::Adjustments => &ROWS_ADJUSTMENTS,
        };
        let sets = self.pool.ask(statement, &[&ids(keys)]).await?.accept();
        table_rows(table, &sets, statement)
    }

    async fn wrong_stock(&self, limit: usize) -> Result<Vec<WrongStock>, Fault> {
        let sets = self.pool.ask(&WRONG_STOCK, &[&to_bigint(limit)]).await?.accept();
        columns_of(&sets, &WRONG_STOCK)?.map(wrong_stock).collect()
    }

    async fn ledger_state(&self) -> Result<LedgerState, Fault> {
        let sets = self.pool.ask(&LEDGER_STATE, &[]).await?.accept();
        ledger::state(only_row(&sets, &LEDGER_STATE)?)
    }

    async fn opening_balances(&self, after: Option<&str>, limit: usize) -> Result<Vec<OpeningBalance>, Fault> {
        let sets = self.pool.ask(&OPENING_BALANCES, &[&to_bigint(limit), &after]).await?.accept();
        columns_of(&sets, &OPENING_BALANCES)?.map(ledger::opening_balance).collect()
    }

    async fn waiting_page(&self, after: Option<ParkedKey<'_>>, limit: usize) -> Result<Vec<ParkedEvent>, Fault> {
        let (topic, partition, offset, record) = after.map_or(("", -1, -1, ""), |ParkedKey { position, record }| {
            (&position.topic, position.partition, position.offset, record.as_str())
        });
        let sets = self.pool.ask(&WAITING_PAGE, &[&to_bigint(limit), &topic, &partition, &offset, &record]).await?.accept();
        parked_events(&sets, &WAITING_PAGE)
    }

    async fn waiting(&self, event_ids: &[Uuid]) -> Result<Vec<ParkedEvent>, Fault> {
        let sets = self.pool.ask(&WAITING, &[&ids(event_ids)]).await?.accept();
        parked_events(&sets, &WAITING)
    }
}

impl TableRepair for SqlServer {
    async fn outdate(&self, table: Table, key: Uuid, shown: Uuid) -> Result<bool, Fault> {
        let statement = match table {
            Table::Users => &OUTDATE_USER,
            Table::Orders => &OUTDATE_ORDER,
            Table::Payments => &OUTDATE_PAYMENT,
            Table::Adjustments => &REMOVE_ADJUSTMENT,
        };
        let sets = self.pool.ask(statement, &[&key, &shown]).await?.accept();
        changed(&sets, statement)
    }

    async fn delete(&self, table: Table, key: Uuid, shown: Uuid) -> Result<bool, Fault> {
        let statement = match table {
            Table::Users => &DELETE_USER,
            Table::Orders => &DELETE_ORDER,
            Table::Payments => &DELETE_PAYMENT,
            Table::Adjustments => &REMOVE_ADJUSTMENT,
        };
        let sets = self.pool.ask(statement, &[&key, &shown]).await?.accept();
        changed(&sets, statement)
    }

    async fn correct_stock(&self, wrong: &WrongStock) -> Result<bool, Fault> {
        let number = |value: Option<i128>| value.map(i64::try_from).transpose().map_err(|_| faults::bug(CORRECT_STOCK.name));
        let (quantity, ledger) = (number(wrong.quantity)?, number(wrong.ledger)?.unwrap_or_default());
        let missing = ledger.checked_sub(quantity.unwrap_or_default()).ok_or_else(|| faults::bug(CORRECT_STOCK.name))?;
        let sets = self.pool.ask(&CORRECT_STOCK, &[&wrong.sku.as_str(), &quantity, &missing]).await?.accept();
        changed(&sets, &CORRECT_STOCK)
    }
}

/// Whether a statement has changed a row.
fn changed(sets: &ResultSets, statement: &Statement) -> Result<bool, Fault> {
    Ok(only_row(sets, statement)?.natural::<i32, u32>("changed")? > 0)
}

/// The rows of an answer. An order comes as one row per item, one after the other.
fn table_rows(table: Table, sets: &ResultSets, statement: &Statement) -> Result<Vec<TableRow>, Fault> {
    let mut rows: Vec<TableRow> = Vec::new();
    for columns in columns_of(sets, statement)? {
        let (key, event_id, event_at) = (columns.get("row_key")?, columns.get("event_id")?, columns.time("event_at")?);
        match rows.last().filter(|last| table == Table::Orders && last.key == key) {
            None => rows.push(TableRow { key, event_id, event_at, fields: fields(table, columns)? }),
            Some(last) if (last.event_id, last.event_at) == (event_id, event_at) => {}
            Some(_) => return Err(faults::bug(statement.name)),
        }
        if let Some(order) = rows.last_mut().filter(|_| table == Table::Orders) {
            add_item(order, columns)?;
        }
    }
    Ok(rows)
}

fn fields(table: Table, columns: Columns<'_>) -> Result<Fields, Fault> {
    let text = |fields: Fields, name: &'static str| Ok::<_, Fault>(fields.text(name, columns.text(name)?));
    let id = |fields: Fields, name: &'static str| Ok::<_, Fault>(fields.id(name, columns.get(name)?));
    let money = |fields: Fields, name: &'static str| Ok::<_, Fault>(fields.money(name, columns.money(name)?));
    let time = |fields: Fields, name: &'static str| Ok::<_, Fault>(fields.time(name, columns.time(name)?));
    let fields = Fields::default();
    match table {
        Table::Users => {
            let fields = ["email", "email_key", "first_name", "last_name"].into_iter().try_fold(fields, text)?;
            time(fields, "created_at")
        }
        Table::Orders => {
            let fields = text(money(id(fields, "user_id")?, "total_amount")?, "currency")?;
            time(fields, "placed_at")
        }
        Table::Payments => {
            let fields = money(id(fields, "order_id")?, "amount")?;
            let fields = ["currency", "payment_method", "status"].into_iter().try_fold(fields, text)?;
            time(fields, "settled_at")
        }
        Table::Adjustments => {
            let delta: i64 = columns.get("delta")?;
            let fields = text(fields, "sku")?.number("delta", delta);
            let fields = ["adjustment_type", "reason"].into_iter().try_fold(fields, text)?;
            time(fields, "adjusted_at")
        }
    }
}

fn add_item(order: &mut TableRow, columns: Columns<'_>) -> Result<(), Fault> {
    let Some(line) = columns.optional::<i32>("line_no")? else { return Ok(()) };
    let quantity: i32 = columns.get("quantity")?;
    let fields = std::mem::take(&mut order.fields);
    order.fields = fields.item(i64::from(line), columns.text("sku")?, quantity, columns.money("price")?.to_string());
    Ok(())
}

fn wrong_stock(columns: Columns<'_>) -> Result<WrongStock, Fault> {
    let number = |name| {
        let text: Option<&str> = columns.optional(name)?;
        text.map(|text| text.parse().map_err(|_| faults::bug(WRONG_STOCK.name))).transpose()
    };
    Ok(WrongStock { sku: columns.text("article")?, quantity: number("quantity")?, ledger: number("ledger")? })
}

#[cfg(test)]
mod tests {
    use tiberius::numeric::Numeric;
    use tiberius::time::{Date, DateTime2, Time};
    use tiberius::{ColumnData, ColumnType, Row};

    use super::*;

    fn row(values: Vec<(&'static str, ColumnData<'static>)>) -> Row {
        values.into_iter().fold(Row::builder(), |row, (name, value)| row.column(name, ColumnType::Null, value)).build()
    }

    fn id(id: u128) -> ColumnData<'static> {
        ColumnData::Guid(Some(Uuid::from_u128(id)))
    }

    fn text(text: &'static str) -> ColumnData<'static> {
        ColumnData::String(Some(text.into()))
    }

    fn money(units: i128) -> ColumnData<'static> {
        ColumnData::Numeric(Some(Numeric::new_with_scale(units, 4)))
    }

    fn second(second: u64) -> ColumnData<'static> {
        ColumnData::DateTime2(Some(DateTime2::new(Date::new(719_162), Time::new(second * 1_000_000, 6))))
    }

    fn order(key: u128, line: Option<i32>) -> Row {
        row(vec![
            ("row_key", id(key)),
            ("event_id", id(9)),
            ("event_at", second(1)),
            ("user_id", id(7)),
            ("total_amount", money(125_000)),
            ("currency", text("EUR")),
            ("placed_at", second(2)),
            ("line_no", ColumnData::I32(line)),
            ("sku", line.map_or(ColumnData::String(None), |_| text("A-1"))),
            ("quantity", ColumnData::I32(line)),
            ("price", line.map_or(ColumnData::Numeric(None), |_| money(10_000))),
        ])
    }

    #[test]
    fn an_order_has_the_items_of_its_rows_and_the_next_one_its_own() {
        let sets = vec![vec![order(1, Some(1)), order(1, Some(2)), order(2, None)]];
        let rows = table_rows(Table::Orders, &sets, &PAGE_ORDERS).unwrap();
        assert_eq!(rows.iter().map(|row| row.key.as_u128()).collect::<Vec<_>>(), [1, 2]);
        let names: Vec<_> = rows[0].fields.iter().map(|(name, _)| name).collect();
        assert_eq!(names.len(), 4 + 2 * 3, "{names:?}");
        assert_eq!(rows[0].fields.get("items.2.price").as_deref(), Some("1"));
        assert_eq!(rows[0].fields.get("total_amount").as_deref(), Some("12.5"));
        assert_eq!(rows[1].fields.iter().count(), 4, "an order without an item");
    }

    #[test]
    fn stock_that_is_in_one_of_the_two_tables_alone_is_told() {
        let stock = |quantity, ledger| {
            let text = |value: Option<&'static str>| ColumnData::String(value.map(Into::into));
            let row = row(vec![("article", ColumnData::String(Some("A".into()))), ("quantity", text(quantity)), ("ledger", text(ledger))]);
            wrong_stock(Columns::of(&row, WRONG_STOCK.name))
        };
        let wrong = |quantity, ledger| Ok(WrongStock { sku: "A".to_owned(), quantity, ledger });
        assert_eq!(stock(Some("5"), None), wrong(Some(5), None));
        assert_eq!(stock(None, Some("-92233720368547758080")), wrong(None, Some(-92_233_720_368_547_758_080)));
        assert!(stock(Some("many"), None).is_err());
    }
}
