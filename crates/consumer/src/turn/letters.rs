//! Dead letters of a batch: collected while it is judged and written, durable before it is committed.

use events::{Event, Timestamp};
use pipeline::dead_letter::Diagnosis;
use pipeline::ports::{Clock, DeadLetterQueue};
use pipeline::record::Record;
use pipeline::{DeadLetter, Reason};

use super::Consumer;
use crate::parts::{Parts, SystemClock};
use crate::waiting::Stopped;

/// Letters that are not durable yet.
#[derive(Default)]
pub(super) struct Letters {
    letters: Vec<DeadLetter>,
    event_types: Vec<&'static str>,
}

impl Letters {
    /// How many.
    pub(super) const fn len(&self) -> usize {
        self.letters.len()
    }

    /// Whether there is none.
    pub(super) const fn is_empty(&self) -> bool {
        self.letters.is_empty()
    }

    /// Adds the letter of a record, and says so in the log: here the decision is taken.
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
        self.letters.push(DeadLetter::new(record, diagnosis, now));
        self.event_types.push(event_type);
    }

    /// Adds the letter of an event that the database refused.
    pub(super) fn add_rejected(&mut self, record: &Record, event: &Event<'_>, reason: Reason, code: Option<i64>) {
        self.add(record, &Diagnosis::rejected(event.id, event.event_type(), reason, code));
    }
}

impl<P: Parts> Consumer<P> {
    /// Makes letters durable, however long the queue is away.
    pub(super) async fn bury(&mut self, Letters { letters, event_types }: Letters) -> Result<(), Stopped> {
        if letters.is_empty() {
            return Ok(());
        }
        let new = self.waiting.until_done(|| self.letters.push(&letters)).await?;
        self.count_letters(&letters, &event_types, new);
        Ok(())
    }
}
