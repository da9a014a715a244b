//! Dead letters and parked events in numbers, as floods of some kinds leave them.

use anyhow::ensure;
use events::{EventType, Rule, Timestamp, samples};
use pipeline::dead_letter::{Diagnosis, Reason, entry_id};
use pipeline::ports::DeadLetterQueue;
use pipeline::{DeadLetter, ParkedEvent, Position, WaitsFor};
use uuid::Uuid;

use crate::place::Tables;
use crate::source::record;

/// Kinds of failures: each of these reasons at each of these fields.
const REASONS: [Reason; 5] = [
    Reason::Contract(Rule::Missing),
    Reason::Contract(Rule::InvalidText),
    Reason::Contract(Rule::Duplicate),
    Reason::Constraint("ck_users"),
    Reason::EventIdConflict,
];
const FIELDS: [&str; 8] = ["email", "firstName", "lastName", "userId", "createdAt", "timestamp", "version", "source"];
/// Of the parked events, one in so many waits for one and the same parent; the others wait by so many for parents of their own.
const LARGE: usize = 10;
const SMALL: usize = 10;
/// Rows that are written at once.
const CHUNK: usize = 1000;

/// Dead letters of forty fingerprints by turns, one a second.
pub struct Unwritable {
    letters: Vec<DeadLetter>,
    event_ids: Vec<Uuid>,
}

impl Unwritable {
    /// So many.
    pub fn new(count: usize) -> Self {
        let event_ids: Vec<_> =
            (0..count).map(|number| Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + number as u128)).collect();
        let now = Timestamp::from(std::time::SystemTime::now());
        let letter = |(number, event_id): (usize, &Uuid)| {
            let event = events::Event { id: *event_id, ..samples::of(EventType::UserCreated) };
            let record = record(number as i64, producer::message::of_event(&event));
            let (reason, field) = kind(number);
            let error = format!("{field} is not what it should be");
            let diagnosis =
                Diagnosis { event_id: Some(*event_id), event_type: Some(EventType::UserCreated), reason, error, subject: field.to_owned() };
            DeadLetter::new(&record, &diagnosis, now.plus_micros((number as i64 - count as i64) * 1_000_000))
        };
        Self { letters: event_ids.iter().enumerate().map(letter).collect(), event_ids }
    }

    /// Puts them into a queue.
    ///
    /// # Errors
    /// The queue fails, or holds others already.
    pub async fn push(&self, queue: &impl DeadLetterQueue) -> anyhow::Result<()> {
        for chunk in self.letters.chunks(CHUNK) {
            ensure!(queue.push(chunk).await? == chunk.len(), "the queue holds some of them already");
        }
        Ok(())
    }

    /// How many.
    pub fn count(&self) -> usize {
        self.letters.len()
    }

    /// The id of one of them; 0 is the oldest.
    pub fn id(&self, number: usize) -> String {
        entry_id(&self.letters[number].json)
    }

    /// The event id of one of them.
    pub fn event_id(&self, number: usize) -> Uuid {
        self.event_ids[number]
    }

    /// Their fingerprints, each with how many it has.
    pub fn groups(&self) -> impl Iterator<Item = (String, usize)> {
        let kinds = REASONS.len() * FIELDS.len();
        (0..kinds.min(self.count())).map(move |first| {
            let (reason, field) = kind(first);
            (format!("{}:UserCreated:{field}", reason.label()), (self.count() - first).div_ceil(kinds))
        })
    }

    /// One with the most.
    pub fn largest(&self) -> (String, usize) {
        self.groups().max_by_key(|(_, count)| *count).unwrap_or_default()
    }
}

fn kind(number: usize) -> (Reason, &'static str) {
    (REASONS[number % REASONS.len()], FIELDS[number / REASONS.len() % FIELDS.len()])
}

/// Parks so many orders, one in ten for one and the same user. Returns how many users are waited for.
///
/// # Errors
/// The tables fail.
pub async fn fill_parked(tables: &impl Tables, count: usize) -> anyhow::Result<usize> {
    let large = count / LARGE;
    let user = |number: usize| Uuid::from_u128(0x0190_0000_0000_7000_9000_0000_0000_0000 + number as u128);
    let parent = |number: usize| if number < large { 0 } else { 1 + (number - large) / SMALL };
    let topic: std::sync::Arc<str> = "events".into();
    let event = |number: usize| {
        let id = Uuid::from_u128(0x0190_0000_0000_7000_a000_0000_0000_0000 + number as u128);
        let event = events::Event { id, ..samples::of(EventType::OrderPlaced) };
        let mut record = record(0, producer::message::of_event(&event));
        record.position = Position { topic: topic.clone(), partition: (number % 8) as i32, offset: 1_000_000_000 + (number / 8) as i64 };
        ParkedEvent::new(&record, id, WaitsFor::User(user(parent(number))))
    };
    let numbers: Vec<_> = (0..count).collect();
    for chunk in numbers.chunks(CHUNK) {
        tables.park(&chunk.iter().map(|number| event(*number)).collect::<Vec<_>>()).await?;
    }
    Ok(count.checked_sub(1).map_or(0, |last| parent(last) + usize::from(large > 0)))
}
