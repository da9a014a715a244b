//! A batch in one transaction, statement by statement, as `apply_batch.sql` does it.

use std::collections::BTreeSet;
use std::sync::Arc;

use events::{Body, Event};
use pipeline::fault::{Fault, FaultClass};
use pipeline::{Applied, Batch, LogPosition, Outcome, WaitsFor};

use super::key::{self, ParkedKey};
use super::locks::Lock;
use super::tables::{Row, Tables};
use super::transaction::{Transaction, Writes};
use super::{children, fault, stock, users};
use crate::defect::Defect;
use crate::world::World;

/// A batch as it travels to the server.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) events: Vec<Arc<Event<'static>>>,
    releases: Vec<(usize, ParkedKey)>,
    positions: Vec<LogPosition>,
}

impl Job {
    pub(crate) fn of(batch: Batch<'_>, defect: Option<Defect>) -> Self {
        Self {
            events: batch.items().iter().map(|item| Arc::new(super::owned(item.event))).collect(),
            releases: batch.releases().map(|(number, parked)| (number, key::named(parked, defect))).collect(),
            positions: batch.positions().to_vec(),
        }
    }
}

/// Writes the batch, or, for a dry run, takes it back at the end.
pub(crate) async fn apply(world: World, who: String, job: Job, for_good: bool) -> Result<Applied, Fault> {
    let mut transaction = Transaction::begin(&world, &who);
    let mut outcomes = vec![Outcome::Applied; job.events.len()];
    let expired = users::write(&mut transaction, &job, &mut outcomes).await?;
    world.pause("server", 8).await;
    children::write_orders(&mut transaction, &job, &mut outcomes).await?;
    world.pause("server", 8).await;
    children::write_payments(&mut transaction, &job, &mut outcomes).await?;
    stock::write(&mut transaction, &job, &mut outcomes).await?;
    world.pause("server", 8).await;
    release(&mut transaction, &job, &outcomes).await?;
    advance(&mut transaction, &job, &outcomes).await?;
    world.pause("server", 8).await;
    if for_good {
        transaction.commit()?;
        world.tell(&who, "committed", || tell(&job, &outcomes));
        // Children are looked for after the commit: whoever parks one looks for its parent after storing it, so one of the two finds the other.
        world.pause("server", 8).await;
    }
    let (children_wait, addresses_free) = world.step(|state| {
        if state.has(Defect::ChildrenNotAnnounced) {
            return (false, false);
        }
        look(&state.tables, &transaction.writes, &job, &outcomes, &expired)
    });
    Ok(Applied { outcomes, children_wait, addresses_free })
}

/// What was released leaves the parking table, unless it waits again. Where somebody else has taken it, nothing of the batch may stay.
async fn release(transaction: &mut Transaction, job: &Job, outcomes: &[Outcome]) -> Result<(), Fault> {
    for (number, key) in &job.releases {
        if matches!(outcomes[*number], Outcome::Parked(_)) {
            continue;
        }
        transaction.lock(vec![Lock::Parked(key.clone())]).await?;
        let (is_there, ignored) = transaction.world.step(|state| {
            let parked = state.tables.parked.get(key);
            let is_there = parked.is_some_and(|parked| !parked.expired || state.has(Defect::GivenUpIsReleased));
            (is_there, state.has(Defect::ReleaseIgnoresTaken))
        });
        if is_there || ignored {
            transaction.writes.released.extend((outcomes[*number] == Outcome::Applied).then(|| key.clone()));
        }
        match is_there {
            true => transaction.writes.unparked.push(key.clone()),
            false if ignored => {}
            false => return Err(fault(FaultClass::ReleaseLost, 0, "apply_batch")),
        }
    }
    Ok(())
}

/// Positions move with a batch of which everything is persisted.
async fn advance(transaction: &mut Transaction, job: &Job, outcomes: &[Outcome]) -> Result<(), Fault> {
    let always = transaction.world.step(|state| state.has(Defect::PositionMovesAlways));
    if job.events.is_empty() || !(always || outcomes.iter().all(Outcome::persisted)) {
        return Ok(());
    }
    for LogPosition { log, topic, partition, next_offset } in &job.positions {
        let key = (*log, Arc::clone(topic), *partition);
        transaction.lock(vec![Lock::Position(key.clone())]).await?;
        transaction.writes.positions.insert(key, *next_offset);
    }
    Ok(())
}

/// Whether anybody waits for what is persisted, or for an address that was expired.
fn look(tables: &Tables, writes: &Writes, job: &Job, outcomes: &[Outcome], expired: &[String]) -> (bool, bool) {
    let leaving: BTreeSet<&ParkedKey> = writes.unparked.iter().collect();
    let waiting: Vec<_> = tables.parked.iter().filter(|(key, parked)| !parked.expired && !leaving.contains(key)).collect();
    if waiting.is_empty() {
        return (false, false);
    }
    let persisted: BTreeSet<(u8, _)> = job
        .events
        .iter()
        .zip(outcomes)
        .filter(|(_, outcome)| outcome.persisted())
        .filter_map(|(event, _)| match &event.body {
            Body::UserCreated(user) => Some((1, user.user_id)),
            Body::OrderPlaced(order) => Some((2, order.order_id)),
            Body::PaymentSettled(_) | Body::InventoryAdjusted(_) => None,
        })
        .collect();
    let wants = |parked: &super::Parked| match parked.event.waits_for {
        WaitsFor::User(id) => persisted.contains(&(1, id)),
        WaitsFor::Order(id) => persisted.contains(&(2, id)),
        WaitsFor::Email => false,
    };
    let held = |key: &String| {
        let written = writes.users.values().any(|row| super::tables::address(&row.event).as_ref() == Some(key));
        let kept = tables.addresses.get(key).is_some_and(|holder| !writes.users.contains_key(holder));
        written || kept
    };
    let free = |parked: &super::Parked| parked.claim.as_ref().is_some_and(|claim| expired.contains(&claim.key) && !held(&claim.key));
    (waiting.iter().any(|(_, parked)| wants(parked)), waiting.iter().any(|(_, parked)| free(parked)))
}

/// How an event stands to a row: whether the row has to change for it.
pub(crate) fn is_newer(event: &Event<'_>, row: Option<&Row>, defect: Option<Defect>) -> bool {
    let Some(row) = row else { return true };
    match defect {
        Some(Defect::GuardTurned) => (event.at, event.id) < row.clock(),
        Some(Defect::TieBroken) => event.at > row.event.at,
        _ => (event.at, event.id) > row.clock(),
    }
}

/// How an event ended, by what its row shows: `None` where nothing but a missing parent kept it out.
pub(crate) fn ended(event: &Event<'_>, written: bool, row: Option<&Row>) -> Option<Outcome> {
    match row {
        _ if written => Some(Outcome::Applied),
        Some(row) if row.event.id == event.id => Some(Outcome::Duplicate),
        Some(row) if row.clock() > (event.at, event.id) => Some(Outcome::Stale),
        _ => None,
    }
}

fn tell(job: &Job, outcomes: &[Outcome]) -> String {
    let short = |outcome: &Outcome| match outcome {
        Outcome::Applied => "applied",
        Outcome::Duplicate => "duplicate",
        Outcome::Stale => "stale",
        Outcome::Parked(_) => "waits",
        Outcome::Rejected { .. } => "rejected",
    };
    let events: Vec<_> =
        job.events.iter().zip(outcomes).map(|(event, outcome)| format!("{} {}", super::describe(event), short(outcome))).collect();
    let positions: Vec<_> = job.positions.iter().map(|position| format!("{}→{}", position.partition, position.next_offset)).collect();
    format!("{}; positions {}", events.join(", "), positions.join(" "))
}
