//! What was sent to the embedded broker and is not consumed yet, and waiting until there is room for more.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pipeline::Fault;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use super::settings::{BACKLOG_BYTES, BACKLOG_NOTICE};
use crate::faults;

/// A ledger of bytes per partition: acknowledged, less committed by the group. Bytes on their way count against every partition, because
/// the partition is chosen later. What other processes send is not seen; the search for gaps covers that.
#[derive(Clone, Default)]
pub(crate) struct Backlog {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    ledger: Mutex<Ledger>,
    /// Signalled when a partition shrinks or a record that was on its way is settled.
    changed: Notify,
    /// One publisher waits for room, the others for their turn: a commit wakes one of them and not all.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Ledger {
    under_way: u64,
    partitions: BTreeMap<i32, Partition>,
}

#[derive(Default)]
struct Partition {
    /// Offset and size of each record that is not consumed, in the order of acknowledgement.
    waiting: VecDeque<(i64, u64)>,
    bytes: u64,
    committed: i64,
}

impl Ledger {
    fn has_room_for(&self, bytes: u64) -> bool {
        let fullest = self.partitions.values().map(|partition| partition.bytes).max().unwrap_or_default();
        // A single record larger than the bound travels alone.
        self.under_way + fullest == 0 || self.under_way + fullest + bytes <= BACKLOG_BYTES
    }
}

impl Partition {
    fn consumed(&mut self) {
        while let Some((_, size)) = self.waiting.front().copied().filter(|(offset, _)| *offset < self.committed) {
            self.waiting.pop_front();
            self.bytes -= size;
        }
    }
}

impl Backlog {
    /// Waits, up to `patience`, until a record of so many bytes cannot push another out of the broker. What is returned holds the room
    /// until the record is acknowledged, or dropped.
    ///
    /// # Errors
    /// There was no room: the consumer is slower than that, or there is none.
    pub(crate) async fn reserve(&self, bytes: u64, patience: Duration) -> Result<Reservation, Fault> {
        let started = Instant::now();
        let deadline = started + patience;
        let full = || faults::timed_out("embedded_broker_backlog: nothing consumes the events");
        let _turn = timeout_at(deadline, self.inner.turn.lock()).await.map_err(|_| full())?;
        let mut told = false;
        loop {
            let changed = self.inner.changed.notified();
            tokio::pin!(changed);
            // From here on a change is not missed.
            changed.as_mut().enable();
            if self.try_reserve(bytes) {
                return Ok(Reservation { backlog: self.clone(), bytes });
            }
            let notice = started + BACKLOG_NOTICE;
            let until = if told { deadline } else { deadline.min(notice) };
            if timeout_at(until, changed).await.is_err() {
                let now = Instant::now();
                if now >= deadline {
                    tracing::error!(waited_ms = patience.as_millis(), "the embedded broker is full: an event was not sent");
                    return Err(full());
                }
                if !told && now >= notice {
                    tracing::warn!(limit_bytes = BACKLOG_BYTES, "the embedded broker is full: sending waits for the consumer");
                    told = true;
                }
            }
        }
    }

    /// The group has committed this offset of a partition: everything before it may go.
    pub(crate) fn committed(&self, partition: i32, next: i64) {
        {
            let mut ledger = self.lock();
            let partition = ledger.partitions.entry(partition).or_default();
            partition.committed = partition.committed.max(next);
            partition.consumed();
        }
        self.inner.changed.notify_waiters();
    }

    fn try_reserve(&self, bytes: u64) -> bool {
        let mut ledger = self.lock();
        let room = ledger.has_room_for(bytes);
        if room {
            ledger.under_way += bytes;
        }
        room
    }

    fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.inner.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Room for a record that is on its way.
pub(crate) struct Reservation {
    backlog: Backlog,
    bytes: u64,
}

impl Reservation {
    /// The broker has the record, at this place.
    pub(crate) fn delivered(self, partition: i32, offset: i64) {
        let mut ledger = self.backlog.lock();
        let partition = ledger.partitions.entry(partition).or_default();
        // The consumer may have been faster than the acknowledgement.
        if offset >= partition.committed {
            partition.waiting.push_back((offset, self.bytes));
            partition.bytes += self.bytes;
        }
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        {
            let mut ledger = self.backlog.lock();
            ledger.under_way -= self.bytes;
        }
        self.backlog.inner.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;
    const SOON: Duration = Duration::from_millis(50);

    async fn reserve(backlog: &Backlog, bytes: u64) -> Reservation {
        backlog.reserve(bytes, SOON).await.unwrap()
    }

    #[tokio::test]
    async fn what_is_acknowledged_and_not_consumed_keeps_its_room_until_it_is_committed() {
        let backlog = Backlog::default();
        for offset in 0..3 {
            reserve(&backlog, MIB).await.delivered(5, offset);
        }
        let fault = backlog.reserve(MIB, SOON).await.err().unwrap();
        assert_eq!(fault.class.label(), "timeout");
        backlog.committed(5, 1);
        reserve(&backlog, MIB).await.delivered(5, 3);
        assert!(backlog.reserve(MIB, SOON).await.is_err());
    }

    #[tokio::test]
    async fn what_is_under_way_counts_against_every_partition_and_what_failed_counts_no_more() {
        let backlog = Backlog::default();
        reserve(&backlog, MIB).await.delivered(0, 0);
        let (first, _second) = (reserve(&backlog, MIB).await, reserve(&backlog, MIB).await);
        assert!(backlog.reserve(1, SOON).await.is_err());
        drop(first);
        assert!(backlog.reserve(MIB, SOON).await.is_ok());
    }

    #[tokio::test]
    async fn a_partition_that_was_consumed_before_the_acknowledgement_came_holds_nothing() {
        let backlog = Backlog::default();
        let reservation = reserve(&backlog, BACKLOG_BYTES).await;
        backlog.committed(0, 10);
        reservation.delivered(0, 9);
        assert!(backlog.reserve(BACKLOG_BYTES, SOON).await.is_ok());
    }

    #[tokio::test]
    async fn a_waiting_publisher_goes_on_as_soon_as_there_is_room() {
        let backlog = Backlog::default();
        reserve(&backlog, BACKLOG_BYTES).await.delivered(0, 0);
        let waiting = tokio::spawn({
            let backlog = backlog.clone();
            async move { backlog.reserve(1, Duration::from_secs(30)).await.is_ok() }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        backlog.committed(0, 1);
        assert!(waiting.await.unwrap());
    }

    #[tokio::test]
    async fn a_record_larger_than_the_bound_travels_alone() {
        let backlog = Backlog::default();
        let alone = reserve(&backlog, 2 * BACKLOG_BYTES).await;
        assert!(backlog.reserve(1, SOON).await.is_err());
        drop(alone);
        assert!(backlog.reserve(1, SOON).await.is_ok());
    }
}
