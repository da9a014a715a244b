//! Whose an e-mail address is.
//!
//! An address has at most one holder. Whoever holds it keeps it until its own newer event gives it up; among those who claim a free one in one
//! batch the earliest claim by (event timestamp, event id) gets it, and the others are parked until it is free again.
//!
//! The end of the batch is what counts: a user whose newer event is in it may hold the address until that is written, or swap it with another.
//! Users are written one after the other, and each time SQLite checks that no address is there twice. So those that meet a taken address are
//! put aside, and decided together once the others are written.
//! Why an earlier claim that comes later does not win: see [`pipeline::parking`].

use std::collections::{HashMap, HashSet};

use events::{Event, Timestamp, UserCreated};
use pipeline::Batch;
use rusqlite::{Connection, OptionalExtension, ffi, params};
use uuid::Uuid;

use crate::faults::Failure;
use crate::values::{Id, Micros, id, time};

/// A user of a batch and the key of the address that its event claims.
#[derive(Debug)]
pub(crate) struct Claimant<'a> {
    /// The event's number in the batch.
    pub(crate) number: usize,
    pub(crate) event: &'a Event<'a>,
    pub(crate) user: &'a UserCreated<'a>,
    pub(crate) key: String,
}

/// Whether a user was refused because the address is taken: the only constraint of users that is no primary key.
pub(crate) fn is_taken(error: &rusqlite::Error) -> bool {
    error.sqlite_extended_error_code() == Some(ffi::SQLITE_CONSTRAINT_UNIQUE)
}

/// Whether two of these claim one address: then who gets it must be decided before any of them is written.
pub(crate) fn is_crowded(claimants: &[Claimant<'_>]) -> bool {
    let mut keys = HashSet::with_capacity(claimants.len());
    !claimants.iter().all(|claimant| keys.insert(claimant.key.as_str()))
}

/// Those of the claimants that cannot have their address, by their numbers, as the rows stand now. One whose event changes no row, because
/// something newer is there, claims nothing.
pub(crate) fn refused(connection: &Connection, claimants: &[&Claimant<'_>]) -> Result<HashSet<usize>, Failure> {
    let mut own = connection.prepare_cached("SELECT event_at, event_id, email_key FROM users WHERE user_id = ?1")?;
    let mut holder = connection.prepare_cached("SELECT user_id FROM users WHERE email_key = ?1")?;
    let mut claims = Vec::with_capacity(claimants.len());
    for Claimant { number, event, user, key } in claimants {
        let shown = own.query_row([Id(&user.user_id)], |row| Ok(((time(row, 0)?, id(row, 1)?), row.get::<_, String>(2)?))).optional()?;
        if shown.as_ref().is_none_or(|(clock, _)| (event.at, event.id) > *clock) {
            let holder = holder.query_row([key], |row| id(row, 0)).optional()?;
            claims.push(Claim { number: *number, user_id: user.user_id, key, clock: (event.at, event.id), holder });
        }
    }
    Ok(decide(&claims))
}

/// The keys in the rows of users that this batch would have at another address: what it may give up.
pub(crate) fn changing(connection: &Connection, batch: Batch<'_>) -> Result<Vec<String>, Failure> {
    let mut held = connection.prepare_cached("SELECT email_key FROM users WHERE user_id = ?1")?;
    let mut changing = Vec::new();
    for (_, _, user) in batch.users() {
        let held: Option<String> = held.query_row([Id(&user.user_id)], |row| row.get(0)).optional()?;
        changing.extend(held.filter(|held| *held != user.email_key()));
    }
    Ok(changing)
}

/// Takes the address from a user's row for a moment; the user's event sets the key again. Where that fails, the whole batch is rolled back.
pub(crate) fn vacate(connection: &Connection, Claimant { event, user, .. }: &Claimant<'_>) -> Result<(), Failure> {
    let mut vacate = connection.prepare_cached(include_str!("../sql/vacate_email.sql"))?;
    vacate.execute(params![Id(&user.user_id), Micros(event.at), Id(&event.id)])?;
    Ok(())
}

/// What an event that would be written claims.
#[derive(Clone, Copy, Debug)]
struct Claim<'a> {
    number: usize,
    user_id: Uuid,
    key: &'a str,
    clock: (Timestamp, Uuid),
    /// Whose row has the key.
    holder: Option<Uuid>,
}

impl Claim<'_> {
    /// Whether its own row has the address already.
    fn holds(&self) -> bool {
        self.holder == Some(self.user_id)
    }

    /// Less wins: the holder, then the earliest.
    fn rank(&self) -> (bool, (Timestamp, Uuid)) {
        (!self.holds(), self.clock)
    }
}

/// The numbers of the claims that are refused.
///
/// First each address has one claim left, which nothing later changes: who holds it, or the earliest. Then a claim falls whose address is held
/// by another user that does not move to another address. One that falls does not move, so others may fall after it; what is left at the end
/// are claims for free addresses, and chains and circles in which everyone moves.
fn decide(claims: &[Claim<'_>]) -> HashSet<usize> {
    let mut first: HashMap<&str, &Claim<'_>> = HashMap::new();
    for claim in claims {
        let best = first.entry(claim.key).or_insert(claim);
        if claim.rank() < best.rank() {
            *best = claim;
        }
    }
    let mut left: Vec<_> = first.into_values().collect();
    loop {
        let moving: HashSet<Uuid> = left.iter().filter(|claim| !claim.holds()).map(|claim| claim.user_id).collect();
        let before = left.len();
        left.retain(|claim| claim.holds() || claim.holder.is_none_or(|holder| moving.contains(&holder)));
        if left.len() == before {
            let accepted: HashSet<usize> = left.iter().map(|claim| claim.number).collect();
            return claims.iter().map(|claim| claim.number).filter(|number| !accepted.contains(number)).collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Claims in order: (user, key, second of the event, who holds the key).
    fn refused_of(claims: &[(u128, &'static str, i64, Option<u128>)]) -> Vec<usize> {
        let claim = |(number, (user, key, second, holder)): (usize, &(u128, &'static str, i64, Option<u128>))| Claim {
            number,
            user_id: Uuid::from_u128(*user),
            key,
            clock: (Timestamp::UNIX_EPOCH.plus_micros(second * 1_000_000), Uuid::from_u128(*user)),
            holder: holder.map(Uuid::from_u128),
        };
        let mut refused: Vec<_> = decide(&claims.iter().enumerate().map(claim).collect::<Vec<_>>()).into_iter().collect();
        refused.sort_unstable();
        refused
    }

    #[test]
    fn of_several_the_earliest_gets_a_free_address_and_the_id_decides_a_tie() {
        assert_eq!(refused_of(&[(1, "a", 5, None), (2, "a", 3, None), (3, "a", 4, None)]), [0, 2]);
        assert_eq!(refused_of(&[(2, "a", 5, None), (1, "a", 5, None)]), [0]);
    }

    #[test]
    fn whoever_holds_it_keeps_it_although_its_event_is_later() {
        assert_eq!(refused_of(&[(1, "a", 1, Some(2)), (2, "a", 9, Some(2))]), [0]);
        assert_eq!(refused_of(&[(1, "a", 1, Some(2))]), [0], "who is not in the batch stays");
    }

    #[test]
    fn whoever_moves_makes_room_and_whoever_cannot_move_makes_none() {
        assert!(refused_of(&[(3, "d", 1, Some(4)), (4, "e", 1, Some(5)), (5, "f", 1, None)]).is_empty());
        // 3 wants the address of 4, who wants that of 5, who wants that of 6, who stays.
        assert_eq!(refused_of(&[(3, "d", 1, Some(4)), (4, "e", 1, Some(5)), (5, "f", 1, Some(6)), (7, "x", 1, None)]), [0, 1, 2]);
        // 4 loses the address that it moves to, so it keeps its own.
        assert_eq!(refused_of(&[(3, "d", 1, Some(4)), (4, "e", 2, None), (5, "e", 1, None)]), [0, 1]);
    }

    #[test]
    fn a_circle_moves_as_a_whole_and_not_at_all_when_somebody_earlier_claims_a_link() {
        assert!(refused_of(&[(1, "b", 5, Some(2)), (2, "c", 5, Some(3)), (3, "a", 5, Some(1))]).is_empty());
        assert_eq!(refused_of(&[(1, "b", 5, Some(2)), (2, "a", 5, Some(1)), (3, "a", 6, Some(1))]), [2]);
        assert_eq!(refused_of(&[(1, "b", 5, Some(2)), (2, "a", 5, Some(1)), (3, "a", 4, Some(1))]), [0, 1, 2]);
    }
}
