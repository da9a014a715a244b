//! One run: a world, its traffic, its consumers and its misfortune, from a seed.

use std::time::Duration;

use consumer::{ConsumerConfig, chance};
use pipeline::ports::{ClaimQueue as _, PollLimits};
use telemetry::Metrics;

use crate::chaos::{Chaos, LEASE, TICK};
use crate::check::{Violation, end};
use crate::crowd;
use crate::dice::{Dice, stream};
use crate::mishap::Mishap;
use crate::queue::SimQueue;
use crate::traffic::Traffic;
use crate::world::{Terms, World};

const PLAN: u64 = stream("plan");

/// How long everything may take to be consumed once nothing goes wrong any more.
const PATIENCE: Duration = Duration::from_secs(300);

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// Its seed.
    pub seed: u64,
    /// How many steps it had.
    pub steps: u64,
    /// What two runs of one seed have in common.
    pub digest: u64,
    /// How long it lasted, by its own clock.
    pub lasted: Duration,
    /// How many records were sent.
    pub records: usize,
    /// What went wrong.
    pub struck: Vec<Mishap>,
    /// The promise that was broken.
    pub violation: Option<Violation>,
    /// The story, where it was to be told.
    pub lines: Vec<String>,
}

/// The circumstances of a run.
struct Plan {
    partitions: usize,
    consumers: u64,
    eager: bool,
    config: ConsumerConfig,
}

impl Plan {
    fn new(seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        if crowd::is_crowd(&dice) {
            let (partitions, consumers, config) = crowd::plan(&mut dice);
            return Self { partitions, consumers, eager: dice.chance(PLAN, 0.5), config };
        }
        let mut seconds = |of: &[f64]| Duration::from_secs_f64(*dice.pick(PLAN, of));
        let (parking_deadline, sweep_interval, monitor_interval) =
            (seconds(&[6.0, 15.0, 30.0]), seconds(&[0.5, 2.0, 5.0, 40.0]), seconds(&[1.0, 2.0, 5.0]));
        let config = ConsumerConfig {
            batch: PollLimits { records: *dice.pick(PLAN, &[1, 3, 8, 20]), bytes: 4 << 20 },
            batches_per_take: *dice.pick(PLAN, &[1, 2, 4]),
            max_rows: *dice.pick(PLAN, &[3, 10, 4000]),
            parking_deadline,
            sweep_interval,
            monitor_interval,
            ..ConsumerConfig::default()
        };
        Self { partitions: dice.between(PLAN, 1, 4) as usize, consumers: dice.between(PLAN, 1, 3), eager: dice.chance(PLAN, 0.5), config }
    }
}

/// Runs a seed. Uses the metrics of whoever runs many, since making them takes longer than a run may.
///
/// # Errors
/// No runtime can be made.
pub fn run(terms: &Terms, metrics: &Metrics) -> std::io::Result<Report> {
    chance::repeat(terms.seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    Ok(runtime.block_on(simulate(terms, metrics)))
}

async fn simulate(terms: &Terms, metrics: &Metrics) -> Report {
    let Plan { partitions, consumers, eager, config } = Plan::new(terms.seed);
    let world = World::new(terms, partitions, eager);
    world.step(|state| {
        state.watcher.deadline = config.parking_deadline;
        state.tell("world", "begins", || {
            format!("{partitions} partitions, {consumers} consumers, eager: {eager}, {:?}, {:?}", config.batch, config.sweep_interval)
        });
    });
    let ended = tokio::select! {
        biased;
        () = world.failed() => Ok(()),
        ended = live(&world, consumers, config, metrics.clone()) => ended,
    };
    world.step(|state| {
        if let Err(what) = ended {
            state.violated(what);
        }
        Report {
            seed: terms.seed,
            steps: state.story.steps(),
            digest: state.story.digest(),
            lasted: state.elapsed(),
            records: state.topic.sent.len(),
            struck: state.mishaps.struck().to_vec(),
            violation: state.watcher.violation().cloned(),
            lines: state.story.lines(),
        }
    })
}

/// From the first record to the last commit.
async fn live(world: &World, consumers: u64, config: ConsumerConfig, metrics: Metrics) -> Result<(), String> {
    let traffic = world.step(|state| {
        let beginning = state.now();
        Traffic::new(&mut state.dice, beginning)
    });
    let sweeps_seldom = config.sweep_interval > Duration::from_secs(30);
    let traffic = tokio::spawn(traffic.send(world.clone()));
    let mut chaos = Chaos::new(world, consumers, config, metrics.clone());
    let rest = world.step(|state| state.dice.between(PLAN, 0, 20));
    let mut after = 0;
    while after <= rest {
        tokio::time::sleep(TICK).await;
        chaos.tick();
        after += u64::from(traffic.is_finished());
    }
    world.step(|state| {
        state.tell("world", "heals", String::new);
        state.mishaps.end();
        let now = state.elapsed();
        state.tables.away_until = now;
        state.tables.full_until = now;
        state.dead_letters.away_until = now;
        state.topic.away_until = now;
        state.group.read_only_until = now;
        state.topic.partitions.iter_mut().for_each(|log| log.leaderless_until = now);
    });
    chaos.heal();
    if sweeps_seldom && world.step(|state| state.mishaps.struck().iter().all(|(kind, _)| kind.only_delays())) {
        nothing_waits_for_a_sweep(world).await?;
    }
    until_quiet(world, &mut chaos).await?;
    claims_come_back(world).await;
    until_quiet(world, &mut chaos).await?;
    nothing_lags(world, &metrics).await?;
    chaos.end().await?;
    world.step(|state| end::check(state))
}

/// Where everybody came to the end of what he did, who waits for what is there is released by whoever brought it.
async fn nothing_waits_for_a_sweep(world: &World) -> Result<(), String> {
    tokio::time::sleep(Duration::from_secs(10)).await;
    world.step(|state| end::nothing_is_releasable(state))
}

/// What everybody sees who watches the consumers: nothing is left to consume, once each of them has looked again.
async fn nothing_lags(world: &World, metrics: &Metrics) -> Result<(), String> {
    let began = tokio::time::Instant::now();
    // An offset that somebody has moved back stays there where there is nothing to commit.
    let moved = world.step(|state| state.topic.partitions.iter().any(|log| log.moved));
    loop {
        tokio::time::sleep(Duration::from_secs(3)).await;
        let text = metrics.encode();
        let lag = text.lines().find(|line| line.starts_with("pipeline_partition_lag{") && !line.ends_with(" 0"));
        match lag {
            Some(lag) if !moved && began.elapsed() > Duration::from_secs(60) => {
                return Err(format!("everything is consumed, and yet {lag}"));
            }
            Some(_) if !moved => {}
            _ => return Ok(()),
        }
    }
}

async fn until_quiet(world: &World, chaos: &mut Chaos) -> Result<(), String> {
    let began = tokio::time::Instant::now();
    while !world.step(|state| end::is_quiet(state)) {
        if began.elapsed() > PATIENCE {
            return Err(world.step(|state| end::what_is_left(state)));
        }
        tokio::time::sleep(TICK).await;
        chaos.restart_due();
    }
    Ok(())
}

/// What an operator had claimed who was interrupted comes back when its lease is over.
async fn claims_come_back(world: &World) {
    if world.step(|state| state.dead_letters.all.iter().any(|dead_letter| dead_letter.lease_ends.is_some())) {
        tokio::time::sleep(LEASE).await;
        // Nothing goes wrong any more.
        SimQueue::new(world, "operator").give_back_overdue().await.ok();
    }
}
