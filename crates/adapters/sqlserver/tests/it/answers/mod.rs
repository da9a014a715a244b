//! Answers that chance has changed: other columns, rows and values, errors in between, and ends too early. Each is valid TDS; none leads to a panic or to a
//! wait without end, and what is read from it is all that it says, or an error.

mod batch;
mod reading;

use std::time::{Duration, Instant};

use pipeline::Outcome;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use sqlserver::{SqlServer, SqlServerConfig};
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::outages::apply_one;
use crate::scripted::{Column, Scripted, Step, Value, done, error_token, words};
use crate::tables::{head, row};

/// An answer before it is sent.
#[derive(Clone, Debug, PartialEq)]
struct Answer {
    /// The result set comes so many times.
    sets: usize,
    columns: Vec<Column>,
    rows: Vec<Vec<Value<'static>>>,
}

/// A change of an answer. Places are taken among what is there.
#[derive(Clone, Debug)]
enum Change {
    /// A column is gone.
    Drop(Index),
    /// It has another name.
    Rename(Index),
    /// It has another type, and values of that.
    Retype(Index, Index),
    /// A value is NULL.
    Null(Index, Index),
    /// It is another one of its type.
    Replace(Index, Index, Index),
    /// A row comes twice.
    Repeat(Index),
    /// A row is missing.
    Lose(Index),
    /// Two rows change places.
    Swap(Index, Index),
    /// There is no result set, or there are two.
    Sets(bool),
}

/// How an answer ends.
#[derive(Clone, Debug)]
enum Ending {
    /// As it should.
    Whole,
    /// With an error before this row, or behind the last one.
    Error(Index, u32, u8),
    /// The connection is closed within the packet.
    Closed(Index),
    /// Nothing comes any more, and the connection stays.
    Silent(Index),
}

/// Numbers of errors, of each class and of none.
const NUMBERS: [u32; 14] = [0, 207, 547, 596, 1205, 2627, 2628, 3902, 3906, 4060, 9002, 18456, 49919, 50001];

/// Texts that our statements answer with, and others.
const TEXTS: [&str; 22] = [
    "duplicate",
    "stale",
    "parked",
    "folded",
    "conflict",
    "lost",
    "waiting",
    "free",
    "taken",
    "open",
    "end",
    "end 0",
    "end 1",
    "end 2",
    "end -1",
    "END 1",
    "end 1 ",
    "",
    "\u{0}",
    "done",
    "170141183460469231731687303715884105728",
    "{}",
];

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let index = any::<Index>;
    let change = prop_oneof![
        1 => index().prop_map(Change::Drop),
        1 => index().prop_map(Change::Rename),
        1 => (index(), index()).prop_map(|(column, kind)| Change::Retype(column, kind)),
        2 => (index(), index()).prop_map(|(row, column)| Change::Null(row, column)),
        6 => (index(), index(), index()).prop_map(|(row, column, value)| Change::Replace(row, column, value)),
        2 => index().prop_map(Change::Repeat),
        2 => index().prop_map(Change::Lose),
        1 => (index(), index()).prop_map(|(one, other)| Change::Swap(one, other)),
        1 => any::<bool>().prop_map(Change::Sets),
    ];
    proptest::collection::vec(change, 0..4)
}

fn ending() -> impl Strategy<Value = Ending> {
    prop_oneof![
        60 => Just(Ending::Whole),
        15 => (any::<Index>(), select(NUMBERS.as_slice()), select([0_u8, 13, 14, 16, 17, 20, 25].as_slice()))
            .prop_map(|(place, number, severity)| Ending::Error(place, number, severity)),
        10 => any::<Index>().prop_map(Ending::Closed),
        1 => any::<Index>().prop_map(Ending::Silent),
    ]
}

/// Columns of each type, and some values of it.
fn kinds(name: &'static str) -> Vec<(Column, Vec<Value<'static>>)> {
    vec![
        (Column::Tiny(name), [0, 1, 3, 4, 255].map(Value::Tiny).to_vec()),
        (Column::Int(name), [-4, -3, -2, -1, 0, 1, 2, 7, 8, i32::MIN, i32::MAX].map(Value::Int).to_vec()),
        (Column::Long(name), [-2, -1, 0, 1, 5, i64::MIN, i64::MAX].map(Value::Long).to_vec()),
        (Column::Bit(name), [false, true].map(Value::Bit).to_vec()),
        (Column::Float(name), [f64::NAN, f64::INFINITY, -0.5, 1e300].map(Value::Float).to_vec()),
        (Column::Money(name), [0, -1, i64::MIN, i64::MAX].map(Value::Money).to_vec()),
        (
            Column::Time(name),
            [(0, 0), (3_652_058, 86_399_999_999), (0x00ff_ffff, (1 << 40) - 1)].map(|(day, time)| Value::Time(day, time)).to_vec(),
        ),
        (Column::Guid(name), [0, 1, u128::MAX].map(|id| Value::Guid(Uuid::from_u128(id))).to_vec()),
        (Column::Text(name), TEXTS.map(Value::Text).to_vec()),
        (Column::Bytes(name), [&[][..], &[0xff; 31], &[7; 33]].map(Value::Bytes).to_vec()),
        (Column::Digest(name), vec![Value::Digest([9; 32])]),
    ]
}

fn is_of(column: &Column, other: &Column) -> bool {
    std::mem::discriminant(column) == std::mem::discriminant(other)
}

/// Whether the driver gives the values of both as one type.
fn reads_as(column: &Column, other: &Column) -> bool {
    let is_binary = |column: &Column| matches!(column, Column::Bytes(_) | Column::Digest(_));
    is_of(column, other) || (is_binary(column) && is_binary(other))
}

/// Some values of a column's type.
fn values_of(column: &Column) -> Vec<Value<'static>> {
    kinds(column.name()).into_iter().find(|(kind, _)| is_of(kind, column)).map(|(_, values)| values).unwrap()
}

impl Answer {
    fn change(&mut self, change: &Change) {
        let (rows, columns) = (self.rows.len(), self.columns.len());
        match change {
            Change::Sets(none) => self.sets = if *none { 0 } else { 2 },
            _ if columns == 0 => {}
            Change::Drop(column) => {
                let column = column.index(columns);
                self.columns.remove(column);
                for row in &mut self.rows {
                    row.remove(column);
                }
            }
            Change::Rename(column) => {
                let column = &mut self.columns[column.index(columns)];
                *column = kinds("another").into_iter().find(|(kind, _)| is_of(kind, column)).map(|(kind, _)| kind).unwrap();
            }
            Change::Retype(column, kind) => {
                let place = column.index(columns);
                let mut others = kinds(self.columns[place].name());
                others.retain(|(other, _)| !reads_as(other, &self.columns[place]));
                let (column, values) = others.swap_remove(kind.index(others.len()));
                self.columns[place] = column;
                self.rows.iter_mut().for_each(|row| row[place] = values[0]);
            }
            _ if rows == 0 => {}
            Change::Null(row, column) => self.rows[row.index(rows)][column.index(columns)] = Value::Null,
            Change::Replace(row, column, value) => {
                let (row, column) = (row.index(rows), column.index(columns));
                let values = values_of(&self.columns[column]);
                self.rows[row][column] = values[value.index(values.len())];
            }
            Change::Repeat(row) => {
                let row = row.index(rows);
                self.rows.insert(row, self.rows[row].clone());
            }
            Change::Lose(row) => drop(self.rows.remove(row.index(rows))),
            Change::Swap(one, other) => self.rows.swap(one.index(rows), other.index(rows)),
        }
    }

    /// Its tokens, piece by piece: each set's head and its rows.
    fn pieces(&self) -> Vec<Vec<u8>> {
        let set = || std::iter::once(head(&self.columns)).chain(self.rows.iter().map(|values| row(&self.columns, values)));
        std::iter::repeat_with(set).take(self.sets).flatten().collect()
    }

    fn step(&self, ending: &Ending) -> Step {
        let mut pieces = self.pieces();
        if let Ending::Error(place, number, severity) = ending {
            let place = place.index(pieces.len() + 1);
            pieces.insert(place, error_token(*number, *severity, "No."));
        }
        let tokens = [pieces.concat(), done()].concat();
        let part = |place: &Index| place.index(tokens.len() + 8);
        match ending {
            Ending::Whole | Ending::Error(..) => Step::Answer(tokens),
            Ending::Closed(place) => Step::Cut(tokens.clone(), part(place)),
            Ending::Silent(place) => Step::Stall(tokens.clone(), part(place)),
        }
    }

    /// The values of a column, by its name; `None` where there is no such column of this type.
    fn column(&self, wanted: &Column) -> Option<Vec<Value<'static>>> {
        let place = self.columns.iter().position(|column| reads_as(column, wanted) && column.name() == wanted.name())?;
        Some(self.rows.iter().map(|row| row[place]).collect())
    }
}

/// Asks a server that gives this answer, and then asks for something else, which must be answered with its own answer.
async fn asked<T>(answer: Step, is_silent: bool, ask: impl AsyncFnOnce(&SqlServer) -> T) -> Result<T, TestCaseError> {
    let next = || Step::Answer(words(&[(0, "duplicate"), (-1, "end")]));
    let server = Scripted::open(vec![vec![answer, next()], vec![next()]]).await;
    let command_timeout = if is_silent { Duration::from_millis(200) } else { Duration::from_secs(20) };
    let impatient = SqlServer::new(SqlServerConfig { command_timeout, ..server.config() });
    let begun = Instant::now();
    let told = ask(&impatient).await;
    prop_assert!(begun.elapsed() < Duration::from_secs(15), "it took {:?}", begun.elapsed());
    // What was answered half is left to the connection that is closed.
    let next = match is_silent {
        true => Ok(Outcome::Duplicate),
        false => apply_one(&impatient).await,
    };
    prop_assert_eq!(next, Ok(Outcome::Duplicate), "the next answer is its own");
    Ok(told)
}

/// Fails with the least value for which it does not hold. `PROPTEST_CASES` asks for more than these.
fn holds<T: std::fmt::Debug>(strategy: impl Strategy<Value = T>, property: impl Fn(&Runtime, T) -> Result<(), TestCaseError>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let all = Config::default();
    let config = Config { cases: all.cases.max(400), failure_persistence: None, ..all };
    TestRunner::new(config).run(&strategy, |value| property(&runtime, value)).unwrap();
}
