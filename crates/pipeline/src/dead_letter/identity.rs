//! What makes a record this letter and no other, and an entry this one.

use sha2::{Digest, Sha256};

use crate::record::Record;

/// Hexadecimal digits of an entry's id: enough that two of a million entries share one by a chance of one in five hundred.
pub const ENTRY_ID_DIGITS: usize = 12;

/// The id under which people name an entry of the list: the first digits of the SHA-256 of its text. Entries that look alike have the same.
pub fn entry_id(text: &str) -> String {
    let mut id = hex(&Sha256::digest(text));
    id.truncate(ENTRY_ID_DIGITS);
    id
}

/// What makes a record this one and no other. Topic, partition and offset alone do not: offsets start again when a topic is recreated.
pub(super) fn identity(record: &Record) -> String {
    let mut hash = Sha256::new();
    let mut part = |bytes: Option<&[u8]>| {
        // Lengths keep apart what concatenation would mix; absent and empty are different.
        hash.update(bytes.map_or(-1, |bytes| bytes.len() as i64).to_le_bytes());
        hash.update(bytes.unwrap_or_default());
    };
    part(Some(record.position.topic.as_bytes()));
    part(Some(&record.position.partition.to_le_bytes()));
    part(Some(&record.position.offset.to_le_bytes()));
    part(record.timestamp_ms.map(i64::to_le_bytes).as_ref().map(<[u8; 8]>::as_slice));
    part(record.key.as_deref());
    part(record.value.as_deref());
    hex(&hash.finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Position;

    #[test]
    fn the_identity_is_that_of_the_record_not_of_the_try() {
        let first = Record {
            position: Position { topic: "events".into(), partition: 3, offset: 42 },
            assignment: 1,
            timestamp_ms: Some(1_768_471_200_000),
            key: Some(b"k".to_vec()),
            value: Some(b"x".to_vec()),
            retry_count: 2,
        };
        let again = Record { assignment: 9, retry_count: 5, ..first.clone() };
        assert_eq!(identity(&first), identity(&again));
        let mut others = vec![Record { key: None, ..first.clone() }, Record { timestamp_ms: None, ..first.clone() }];
        others.push(Record { value: Some(b"y".to_vec()), ..first.clone() });
        others.push(Record { position: Position { offset: 43, ..first.position.clone() }, ..first.clone() });
        others.push(Record { key: Some(b"kx".to_vec()), value: Some(Vec::new()), ..first.clone() });
        for other in others {
            assert_ne!(identity(&first), identity(&other));
        }
    }

    #[test]
    fn an_entry_is_named_by_the_digest_of_its_text() {
        // SHA-256 of the empty text, as everyone knows it.
        assert_eq!(entry_id(""), "e3b0c44298fc");
        assert_ne!(entry_id("{}"), entry_id("{} "));
    }
}
