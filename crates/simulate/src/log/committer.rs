//! `OffsetCommitter` over the simulated group.

use std::sync::{Arc, Mutex};

use pipeline::offsets::Commit;
use pipeline::{Fault, OffsetCommitter};

use super::away;
use super::client::Client;
use super::source::{SimSource, lock};
use crate::mishap::Kind;
use crate::world::World;

/// Commits for one member.
pub struct SimCommitter {
    world: World,
    name: String,
    client: Arc<Mutex<Client>>,
}

impl SimCommitter {
    /// For the partitions of this source.
    pub fn new(world: &World, source: &SimSource) -> Self {
        let client = source.client();
        let name = lock(&client).name.clone();
        Self { world: world.clone(), name, client }
    }
}

impl OffsetCommitter for SimCommitter {
    async fn commit(&self, commit: &Commit) -> Result<usize, Fault> {
        let defect = self.world.step(|state| state.defect);
        let next = lock(&self.client).committable(commit, defect);
        if next.is_empty() {
            return Ok(0);
        }
        self.world.pause(&self.name, 30).await;
        let member = lock(&self.client).member;
        let made = self.world.step(|state| {
            let unwritable_until = state.topic.away_until.max(state.group.read_only_until);
            let is_away = unwritable_until > state.elapsed() || state.strikes(&self.name, Kind::CommitRefused);
            if is_away || !state.group.knows(member) || state.group.is_rebalancing(member) {
                state.tell(&self.name, "commit-refused", String::new);
                return false;
            }
            for next in &next {
                state.committed(&self.name, next);
            }
            true
        });
        if !made {
            return Err(away("commit"));
        }
        self.world.pause(&self.name, 30).await;
        if self.world.strikes(&self.name, Kind::CommitLate) {
            return Err(away("commit"));
        }
        lock(&self.client).committed(&next);
        Ok(next.len())
    }
}
