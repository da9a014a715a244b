//! What is remembered of one dead letter: what lists, groups and filters need, and no payload.

use console::LetterRow;
use events::{EventType, Timestamp};
use pipeline::dead_letter::{Entry, is_entry_id};
use pipeline::trace::Subject;
use uuid::Uuid;

use super::names::{Name, Names};
use crate::console::sentences;
use crate::dlq::Filter;
use crate::dlq::listed::Listed;
use crate::dlq::printable::printable;
use crate::trace::letters::subject_of;

/// Where an entry tells no time; before any that can be told.
const UNTOLD: i64 = i64::MIN;

/// What is remembered of one dead letter, in 112 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Tells its text apart from others, in this process.
    pub digest: u64,
    /// The number that its id writes in hexadecimal digits.
    pub id: u64,
    pub event_id: Option<Uuid>,
    /// The user or order that it is about, for which others may wait.
    pub about: Option<About>,
    pub fingerprint: Name,
    pub error: Name,
    reason: Name,
    event_type: Name,
    at: i64,
    first_at: i64,
    place: Option<(Name, i32, i64)>,
    retries: u32,
}

/// Whose row a dead letter would fill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct About {
    /// The user or the order.
    pub id: Uuid,
    /// Whether its key says so, because its payload does not.
    pub by_key: bool,
}

impl Row {
    pub fn new(listed: &Listed, digest: u64, names: &mut Names) -> Self {
        let entry = listed.entry.as_ref();
        let micros = |at: Option<Timestamp>| at.map_or(UNTOLD, Timestamp::unix_micros);
        let place = entry.and_then(|entry| Some((entry.topic.as_deref()?, entry.partition?, entry.offset?)));
        Self {
            digest,
            id: number(&listed.id),
            event_id: entry.and_then(Entry::event_uuid),
            about: about(listed),
            fingerprint: names.name(&listed.fingerprint()),
            error: names.name(&sentences::error(listed)),
            reason: names.name(listed.reason()),
            event_type: names.name(listed.event_type()),
            at: micros(entry.and_then(|entry| entry.at())),
            first_at: micros(entry.and_then(|entry| entry.first_at())),
            place: place.map(|(topic, partition, offset)| (names.name(topic), partition, offset)),
            retries: listed.retries(),
        }
    }

    /// The same row with names of another collection.
    pub fn renamed(self, mut name: impl FnMut(Name) -> Name) -> Self {
        Self {
            fingerprint: name(self.fingerprint),
            error: name(self.error),
            reason: name(self.reason),
            event_type: name(self.event_type),
            place: self.place.map(|(topic, partition, offset)| (name(topic), partition, offset)),
            ..self
        }
    }

    /// Where its record stands, in topic, partition and offset.
    pub fn place<'n>(&self, names: &'n Names) -> Option<(&'n str, i32, i64)> {
        self.place.map(|(topic, partition, offset)| (names.text(topic), partition, offset))
    }

    /// When it became a dead letter, the last time.
    pub fn at(&self) -> Option<Timestamp> {
        time(self.at)
    }

    /// As a list shows it.
    pub fn shown(&self, names: &Names) -> LetterRow {
        LetterRow {
            id: id(self.id),
            since: time(self.first_at).map(|at| at.to_string()),
            reason: sentences::shortened(names.text(self.reason)),
            event_type: names.text(self.event_type).to_owned(),
            event_id: self.event_id.map(|id| id.to_string()),
            fingerprint: names.text(self.fingerprint).to_owned(),
            error: names.text(self.error).to_owned(),
            place: self.place(names).map(|(topic, partition, offset)| format!("{}/{partition}/{offset}", printable(topic))),
            retries: self.retries,
        }
    }
}

/// Whose row it would fill. Where its payload does not tell, its key does, which is the id of a user or an order.
fn about(listed: &Listed) -> Option<About> {
    let by_payload = match EventType::parse(listed.event_type()) {
        // Nothing waits for a payment or for stock, and their payloads need not be read.
        Some(EventType::PaymentSettled | EventType::InventoryAdjusted) => return None,
        Some(EventType::UserCreated | EventType::OrderPlaced) => subject_of(listed),
        None => None,
    };
    match by_payload {
        Some(Subject::Entity(entity)) => Some(About { id: entity.id(), by_key: false }),
        Some(Subject::Article(_)) | None => {
            let key = listed.entry.as_ref().and_then(Entry::key)?;
            Uuid::try_parse_ascii(&key).ok().map(|id| About { id, by_key: true })
        }
    }
}

fn time(micros: i64) -> Option<Timestamp> {
    (micros != UNTOLD).then(|| Timestamp::from_unix_micros(micros)).flatten()
}

/// The number that an id of 12 hexadecimal digits writes.
fn number(id: &str) -> u64 {
    u64::from_str_radix(id, 16).unwrap_or(u64::MAX)
}

/// The id of this number.
pub(super) fn id(number: u64) -> String {
    format!("{number:012x}")
}

/// A filter in the names of an index.
pub(super) struct Wanted {
    ids: Vec<u64>,
    any_id: bool,
    reason: Option<Name>,
    fingerprint: Option<Name>,
    event_type: Option<Name>,
    /// The latest moment at which it became a dead letter for the first time.
    first_until: Option<i64>,
    until: Option<i64>,
}

impl Wanted {
    /// What this filter means at this time; `None` where it can mean no row, because it asks for a text that none has.
    pub fn new(filter: &Filter, names: &Names, now: Timestamp) -> Option<Self> {
        // In full, so that a new condition is not forgotten here.
        let Filter { ids, reason, fingerprint, event_type, older_than, until } = filter;
        let name = |text: &Option<String>| text.as_deref().map_or(Some(None), |text| names.find(text).map(Some));
        let oldest = |least: std::time::Duration| {
            let age = i64::try_from(least.as_micros()).unwrap_or(i64::MAX);
            until.unwrap_or(now).unix_micros().saturating_sub(age)
        };
        Some(Self {
            any_id: ids.is_empty(),
            ids: ids.iter().filter(|id| is_entry_id(id)).map(|id| number(id)).collect(),
            reason: name(reason)?,
            fingerprint: name(fingerprint)?,
            event_type: name(event_type)?,
            first_until: older_than.map(|least| if least.is_zero() { i64::MAX } else { oldest(least) }),
            until: until.map(Timestamp::unix_micros),
        })
    }

    /// As [`Filter::selects`] says of the entry itself.
    pub fn selects(&self, row: &Row) -> bool {
        let is = |wanted: Option<Name>, found: Name| wanted.is_none_or(|wanted| wanted == found);
        is(self.fingerprint, row.fingerprint)
            && is(self.reason, row.reason)
            && is(self.event_type, row.event_type)
            && self.until.is_none_or(|until| row.at <= until)
            && self.first_until.is_none_or(|until| row.first_at != UNTOLD && row.first_at <= until)
            && (self.any_id || self.ids.contains(&row.id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_as_small_as_it_is_said_to_be() {
        assert!(size_of::<Row>() <= 112, "{}", size_of::<Row>());
    }

    #[test]
    fn an_id_is_the_number_that_it_writes() {
        for text in ["000000000000", "0123456789ab", "ffffffffffff"] {
            assert_eq!(id(number(text)), text);
        }
    }
}
