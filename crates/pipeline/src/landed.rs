//! Where a redrive has put a letter, kept with its job, so that it can be told later how it ended.

use events::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::log::{LogId, LogPosition};
use crate::ports::Delivered;
use crate::trace::{About, Entity};

/// The longest text of a [`Landed`] that is kept. Only a topic that was recreated very often needs more.
pub const LONGEST_LANDED: usize = 1000;

/// Where the broker put a letter, what its event says of itself, and what was known before it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Landed {
    /// The topic.
    pub topic: String,
    /// The partition and the offset there.
    pub place: Delivered,
    /// `None` where its payload breaks the contract.
    pub about: Option<About>,
    /// `None` where nobody looked.
    pub before: Option<Before>,
}

/// How the tables stood before a letter was sent: what comes after it is told apart by that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Before {
    /// What was applied before this time, by the database's clock, was not applied by this sending.
    pub since: Timestamp,
    /// The logs of the topic that were beyond the letter's place already: it is in none of them. A topic that is created anew begins at 0 again.
    pub not_in: Vec<LogId>,
}

impl Landed {
    /// With how the tables stood: from this time of their clock on, with their logs at these positions.
    #[must_use]
    pub fn after(self, since: Timestamp, positions: &[LogPosition]) -> Self {
        let not_in = positions.iter().filter(|position| self.is_behind(position)).map(|position| position.log).collect();
        Self { before: Some(Before { since, not_in }), ..self }
    }

    /// Whether the tables hold what was put there, by these positions: a log has come beyond it that had not before.
    pub fn is_passed(&self, positions: &[LogPosition]) -> bool {
        let not_in = self.before.as_ref().map_or(&[][..], |before| &before.not_in);
        positions.iter().any(|position| self.is_behind(position) && !not_in.contains(&position.log))
    }

    fn is_behind(&self, position: &LogPosition) -> bool {
        (&*position.topic, position.partition) == (&*self.topic, self.place.partition) && position.next_offset > self.place.offset
    }

    /// As a store keeps it: ids and times, nothing else of the event. `None` where that is too long.
    pub fn to_stored(&self) -> Option<String> {
        let Self { topic, place, about, before } = self;
        let stored = Stored {
            topic: topic.clone(),
            partition: place.partition,
            offset: place.offset,
            event: about.map(|about| StoredEvent {
                id: about.event_id,
                at: about.event_at.unix_micros(),
                about: about.entity.map(|entity| (entity.type_number(), entity.id())),
            }),
            before: before
                .as_ref()
                .map(|before| StoredBefore { since: before.since.unix_micros(), not_in: before.not_in.iter().map(|log| log.0).collect() }),
        };
        serde_json::to_string(&stored).ok().filter(|text| text.encode_utf16().count() <= LONGEST_LANDED)
    }

    /// What was kept so; `None` where that cannot be read.
    pub fn from_stored(text: &str) -> Option<Self> {
        let Stored { topic, partition, offset, event, before } = serde_json::from_str(text).ok()?;
        // What is missing is not known; what is wrong makes all of it so.
        let about = match event {
            Some(event) => Some(event.about()?),
            None => None,
        };
        let before = match before {
            Some(StoredBefore { since, not_in }) => {
                Some(Before { since: Timestamp::from_unix_micros(since)?, not_in: not_in.into_iter().map(LogId).collect() })
            }
            None => None,
        };
        Some(Self { topic, place: Delivered { partition, offset }, about, before })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    topic: String,
    partition: i32,
    offset: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<StoredEvent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<StoredBefore>,
}

/// Times in microseconds since 1970; the entity by the number of its table and its id.
#[derive(Serialize, Deserialize)]
struct StoredEvent {
    id: Uuid,
    at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<(u8, Uuid)>,
}

impl StoredEvent {
    fn about(self) -> Option<About> {
        let entity = match self.about {
            Some((type_number, id)) => Some(Entity::from_columns(type_number, id)?),
            None => None,
        };
        Some(About { event_id: self.id, entity, event_at: Timestamp::from_unix_micros(self.at)? })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StoredBefore {
    since: i64,
    not_in: Vec<Uuid>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(number: u128) -> LogId {
        LogId(Uuid::from_u128(number))
    }

    fn position(number: u128, partition: i32, next_offset: i64) -> LogPosition {
        LogPosition { log: log(number), topic: "events".into(), partition, next_offset }
    }

    fn landed() -> Landed {
        Landed { topic: "events".to_owned(), place: Delivered { partition: 0, offset: 7 }, about: None, before: None }
    }

    #[test]
    fn a_log_that_was_beyond_a_place_before_is_not_the_one_that_a_letter_landed_in() {
        let landed = landed().after(Timestamp::UNIX_EPOCH, &[position(1, 0, 900), position(2, 0, 7), position(4, 1, 900)]);
        assert_eq!(landed.before.as_ref().unwrap().not_in, [log(1)]);
        assert!(!landed.is_passed(&[position(1, 0, 900), position(2, 0, 7)]), "the first log is one that was deleted");
        assert!(!landed.is_passed(&[position(1, 0, 901), position(2, 0, 7), position(2, 1, 20)]), "another partition");
        assert!(!landed.is_passed(&[LogPosition { topic: "others".into(), ..position(2, 0, 8) }]), "another topic");
        assert!(landed.is_passed(&[position(1, 0, 900), position(2, 0, 8)]));
        assert!(landed.is_passed(&[position(1, 0, 900), position(3, 0, 8)]), "a log that is new");
    }

    #[test]
    fn it_survives_the_store() {
        let id = Uuid::from_u128(9);
        let about = |entity| Some(About { event_id: Uuid::from_u128(7), entity, event_at: Timestamp::UNIX_EPOCH.plus_micros(3) });
        let full = Landed { about: about(Some(Entity::Order(id))), ..landed() };
        let full = full.after(Timestamp::UNIX_EPOCH.plus_micros(-5), &[position(1, 0, 900)]);
        for kept in [full.clone(), Landed { about: about(None), ..full.clone() }, landed()] {
            assert_eq!(Landed::from_stored(&kept.to_stored().unwrap()), Some(kept));
        }
        let shape = r#"{"topic":"events","partition":0,"offset":7,"event":{"id":"00000000-0000-0000-0000-000000000007","at":3,"about":[2,"00000000-0000-0000-0000-000000000009"]},"before":{"since":-5,"notIn":["00000000-0000-0000-0000-000000000001"]}}"#;
        assert_eq!(full.to_stored().as_deref(), Some(shape), "what a newer program reads");
    }

    #[test]
    fn what_is_too_long_is_not_kept_and_what_cannot_be_read_is_not_known() {
        let many: Vec<_> = (0..100).map(|number| position(number, 0, 900)).collect();
        assert_eq!(landed().after(Timestamp::UNIX_EPOCH, &many).to_stored(), None);
        let longest = Landed { topic: "t".repeat(249), ..landed() };
        assert!(longest.to_stored().is_some(), "the longest name that Kafka allows");
        for text in [
            "",
            "{}",
            "null",
            r#"{"topic":"events","partition":0}"#,
            r#"{"topic":"events","partition":0,"offset":7,"event":{"id":"00000000-0000-0000-0000-000000000007","at":9223372036854775807}}"#,
            r#"{"topic":"events","partition":0,"offset":7,"event":{"id":"00000000-0000-0000-0000-000000000007","at":0,"about":[9,"00000000-0000-0000-0000-000000000007"]}}"#,
            r#"{"topic":"events","partition":0,"offset":7,"before":{"since":9223372036854775807,"notIn":[]}}"#,
        ] {
            assert_eq!(Landed::from_stored(text), None, "{text}");
        }
        let newer = r#"{"topic":"events","partition":0,"offset":7,"more":1}"#;
        assert_eq!(Landed::from_stored(newer), Some(landed()), "a field of a newer program is passed over");
    }
}
