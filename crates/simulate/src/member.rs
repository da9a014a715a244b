//! The real consumer, on the simulated adapters.

use std::time::Duration;

use consumer::backends::{Adapters, Backends};
use consumer::waiting::PIPELINE_PART;
use consumer::{ConsumerConfig, run};
use telemetry::{Health, Metrics};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::log::source::Member;
use crate::log::{SimCommitter, SimProgress, SimSource};
use crate::queue::SimQueue;
use crate::store::SimStore;
use crate::world::{TOPIC, World};

/// The simulated adapters.
pub struct SimBackends;

impl Backends for SimBackends {
    type Source = SimSource;
    type Offsets = SimCommitter;
    type Progress = SimProgress;
    type Store = SimStore;
    type DeadLetters = SimQueue;
}

/// A consumer that runs.
#[derive(Debug)]
pub struct Running {
    /// Who it is.
    pub name: String,
    member: Member,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    /// Starts a consumer.
    pub fn start(world: &World, name: String, config: ConsumerConfig, metrics: Metrics) -> Self {
        let source = SimSource::join(world, &name);
        let member = source.member();
        let adapters = Adapters::<SimBackends> {
            offsets: SimCommitter::new(world, &source),
            source,
            progress: SimProgress::new(world, &name),
            store: SimStore::new(world, &name),
            dead_letters: SimQueue::new(world, &name),
            topic: TOPIC.into(),
        };
        let stop = CancellationToken::new();
        let health = Health::new(&[PIPELINE_PART], None);
        let work = run(adapters, config, metrics, health, stop.clone());
        let task = tokio::spawn(async move { work.await.leave() });
        Self { name, member, stop, task }
    }

    /// Kills it. The group learns of that when its session ends.
    pub fn kill(self, world: &World) {
        self.task.abort();
        self.stop.cancel();
        self.member.stand_still(world);
    }

    /// Kills it, and waits until the group knows.
    pub fn kill_and_remove(self, world: &World) {
        let member = self.member.clone();
        self.kill(world);
        member.remove(world);
    }

    /// Tells it to stop, as a supervisor does, and waits until it has.
    ///
    /// # Errors
    /// It panics, or comes to no end.
    pub async fn stop(self) -> Result<(), String> {
        self.stop.cancel();
        match tokio::time::timeout(Duration::from_secs(60), self.task).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(format!("{} has panicked", self.name)),
            Err(_) => Err(format!("{} was told to stop a minute ago", self.name)),
        }
    }

    /// Stands still, for so long: the whole process does.
    pub fn stall(&self, world: &World, lasts: Duration) {
        self.member.stand_still(world);
        world.step(|state| {
            let until = state.elapsed() + lasts;
            state.frozen.insert(self.name.clone(), until);
        });
    }

    /// Whether it has ended by itself, which it never does.
    pub fn has_ended(&self) -> bool {
        self.task.is_finished()
    }
}
