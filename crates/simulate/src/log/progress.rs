//! `GroupProgress` over the simulated log: several questions one after the other, as Kafka is asked.

use std::collections::BTreeMap;

use pipeline::ports::GroupProgress;
use pipeline::{Fault, LogState, PartitionState};

use super::away;
use crate::mishap::Kind;
use crate::world::World;

/// Looks at the log from outside.
#[derive(Clone)]
pub struct SimProgress {
    world: World,
    name: String,
}

impl SimProgress {
    /// For one consumer.
    pub fn new(world: &World, name: &str) -> Self {
        Self { world: world.clone(), name: name.to_owned() }
    }
}

impl GroupProgress for SimProgress {
    /// The ends come first and the group's offsets last.
    async fn log(&self) -> Result<LogState, Fault> {
        self.world.pause(&self.name, 50).await;
        let id = self.world.step(|state| {
            let is_away = state.topic.away_until > state.elapsed();
            if is_away || state.strikes(&self.name, Kind::LookFails) { Err(away("log")) } else { Ok(state.topic.id) }
        })?;
        self.world.pause(&self.name, 20).await;
        let mut partitions: BTreeMap<i32, PartitionState> = self.world.step(|state| {
            let now = state.elapsed();
            let numbered = state.topic.partitions.iter().enumerate();
            let ends = numbered.map(|(number, log)| match log.leaderless_until > now {
                true => Err(away("log")),
                false => Ok((number as i32, PartitionState { first: log.first, end: log.end(), committed: None })),
            });
            ends.collect::<Result<_, _>>()
        })?;
        self.world.pause(&self.name, 20).await;
        self.world.step(|state| {
            for (number, partition) in &mut partitions {
                partition.committed = state.topic.partitions.get(*number as usize).and_then(|log| log.committed);
            }
        });
        Ok(LogState { id, partitions })
    }
}
