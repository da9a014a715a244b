//! Parked events whose parent is persisted, or whose e-mail address is free: applied as a batch of their own, generation by generation.

use pipeline::outcome::Outcome;
use pipeline::parking::{Parents, ParkedEvent, ParkedKey};
use pipeline::plan::Candidate;
use pipeline::ports::ParkingLot;
use pipeline::record::Record;

use super::chunk::DecodedBatch;
use super::dead_letters::DeadLetters;
use super::isolate::Unfinished;
use super::write::ended;
use super::{Consumer, timed};
use crate::backends::Backends;
use crate::waiting::Stopped;

/// Parked events read at once.
const PAGE: usize = 500;

/// Reads of one page that others may spoil before it is left to the next sweep.
const LOST_READS: u32 = 10;

/// Parents that are asked for at once. A page is what comes first among the children of all of them, so that each page costs a look at every one.
const PARENTS: usize = 500;

/// Events that one batch releases or expires, about as many as a full poll holds: the loop has to come back to the log, however many events wait.
const SHARE: usize = 16 * PAGE;

/// How many events are left to this turn.
pub(super) struct Share(usize);

impl Share {
    /// A turn's.
    pub(super) const fn of_a_batch() -> Self {
        Self(SHARE)
    }

    /// Whether no event is left.
    pub(super) const fn is_used_up(&self) -> bool {
        self.0 == 0
    }

    /// A page of so many was done.
    pub(super) const fn spend(&mut self, events: usize) {
        self.0 = self.0.saturating_sub(events);
    }
}

/// A release that may be continued: the children of these parents, then the children of those, until nothing more is released (user → order
/// → payment).
pub(super) struct Release {
    /// Those whose children are read.
    parents: Parents,
    /// Those whose turn comes after them.
    rest: Parents,
    /// The parents among the released whose own children wait.
    next: Parents,
    after: Option<ParkedEvent>,
    /// Reads of the page at hand that others have spoilt.
    lost: u32,
}

impl Release {
    /// Of the children of these.
    pub(super) fn of(mut parents: Parents) -> Self {
        Self { parents: parents.take(PARENTS), rest: parents, next: Parents::none(), after: None, lost: 0 }
    }

    /// Goes behind this page.
    fn pass(&mut self, last: ParkedEvent) {
        (self.after, self.lost) = (Some(last), 0);
    }

    /// Goes to the next parents, and after the last of them to the next generation.
    fn proceed(&mut self) {
        let next = std::mem::replace(&mut self.next, Parents::none());
        *self = if self.rest.is_none() {
            Self::of(next)
        } else {
            Self { next, ..Self::of(std::mem::replace(&mut self.rest, Parents::none())) }
        };
    }
}

impl<P: Backends> Consumer<P> {
    /// Releases the children of what is persisted in a poll, and who waits for an address that was given up in it. What is more than one batch's
    /// share is left to the sweep, which begins at once.
    pub(super) async fn release(&mut self, parents: Parents) -> Result<(), Stopped> {
        if !self.release_share(&mut Release::of(parents), &mut Share::of_a_batch()).await? {
            self.expiry.look_again();
        }
        Ok(())
    }

    /// Goes on with a release; `false` where the share was used up before its end.
    pub(super) async fn release_share(&mut self, release: &mut Release, share: &mut Share) -> Result<bool, Stopped> {
        while !release.parents.is_none() {
            if share.is_used_up() {
                return Ok(false);
            }
            let look = || timed(&self.metrics, "releasable", self.store.releasable(&release.parents, release.after.as_ref(), PAGE));
            let page = self.waiting.until_done(look).await?;
            let Some(last) = page.last().cloned() else {
                release.proceed();
                continue;
            };
            match self.release_page(&page).await {
                Ok(persisted) => {
                    release.next.join(persisted);
                    share.spend(page.len());
                    // A page that is not full is the last.
                    if page.len() < PAGE { release.proceed() } else { release.pass(last) }
                }
                Err(Unfinished::Stopped) => return Err(Stopped),
                Err(Unfinished::ReleaseLost) if release.lost < LOST_READS => release.lost += 1,
                // Others are at the same events. What they leave, the next sweep finds.
                Err(Unfinished::ReleaseLost) => {
                    release.pass(last);
                    share.spend(page.len());
                }
            }
        }
        Ok(true)
    }

    /// Applies one page of parked events; each leaves the parking table in the transaction that applies it. Returns the parents among them
    /// whose own children wait.
    async fn release_page(&mut self, page: &[ParkedEvent]) -> Result<Parents, Unfinished> {
        let records: Vec<Record> = page.iter().map(ParkedEvent::to_record).collect();
        let mut dead_letters = DeadLetters::default();
        let mut dead: Vec<ParkedKey<'_>> = Vec::new();
        let mut decoded = DecodedBatch::default();
        for (parked, record) in page.iter().zip(&records) {
            match events::decode(record.value.as_deref().unwrap_or_default()) {
                Ok(event) => {
                    decoded.candidates.push(Candidate { event, parked: Some(parked.parked_key()) });
                    decoded.sources.push(record);
                }
                // It kept the contract when it was parked, and this program's contract is stricter.
                Err(violation) => {
                    dead_letters.add(record, &(&violation).into());
                    dead.push(parked.parked_key());
                }
            }
        }
        decoded.plan(self.config.max_rows);
        let written = self.write_rounds(&decoded, &[]).await?;
        self.record_released(ended(&decoded, &written.outcomes));
        for (candidate, record, outcome) in ended(&decoded, &written.outcomes) {
            if let Outcome::Rejected { reason, code } = outcome {
                dead_letters.add_rejected(record, &candidate.event, *reason, *code);
                dead.extend(candidate.parked);
            }
        }
        self.send_to_dlq(dead_letters).await?;
        self.discard(&dead).await?;
        let mut parents = Parents::none();
        parents.add(written.parents(&decoded));
        Ok(parents)
    }

    /// Takes events out of the parking table that have become dead letters. A crash before this finds them again: pushing their dead letters
    /// once more changes nothing.
    pub(super) async fn discard(&mut self, events: &[ParkedKey<'_>]) -> Result<(), Stopped> {
        if events.is_empty() {
            return Ok(());
        }
        self.waiting.until_done(|| timed(&self.metrics, "discard", self.store.discard(events))).await
    }
}
