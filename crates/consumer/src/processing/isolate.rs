//! One bad event costs only itself: a batch that fails for its data is halved until the event stands alone.

use pipeline::fault::{Cause, Dependency, Fault, FaultClass};
use pipeline::outcome::{Applied, Outcome, WaitsFor};
use pipeline::ports::EventStore;
use pipeline::{Batch, Item, Reason};

use super::{Consumer, timed};
use crate::backends::Backends;
use crate::waiting::{Next, Stopped};

/// From so many events on, a batch of which every one is refused with the same number does not hold bad data: something else is wrong.
const ALL_REFUSED_FROM: usize = 8;

/// Why a batch was not finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfinished {
    /// The consumer was told to stop.
    Stopped,
    /// Someone else released or gave up an event of it. Parts of the batch may be written.
    ReleaseLost,
}

impl From<Stopped> for Unfinished {
    fn from(Stopped: Stopped) -> Self {
        Self::Stopped
    }
}

impl<P: Backends> Consumer<P> {
    /// Applies a batch, whatever it takes: faults are waited out, and events that cannot be written are found in O(log n) statements each.
    /// Says also whether it was applied as a whole, in one transaction.
    pub(super) async fn apply(&mut self, batch: Batch<'_>) -> Result<(Applied, bool), Unfinished> {
        let mut rounds_refused = 0;
        loop {
            let (applied, is_whole) = self.apply_halving(batch).await?;
            let Some(code) = all_refused(&applied.outcomes) else {
                self.waiting.recovered();
                return Ok((applied, is_whole));
            };
            rounds_refused += 1;
            let fault = Fault { dependency: Dependency::Database, class: FaultClass::Bug, code, subject: "every event of a batch refused" };
            self.waiting.hold(&fault, Cause::Bug, rounds_refused).await?;
        }
    }

    async fn apply_halving(&mut self, batch: Batch<'_>) -> Result<(Applied, bool), Unfinished> {
        let mut whole = Applied { outcomes: Vec::with_capacity(batch.len()), children_wait: false, addresses_free: false };
        // The next part is at the end; parts are taken from left to right, so that outcomes come in order.
        let mut chunks = vec![batch];
        let (mut tries, mut is_whole) = (0, true);
        while let Some(chunk) = chunks.pop() {
            tries += 1;
            self.waiting.keep_alive().await;
            let fault = match timed(&self.metrics, "apply_batch", self.store.apply(chunk)).await {
                Ok(applied) => {
                    whole.outcomes.extend(applied.outcomes);
                    whole.children_wait |= applied.children_wait;
                    whole.addresses_free |= applied.addresses_free;
                    tries = 0;
                    continue;
                }
                Err(fault) => fault,
            };
            let next = self.waiting.wait_out(&fault, tries).await?;
            match next {
                Next::Reread => return Err(Unfinished::ReleaseLost),
                Next::Isolate if chunk.len() == 1 => {
                    whole.outcomes.push(outcome_of_one(&chunk.items()[0], &fault));
                    tries = 0;
                }
                Next::Isolate => {
                    halve(chunk, &mut chunks);
                    (tries, is_whole) = (0, false);
                }
                // It may have been too much at once.
                Next::Again if fault.class == (FaultClass::Unavailable { timed_out: true }) && chunk.len() > 1 => {
                    halve(chunk, &mut chunks);
                    is_whole = false;
                }
                Next::Again => chunks.push(chunk),
            }
        }
        Ok((whole, is_whole))
    }
}

fn halve<'a>(chunk: Batch<'a>, chunks: &mut Vec<Batch<'a>>) {
    let (first, rest) = chunk.halves();
    chunks.push(rest);
    chunks.push(first);
}

/// The outcome of an event that fails alone.
pub(crate) fn outcome_of_one(item: &Item<'_>, fault: &Fault) -> Outcome {
    match (fault.class, WaitsFor::parent_of(&item.event.body)) {
        (FaultClass::EmailTaken, _) => Outcome::Parked(WaitsFor::Email),
        (FaultClass::MissingParent, Some(parent)) => Outcome::Parked(parent),
        _ => Outcome::Rejected { reason: Reason::Constraint(fault.subject), code: fault.code },
    }
}

/// Whether an outcome is a refusal by the data of the event, as far as the database can tell.
const fn refused(outcome: &Outcome) -> Option<Option<i64>> {
    match outcome {
        Outcome::Rejected { reason: Reason::Constraint(_), code } => Some(*code),
        _ => None,
    }
}

/// The number with which every event of a large batch was refused.
fn all_refused(outcomes: &[Outcome]) -> Option<Option<i64>> {
    if outcomes.len() < ALL_REFUSED_FROM {
        return None;
    }
    let first = refused(&outcomes[0])?;
    outcomes.iter().all(|outcome| refused(outcome) == Some(first)).then_some(first)
}

#[cfg(test)]
mod tests {
    use testkit::builders::{id, order, user};

    use super::*;

    #[test]
    fn an_event_that_fails_alone_waits_for_what_it_lacks_or_is_refused() {
        fn outcome(event: &events::Event<'_>, class: FaultClass) -> Outcome {
            let fault = Fault { dependency: Dependency::Database, class, code: Some(7), subject: "ck" };
            outcome_of_one(&Item { event, releases: Vec::new() }, &fault)
        }
        let (user, order) = (user(id()), order(id(), id()));
        let refused = Outcome::Rejected { reason: Reason::Constraint("ck"), code: Some(7) };
        assert_eq!(outcome(&user, FaultClass::EmailTaken), Outcome::Parked(WaitsFor::Email));
        assert_eq!(outcome(&order, FaultClass::MissingParent), Outcome::Parked(WaitsFor::parent_of(&order.body).unwrap()));
        assert_eq!(outcome(&user, FaultClass::MissingParent), refused, "it has no parent to wait for");
        assert_eq!(outcome(&order, FaultClass::Poison), refused);
    }
}
