//! What the tables know of one event, wherever it has left something, and of a user, an order, a payment or an article.

use std::fmt;

use events::{Body, Timestamp};
use uuid::Uuid;

use crate::outcome::WaitsFor;
use crate::record::Position;

/// What an event is about, where its rows are registers that one event fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entity {
    /// A user.
    User(Uuid),
    /// An order.
    Order(Uuid),
    /// A payment.
    Payment(Uuid),
}

impl Entity {
    /// What an event of this body is about; `None` for stock, which no single event fills.
    pub const fn of(body: &Body<'_>) -> Option<Self> {
        match body {
            Body::UserCreated(user) => Some(Self::User(user.user_id)),
            Body::OrderPlaced(order) => Some(Self::Order(order.order_id)),
            Body::PaymentSettled(payment) => Some(Self::Payment(payment.payment_id)),
            Body::InventoryAdjusted(_) => None,
        }
    }

    /// The number by which stores tell the three tables apart.
    pub const fn type_number(self) -> u8 {
        match self {
            Self::User(_) => 1,
            Self::Order(_) => 2,
            Self::Payment(_) => 3,
        }
    }

    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Order(_) => "order",
            Self::Payment(_) => "payment",
        }
    }

    /// What events wait for that need it; `None` for a payment, which none needs.
    pub const fn as_parent(self) -> Option<WaitsFor> {
        match self {
            Self::User(id) => Some(WaitsFor::User(id)),
            Self::Order(id) => Some(WaitsFor::Order(id)),
            Self::Payment(_) => None,
        }
    }

    /// Its identity.
    pub const fn id(self) -> Uuid {
        match self {
            Self::User(id) | Self::Order(id) | Self::Payment(id) => id,
        }
    }

    /// From a store's columns; `None` for a number that no table has.
    pub const fn from_columns(type_number: u8, id: Uuid) -> Option<Self> {
        match type_number {
            1 => Some(Self::User(id)),
            2 => Some(Self::Order(id)),
            3 => Some(Self::Payment(id)),
            _ => None,
        }
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name(), self.id())
    }
}

/// What events are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A user, an order or a payment.
    Entity(Entity),
    /// An article, by its SKU.
    Article(String),
}

impl Subject {
    /// What an event of this body is about.
    pub fn of(body: &Body<'_>) -> Self {
        match body {
            Body::UserCreated(user) => Self::Entity(Entity::User(user.user_id)),
            Body::OrderPlaced(order) => Self::Entity(Entity::Order(order.order_id)),
            Body::PaymentSettled(payment) => Self::Entity(Entity::Payment(payment.payment_id)),
            Body::InventoryAdjusted(adjustment) => Self::Article(adjustment.sku.to_string()),
        }
    }

    /// Its id, or SKU.
    pub fn id(&self) -> String {
        match self {
            Self::Entity(entity) => entity.id().to_string(),
            Self::Article(sku) => sku.clone(),
        }
    }
}

/// What the text of an event says of its place among the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct About {
    /// The event's id.
    pub event_id: Uuid,
    /// Whose row it would fill.
    pub entity: Option<Entity>,
    /// Its own time.
    pub event_at: Timestamp,
}

impl About {
    /// Reads a message value; `None` where it breaks the contract.
    pub fn read(value: &[u8]) -> Option<Self> {
        let event = events::decode(value).ok()?;
        Some(Self { event_id: event.id, entity: Entity::of(&event.body), event_at: event.at })
    }
}

/// A row and the event that it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShownRow {
    /// Whose row.
    pub entity: Entity,
    /// The event that it shows.
    pub event_id: Uuid,
    /// That event's own time.
    pub event_at: Timestamp,
    /// When the row was written, by the database's clock.
    pub updated_at: Timestamp,
}

/// A line of the ledger of stock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerLine {
    /// The event that it is of.
    pub event_id: Uuid,
    /// The article.
    pub sku: String,
    /// What it added to the stock.
    pub delta: i64,
    /// The event's own time.
    pub event_at: Timestamp,
    /// When it was applied, by the database's clock.
    pub applied_at: Timestamp,
}

/// A row of the parking table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedRow {
    /// The event in it.
    pub event_id: Uuid,
    /// The record that is parked.
    pub position: Position,
    /// What it waits for.
    pub waits_for: WaitsFor,
    /// Since when, by the database's clock.
    pub parked_at: Timestamp,
    /// Whether it was expired and is on its way to the dead letters.
    pub expired: bool,
    /// What its text says.
    pub about: Option<About>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// The rows that show the event now: one at most, unless producers use an event id twice.
    pub shown_by: Vec<ShownRow>,
    /// Its line in the ledger of stock.
    pub ledger: Option<LedgerLine>,
    /// The lines of events before this time may have been folded into opening balances; `None` where the ledger was never compacted.
    pub folded_before: Option<Timestamp>,
    /// Where it is parked. More than one row when its record was produced more than once.
    pub parked: Vec<ParkedRow>,
    /// The row of the entity that was asked for, whichever event it shows.
    pub entity: Option<ShownRow>,
}

impl Trace {
    /// Sorts rows that show the event `event_id`, or are that of `asked_for`, or both.
    #[must_use]
    pub fn with_rows(mut self, rows: Vec<ShownRow>, event_id: Uuid, asked_for: Option<Entity>) -> Self {
        self.entity = rows.iter().copied().find(|row| Some(row.entity) == asked_for);
        self.shown_by = rows.into_iter().filter(|row| row.event_id == event_id).collect();
        self
    }
}

/// Rows of each kind that a [`History`] holds, at most.
pub const HISTORY_ROWS: usize = 50;
/// Parked events that are looked through for those about an order or a payment, at most: no index knows what an event that waits is about.
pub const PARKED_LOOKED_THROUGH: usize = 100_000;

/// What an article's stock is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StockRow {
    /// How many there are.
    pub quantity: i64,
    /// When it was written, by the database's clock.
    pub updated_at: Timestamp,
}

/// What the tables know of a subject: what was superseded has left nothing in them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The row of a user, an order or a payment.
    pub row: Option<ShownRow>,
    /// The stock of an article.
    pub stock: Option<StockRow>,
    /// Its lines in the ledger of stock, those that were applied last first.
    pub ledger: Vec<LedgerLine>,
    /// The lines of events before this time may have been folded into its opening balance; told of articles alone.
    pub folded_before: Option<Timestamp>,
    /// Events about it that are parked. Of an order or a payment, those among the first [`PARKED_LOOKED_THROUGH`].
    pub parked: Vec<ParkedRow>,
    /// Events that wait for it, the longest first.
    pub children: Vec<ParkedRow>,
    /// How many wait for it in all.
    pub children_total: u64,
}

#[cfg(test)]
mod tests {
    use events::{EventType, samples};

    use super::*;

    #[test]
    fn an_event_tells_its_entity_and_its_time_and_a_broken_one_nothing() {
        for event in EventType::ALL.map(samples::of) {
            let about = About::read(&event.to_json()).unwrap();
            assert_eq!((about.entity, about.event_at), (Entity::of(&event.body), event.at));
            assert_eq!(about.entity.is_none(), matches!(event.body, Body::InventoryAdjusted(_)), "stock is nobody's row");
        }
        assert_eq!(About::read(b"{}"), None);
    }

    #[test]
    fn every_event_is_about_something() {
        for event in EventType::ALL.map(samples::of) {
            let expected = match (&event.body, Entity::of(&event.body)) {
                (Body::InventoryAdjusted(adjustment), None) => Subject::Article(adjustment.sku.to_string()),
                (_, entity) => Subject::Entity(entity.unwrap()),
            };
            assert_eq!(Subject::of(&event.body), expected);
        }
    }

    #[test]
    fn an_entity_comes_back_from_its_columns() {
        let id = Uuid::from_u128(7);
        for entity in [Entity::User(id), Entity::Order(id), Entity::Payment(id)] {
            assert_eq!(Entity::from_columns(entity.type_number(), entity.id()), Some(entity));
        }
        assert_eq!(Entity::from_columns(0, id), None);
        assert_eq!(Entity::Order(id).to_string(), "order 00000000-0000-0000-0000-000000000007");
    }

    #[test]
    fn one_row_may_be_both_what_shows_the_event_and_what_was_asked_for() {
        let (at, event_id) = (Timestamp::UNIX_EPOCH, Uuid::from_u128(1));
        let row = |id, event_id| ShownRow { entity: Entity::User(Uuid::from_u128(id)), event_id, event_at: at, updated_at: at };
        let (shows, other) = (row(7, event_id), row(8, Uuid::from_u128(2)));
        let both = Trace::default().with_rows(vec![shows], event_id, Some(shows.entity));
        assert_eq!((both.shown_by, both.entity), (vec![shows], Some(shows)));
        let apart = Trace::default().with_rows(vec![shows, other], event_id, Some(other.entity));
        assert_eq!((apart.shown_by, apart.entity), (vec![shows], Some(other)));
        assert_eq!(Trace::default().with_rows(vec![shows], event_id, None).entity, None);
    }
}
