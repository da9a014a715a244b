//! The state of a simulated world, and time in it.
//!
//! Everything that outlives a consumer is here: the log, the group, the tables, the queue. The adapters lock it for one step at a time, never
//! across an `await`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use events::Timestamp;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::check::Watcher;
use crate::defect::Defect;
use crate::dice::{Dice, stream};
use crate::log::{Group, Topic};
use crate::mishap::{Allowed, Kind, Mishaps};
use crate::queue::DeadLetters;
use crate::store::Tables;
use crate::story::Story;

/// The name of the only topic.
pub const TOPIC: &str = "events";

/// When every run begins, by the clock of the database and of the producers: 2026-01-15T10:00:00Z.
const BEGINNING: i64 = 1_768_471_200_000_000;

/// A simulated world. Clones are the same.
#[derive(Clone)]
pub struct World(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    changed: Notify,
    failed: Notify,
}

/// What there is in the world.
pub struct State {
    /// Chance.
    pub dice: Dice,
    /// Misfortune.
    pub mishaps: Mishaps,
    /// The log.
    pub topic: Topic,
    /// Who consumes it.
    pub group: Group,
    /// The database.
    pub tables: Tables,
    /// The dead letter queue.
    pub dead_letters: DeadLetters,
    /// Whoever sees to it that the promises are kept.
    pub watcher: Watcher,
    /// What happens.
    pub story: Story,
    /// What is wrong with the adapters on purpose.
    pub defect: Option<Defect>,
    /// Consumers that stand still, and until when.
    pub frozen: BTreeMap<String, Duration>,
    began: Instant,
}

/// How a world is made.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// What everything follows from.
    pub seed: u64,
    /// Which mishaps are switched on.
    pub allowed: Allowed,
    /// Whether the story is written down.
    pub told: bool,
    /// What is wrong with the adapters on purpose.
    pub defect: Option<Defect>,
}

impl World {
    /// A world with an empty log of so many partitions.
    pub fn new(terms: &Terms, partitions: usize, eager: bool) -> Self {
        let mut dice = Dice::new(terms.seed);
        let mishaps = Mishaps::new(&mut dice, terms.allowed.clone());
        let topic = Topic::new(&mut dice, partitions);
        let state = State {
            dice,
            mishaps,
            topic,
            group: Group::new(eager),
            tables: Tables::default(),
            dead_letters: DeadLetters::default(),
            watcher: Watcher::default(),
            story: Story::new(terms.told),
            defect: terms.defect,
            frozen: BTreeMap::new(),
            began: Instant::now(),
        };
        Self(Arc::new(Inner { state: Mutex::new(state), changed: Notify::new(), failed: Notify::new() }))
    }

    /// A world in which nothing goes wrong.
    pub fn calm(terms: &Terms) -> Self {
        let world = Self::new(terms, 1, false);
        world.step(|state| state.mishaps.end());
        world
    }

    /// One step: nothing else happens meanwhile.
    pub fn step<T>(&self, step: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let was_well = state.watcher.violation().is_none();
        let done = step(&mut state);
        if was_well && state.watcher.violation().is_some() {
            self.0.failed.notify_one();
        }
        done
    }

    /// Tells those who wait for records or for the group that something has changed.
    pub fn announce(&self) {
        self.0.changed.notify_waiters();
    }

    /// Waits for the next [`World::announce`], but only so long.
    pub async fn await_change(&self, longest: Duration) {
        // Whether it came or not, whoever waits looks for himself.
        tokio::time::timeout(longest, self.0.changed.notified()).await.ok();
    }

    /// Waits until this holds, but only so long.
    pub async fn wait_until(&self, longest: Duration, holds: impl Fn(&mut State) -> bool) {
        let deadline = Instant::now() + longest;
        while Instant::now() < deadline && !self.step(&holds) {
            self.await_change(deadline.saturating_duration_since(Instant::now())).await;
        }
    }

    /// Returns when a promise was broken.
    pub async fn failed(&self) {
        self.0.failed.notified().await;
    }

    /// Lets seconds go by.
    pub async fn linger(&self, who: &str) {
        let seconds = self.step(|state| state.dice.between(stream(who), 1, 6));
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    }

    /// Lets others come first, mostly by nothing at all or a few milliseconds; by much more where the caller stands still.
    pub async fn pause(&self, who: &str, most: u64) {
        let stream = stream(who);
        let stands_still = self.step(|state| state.frozen.get(who).map(|until| until.saturating_sub(state.elapsed())));
        if let Some(left) = stands_still.filter(|left| !left.is_zero()) {
            tokio::time::sleep(left).await;
        }
        let wait = self.step(|state| match state.dice.below(stream, 10) {
            0..4 => None,
            4..9 => Some(state.dice.between(stream, 0, 4)),
            _ => Some(state.dice.between(stream, 0, most)),
        });
        match wait {
            None => {}
            Some(0) => tokio::task::yield_now().await,
            Some(millis) => tokio::time::sleep(Duration::from_millis(millis)).await,
        }
    }

    /// Tells a step.
    pub fn tell(&self, who: &str, what: &'static str, more: impl FnOnce() -> String) {
        self.step(|state| state.tell(who, what, more));
    }

    /// Whether a mishap strikes; it is told then.
    pub fn strikes(&self, who: &str, kind: Kind) -> bool {
        self.step(|state| state.strikes(who, kind))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// How long the run has lasted.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// The time of day, by the one clock of this world.
    pub fn now(&self) -> Timestamp {
        let micros = i64::try_from(self.elapsed().as_micros()).unwrap_or(i64::MAX);
        Timestamp::UNIX_EPOCH.plus_micros(BEGINNING + micros)
    }

    /// Tells a step.
    pub fn tell(&mut self, who: &str, what: &'static str, more: impl FnOnce() -> String) {
        let at = self.elapsed();
        self.story.tell(at, who, what, more);
    }

    /// Whether a mishap strikes; it is told then.
    pub fn strikes(&mut self, who: &str, kind: Kind) -> bool {
        let strikes = self.mishaps.strikes(&self.dice, kind);
        if strikes {
            let number = self.mishaps.struck().last().map_or(0, |(_, number)| *number);
            self.tell(who, "MISHAP", || format!("{kind}:{number}"));
        }
        strikes
    }

    /// A promise is broken.
    pub fn violated(&mut self, what: impl Into<String>) {
        let what = what.into();
        self.tell("watcher", "VIOLATION", || what.clone());
        let (step, at) = (self.story.steps(), self.elapsed());
        self.watcher.violated(step, at, what);
    }

    /// Whether the adapters have this defect.
    pub fn has(&self, defect: Defect) -> bool {
        self.defect == Some(defect)
    }
}
