//! The SQLite store behind a script of faults.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use events::{Event, Timestamp};
use pipeline::fault::{Dependency, Fault, FaultClass};
use pipeline::ports::{LogPositions, ParkingExpiry};
use pipeline::{Applied, Batch, EventStore, LogPosition, Parents, ParkedEvent, ParkedKey, ParkingLot};
use sqlite::Sqlite;

use crate::gates::{Call, Gates};

/// Says of a batch which fault it meets, if any, before the database sees it.
type Rule = Box<dyn FnMut(&[&Event<'_>]) -> Option<Fault> + Send>;

/// A store that fails as it is told.
#[derive(Clone)]
pub struct Faulty {
    pub inner: Sqlite,
    pub gates: Gates,
    script: Arc<Mutex<Script>>,
}

#[derive(Default)]
struct Script {
    before: Option<Rule>,
    after: VecDeque<Fault>,
    parking: VecDeque<Fault>,
    statements: u32,
    advances: u32,
    takes: Duration,
}

impl Faulty {
    pub fn new(inner: Sqlite) -> Self {
        Self { inner, gates: Gates::default(), script: Arc::default() }
    }

    /// Each batch is decoded by this rule first.
    pub fn fail_by(&self, rule: impl FnMut(&[&Event<'_>]) -> Option<Fault> + Send + 'static) {
        self.script.lock().unwrap().before = Some(Box::new(rule));
    }

    /// The next batches meet these faults, one each, before anything is written.
    pub fn fail_next(&self, faults: impl IntoIterator<Item = Fault>) {
        let mut faults: VecDeque<Fault> = faults.into_iter().collect();
        self.fail_by(move |_| faults.pop_front());
    }

    /// The next batches are written, and their replies are lost with these faults.
    pub fn fail_after(&self, faults: impl IntoIterator<Item = Fault>) {
        self.script.lock().unwrap().after.extend(faults);
    }

    /// The next parkings fail.
    pub fn fail_parking(&self, faults: impl IntoIterator<Item = Fault>) {
        self.script.lock().unwrap().parking.extend(faults);
    }

    /// How often positions were moved by themselves.
    pub fn advances(&self) -> u32 {
        self.script.lock().unwrap().advances
    }

    /// From now on each call takes so long.
    pub fn take_long(&self, takes: Duration) {
        self.script.lock().unwrap().takes = takes;
    }

    async fn be_slow(&self) {
        let takes = self.script.lock().unwrap().takes;
        if !takes.is_zero() {
            tokio::time::sleep(takes).await;
        }
    }

    /// Batches asked for so far.
    pub fn statements(&self) -> u32 {
        self.script.lock().unwrap().statements
    }
}

impl EventStore for Faulty {
    async fn apply(&self, batch: Batch<'_>) -> Result<Applied, Fault> {
        self.gates.pass(Call::Apply).await;
        self.be_slow().await;
        {
            let mut script = self.script.lock().unwrap();
            script.statements += 1;
            let events: Vec<_> = batch.items().iter().map(|item| item.event).collect();
            if let Some(fault) = script.before.as_mut().and_then(|rule| rule(&events)) {
                return Err(fault);
            }
        }
        let applied = self.inner.apply(batch).await?;
        match self.script.lock().unwrap().after.pop_front() {
            Some(fault) => Err(fault),
            None => Ok(applied),
        }
    }
}

impl LogPositions for Faulty {
    async fn positions(&self, topic: &str) -> Result<Vec<LogPosition>, Fault> {
        self.inner.positions(topic).await
    }

    async fn advance(&self, positions: &[LogPosition]) -> Result<(), Fault> {
        self.script.lock().unwrap().advances += 1;
        self.inner.advance(positions).await
    }
}

impl ParkingLot for Faulty {
    async fn park(&self, events: &[ParkedEvent]) -> Result<bool, Fault> {
        self.gates.pass(Call::Park).await;
        self.be_slow().await;
        if let Some(fault) = self.script.lock().unwrap().parking.pop_front() {
            return Err(fault);
        }
        self.inner.park(events).await
    }

    async fn releasable(&self, parents: &Parents, after: Option<&ParkedEvent>, limit: usize) -> Result<Vec<ParkedEvent>, Fault> {
        self.be_slow().await;
        let found = self.inner.releasable(parents, after, limit).await?;
        if !found.is_empty() {
            self.gates.pass(Call::Look).await;
        }
        Ok(found)
    }

    async fn discard(&self, events: &[ParkedKey<'_>]) -> Result<(), Fault> {
        self.be_slow().await;
        self.inner.discard(events).await
    }
}

impl ParkingExpiry for Faulty {
    async fn now(&self) -> Result<Timestamp, Fault> {
        self.inner.now().await
    }

    async fn claim_expired(&self, cutoff: Timestamp, limit: usize) -> Result<Vec<ParkedEvent>, Fault> {
        self.be_slow().await;
        let claimed = self.inner.claim_expired(cutoff, limit).await?;
        if !claimed.is_empty() {
            self.gates.pass(Call::Claim).await;
        }
        Ok(claimed)
    }

    async fn parked(&self) -> Result<(u64, Option<Timestamp>), Fault> {
        self.inner.parked().await
    }
}

/// A fault of the database.
pub fn fault(class: FaultClass, code: i64) -> Fault {
    Fault { dependency: Dependency::Database, class, code: Some(code), subject: "test" }
}
