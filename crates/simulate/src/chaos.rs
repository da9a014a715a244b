//! What goes wrong by the clock: processes, brokers and servers, twice a second.

use std::time::Duration;

use consumer::ConsumerConfig;
use consumer::audit::Unwitnessed;
use consumer::dlq::{Filter, RedriveRequest, Route, redrive};
use telemetry::Metrics;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::dice::stream;
use crate::log::topic::Entry;
use crate::log::{SimProducer, topic::Partition};
use crate::member::Running;
use crate::mishap::Kind;
use crate::queue::SimQueue;
use crate::world::{State, TOPIC, World};

const CHAOS: u64 = stream("chaos");

/// How often something may go wrong.
pub const TICK: Duration = Duration::from_millis(500);

/// How long a claim of an operator lasts.
pub const LEASE: Duration = Duration::from_secs(20);

/// The consumers of a run, and whoever makes trouble.
pub struct Chaos {
    world: World,
    config: ConsumerConfig,
    metrics: Metrics,
    /// Those that run.
    pub running: Vec<Running>,
    /// Those that start again, and when.
    restarts: Vec<Duration>,
    /// Stops that are under way.
    stopping: Vec<JoinHandle<Result<(), String>>>,
    operators: Vec<(Duration, JoinHandle<()>)>,
    started: u32,
}

impl Chaos {
    /// Starts so many consumers.
    pub fn new(world: &World, consumers: u64, config: ConsumerConfig, metrics: Metrics) -> Self {
        let mut chaos = Self {
            world: world.clone(),
            config,
            metrics,
            running: Vec::new(),
            restarts: Vec::new(),
            stopping: Vec::new(),
            operators: Vec::new(),
            started: 0,
        };
        (0..consumers).for_each(|_| chaos.start());
        chaos
    }

    fn start(&mut self) {
        self.started += 1;
        let name = format!("c{}", self.started);
        self.running.push(Running::start(&self.world, name, self.config.clone(), self.metrics.clone()));
    }

    /// One tick: what is due happens, and something may go wrong.
    pub fn tick(&mut self) {
        self.restart_due();
        self.processes();
        let world = self.world.clone();
        world.step(|state| {
            servers(state);
            log(state);
        });
        world.announce();
    }

    /// What happens by the clock, whatever else does: sessions end, consumers start again, operators are interrupted.
    pub fn restart_due(&mut self) {
        let (now, partitions) = self.world.step(|state| {
            let (now, partitions) = (state.elapsed(), state.topic.partitions.len());
            for member in state.group.expired(now) {
                state.tell("group", "expires", || format!("member {member}"));
                state.group.remove(member, partitions);
            }
            (now, partitions)
        });
        let due = self.restarts.iter().filter(|at| **at <= now).count();
        self.restarts.retain(|at| *at > now);
        (0..due).for_each(|_| self.start());
        self.operators.retain(|(until, operator)| {
            if *until <= now {
                operator.abort();
            }
            *until > now
        });
        if let Some(ended) = self.running.iter().find(|running| running.has_ended()) {
            let text = format!("{} has ended by itself, with {partitions} partitions to consume", ended.name);
            self.world.step(|state| state.violated(text));
        }
    }

    /// Everything runs again.
    pub fn heal(&mut self) {
        self.restarts.iter_mut().for_each(|at| *at = Duration::ZERO);
        if self.running.is_empty() && self.restarts.is_empty() {
            self.restarts.push(Duration::ZERO);
        }
        self.restart_due();
        self.operators.drain(..).for_each(|(_, operator)| operator.abort());
    }

    /// Stops everything, and waits for it.
    ///
    /// # Errors
    /// Somebody does not stop.
    pub async fn end(self) -> Result<(), String> {
        for stopping in self.stopping {
            stopping.await.map_err(|_| "who stops a consumer has panicked".to_owned())??;
        }
        for running in self.running {
            running.stop().await?;
        }
        Ok(())
    }

    fn processes(&mut self) {
        if let Some(victim) = self.victim(Kind::Crash) {
            victim.kill(&self.world);
            self.restart_later();
        }
        if let Some(victim) = self.victim(Kind::Stop) {
            self.stopping.push(tokio::spawn(victim.stop()));
            self.restart_later();
        }
        if let Some(victim) = self.victim(Kind::Leave) {
            self.stopping.push(tokio::spawn(victim.stop()));
        }
        if self.running.len() < 4 && self.world.strikes("chaos", Kind::Join) {
            self.start();
        }
        if !self.running.is_empty() && self.world.strikes("chaos", Kind::Stall) {
            let (victim, lasts) = self.world.step(|state| {
                let victim = state.dice.below(CHAOS, self.running.len() as u64) as usize;
                (victim, state.dice.between(CHAOS, 2_000, 25_000))
            });
            self.world.tell("chaos", "stalls", || self.running[victim].name.clone());
            self.running[victim].stall(&self.world, Duration::from_millis(lasts));
        }
        if self.world.strikes("chaos", Kind::OffsetMoved) {
            self.move_offset();
        }
        if self.world.strikes("chaos", Kind::Redrive) {
            let lasts = self.world.step(|state| state.dice.between(CHAOS, 20, 3_000));
            let until = self.world.step(|state| state.elapsed()) + Duration::from_millis(lasts);
            self.operators.push((until, tokio::spawn(send_back(self.world.clone()))));
        }
    }

    /// One that runs, where this mishap strikes.
    fn victim(&mut self, kind: Kind) -> Option<Running> {
        if self.running.is_empty() || !self.world.strikes("chaos", kind) {
            return None;
        }
        let victim = self.world.step(|state| state.dice.below(CHAOS, self.running.len() as u64)) as usize;
        let victim = self.running.swap_remove(victim);
        self.world.tell("chaos", "ends", || victim.name.clone());
        Some(victim)
    }

    /// Somebody moves the group's offset of a partition. The group must have no member then: all are killed, and start again.
    fn move_offset(&mut self) {
        for victim in std::mem::take(&mut self.running) {
            victim.kill_and_remove(&self.world);
            self.restart_later();
        }
        self.world.step(|state| {
            let partition = state.dice.below(CHAOS, state.topic.partitions.len() as u64) as usize;
            if state.group.is_empty() {
                move_offset(state, partition);
            }
        });
    }

    fn restart_later(&mut self) {
        let at = self.world.step(|state| state.elapsed() + Duration::from_millis(state.dice.between(CHAOS, 100, 6_000)));
        self.restarts.push(at);
    }
}

/// An operator sends dead letters back.
async fn send_back(world: World) {
    let (queue, publisher, stop) = (SimQueue::new(&world, "operator"), SimProducer::new(&world, "operator"), CancellationToken::new());
    let route = Route { queue: &queue, publisher: &publisher, default_topic: TOPIC, lease: LEASE, stop: &stop };
    let order = RedriveRequest { filter: Filter::default(), limit: Some(20), rate: None, max_retries: 2 };
    redrive(route, &order, &mut Unwitnessed, |_| {}).await;
}

fn until(state: &mut State, most: u64) -> Duration {
    state.elapsed() + Duration::from_millis(state.dice.between(CHAOS, 300, most))
}

fn servers(state: &mut State) {
    if state.strikes("chaos", Kind::Failover) {
        let until = until(state, 6_000);
        state.tables.fail_over(until);
    }
    if state.strikes("chaos", Kind::DiskFull) {
        state.tables.full_until = until(state, 15_000);
    }
    if state.strikes("chaos", Kind::QueueFailover) {
        state.dead_letters.failovers += 1;
        state.dead_letters.away_until = until(state, 6_000);
    }
    if state.strikes("chaos", Kind::BrokersAway) {
        state.topic.away_until = until(state, 8_000);
    }
    if state.strikes("chaos", Kind::OffsetsReadOnly) {
        state.group.read_only_until = until(state, 12_000);
    }
}

fn log(state: &mut State) {
    let partitions = state.topic.partitions.len();
    if state.strikes("chaos", Kind::LeaderLost) {
        let partition = state.dice.below(CHAOS, partitions as u64) as usize;
        state.topic.partitions[partition].leaderless_until = until(state, 8_000);
    }
    if state.strikes("chaos", Kind::Retention) {
        let partition = state.dice.below(CHAOS, partitions as u64) as usize;
        delete(state, partition);
    }
    if state.strikes("chaos", Kind::Compaction) {
        let partition = state.dice.below(CHAOS, partitions as u64) as usize;
        compact(state, partition);
    }
    if state.strikes("chaos", Kind::Recreation) {
        let keep_offsets = state.dice.chance(CHAOS, 0.5);
        let gone = state.topic.recreate(&mut state.dice, keep_offsets);
        state.tell("chaos", "recreates", || format!("{} records are gone; offsets kept: {keep_offsets}", gone.len()));
        state.gone(&gone);
    }
    if partitions < 6 && state.strikes("chaos", Kind::NewPartition) {
        state.topic.partitions.push(Partition::default());
        state.group.rebalance(partitions + 1);
    }
    if state.strikes("chaos", Kind::Rebalance) {
        state.group.rebalance(state.topic.partitions.len());
    }
}

/// Retention deletes the first records of a partition, mostly those that are consumed.
fn delete(state: &mut State, partition: usize) {
    let log = &state.topic.partitions[partition];
    let consumed = log.committed.unwrap_or_default().clamp(log.first, log.end());
    let (first, stable) = (log.first, log.stable());
    let reach = if state.dice.chance(CHAOS, 0.7) { consumed.min(stable) } else { stable };
    let until = first + state.dice.below(CHAOS, (reach - first).max(0) as u64 + 1) as i64;
    let gone: Vec<_> = state.topic.partitions[partition].records(first, until).collect();
    state.tell("chaos", "deletes", || format!("{partition}: up to {until}"));
    state.gone(&gone);
    state.topic.partitions[partition].first = until;
}

/// Compaction takes records whose key comes again later.
fn compact(state: &mut State, partition: usize) {
    let log = &state.topic.partitions[partition];
    let numbers: Vec<_> = log.records(log.first, log.stable()).collect();
    let comes_again =
        |place: usize| numbers[place + 1..].iter().any(|later| state.topic.sent[*later].key == state.topic.sent[numbers[place]].key);
    let gone: Vec<_> = (0..numbers.len()).filter(|place| comes_again(*place)).map(|place| numbers[place]).collect();
    state.tell("chaos", "compacts", || format!("{partition}: {} records", gone.len()));
    state.gone(&gone);
    for number in gone {
        let offset = state.topic.sent[number].offset;
        state.topic.partitions[partition].entries[offset as usize] = Entry::Nothing;
    }
}

/// Somebody moves the group's offset of a partition that the tables know.
fn move_offset(state: &mut State, partition: usize) {
    let key = (state.topic.id, state.topic.name.clone(), partition as i32);
    if !state.tables.positions.contains_key(&key) {
        return;
    }
    let log = &state.topic.partitions[partition];
    let (first, end) = (log.first, log.end());
    let to = first + state.dice.below(CHAOS, (end - first) as u64 + 1) as i64;
    state.tell("chaos", "moves", || format!("the offset of {partition} to {to}"));
    let log = &mut state.topic.partitions[partition];
    (log.committed, log.moved) = (Some(to), true);
}
