//! Entries as lines of text.

use std::time::Duration;

use events::Timestamp;
use pipeline::dead_letter::{Encoding, Entry, EntryHeader};

use crate::dlq::dry_run_outcome::Preview;
use crate::dlq::edit::editable;
use crate::dlq::listed::Listed;
use crate::dlq::printable::{printable, printable_lines};

/// Columns of a terminal.
const WIDTH: usize = 80;
/// Characters of a key in [`line`]: enough to tell two ids apart.
const KEY: usize = 13;

/// The headings of [`line`].
pub(super) fn headings() -> String {
    narrow(["id", "age", "reason", "key", "error"])
}

/// An entry in a table of 80 columns.
pub(super) fn line(listed: &Listed, now: Timestamp) -> String {
    let row = listed.row(now);
    let age = listed.age(now).map_or_else(|| "-".to_owned(), short);
    let key = listed.entry.as_ref().and_then(|entry| entry.key.as_deref()).unwrap_or("-");
    narrow([row.id, &age, &printable(row.reason), &shortened(&printable(key), KEY), &printable(row.error.unwrap_or("-"))])
}

fn narrow([id, age, reason, key, error]: [&str; 5]) -> String {
    shortened(&format!("{id:<12}  {age:>4}  {reason:<23}  {key:<KEY$}  {error}"), WIDTH)
}

/// The text in so many characters.
fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.trim_end().to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

/// The headings of [`wide_line`].
pub(super) fn wide_headings() -> String {
    columns(["id", "age", "reason", "type", "event id", "part/offset", "retries"])
}

fn columns([id, age, reason, event_type, event_id, place, retries]: [&str; 7]) -> String {
    format!("{id:<12}  {age:>4}  {reason:<23}  {event_type:<17}  {event_id:<36}  {place:>13}  {retries:>7}").trim_end().to_owned()
}

/// An entry in a table.
pub(super) fn wide_line(listed: &Listed, now: Timestamp) -> String {
    let row = listed.row(now);
    let place = match (row.partition, row.offset) {
        (Some(partition), Some(offset)) => format!("{partition}/{offset}"),
        _ => "-".to_owned(),
    };
    let age = listed.age(now).map_or_else(|| "-".to_owned(), short);
    let event_id = printable(row.event_id.unwrap_or("-"));
    columns([row.id, &age, &printable(row.reason), row.event_type, &event_id, &place, &row.retry_count.to_string()])
}

/// The headings of [`dry_run_outcome`].
pub(super) fn dry_run_headings() -> String {
    format!("{:<12}  {:<17}  {:<36}  {:<16}  why", "id", "type", "event id", "would be")
}

/// What a dry run says about an entry.
pub(super) fn dry_run_outcome(preview: &Preview) -> String {
    let Preview { id, event_type, event_id, outcome, detail } = preview;
    let event_id = printable(event_id.as_deref().unwrap_or("-"));
    format!("{id:<12}  {event_type:<17}  {event_id:<36}  {outcome:<16}  {}", detail.as_deref().unwrap_or_default()).trim_end().to_owned()
}

/// An age in its largest whole unit.
fn short(age: Duration) -> String {
    let seconds = age.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// Everything about an entry.
pub(super) fn details(listed: &Listed) -> String {
    let field = |name: &str, value: &str| format!("{name:<13} {}\n", printable(value));
    let mut text = field("id", &listed.id);
    let Some(entry) = &listed.entry else {
        return format!(
            "{text}This is no dead letter as this program writes or reads them. Its text:\n\n{}",
            printable_lines(&listed.text)
        );
    };
    let optional = |name: &str, value: Option<String>| field(name, value.as_deref().unwrap_or("-"));
    text += &optional("eventId", entry.event_id.clone());
    text += &field("eventType", listed.event_type());
    text += &field("reason", listed.reason());
    text += &field("error", &entry.error);
    text += &field("fingerprint", &listed.fingerprint());
    text += &field("timestamp", &entry.timestamp);
    text += &entry.first_timestamp.as_ref().map_or_else(String::new, |first| field("first", first));
    let clock = entry.record_clock().map_or_else(String::new, |of| format!(" ({})", of.words()));
    text += &entry.record_timestamp.as_ref().map_or_else(String::new, |at| field("recordTime", &format!("{at}{clock}")));
    text += &listed.event_at().map_or_else(String::new, |at| field("eventTime", &at.to_string()));
    text += &field("retryCount", &entry.retry_count.to_string());
    text += &optional("topic", entry.topic.clone());
    text += &optional("partition", entry.partition.map(|partition| partition.to_string()));
    text += &optional("offset", entry.offset.map(|offset| offset.to_string()));
    text += &optional("key", entry.key.as_ref().map(|key| key.clone() + told(entry.key_encoding)));
    for EntryHeader { name, value, encoding } in &entry.headers {
        text += &field("header", &format!("{name}: {}{}", value.as_deref().unwrap_or("null"), told(*encoding)));
    }
    text + &payload(entry, listed)
}

const fn told(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Utf8 => "",
        Encoding::Base64 => " (base64)",
    }
}

fn payload(entry: &Entry, listed: &Listed) -> String {
    let binary = entry.encoding == Encoding::Base64;
    let payload = if binary { entry.original_data.clone() } else { editable(listed).unwrap_or_default() };
    format!("\noriginalData{}\n{}", told(entry.encoding), printable_lines(&payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_fits_the_terminal_and_says_key_and_error() {
        let at = Timestamp::parse("2026-01-15T12:00:00Z").unwrap();
        let entry = serde_json::json!({
            "eventId": null, "originalData": "{}", "error": "amount has more than 4 digits after the point", "timestamp": "2026-01-15T11:00:00Z",
            "retryCount": 0, "reason": "unknown_adjustment_type", "key": "5f0c1f3e-7a55-4a32-8f0e-1d2c3b4a5968",
        });
        let line = line(&Listed::new(entry.to_string()), at);
        assert_eq!(line.chars().count(), WIDTH, "{line}");
        assert!(line.contains("  1h  unknown_adjustment_type  5f0c1f3e-7a5…  amount has more"), "{line}");
        assert!(line.ends_with('…') && headings().len() <= WIDTH);
    }

    #[test]
    fn the_times_of_the_event_and_of_its_record_stand_beside_that_of_the_letter() {
        let mut entry = serde_json::json!({
            "eventId": null, "originalData": r#"{"timestamp": "2026-01-15T10:59:00+01:00"}"#, "error": "", "timestamp": "2026-01-15T11:00:00Z",
            "retryCount": 0, "recordTimestamp": "2026-01-15T10:59:59.123Z",
        });
        let text = details(&Listed::new(entry.to_string()));
        let times = "timestamp     2026-01-15T11:00:00Z\nrecordTime    2026-01-15T10:59:59.123Z\neventTime     2026-01-15T09:59:00Z\n";
        assert!(text.contains(times), "{text}");
        for (of, clock) in [("CreateTime", "producer"), ("LogAppendTime", "broker")] {
            entry["recordTimestampType"] = of.into();
            let text = details(&Listed::new(entry.to_string()));
            assert!(text.contains(&format!("\nrecordTime    2026-01-15T10:59:59.123Z (by the {clock}'s clock)\n")), "{text}");
        }
        // An entry of an older version, of something that is no event.
        entry.as_object_mut().unwrap().remove("recordTimestamp");
        entry["originalData"] = "{".into();
        let text = details(&Listed::new(entry.to_string()));
        assert!(!text.contains("recordTime") && !text.contains("eventTime"), "{text}");
    }

    #[test]
    fn an_age_is_told_in_its_largest_unit() {
        for (seconds, text) in [(0, "0s"), (59, "59s"), (60, "1m"), (3599, "59m"), (3600, "1h"), (86_399, "23h"), (86_400, "1d")] {
            assert_eq!(short(Duration::from_secs(seconds)), text);
        }
    }
}
