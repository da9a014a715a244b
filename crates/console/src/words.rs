//! Numbers, times and labels as an operator reads them.

use std::time::{Duration, SystemTime};

use askama::Template;
use chrono::{DateTime, Utc};

/// A number with separators: `1,204,330`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 dead letter`, `1,204 dead letters`, `no dead letters`.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    match number {
        0 => format!("no {many}"),
        1 => format!("1 {one}"),
        number => format!("{} {many}", thousands(number)),
    }
}

/// `1 smaller group is not shown`, `1,204 smaller groups are not shown`.
pub(crate) fn left_out(number: u64, one: &str, many: &str, done: &str) -> String {
    format!("{} {} not {done}", counted(number, one, many), if number == 1 { "is" } else { "are" })
}

/// A number where there is little room: `980`, `12.4k`, `3.1M`.
pub(crate) fn short(number: u64) -> String {
    match number {
        0..=9_999 => thousands(number),
        10_000..=999_949 => format!("{:.1}k", number as f64 / 1e3),
        _ => format!("{:.1}M", number as f64 / 1e6),
    }
}

/// A rate: `0/s`, `0.4/s`, `1,250/s`.
pub(crate) fn per_second(rate: f64) -> String {
    if rate <= 0.0 {
        "0/s".to_owned()
    } else if rate < 9.95 {
        format!("{rate:.1}/s")
    } else {
        format!("{}/s", thousands(rate.round() as u64))
    }
}

/// A span in its two largest units: `45 s`, `3 min`, `2 h 5 min`, `6 d 4 h`.
pub(crate) fn span(span: Duration) -> String {
    let seconds = span.as_secs();
    let two = |large: u64, unit: &str, small: u64, lesser: &str| match small {
        0 => format!("{} {unit}", thousands(large)),
        small => format!("{} {unit} {small} {lesser}", thousands(large)),
    };
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => two(seconds / 3600, "h", seconds % 3600 / 60, "min"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3600, "h"),
    }
}

/// A span that has just been measured: `0.8 s`, then as [`span`].
pub(crate) fn took(span: Duration) -> String {
    if span < Duration::from_secs(10) { format!("{:.1} s", span.as_secs_f64()) } else { self::span(span) }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list(terms: &[String], last: &str) -> String {
    match terms {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

/// As the beginning of a sentence.
pub(crate) fn capital(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// A part's or a label's name as words: `dead_letter_queue` → `dead letter queue`.
pub(crate) fn spaced(label: &str) -> String {
    label.replace('_', " ")
}

/// A time as a page shows it: how long ago, and exactly when, with the zone.
#[derive(Clone, Debug, PartialEq, Eq, Template)]
#[template(
    ext = "html",
    source = "{% if known %}<time datetime=\"{{ machine }}\" title=\"{{ exact }}\"><span class=\"ago\">{{ relative }}</span> \
              <span class=\"at\">{{ exact }}</span></time>{% else %}<span class=\"at\">{{ exact }}</span>{% endif %}"
)]
pub(crate) struct When {
    pub relative: String,
    pub exact: String,
    machine: String,
    known: bool,
}

impl askama::filters::HtmlSafe for When {}

impl When {
    /// A time that the port gives. One that is none is shown as it is.
    pub fn of(text: &str, now: SystemTime) -> Self {
        match DateTime::parse_from_rfc3339(text) {
            Ok(time) => {
                let time = time.with_timezone(&Utc);
                let relative = relative(time.into(), now);
                Self { relative, exact: time.format("%Y-%m-%d %H:%M:%S UTC").to_string(), machine: text.to_owned(), known: true }
            }
            Err(_) => Self { relative: String::new(), exact: text.to_owned(), machine: String::new(), known: false },
        }
    }

    /// The same, where there may be none.
    pub fn maybe(text: Option<&String>, now: SystemTime) -> Self {
        let unknown = || Self { relative: String::new(), exact: "unknown".to_owned(), machine: String::new(), known: false };
        text.map_or_else(unknown, |text| Self::of(text, now))
    }
}

/// A time that the port gives.
pub(crate) fn parse(text: &str) -> Option<SystemTime> {
    DateTime::parse_from_rfc3339(text).ok().map(Into::into)
}

fn relative(time: SystemTime, now: SystemTime) -> String {
    match now.duration_since(time) {
        Ok(ago) if ago < Duration::from_secs(5) => "just now".to_owned(),
        Ok(ago) => format!("{} ago", span(ago)),
        Err(ahead) if ahead.duration() < Duration::from_secs(5) => "just now".to_owned(),
        Err(ahead) => format!("in {}", span(ahead.duration())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_separated_and_counted() {
        let texts: Vec<String> = [0, 999, 1000, 1_204_330].map(thousands).into();
        assert_eq!(texts, ["0", "999", "1,000", "1,204,330"]);
        assert_eq!(counted(0, "record", "records"), "no records");
        assert_eq!(counted(1, "record", "records"), "1 record");
        assert_eq!(counted(1204, "record", "records"), "1,204 records");
        assert_eq!(left_out(1, "more byte", "more bytes", "dumped"), "1 more byte is not dumped");
        assert_eq!(left_out(1204, "more byte", "more bytes", "dumped"), "1,204 more bytes are not dumped");
        assert_eq!([9_999, 12_400, 999_949, 999_950, 3_100_000].map(short), ["9,999", "12.4k", "999.9k", "1.0M", "3.1M"]);
        assert_eq!([0.0, 0.42, 9.94, 1250.4].map(per_second), ["0/s", "0.4/s", "9.9/s", "1,250/s"]);
    }

    #[test]
    fn spans_name_two_units() {
        let texts = [0, 59, 60, 3599, 3600, 7500, 86_400, 532_800].map(|s| span(Duration::from_secs(s)));
        assert_eq!(texts, ["0 s", "59 s", "1 min", "59 min", "1 h", "2 h 5 min", "1 d", "6 d 4 h"]);
    }

    #[test]
    fn times_are_relative_and_exact() {
        let now = parse("2026-11-29T12:00:00Z").unwrap();
        let when = When::of("2026-11-29T12:57:00.5+01:00", now);
        assert_eq!((when.relative.as_str(), when.exact.as_str()), ("2 min ago", "2026-11-29 11:57:00 UTC"));
        assert_eq!(When::of("2026-11-29T14:00:00Z", now).relative, "in 2 h");
        assert_eq!(When::of("<b>", now).to_string(), "<span class=\"at\">&#60;b&#62;</span>");
        assert_eq!(When::maybe(None, now).exact, "unknown");
    }

    #[test]
    fn lists_end_with_a_word() {
        assert_eq!(list(&["a".to_owned(), "b".to_owned(), "c".to_owned()], "and"), "a, b and c");
    }
}
