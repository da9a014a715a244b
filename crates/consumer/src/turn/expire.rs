//! Looking after parked events on a timer: the sweep finds what a crash or another consumer left, the expiry gives up what waited in vain.

use std::time::Duration;

use events::Timestamp;
use pipeline::dead_letter::Diagnosis;
use pipeline::fault::Fault;
use pipeline::parking::{ExpiryGate, Parents, ParkedEvent};
use pipeline::ports::{GroupProgress, ParkingExpiry};

use super::letters::Letters;
use super::{Consumer, timed};
use crate::parts::Parts;
use crate::waiting::Stopped;
use tokio::time::Instant;

/// Events given up at once.
const PAGE: usize = 500;

/// When to look next, and what must be consumed before anything is given up.
pub(super) struct Expiry {
    gate: ExpiryGate,
    interval: Duration,
    due: Instant,
}

impl Expiry {
    /// The first look is due at once: a crash may have left something.
    pub(super) fn new(interval: Duration) -> Self {
        Self { gate: ExpiryGate::default(), interval, due: Instant::now() }
    }
}

impl<P: Parts> Consumer<P> {
    /// Sweeps and expires, when it is time to.
    pub(super) async fn look_after_parked(&mut self) -> Result<(), Stopped> {
        if Instant::now() < self.expiry.due {
            return Ok(());
        }
        let (waiting, oldest) = self.waiting.until_done(|| timed(&self.metrics, "parked", self.store.parked())).await?;
        if waiting > 0 {
            // First what can be applied, so that nothing is given up whose parent is there.
            self.release(Parents::Any).await?;
        }
        let cutoff = self.cutoff(oldest).await?;
        self.give_up(cutoff).await?;
        self.expiry.due = Instant::now() + self.expiry.interval;
        Ok(())
    }

    /// The parking time up to which events may be given up now; the beginning of time where none may be, so that only what an earlier
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
    /// finished here.
    async fn give_up(&mut self, cutoff: Timestamp) -> Result<(), Stopped> {
        loop {
            let claimed = self.waiting.until_done(|| timed(&self.metrics, "claim_expired", self.store.claim_expired(cutoff, PAGE))).await?;
            if claimed.is_empty() {
                return Ok(());
            }
            let mut letters = Letters::default();
            for parked in &claimed {
                letters.add(&parked.to_record(), &diagnosis(parked));
            }
            self.bury(letters).await?;
            let positions: Vec<_> = claimed.into_iter().map(|parked| parked.position).collect();
            self.discard(&positions).await?;
        }
    }
}

fn diagnosis(parked: &ParkedEvent) -> Diagnosis {
    match events::decode(parked.value.as_bytes()) {
        Ok(event) => Diagnosis::given_up(event.id, event.event_type(), parked.waits_for),
        Err(violation) => (&violation).into(),
    }
}
