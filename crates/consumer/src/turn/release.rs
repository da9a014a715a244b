//! Parked events whose parent has landed, or whose e-mail address is free: applied as a batch of their own, generation by generation.

use pipeline::outcome::Outcome;
use pipeline::parking::{Parents, ParkedEvent};
use pipeline::plan::Candidate;
use pipeline::ports::ParkingLot;
use pipeline::record::{Position, Record};

use super::isolate::Unfinished;
use super::letters::Letters;
use super::part::Judged;
use super::write::ended;
use super::{Consumer, timed};
use crate::parts::Parts;
use crate::waiting::Stopped;

/// Parked events read at once.
const PAGE: usize = 500;

/// Reads of one page that others may spoil before it is left to the next sweep.
const LOST_READS: u32 = 10;

impl<P: Parts> Consumer<P> {
    /// Releases the children of these parents, then the children of those, until nothing more is released (user → order → payment). A user that
    /// gets its address gives another one up, for which the next may wait.
    pub(super) async fn release(&mut self, parents: Parents) -> Result<(), Stopped> {
        let mut generation = parents;
        while !generation.is_none() {
            generation = self.release_children(&generation).await?;
        }
        Ok(())
    }

    /// Releases the children of these parents; returns the parents among them whose own children wait.
    async fn release_children(&mut self, parents: &Parents) -> Result<Parents, Stopped> {
        let mut next = Parents::none();
        let mut after: Option<ParkedEvent> = None;
        let mut lost = 0;
        loop {
            let page = self
                .waiting
                .until_done(|| timed(&self.metrics, "releasable", self.store.releasable(parents, after.as_ref(), PAGE)))
                .await?;
            let Some(last) = page.last().cloned() else {
                return Ok(next);
            };
            match self.release_page(&page).await {
                Ok(landed) => {
                    next.join(landed);
                    (after, lost) = (Some(last), 0);
                }
                Err(Unfinished::Stopped) => return Err(Stopped),
                Err(Unfinished::ReleaseLost) if lost < LOST_READS => lost += 1,
                // Others are at the same events. What they leave, the next sweep finds.
                Err(Unfinished::ReleaseLost) => (after, lost) = (Some(last), 0),
            }
        }
    }

    /// Applies one page of parked events; each leaves the parking table in the transaction that applies it. Returns the parents among them
    /// whose own children wait.
    async fn release_page(&mut self, page: &[ParkedEvent]) -> Result<Parents, Unfinished> {
        let records: Vec<Record> = page.iter().map(ParkedEvent::to_record).collect();
        let mut letters = Letters::default();
        let mut buried: Vec<Position> = Vec::new();
        let mut judged = Judged::default();
        for record in &records {
            match events::decode(record.value.as_deref().unwrap_or_default()) {
                Ok(event) => {
                    judged.candidates.push(Candidate { event, parked: Some(&record.position) });
                    judged.sources.push(record);
                }
                // It kept the contract when it was parked, and this program's contract is stricter.
                Err(violation) => {
                    letters.add(record, &(&violation).into());
                    buried.push(record.position.clone());
                }
            }
        }
        judged.plan(self.config.max_rows);
        let written = self.write_rounds(&judged, &[]).await?;
        self.tally_released(ended(&judged, &written.outcomes));
        for (candidate, record, outcome) in ended(&judged, &written.outcomes) {
            if let Outcome::Rejected { reason, code } = outcome {
                letters.add_rejected(record, &candidate.event, *reason, *code);
                buried.push(record.position.clone());
            }
        }
        self.bury(letters).await?;
        self.discard(&buried).await?;
        let mut parents = Parents::none();
        parents.add(written.parents(&judged));
        Ok(parents)
    }

    /// Takes events out of the parking table that have become dead letters. A crash before this finds them again: pushing their letters
    /// once more changes nothing.
    pub(super) async fn discard(&mut self, positions: &[Position]) -> Result<(), Stopped> {
        if positions.is_empty() {
            return Ok(());
        }
        self.waiting.until_done(|| timed(&self.metrics, "discard", self.store.discard(positions))).await
    }
}
