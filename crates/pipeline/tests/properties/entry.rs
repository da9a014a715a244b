//! An entry of the dead letter queue, which others may have written.

use events::EventType;
use pipeline::dead_letter::{ENTRY_ID_DIGITS, Encoding, Entry, entry_id};
use serde::de::IgnoredAny;

/// A text of the list.
pub fn holds(bytes: &[u8]) {
    // A list holds text alone; what is not UTF-8 in it is shown as U+FFFD.
    let text = String::from_utf8_lossy(bytes);
    let id = entry_id(&text);
    assert!(id.len() == ENTRY_ID_DIGITS && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{id}");
    match Entry::parse(&text) {
        Ok(entry) => is_one(&text, &entry),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn is_one(text: &str, entry: &Entry) {
    assert!(text.trim_start().starts_with('{') && serde_json::from_str::<IgnoredAny>(text).is_ok(), "it is no JSON object");
    let written = serde_json::to_string(entry).expect("every field is JSON");
    assert_eq!(&Entry::parse(&written).expect("it was an entry"), entry, "written again, it is another one");
    let names = EventType::ALL.map(EventType::as_str);
    let event_type = entry.event_type();
    assert!(names.contains(&event_type) || event_type == "unknown", "{event_type}");
    assert_eq!(entry.reason_label(), entry.reason.as_deref().unwrap_or("unknown"));
    if entry.fingerprint.is_none() {
        assert_eq!(entry.fingerprint_label(), format!("{}:{event_type}:", entry.reason_label()));
    }
    bytes_come_back(entry.encoding, &entry.original_data, entry.value());
    match &entry.key {
        Some(key) => bytes_come_back(entry.key_encoding, key, entry.key()),
        None => assert_eq!(entry.key(), None),
    }
    if let Some(at) = entry.record_at() {
        let again = Entry { record_timestamp: Some(at.to_string()), ..entry.clone() };
        assert_eq!(again.record_at(), Some(at));
    }
    if let Some(at) = entry.at() {
        let again = Entry { timestamp: at.to_string(), ..entry.clone() };
        assert_eq!(again.at(), Some(at));
    }
}

/// Text is its own bytes; base64 has three bytes for four letters, or is broken.
fn bytes_come_back(encoding: Encoding, text: &str, bytes: Option<Vec<u8>>) {
    match (encoding, bytes) {
        (Encoding::Utf8, bytes) => assert_eq!(bytes.as_deref(), Some(text.as_bytes())),
        (Encoding::Base64, Some(bytes)) => {
            let padding = text.len() - text.trim_end_matches('=').len();
            assert_eq!(bytes.len() + padding, text.len() / 4 * 3);
        }
        (Encoding::Base64, None) => {
            let letter = |c: char| c.is_ascii_alphanumeric() || "+/".contains(c);
            // Whole groups of nothing but letters could have been read.
            assert!(!text.len().is_multiple_of(4) || !text.chars().all(letter), "{text}");
        }
    }
}
