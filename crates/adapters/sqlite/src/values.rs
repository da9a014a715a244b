//! Our types in SQLite's columns.

use events::{Money, Timestamp};
use rusqlite::Row;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use rusqlite::{Result, ToSql};
use uuid::Uuid;

/// An identity, as its 16 bytes.
#[derive(Clone, Copy)]
pub(crate) struct Id<'a>(pub(crate) &'a Uuid);

impl ToSql for Id<'_> {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.0.as_bytes())))
    }
}

/// An instant, as microseconds since 1970.
#[derive(Clone, Copy)]
pub(crate) struct Micros(pub(crate) Timestamp);

impl ToSql for Micros {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(self.0.unix_micros().into())
    }
}

impl FromSql for Micros {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let micros = value.as_i64()?;
        Timestamp::from_unix_micros(micros).map(Self).ok_or(FromSqlError::OutOfRange(micros))
    }
}

/// An amount, as its decimal text.
struct Amount(Money);

impl FromSql for Amount {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        value.as_str()?.parse().map(Self).map_err(|_| FromSqlError::InvalidType)
    }
}

/// The identity in this column.
pub(crate) fn id(row: &Row<'_>, column: usize) -> Result<Uuid> {
    row.get(column).map(Uuid::from_bytes)
}

/// The instant in this column.
pub(crate) fn time(row: &Row<'_>, column: usize) -> Result<Timestamp> {
    row.get(column).map(|Micros(at)| at)
}

/// The amount in this column.
pub(crate) fn money(row: &Row<'_>, column: usize) -> Result<Money> {
    row.get(column).map(|Amount(money)| money)
}

/// A count as SQLite's number; more than it can hold is as good as all.
pub(crate) fn limit(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}
