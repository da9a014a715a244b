//! Whether a record holds an event.

use std::time::Duration;

use events::{Event, Field, Rule, Violation};

use crate::record::Record;

/// What a record turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// An event that keeps the contract.
    Valid(Event<'a>),
    /// Something that never can be written.
    Broken(Violation),
    /// A null value: nothing to do, but counted.
    Tombstone,
}

/// Judges a record by itself.
///
/// An event whose `timestamp` lies more than `max_clock_skew` after the record's own timestamp is broken: one producer's wrong clock must
/// not win against every later event.
pub fn judge(record: &Record, max_clock_skew: Duration) -> Verdict<'_> {
    let Some(value) = &record.value else {
        return Verdict::Tombstone;
    };
    let event = match events::decode(value) {
        Ok(event) => event,
        Err(violation) => return Verdict::Broken(violation),
    };
    match in_future(&event, record.timestamp_ms, max_clock_skew) {
        Some(violation) => Verdict::Broken(violation),
        None => Verdict::Valid(event),
    }
}

fn in_future(event: &Event<'_>, record_ms: Option<i64>, max_clock_skew: Duration) -> Option<Violation> {
    let skew_ms = i64::try_from(max_clock_skew.as_millis()).unwrap_or(i64::MAX);
    let latest_ms = record_ms?.saturating_add(skew_ms);
    (event.at.unix_millis() > latest_ms).then(|| Violation {
        event_id: Some(event.id),
        event_type: Some(event.event_type()),
        field: Some(Field::Timestamp.into()),
        rule: Rule::TimestampInFuture,
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
        Record { position, assignment: 1, timestamp_ms, key: None, value, retry_count: 0 }
    }

    #[test]
    fn a_null_value_is_a_tombstone_and_an_empty_one_is_broken() {
        assert_eq!(judge(&record(None, None), DAY), Verdict::Tombstone);
        assert!(matches!(judge(&record(Some(Vec::new()), None), DAY), Verdict::Broken(_)));
    }

    #[test]
    fn a_timestamp_may_lie_just_so_far_after_the_records_own() {
        let sample = samples::of(EventType::UserCreated);
        let bound = sample.at.unix_millis() - 24 * 3_600_000;
        let at = |record_ms| judge(&record(Some(sample.to_json()), record_ms), DAY) == Verdict::Valid(sample.clone());
        assert!(at(Some(bound)));
        assert!(!at(Some(bound - 1)));
        assert!(at(None), "a record without a timestamp has nothing to compare with");
    }
}
