//! What can be wrong.

use std::borrow::Cow;
use std::collections::BTreeMap;

use pipeline::rows::{Table, TableRow};
use serde::Serialize;
use uuid::Uuid;

/// How the tables differ from the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(into = "&'static str")]
pub enum Kind {
    /// The log makes a row, and there is none.
    Missing,
    /// The row shows an event that the log has a newer one for.
    Older,
    /// The row shows the right event with other values.
    Changed,
    /// The row shows an event that the log does not hold, and the log has another one for it.
    Newer,
    /// There is a row, and the log makes none.
    Extra,
    /// An article's quantity is not the sum of its ledger.
    Stock,
    /// An article's opening balance is not what its folded lines add up to.
    Opening,
    /// An event waits, although what it waits for is there.
    Waiting,
    /// An event that has to wait is neither waiting, nor applied, nor a dead letter.
    Lost,
    /// The records that were read of a partition did not come to one thing each.
    Unbalanced,
    /// The log makes a dead letter, and the queue does not hold it.
    NoDeadLetter,
    /// There is a dead letter, and the log makes none.
    ExtraDeadLetter,
    /// The queue holds a record's dead letter more than once.
    DoubleDeadLetter,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Missing,
        Self::Older,
        Self::Changed,
        Self::Newer,
        Self::Extra,
        Self::Stock,
        Self::Opening,
        Self::Waiting,
        Self::Lost,
        Self::Unbalanced,
        Self::NoDeadLetter,
        Self::ExtraDeadLetter,
        Self::DoubleDeadLetter,
    ];

    /// Its name in JSON and in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Older => "older",
            Self::Changed => "changed",
            Self::Newer => "newer",
            Self::Extra => "extra",
            Self::Stock => "stock",
            Self::Opening => "opening",
            Self::Waiting => "waiting",
            Self::Lost => "lost",
            Self::Unbalanced => "unbalanced",
            Self::NoDeadLetter => "no_dead_letter",
            Self::ExtraDeadLetter => "extra_dead_letter",
            Self::DoubleDeadLetter => "double_dead_letter",
        }
    }

    /// What it means, for people.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Missing => "the log makes this row, and it is not there",
            Self::Older => "the row shows an older event than the log's newest",
            Self::Changed => "the row shows the right event with other values",
            Self::Newer => "the row shows an event that is not in the log",
            Self::Extra => "no record of the log makes this row",
            Self::Stock => "the quantity is not the sum of its ledger",
            Self::Opening => "the opening balance is not what its folded lines add up to, by the log",
            Self::Waiting => "the event waits, although what it waits for is there",
            Self::Lost => "the event neither waits, nor is applied, nor a dead letter",
            Self::Unbalanced => "the records of this partition did not come to one thing each, which is a defect of this program",
            Self::NoDeadLetter => "the record can never be written, and the queue does not hold it: redriven, purged or lost",
            Self::ExtraDeadLetter => "the queue holds this record, although it can be written",
            Self::DoubleDeadLetter => "the queue holds this record more than once",
        }
    }

    /// Whether the log says what should be there: then a dead letter of that event explains it.
    pub const fn is_explained_by_dead_letter(self) -> bool {
        matches!(self, Self::Missing | Self::Older | Self::Lost)
    }

    /// Whether a log that does not reach back to its beginning may be the reason.
    pub const fn is_explained_by_horizon(self) -> bool {
        matches!(self, Self::Newer | Self::Extra)
    }
}

impl From<Kind> for &'static str {
    fn from(kind: Kind) -> Self {
        kind.name()
    }
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What is wrong.
    pub kind: Kind,
    /// The table; `inventory` for stock, `opening_balances`, `parked_events` for what waits or is lost, `dead_letters`, or `log`.
    pub table: &'static str,
    /// The row's key, an article's name, the id of an event that waits or is lost, a partition, or a record's `partition/offset`.
    pub key: String,
    /// The event that should show, by the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<Uuid>,
    /// The event that shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shown: Option<Uuid>,
    /// The row, where it is one of a table whose rows show one event each.
    #[serde(skip)]
    pub row: Option<(Table, Uuid)>,
    /// The columns that differ, where the row shows the right event.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// The columns' values, the table's first and then the log's, where they were asked for.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, (Option<String>, Option<String>)>,
}

impl Difference {
    /// Of a row: how it stands against the log's, when the shadow has the very offsets that the tables had before the row was read. `None`
    /// where they are equal.
    pub fn of_row(table: Table, row: Option<&TableRow>, expected: Option<&TableRow>, values: bool) -> Option<Self> {
        let kind = match (row, expected) {
            (None, None) => return None,
            (None, Some(_)) => Kind::Missing,
            (Some(_), None) => Kind::Extra,
            (Some(row), Some(expected)) if row == expected => return None,
            (Some(row), Some(expected)) if row.event_id == expected.event_id => Kind::Changed,
            (Some(row), Some(expected)) if row.clock() < expected.clock() => Kind::Older,
            (Some(_), Some(_)) => Kind::Newer,
        };
        let columns = match (row, expected) {
            (Some(row), Some(expected)) if kind == Kind::Changed => {
                let event_at = (row.event_at != expected.event_at).then_some("event_at");
                event_at.map(Cow::from).into_iter().chain(row.fields.differing(&expected.fields)).map(Cow::into_owned).collect()
            }
            _ => Vec::new(),
        };
        let value = |row: Option<&TableRow>, column: &str| match column {
            "event_at" => row.map(|row| row.event_at.to_string()),
            _ => row.and_then(|row| row.fields.get(column)).map(Cow::into_owned),
        };
        let told = |column: &String| (column.clone(), (value(row, column), value(expected, column)));
        let values = if values { columns.iter().map(told).collect() } else { BTreeMap::new() };
        let key = row.or(expected)?.key;
        let (shown, expected) = (row.map(|row| row.event_id), expected.map(|row| row.event_id));
        Some(Self { kind, table: table.name(), key: key.to_string(), expected, shown, row: Some((table, key)), columns, values })
    }

    /// Of something else than a row's values: nothing shows, and no column differs.
    pub(super) fn of(kind: Kind, table: &'static str, key: String, expected: Option<Uuid>) -> Self {
        Self { kind, table, key, expected, shown: None, row: None, columns: Vec::new(), values: BTreeMap::new() }
    }
}

#[cfg(test)]
mod tests {
    use events::Timestamp;
    use pipeline::rows::Fields;

    use super::*;

    fn row(second: i64, event: u128, name: &str) -> TableRow {
        TableRow {
            key: Uuid::from_u128(7),
            event_id: Uuid::from_u128(event),
            event_at: Timestamp::UNIX_EPOCH.plus_micros(second * 1_000_000),
            fields: Fields::default().text("first_name", name),
        }
    }

    fn kind(row: Option<&TableRow>, expected: Option<&TableRow>) -> Option<Kind> {
        Difference::of_row(Table::Users, row, expected, false).map(|difference| difference.kind)
    }

    #[test]
    fn a_row_is_equal_or_wrong_in_one_of_five_ways() {
        let (old, new) = (row(1, 1, "a"), row(2, 2, "b"));
        assert_eq!(kind(None, None), None);
        assert_eq!(kind(Some(&new), Some(&new)), None);
        assert_eq!(kind(None, Some(&new)), Some(Kind::Missing));
        assert_eq!(kind(Some(&new), None), Some(Kind::Extra));
        assert_eq!(kind(Some(&old), Some(&new)), Some(Kind::Older));
        assert_eq!(kind(Some(&new), Some(&old)), Some(Kind::Newer));
        assert_eq!(kind(Some(&row(2, 2, "x")), Some(&new)), Some(Kind::Changed));
        assert_eq!(kind(Some(&row(1, 2, "b")), Some(&new)), Some(Kind::Changed), "its time was changed");
    }

    #[test]
    fn values_are_told_only_where_they_were_asked_for() {
        let (shown, expected) = (row(1, 1, "Eve"), row(1, 1, "Ada"));
        let quiet = Difference::of_row(Table::Users, Some(&shown), Some(&expected), false).unwrap();
        assert_eq!(quiet.columns, ["first_name"]);
        assert!(!serde_json::to_string(&quiet).unwrap().contains("Eve"));
        let open = Difference::of_row(Table::Users, Some(&shown), Some(&expected), true).unwrap();
        assert_eq!(open.values["first_name"], (Some("Eve".to_owned()), Some("Ada".to_owned())));
    }
}
