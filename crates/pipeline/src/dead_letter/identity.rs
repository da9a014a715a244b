//! What makes an entry of the list this one.

use sha2::{Digest, Sha256};

use crate::record::hex;

/// Hexadecimal digits of an entry's id: enough that two of a million entries share one by a chance of one in five hundred.
pub const ENTRY_ID_DIGITS: usize = 12;

/// The id under which people name an entry of the list: the first digits of the SHA-256 of its text. Entries that look alike have the same.
pub fn entry_id(text: &str) -> String {
    let mut id = hex(&Sha256::digest(text));
    id.truncate(ENTRY_ID_DIGITS);
    id
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
}
