//! `RecordSource` over the simulated log.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pipeline::offsets::Commit;
use pipeline::ports::{Lost, PollLimits, Skipped, Unstarted};
use pipeline::{Fault, Record, RecordSource};
use tokio::time::Instant;

use super::away;
use super::client::Client;
use crate::mishap::Kind;
use crate::world::World;

/// A member of the group.
pub struct SimSource {
    world: World,
    name: String,
    client: Arc<Mutex<Client>>,
}

impl SimSource {
    /// Joins the group.
    pub fn join(world: &World, name: &str) -> Self {
        let client = world.step(|state| {
            state.tell(name, "joins", String::new);
            Client::new(name, state)
        });
        world.announce();
        Self { world: world.clone(), name: name.to_owned(), client: Arc::new(Mutex::new(client)) }
    }

    /// The client, which the committer uses too.
    pub(super) fn client(&self) -> Arc<Mutex<Client>> {
        Arc::clone(&self.client)
    }

    /// Its number in the group.
    pub fn member(&self) -> Member {
        Member(Arc::clone(&self.client))
    }

    /// Leaves the group.
    pub fn leave(self) {
        self.member().remove(&self.world);
    }
}

/// A member as others see it.
#[derive(Clone, Debug)]
pub struct Member(Arc<Mutex<Client>>);

impl Member {
    /// Stands still: its heartbeats end now.
    pub fn stand_still(&self, world: &World) {
        let member = lock(&self.0).member;
        world.step(|state| state.group.stand_still(member, Some(state.elapsed())));
    }

    /// Is gone from the group.
    pub fn remove(&self, world: &World) {
        let member = lock(&self.0).member;
        world.step(|state| state.group.remove(member, state.topic.partitions.len()));
        world.announce();
    }
}

pub(super) fn lock(client: &Mutex<Client>) -> MutexGuard<'_, Client> {
    client.lock().unwrap_or_else(PoisonError::into_inner)
}

impl RecordSource for SimSource {
    async fn poll_batch(&mut self, limits: PollLimits, patience: Duration) -> Result<Vec<Record>, Fault> {
        lock(&self.client).passed = Commit::default();
        self.world.pause(&self.name, 20).await;
        if self.world.strikes(&self.name, Kind::TakeFails) {
            return Err(away("take"));
        }
        let deadline = Instant::now() + patience;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if let Some(taken) = self.try_to_take(limits, left) {
                return taken;
            }
            self.world.await_change(left).await;
        }
    }

    fn passed(&self) -> Commit {
        lock(&self.client).passed.clone()
    }

    fn unstarted(&self) -> Vec<Unstarted> {
        lock(&self.client).unstarted()
    }

    async fn start(&mut self, partition: Unstarted, offset: i64) -> Result<(), Fault> {
        self.world.pause(&self.name, 20).await;
        if self.world.strikes(&self.name, Kind::StartFails) {
            return Err(away("start"));
        }
        self.world.tell(&self.name, "starts", || format!("{} at {offset}", partition.partition));
        lock(&self.client).start(partition, offset);
        Ok(())
    }

    async fn reopen(&mut self) -> Result<(), Fault> {
        self.world.pause(&self.name, 20).await;
        if self.world.strikes(&self.name, Kind::ReopenFails) {
            return Err(away("reopen"));
        }
        self.world.step(|state| {
            state.tell(&self.name, "reopens", String::new);
            lock(&self.client).reopen(state);
        });
        self.world.announce();
        Ok(())
    }

    fn lost(&self) -> Option<Lost> {
        let mut client = lock(&self.client);
        client.lost |= self.world.strikes(&self.name, Kind::ClientLost);
        if client.lost { Some(Lost::Client) } else { client.went_back.then_some(Lost::Log) }
    }

    fn skipped(&mut self) -> Vec<Skipped> {
        std::mem::take(&mut lock(&self.client).skipped)
    }

    fn held_back(&self) -> BTreeMap<i32, u64> {
        BTreeMap::new()
    }

    async fn pause(&mut self, duration: Duration) {
        self.poll_only();
        self.world.pause(&self.name, 5).await;
        tokio::time::sleep(duration).await;
        self.poll_only();
    }

    fn assigned(&self) -> BTreeSet<i32> {
        lock(&self.client).assigned()
    }
}

impl SimSource {
    /// Takes what is there; `None` where there is time left to wait for more.
    fn try_to_take(&self, limits: PollLimits, left: Duration) -> Option<Result<Vec<Record>, Fault>> {
        let mut client = lock(&self.client);
        self.world.step(|state| {
            client.pause(false);
            client.poll(state);
            if state.topic.away_until > state.elapsed() {
                return left.is_zero().then(|| Err(away("take")));
            }
            client.fetch(state);
            let taken = client.take(limits);
            if taken.is_empty() && !left.is_zero() && client.unstarted().is_empty() {
                return None;
            }
            client.note_passed(&state.topic.name);
            for record in &taken {
                state.taken(record);
            }
            if !taken.is_empty() {
                state.tell(&client.name, "takes", || places(&taken));
            }
            Some(Ok(taken))
        })
    }

    /// Serves the group, with everything paused.
    fn poll_only(&self) {
        let mut client = lock(&self.client);
        client.pause(true);
        self.world.step(|state| client.poll(state));
    }
}

/// Where records stand: `0:5..9 1:3`.
fn places(records: &[Record]) -> String {
    let mut by_partition: BTreeMap<i32, Vec<String>> = BTreeMap::new();
    for record in records {
        by_partition.entry(record.position.partition).or_default().push(record.position.offset.to_string());
    }
    by_partition.iter().map(|(partition, offsets)| format!("{partition}:[{}]", offsets.join(" "))).collect::<Vec<_>>().join(" ")
}
