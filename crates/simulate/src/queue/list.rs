//! The list of dead letters, the claims, and the identities that were pushed before.

use std::collections::HashSet;
use std::time::Duration;

use pipeline::ports::{ListState, Permit};
use uuid::Uuid;

/// What the queue holds.
#[derive(Debug)]
pub struct DeadLetters {
    /// In no order; [`Letter::place`] tells it.
    pub all: Vec<Letter>,
    /// The identities that were pushed before.
    pub seen: HashSet<String>,
    /// What an operator permits of a flood.
    pub permit: Permit,
    /// Nobody answers before this time of the run.
    pub away_until: Duration,
    /// How often the queue failed over.
    pub failovers: u64,
    oldest: i64,
    newest: i64,
    claims: u64,
    moves: u64,
}

/// An entry.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Less is older.
    pub place: i64,
    /// The text.
    pub entry: String,
    /// The token of the last claim.
    pub token: Option<Uuid>,
    /// When the claim ends, in microseconds of the run; while it lasts, the entry is not in the list.
    pub lease_ends: Option<u128>,
}

impl Default for DeadLetters {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            seen: HashSet::new(),
            permit: Permit::Nothing,
            away_until: Duration::ZERO,
            failovers: 0,
            oldest: 0,
            newest: 0,
            claims: 0,
            moves: 0,
        }
    }
}

impl DeadLetters {
    /// Puts an entry at the new end.
    pub fn put(&mut self, entry: String) {
        self.newest += 1;
        self.all.push(Letter { place: self.newest, entry, token: None, lease_ends: None });
    }

    /// The entries of the list, oldest first.
    pub fn listed(&self) -> Vec<&Letter> {
        let mut listed: Vec<_> = self.all.iter().filter(|dead_letter| dead_letter.lease_ends.is_none()).collect();
        listed.sort_by_key(|dead_letter| dead_letter.place);
        listed
    }

    /// How long the list is, and how often it was changed otherwise than at its new end.
    pub fn list_state(&self) -> ListState {
        ListState { depth: self.all.len() as u64 - self.claimed(), moves: self.moves }
    }

    /// Claims the oldest entry with this text.
    pub fn claim(&mut self, entry: &str, lease_ends: u128) -> Option<Uuid> {
        self.claims += 1;
        let token = Uuid::from_u64_pair(self.claims, 0);
        let listed = self.all.iter_mut().filter(|dead_letter| dead_letter.lease_ends.is_none() && dead_letter.entry == entry);
        let oldest = listed.min_by_key(|dead_letter| dead_letter.place)?;
        (oldest.token, oldest.lease_ends) = (Some(token), Some(lease_ends));
        self.moves += 1;
        Some(token)
    }

    /// Removes an entry for good that has this token, whether its lease has ended or not.
    pub fn settle(&mut self, token: Uuid) -> Option<Letter> {
        let place = self.all.iter().position(|dead_letter| dead_letter.token == Some(token))?;
        self.moves += 1;
        Some(self.all.remove(place))
    }

    /// Puts a claimed entry back to the old end.
    pub fn give_back(&mut self, token: Uuid) -> bool {
        let oldest = self.oldest - 1;
        let Some(dead_letter) =
            self.all.iter_mut().find(|dead_letter| dead_letter.token == Some(token) && dead_letter.lease_ends.is_some())
        else {
            return false;
        };
        (dead_letter.lease_ends, dead_letter.place, self.oldest) = (None, oldest, oldest);
        self.moves += 1;
        true
    }

    /// How many are claimed.
    pub fn claimed(&self) -> u64 {
        self.all.iter().filter(|dead_letter| dead_letter.lease_ends.is_some()).count() as u64
    }

    /// Puts back what was claimed until now or before, so that the one claimed first is the oldest again.
    pub fn give_back_overdue(&mut self, now: u128) -> usize {
        let overdue = self.all.iter().filter(|dead_letter| dead_letter.lease_ends.is_some_and(|ends| ends <= now));
        let mut tokens: Vec<_> = overdue.filter_map(|dead_letter| Some((dead_letter.lease_ends, dead_letter.token?))).collect();
        tokens.sort_unstable();
        tokens.into_iter().rev().filter(|(_, token)| self.give_back(*token)).count()
    }

    /// How many of so many may pass; takes them from what is permitted.
    pub fn spend(&mut self, records: u64) -> u64 {
        match &mut self.permit {
            Permit::Nothing => 0,
            Permit::Records(left) => {
                let granted = records.min(*left);
                *left -= granted;
                granted
            }
            Permit::Everything => records,
        }
    }
}
