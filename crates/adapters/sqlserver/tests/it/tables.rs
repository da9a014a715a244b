//! Result sets as the scripted server sends them: columns of the types that our statements answer with, and rows.
//!
//! Types and values: MS-TDS, sections 2.2.5.4 to 2.2.5.6 and 2.2.7.4.

use uuid::Uuid;

use crate::scripted::{done, length, utf16};

/// A column of an answer; each may be NULL.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Column {
    Tiny(&'static str),
    Int(&'static str),
    Long(&'static str),
    Bit(&'static str),
    Float(&'static str),
    /// `decimal(19,4)`.
    Money(&'static str),
    /// `datetime2(6)`.
    Time(&'static str),
    Guid(&'static str),
    /// `nvarchar(4000)`.
    Text(&'static str),
    /// `varbinary(8000)`.
    Bytes(&'static str),
    /// `binary(32)`.
    Digest(&'static str),
}

/// A value of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    Null,
    Tiny(u8),
    Int(i32),
    Long(i64),
    Bit(bool),
    Float(f64),
    /// In units of the last decimal.
    Money(i64),
    /// Days since 0001-01-01, and microseconds of the day.
    Time(u32, u64),
    Guid(Uuid),
    Text(&'a str),
    Bytes(&'a [u8]),
    Digest([u8; 32]),
}

impl Column {
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Tiny(name) | Self::Int(name) | Self::Long(name) | Self::Bit(name) | Self::Float(name) | Self::Money(name) => name,
            Self::Time(name) | Self::Guid(name) | Self::Text(name) | Self::Bytes(name) | Self::Digest(name) => name,
        }
    }

    const fn type_info(&self) -> &'static [u8] {
        match self {
            Self::Tiny(_) => &[0x26, 1],
            Self::Int(_) => &[0x26, 4],
            Self::Long(_) => &[0x26, 8],
            Self::Bit(_) => &[0x68, 1],
            Self::Float(_) => &[0x6d, 8],
            Self::Money(_) => &[0x6a, 9, 19, 4],
            Self::Time(_) => &[0x2a, 6],
            Self::Guid(_) => &[0x24, 16],
            Self::Text(_) => &[0xe7, 0x40, 0x1f, 9, 4, 0xd0, 0, 0x34],
            Self::Bytes(_) => &[0xa5, 0x40, 0x1f],
            Self::Digest(_) => &[0xad, 32, 0],
        }
    }

    /// Whether the length of a value takes two bytes.
    const fn is_long(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Bytes(_) | Self::Digest(_))
    }
}

impl Value<'_> {
    fn bytes(&self) -> Option<Vec<u8>> {
        Some(match self {
            Self::Null => return None,
            Self::Tiny(number) => vec![*number],
            Self::Int(number) => number.to_le_bytes().to_vec(),
            Self::Long(number) => number.to_le_bytes().to_vec(),
            Self::Bit(bit) => vec![u8::from(*bit)],
            Self::Float(number) => number.to_le_bytes().to_vec(),
            Self::Money(units) => [&[u8::from(*units >= 0)][..], &units.unsigned_abs().to_le_bytes()].concat(),
            Self::Time(day, micros) => [&micros.to_le_bytes()[..5], &day.to_le_bytes()[..3]].concat(),
            Self::Guid(id) => id.to_bytes_le().to_vec(),
            Self::Text(text) => utf16(text),
            Self::Bytes(bytes) => bytes.to_vec(),
            Self::Digest(bytes) => bytes.to_vec(),
        })
    }
}

/// A result set.
pub fn table(columns: &[Column], rows: &[Vec<Value<'_>>]) -> Vec<u8> {
    let rows = rows.iter().flat_map(|values| row(columns, values)).collect();
    [head(columns), rows, done()].concat()
}

/// What stands before the rows: COLMETADATA.
pub fn head(columns: &[Column]) -> Vec<u8> {
    let mut tokens = vec![0x81, u8::try_from(columns.len()).unwrap(), 0];
    for column in columns {
        let name = column.name();
        tokens.extend([&[0, 0, 0, 0, 1, 0][..], column.type_info(), &[u8::try_from(name.len()).unwrap()], &utf16(name)].concat());
    }
    tokens
}

/// A row with a value for each column.
pub fn row(columns: &[Column], values: &[Value<'_>]) -> Vec<u8> {
    let mut tokens = vec![0xd1];
    for (column, value) in columns.iter().zip(values) {
        tokens.extend(match (value.bytes(), column.is_long()) {
            (None, true) => vec![0xff, 0xff],
            (None, false) => vec![0],
            (Some(bytes), true) => [&length(&bytes)[..], &bytes].concat(),
            (Some(bytes), false) => [&[u8::try_from(bytes.len()).unwrap()][..], &bytes].concat(),
        });
    }
    tokens
}

/// The answer of the batch statement. Its last word says how many words there are beside it.
pub fn words(words: &[(i32, &str)]) -> Vec<u8> {
    let others = words.iter().filter(|(ord, _)| *ord != -1).count();
    let told = |ord: &i32, outcome: &str| if (*ord, outcome) == (-1, "end") { format!("end {others}") } else { outcome.to_owned() };
    let words: Vec<_> = words.iter().map(|(ord, outcome)| (*ord, told(ord, outcome))).collect();
    let rows: Vec<_> = words.iter().map(|(ord, outcome)| vec![Value::Int(*ord), Value::Text(outcome)]).collect();
    table(&[Column::Int("ord"), Column::Text("outcome")], &rows)
}
