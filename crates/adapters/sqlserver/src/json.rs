//! JSON parameters, written straight into one text each.

use std::fmt::{Display, Write as _};

use events::{Money, Timestamp};
use uuid::Uuid;

/// A JSON array of flat objects, for `OPENJSON`.
pub(crate) struct JsonRows {
    text: String,
    rows: i32,
}

impl JsonRows {
    /// An empty array.
    pub(crate) fn new() -> Self {
        Self { text: String::from("["), rows: 0 }
    }

    /// Begins an object; its fields follow.
    pub(crate) fn row(&mut self) -> JsonRow<'_> {
        self.text.push_str(if self.rows == 0 { "{" } else { ",{" });
        self.rows += 1;
        JsonRow { text: &mut self.text, first: true }
    }

    /// Closes the array.
    pub(crate) fn finish(mut self) -> JsonParameter {
        self.text.push(']');
        JsonParameter { text: self.text, rows: self.rows }
    }
}

/// A finished parameter.
pub(crate) struct JsonParameter {
    /// The JSON text.
    pub(crate) text: String,
    /// How many objects it holds.
    pub(crate) rows: i32,
}

/// Bytes of a text up to which tiberius declares it as `nvarchar(4000)`; a longer one is `nvarchar(max)`.
const SHORT: usize = 4000;

/// Gives all these parameters the type of the longest, by blanks behind the shorter ones, which JSON allows (RFC 8259 §2).
///
/// The server compiles a statement anew for each list of declared types. Seven texts, each of them short or long, would make 128 plans of one
/// statement; so there are two.
pub(crate) fn unify_types<'p>(parameters: impl IntoIterator<Item = &'p mut JsonParameter>) {
    let mut parameters: Vec<_> = parameters.into_iter().collect();
    if parameters.iter().any(|parameter| parameter.text.len() > SHORT) {
        for JsonParameter { text, .. } in &mut parameters {
            let missing = (SHORT + 1).saturating_sub(text.len());
            text.extend(std::iter::repeat_n(' ', missing));
        }
    }
}

/// An object that is being written; it is closed when this is dropped.
pub(crate) struct JsonRow<'a> {
    text: &'a mut String,
    first: bool,
}

impl JsonRow<'_> {
    /// A number.
    pub(crate) fn number(&mut self, name: &str, number: impl Into<i64>) -> &mut Self {
        self.plain(name, number.into())
    }

    /// A place in a list, from 0.
    pub(crate) fn ordinal(&mut self, name: &str, place: usize) -> &mut Self {
        self.plain(name, place)
    }

    /// A text, escaped.
    pub(crate) fn text(&mut self, name: &str, text: &str) -> &mut Self {
        self.name(name);
        escape(self.text, text);
        self
    }

    /// An identity.
    pub(crate) fn uuid(&mut self, name: &str, id: Uuid) -> &mut Self {
        self.quoted(name, id)
    }

    /// An instant, as `datetime2(6)` reads it.
    pub(crate) fn time(&mut self, name: &str, at: Timestamp) -> &mut Self {
        self.quoted(name, at.to_sql())
    }

    /// An amount, as text, so that no float ever holds it.
    pub(crate) fn money(&mut self, name: &str, amount: Money) -> &mut Self {
        self.quoted(name, amount)
    }

    fn plain(&mut self, name: &str, value: impl Display) -> &mut Self {
        self.name(name);
        self.write(format_args!("{value}"))
    }

    /// A value whose text needs no escapes.
    fn quoted(&mut self, name: &str, value: impl Display) -> &mut Self {
        self.name(name);
        self.write(format_args!("\"{value}\""))
    }

    fn name(&mut self, name: &str) {
        let comma = if self.first { "" } else { "," };
        self.first = false;
        self.write(format_args!("{comma}\"{name}\":"));
    }

    fn write(&mut self, arguments: std::fmt::Arguments<'_>) -> &mut Self {
        // Writing to a String cannot fail.
        self.text.write_fmt(arguments).unwrap_or_default();
        self
    }
}

impl Drop for JsonRow<'_> {
    fn drop(&mut self) {
        self.text.push('}');
    }
}

/// Writes a JSON string (RFC 8259 §7): the quote, the backslash and control characters are escaped, all else stands as it is.
fn escape(json: &mut String, text: &str) {
    json.push('"');
    let mut rest = text;
    while let Some(at) = rest.find(|char: char| char < ' ' || char == '"' || char == '\\') {
        let (clean, special) = rest.split_at(at);
        json.push_str(clean);
        // All of them are one byte long.
        match special.as_bytes()[0] {
            b'"' => json.push_str("\\\""),
            b'\\' => json.push_str("\\\\"),
            b'\n' => json.push_str("\\n"),
            b'\r' => json.push_str("\\r"),
            b'\t' => json.push_str("\\t"),
            control => write!(json, "\\u{control:04x}").unwrap_or_default(),
        }
        rest = &special[1..];
    }
    json.push_str(rest);
    json.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn every_text_survives() {
        let controls: String = (0..0x30).filter_map(char::from_u32).collect();
        for text in ["", "plain", "\"", "\\", "a\"b\\c\n\r\t\u{0}\u{1f}d", "Zoë 😀 \u{2028}\u{7f}", "\\u0041", &controls] {
            let mut rows = JsonRows::new();
            rows.row().text("t", text);
            let read: Value = serde_json::from_str(&rows.finish().text).unwrap();
            assert_eq!(read, json!([{ "t": text }]));
        }
    }

    #[test]
    fn rows_are_counted_and_decimals_and_times_are_texts() {
        let mut rows = JsonRows::new();
        let money: Money = "12345678901234.5678".parse().unwrap();
        rows.row().number("o", 0).money("m", money).time("a", Timestamp::UNIX_EPOCH);
        rows.row().uuid("id", Uuid::from_u128(1)).number("d", -5);
        let rows = rows.finish();
        assert_eq!(rows.rows, 2);
        assert_eq!(
            rows.text,
            r#"[{"o":0,"m":"12345678901234.5678","a":"1970-01-01T00:00:00.000000"},{"id":"00000000-0000-0000-0000-000000000001","d":-5}]"#
        );
        assert_eq!((JsonRows::new().finish().text.as_str(), JsonRows::new().finish().rows), ("[]", 0));
    }
}
