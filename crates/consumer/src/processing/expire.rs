//! Looking after parked events on a timer: the sweep finds what a crash or another consumer left, the expiry gives up what waited in vain.

use std::time::Duration;

use events::Timestamp;
use pipeline::dead_letter::Diagnosis;
use pipeline::fault::Fault;
use pipeline::parking::{ExpiryGate, Parents, ParkedEvent};
use pipeline::ports::{GroupProgress, ParkingExpiry};

use super::dead_letters::DeadLetters;
use super::release::{Release, Share};
use super::{Consumer, timed};
use crate::backends::Backends;
use crate::waiting::Stopped;
use tokio::time::Instant;

/// Events that expire at once.
const PAGE: usize = 500;

/// When to look next, how far the look at hand has come, and what must be consumed before anything is expired.
pub(super) struct Expiry {
    gate: ExpiryGate,
    interval: Duration,
    due: Instant,
    sweep: Option<Sweep>,
    /// Whether the next look must not wait for the interval.
    again: bool,
}

/// A look that took more than the share of a batch, and goes on in the next.
enum Sweep {
    /// What can be applied is applied; the oldest had been parked at this time.
    Releasing(Box<Release>, Option<Timestamp>),
    /// What was parked at this time or before is expired.
    Expiring(Timestamp),
}

impl Expiry {
    /// The first look is due at once: a crash may have left something.
    pub(super) fn new(interval: Duration) -> Self {
        Self { gate: ExpiryGate::default(), interval, due: Instant::now(), sweep: None, again: false }
    }

    /// The next look is due at once, also where one is under way: there is something to release.
    pub(super) const fn look_again(&mut self) {
        self.again = true;
    }

    /// Whether a look is not finished.
    pub(super) const fn is_under_way(&self) -> bool {
        self.sweep.is_some()
    }
}

impl<P: Backends> Consumer<P> {
    /// Sweeps and expires, when it is time to: at most the share of one batch.
    pub(super) async fn look_after_parked(&mut self) -> Result<(), Stopped> {
        let mut share = Share::of_a_batch();
        let sweep = match self.expiry.sweep.take() {
            Some(sweep) => sweep,
            None if Instant::now() < self.expiry.due && !self.expiry.again => return Ok(()),
            None => self.begin_sweep().await?,
        };
        let cutoff = match sweep {
            Sweep::Releasing(mut release, oldest) => {
                // First what can be applied, so that nothing is expired whose parent is there.
                if !self.release_share(&mut release, &mut share).await? {
                    self.expiry.sweep = Some(Sweep::Releasing(release, oldest));
                    return Ok(());
                }
                self.cutoff(oldest).await?
            }
            Sweep::Expiring(cutoff) => cutoff,
        };
        if !self.expire(cutoff, &mut share).await? {
            self.expiry.sweep = Some(Sweep::Expiring(cutoff));
            return Ok(());
        }
        self.expiry.due = Instant::now() + self.expiry.interval;
        Ok(())
    }

    async fn begin_sweep(&mut self) -> Result<Sweep, Stopped> {
        self.expiry.again = false;
        let (waiting, oldest) = self.waiting.until_done(|| timed(&self.metrics, "parked", self.store.parked())).await?;
        let parents = if waiting > 0 { Parents::Any } else { Parents::none() };
        Ok(Sweep::Releasing(Box::new(Release::of(parents)), oldest))
    }

    /// The parking time up to which events may be expired now; the beginning of time where none may be, so that only what an earlier
    /// claim left is finished.
    async fn cutoff(&mut self, oldest: Option<Timestamp>) -> Result<Timestamp, Stopped> {
        let none = Timestamp::UNIX_EPOCH;
        let Some(oldest) = oldest else {
            return Ok(none);
        };
        let now = self.waiting.until_done(|| self.store.now()).await?;
        let deadline = i64::try_from(self.config.parking_deadline.as_micros()).unwrap_or(i64::MAX);
        if oldest > now.plus_micros(-deadline) {
            return Ok(none);
        }
        Ok(self
            .gate(now)
            .await
            .unwrap_or_else(|fault| {
                tracing::debug!(
                    class = fault.class.label(),
                    code = fault.code,
                    "how far the group has come is not known: nothing is given up"
                );
                None
            })
            .unwrap_or(none))
    }

    async fn gate(&mut self, now: Timestamp) -> Result<Option<Timestamp>, Fault> {
        let log = self.progress.log().await?;
        Ok(self.expiry.gate.look(now, &log, self.config.parking_deadline))
    }

    /// Claims, then makes dead letters, then deletes: no event is both applied and dead, and a crash at any point leaves a claim that is
    /// finished here. `false` where the share was used up before the end.
    async fn expire(&mut self, cutoff: Timestamp, share: &mut Share) -> Result<bool, Stopped> {
        loop {
            if share.is_used_up() {
                return Ok(false);
            }
            let claimed = self.waiting.until_done(|| timed(&self.metrics, "claim_expired", self.store.claim_expired(cutoff, PAGE))).await?;
            if claimed.is_empty() {
                return Ok(true);
            }
            share.spend(claimed.len());
            let mut dead_letters = DeadLetters::default();
            for parked in &claimed {
                dead_letters.add(&parked.to_record(), &diagnosis(parked));
            }
            self.send_to_dlq(dead_letters).await?;
            let expired: Vec<_> = claimed.iter().map(ParkedEvent::parked_key).collect();
            self.discard(&expired).await?;
        }
    }
}

fn diagnosis(parked: &ParkedEvent) -> Diagnosis {
    match events::decode(parked.value.as_bytes()) {
        Ok(event) => Diagnosis::expired(event.id, event.event_type(), parked.waits_for),
        Err(violation) => (&violation).into(),
    }
}
