//! Writing candidates: rounds and followers.

use pipeline::outcome::{Outcome, WaitsFor};
use pipeline::plan::{Candidate, items};
use pipeline::record::Record;
use pipeline::rounds::Rounds;
use pipeline::{Batch, LogPosition};

use super::Consumer;
use super::chunk::DecodedBatch;
use super::dead_letters::DeadLetters;
use super::isolate::Unfinished;
use crate::backends::Backends;
use crate::waiting::Stopped;

/// How candidates ended.
#[derive(Default)]
pub(super) struct Written {
    /// One per candidate.
    pub outcomes: Vec<Outcome>,
    /// Whether parked events wait for users or orders among them.
    pub children_wait: bool,
    /// Whether parked events wait for an e-mail address that users among them gave up.
    pub addresses_free: bool,
    /// Whether the last batch moved the positions that it was given.
    pub moved: bool,
}

impl Written {
    /// The users and orders that are persisted and that parked events may wait for, and whether any of these wait for an address.
    pub(super) fn parents<'e>(&'e self, decoded: &'e DecodedBatch<'e>) -> impl Iterator<Item = WaitsFor> {
        let address = self.addresses_free.then_some(WaitsFor::Email);
        self.children_wait.then(|| persisted(decoded, &self.outcomes)).into_iter().flatten().chain(address)
    }
}

impl<P: Backends> Consumer<P> {
    /// Writes the events of a batch: afterwards each is in the tables or among the dead letters, or waits to be parked. The transaction that
    /// finishes them moves these positions, where all of them land.
    pub(super) async fn write(
        &mut self,
        decoded: &DecodedBatch<'_>,
        moving: &[LogPosition],
        dead_letters: &mut DeadLetters,
    ) -> Result<Written, Stopped> {
        if decoded.candidates.is_empty() {
            return Ok(Written::default());
        }
        self.metrics.batch(decoded.candidates.len());
        let written = loop {
            match self.write_rounds(decoded, moving).await {
                Ok(written) => break written,
                Err(Unfinished::Stopped) => return Err(Stopped),
                // A batch from the log releases nothing, so it cannot lose a release; a store that says so is asked again.
                Err(Unfinished::ReleaseLost) => {}
            }
        };
        self.record_outcomes(ended(decoded, &written.outcomes).filter(|ended| !waits(ended)));
        for (candidate, record, outcome) in ended(decoded, &written.outcomes) {
            if let Outcome::Rejected { reason, code } = outcome {
                dead_letters.add_rejected(record, &candidate.event, *reason, *code);
            }
        }
        Ok(written)
    }

    /// Writes candidates round by round, until each has an outcome.
    pub(super) async fn write_rounds(&mut self, decoded: &DecodedBatch<'_>, moving: &[LogPosition]) -> Result<Written, Unfinished> {
        let mut rounds = Rounds::planned(&decoded.candidates, decoded.rounds.clone(), self.config.max_rows);
        let (mut children_wait, mut addresses_free, mut moved, mut all_persisted) = (false, false, false, true);
        while let Some(round) = rounds.next_round() {
            let items = items(&decoded.candidates, &round);
            let moves = !moving.is_empty() && all_persisted && rounds.is_last();
            let batch = Batch::new(&items).moving(if moves { moving } else { &[] });
            let (applied, is_whole) = self.apply(batch).await?;
            all_persisted &= applied.outcomes.iter().all(Outcome::persisted);
            moved = moves && all_persisted && is_whole;
            children_wait |= applied.children_wait;
            addresses_free |= applied.addresses_free;
            rounds.note(&round, applied.outcomes);
        }
        Ok(Written { outcomes: rounds.into_outcomes(), children_wait, addresses_free, moved })
    }
}

/// A candidate with its record and its outcome.
pub(super) type Ended<'e> = (&'e Candidate<'e>, &'e Record, &'e Outcome);

/// Each candidate, and how it ended.
pub(super) fn ended<'e>(decoded: &'e DecodedBatch<'e>, outcomes: &'e [Outcome]) -> impl Iterator<Item = Ended<'e>> {
    let candidates = decoded.candidates.iter().zip(&decoded.sources).zip(outcomes);
    candidates.map(|((candidate, record), outcome)| (candidate, *record, outcome))
}

/// Whether something has to come before the event.
pub(super) const fn waits((_, _, outcome): &Ended<'_>) -> bool {
    matches!(outcome, Outcome::Parked(_))
}

/// The users and orders that are in their tables now.
pub(super) fn persisted<'e>(decoded: &'e DecodedBatch<'e>, outcomes: &'e [Outcome]) -> impl Iterator<Item = WaitsFor> {
    let bodies = ended(decoded, outcomes).filter(|(_, _, outcome)| outcome.persisted()).map(|(candidate, ..)| &candidate.event.body);
    bodies.filter_map(WaitsFor::brought_by)
}
