//! One pass over a JSON object that keeps each known field as the slice of text it was, for the contract to decode.
//!
//! Not `#[derive(Deserialize)]`: serde's own messages quote the offending value, name no path, and stop at floats for money.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::money::MoneyError;
use crate::timestamp::TimestampError;
use crate::{Field, Money, Rule, Timestamp};

/// The known fields of one object, unparsed.
#[derive(Clone)]
pub(crate) struct Object<'a> {
    values: [Option<&'a str>; Field::COUNT],
    /// The first that stood there twice.
    duplicate: Option<Field>,
    /// All that did, one bit each.
    duplicates: u32,
}

const _: () = assert!(Field::COUNT <= u32::BITS as usize, "a bit for each field");

/// What a text is that should hold an object.
#[expect(clippy::large_enum_variant, reason = "lives on the stack for the length of one decode; boxing would allocate for every event")]
pub(crate) enum Shape<'a> {
    Object(Object<'a>),
    OtherJson,
    NotJson { line: usize, column: usize },
}

impl<'a> Object<'a> {
    /// Reads `text`, which must be one JSON object and nothing more.
    pub(crate) fn read(text: &'a str) -> Shape<'a> {
        let mut object = Object { values: [None; Field::COUNT], duplicate: None, duplicates: 0 };
        let mut reader = serde_json::Deserializer::from_str(text);
        let read = reader.deserialize_map(FieldsVisitor(&mut object)).and_then(|()| reader.end());
        match read {
            Ok(()) => Shape::Object(object),
            // By the grammar alone: numbers beyond any float and lone surrogates are JSON, though no value of Rust holds them.
            Err(_) => match serde_json::from_str::<IgnoredAny>(text) {
                Ok(_) => Shape::OtherJson,
                Err(error) => Shape::NotJson { line: error.line(), column: error.column() },
            },
        }
    }

    /// The first known field that stood there twice.
    pub(crate) const fn duplicate(&self) -> Option<Field> {
        self.duplicate
    }

    /// Whether the field stood there twice.
    pub(crate) const fn is_duplicate(&self, field: Field) -> bool {
        self.duplicates & (1 << field as u32) != 0
    }

    /// The same with another text in this field, or without it.
    pub(crate) fn with(&self, field: Field, raw: Option<&'a str>) -> Self {
        let mut with = self.clone();
        with.values[field as usize] = raw;
        with
    }

    /// The JSON text of a field.
    pub(crate) fn raw(&self, field: Field) -> Result<&'a str, Rule> {
        self.values[field as usize].ok_or(Rule::Missing)
    }

    /// A string, borrowed where it holds no escapes.
    pub(crate) fn text(&self, field: Field) -> Result<Cow<'a, str>, Rule> {
        string(self.raw(field)?)
    }

    /// A string that `parse` takes, which takes no text with a backslash in it: where it takes the string as it is written, nothing in it is escaped,
    /// and nobody has to look for that.
    pub(crate) fn parsed<T>(&self, field: Field, parse: impl Fn(&str) -> Result<T, Rule>) -> Result<T, Rule> {
        let raw = self.raw(field)?;
        let parsed = parse(quoted(raw)?);
        if parsed.is_ok() { parsed } else { parse(&string(raw)?) }
    }

    /// A UUID in the hyphenated form, in upper or lower case.
    pub(crate) fn uuid(&self, field: Field) -> Result<Uuid, Rule> {
        self.parsed(field, |text| {
            if text.len() != uuid::fmt::Hyphenated::LENGTH {
                return Err(Rule::InvalidUuid);
            }
            Uuid::try_parse(text).map_err(|_| Rule::InvalidUuid)
        })
    }

    /// A time with a zone.
    pub(crate) fn timestamp(&self, field: Field) -> Result<Timestamp, Rule> {
        self.parsed(field, |text| {
            Timestamp::parse(text).map_err(|error| match error {
                TimestampError::NotRfc3339 => Rule::InvalidTimestamp,
                TimestampError::OutOfRange => Rule::TimestampOutOfRange,
            })
        })
    }

    /// An amount: a number, or a string that holds one.
    pub(crate) fn money(&self, field: Field) -> Result<Money, Rule> {
        let raw = self.raw(field)?;
        let text = match raw.as_bytes()[0] {
            b'"' => string(raw)?,
            b'-' | b'0'..=b'9' => Cow::Borrowed(raw),
            _ => return Err(Rule::WrongType { expected: "a number, or a string that holds one" }),
        };
        text.parse().map_err(|error| match error {
            MoneyError::NotANumber => Rule::InvalidMoney,
            MoneyError::TooPrecise => Rule::MoneyTooPrecise,
            MoneyError::OutOfRange => Rule::MoneyOutOfRange,
        })
    }

    /// A whole number within 32 bits.
    pub(crate) fn quantity(&self, field: Field) -> Result<i32, Rule> {
        let raw = self.raw(field)?;
        let digits = raw.strip_prefix('-').unwrap_or(raw);
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Rule::WrongType { expected: "a whole number" });
        }
        raw.parse().map_err(|_| Rule::QuantityOutOfRange)
    }

    /// The elements of an array, each as its JSON text.
    pub(crate) fn array(&self, field: Field) -> Result<Vec<&'a RawValue>, Rule> {
        let raw = self.raw(field)?;
        let not_an_array = Rule::WrongType { expected: "an array" };
        if raw.starts_with('[') { serde_json::from_str(raw).map_err(|_| not_an_array) } else { Err(not_an_array) }
    }
}

/// What stands between the quotes of a JSON text that is a string, as it is written.
fn quoted(raw: &str) -> Result<&str, Rule> {
    let inner = raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.ok_or(Rule::WrongType { expected: "a string" })
}

/// The string that a JSON text is.
fn string(raw: &str) -> Result<Cow<'_, str>, Rule> {
    let inner = quoted(raw)?;
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Ok(Cow::Borrowed(inner));
    }
    // The scanner has checked the grammar already; what is left to fail is a lone surrogate.
    serde_json::from_str(raw).map(Cow::Owned).map_err(|_| Rule::InvalidText)
}

/// Fills an object in its place: it is large, and would be moved at each step on the way out of the reader.
struct FieldsVisitor<'o, 'de>(&'o mut Object<'de>);

impl<'de> Visitor<'de> for FieldsVisitor<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let Self(object) = self;
        // As it is written: a name that is not ours may hold a lone surrogate, which no string of Rust can.
        while let Some(name) = map.next_key::<&'de RawValue>()? {
            match known_field(name.get()) {
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
                Some(field) => {
                    let raw: &'de RawValue = map.next_value()?;
                    if object.values[field as usize].replace(raw.get()).is_some() {
                        object.duplicate.get_or_insert(field);
                        object.duplicates |= 1 << field as u32;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The field of this name, given as its JSON text; `None` where it is not ours. Nearly always it is written as it is.
fn known_field(name: &str) -> Option<Field> {
    quoted(name).ok().and_then(Field::parse).or_else(|| string(name).ok().and_then(|name| Field::parse(&name)))
}
