//! The reads of the API.

use events::Timestamp;
use pipeline::Fault;
use readmodel::views::ORDERS_SHOWN;
use readmodel::{AsOf, InventoryView, OrderItemView, OrderSummary, OrderView, PaymentView, ReadFault, ReadStore, RecentUser, UserView};
use tiberius::{Row, ToSql};
use uuid::Uuid;

use crate::faults;
use crate::row::Columns;
use crate::statement::{AS_OF, INVENTORY, ORDER, RECENT_USERS, Statement, USER};
use crate::store::SqlServer;

impl ReadStore for SqlServer {
    async fn user(&self, user_id: Uuid) -> Result<Option<UserView>, ReadFault> {
        let rows = self.rows(&USER, &[&user_id, &i64::from(ORDERS_SHOWN)]).await?;
        user_view(&rows).map_err(|fault| faults::for_reader(&fault))
    }

    async fn recent_users(&self, limit: u16) -> Result<Vec<RecentUser>, ReadFault> {
        let rows = self.rows(&RECENT_USERS, &[&i64::from(limit)]).await?;
        let users = rows.iter().map(|row| user(Columns::of(row, RECENT_USERS.name)));
        users.collect::<Result<_, _>>().map_err(|fault| faults::for_reader(&fault))
    }

    async fn order(&self, order_id: Uuid) -> Result<Option<OrderView>, ReadFault> {
        let rows = self.rows(&ORDER, &[&order_id]).await?;
        order_view(&rows).map_err(|fault| faults::for_reader(&fault))
    }

    async fn inventory(&self, sku: &str) -> Result<Option<InventoryView>, ReadFault> {
        let rows = self.rows(&INVENTORY, &[&sku]).await?;
        let stock = rows.first().map(|row| inventory(Columns::of(row, INVENTORY.name)));
        stock.transpose().map_err(|fault| faults::for_reader(&fault))
    }

    async fn ping(&self) -> Result<(), ReadFault> {
        self.check().await.map_err(|fault| faults::for_reader(&fault))
    }

    async fn as_of(&self) -> Result<Option<AsOf>, ReadFault> {
        let rows = self.rows(&AS_OF, &[]).await?;
        as_of(&rows).map_err(|fault| faults::for_reader(&fault))
    }
}

impl SqlServer {
    /// The rows of a statement with one result set.
    async fn rows(&self, statement: &Statement, parameters: &[&dyn ToSql]) -> Result<Vec<Row>, ReadFault> {
        let answer = self.pool.ask(statement, parameters).await.map_err(|fault| faults::for_reader(&fault))?;
        let [rows] = <[_; 1]>::try_from(answer.accept()).map_err(|_| faults::for_reader(&faults::bug(statement.name)))?;
        Ok(rows)
    }
}

fn as_of(rows: &[Row]) -> Result<Option<AsOf>, Fault> {
    let columns = Columns::of(rows.first().ok_or(faults::bug(AS_OF.name))?, AS_OF.name);
    let now = columns.time("now_at")?;
    Ok(columns.optional_time("as_of")?.map(|written_at| AsOf { written_at, now }))
}

/// A row per order; without orders one row, whose order columns are NULL.
fn user_view(rows: &[Row]) -> Result<Option<UserView>, Fault> {
    let Some(first) = rows.first() else { return Ok(None) };
    let user = user(Columns::of(first, USER.name))?;
    let orders = rows.iter().map(|row| Columns::of(row, USER.name)).filter_map(|columns| user_order(columns, user.user_id).transpose());
    let orders = orders.collect::<Result<_, _>>()?;
    Ok(Some(UserView { user, orders }))
}

fn user(columns: Columns<'_>) -> Result<RecentUser, Fault> {
    Ok(RecentUser {
        user_id: columns.get("user_id")?,
        email: columns.text("email")?,
        first_name: columns.text("first_name")?,
        last_name: columns.text("last_name")?,
        created_at: columns.time("created_at")?,
        updated_at: columns.time("updated_at")?,
    })
}

fn user_order(columns: Columns<'_>, user_id: Uuid) -> Result<Option<OrderSummary>, Fault> {
    let Some(order_id) = columns.optional("order_id")? else { return Ok(None) };
    summary(columns, order_id, user_id, columns.time("order_updated_at")?).map(Some)
}

fn summary(columns: Columns<'_>, order_id: Uuid, user_id: Uuid, updated_at: Timestamp) -> Result<OrderSummary, Fault> {
    Ok(OrderSummary {
        order_id,
        user_id,
        total_amount: columns.money("total_amount")?,
        currency: columns.text("currency")?,
        placed_at: columns.time("placed_at")?,
        updated_at,
    })
}

/// A row per item; without items one row, whose item columns are NULL. Order and payment are the same in each.
fn order_view(rows: &[Row]) -> Result<Option<OrderView>, Fault> {
    let Some(first) = rows.first() else { return Ok(None) };
    let columns = Columns::of(first, ORDER.name);
    let order = summary(columns, columns.get("order_id")?, columns.get("user_id")?, columns.time("updated_at")?)?;
    let items = rows.iter().filter_map(|row| item(Columns::of(row, ORDER.name)).transpose());
    let items = items.collect::<Result<_, _>>()?;
    Ok(Some(OrderView { order, items, payment: payment(columns)? }))
}

fn item(columns: Columns<'_>) -> Result<Option<OrderItemView>, Fault> {
    let Some(sku) = columns.optional::<&str>("sku")? else { return Ok(None) };
    Ok(Some(OrderItemView { sku: sku.to_owned(), quantity: columns.get("quantity")?, price: columns.money("price")? }))
}

fn payment(columns: Columns<'_>) -> Result<Option<PaymentView>, Fault> {
    let Some(payment_id) = columns.optional("payment_id")? else { return Ok(None) };
    Ok(Some(PaymentView {
        payment_id,
        amount: columns.money("amount")?,
        currency: columns.text("payment_currency")?,
        payment_method: columns.text("payment_method")?,
        status: columns.text("status")?,
        settled_at: columns.time("settled_at")?,
    }))
}

fn inventory(columns: Columns<'_>) -> Result<InventoryView, Fault> {
    Ok(InventoryView { sku: columns.text("sku")?, quantity: columns.get("quantity")?, updated_at: columns.time("updated_at")? })
}

#[cfg(test)]
mod tests {
    use tiberius::numeric::Numeric;
    use tiberius::time::{Date, DateTime2, Time};
    use tiberius::{ColumnData, ColumnType};

    use super::*;

    type Values = Vec<(&'static str, ColumnData<'static>)>;

    fn row(values: Values) -> Row {
        let row = values.into_iter().fold(Row::builder(), |row, (name, value)| row.column(name, ColumnType::Null, value));
        row.build()
    }

    fn text(text: &'static str) -> ColumnData<'static> {
        ColumnData::String(Some(text.into()))
    }

    fn id(id: u128) -> ColumnData<'static> {
        ColumnData::Guid(Some(Uuid::from_u128(id)))
    }

    fn amount(units: i128) -> ColumnData<'static> {
        ColumnData::Numeric(Some(Numeric::new_with_scale(units, 4)))
    }

    fn second(second: u64) -> ColumnData<'static> {
        ColumnData::DateTime2(Some(DateTime2::new(Date::new(719_162), Time::new(second * 1_000_000, 6))))
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH.plus_micros(second * 1_000_000)
    }

    fn user_row(order: Option<u128>) -> Row {
        let mut values: Values = vec![
            ("user_id", id(1)),
            ("email", text("ada@example.com")),
            ("first_name", text("Ada")),
            ("last_name", text("Lovelace")),
            ("created_at", second(1)),
            ("updated_at", second(2)),
        ];
        values.extend(match order {
            Some(order) => [
                ("order_id", id(order)),
                ("total_amount", amount(2_999_900)),
                ("currency", text("EUR")),
                ("placed_at", second(3)),
                ("order_updated_at", second(4)),
            ],
            None => [
                ("order_id", ColumnData::Guid(None)),
                ("total_amount", ColumnData::Numeric(None)),
                ("currency", ColumnData::String(None)),
                ("placed_at", ColumnData::DateTime2(None)),
                ("order_updated_at", ColumnData::DateTime2(None)),
            ],
        });
        row(values)
    }

    #[test]
    fn a_user_has_the_orders_of_its_rows() {
        let view = user_view(&[user_row(Some(7)), user_row(Some(8))]).unwrap().unwrap();
        assert_eq!((view.user.email.as_str(), view.user.created_at, view.user.updated_at), ("ada@example.com", at(1), at(2)));
        let expected = |order| OrderSummary {
            order_id: Uuid::from_u128(order),
            user_id: Uuid::from_u128(1),
            total_amount: "299.99".parse().unwrap(),
            currency: "EUR".to_owned(),
            placed_at: at(3),
            updated_at: at(4),
        };
        assert_eq!(view.orders, [expected(7), expected(8)]);
    }

    #[test]
    fn a_user_without_orders_is_one_row_and_no_row_is_nobody() {
        assert_eq!(user_view(&[user_row(None)]).unwrap().unwrap().orders, []);
        assert_eq!(user_view(&[]), Ok(None));
    }

    fn order_row(item: Option<&'static str>, paid: bool) -> Row {
        let mut values: Values = vec![
            ("order_id", id(7)),
            ("user_id", id(1)),
            ("total_amount", amount(2_999_900)),
            ("currency", text("EUR")),
            ("placed_at", second(3)),
            ("updated_at", second(4)),
            ("payment_id", ColumnData::Guid(paid.then_some(Uuid::from_u128(9)))),
            ("amount", amount(1)),
            ("payment_currency", text("USD")),
            ("payment_method", text("card")),
            ("status", text("settled")),
            ("settled_at", second(5)),
        ];
        values.extend([
            ("sku", ColumnData::String(item.map(Into::into))),
            ("quantity", ColumnData::I32(Some(-2))),
            ("price", amount(500_000)),
        ]);
        row(values)
    }

    #[test]
    fn an_order_has_the_items_of_its_rows_and_its_payment_once() {
        let view = order_view(&[order_row(Some("A"), true), order_row(Some("B"), true)]).unwrap().unwrap();
        let item = |sku: &str| OrderItemView { sku: sku.to_owned(), quantity: -2, price: "50".parse().unwrap() };
        assert_eq!(view.items, [item("A"), item("B")]);
        let payment = view.payment.unwrap();
        assert_eq!((payment.amount.to_string().as_str(), payment.currency.as_str(), payment.settled_at), ("0.0001", "USD", at(5)));
        assert_eq!((view.order.currency.as_str(), view.order.user_id), ("EUR", Uuid::from_u128(1)));
    }

    #[test]
    fn an_order_may_have_neither_items_nor_payment() {
        let view = order_view(&[order_row(None, false)]).unwrap().unwrap();
        assert_eq!((view.items, view.payment), (vec![], None));
        assert_eq!(order_view(&[]), Ok(None));
    }

    #[test]
    fn the_age_is_what_lies_between_the_last_write_and_now() {
        let told = |written: ColumnData<'static>| as_of(&[row(vec![("as_of", written), ("now_at", second(9))])]).unwrap();
        assert_eq!(told(second(4)).map(|as_of| (as_of.written_at, as_of.age().as_secs())), Some((at(4), 5)));
        assert_eq!(told(second(11)).map(|as_of| as_of.age().as_secs()), Some(0), "the primary's clock is ahead");
        assert_eq!(told(ColumnData::DateTime2(None)), None, "nobody ever wrote");
    }

    #[test]
    fn an_answer_of_another_shape_is_a_bug() {
        let fault = user_view(&[row(vec![("user_id", id(1))])]).unwrap_err();
        assert_eq!(faults::for_reader(&fault), ReadFault { class: "bug", code: None, told: fault.to_string() });
    }
}
