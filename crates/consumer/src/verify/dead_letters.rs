//! The dead letters, against those that the log makes.

use std::collections::HashSet;

use pipeline::dead_letter::Entry;
use pipeline::fault::Fault;
use pipeline::ports::DeadLetterReader;
use uuid::Uuid;

use super::Unfinished;
use super::comparison::{Comparison, Verified};
use super::difference::{Difference, Kind};
use super::fold::Fold;
use crate::dlq::scan::Scan;

/// What makes a dead letter, and may have been otherwise when the record was consumed: what had come before it, and what time it was.
const CIRCUMSTANCES: [&str; 6] =
    ["missing_parent", "email_taken", "event_id_conflict", "ledger_compacted", "constraint", "timestamp_in_future"];

/// A record that is a dead letter: its partition and offset, and whether that is decided by the record alone.
type Dead = ((i32, i64), bool);

impl<T: Verified, Q: DeadLetterReader, F: Fold> Comparison<'_, T, Q, F> {
    /// Takes away what a dead letter explains: the log says that there should be a row, and the queue says why there is none.
    pub(super) async fn explain_by_dead_letters(&mut self) -> Result<(), Unfinished> {
        self.step("dead letters", 0, 0)?;
        let expected = self.report.expected();
        if !expected.is_empty() {
            let dead = dead_among(self.verification.dead_letters, expected).await?;
            self.report.explain(&dead);
        }
        Ok(())
    }

    /// Which of these events became dead letters in the shadow: of two events under one id, the one that comes later in the log. Which that is
    /// was decided by the order in which partitions were read.
    pub(super) async fn rejected_by_the_shadow(&self, events: Vec<Uuid>) -> Result<HashSet<Uuid>, Fault> {
        let events: HashSet<Uuid> = events.into_iter().collect();
        if events.is_empty() { Ok(events) } else { dead_among(self.verification.fold.rows(), events).await }
    }

    /// Compares the dead letters with those of the shadow, one by one.
    pub(super) async fn compare_dead_letters(&mut self) -> Result<(), Unfinished> {
        self.step("dead letters", 0, 0)?;
        // In this order: the dead letter of a record is in the queue before the position moves beyond it, and the shadow is no further than that.
        let positions = self.positions().await?;
        self.verification.fold.fold_to(&positions).await?;
        let is_folded = |(partition, offset): (i32, i64)| positions.get(&partition).is_some_and(|next| offset < *next);
        let topic = &self.verification.topic;
        let expected = dead_records(self.verification.fold.rows(), topic).await?;
        let queued = dead_records(self.verification.dead_letters, topic).await?;
        self.report.compared_dead_letters = Some(queued.len() as u64);
        let doubled = queued.windows(2).filter(|pair| pair[0].0 == pair[1].0).map(|pair| pair[0].0);
        let mut found: Vec<_> = doubled.map(|place| (Kind::DoubleDeadLetter, place)).collect();
        found.dedup();
        let lacks = |all: &[Dead], place| all.binary_search_by_key(&place, |dead| dead.0).is_err();
        let missing = expected.iter().filter(|(place, is_certain)| *is_certain && lacks(&queued, *place));
        found.extend(missing.map(|dead| (Kind::NoDeadLetter, dead.0)));
        let extra = queued.iter().filter(|(place, is_certain)| *is_certain && is_folded(*place) && lacks(&expected, *place));
        found.extend(extra.map(|dead| (Kind::ExtraDeadLetter, dead.0)));
        for (kind, (partition, offset)) in found {
            self.report.add(Difference::of(kind, "dead_letters", format!("{partition}/{offset}"), None));
        }
        Ok(())
    }
}

/// The records of this topic that have a dead letter, in their order.
async fn dead_records(queue: &impl DeadLetterReader, topic: &str) -> Result<Vec<Dead>, Fault> {
    let dead = |entry: &Entry| {
        let is_certain = !CIRCUMSTANCES.contains(&entry.reason_label());
        (entry.topic.as_deref() == Some(topic)).then_some(((entry.partition?, entry.offset?), is_certain))
    };
    let mut dead: Vec<Dead> = each(queue, dead).await?;
    dead.sort_unstable();
    Ok(dead)
}

/// Which of these events have a dead letter.
pub(super) async fn dead_among(queue: &impl DeadLetterReader, events: HashSet<Uuid>) -> Result<HashSet<Uuid>, Fault> {
    each(queue, |entry| entry.event_uuid().filter(|id| events.contains(id))).await
}

/// All events that have a dead letter.
pub(super) async fn events_of(queue: &impl DeadLetterReader) -> Result<HashSet<Uuid>, Fault> {
    each(queue, Entry::event_uuid).await
}

/// What is read in each entry of the queue, page by page.
async fn each<T, C: Default + Extend<T>>(queue: &impl DeadLetterReader, read: impl Fn(&Entry) -> Option<T>) -> Result<C, Fault> {
    let (mut all, mut scan) = (C::default(), Scan::start(queue).await?);
    loop {
        let page = scan.look().await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page.iter().filter_map(|listed| read(listed.entry.as_ref()?)));
    }
}
