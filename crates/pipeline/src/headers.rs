//! Headers of a record, and what a redrive says in them.

use events::Timestamp;

/// The header that counts how often a dead letter was sent back to its topic, as decimal text.
pub const RETRY_COUNT_HEADER: &str = "x-retry-count";
/// The header that names the dead letter which the record was, so that it has the same id should it become one again.
pub const DEAD_LETTER_ID_HEADER: &str = "x-dead-letter-id";
/// The header that tells when the record became a dead letter for the first time, RFC 3339.
pub const DEAD_LETTER_SINCE_HEADER: &str = "x-dead-letter-since";

/// Hexadecimal digits of a dead letter's id: enough that two of a million share one by a chance of one in five hundred.
pub const ENTRY_ID_DIGITS: usize = 12;

/// Whether this can be the id of a dead letter.
pub fn is_entry_id(text: &str) -> bool {
    text.len() == ENTRY_ID_DIGITS && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// A header as Kafka knows it. A name may come more than once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The name.
    pub name: String,
    /// The value; `None` is null, which is not the empty value.
    pub value: Option<Vec<u8>>,
}

impl Header {
    /// A header whose value is this text.
    pub fn text(name: &str, value: impl Into<String>) -> Self {
        Self { name: name.to_owned(), value: Some(value.into().into_bytes()) }
    }

    /// Bytes held: name and value.
    pub fn size(&self) -> usize {
        self.name.len() + self.value.as_ref().map_or(0, Vec::len)
    }

    /// Whether it is one of those that a redrive sets.
    pub fn is_of_redrive(&self) -> bool {
        [RETRY_COUNT_HEADER, DEAD_LETTER_ID_HEADER, DEAD_LETTER_SINCE_HEADER].contains(&self.name.as_str())
    }
}

/// What a record's headers say about its time as a dead letter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Redriven {
    /// How often it was redriven; 0 where the header is not there or not a number.
    pub retry_count: u32,
    /// The id of the dead letter that it was.
    pub id: Option<String>,
    /// When it became that for the first time.
    pub since: Option<Timestamp>,
}

impl Redriven {
    /// What these headers say; of several with one name the first counts. What nobody has redriven was no dead letter, and what cannot be an
    /// id or a time is none: whoever sends a record writes its headers.
    pub fn read(headers: &[Header]) -> Self {
        let text = |name| {
            let header = headers.iter().find(|header| header.name == name)?;
            std::str::from_utf8(header.value.as_deref()?).ok()
        };
        let retry_count = text(RETRY_COUNT_HEADER).and_then(|text| text.parse().ok()).unwrap_or_default();
        if retry_count == 0 {
            return Self::default();
        }
        Self {
            retry_count,
            id: text(DEAD_LETTER_ID_HEADER).filter(|text| is_entry_id(text)).map(str::to_owned),
            since: text(DEAD_LETTER_SINCE_HEADER).and_then(|text| Timestamp::parse(text).ok()),
        }
    }

    /// The headers that say this.
    pub fn headers(&self) -> Vec<Header> {
        let count = (self.retry_count > 0).then(|| Header::text(RETRY_COUNT_HEADER, self.retry_count.to_string()));
        let id = self.id.as_ref().map(|id| Header::text(DEAD_LETTER_ID_HEADER, id));
        let since = self.since.map(|since| Header::text(DEAD_LETTER_SINCE_HEADER, since.to_string()));
        [count, id, since].into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_redrive_says_is_read_again() {
        let redriven = Redriven { retry_count: 3, id: Some("0123456789ab".to_owned()), since: Some(Timestamp::UNIX_EPOCH) };
        assert_eq!(Redriven::read(&redriven.headers()), redriven);
        assert!(redriven.headers().iter().all(Header::is_of_redrive));
        assert!(Redriven::default().headers().is_empty());
        assert_eq!(Redriven::read(&[Header::text("traceparent", "00-1")]), Redriven::default());
    }

    #[test]
    fn what_cannot_be_a_count_an_id_or_a_time_is_none() {
        let read = |count: &str, id: &str, since: &str| {
            Redriven::read(&[
                Header::text(RETRY_COUNT_HEADER, count),
                Header::text(DEAD_LETTER_ID_HEADER, id),
                Header::text(DEAD_LETTER_SINCE_HEADER, since),
            ])
        };
        let known = ("0123456789ab", "2026-01-15T10:00:00Z");
        assert_eq!(read("2", known.0, known.1).since.map(|since| since.to_string()).as_deref(), Some(known.1));
        for count in ["many", "-1", "", "0", "4294967296"] {
            assert_eq!(read(count, known.0, known.1), Redriven::default(), "{count}: nobody has redriven it");
        }
        for id in ["", "0123456789a", "0123456789abc", "0123456789aG", "0123456789AB", "<script>0000"] {
            assert_eq!(read("1", id, known.1).id, None, "{id}");
        }
        assert_eq!(read("1", known.0, "yesterday").since, None);
        let null = Header { name: RETRY_COUNT_HEADER.to_owned(), value: None };
        assert_eq!(Redriven::read(&[null, Header::text(RETRY_COUNT_HEADER, "7")]), Redriven::default(), "the first counts");
    }
}
