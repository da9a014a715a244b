//! Where partitions begin that have come, and noticing that the log is another one.
//!
//! Two things say where a partition begins: the offset that the group has committed, and the position that the tables hold of this very log.
//! [`pipeline::start`] decides; nothing of a partition is taken before.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use pipeline::fault::{Cause, Fault};
use pipeline::ports::{GroupProgress, LogPositions, Lost, RecordSource, Skipped};
use pipeline::start::{Finding, Start, start};
use pipeline::{LogId, LogPosition, LogState};
use telemetry::{LogReport, PositionReport};
use tokio::sync::watch;
use tokio::time::Instant;

use super::{Consumer, timed};
use crate::backends::Backends;
use crate::waiting::Stopped;

/// How long the client is polled before it is asked again to begin somewhere.
const PAUSE: Duration = Duration::from_millis(50);
/// How long the client may refuse to begin while Kafka answers. That takes it milliseconds, or never: librdkafka has been seen to own
/// partitions and to be unable to fetch them until it left the group.
const BEGINS_WITHIN: Duration = Duration::from_secs(30);

/// What the monitor sees of the log, and what was seen when it was looked at last.
pub(super) struct LogWatch {
    pub(super) seen: watch::Receiver<Option<Arc<LogState>>>,
    /// How far each partition had come then: a log that ends before that now was cut.
    reached: BTreeMap<i32, i64>,
    /// Records that were found deleted before they were consumed.
    lost: u64,
    /// Since when the client has refused to begin.
    refused_since: Option<Instant>,
}

impl LogWatch {
    pub(super) const fn new(seen: watch::Receiver<Option<Arc<LogState>>>) -> Self {
        Self { seen, reached: BTreeMap::new(), lost: 0, refused_since: None }
    }
}

impl<P: Backends> Consumer<P> {
    /// Lets partitions begin that have come. Where Kafka cannot be asked, the next batch tries again.
    pub(super) async fn start_partitions(&mut self) -> Result<(), Stopped> {
        if self.waiting.source.unstarted().is_empty() {
            return Ok(());
        }
        if let Err(fault) = self.try_to_start().await? {
            tracing::debug!(class = fault.class.label(), code = fault.code, subject = fault.subject, "partitions cannot begin yet");
            self.waiting.source.pause(PAUSE).await;
        }
        Ok(())
    }

    async fn try_to_start(&mut self) -> Result<Result<(), Fault>, Stopped> {
        // Of these alone. Waiting for the tables polls, for as long as they are away: what comes meanwhile begins with the next look, since
        // whoever owned it before may have gone on after this one.
        let asked = self.waiting.source.unstarted();
        let topic = Arc::clone(&self.topic);
        let known = self.waiting.until_done(|| timed(&self.metrics, "positions", self.store.positions(&topic))).await?;
        let log = match self.progress.log().await {
            Ok(log) => log,
            Err(fault) => return Ok(Err(fault)),
        };
        let still = self.waiting.source.unstarted();
        let unstarted = asked.into_iter().filter(|asked| still.contains(asked) && log.partitions.contains_key(&asked.partition));
        let starts: Vec<_> = unstarted.map(|unstarted| (unstarted, start(unstarted.partition, &log, &known))).collect();
        let begun: Vec<_> = starts
            .iter()
            .filter(|(unstarted, _)| LogPosition::find(&known, log.id, unstarted.partition).is_none())
            .map(|(unstarted, start)| LogPosition {
                log: log.id,
                topic: Arc::clone(&topic),
                partition: unstarted.partition,
                next_offset: start.offset,
            })
            .collect();
        if !begun.is_empty() {
            // Before anything of it is written: a crash must not leave rows of a log that the tables do not know.
            self.waiting.until_done(|| timed(&self.metrics, "advance", self.store.advance(&begun))).await?;
        }
        for (unstarted, start) in starts {
            if let Err(fault) = self.waiting.source.start(unstarted, start.offset).await {
                return self.refused(&fault).await.map(|()| Err(fault));
            }
            self.log_watch.refused_since = None;
            self.positions.start(unstarted, log.id, start.offset);
            self.tell(unstarted.partition, log.id, &start);
        }
        Ok(Ok(()))
    }

    /// The client does not begin. It is asked again, but not for ever: what it owns, nobody else reads.
    async fn refused(&mut self, fault: &Fault) -> Result<(), Stopped> {
        let since = *self.log_watch.refused_since.get_or_insert_with(Instant::now);
        if since.elapsed() < BEGINS_WITHIN {
            return Ok(());
        }
        tracing::error!(
            class = fault.class.label(),
            code = fault.code,
            seconds = since.elapsed().as_secs(),
            "the Kafka client does not begin with partitions that it owns: another one joins the group"
        );
        self.log_watch.refused_since = None;
        self.reopen().await
    }

    fn tell(&mut self, partition: i32, log: LogId, start: &Start) {
        let offset = start.offset;
        match start.finding {
            Finding::Continues => tracing::debug!(partition, offset, %log, "a partition begins"),
            Finding::AnotherLog { known } => {
                tracing::info!(partition, offset, %log, %known, "the tables know another log of this topic: this one is read from its beginning");
            }
            Finding::Behind { offsets } => {
                tracing::info!(
                    partition,
                    offset,
                    offsets,
                    "the group's offset is behind the tables: records come again and change nothing"
                );
            }
            Finding::Ahead { offsets } => tracing::warn!(
                partition,
                offset,
                offsets,
                "the group's offset is ahead of the tables: what they do not hold is read, and nothing is skipped"
            ),
            Finding::Cut { offsets } => {
                tracing::error!(partition, offset, offsets, "the log ends before what was consumed of it: it is read from its beginning");
            }
        }
        if start.gap > 0 {
            self.tell_gap(partition, start.gap);
        }
    }

    fn tell_gap(&mut self, partition: i32, records: u64) {
        self.log_watch.lost += records;
        self.metrics.log_gap(records);
        tracing::error!(partition, records, "records were deleted by the topic's retention before they were consumed: they are lost");
    }

    /// Looks whether the log that is read is still the topic's, and whether the client still works. Where not, it joins the group anew, and
    /// each partition begins where [`pipeline::start`] says.
    pub(super) async fn look_at_log(&mut self) -> Result<(), Stopped> {
        let seen = if self.log_watch.seen.has_changed().unwrap_or(false) { self.log_watch.seen.borrow_and_update().clone() } else { None };
        let mut lost = self.waiting.source.lost();
        if let Some(seen) = &seen {
            for (partition, records) in lost_to_retention(&self.waiting.source.skipped(), seen) {
                self.tell_gap(partition, records);
            }
            self.metrics.held_back(&self.waiting.source.held_back());
            let is_another = self.positions.log().is_some_and(|log| log != seen.id);
            let is_shorter = |(partition, reached): (&i32, &i64)| seen.partitions.get(partition).is_some_and(|state| state.end < *reached);
            if is_another || self.log_watch.reached.iter().any(is_shorter) {
                lost = Some(Lost::Log);
            }
            self.log_watch.reached = self.positions.reached();
            self.show(seen);
        }
        match lost {
            Some(Lost::Log) => {
                let (before, now) = (self.positions.log(), seen.map(|seen| seen.id));
                let (before, now) = (before.map(tracing::field::display), now.map(tracing::field::display));
                tracing::error!(before, now, "the topic's log is another one, or was cut: it is read from its beginning");
                self.reopen().await
            }
            Some(Lost::Client) => {
                tracing::error!("the Kafka client has failed for good: another one joins the group");
                self.reopen().await
            }
            None => Ok(()),
        }
    }

    /// Shows how far the tables hold what this member reads.
    fn show(&self, seen: &LogState) {
        let Some(log) = self.positions.log() else { return };
        let report = |partition: i32| {
            let position = *self.log_watch.reached.get(&partition)?;
            Some(PositionReport { partition, position, end: seen.partitions.get(&partition).map_or(position, |state| state.end) })
        };
        let partitions = self.waiting.source.assigned().into_iter().filter_map(report).collect();
        self.health.log(LogReport { id: log.to_string(), lost: self.log_watch.lost, partitions });
    }

    async fn reopen(&mut self) -> Result<(), Stopped> {
        let mut tries = 0;
        while let Err(fault) = self.waiting.source.reopen().await {
            tries += 1;
            self.waiting.hold(&fault, Cause::Outage, tries).await?;
        }
        self.positions.forget();
        self.log_watch.reached.clear();
        Ok(())
    }
}

/// Of offsets that did not come, those that are gone from the log. Markers and aborted records take offsets too, but they are still there.
fn lost_to_retention(skipped: &[Skipped], log: &LogState) -> BTreeMap<i32, u64> {
    let mut lost = BTreeMap::new();
    for Skipped { partition, from, to } in skipped {
        let first = log.partitions.get(partition).map_or(0, |state| state.first);
        if let Some(records) = u64::try_from(first.min(*to) - from).ok().filter(|records| *records > 0) {
            *lost.entry(*partition).or_default() += records;
        }
    }
    lost
}

#[cfg(test)]
mod tests {
    use pipeline::PartitionState;

    use super::*;

    #[test]
    fn only_what_is_gone_from_the_log_is_lost() {
        let log = LogState { id: LogId::UNKNOWN, partitions: [(0, PartitionState { first: 12, end: 90, committed: None })].into() };
        let skipped = |partition, from, to| Skipped { partition, from, to };
        let lost = lost_to_retention(&[skipped(0, 5, 12), skipped(0, 20, 22), skipped(1, 5, 9)], &log);
        assert_eq!(lost, [(0, 7)].into());
        assert_eq!(lost_to_retention(&[skipped(0, 5, 9)], &log), [(0, 4)].into());
    }
}
