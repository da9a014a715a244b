//! The tables row by row, in a form in which those of two different stores can be compared.

use std::borrow::Cow;
use std::fmt;

use events::{AdjustmentType, Body, Event, InventoryAdjusted, Money, OrderItem, OrderPlaced, PaymentSettled, Timestamp, UserCreated};
use uuid::Uuid;

/// A table whose rows show one event each. Stock is none of them: it is the sum of its adjustments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// `users`.
    Users,
    /// `orders`, each with its `order_items`.
    Orders,
    /// `payments`.
    Payments,
    /// `inventory_adjustments`, the ledger. Its key is the id of the event.
    Adjustments,
}

impl Table {
    /// All of them, parents before children.
    pub const ALL: [Self; 4] = [Self::Users, Self::Orders, Self::Payments, Self::Adjustments];

    /// Its name in both stores.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Orders => "orders",
            Self::Payments => "payments",
            Self::Adjustments => "inventory_adjustments",
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A row: what an event has decided of it. When it was written is not part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableRow {
    /// Its primary key.
    pub key: Uuid,
    /// The event that it shows.
    pub event_id: Uuid,
    /// That event's own time.
    pub event_at: Timestamp,
    /// Its other columns, always in the same order.
    pub fields: Fields,
}

impl TableRow {
    /// The row that an event makes, and its table.
    pub fn of(event: &Event<'_>) -> (Table, Self) {
        let fields = Fields::default();
        let (table, key, fields) = match &event.body {
            Body::UserCreated(user) => {
                let names = fields.text("email", &*user.email).text("email_key", user.email_key());
                let names = names.text("first_name", &*user.first_name).text("last_name", &*user.last_name);
                (Table::Users, user.user_id, names.time("created_at", user.created_at))
            }
            Body::OrderPlaced(order) => {
                let head = fields.id("user_id", order.user_id).money("total_amount", order.total_amount);
                let head = head.text("currency", &*order.currency).time("placed_at", order.placed_at);
                let add = |fields: Fields, (line, item): (i64, &OrderItem<'_>)| {
                    fields.item(line, &*item.sku, item.quantity, item.price.to_string())
                };
                (Table::Orders, order.order_id, (1..).zip(&order.items).fold(head, add))
            }
            Body::PaymentSettled(payment) => {
                let fields = fields.id("order_id", payment.order_id).money("amount", payment.amount).text("currency", &*payment.currency);
                let fields = fields.text("payment_method", &*payment.payment_method).text("status", &*payment.status);
                (Table::Payments, payment.payment_id, fields.time("settled_at", payment.settled_at))
            }
            Body::InventoryAdjusted(adjustment) => {
                let fields = fields.text("sku", &*adjustment.sku).number("delta", adjustment.delta());
                let fields = fields.text("adjustment_type", adjustment.adjustment_type.as_str()).text("reason", &*adjustment.reason);
                (Table::Adjustments, event.id, fields.time("adjusted_at", adjustment.adjusted_at))
            }
        };
        (table, Self { key, event_id: event.id, event_at: event.at, fields })
    }

    /// The event that this row of a table shows; `None` where it holds a value that no event can have.
    pub fn to_event(&self, table: Table) -> Option<Event<'static>> {
        let text = |name: &str| self.fields.get(name).map(|value| Cow::Owned(value.into_owned()));
        let time = |name: &str| Timestamp::parse(&self.fields.get(name)?).ok();
        let id = |name: &str| Uuid::parse_str(&self.fields.get(name)?).ok();
        let money = |name: &str| self.fields.get(name)?.parse::<Money>().ok();
        let body = match table {
            Table::Users => Body::UserCreated(UserCreated {
                user_id: self.key,
                email: text("email")?,
                first_name: text("first_name")?,
                last_name: text("last_name")?,
                created_at: time("created_at")?,
            }),
            Table::Orders => Body::OrderPlaced(OrderPlaced {
                order_id: self.key,
                user_id: id("user_id")?,
                total_amount: money("total_amount")?,
                currency: text("currency")?,
                items: self.items()?,
                placed_at: time("placed_at")?,
            }),
            Table::Payments => Body::PaymentSettled(PaymentSettled {
                payment_id: self.key,
                order_id: id("order_id")?,
                amount: money("amount")?,
                currency: text("currency")?,
                payment_method: text("payment_method")?,
                status: text("status")?,
                settled_at: time("settled_at")?,
            }),
            Table::Adjustments => {
                let adjustment_type = AdjustmentType::parse(&self.fields.get("adjustment_type")?)?;
                let delta: i32 = self.fields.get("delta")?.parse().ok()?;
                let quantity = if adjustment_type == AdjustmentType::Subtract { delta.checked_neg()? } else { delta };
                Body::InventoryAdjusted(InventoryAdjusted {
                    sku: text("sku")?,
                    quantity,
                    adjustment_type,
                    reason: text("reason")?,
                    adjusted_at: time("adjusted_at")?,
                })
            }
        };
        let event = Event { id: self.event_id, at: self.event_at, body };
        // What is derived, such as the key of an e-mail address, has to be right too.
        (Self::of(&event) == (table, self.clone())).then_some(event)
    }

    fn items(&self) -> Option<Vec<OrderItem<'static>>> {
        let item = |(line, item): (i64, &ItemFields)| {
            let (quantity, price) = (item.quantity.try_into().ok()?, item.price.parse().ok()?);
            (item.line == line).then(|| OrderItem { sku: Cow::Owned(item.sku.clone()), quantity, price })
        };
        (1..).zip(&self.fields.items).map(item).collect()
    }

    /// By what the last writer is decided.
    pub const fn clock(&self) -> (Timestamp, Uuid) {
        (self.event_at, self.event_id)
    }
}

/// A column's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text; an amount, as the decimal that it is; or what no event can have, as it is stored.
    Text(String),
    /// An identity.
    Id(Uuid),
    /// An instant.
    Time(Timestamp),
    /// A number.
    Number(i64),
}

impl Value {
    fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Id(id) => Cow::Owned(id.to_string()),
            Self::Time(at) => Cow::Owned(at.to_string()),
            Self::Number(number) => Cow::Owned(number.to_string()),
        }
    }
}

/// Columns with their values, which are the same for the same value in every store. A value that no event can have, because somebody else wrote
/// it, is a text. Millions of them are compared and few are shown: they are made into texts only then.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    columns: Vec<(&'static str, Value)>,
    items: Vec<ItemFields>,
}

/// An order's item.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ItemFields {
    line: i64,
    sku: String,
    quantity: i64,
    price: String,
}

impl Fields {
    fn with(mut self, name: &'static str, value: Value) -> Self {
        self.columns.push((name, value));
        self
    }

    /// Adds a text.
    #[must_use]
    pub fn text(self, name: &'static str, value: impl Into<String>) -> Self {
        self.with(name, Value::Text(value.into()))
    }

    /// Adds an identity.
    #[must_use]
    pub fn id(self, name: &'static str, value: Uuid) -> Self {
        self.with(name, Value::Id(value))
    }

    /// Adds an instant.
    #[must_use]
    pub fn time(self, name: &'static str, value: Timestamp) -> Self {
        self.with(name, Value::Time(value))
    }

    /// Adds an amount.
    #[must_use]
    pub fn money(self, name: &'static str, value: Money) -> Self {
        self.text(name, value.to_string())
    }

    /// Adds a number.
    #[must_use]
    pub fn number(self, name: &'static str, value: impl Into<i64>) -> Self {
        self.with(name, Value::Number(value.into()))
    }

    /// Adds an order's item, `items.LINE.COLUMN`.
    #[must_use]
    pub fn item(mut self, line: i64, sku: impl Into<String>, quantity: impl Into<i64>, price: impl Into<String>) -> Self {
        self.items.push(ItemFields { line, sku: sku.into(), quantity: quantity.into(), price: price.into() });
        self
    }

    /// Each column with its value as text.
    pub fn iter(&self) -> impl Iterator<Item = (Cow<'static, str>, Cow<'_, str>)> {
        let columns = self.columns.iter().map(|(name, value)| (Cow::Borrowed(*name), value.text()));
        let items = self.items.iter().flat_map(|ItemFields { line, sku, quantity, price }| {
            let name = |column: &str| Cow::Owned(format!("items.{line}.{column}"));
            let (sku, price) = (Cow::Borrowed(sku.as_str()), Cow::Borrowed(price.as_str()));
            [(name("sku"), sku), (name("quantity"), Cow::Owned(quantity.to_string())), (name("price"), price)]
        });
        columns.chain(items)
    }

    /// A column's value as text; `None` where there is no such column.
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        match self.columns.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => Some(value.text()),
            None => self.iter().find(|(known, _)| known == name).map(|(_, value)| value),
        }
    }

    /// The columns in which two rows differ, those of this one first. An item that only one of them has differs in all its columns.
    pub fn differing(&self, other: &Self) -> Vec<Cow<'static, str>> {
        let own = self.iter().filter(|(name, value)| other.get(name).as_ref() != Some(value)).map(|(name, _)| name);
        let others = other.iter().filter(|(name, _)| self.get(name).is_none()).map(|(name, _)| name);
        own.chain(others).collect()
    }
}

/// An article whose quantity is not the sum of its ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongStock {
    /// The article.
    pub sku: String,
    /// What `inventory` says; `None` where it has no such article.
    pub quantity: Option<i128>,
    /// What its adjustments add up to; `None` where it has none.
    pub ledger: Option<i128>,
}

#[cfg(test)]
mod tests {
    use events::{EventType, samples};

    use super::*;

    #[test]
    fn a_row_tells_its_event_unless_a_value_is_none_of_an_event() {
        for event_type in EventType::ALL {
            let event = samples::of(event_type);
            let (table, row) = TableRow::of(&event);
            assert_eq!(row.to_event(table), Some(event), "{event_type:?}");
        }
        let (table, row) = TableRow::of(&samples::of(EventType::UserCreated));
        let columns = row.fields.columns.iter().map(|(name, value)| match *name {
            "email_key" => ("email_key", Value::Text("somebody".to_owned())),
            name => (name, value.clone()),
        });
        let fields = Fields { columns: columns.collect(), items: Vec::new() };
        assert_eq!(TableRow { fields, ..row }.to_event(table), None, "the key is not that of the address");
    }

    #[test]
    fn rows_that_differ_say_in_which_columns() {
        let fields = |currency: &str| Fields::default().text("currency", currency).item(1, "A", 2, "1.0000");
        assert_eq!(fields("EUR"), fields("EUR"));
        assert!(fields("EUR").differing(&fields("EUR")).is_empty());
        assert_eq!(fields("EUR").differing(&fields("USD")), ["currency"]);
        let (one, two) = (fields("EUR"), fields("EUR").item(2, "B", 1, "2.0000"));
        let second = ["items.2.sku", "items.2.quantity", "items.2.price"];
        assert_eq!((one.differing(&two), two.differing(&one)), (second.map(Cow::from).to_vec(), second.map(Cow::from).to_vec()));
    }
}
