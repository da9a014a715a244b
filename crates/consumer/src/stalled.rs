//! Partitions that have records and of which nothing is consumed: the whole may look healthy while one of them stands still.

use std::collections::BTreeMap;
use std::time::Duration;

use pipeline::LogState;
use tokio::time::Instant;

/// So long may a partition with records stand still before it counts as stalled: longer than any wait that ends by itself without being shown
/// elsewhere, such as a rebalance.
pub(crate) const STALLED: Duration = Duration::from_secs(300);

/// The partitions of a topic, each with the group's next offset and since when that has not moved although there are records.
#[derive(Debug, Default)]
pub(crate) struct Stalled(BTreeMap<i32, (i64, Instant)>);

impl Stalled {
    /// Notes how far the group is now.
    pub(crate) fn note(&mut self, log: &LogState, now: Instant) {
        let before = std::mem::take(&mut self.0);
        self.0 = log
            .partitions
            .iter()
            .map(|(partition, state)| {
                let next = state.next();
                let since = before.get(partition).filter(|(known, _)| *known == next && state.lag() > 0).map_or(now, |(_, since)| *since);
                (*partition, (next, since))
            })
            .collect();
    }

    /// For how long each partition has stood still; zero where it moves or has no records.
    pub(crate) fn ages(&self, now: Instant) -> impl Iterator<Item = (i32, Duration)> {
        self.0.iter().map(move |(partition, (_, since))| (*partition, now.saturating_duration_since(*since)))
    }

    /// What to say of those partitions of ours that are stalled; `None` where none is.
    pub(crate) fn reason(&self, log: &LogState, ours: impl Fn(i32) -> bool, now: Instant) -> Option<String> {
        let stalled = self.ages(now).filter(|(partition, age)| *age >= STALLED && ours(*partition));
        let (partition, age) = stalled.max_by_key(|(_, age)| *age)?;
        let lag = log.partitions.get(&partition)?.lag();
        let offset = log.partitions.get(&partition)?.next();
        Some(format!(
            "partition {partition} stands at offset {offset} for {} although its lag is {lag}: a producer's transaction may be open \
             (pipeline_partition_held_back_records); `consumer peek --partition {partition}` shows what comes next, a restart of this consumer gives \
             the partition to another one",
            settings::span::format(Duration::from_secs(age.as_secs()))
        ))
    }
}

#[cfg(test)]
mod tests {
    use pipeline::{LogId, PartitionState};

    use super::*;

    fn log(next: [i64; 2]) -> LogState {
        let state = |committed| PartitionState { first: 0, end: 10, committed: Some(committed) };
        LogState { id: LogId::UNKNOWN, partitions: (0..).zip(next.map(state)).collect() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_partition_is_stalled_while_it_has_records_and_its_offset_does_not_move() {
        let (mut stalled, start) = (Stalled::default(), Instant::now());
        let after = |seconds| start + Duration::from_secs(seconds);
        stalled.note(&log([3, 10]), start);
        stalled.note(&log([3, 10]), after(300));
        assert_eq!(stalled.ages(after(300)).map(|(_, age)| age.as_secs()).collect::<Vec<_>>(), [300, 0], "the other one has no records");
        let told = stalled.reason(&log([3, 10]), |_| true, after(300)).unwrap();
        assert!(told.starts_with("partition 0 stands at offset 3 for 5m although its lag is 7:"), "{told}");
        assert_eq!(stalled.reason(&log([3, 10]), |partition| partition == 1, after(300)), None, "it is another member's");
        assert_eq!(stalled.reason(&log([3, 10]), |_| true, after(299)), None);
        stalled.note(&log([4, 10]), after(301));
        assert_eq!(stalled.reason(&log([4, 10]), |_| true, after(600)), None, "it has moved");
    }
}
