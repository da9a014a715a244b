//! Whether a record holds an event.

use std::time::Duration;

use events::{Ahead, ComparedWith, Event, Field, Rule, Timestamp, Violation};

use crate::record::Record;

/// What a record turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decoded<'a> {
    /// An event that keeps the contract.
    Valid(Event<'a>),
    /// Something that never can be written.
    Broken(Violation),
    /// A null value: nothing to do, but counted.
    Tombstone,
}

/// Decodes a record by itself, at this time by the clock of whoever does it.
///
/// An event whose `timestamp` lies more than `max_clock_skew` in the future is broken: one producer's wrong clock must not win against every
/// later event. The future begins at the record's own time or now, whichever is earlier: most records are stamped by the clock of the
/// producer that made the event, which alone would compare that clock with itself; and a backlog or a replay is decoded as it was when it was
/// produced. A record whose own time alone is wrong breaks nothing.
pub fn decode_record(record: &Record, now: Timestamp, max_clock_skew: Duration) -> Decoded<'_> {
    let Some(value) = &record.value else {
        return Decoded::Tombstone;
    };
    let event = match events::decode(value) {
        Ok(event) => event,
        Err(violation) => return Decoded::Broken(violation),
    };
    match in_future(&event, record.timestamp_ms, now, max_clock_skew) {
        Some(violation) => Decoded::Broken(violation),
        None => Decoded::Valid(event),
    }
}

/// How far an event's `timestamp` lies in the future, as [`decode_record`] sees it; zero where it lies in the past. Within `max_clock_skew` it is
/// taken, and wins against correct later events all the same.
pub fn ahead_of_clock(event: &Event<'_>, record_ms: Option<i64>, now: Timestamp) -> Duration {
    compare(event, record_ms, now).0
}

fn compare(event: &Event<'_>, record_ms: Option<i64>, now: Timestamp) -> (Duration, ComparedWith) {
    let now_ms = now.unix_millis();
    let (clock_ms, of) = match record_ms {
        Some(record_ms) if record_ms <= now_ms => (record_ms, ComparedWith::Record),
        _ => (now_ms, ComparedWith::Consumer),
    };
    let ahead_ms = u64::try_from(event.at.unix_millis().saturating_sub(clock_ms)).unwrap_or_default();
    (Duration::from_millis(ahead_ms), of)
}

fn in_future(event: &Event<'_>, record_ms: Option<i64>, now: Timestamp, max_clock_skew: Duration) -> Option<Violation> {
    let (by, of) = compare(event, record_ms, now);
    (by > max_clock_skew).then(|| Violation {
        event_id: Some(event.id),
        event_type: Some(event.event_type()),
        field: Some(Field::Timestamp.into()),
        rule: Rule::TimestampInFuture(Ahead { by, of, record: record_ms.and_then(Timestamp::from_unix_millis) }),
    })
}

#[cfg(test)]
mod tests {
    use events::{EventType, samples};

    use super::*;
    use crate::record::Position;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn record(value: Option<Vec<u8>>, timestamp_ms: Option<i64>) -> Record {
        let position = Position { topic: "events".into(), partition: 0, offset: 0 };
        Record { position, assignment: 1, timestamp_ms, timestamp_type: None, key: None, value, headers: Vec::new() }
    }

    /// Milliseconds of a day.
    const DAY_MS: i64 = 24 * 3_600_000;

    #[test]
    fn a_null_value_is_a_tombstone_and_an_empty_one_is_broken() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(decode_record(&record(None, None), now, DAY), Decoded::Tombstone);
        assert!(matches!(decode_record(&record(Some(Vec::new()), None), now, DAY), Decoded::Broken(_)));
    }

    /// What is said of an event when its record and the consumer's clock tell these milliseconds after it; `None` where it is taken.
    fn said(record_ms: Option<i64>, now_ms: i64) -> Option<String> {
        let sample = samples::of(EventType::UserCreated);
        let record = record(Some(sample.to_json()), record_ms.map(|ms| sample.at.unix_millis() + ms));
        match decode_record(&record, sample.at.plus_micros(now_ms * 1000), DAY) {
            Decoded::Broken(violation) => Some(violation.to_string()),
            decoded => {
                assert_eq!(decoded, Decoded::Valid(sample));
                None
            }
        }
    }

    #[test]
    fn a_timestamp_may_lie_just_so_far_after_the_records_own_however_late_it_is_consumed() {
        for now_ms in [0, 1000 * DAY_MS] {
            assert_eq!(said(Some(-DAY_MS), now_ms), None);
            let text = said(Some(-DAY_MS - 1), now_ms).unwrap();
            assert!(text.contains("24 h after the record's own time (2026-01-14T"), "{text}");
        }
    }

    #[test]
    fn a_timestamp_may_lie_just_so_far_after_the_consumers_clock_whatever_its_record_says() {
        for record_ms in [None, Some(0), Some(1000 * DAY_MS), Some(i64::MAX / 2)] {
            assert_eq!(said(record_ms, -DAY_MS), None, "{record_ms:?}");
            let text = said(record_ms, -DAY_MS - 1).unwrap();
            assert!(text.contains("24 h after the consumer's clock (the record"), "{text}");
        }
        let own = samples::of(EventType::UserCreated).at;
        assert!(said(Some(0), -2 * DAY_MS).unwrap().ends_with(&format!("(the record's own time is {own})")));
        assert!(said(None, -2 * DAY_MS).unwrap().ends_with("(the record tells no time)"));
    }

    #[test]
    fn a_record_alone_that_lies_in_the_future_breaks_nothing() {
        assert_eq!(said(Some(1000 * DAY_MS), 0), None);
    }
}
