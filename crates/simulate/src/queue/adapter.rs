//! The ports of a dead letter queue, over the simulated one.

use std::collections::BTreeMap;
use std::time::Duration;

use pipeline::dead_letter::Entry;
use pipeline::fault::{Dependency, Fault, FaultClass};
use pipeline::ports::{Claim, ClaimQueue, DeadLetterArchive, DeadLetterReader, End, FloodPermits, ListState, Permit};
use pipeline::{DeadLetter, DeadLetterQueue};

use crate::defect::Defect;
use crate::mishap::Kind;
use crate::world::{State, World};

/// One user's connection.
#[derive(Clone)]
pub struct SimQueue {
    world: World,
    name: String,
}

const fn fault(class: FaultClass, subject: &'static str) -> Fault {
    Fault { dependency: Dependency::DeadLetterQueue, class, code: None, subject }
}

const AWAY: FaultClass = FaultClass::Unavailable { timed_out: false };

impl SimQueue {
    /// For one user.
    pub fn new(world: &World, name: &str) -> Self {
        Self { world: world.clone(), name: name.to_owned() }
    }

    /// Makes a call: the queue does one thing at a time, whole or not at all.
    async fn call<T>(&self, what: &'static str, work: impl FnOnce(&mut State) -> T + Send) -> Result<T, Fault> {
        self.world.pause(&self.name, 15).await;
        let (answer, failovers) = self.world.step(|state| {
            if state.dead_letters.away_until > state.elapsed() || state.strikes(&self.name, Kind::QueueAway) {
                state.tell(&self.name, "refused", || what.to_owned());
                return Err(fault(AWAY, what));
            }
            Ok((work(state), state.dead_letters.failovers))
        })?;
        self.world.pause(&self.name, 15).await;
        let lost = self.world.step(|state| state.dead_letters.failovers != failovers || state.strikes(&self.name, Kind::ReplyLost));
        if lost {
            self.world.tell(&self.name, "reply-lost", || what.to_owned());
            return Err(fault(AWAY, what));
        }
        Ok(answer)
    }
}

impl DeadLetterQueue for SimQueue {
    async fn push(&self, dead_letters: &[DeadLetter]) -> Result<usize, Fault> {
        self.call("push", |state| {
            if state.strikes(&self.name, Kind::QueueFull) {
                return Err(fault(FaultClass::Operator, "push"));
            }
            let partial = state.strikes(&self.name, Kind::PartialPush);
            let most = if partial { dead_letters.len() / 2 } else { dead_letters.len() };
            if partial && state.has(Defect::SeenBeforePushed) {
                state.dead_letters.seen.extend(dead_letters.iter().map(|dead_letter| dead_letter.identity.clone()));
            }
            let new = dead_letters[..most].iter().filter(|dead_letter| push(state, &self.name, dead_letter)).count();
            if partial { Err(fault(AWAY, "push")) } else { Ok(new) }
        })
        .await?
    }

    async fn known(&self, dead_letters: &[DeadLetter]) -> Result<Vec<bool>, Fault> {
        self.call("known", |state| dead_letters.iter().map(|dead_letter| state.dead_letters.seen.contains(&dead_letter.identity)).collect())
            .await
    }
}

fn push(state: &mut State, who: &str, dead_letter: &DeadLetter) -> bool {
    let is_new = state.dead_letters.seen.insert(dead_letter.identity.clone()) || state.has(Defect::LetterPushedTwice);
    if is_new {
        state.dead_letters.put(dead_letter.json.clone());
    }
    state.pushed(who, dead_letter, is_new);
    is_new
}

impl DeadLetterReader for SimQueue {
    async fn list_state(&self) -> Result<ListState, Fault> {
        self.call("list_state", |state| state.dead_letters.list_state()).await
    }

    async fn depth(&self) -> Result<u64, Fault> {
        self.call("depth", |state| state.dead_letters.listed().len() as u64).await
    }

    async fn claimed(&self) -> Result<u64, Fault> {
        self.call("claimed", |state| state.dead_letters.claimed()).await
    }

    async fn reasons(&self) -> Result<BTreeMap<String, u64>, Fault> {
        self.call("reasons", |state| {
            let mut reasons = BTreeMap::new();
            for dead_letter in state.dead_letters.listed() {
                let reason =
                    Entry::parse(&dead_letter.entry).map_or_else(|_| told(&dead_letter.entry), |entry| entry.reason_label().to_owned());
                *reasons.entry(reason).or_default() += 1;
            }
            reasons
        })
        .await
    }

    async fn page(&self, end: End, start: u64, limit: u64) -> Result<Vec<String>, Fault> {
        self.call("page", |state| {
            let mut listed = state.dead_letters.listed();
            if end == End::Newest {
                listed.reverse();
            }
            let page = listed.into_iter().skip(start as usize).take(limit as usize);
            page.map(|dead_letter| dead_letter.entry.clone()).collect()
        })
        .await
    }
}

/// The reason that an entry of others tells.
fn told(entry: &str) -> String {
    let told = serde_json::from_str::<serde_json::Value>(entry).ok();
    told.and_then(|entry| entry.get("reason")?.as_str().map(str::to_owned)).unwrap_or_else(|| "unknown".to_owned())
}

impl ClaimQueue for SimQueue {
    async fn claim(&self, entries: &[String], lease: Duration) -> Result<Vec<Option<Claim>>, Fault> {
        self.call("claim", |state| {
            let forever = state.has(Defect::ClaimWithoutLease);
            let lease_ends = if forever { u128::MAX } else { (state.elapsed().saturating_add(lease)).as_micros() };
            state.tell(&self.name, "claims", || format!("{} letters", entries.len()));
            let claim = |entry: &String| Some(Claim { token: state.dead_letters.claim(entry, lease_ends)?, entry: entry.clone() });
            entries.iter().map(claim).collect()
        })
        .await
    }

    async fn settle(&self, claims: &[Claim]) -> Result<usize, Fault> {
        self.call("settle", |state| {
            let settled: Vec<_> = claims.iter().filter_map(|claim| state.dead_letters.settle(claim.token)).collect();
            settled.iter().for_each(|dead_letter| state.settled_letter(&self.name, &dead_letter.entry));
            settled.len()
        })
        .await
    }

    async fn give_back(&self, claims: &[Claim]) -> Result<usize, Fault> {
        self.call("give_back", |state| claims.iter().rev().filter(|claim| state.dead_letters.give_back(claim.token)).count()).await
    }

    async fn give_back_overdue(&self) -> Result<usize, Fault> {
        self.call("give_back_overdue", |state| {
            let now = state.elapsed().as_micros();
            state.dead_letters.give_back_overdue(now)
        })
        .await
    }
}

impl DeadLetterArchive for SimQueue {
    async fn restore(&self, entries: &[String]) -> Result<(), Fault> {
        self.call("restore", |state| entries.iter().for_each(|entry| state.dead_letters.put(entry.clone()))).await
    }
}

impl FloodPermits for SimQueue {
    async fn spend(&self, records: u64) -> Result<u64, Fault> {
        self.call("spend", |state| state.dead_letters.spend(records)).await
    }

    async fn permit(&self, permit: Permit) -> Result<(), Fault> {
        self.call("permit", |state| state.dead_letters.permit = permit).await
    }
}
