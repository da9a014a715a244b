//! Looks while a case runs: commits never go back, and never pass unfinished work.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use pipeline::ports::GroupProgress as _;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::invariants::{Ids, dead_letters};
use super::place::Place;
use super::stream::Stream;

/// How often it looks.
const INTERVAL: Duration = Duration::from_millis(300);
/// How long a look may show less than an earlier one while brokers come and go.
const CATCHES_UP: Duration = Duration::from_secs(30);

/// Does some work, and looks at the group until it is done.
///
/// # Panics
/// A commit went back; or an offset was committed whose record is in no table and no dead letter.
pub async fn watched(place: &Place, stream: &Stream, work: impl Future<Output = ()>) {
    let (done, mut stop) = oneshot::channel();
    let look = async {
        let mut watch = Watch { shown: stream.history.shown(), last: BTreeMap::new(), behind: BTreeMap::new(), checked: BTreeMap::new() };
        let mut looks = 0;
        while stop.try_recv().is_err() {
            looks += u32::from(watch.look(place).await);
            tokio::time::sleep(INTERVAL).await;
        }
        assert!(looks > 0, "somebody looked");
    };
    let work = async {
        work.await;
        done.send(()).expect("somebody looks");
    };
    tokio::join!(work, look);
}

struct Watch {
    /// Events that are not superseded by others of the stream.
    shown: BTreeSet<Uuid>,
    /// The highest commit of each partition.
    last: BTreeMap<i32, i64>,
    /// Since when a partition shows less than that.
    behind: BTreeMap<i32, Instant>,
    /// Up to where each partition was found to be finished.
    checked: BTreeMap<i32, i64>,
}

impl Watch {
    /// `false` where Kafka could not be asked.
    async fn look(&mut self, place: &Place) -> bool {
        let Ok(committed) = place.progress.committed().await else { return false };
        for (partition, offset) in &committed {
            let highest = self.last.entry(*partition).or_default();
            if *highest <= *offset {
                *highest = *offset;
                self.behind.remove(partition);
                continue;
            }
            // Where the group moves to another broker, a look that is not the group's own shows what that broker knows to be replicated, which
            // may be older for a moment than what the broker before had shown. The group itself waits (KIP-447: `RequireStable`).
            let since = self.behind.entry(*partition).or_insert_with(Instant::now);
            let bound = if place.copies > 1 { CATCHES_UP } else { Duration::ZERO };
            assert!(since.elapsed() < bound, "the commit of partition {partition} went back from {highest} to {offset}");
        }
        // After the commits, so that what they cover must be there.
        let (ids, dead_letters, sent) = (Ids::read(place), dead_letters(place).await, place.sender.sent());
        for (partition, end) in committed {
            let from = self.checked.get(&partition).copied().unwrap_or(0);
            let end = end.max(from);
            self.checked.insert(partition, end);
            for (spot, value) in sent.range((partition, from)..(partition, end)) {
                let finished = match events::decode(value) {
                    Ok(event) => ids.applied.contains(&event.id) || ids.parked.contains(&event.id) || !self.shown.contains(&event.id),
                    Err(_) => dead_letters.contains_key(spot),
                };
                assert!(finished, "partition {partition} is committed up to {end}, and {spot:?} is not finished");
            }
        }
        true
    }
}
