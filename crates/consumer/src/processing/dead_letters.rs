//! Dead letters of a batch: collected while it is decoded and written, durable before it is committed.

use events::{Event, Timestamp};
use pipeline::dead_letter::Diagnosis;
use pipeline::ports::{Clock, DeadLetterQueue};
use pipeline::record::Record;
use pipeline::{DeadLetter, Reason};

use super::Consumer;
use crate::backends::{Backends, SystemClock};
use crate::waiting::Stopped;

/// Letters that are not durable yet.
#[derive(Default)]
pub(super) struct DeadLetters {
    dead_letters: Vec<DeadLetter>,
    event_types: Vec<&'static str>,
}

impl DeadLetters {
    /// How many.
    pub(super) const fn len(&self) -> usize {
        self.dead_letters.len()
    }

    /// Whether there is none.
    pub(super) const fn is_empty(&self) -> bool {
        self.dead_letters.is_empty()
    }

    /// All of them, in order.
    pub(super) fn all(&self) -> &[DeadLetter] {
        &self.dead_letters
    }

    /// Takes out those that the queue does not know, in order.
    pub(super) fn split_new(&mut self, known: &[bool]) -> Self {
        let (mut new, mut old) = (Self::default(), Self::default());
        let all = self.dead_letters.drain(..).zip(self.event_types.drain(..));
        for ((dead_letter, event_type), known) in all.zip(known) {
            let to = if *known { &mut old } else { &mut new };
            to.dead_letters.push(dead_letter);
            to.event_types.push(event_type);
        }
        *self = old;
        new
    }

    /// Takes out the first ones, so many or all.
    pub(super) fn split_first(&mut self, count: usize) -> Self {
        let count = count.min(self.len());
        Self { dead_letters: self.dead_letters.drain(..count).collect(), event_types: self.event_types.drain(..count).collect() }
    }

    /// Adds the dead letter of a record, and says so in the log: here the decision is taken.
    pub(super) fn add(&mut self, record: &Record, diagnosis: &Diagnosis) {
        let event_type = diagnosis.event_type.map_or("unknown", events::EventType::as_str);
        tracing::warn!(
            eventId = diagnosis.event_id.map(tracing::field::display),
            eventType = event_type,
            partition = record.position.partition,
            offset = record.position.offset,
            reason = diagnosis.reason.label(),
            retryCount = record.retry_count,
            "dead letter: {}",
            diagnosis.error
        );
        let now: Timestamp = SystemClock.now();
        self.dead_letters.push(DeadLetter::new(record, diagnosis, now));
        self.event_types.push(event_type);
    }

    /// Adds the dead letter of an event that the database refused.
    pub(super) fn add_rejected(&mut self, record: &Record, event: &Event<'_>, reason: Reason, code: Option<i64>) {
        self.add(record, &Diagnosis::rejected(event.id, event.event_type(), reason, code));
    }
}

impl<P: Backends> Consumer<P> {
    /// Makes dead letters durable, however long the queue is away. Returns how many of them were in the queue before.
    pub(super) async fn send_to_dlq(&mut self, DeadLetters { dead_letters, event_types }: DeadLetters) -> Result<usize, Stopped> {
        if dead_letters.is_empty() {
            return Ok(0);
        }
        let new = self.waiting.until_done(|| self.dead_letters.push(&dead_letters)).await?;
        self.count_dead_letters(&dead_letters, &event_types, new);
        Ok(dead_letters.len() - new)
    }
}
