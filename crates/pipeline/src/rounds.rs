//! Candidates on their way to their outcomes, round by round.

use std::collections::VecDeque;

use crate::outcome::{Outcome, WaitsFor};
use crate::plan::{Candidate, Follower, Round, plan};

/// Which round is next, and how each candidate ended. Whoever writes the rounds, for good or to undo them, goes by this.
pub struct Rounds<'c> {
    candidates: &'c [Candidate<'c>],
    max_rows: usize,
    planned: VecDeque<Round>,
    /// Followers that must be written by themselves, once the planned rounds are through.
    put_back: Vec<usize>,
    outcomes: Vec<Option<Outcome>>,
}

impl<'c> Rounds<'c> {
    /// Of these candidates, with so many rows in a round; see [`plan`].
    pub fn new(candidates: &'c [Candidate<'c>], max_rows: usize) -> Self {
        Self::planned(candidates, plan(candidates, 0..candidates.len(), max_rows), max_rows)
    }

    /// The same, of candidates that were planned beforehand.
    pub fn planned(candidates: &'c [Candidate<'c>], planned: Vec<Round>, max_rows: usize) -> Self {
        Self { candidates, max_rows, planned: planned.into(), put_back: Vec::new(), outcomes: vec![None; candidates.len()] }
    }

    /// The round to write now; `None` when every candidate has its outcome. What it comes to must be told with [`Rounds::note`] before the
    /// next call.
    pub fn next_round(&mut self) -> Option<Round> {
        if self.planned.is_empty() {
            self.planned = plan(self.candidates, std::mem::take(&mut self.put_back), self.max_rows).into();
        }
        self.planned.pop_front()
    }

    /// Whether the round that was given out is the last one, unless one of its leaders fails.
    pub fn is_last(&self) -> bool {
        self.planned.is_empty() && self.put_back.is_empty()
    }

    /// Notes how the leaders of a round ended, in their order, and with them the followers whose leader's outcome allows it.
    pub fn note(&mut self, round: &Round, ended: impl IntoIterator<Item = Outcome>) {
        for (&leader, outcome) in round.leaders.iter().zip(ended) {
            self.outcomes[leader] = Some(outcome);
        }
        for Follower { index, leader, outcome } in &round.followers {
            match &self.outcomes[*leader] {
                Some(ended) if ended.persisted() => self.outcomes[*index] = Some(outcome.clone()),
                // It has the same parent, so it waits for the same.
                Some(Outcome::Parked(parent @ (WaitsFor::User(_) | WaitsFor::Order(_)))) => {
                    self.outcomes[*index] = Some(Outcome::Parked(*parent));
                }
                _ => self.put_back.push(*index),
            }
        }
    }

    /// One outcome per candidate.
    pub fn into_outcomes(self) -> Vec<Outcome> {
        // Every index was a leader or a follower of some round; were one missing, it would be parked rather than lost.
        self.outcomes.into_iter().map(|outcome| outcome.unwrap_or(Outcome::Parked(WaitsFor::Email))).collect()
    }
}

#[cfg(test)]
mod tests {
    use events::{Event, EventType, samples};
    use uuid::Uuid;

    use super::*;

    /// Versions of one order, each newer than the one before it.
    fn versions(count: u128) -> Vec<Candidate<'static>> {
        let version = |id: u128| {
            let sample = samples::of(EventType::OrderPlaced);
            let at = sample.at.plus_micros(i64::try_from(id).unwrap());
            Candidate { event: Event { id: Uuid::from_u128(id), at, ..sample }, parked: None }
        };
        (1..=count).map(version).collect()
    }

    /// The leaders of each round, when they end like this, and the outcomes.
    fn written(candidates: &[Candidate<'_>], ends: impl Fn(usize) -> Outcome) -> (Vec<Vec<usize>>, Vec<Outcome>) {
        let mut rounds = Rounds::new(candidates, 1000);
        let mut leaders = Vec::new();
        while let Some(round) = rounds.next_round() {
            rounds.note(&round, round.leaders.iter().map(|leader| ends(*leader)));
            leaders.push(round.leaders);
        }
        (leaders, rounds.into_outcomes())
    }

    #[test]
    fn followers_of_a_leader_that_lands_are_superseded() {
        let (rounds, outcomes) = written(&versions(3), |_| Outcome::Applied);
        assert_eq!(rounds, [[2]]);
        assert_eq!(outcomes, [Outcome::Stale, Outcome::Stale, Outcome::Applied]);
    }

    #[test]
    fn followers_of_a_leader_that_waits_for_its_parent_wait_with_it() {
        let parent = WaitsFor::User(Uuid::from_u128(9));
        let (rounds, outcomes) = written(&versions(2), |_| Outcome::Parked(parent));
        assert_eq!((rounds.len(), outcomes), (1, vec![Outcome::Parked(parent), Outcome::Parked(parent)]));
    }

    #[test]
    fn followers_of_a_leader_that_fails_are_written_by_themselves() {
        let failed = || Outcome::Rejected { reason: crate::Reason::Constraint("test"), code: None };
        let (rounds, outcomes) = written(&versions(3), |leader| if leader == 2 { failed() } else { Outcome::Applied });
        assert_eq!(rounds, [[2], [1]]);
        assert_eq!(outcomes, [Outcome::Stale, Outcome::Applied, failed()]);
    }
    #[test]
    fn a_round_is_the_last_unless_others_are_planned_or_put_back() {
        let candidates = versions(2);
        let mut rounds = Rounds::new(&candidates, 1000);
        let round = rounds.next_round().unwrap();
        assert!(rounds.is_last());
        rounds.note(&round, [Outcome::Rejected { reason: crate::Reason::MissingParent, code: None }]);
        assert!(!rounds.is_last(), "the follower was put back");
        let round = rounds.next_round().unwrap();
        rounds.note(&round, [Outcome::Applied]);
        assert!(rounds.is_last() && rounds.next_round().is_none());
        // Two rows and one order in a round: the second order needs a round of its own.
        let mut apart = versions(2);
        if let events::Body::OrderPlaced(order) = &mut apart[1].event.body {
            order.order_id = Uuid::from_u128(77);
        }
        let mut rounds = Rounds::new(&apart, 1);
        assert!(rounds.next_round().is_some() && !rounds.is_last());
        assert!(rounds.next_round().is_some() && rounds.is_last());
    }
}
