//! One part of a take, judged and planned: the records, and what they turned out to be.

use std::time::Duration;

use events::Violation;
use pipeline::plan::{Candidate, Round, plan};
use pipeline::ports::Clock as _;
use pipeline::record::Record;
use pipeline::verdict::{Verdict, judge};
use self_cell::self_cell;

use crate::parts::SystemClock;

/// What the records of a part turned out to be. Events borrow their text from the records.
#[derive(Default)]
pub(super) struct Judged<'r> {
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
}

impl Judged<'_> {
    /// Divides the candidates into batches of so many rows.
    pub(super) fn plan(&mut self, max_rows: usize) {
        self.rounds = plan(&self.candidates, 0..self.candidates.len(), max_rows);
    }
}

/// What judging and planning go by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// How far an event's timestamp may lie after its record's, and after our clock.
    pub max_clock_skew: Duration,
    /// Rows that one statement may write.
    pub max_rows: usize,
}

self_cell!(
    /// Records together with what was read in them, so that both can be handed over from the thread that judges to the one that writes.
    pub(super) struct Part {
        owner: Vec<Record>,
        #[covariant]
        dependent: Judged,
    }
);

impl Part {
    /// Sorts the records into events to write and records that hold none, and plans the writing.
    pub(super) fn judge(records: Vec<Record>, rules: Rules) -> Self {
        // One clock for all of them.
        let now = SystemClock.now();
        Self::new(records, |records| {
            let mut judged =
                Judged { candidates: Vec::with_capacity(records.len()), sources: Vec::with_capacity(records.len()), ..Judged::default() };
            for record in records {
                match judge(record, now, rules.max_clock_skew) {
                    Verdict::Valid(event) => {
                        judged.candidates.push(Candidate { event, parked: None });
                        judged.sources.push(record);
                    }
                    Verdict::Broken(violation) => judged.broken.push((record, violation)),
                    Verdict::Tombstone => judged.tombstones += 1,
                }
            }
            judged.plan(rules.max_rows);
            judged
        })
    }

    /// The records, in the order of the take.
    pub(super) fn records(&self) -> &[Record] {
        self.borrow_owner()
    }

    /// What they turned out to be.
    pub(super) fn judged(&self) -> &Judged<'_> {
        self.borrow_dependent()
    }
}
