//! Dead letters of a batch: collected while it is decoded and written, durable before it is committed.

use events::{Event, Timestamp};
use pipeline::dead_letter::Diagnosis;
use pipeline::ports::{Clock, DeadLetterQueue};
use pipeline::record::Record;
use pipeline::{DeadLetter, Reason};

use super::Consumer;
use super::dead_letter_log::Told;
use super::held_records::HeldRecords;
use crate::backends::{Backends, SystemClock};
use crate::waiting::Stopped;

/// Letters that are not durable yet, each with what is known of its record.
#[derive(Default)]
pub(super) struct DeadLetters {
    dead_letters: Vec<DeadLetter>,
    of: Vec<Of>,
}

/// What is known of a dead letter's record.
struct Of {
    event_type: &'static str,
    /// Whether an operator has sent it again.
    is_redriven: bool,
    told: Told,
    key: Option<Vec<u8>>,
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

    /// What they have in common, where they are held.
    pub(super) fn held(&self) -> HeldRecords {
        let mut held = HeldRecords::default();
        for Of { told, key, .. } in &self.of {
            held.add(told.diagnosis(), told.place(), key.as_deref());
        }
        held
    }

    /// Takes out those that the queue does not know, in order.
    pub(super) fn split_new(&mut self, known: &[bool]) -> Self {
        let mut known = known.iter();
        self.split(|_| known.next() == Some(&false))
    }

    /// Takes out those that an operator has sent again.
    pub(super) fn split_redriven(&mut self) -> Self {
        self.split(|of| of.is_redriven)
    }

    /// Takes out the first ones, so many or all.
    pub(super) fn split_first(&mut self, count: usize) -> Self {
        let count = count.min(self.len());
        Self { dead_letters: self.dead_letters.drain(..count).collect(), of: self.of.drain(..count).collect() }
    }

    fn split(&mut self, mut is_taken: impl FnMut(&Of) -> bool) -> Self {
        let (mut taken, mut left) = (Self::default(), Self::default());
        for (dead_letter, of) in self.dead_letters.drain(..).zip(self.of.drain(..)) {
            let to = if is_taken(&of) { &mut taken } else { &mut left };
            to.dead_letters.push(dead_letter);
            to.of.push(of);
        }
        *self = left;
        taken
    }

    /// Adds the dead letter of a record.
    pub(super) fn add(&mut self, record: &Record, diagnosis: &Diagnosis) {
        let retry_count = record.redriven().retry_count;
        let now: Timestamp = SystemClock.now();
        self.dead_letters.push(DeadLetter::new(record, diagnosis, now));
        self.of.push(Of {
            event_type: diagnosis.event_type_label(),
            is_redriven: retry_count > 0,
            told: Told::new(record, diagnosis, retry_count),
            key: record.key.clone(),
        });
    }

    /// Adds the dead letter of an event that the database refused.
    pub(super) fn add_rejected(&mut self, record: &Record, event: &Event<'_>, reason: Reason, code: Option<i64>) {
        self.add(record, &Diagnosis::rejected(event.id, event.event_type(), reason, code));
    }
}

impl<P: Backends> Consumer<P> {
    /// Makes dead letters durable, however long the queue is away. Returns how many of them were in the queue before.
    pub(super) async fn send_to_dlq(&mut self, DeadLetters { dead_letters, of }: DeadLetters) -> Result<usize, Stopped> {
        if dead_letters.is_empty() {
            return Ok(0);
        }
        let new = self.waiting.until_done(|| self.dead_letters.push(&dead_letters)).await?;
        of.iter().for_each(|of| self.dead_letter_log.tell(&of.told));
        self.count_dead_letters(dead_letters.iter().zip(of.iter().map(|of| of.event_type)), new);
        Ok(dead_letters.len() - new)
    }
}
