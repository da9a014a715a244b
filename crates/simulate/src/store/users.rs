//! Users, and whose an e-mail address is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use events::{Body, Event, Timestamp};
use pipeline::fault::{Fault, FaultClass};
use pipeline::{Outcome, WaitsFor};
use uuid::Uuid;

use super::apply::{Job, ended, is_newer};
use super::fault;
use super::locks::Lock;
use super::tables::{Row, Tables, address};
use super::transaction::Transaction;
use crate::defect::Defect;

/// A user of the batch.
struct Claim {
    number: usize,
    event: Arc<Event<'static>>,
    user: Uuid,
    key: String,
    /// Whether its row was there when the statement began.
    matched: bool,
    /// Whether its event would change the row as that was then.
    writes: bool,
}

/// Writes the users that can have their address; the others wait for it. Returns the addresses that may have been expired.
pub(crate) async fn write(transaction: &mut Transaction, job: &Job, outcomes: &mut [Outcome]) -> Result<Vec<String>, Fault> {
    let world = transaction.world.clone();
    let (claims, refused, expired, defect) = world.step(|state| {
        let claims = claims(&state.tables, job, state.defect);
        let refused = if state.has(Defect::EmailFirstComeIgnored) { BTreeSet::new() } else { refused(&state.tables, &claims) };
        let is_awaited = state.tables.parked.values().any(|parked| parked.event.waits_for == WaitsFor::Email && !parked.expired);
        let changing = claims.iter().filter_map(|claim| {
            let held = address(&state.tables.users.get(&claim.user)?.event)?;
            (held != claim.key).then_some(held)
        });
        let expired: Vec<_> = if is_awaited { changing.collect() } else { Vec::new() };
        (claims, refused, expired, state.defect)
    });
    let accepted: Vec<_> = claims.iter().filter(|claim| claim.writes && !refused.contains(&claim.number)).collect();
    // In one order of keys: two writers that meet wait for each other.
    transaction.lock(accepted.iter().map(|claim| Lock::User(claim.user)).collect()).await?;
    transaction.lock(accepted.iter().map(|claim| Lock::Address(claim.key.clone())).collect()).await?;
    let written = world.step(|state| {
        let moving: BTreeSet<Uuid> = accepted.iter().map(|claim| claim.user).collect();
        let mut written = BTreeMap::new();
        for claim in &accepted {
            let row = state.tables.users.get(&claim.user);
            if !claim.matched && row.is_some() {
                return Err(fault(FaultClass::UniqueViolation, 2627, "pk_users"));
            }
            if !is_newer(&claim.event, row, defect) {
                continue;
            }
            let holder = state.tables.addresses.get(&claim.key);
            if holder.is_some_and(|holder| *holder != claim.user && !moving.contains(holder)) {
                return Err(fault(FaultClass::EmailTaken, 2627, "uq_users_email"));
            }
            written.insert(claim.number, (claim.user, Row { event: Arc::clone(&claim.event), updated_at: state.now() }));
        }
        Ok(written)
    })?;
    let stays = |claim: &&Claim| refused.contains(&claim.number);
    world.step(|state| {
        for claim in &claims {
            outcomes[claim.number] = match ended(&claim.event, written.contains_key(&claim.number), state.tables.users.get(&claim.user)) {
                _ if stays(&claim) => Outcome::Parked(WaitsFor::Email),
                Some(outcome) => outcome,
                None => Outcome::Stale,
            };
        }
    });
    transaction.writes.users.extend(written.into_values());
    Ok(expired)
}

fn claims(tables: &Tables, job: &Job, defect: Option<Defect>) -> Vec<Claim> {
    let claim = |(number, event): (usize, &Arc<Event<'static>>)| {
        let Body::UserCreated(user) = &event.body else { return None };
        let row = tables.users.get(&user.user_id);
        let (matched, writes) = (row.is_some(), is_newer(event, row, defect));
        Some(Claim { number, event: Arc::clone(event), user: user.user_id, key: user.email_key(), matched, writes })
    };
    job.events.iter().enumerate().filter_map(claim).collect()
}

/// The numbers of those that cannot have their address.
///
/// Of each address one claim is left: its holder's, or the earliest. Then a claim falls whose address is held by somebody who does not move;
/// who falls does not move, so others may fall after it.
fn refused(tables: &Tables, claims: &[Claim]) -> BTreeSet<usize> {
    let holder = |claim: &Claim| tables.addresses.get(&claim.key).copied();
    let holds = |claim: &Claim| holder(claim) == Some(claim.user);
    let rank = |claim: &Claim| -> (bool, (Timestamp, Uuid)) { (!holds(claim), (claim.event.at, claim.event.id)) };
    let mut best: BTreeMap<&str, &Claim> = BTreeMap::new();
    for claim in claims.iter().filter(|claim| claim.writes) {
        let first = best.entry(&claim.key).or_insert(claim);
        if rank(claim) < rank(first) {
            *first = claim;
        }
    }
    let mut left: Vec<&Claim> = best.into_values().collect();
    loop {
        let moving: BTreeSet<Uuid> = left.iter().filter(|claim| !holds(claim)).map(|claim| claim.user).collect();
        let before = left.len();
        left.retain(|claim| holds(claim) || holder(claim).is_none_or(|holder| moving.contains(&holder)));
        if left.len() == before {
            break;
        }
    }
    let accepted: BTreeSet<usize> = left.into_iter().map(|claim| claim.number).collect();
    claims.iter().filter(|claim| claim.writes && !accepted.contains(&claim.number)).map(|claim| claim.number).collect()
}
