//! Writing candidates: rounds, followers, parking, and the children of what landed.

use events::Body;
use pipeline::Batch;
use pipeline::outcome::{Outcome, WaitsFor};
use pipeline::parking::{Parents, ParkedEvent};
use pipeline::plan::{Candidate, items};
use pipeline::ports::ParkingLot;
use pipeline::record::Record;
use pipeline::rounds::Rounds;

use super::isolate::Unfinished;
use super::letters::Letters;
use super::{Consumer, timed};
use crate::parts::Parts;
use crate::waiting::Stopped;

/// How candidates ended.
#[derive(Default)]
pub(super) struct Written {
    /// One per candidate.
    pub outcomes: Vec<Outcome>,
    /// Whether parked events wait for users or orders among them.
    pub children_wait: bool,
}

impl<P: Parts> Consumer<P> {
    /// Writes the events of a batch: afterwards each is in the tables, in the parking table, or among the letters.
    pub(super) async fn write(&mut self, candidates: &[Candidate<'_>], sources: &[&Record], letters: &mut Letters) -> Result<(), Stopped> {
        if candidates.is_empty() {
            return Ok(());
        }
        self.metrics.batch(candidates.len());
        let written = loop {
            match self.write_rounds(candidates).await {
                Ok(written) => break written,
                Err(Unfinished::Stopped) => return Err(Stopped),
                // A batch from the log releases nothing, so it cannot lose a release; a store that says so is asked again.
                Err(Unfinished::ReleaseLost) => {}
            }
        };
        self.tally(ended(candidates, sources, &written.outcomes));
        let parked = parked_events(candidates, sources, &written.outcomes);
        let mut parents = if written.children_wait { landed(candidates, &written.outcomes) } else { Parents::none() };
        if !parked.is_empty() && self.waiting.until_done(|| timed(&self.metrics, "park", self.store.park(&parked))).await? {
            // A parent landed between the look that parked its child and the parking: nobody else will come for the child.
            parents.add(parked.iter().map(|event| event.waits_for));
        }
        for (candidate, record, outcome) in ended(candidates, sources, &written.outcomes) {
            if let Outcome::Rejected { reason, code } = outcome {
                letters.add_rejected(record, &candidate.event, *reason, *code);
            }
        }
        self.release(parents).await
    }

    /// Writes candidates round by round, until each has an outcome.
    pub(super) async fn write_rounds(&mut self, candidates: &[Candidate<'_>]) -> Result<Written, Unfinished> {
        let mut rounds = Rounds::new(candidates, self.config.max_rows);
        let mut children_wait = false;
        while let Some(round) = rounds.next_round() {
            let items = items(candidates, &round);
            let applied = self.apply(Batch::new(&items)).await?;
            children_wait |= applied.children_wait;
            rounds.note(&round, applied.outcomes);
        }
        Ok(Written { outcomes: rounds.into_outcomes(), children_wait })
    }
}

/// Each candidate with its record and its outcome.
pub(super) fn ended<'e>(
    candidates: &'e [Candidate<'e>],
    sources: &'e [&'e Record],
    outcomes: &'e [Outcome],
) -> impl Iterator<Item = (&'e Candidate<'e>, &'e Record, &'e Outcome)> {
    candidates.iter().zip(sources).zip(outcomes).map(|((candidate, record), outcome)| (candidate, *record, outcome))
}

/// The events to park.
fn parked_events(candidates: &[Candidate<'_>], sources: &[&Record], outcomes: &[Outcome]) -> Vec<ParkedEvent> {
    let parked = ended(candidates, sources, outcomes).filter_map(|(candidate, record, outcome)| match outcome {
        Outcome::Parked(waits_for) => Some(ParkedEvent::new(record, candidate.event.id, *waits_for)),
        _ => None,
    });
    parked.collect()
}

/// The users and orders that are in their tables now.
pub(super) fn landed(candidates: &[Candidate<'_>], outcomes: &[Outcome]) -> Parents {
    let mut parents = Parents::none();
    let bodies = candidates.iter().zip(outcomes).filter(|(_, outcome)| outcome.landed()).map(|(candidate, _)| &candidate.event.body);
    parents.add(bodies.filter_map(|body| match body {
        Body::UserCreated(user) => Some(WaitsFor::User(user.user_id)),
        Body::OrderPlaced(order) => Some(WaitsFor::Order(order.order_id)),
        Body::PaymentSettled(_) | Body::InventoryAdjusted(_) => None,
    }));
    parents
}
