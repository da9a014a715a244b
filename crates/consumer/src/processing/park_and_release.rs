//! What a poll leaves over once its chunks are written: events that wait, and those that had waited for what is persisted.

use std::collections::HashSet;

use events::Body;
use pipeline::outcome::{Outcome, WaitsFor};
use pipeline::parking::{Parents, ParkedEvent};
use pipeline::ports::ParkingLot;

use super::chunk::{Chunk, DecodedBatch};
use super::dead_letters::DeadLetters;
use super::write::{Ended, Written, ended, persisted, waits};
use super::{Consumer, timed};
use crate::backends::Backends;
use crate::waiting::Stopped;

/// A chunk of a poll, and how its events ended.
pub(super) struct WrittenChunk {
    pub(super) chunk: Chunk,
    pub(super) written: Written,
}

impl<P: Backends> Consumer<P> {
    /// Afterwards each event of the poll is in the tables, in the parking table or among the dead letters, and so are those that had waited for
    /// one of them.
    pub(super) async fn park_and_release(&mut self, chunks: &[WrittenChunk]) -> Result<(), Stopped> {
        let (mut overtakers, mut waiting) = sort_out(chunks);
        overtakers.plan(self.config.max_rows);
        let mut dead_letters = DeadLetters::default();
        let again = self.write(&overtakers, &[], &mut dead_letters).await?;
        self.send_to_dlq_within_limit(0, dead_letters).await?;

        waiting.extend(ended(&overtakers, &again.outcomes).filter(waits));
        let mut parents = Parents::none();
        let all = chunks.iter().map(|WrittenChunk { chunk, written }| (chunk.decoded(), written));
        for (decoded, written) in all.chain([(&overtakers, &again)]) {
            parents.add(written.parents(decoded));
        }
        self.park(&waiting, &mut parents).await?;
        self.release(parents).await
    }

    /// Parks events. A parent that was persisted, or an address that became free, between the look that found it missing and the parking is added:
    /// nobody else comes for what waits for it.
    async fn park(&mut self, waiting: &[Ended<'_>], parents: &mut Parents) -> Result<(), Stopped> {
        let events: Vec<_> = waiting.iter().filter_map(parked_event).collect();
        if !events.is_empty() && self.waiting.until_done(|| timed(&self.metrics, "park", self.store.park(&events))).await? {
            parents.add(events.iter().map(|event| event.waits_for));
        }
        self.record_outcomes(waiting.iter().copied());
        Ok(())
    }
}

/// Sorts what waits into events whose parent was persisted in the same poll, after them, which are written again, and the rest.
fn sort_out(chunks: &[WrittenChunk]) -> (DecodedBatch<'_>, Vec<Ended<'_>>) {
    let mut waiting: Vec<_> =
        chunks.iter().flat_map(|WrittenChunk { chunk, written }| ended(chunk.decoded(), &written.outcomes)).filter(waits).collect();
    let mut overtakers = DecodedBatch::default();
    if waiting.is_empty() {
        return (overtakers, waiting);
    }
    let mut present: HashSet<WaitsFor> =
        chunks.iter().flat_map(|WrittenChunk { chunk, written }| persisted(chunk.decoded(), &written.outcomes)).collect();
    // Orders before payments: an order that is written again is there for its payments.
    waiting.sort_by_key(|(_, _, outcome)| matches!(outcome, Outcome::Parked(WaitsFor::Order(_))));
    waiting.retain(|(candidate, record, outcome)| {
        let overtook = matches!(outcome, Outcome::Parked(parent) if present.contains(parent));
        if overtook {
            if let Body::OrderPlaced(order) = &candidate.event.body {
                present.insert(WaitsFor::Order(order.order_id));
            }
            overtakers.candidates.push((*candidate).clone());
            overtakers.sources.push(record);
        }
        !overtook
    });
    (overtakers, waiting)
}

fn parked_event((candidate, record, outcome): &Ended<'_>) -> Option<ParkedEvent> {
    match outcome {
        Outcome::Parked(waits_for) => Some(ParkedEvent::new(record, candidate.event.id, *waits_for)),
        _ => None,
    }
}
