//! Parked events whose parent is persisted, or whose e-mail address is free: applied as a batch of their own, generation by generation.

use pipeline::outcome::{Outcome, WaitsFor};
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

/// Parked events read at once, and written in one transaction.
const PAGE: usize = 1000;

/// Reads of one page that others may spoil before it is left to the next sweep.
const LOST_READS: u32 = 10;

/// Parents that are asked for at once, at most and at first.
const PARENTS: usize = PAGE;

/// Events that one batch releases or expires, about as many as a full poll holds: the loop has to come back to the log, however many events wait.
const SHARE: usize = 8 * PAGE;

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
    parents_at_once: usize,
    /// Children of these parents that were read so far.
    children: usize,
    after: Option<ParkedEvent>,
    /// Reads of the page at hand that others have spoilt.
    lost: u32,
}

impl Release {
    /// Of the children of these.
    pub(super) fn of(parents: Parents) -> Self {
        let mut release = Self {
            parents: Parents::none(),
            rest: parents,
            next: Parents::none(),
            parents_at_once: PARENTS,
            children: 0,
            after: None,
            lost: 0,
        };
        release.proceed();
        release
    }

    /// Goes behind this page.
    fn pass(&mut self, last: ParkedEvent) {
        (self.after, self.lost) = (Some(last), 0);
    }

    /// Goes to the next parents, and after the last of them to the next generation.
    fn proceed(&mut self) {
        self.parents_at_once = parents_for_a_page(self.parents_at_once, self.children);
        if self.rest.is_none() {
            self.rest = std::mem::replace(&mut self.next, Parents::none());
        }
        self.parents = self.rest.take(self.parents_at_once);
        (self.children, self.after, self.lost) = (0, None, 0);
    }
}

/// What came of a page.
struct Released {
    /// The parents among its events whose own children may wait.
    parents: Parents,
    /// Whether others have spoilt nothing of it.
    is_whole: bool,
}

impl Released {
    /// Others were at the same events. A page may be several transactions, and those before the one that failed are there for good: so all of
    /// it is asked for. Nobody else comes for the children of what was written. Who waits for an address is left to the sweep: they may be this
    /// very page.
    fn lost(page: &DecodedBatch<'_>) -> Self {
        let mut parents = Parents::none();
        parents.add(page.candidates.iter().filter_map(|candidate| WaitsFor::brought_by(&candidate.event.body)));
        Self { parents, is_whole: false }
    }
}

/// How many parents to ask for, where so many had so many children, so that theirs nearly fill a page. The store looks at all children of the parents to
/// find those that come first: for each page, of which there should be one, and each page is a transaction, of which there should be few.
fn parents_for_a_page(parents: usize, children: usize) -> usize {
    let nearly_full = PAGE - PAGE / 10;
    (parents * nearly_full).checked_div(children).unwrap_or(PARENTS).clamp(1, PARENTS)
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
            release.children += page.len();
            let Some(last) = page.last().cloned() else {
                release.proceed();
                continue;
            };
            let Released { parents, is_whole } = self.release_page(&page).await?;
            release.next.join(parents);
            if !is_whole && release.lost < LOST_READS {
                release.lost += 1;
                continue;
            }
            share.spend(page.len());
            // A page that is not full is the last. Where others are at the same events again and again, the next sweep finds what they leave.
            if is_whole && page.len() < PAGE { release.proceed() } else { release.pass(last) }
        }
        Ok(true)
    }

    /// Applies one page of parked events; each leaves the parking table in the transaction that applies it.
    async fn release_page(&mut self, page: &[ParkedEvent]) -> Result<Released, Stopped> {
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
        let written = match self.write_rounds(&decoded, &[]).await {
            Ok(written) => written,
            Err(Unfinished::Stopped) => return Err(Stopped),
            Err(Unfinished::ReleaseLost) => return Ok(Released::lost(&decoded)),
        };
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
        Ok(Released { parents, is_whole: true })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_parents_are_asked_for_as_have_a_page_of_children() {
        assert_eq!(parents_for_a_page(1000, 5000), 180, "five each");
        assert_eq!(parents_for_a_page(180, 900), 180, "a page that is nearly full is right");
        assert_eq!(parents_for_a_page(180, 90), PARENTS, "one in two");
        assert_eq!((parents_for_a_page(7, 0), parents_for_a_page(1, 10_000)), (PARENTS, 1));
    }

    #[test]
    fn every_parent_is_asked_for_and_then_the_next_generation() {
        let id = |number: u128| uuid::Uuid::from_u128(number);
        let mut release = Release::of(Parents::These { users: (0..2500).map(id).collect(), orders: Vec::new(), addresses: false });
        let mut asked = Vec::new();
        while let Parents::These { users, orders, .. } = &release.parents {
            if release.parents.is_none() {
                break;
            }
            asked.push((users.len(), orders.len()));
            release.children = users.len() * 3;
            if asked.len() == 2 {
                release.next.join(Parents::These { users: Vec::new(), orders: vec![id(9)], addresses: false });
            }
            release.proceed();
        }
        assert_eq!(asked.iter().map(|(users, _)| users).sum::<usize>(), 2500);
        assert_eq!((asked[0], asked[1], asked.last().copied()), ((1000, 0), (300, 0), Some((0, 1))));
    }
}
