//! One chunk of a poll, decoded and planned: the records, and what they turned out to be.

use std::time::Duration;

use events::Violation;
use pipeline::decoded::{Decoded, ahead_of_clock, decode_record};
use pipeline::plan::{Candidate, Round, plan};
use pipeline::ports::Clock as _;
use pipeline::record::Record;
use self_cell::self_cell;

use crate::backends::SystemClock;

/// Clocks that are kept by NTP differ by less.
const CLOCKS_DIFFER: Duration = Duration::from_secs(1);

/// What the records of a part turned out to be. Events borrow their text from the records.
#[derive(Default)]
pub(super) struct DecodedBatch<'r> {
    /// The events to write.
    pub candidates: Vec<Candidate<'r>>,
    /// The record of each candidate.
    pub sources: Vec<&'r Record>,
    /// The batches in which the candidates are written.
    pub rounds: Vec<Round>,
    /// What holds no event.
    pub broken: Vec<(&'r Record, Violation)>,
    /// Null values.
    pub tombstones: u64,
    /// Candidates whose time lies in the future, though not too far to be taken, by their place, and how far.
    pub ahead: Vec<(usize, Duration)>,
}

impl DecodedBatch<'_> {
    /// Divides the candidates into batches of so many rows.
    pub(super) fn plan(&mut self, max_rows: usize) {
        self.rounds = plan(&self.candidates, 0..self.candidates.len(), max_rows);
    }
}

/// What decoding and planning go by.
#[derive(Clone, Copy, Debug)]
pub(super) struct DecodeRules {
    /// How far an event's timestamp may lie after its record's, and after our clock.
    pub max_clock_skew: Duration,
    /// Rows that one statement may write.
    pub max_rows: usize,
}

self_cell!(
    /// Records together with what was read in them, so that both can be handed over from the thread that decodes to the one that writes.
    pub(super) struct Chunk {
        owner: Vec<Record>,
        #[covariant]
        dependent: DecodedBatch,
    }
);

impl Chunk {
    /// Sorts the records into events to write and records that hold none, and plans the writing.
    pub(super) fn decode(records: Vec<Record>, rules: DecodeRules) -> Self {
        // One clock for all of them.
        let now = SystemClock.now();
        Self::new(records, |records| {
            let mut decoded = DecodedBatch {
                candidates: Vec::with_capacity(records.len()),
                sources: Vec::with_capacity(records.len()),
                ..DecodedBatch::default()
            };
            for record in records {
                match decode_record(record, now, rules.max_clock_skew) {
                    Decoded::Valid(event) => {
                        let ahead = ahead_of_clock(&event, record.timestamp_ms, now);
                        if ahead > CLOCKS_DIFFER {
                            decoded.ahead.push((decoded.candidates.len(), ahead));
                        }
                        decoded.candidates.push(Candidate { event, parked: None });
                        decoded.sources.push(record);
                    }
                    Decoded::Broken(violation) => decoded.broken.push((record, violation)),
                    Decoded::Tombstone => decoded.tombstones += 1,
                }
            }
            decoded.plan(rules.max_rows);
            decoded
        })
    }

    /// The records, in the order of the poll.
    pub(super) fn records(&self) -> &[Record] {
        self.borrow_owner()
    }

    /// What they turned out to be.
    pub(super) fn decoded(&self) -> &DecodedBatch<'_> {
        self.borrow_dependent()
    }
}
