//! Writes events as a consumer does: plan, apply, park, release.

use std::collections::BTreeSet;
use std::sync::Arc;

use events::{Body, Event};
use pipeline::plan::{Candidate, items, plan};
use pipeline::ports::DryRun;
use pipeline::{Applied, Batch, EventStore, Fault, LogPosition, Outcome, Parents, ParkedEvent, ParkedKey, ParkingLot, Position};
use uuid::Uuid;

use crate::builders;

/// Rows of a round; small, so that longer deliveries are several.
const MAX_ROWS: usize = 500;

/// Writes the events as one batch, and says how each ended, in the order given.
///
/// # Errors
/// What the store says.
///
/// # Panics
/// The events cannot be in one batch, such as two of one entity.
pub async fn try_apply<S: EventStore>(store: &S, events: &[Event<'_>]) -> Result<Applied, Fault> {
    let candidates: Vec<_> = events.iter().map(|event| Candidate { event: event.clone(), parked: None }).collect();
    try_apply_candidates(store, &candidates).await
}

/// [`try_apply`], with positions that the batch moves.
///
/// # Errors
/// What the store says.
pub async fn try_apply_moving<S: EventStore>(store: &S, events: &[Event<'_>], positions: &[LogPosition]) -> Result<Applied, Fault> {
    let candidates: Vec<_> = events.iter().map(|event| Candidate { event: event.clone(), parked: None }).collect();
    try_apply_candidates_moving(store, &candidates, positions).await
}

/// [`try_apply_candidates`], with positions that the batch moves.
///
/// # Errors
/// What the store says.
///
/// # Panics
/// The candidates cannot be in one batch.
pub async fn try_apply_candidates_moving<S: EventStore>(
    store: &S,
    candidates: &[Candidate<'_>],
    positions: &[LogPosition],
) -> Result<Applied, Fault> {
    in_one_batch(candidates, async |batch| store.apply(batch.moving(positions)).await).await
}

/// [`try_apply`] of an event that comes from the parking table.
///
/// # Errors
/// What the store says.
pub async fn try_release<S: EventStore>(store: &S, event: &Event<'_>, parked: ParkedKey<'_>) -> Result<Applied, Fault> {
    try_apply_candidates(store, &[Candidate { event: event.clone(), parked: Some(parked) }]).await
}

/// [`try_apply`] of candidates.
///
/// # Errors
/// What the store says.
///
/// # Panics
/// The candidates cannot be in one batch.
pub async fn try_apply_candidates<S: EventStore>(store: &S, candidates: &[Candidate<'_>]) -> Result<Applied, Fault> {
    in_one_batch(candidates, async |batch| store.apply(batch).await).await
}

/// Asks what [`try_apply_candidates`] would do.
///
/// # Errors
/// What the store says.
///
/// # Panics
/// The candidates cannot be in one batch.
pub async fn try_dry_run_candidates<S: DryRun>(store: &S, candidates: &[Candidate<'_>]) -> Result<Applied, Fault> {
    in_one_batch(candidates, async |batch| store.dry_run(batch).await).await
}

/// Gives the candidates to the store as one batch; the outcomes come in the order of the candidates.
async fn in_one_batch(candidates: &[Candidate<'_>], work: impl AsyncFnOnce(Batch<'_>) -> Result<Applied, Fault>) -> Result<Applied, Fault> {
    let rounds = plan(candidates, 0..candidates.len(), usize::MAX);
    assert!(rounds.len() == 1 && rounds[0].followers.is_empty(), "these events are no single batch");
    let Applied { outcomes, children_wait, addresses_free } = work(Batch::new(&items(candidates, &rounds[0]))).await?;
    let mut ended: Vec<_> = rounds[0].leaders.iter().copied().zip(outcomes).collect();
    ended.sort_by_key(|(index, _)| *index);
    Ok(Applied { outcomes: ended.into_iter().map(|(_, outcome)| outcome).collect(), children_wait, addresses_free })
}

/// The outcomes of [`try_apply`].
///
/// # Panics
/// The store fails.
pub async fn apply<S: EventStore>(store: &S, events: &[Event<'_>]) -> Vec<Outcome> {
    try_apply(store, events).await.expect("the store applies the batch").outcomes
}

/// A consumer in small: delivers events to a store, parks what has to wait, and releases what no longer has to.
#[derive(Debug)]
pub struct Delivery<'s, S> {
    store: &'s S,
    topic: Arc<str>,
    next_offset: i64,
    users: BTreeSet<Uuid>,
    orders: BTreeSet<Uuid>,
}

impl<'s, S: EventStore + ParkingLot> Delivery<'s, S> {
    /// A consumer of a topic of its own.
    pub fn new(store: &'s S) -> Self {
        Self { store, topic: builders::unique("topic").into(), next_offset: 0, users: BTreeSet::new(), orders: BTreeSet::new() }
    }

    /// Delivers the events together and says how each ended, before anything was released by them.
    ///
    /// # Panics
    /// The store fails.
    pub async fn deliver(&mut self, events: &[Event<'static>]) -> Vec<Outcome> {
        let candidates: Vec<_> = events.iter().map(|event| Candidate { event: event.clone(), parked: None }).collect();
        let outcomes = self.write(&candidates).await;
        let parked: Vec<_> = events.iter().zip(&outcomes).filter_map(|(event, outcome)| self.waiting(event, outcome)).collect();
        self.store.park(&parked).await.expect("the store parks events");
        self.note_persisted(events.iter().zip(&outcomes));
        while self.release().await {}
        outcomes
    }

    /// The parked events whose user or order is persisted in this delivery; none are left after [`Delivery::deliver`].
    ///
    /// # Panics
    /// The store fails.
    pub async fn releasable(&self) -> Vec<ParkedEvent> {
        let (users, orders) = (self.users.iter().copied().collect(), self.orders.iter().copied().collect());
        let parents = Parents::These { users, orders, addresses: false };
        self.store.releasable(&parents, None, MAX_ROWS).await.expect("the store finds parked events")
    }

    /// Releases whatever waits and can be applied, again and again until nothing moves any more.
    ///
    /// # Panics
    /// The store fails, or something moves for ever.
    pub async fn sweep(&mut self) {
        for _ in 0..1000 {
            let parked = self.sweepable().await;
            let outcomes = self.write_parked(&parked).await;
            if !outcomes.iter().any(Outcome::persisted) {
                return;
            }
        }
        panic!("the sweeps come to no end");
    }

    /// What a sweep tries of this delivery's own topic.
    ///
    /// # Panics
    /// The store fails.
    pub async fn sweepable(&self) -> Vec<ParkedEvent> {
        let mut found: Vec<ParkedEvent> = Vec::new();
        loop {
            let page = self.store.releasable(&Parents::Any, found.last(), MAX_ROWS).await.expect("the store finds parked events");
            if page.is_empty() {
                found.retain(|event| event.position.topic == self.topic);
                return found;
            }
            found.extend(page);
        }
    }

    /// Applies what can be released; `false` when there was nothing.
    async fn release(&mut self) -> bool {
        let parked = self.releasable().await;
        let outcomes = self.write_parked(&parked).await;
        assert!(outcomes.iter().all(Outcome::persisted), "a released event has its parent: {outcomes:?}");
        !parked.is_empty()
    }

    async fn write_parked(&mut self, parked: &[ParkedEvent]) -> Vec<Outcome> {
        let events: Vec<_> = parked.iter().map(|parked| events::decode(parked.value.as_bytes()).expect("it was an event")).collect();
        let candidates: Vec<_> = events
            .iter()
            .zip(parked)
            .map(|(event, parked)| Candidate { event: event.clone(), parked: Some(parked.parked_key()) })
            .collect();
        let outcomes = self.write(&candidates).await;
        self.note_persisted(events.iter().zip(&outcomes));
        outcomes
    }

    /// Writes the candidates round by round. What was superseded by an event that was not persisted is put back and written by itself.
    async fn write(&self, candidates: &[Candidate<'_>]) -> Vec<Outcome> {
        let mut ended: Vec<Option<Outcome>> = vec![None; candidates.len()];
        let mut pending: Vec<usize> = (0..candidates.len()).collect();
        while !pending.is_empty() {
            for round in plan(candidates, pending.iter().copied(), MAX_ROWS) {
                let applied = self.store.apply(Batch::new(&items(candidates, &round))).await.expect("the store applies the batch");
                for (&leader, outcome) in round.leaders.iter().zip(applied.outcomes) {
                    ended[leader] = Some(outcome);
                }
                for follower in &round.followers {
                    if ended[follower.leader].as_ref().is_some_and(Outcome::persisted) {
                        ended[follower.index] = Some(follower.outcome.clone());
                    }
                }
            }
            pending.retain(|&index| ended[index].is_none());
        }
        ended.into_iter().flatten().collect()
    }

    fn waiting(&mut self, event: &Event<'_>, outcome: &Outcome) -> Option<ParkedEvent> {
        let Outcome::Parked(waits_for) = *outcome else { return None };
        let position = Position { topic: Arc::clone(&self.topic), partition: 0, offset: self.next_offset };
        self.next_offset += 1;
        Some(ParkedEvent { waits_for, ..builders::parked_at(event, position) })
    }

    fn note_persisted<'e>(&mut self, ended: impl Iterator<Item = (&'e Event<'e>, &'e Outcome)>) {
        for (event, _) in ended.filter(|(_, outcome)| outcome.persisted()) {
            match &event.body {
                Body::UserCreated(user) => self.users.insert(user.user_id),
                Body::OrderPlaced(order) => self.orders.insert(order.order_id),
                Body::PaymentSettled(_) | Body::InventoryAdjusted(_) => false,
            };
        }
    }
}
