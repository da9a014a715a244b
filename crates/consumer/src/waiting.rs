//! Waiting out a fault: what the policy says, done, with the group membership kept and one log line per change of state.
//!
//! The group takes the partitions from a member that does not poll, and whoever watches restarts a process that does not beat. So a wait is
//! a row of short ones, each of which polls and beats, and whatever may last (tries, halves, pages) goes through [`Waiting::keep_alive`]
//! before each of its calls: between two polls lies [`POLL_INTERVAL`] and one call, however long the whole takes.

use std::future::Future;
use std::time::Duration;

use pipeline::backoff;
use pipeline::fault::{Action, Cause, Dependency, Fault, FaultClass, RACE_TRIES};
use pipeline::ports::RecordSource;
use telemetry::{Health, Metrics};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::chance;
use crate::reason::reason;

/// The name of the write path among the parts of the health report.
pub const PIPELINE_PART: &str = "pipeline";

/// After so long without a poll, the source is polled between two calls of a work that lasts.
pub const POLL_INTERVAL: Duration = Duration::from_secs(30);

/// How often the log says that the consumer still waits, and for what.
const REMINDER: Duration = Duration::from_secs(60);

/// The longest part of a wait: so old is the last poll at most while the consumer waits.
const BREATH: Duration = Duration::from_secs(1);

/// The consumer was told to stop while it waited. Whatever it was doing is not committed and comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

/// How to go on after a fault was waited out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Try the same again.
    Again,
    /// Find the event that cannot be written.
    Isolate,
    /// Read the parked events again.
    Reread,
}

/// Holds the source, because waiting means to keep polling it, and the state of the wait.
pub struct Waiting<S> {
    /// Where records come from.
    pub source: S,
    metrics: Metrics,
    health: Health,
    stop: CancellationToken,
    held: Option<Held>,
    polled: Instant,
}

/// What the consumer waits for.
#[derive(Clone, Debug)]
struct Held {
    since: Instant,
    cause: Cause,
    dependency: Dependency,
    class: FaultClass,
    /// What the health report says.
    why: String,
    /// When the log told of it last.
    told: Instant,
}

impl<S: RecordSource> Waiting<S> {
    /// Nothing is waited for yet.
    pub fn new(source: S, metrics: Metrics, health: Health, stop: CancellationToken) -> Self {
        health.up(PIPELINE_PART);
        Self { source, metrics, health, stop, held: None, polled: Instant::now() }
    }

    /// Whether the consumer was told to stop.
    pub fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Notes that the source is polled: the loop turns, and shows which partitions are its own.
    pub fn polled(&mut self) {
        self.polled = Instant::now();
        self.health.beat();
        let assigned = self.source.assigned();
        if !assigned.is_empty() {
            // Before the monitor has looked for the first time: who owns partitions has reached the brokers.
            self.health.heard_of(Dependency::Kafka.label());
        }
        self.health.owns(assigned);
        self.metrics.polled();
    }

    /// To be called before each call of a work that may last: the loop still turns, and the source is polled where it was not for long. Then
    /// partitions may move in the middle of a poll, as in any wait; what moved is not committed here.
    pub async fn keep_alive(&mut self) {
        self.health.beat();
        // Who stops has only to finish what is at hand.
        if self.polled.elapsed() >= POLL_INTERVAL && !self.is_stopping() {
            self.source.pause(Duration::ZERO).await;
            self.polled();
        }
    }

    /// Does some work until it is done, however long its dependency is away.
    ///
    /// # Errors
    /// The consumer was told to stop meanwhile.
    pub async fn until_done<T, F>(&mut self, mut work: impl FnMut() -> F) -> Result<T, Stopped>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        let mut tries = 0;
        loop {
            tries += 1;
            self.keep_alive().await;
            match work().await {
                Ok(done) => {
                    self.recovered();
                    return Ok(done);
                }
                Err(fault) => match self.wait_out(&fault, tries).await? {
                    Next::Again => {}
                    // Nothing here can be isolated: that such work fails for its data is a defect of ours.
                    Next::Isolate | Next::Reread => self.hold(&fault, Cause::Bug, tries).await?,
                },
            }
        }
    }

    /// Does what the policy says about a fault on the `tries`-th try, and says how to go on.
    ///
    /// # Errors
    /// The consumer was told to stop meanwhile.
    pub async fn wait_out(&mut self, fault: &Fault, tries: u32) -> Result<Next, Stopped> {
        let action = fault.class.policy(tries);
        if action != Action::Isolate {
            self.metrics.retry(fault.dependency.label(), fault.class.label());
        }
        match action {
            Action::Isolate => return Ok(Next::Isolate),
            Action::RetrySoon => self.pause_briefly().await?,
            Action::Reread => {
                self.pause_briefly().await?;
                return Ok(Next::Reread);
            }
            Action::Wait(cause) => {
                // A race that became an outage has waited only milliseconds so far: its pauses begin at the shortest.
                let is_race = matches!(fault.class, FaultClass::UniqueViolation | FaultClass::LockConflict);
                self.hold(fault, cause, if is_race { tries - RACE_TRIES + 1 } else { tries }).await?;
            }
        }
        Ok(Next::Again)
    }

    /// Pauses the partitions and keeps polling for as long as the backoff says, or until the monitor finds that the dependency answers again.
    ///
    /// # Errors
    /// The consumer was told to stop meanwhile.
    pub async fn hold(&mut self, fault: &Fault, cause: Cause, tries: u32) -> Result<(), Stopped> {
        self.note_held(fault, cause, reason(fault));
        self.pause_for(fault.dependency.label(), tries).await
    }

    /// The same for records that cannot be written and are too many to be dead letters without an operator's word; says why.
    ///
    /// # Errors
    /// The consumer was told to stop meanwhile.
    pub async fn hold_flood(&mut self, why: String, tries: u32) -> Result<(), Stopped> {
        let flood = Fault { dependency: Dependency::Kafka, class: FaultClass::Operator, code: None, subject: "unwritable records" };
        self.note_held(&flood, Cause::PoisonFlood, why);
        self.pause_for(flood.dependency.label(), tries).await
    }

    async fn pause_for(&mut self, dependency: &'static str, tries: u32) -> Result<(), Stopped> {
        let until = Instant::now() + backoff::outage(tries, chance::fraction());
        let mut was_down = !self.health.is_up(dependency);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            let Self { source, stop, .. } = self;
            tokio::select! {
                biased;
                () = stop.cancelled() => return Err(Stopped),
                () = source.pause(left.min(BREATH)) => {}
            }
            // Not before: a source that hangs has not polled.
            self.polled();
            self.remind();
            let is_up = self.health.is_up(dependency);
            if was_down && is_up {
                return Ok(());
            }
            // One that answers the monitor and fails us all the same is waited for as long as ever.
            was_down |= !is_up;
        }
    }

    /// Notes that work succeeded, which ends a wait.
    pub fn recovered(&mut self) {
        if let Some(held) = self.held.take() {
            self.health.up(PIPELINE_PART);
            self.metrics.held(None);
            if held.is_absence() {
                self.health.up(held.dependency.label());
                self.metrics.dependency(held.dependency.label(), true);
            } else if held.is_refusal() {
                self.health.works(held.dependency.label());
            }
            let seconds = held.since.elapsed().as_secs();
            tracing::info!(cause = held.cause.label(), dependency = held.dependency.label(), held_seconds = seconds, "the work goes on");
        }
    }

    async fn pause_briefly(&self) -> Result<(), Stopped> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => Err(Stopped),
            () = tokio::time::sleep(backoff::race(chance::fraction())) => Ok(()),
        }
    }

    /// Shows the wait. One line when it begins or its reason changes, none for the tries in between.
    fn note_held(&mut self, fault: &Fault, cause: Cause, why: String) {
        self.metrics.held(Some(cause.label()));
        self.health.down(PIPELINE_PART, why.clone());
        let now = Instant::now();
        let since = match &mut self.held {
            Some(held) if (held.cause, held.dependency, held.class) == (cause, fault.dependency, fault.class) => {
                held.why = why;
                return;
            }
            Some(held) => {
                if held.is_refusal() {
                    // What it does instead is said below, or by the monitor.
                    self.health.works(held.dependency.label());
                }
                held.since
            }
            None => now,
        };
        log_held(fault, cause, &why);
        let held = Held { since, cause, dependency: fault.dependency, class: fault.class, why, told: now };
        if held.is_absence() {
            // The monitor will find the same: that is no news then, and no second line.
            self.health.down(held.dependency.label(), reason(fault));
            self.metrics.dependency(held.dependency.label(), false);
        } else if held.is_refusal() {
            // The monitor's questions are answered all the same.
            self.health.refuses(held.dependency.label(), reason(fault));
        }
        self.held = Some(held);
    }

    /// Says once a minute what is still waited for: whoever opens the log sees why nothing happens without looking for the first line.
    fn remind(&mut self) {
        if let Some(held) = self.held.as_mut().filter(|held| held.told.elapsed() >= REMINDER) {
            held.told = Instant::now();
            let seconds = held.since.elapsed().as_secs();
            tracing::warn!(
                cause = held.cause.label(),
                dependency = held.dependency.label(),
                held_seconds = seconds,
                "still waiting: {}",
                held.why
            );
        }
    }
}

impl Held {
    /// Whether the dependency is away as a whole, which anyone who asks it finds too.
    const fn is_absence(&self) -> bool {
        matches!(self.class, FaultClass::Unavailable { timed_out: false })
    }

    /// Whether the dependency answers, and refuses this work until a person mends something.
    const fn is_refusal(&self) -> bool {
        matches!(
            (self.cause, self.class),
            (Cause::Operator | Cause::Bug, FaultClass::Operator | FaultClass::UnknownState | FaultClass::Bug)
        )
    }
}

/// The sentence is that of the health report: who, where, why, and what to do.
fn log_held(fault: &Fault, cause: Cause, why: &str) {
    let (dependency, class, code) = (fault.dependency.label(), fault.class.label(), fault.code);
    match cause {
        Cause::Outage => tracing::warn!(dependency, class, code, "waiting: {why}"),
        Cause::Operator => tracing::error!(dependency, class, code, "waiting for an operator: {why}"),
        Cause::PoisonFlood => tracing::error!("holding: {why}"),
        Cause::Bug => tracing::error!(dependency, class, code, "holding: {why}"),
    }
}
