//! Dead letters in the log: the first ones of a kind one by one, then how many more.
//!
//! A producer's defect makes thousands of them in a minute, and the one line that matters would drown.

use std::collections::BTreeMap;
use std::time::Duration;

use pipeline::dead_letter::Diagnosis;
use pipeline::record::Record;
use tokio::time::Instant;

/// How many of one kind are told one by one in each window.
const TOLD: u64 = 5;
/// How long a window is; at its end the others are told by their number.
const WINDOW: Duration = Duration::from_secs(60);
/// Kinds that are counted each by itself. The number of kinds is bounded by the contract and the constraints, far below this.
const KINDS: usize = 1000;

/// What is told of a dead letter: names and numbers, no values of the event.
#[derive(Clone, Debug)]
pub(super) struct Told {
    partition: i32,
    offset: i64,
    retry_count: u32,
    diagnosis: Diagnosis,
}

impl Told {
    pub(super) fn new(record: &Record, diagnosis: &Diagnosis, retry_count: u32) -> Self {
        let (partition, offset) = (record.position.partition, record.position.offset);
        Self { partition, offset, retry_count, diagnosis: diagnosis.clone() }
    }

    pub(super) fn fingerprint(&self) -> String {
        self.diagnosis.fingerprint()
    }

    /// Why it is one.
    pub(super) const fn diagnosis(&self) -> &Diagnosis {
        &self.diagnosis
    }

    /// Partition and offset of its record.
    pub(super) const fn place(&self) -> (i32, i64) {
        (self.partition, self.offset)
    }
}

/// The line about one. The level of a line is fixed where it is written.
macro_rules! line {
    ($level:ident, $told:expr) => {{
        let Told { partition, offset, retry_count, diagnosis } = $told;
        tracing::$level!(
            eventId = diagnosis.event_id.map(tracing::field::display),
            eventType = diagnosis.event_type_label(),
            partition,
            offset,
            reason = diagnosis.reason.label(),
            retryCount = retry_count,
            "dead letter: {}",
            diagnosis.error
        )
    }};
}

/// Counts them by fingerprint.
pub(super) struct DeadLetterLog {
    kinds: BTreeMap<String, u64>,
    since: Instant,
}

impl DeadLetterLog {
    pub(super) fn new() -> Self {
        Self { kinds: BTreeMap::new(), since: Instant::now() }
    }

    /// Tells of one that is durable: as a warning, or, where enough of its kind have been, for whoever looks at each.
    pub(super) fn tell(&mut self, told: &Told) {
        if self.is_among_the_first(told.fingerprint()) {
            line!(warn, told);
        } else {
            line!(debug, told);
        }
    }

    fn is_among_the_first(&mut self, kind: String) -> bool {
        if self.kinds.len() >= KINDS && !self.kinds.contains_key(&kind) {
            return false;
        }
        let count = self.kinds.entry(kind).or_default();
        *count += 1;
        *count <= TOLD
    }

    /// Ends the window, if it is over: tells how many have not been told one by one.
    pub(super) fn look(&mut self) {
        if self.since.elapsed() >= WINDOW {
            self.end_window();
        }
    }

    /// Tells how many have not been told one by one, and begins anew.
    pub(super) fn end_window(&mut self) {
        let seconds = self.since.elapsed().as_secs();
        for (kind, more) in self.untold() {
            tracing::warn!(
                fingerprint = kind,
                more,
                seconds,
                "dead letters of the same kind followed; each one is told at the level debug, and all are in the queue"
            );
        }
        self.since = Instant::now();
        self.kinds.clear();
    }

    fn untold(&self) -> impl Iterator<Item = (&str, u64)> {
        self.kinds.iter().filter(|(_, count)| **count > TOLD).map(|(kind, count)| (kind.as_str(), count - TOLD))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_first_of_each_kind_are_told_and_the_others_counted_until_the_window_ends() {
        let mut log = DeadLetterLog::new();
        let told: Vec<_> = (0..8).map(|_| log.is_among_the_first("a".to_owned())).collect();
        assert_eq!(told, [true, true, true, true, true, false, false, false]);
        assert!(log.is_among_the_first("b".to_owned()), "another kind");
        assert_eq!(log.untold().collect::<Vec<_>>(), [("a", 3)]);
        tokio::time::advance(WINDOW - Duration::from_millis(1)).await;
        log.look();
        assert!(!log.is_among_the_first("a".to_owned()), "it is the same window");
        tokio::time::advance(Duration::from_millis(1)).await;
        log.look();
        assert!(log.is_among_the_first("a".to_owned()) && log.untold().next().is_none());
    }

    #[tokio::test]
    async fn kinds_without_end_take_no_memory_without_end() {
        let mut log = DeadLetterLog::new();
        let told = (0..2 * KINDS).filter(|number| log.is_among_the_first(number.to_string())).count();
        assert_eq!((told, log.kinds.len()), (KINDS, KINDS));
    }

    #[test]
    fn the_first_ones_are_warnings_and_the_others_are_for_whoever_looks_at_each() {
        let (lines, _guard) = testkit::log_lines::log_lines();
        let told = Told::new(&testkit::builders::record("{"), &Diagnosis::from(&events::decode(b"{").unwrap_err()), 0);
        let mut log = DeadLetterLog::new();
        (0..=TOLD).for_each(|_| log.tell(&told));
        assert_eq!((lines.with("WARN dead letter").len(), lines.with("DEBUG dead letter").len()), (5, 1));
    }
}
