//! Events, and unwritable records among them, as they are sent.

use events::{Event, EventType};
use pipeline::ports::Message;

use super::poison::{Poison, PoisonKind};

/// What a record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Content {
    /// An event.
    Event(EventType),
    /// Something unwritable.
    Poison(PoisonKind),
}

/// A record to send, and what it holds.
pub type Record = (Content, Message);

/// The records of a stream of events.
pub struct Records<I> {
    events: I,
    poison: Option<(Poison, u64)>,
    given: u64,
}

impl<I: Iterator<Item = Event<'static>>> Records<I> {
    /// The events, each under its key.
    pub const fn new(events: I) -> Self {
        Self { events, poison: None, given: 0 }
    }

    /// Adds unwritable records between the events, so that each `every`-th record is one (at most each second). The events stay as
    /// they are.
    #[must_use]
    pub fn with_poison(self, every: Option<u64>, seed: u64) -> Self {
        Self { poison: every.map(|every| (Poison::new(seed), every.max(2))), ..self }
    }
}

/// How many records there are for so many events with an unwritable one in each `every`-th place.
pub const fn total(events: u64, poison_every: Option<u64>) -> u64 {
    match poison_every {
        Some(every) if every >= 2 => events + events / (every - 1),
        _ => events,
    }
}

impl<I: Iterator<Item = Event<'static>>> Iterator for Records<I> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        self.given += 1;
        if let Some((poison, every)) = &mut self.poison
            && self.given.is_multiple_of(*every)
        {
            return poison.next().map(|(kind, message)| (Content::Poison(kind), message));
        }
        let event = self.events.next()?;
        Some((Content::Event(event.event_type()), crate::message::of_event(&event)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::{Generator, GeneratorConfig};

    #[test]
    fn each_fiftieth_record_is_unwritable_and_the_events_are_the_same_without_them() {
        let generator = || Generator::new(GeneratorConfig::new(4900, 3));
        let mixed: Vec<_> = Records::new(generator()).with_poison(Some(50), 3).collect();
        assert_eq!(mixed.len() as u64, total(4900, Some(50)));
        let is_poison = |record: &&Record| matches!(record.0, Content::Poison(_));
        assert_eq!(mixed.iter().filter(is_poison).count(), 100);
        let (poison, events): (Vec<_>, Vec<_>) = mixed.iter().partition(is_poison);
        assert!(poison.iter().all(|(_, message)| events::decode(message.value.as_ref().unwrap()).is_err()));
        assert!(events.into_iter().eq(Records::new(generator()).collect::<Vec<_>>().iter()));
    }
}
