//! What a take leaves over once its parts are written: events that wait, and those that had waited for what has landed.

use std::collections::HashSet;

use events::Body;
use pipeline::outcome::{Outcome, WaitsFor};
use pipeline::parking::{Parents, ParkedEvent};
use pipeline::ports::ParkingLot;

use super::letters::Letters;
use super::part::{Judged, Part};
use super::write::{Ended, Written, ended, landed, waits};
use super::{Consumer, timed};
use crate::parts::Parts;
use crate::waiting::Stopped;

/// A part of a take, and how its events ended.
pub(super) struct WrittenPart {
    pub(super) part: Part,
    pub(super) written: Written,
}

impl<P: Parts> Consumer<P> {
    /// Afterwards each event of the take is in the tables, in the parking table or among the letters, and so are those that had waited for
    /// one of them.
    pub(super) async fn settle(&mut self, parts: &[WrittenPart]) -> Result<(), Stopped> {
        let (mut overtakers, mut waiting) = sort_out(parts);
        overtakers.plan(self.config.max_rows);
        let mut letters = Letters::default();
        let again = self.write(&overtakers, &[], &mut letters).await?;
        self.withstand_flood(0, letters.len()).await?;
        self.bury(letters).await?;

        waiting.extend(ended(&overtakers, &again.outcomes).filter(waits));
        let mut parents = Parents::none();
        let all = parts.iter().map(|WrittenPart { part, written }| (part.judged(), written));
        for (judged, written) in all.chain([(&overtakers, &again)]) {
            parents.add(written.parents(judged));
        }
        self.park(&waiting, &mut parents).await?;
        self.release(parents).await
    }

    /// Parks events. A parent that landed, or an address that became free, between the look that found it missing and the parking is added:
    /// nobody else comes for what waits for it.
    async fn park(&mut self, waiting: &[Ended<'_>], parents: &mut Parents) -> Result<(), Stopped> {
        let events: Vec<_> = waiting.iter().filter_map(parked_event).collect();
        if !events.is_empty() && self.waiting.until_done(|| timed(&self.metrics, "park", self.store.park(&events))).await? {
            parents.add(events.iter().map(|event| event.waits_for));
        }
        self.tally(waiting.iter().copied());
        Ok(())
    }
}

/// Sorts what waits into events whose parent landed in the same take, after them, which are written again, and the rest.
fn sort_out(parts: &[WrittenPart]) -> (Judged<'_>, Vec<Ended<'_>>) {
    let mut waiting: Vec<_> =
        parts.iter().flat_map(|WrittenPart { part, written }| ended(part.judged(), &written.outcomes)).filter(waits).collect();
    let mut overtakers = Judged::default();
    if waiting.is_empty() {
        return (overtakers, waiting);
    }
    let mut present: HashSet<WaitsFor> =
        parts.iter().flat_map(|WrittenPart { part, written }| landed(part.judged(), &written.outcomes)).collect();
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
