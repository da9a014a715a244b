//! What makes an entry of the list this one.

use sha2::{Digest, Sha256};

use crate::headers::{ENTRY_ID_DIGITS, is_entry_id};
use crate::record::hex;

/// How an entry that was a dead letter before tells its id, as [`Entry`](super::Entry) is written. Within a JSON string, such as that of a
/// payload, the quotation marks would be escaped, so that this can stand nowhere else.
const TOLD: &str = "\"deadLetterId\":\"";

/// The id under which people name an entry of the list. It is the one that the entry tells, where it was a dead letter before and was redriven,
/// and else the first digits of the SHA-256 of its text. Entries that look alike have the same.
pub fn entry_id(text: &str) -> String {
    if let Some(told) = told(text) {
        return told.to_owned();
    }
    let mut id = hex(&Sha256::digest(text));
    id.truncate(ENTRY_ID_DIGITS);
    id
}

/// The id that an entry tells, found without reading it: whoever looks for one of many thousands reads only that.
fn told(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once(TOLD)?;
    rest.get(..ENTRY_ID_DIGITS).filter(|id| is_entry_id(id) && rest[ENTRY_ID_DIGITS..].starts_with('"'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_named_by_the_digest_of_its_text() {
        // SHA-256 of the empty text, as everyone knows it.
        assert_eq!(entry_id(""), "e3b0c44298fc");
        assert_ne!(entry_id("{}"), entry_id("{} "));
    }

    #[test]
    fn an_entry_that_was_redriven_keeps_the_name_that_it_tells() {
        assert_eq!(entry_id(r#"{"originalData":"{}","deadLetterId":"0123456789ab"}"#), "0123456789ab");
        let quoted = serde_json::json!({"originalData": r#"{"deadLetterId":"0123456789ab"}"#}).to_string();
        let others = [
            quoted.as_str(),
            r#"{"deadLetterId":"0123456789abc"}"#,
            r#"{"deadLetterId":"0123456789aé"}"#,
            r#"{"deadLetterId":"0123"#,
            r#"{"deadLetterId":"0123456789ab"#,
        ];
        for text in others {
            assert_ne!(entry_id(text), "0123456789ab", "{text}");
            assert!(is_entry_id(&entry_id(text)));
        }
    }
}
