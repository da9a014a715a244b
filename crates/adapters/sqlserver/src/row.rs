//! Values out of a row.

use events::{Money, Timestamp};
use pipeline::{Fault, Position};
use tiberius::numeric::Numeric;
use tiberius::time::DateTime2;
use tiberius::{ColumnData, FromSql, Row};

use crate::connection::ResultSets;
use crate::faults;
use crate::statement::Statement;

/// The rows of an answer that is one result set. An answer without any is not the same as one without rows: nothing may be concluded from it.
pub(crate) fn rows<'s>(sets: &'s ResultSets, statement: &Statement) -> Result<&'s [Row], Fault> {
    match sets.as_slice() {
        [rows] => Ok(rows),
        _ => Err(faults::bug(statement.name)),
    }
}

/// The columns of each row of such an answer.
pub(crate) fn columns_of<'s>(sets: &'s ResultSets, statement: &Statement) -> Result<impl Iterator<Item = Columns<'s>> + use<'s>, Fault> {
    let operation = statement.name;
    Ok(rows(sets, statement)?.iter().map(move |row| Columns::of(row, operation)))
}

/// The columns of an answer that is one row, always.
pub(crate) fn only_row<'s>(sets: &'s ResultSets, statement: &Statement) -> Result<Columns<'s>, Fault> {
    match rows(sets, statement)? {
        [row] => Ok(Columns::of(row, statement.name)),
        _ => Err(faults::bug(statement.name)),
    }
}

/// The columns of a row, by name. What is missing or of another type than our statement says is a [`pipeline::FaultClass::Bug`].
#[derive(Clone, Copy)]
pub(crate) struct Columns<'r> {
    row: &'r Row,
    operation: &'static str,
}

impl<'r> Columns<'r> {
    /// The columns of a row of this operation's answer.
    pub(crate) const fn of(row: &'r Row, operation: &'static str) -> Self {
        Self { row, operation }
    }

    /// A value.
    pub(crate) fn get<T: FromSql<'r>>(self, name: &str) -> Result<T, Fault> {
        self.optional(name)?.ok_or_else(|| self.bug())
    }

    /// A value, or `None` where it is NULL.
    pub(crate) fn optional<T: FromSql<'r>>(self, name: &str) -> Result<Option<T>, Fault> {
        self.row.try_get(name).map_err(|_| self.bug())
    }

    /// A number that is never negative.
    pub(crate) fn natural<T: FromSql<'r>, N: TryFrom<T>>(self, name: &str) -> Result<N, Fault> {
        N::try_from(self.get(name)?).map_err(|_| self.bug())
    }

    /// A place in the log. To Kafka a negative number is not a place but a word for one, such as the end.
    pub(crate) fn position(self) -> Result<Position, Fault> {
        let partition = self.natural::<i32, u32>("kafka_partition")?.cast_signed();
        let offset = self.natural::<i64, u64>("kafka_offset")?.cast_signed();
        Ok(Position { topic: self.get::<&str>("topic")?.into(), partition, offset })
    }

    /// A text of our own.
    pub(crate) fn text(self, name: &str) -> Result<String, Fault> {
        self.get::<&str>(name).map(str::to_owned)
    }

    /// A `decimal(19,4)`, exact.
    pub(crate) fn money(self, name: &str) -> Result<Money, Fault> {
        let number: Numeric = self.get(name)?;
        let units = Some(number.value()).filter(|_| u32::from(number.scale()) == Money::SCALE);
        units.and_then(Money::from_units).ok_or_else(|| self.bug())
    }

    /// A `datetime2`.
    pub(crate) fn time(self, name: &str) -> Result<Timestamp, Fault> {
        self.optional_time(name)?.ok_or_else(|| self.bug())
    }

    /// A `datetime2`, or `None` where it is NULL.
    pub(crate) fn optional_time(self, name: &str) -> Result<Option<Timestamp>, Fault> {
        match self.row.get_column_data(name) {
            Ok(ColumnData::DateTime2(None)) => Ok(None),
            Ok(ColumnData::DateTime2(Some(time))) => instant(*time).map(Some).ok_or_else(|| self.bug()),
            _ => Err(self.bug()),
        }
    }

    const fn bug(self) -> Fault {
        faults::bug(self.operation)
    }
}

/// Days from 0001-01-01, where `datetime2` counts from, to 1970-01-01.
const EPOCH_DAY: i64 = 719_162;
const MICROS_PER_DAY: i64 = 86_400_000_000;

fn instant(time: DateTime2) -> Option<Timestamp> {
    let scale = u32::from(time.time().scale());
    let increments = i64::try_from(time.time().increments()).ok()?;
    let micros = if scale <= 6 { increments.checked_mul(10_i64.pow(6 - scale))? } else { increments / 10_i64.checked_pow(scale - 6)? };
    Timestamp::from_unix_micros((i64::from(time.date().days()) - EPOCH_DAY) * MICROS_PER_DAY + micros)
}

#[cfg(test)]
mod tests {
    use pipeline::FaultClass;
    use tiberius::ColumnType;
    use tiberius::time::{Date, Time};

    use super::*;

    fn row(column_type: ColumnType, value: ColumnData<'static>) -> Row {
        Row::builder().column("c", column_type, value).build()
    }

    fn time(days: u32, increments: u64, scale: u8) -> ColumnData<'static> {
        ColumnData::DateTime2(Some(DateTime2::new(Date::new(days), Time::new(increments, scale))))
    }

    #[test]
    fn times_are_read_to_the_microsecond() {
        for (value, shown) in [
            (time(0, 0, 6), "0001-01-01T00:00:00Z"),
            (time(719_162, 1, 6), "1970-01-01T00:00:00.000001Z"),
            (time(719_162, 1, 3), "1970-01-01T00:00:00.001Z"),
            (time(719_162, 19, 7), "1970-01-01T00:00:00.000001Z"),
            (time(3_652_058, 86_399_999_999, 6), "9999-12-31T23:59:59.999999Z"),
        ] {
            let row = row(ColumnType::Datetime2, value);
            assert_eq!(Columns::of(&row, "test").time("c").map(|at| at.to_string()), Ok(shown.to_owned()));
        }
    }

    #[test]
    fn amounts_are_exact_and_need_four_decimals() {
        let money = |value, scale| {
            let number = ColumnData::Numeric(Some(Numeric::new_with_scale(value, scale)));
            Columns::of(&row(ColumnType::Numericn, number), "test").money("c").map(|money| money.to_string())
        };
        assert_eq!(money(2_999_900, 4), Ok("299.99".to_owned()));
        assert_eq!(money(-9_999_999_999_999_999_999, 4), Ok("-999999999999999.9999".to_owned()));
        assert_eq!(money(29_999, 2).unwrap_err().class, FaultClass::Bug);
    }

    #[test]
    fn a_column_of_another_kind_is_a_bug_and_nothing_of_it_is_told() {
        let row = row(ColumnType::NVarchar, ColumnData::String(Some("canary".into())));
        let columns = Columns::of(&row, "user");
        for fault in [
            columns.get::<i32>("c").unwrap_err(),
            columns.get::<&str>("d").unwrap_err(),
            columns.time("c").unwrap_err(),
            columns.money("c").unwrap_err(),
        ] {
            assert_eq!((fault.class, fault.subject), (FaultClass::Bug, "user"));
        }
        assert_eq!(columns.text("c"), Ok("canary".to_owned()));
    }
}
