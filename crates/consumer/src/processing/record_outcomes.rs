//! Counting outcomes, and one line of log for each event at the place where its fate is decided.

use std::time::Duration;

use events::{EventType, Timestamp};
use pipeline::DeadLetter;
use pipeline::outcome::Outcome;
use pipeline::plan::Candidate;
use pipeline::ports::Clock as _;
use pipeline::record::Record;
use telemetry::Status;

use super::Consumer;
use super::write::Ended;
use crate::backends::{Backends, SystemClock};

impl<P: Backends> Consumer<P> {
    /// Counts how events ended. Rejected ones are counted when their dead letter is durable.
    pub(super) fn record_outcomes<'e>(&self, ended: impl Iterator<Item = Ended<'e>>) {
        let mut counts = [[0_u64; STATUSES.len()]; EventType::ALL.len()];
        let now = SystemClock.now();
        for (candidate, record, outcome) in ended {
            if let Some((place, status)) = status(outcome) {
                counts[candidate.event.event_type() as usize][place] += 1;
                if status == Status::Success {
                    self.metrics.event_time_lag(since(candidate.event.at, now));
                }
                log(candidate, record, status);
            }
        }
        for (event_type, counts) in EventType::ALL.into_iter().zip(counts) {
            for (status, count) in STATUSES.into_iter().zip(counts) {
                self.metrics.events_processed(event_type.as_str(), status, count);
            }
        }
    }

    /// The same for events out of the parking table. One that has to wait on was counted when it was parked.
    pub(super) fn record_released<'e>(&self, ended: impl Iterator<Item = Ended<'e>>) {
        let persisted: Vec<_> = ended.filter(|(_, _, outcome)| outcome.persisted()).collect();
        self.metrics.released(persisted.len() as u64);
        self.record_outcomes(persisted.into_iter());
    }

    /// Counts dead letters that have become durable; `new` of them were not in the queue before.
    pub(super) fn count_dead_letters<'d>(&self, dead_letters: impl ExactSizeIterator<Item = (&'d DeadLetter, &'static str)>, new: usize) {
        let count = dead_letters.len();
        for (dead_letter, event_type) in dead_letters {
            self.metrics.events_processed(event_type, Status::Error, 1);
            self.metrics.dead_letters(dead_letter.reason, 1);
        }
        self.metrics.dlq_entries(new as u64);
        if new < count {
            tracing::info!(dead_letters = count, new, "some dead letters were in the queue already");
        }
    }
}

/// How long ago that was; nothing where it lies ahead.
fn since(at: Timestamp, now: Timestamp) -> Duration {
    Duration::from_micros(u64::try_from(now.unix_micros().saturating_sub(at.unix_micros())).unwrap_or_default())
}

const STATUSES: [Status; 4] = [Status::Success, Status::Duplicate, Status::Stale, Status::Parked];

/// The status that an outcome counts as, and its place in [`STATUSES`].
const fn status(outcome: &Outcome) -> Option<(usize, Status)> {
    match outcome {
        Outcome::Applied => Some((0, Status::Success)),
        Outcome::Duplicate => Some((1, Status::Duplicate)),
        Outcome::Stale => Some((2, Status::Stale)),
        Outcome::Parked(_) => Some((3, Status::Parked)),
        Outcome::Rejected { .. } => None,
    }
}

/// What was decided, with the status under which it counts.
fn log(candidate: &Candidate<'_>, record: &Record, status: Status) {
    tracing::debug!(
        eventId = %candidate.event.id,
        eventType = candidate.event.event_type().as_str(),
        partition = record.position.partition,
        offset = record.position.offset,
        status = status.label(),
        "{}",
        match status {
            _ if candidate.parked.is_some() => "released from parking",
            Status::Success => "applied",
            Status::Duplicate => "no effect: it was applied before",
            Status::Stale => "no effect: something newer was applied",
            Status::Parked => "parked until what it needs is there",
            Status::Error => "refused",
        }
    );
}
