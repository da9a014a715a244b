//! How bytes and headers are written where JSON keeps them: in dead letters, and with events that wait.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::headers::{Header, Redriven};

/// How bytes are written in JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// As they are: they are UTF-8.
    #[default]
    Utf8,
    /// In base64 (RFC 4648 §4): they are not.
    Base64,
}

impl Encoding {
    // Serde's `skip_serializing_if` hands over a reference.
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
    const fn is_utf8(&self) -> bool {
        matches!(self, Self::Utf8)
    }

    pub(crate) fn encode(bytes: &[u8]) -> (Self, String) {
        match std::str::from_utf8(bytes) {
            Ok(text) => (Self::Utf8, text.to_owned()),
            Err(_) => (Self::Base64, STANDARD.encode(bytes)),
        }
    }

    pub(crate) fn decode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Utf8 => Some(text.as_bytes().to_vec()),
            Self::Base64 => STANDARD.decode(text).ok(),
        }
    }
}

/// A header of the message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryHeader {
    /// The name.
    pub name: String,
    /// The value, as text or base64 (see `encoding`); `null` where it was null.
    pub value: Option<String>,
    /// How `value` is written.
    #[serde(default, skip_serializing_if = "Encoding::is_utf8")]
    pub encoding: Encoding,
}

impl EntryHeader {
    pub(crate) fn new(header: &Header) -> Self {
        let value = header.value.as_deref().map(Encoding::encode);
        let encoding = value.as_ref().map_or(Encoding::Utf8, |(encoding, _)| *encoding);
        Self { name: header.name.clone(), value: value.map(|(_, text)| text), encoding }
    }

    /// The header as it was consumed; `None` where the base64 is broken.
    pub fn header(&self) -> Option<Header> {
        let value = match &self.value {
            Some(text) => Some(self.encoding.decode(text)?),
            None => None,
        };
        Some(Header { name: self.name.clone(), value })
    }
}

/// The headers as a store keeps them, in the form that they have in a dead letter; `None` where there are none.
pub fn to_stored(headers: &[Header]) -> Option<String> {
    let headers: Vec<_> = headers.iter().map(EntryHeader::new).collect();
    // Writing to memory cannot fail.
    (!headers.is_empty()).then(|| serde_json::to_string(&headers).unwrap_or_default())
}

/// The headers as a store has kept them. A program that kept none has kept how often the record was redriven.
pub fn from_stored(stored: Option<&str>, retry_count: u32) -> Vec<Header> {
    let headers = stored.and_then(|text| serde_json::from_str::<Vec<EntryHeader>>(text).ok());
    let headers = headers.and_then(|headers| headers.iter().map(EntryHeader::header).collect());
    headers.unwrap_or_else(|| Redriven { retry_count, ..Redriven::default() }.headers())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::headers::RETRY_COUNT_HEADER;

    #[test]
    fn a_store_gives_headers_back_unchanged_and_what_an_older_program_kept_is_the_count() {
        let headers = [
            Header::text("traceparent", "00-1"),
            Header { name: "bytes".to_owned(), value: Some(vec![0xff, 0]) },
            Header { name: "null".to_owned(), value: None },
            Header::text(RETRY_COUNT_HEADER, "2"),
        ];
        assert_eq!(from_stored(to_stored(&headers).as_deref(), 2), headers);
        assert_eq!(to_stored(&[]), None);
        assert_eq!(from_stored(None, 0), []);
        for unreadable in [None, Some(""), Some("{}"), Some(r#"[{"name":"a","value":"?","encoding":"base64"}]"#)] {
            assert_eq!(from_stored(unreadable, 3), [Header::text(RETRY_COUNT_HEADER, "3")], "{unreadable:?}");
        }
    }
}
