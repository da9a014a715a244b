//! Which field broke which rule. Never the value: a violation goes into logs, labels and dead letters.

use std::fmt;

use uuid::Uuid;

use crate::{Ahead, EventType};

/// Why a message is none of the four events: what could be read of its envelope, the field, and the rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// `eventId`, where it could be read.
    pub event_id: Option<Uuid>,
    /// `eventType`, where it is one of the four.
    pub event_type: Option<EventType>,
    /// The field, or `None` where the message as a whole is at fault.
    pub field: Option<FieldPath>,
    /// What it broke.
    pub rule: Rule,
}

impl Violation {
    /// A violation by the message as a whole.
    pub const fn of_message(rule: Rule) -> Self {
        Self { event_id: None, event_type: None, field: None, rule }
    }
}

impl fmt::Display for Violation {
    /// `UserCreated.email is longer than 255 UTF-16 code units`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.event_type, self.field) {
            (Some(event_type), Some(field)) => write!(f, "{event_type}.{field} {}", self.rule),
            (None, Some(field)) => write!(f, "{field} {}", self.rule),
            (_, None) => write!(f, "the message {}", self.rule),
        }
    }
}

impl std::error::Error for Violation {}

macro_rules! fields {
    ($($variant:ident = $name:literal),+ $(,)?) => {
        /// A field of the contract.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Field {
            $(#[doc = concat!("`", $name, "`")] $variant,)+
        }

        impl Field {
            /// How many there are.
            pub const COUNT: usize = [$(Self::$variant),+].len();

            /// All of them.
            pub const ALL: [Self; Self::COUNT] = [$(Self::$variant),+];

            /// The name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The field with this name on the wire; any other name is not ours, and ignored.
            pub fn parse(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

fields! {
    EventId = "eventId",
    EventType = "eventType",
    Timestamp = "timestamp",
    UserId = "userId",
    Email = "email",
    FirstName = "firstName",
    LastName = "lastName",
    CreatedAt = "createdAt",
    OrderId = "orderId",
    TotalAmount = "totalAmount",
    Currency = "currency",
    Items = "items",
    PlacedAt = "placedAt",
    PaymentId = "paymentId",
    Amount = "amount",
    PaymentMethod = "paymentMethod",
    Status = "status",
    SettledAt = "settledAt",
    Sku = "sku",
    Quantity = "quantity",
    Price = "price",
    AdjustmentType = "adjustmentType",
    Reason = "reason",
    AdjustedAt = "adjustedAt",
}

/// Where a field stands: at the top, or in the n-th order item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldPath {
    /// The item's index, from 0.
    pub item: Option<usize>,
    /// The field; `None` is the item as a whole.
    pub field: Option<Field>,
}

impl FieldPath {
    /// The path without the index: a bounded set of labels to group by.
    pub fn group(self) -> String {
        match (self.item, self.field) {
            (None, field) => field.map_or("", Field::as_str).to_owned(),
            (Some(_), None) => "items[]".to_owned(),
            (Some(_), Some(field)) => format!("items[].{}", field.as_str()),
        }
    }
}

impl From<Field> for FieldPath {
    fn from(field: Field) -> Self {
        Self { item: None, field: Some(field) }
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(item) = self.item {
            write!(f, "items[{item}]")?;
        }
        match (self.item, self.field) {
            (Some(_), Some(field)) => write!(f, ".{}", field.as_str()),
            (None, Some(field)) => f.write_str(field.as_str()),
            (_, None) => Ok(()),
        }
    }
}

/// A rule of the contract. Its text completes the sentence "`field` …" and quotes no value of the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The bytes are not UTF-8.
    NotUtf8,
    /// The bytes begin with a schema registry's frame, and no JSON is in it.
    RegistryFramed,
    /// A CloudEvent in the structured mode in which no event is.
    CloudEventData(CloudEventData),
    /// The bytes are not one JSON text; where the reader stopped.
    NotJson {
        /// From 1.
        line: usize,
        /// From 1, in bytes.
        column: usize,
    },
    /// The field is not there.
    Missing,
    /// The field is there more than once: readers would disagree on which counts.
    Duplicate,
    /// The value has another JSON type.
    WrongType {
        /// What it should be, with its article.
        expected: &'static str,
    },
    /// Text that no UTF-16 string can hold (a lone surrogate).
    InvalidText,
    /// Not a UUID in the hyphenated form.
    InvalidUuid,
    /// Not RFC 3339 with a zone.
    InvalidTimestamp,
    /// A time that `datetime2` cannot hold.
    TimestampOutOfRange,
    /// `timestamp` lies further in the future than clocks may differ.
    TimestampInFuture(Ahead),
    /// Not a number, and not a string that holds one.
    InvalidMoney,
    /// More than four decimals.
    MoneyTooPrecise,
    /// More digits than `decimal(19,4)` holds.
    MoneyOutOfRange,
    /// A whole number beyond 32 bits.
    QuantityOutOfRange,
    /// No text at all.
    Empty,
    /// Longer than its column.
    TooLong {
        /// The limit in UTF-16 code units.
        max: usize,
    },
    /// White space at an end, which SQL Server would not tell apart.
    SurroundingWhiteSpace,
    /// U+0000 in text that is compared.
    NulCharacter,
    /// Not three upper-case letters.
    InvalidCurrency,
    /// `eventType` is none of the four.
    UnknownEventType,
    /// `adjustmentType` is none of the four.
    UnknownAdjustmentType,
}

/// What is in a CloudEvent in the place of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloudEventData {
    /// Nothing: there is no `data`.
    Absent,
    /// Nothing but `data_base64`.
    Base64,
    /// Something else than an object, such as a string that holds JSON.
    NoObject,
}

impl CloudEventData {
    const fn words(self) -> &'static str {
        match self {
            Self::Absent => "without `data`",
            Self::Base64 => "with `data_base64` alone",
            Self::NoObject => "whose `data` is no object",
        }
    }
}

impl Rule {
    /// A stable label of few values, for metrics and dead letters.
    pub const fn label(self) -> &'static str {
        match self {
            Self::NotUtf8 => "not_utf8",
            Self::RegistryFramed => "registry_framed",
            Self::CloudEventData(_) => "cloud_event_data",
            Self::NotJson { .. } => "not_json",
            Self::Missing => "missing_field",
            Self::Duplicate => "duplicate_field",
            Self::WrongType { .. } => "wrong_type",
            Self::InvalidMoney | Self::MoneyTooPrecise | Self::MoneyOutOfRange => "invalid_money",
            Self::TimestampInFuture(_) => "timestamp_in_future",
            Self::TooLong { .. } => "too_long",
            Self::UnknownEventType => "unknown_event_type",
            Self::UnknownAdjustmentType => "unknown_adjustment_type",
            Self::InvalidText
            | Self::InvalidUuid
            | Self::InvalidTimestamp
            | Self::TimestampOutOfRange
            | Self::QuantityOutOfRange
            | Self::Empty
            | Self::SurroundingWhiteSpace
            | Self::NulCharacter
            | Self::InvalidCurrency => "invalid_value",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 => f.write_str("is not UTF-8"),
            Self::RegistryFramed => f.write_str(
                "begins with a schema registry's frame and holds no JSON: Avro and Protobuf are not read here, so let the producer write JSON",
            ),
            Self::CloudEventData(data) => write!(f, "is a CloudEvent {}: the event must be a JSON object in its `data`", data.words()),
            Self::NotJson { line, column } => write!(f, "is not one JSON text: it breaks off at line {line}, column {column}"),
            Self::Missing => f.write_str("is missing"),
            Self::Duplicate => f.write_str("is there more than once"),
            Self::WrongType { expected } => write!(f, "must be {expected}"),
            Self::InvalidText => f.write_str("holds a lone surrogate"),
            Self::InvalidUuid => f.write_str("must be a UUID with hyphens"),
            Self::InvalidTimestamp => f.write_str("must be a time as RFC 3339 writes it, with a zone"),
            Self::TimestampOutOfRange => f.write_str("must lie in the years 1 to 9999 in UTC"),
            Self::TimestampInFuture(ahead) => write!(f, "is further in the future than clocks may differ: {ahead}"),
            Self::InvalidMoney => f.write_str("must be a decimal number, or a string that holds one"),
            Self::MoneyTooPrecise => f.write_str("has more than 4 decimals"),
            Self::MoneyOutOfRange => f.write_str("has more than 15 digits before the point"),
            Self::QuantityOutOfRange => f.write_str("must fit in 32 bits"),
            Self::Empty => f.write_str("must not be empty"),
            Self::TooLong { max } => write!(f, "is longer than {max} UTF-16 code units"),
            Self::SurroundingWhiteSpace => f.write_str("must not begin or end with white space"),
            Self::NulCharacter => f.write_str("must not hold U+0000"),
            Self::InvalidCurrency => f.write_str("must be three upper-case letters"),
            Self::UnknownEventType => f.write_str("must be UserCreated, OrderPlaced, PaymentSettled or InventoryAdjusted"),
            Self::UnknownAdjustmentType => f.write_str("must be add, subtract, order_fulfilled or returned"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_its_index_and_a_group_has_none() {
        for (item, field, path, group) in [
            (None, Some(Field::Email), "email", "email"),
            (Some(12), None, "items[12]", "items[]"),
            (Some(0), Some(Field::Sku), "items[0].sku", "items[].sku"),
        ] {
            let place = FieldPath { item, field };
            assert_eq!((place.to_string().as_str(), place.group().as_str()), (path, group));
        }
    }
}
