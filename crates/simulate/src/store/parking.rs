//! Events that wait, and the end of waiting, on the server.

use events::{Event, Timestamp};
use pipeline::fault::Fault;
use pipeline::{Parents, ParkedEvent, WaitsFor};

use super::key::{self, ParkedKey};
use super::locks::Lock;
use super::meeting::Meeting;
use super::tables::{Parked, Tables, address};
use super::transaction::Transaction;
use crate::defect::Defect;
use crate::mishap::Kind;
use crate::world::World;

/// Stores events, commits, and then looks whether what they wait for is there.
pub(crate) async fn park(world: World, who: String, events: Vec<ParkedEvent>) -> Result<bool, Fault> {
    world.step(|state| {
        // Of one statement, for all of its rows.
        let now = state.now();
        for event in &events {
            let key = key::of(event, state.defect);
            state.tell(&who, "parks", || format!("{}:{} for {:?}", event.position.partition, event.position.offset, event.waits_for));
            let parked_at = if state.has(Defect::ParkedLongAgo) { Timestamp::UNIX_EPOCH } else { now };
            let parked = Parked { event: ParkedEvent { parked_at, ..event.clone() }, claim: event.email_claim(), expired: false };
            state.tables.parked.entry(key).or_insert(parked);
        }
    });
    world.pause("server", 8).await;
    Ok(world.step(|state| !state.has(Defect::ParkDoesNotLook) && events.iter().any(|event| has_landed(&state.tables, event))))
}

/// Whether what an event waits for is there. Who holds the address and waits for another one may change places.
fn has_landed(tables: &Tables, event: &ParkedEvent) -> bool {
    match event.waits_for {
        WaitsFor::User(id) => tables.users.contains_key(&id),
        WaitsFor::Order(id) => tables.orders.contains_key(&id),
        WaitsFor::Email => {
            let claim = event.email_claim();
            claim.is_some_and(|claim| {
                tables.addresses.get(&claim.key).is_none_or(|holder| *holder == claim.user_id || wants_away(tables, &claim.key))
            })
        }
    }
}

/// Whether the holder of this address waits for another one.
fn wants_away(tables: &Tables, key: &str) -> bool {
    let holder = tables.addresses.get(key);
    tables
        .parked
        .values()
        .any(|parked| !parked.expired && parked.claim.as_ref().is_some_and(|claim| Some(&claim.user_id) == holder && claim.key != key))
}

/// What may be released, oldest first.
pub(crate) fn releasable(tables: &Tables, parents: &Parents, after: Option<&ParkedEvent>, limit: usize) -> Vec<ParkedEvent> {
    let place = |event: &ParkedEvent| (event.parked_at, event.position.clone(), event.record.clone());
    let after = after.map(place);
    let is_asked_for = |event: &ParkedEvent| match (parents, event.waits_for) {
        (Parents::Any, _) => true,
        (Parents::These { users, .. }, WaitsFor::User(id)) => users.contains(&id),
        (Parents::These { orders, .. }, WaitsFor::Order(id)) => orders.contains(&id),
        (Parents::These { addresses, .. }, WaitsFor::Email) => *addresses,
    };
    let waiting = tables.parked.values().filter(|parked| !parked.expired && is_asked_for(&parked.event));
    let behind = waiting.filter(|parked| after.as_ref().is_none_or(|after| place(&parked.event) > *after));
    let mut found: Vec<_> = behind.filter(|parked| may_go(tables, parked)).map(|parked| parked.event.clone()).collect();
    found.sort_by_key(place);
    found.truncate(limit);
    found
}

fn may_go(tables: &Tables, parked: &Parked) -> bool {
    match (parked.event.waits_for, &parked.claim) {
        (WaitsFor::User(id), _) => tables.users.contains_key(&id),
        (WaitsFor::Order(id), _) => tables.orders.contains_key(&id),
        (WaitsFor::Email, None) => true,
        (WaitsFor::Email, Some(claim)) => {
            let row = tables.users.get(&claim.user_id);
            let clock = (claim.at, parked.event.event_id);
            let is_over = row.is_some_and(|row| row.clock() >= clock || address(&row.event).as_ref() == Some(&claim.key));
            let may_be_had = !tables.addresses.contains_key(&claim.key) || wants_away(tables, &claim.key);
            is_over || (may_be_had && !has_earlier_claim(tables, &claim.key, clock))
        }
    }
}

/// Whether somebody else has claimed this address earlier, and not gone on since.
fn has_earlier_claim(tables: &Tables, key: &str, clock: (Timestamp, uuid::Uuid)) -> bool {
    tables.parked.values().any(|other| {
        let Some(claim) = other.claim.as_ref().filter(|claim| claim.key == key && !other.expired) else { return false };
        let earlier = (claim.at, other.event.event_id);
        earlier < clock && tables.users.get(&claim.user_id).is_none_or(|row| row.clock() < earlier)
    })
}

/// Claims what was parked at the cutoff or before and whose parent is missing; returns claimed events, those of earlier claims among them.
pub(crate) async fn claim_expired(world: World, who: String, cutoff: Timestamp, limit: usize) -> Result<Vec<ParkedEvent>, Fault> {
    let meeting = Meeting::arrange(&world, &who, cutoff);
    meeting.before_the_claim().await;
    let (began, due): (_, Vec<(ParkedKey, Timestamp)>) = world.step(|state| {
        let tables = &state.tables;
        let mut due: Vec<_> = match state.has(Defect::ClaimIgnoresParent) {
            true => old(tables, cutoff).collect(),
            false => overdue(tables, cutoff).collect(),
        };
        due.sort_by_key(|(key, parked)| (parked.event.parked_at, *key));
        (state.now(), due.into_iter().take(limit).map(|(key, parked)| (key.clone(), parked.event.parked_at)).collect())
    });
    if !due.is_empty() {
        // Now and then long enough for the parent to come meanwhile, and for somebody to release the child.
        world.pause("server", 20).await;
        if world.strikes(&who, Kind::SlowClaim) {
            world.linger(&who).await;
        }
        meeting.within_the_claim().await;
        let transaction = Transaction::begin(&world, &who);
        transaction.lock(due.iter().map(|(key, _)| Lock::Parked(key.clone())).collect()).await?;
        transaction.alive()?;
        world.step(|state| {
            for (key, parked_at) in &due {
                // The row that was found, which the server holds from then on. One that was parked anew in its place is another.
                let found = |parked: &&mut Parked| !parked.expired && parked.event.parked_at == *parked_at;
                if let Some(parked) = state.tables.parked.get_mut(key).filter(found) {
                    parked.expired = true;
                    state.expired(&who, key, began);
                }
            }
        });
    }
    Ok(world.step(|state| {
        let expired = state.tables.parked.values().filter(|parked| parked.expired);
        let mut expired: Vec<_> = expired.map(|parked| parked.event.clone()).collect();
        expired.sort_by_key(|event| (event.parked_at, event.position.clone(), event.record.clone()));
        expired.truncate(limit);
        expired
    }))
}

/// What was parked at the cutoff or before, and nobody has given up.
fn old(tables: &Tables, cutoff: Timestamp) -> impl Iterator<Item = (&ParkedKey, &Parked)> {
    tables.parked.iter().filter(move |(_, parked)| !parked.expired && parked.event.parked_at <= cutoff)
}

/// Of that, what waits in vain.
pub(super) fn overdue(tables: &Tables, cutoff: Timestamp) -> impl Iterator<Item = (&ParkedKey, &Parked)> {
    old(tables, cutoff).filter(|(_, parked)| is_in_vain(tables, parked))
}

fn is_in_vain(tables: &Tables, parked: &Parked) -> bool {
    match (parked.event.waits_for, &parked.claim) {
        (WaitsFor::User(id), _) => !tables.users.contains_key(&id),
        (WaitsFor::Order(id), _) => !tables.orders.contains_key(&id),
        (WaitsFor::Email, None) => true,
        (WaitsFor::Email, Some(claim)) => tables.addresses.contains_key(&claim.key),
    }
}

/// Takes out of the table what has become a dead letter.
pub(crate) async fn discard(world: World, who: String, keys: Vec<ParkedKey>) -> Result<(), Fault> {
    let transaction = Transaction::begin(&world, &who);
    transaction.lock(keys.iter().cloned().map(Lock::Parked).collect()).await?;
    transaction.alive()?;
    world.step(|state| {
        for key in &keys {
            if let Some(parked) = state.tables.parked.remove(key) {
                state.tell(&who, "discards", || format!("{}:{}", key.0.partition, key.0.offset));
                state.unparked(&parked);
            }
        }
    });
    Ok(())
}

/// How many wait, and since when the oldest does.
pub(crate) fn count(tables: &Tables) -> (u64, Option<Timestamp>) {
    let waiting = || tables.parked.values().filter(|parked| !parked.expired);
    (waiting().count() as u64, waiting().map(|parked| parked.event.parked_at).min())
}

/// The event that is parked there, as far as it can be read.
pub(crate) fn event_of(parked: &Parked) -> Option<Event<'_>> {
    events::decode(parked.event.value.as_bytes()).ok()
}
