//! Places where a call stands still until a test lets it go on. A gate that nobody opens is a call that never returns.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pipeline::LogState;
use pipeline::fault::Fault;
use pipeline::offsets::Commit;
use pipeline::ports::{
    Claim, ClaimQueue, DeadLetterReader, End, FloodPermits, GroupProgress, ListState, Lost, Permit, PollLimits, Skipped, Unstarted,
};
use pipeline::{DeadLetter, DeadLetterQueue, OffsetCommitter, Record, RecordSource};
use tokio::sync::Semaphore;

/// A call at which there may be a gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Before records are taken.
    Take,
    /// Before a batch is written.
    Apply,
    /// Before events are parked.
    Park,
    /// After parked events were found that may be released.
    Look,
    /// After parked events were claimed to be expired.
    Claim,
    /// Before dead letters are pushed.
    Push,
    /// Before offsets are committed.
    Commit,
    /// Before anything that the monitor asks.
    Ask,
}

/// One gate; the next call that comes to it stands still.
#[derive(Clone, Debug)]
pub struct Gate(Arc<(Semaphore, Semaphore)>);

impl Gate {
    /// Returns when a call stands at the gate.
    pub async fn reached(&self) {
        self.0.0.acquire().await.unwrap().forget();
    }

    /// Lets the call go on.
    pub fn open(&self) {
        self.0.1.add_permits(1);
    }

    async fn pass(&self) {
        self.0.0.add_permits(1);
        self.0.1.acquire().await.unwrap().forget();
    }
}

/// All gates of one test.
#[derive(Clone, Debug, Default)]
pub struct Gates(Arc<Mutex<Vec<(Call, Gate)>>>);

impl Gates {
    /// Puts a gate in the way of the next such call.
    pub fn at(&self, call: Call) -> Gate {
        let gate = Gate(Arc::new((Semaphore::new(0), Semaphore::new(0))));
        self.0.lock().unwrap().push((call, gate.clone()));
        gate
    }

    /// Stands at the first gate for this call, if there is one.
    pub async fn pass(&self, call: Call) {
        let gate = {
            let mut gates = self.0.lock().unwrap();
            let place = gates.iter().position(|(at, _)| *at == call);
            place.map(|place| gates.remove(place).1)
        };
        if let Some(gate) = gate {
            gate.pass().await;
        }
    }
}

/// A log or a queue behind gates.
#[derive(Clone)]
pub struct Gated<T> {
    pub inner: T,
    pub gates: Gates,
}

impl<T: RecordSource> RecordSource for Gated<T> {
    async fn poll_batch(&mut self, limits: PollLimits, patience: Duration) -> Result<Vec<Record>, Fault> {
        self.gates.pass(Call::Take).await;
        self.inner.poll_batch(limits, patience).await
    }

    fn passed(&self) -> Commit {
        self.inner.passed()
    }

    fn unstarted(&self) -> Vec<Unstarted> {
        self.inner.unstarted()
    }

    async fn start(&mut self, partition: Unstarted, offset: i64) -> Result<(), Fault> {
        self.inner.start(partition, offset).await
    }

    async fn reopen(&mut self) -> Result<(), Fault> {
        self.inner.reopen().await
    }

    fn lost(&self) -> Option<Lost> {
        self.inner.lost()
    }

    fn skipped(&mut self) -> Vec<Skipped> {
        self.inner.skipped()
    }

    fn held_back(&self) -> BTreeMap<i32, u64> {
        self.inner.held_back()
    }

    async fn pause(&mut self, duration: Duration) {
        self.inner.pause(duration).await;
    }

    fn assigned(&self) -> BTreeSet<i32> {
        self.inner.assigned()
    }
}

impl<T: OffsetCommitter> OffsetCommitter for Gated<T> {
    async fn commit(&self, commit: &Commit) -> Result<usize, Fault> {
        self.gates.pass(Call::Commit).await;
        self.inner.commit(commit).await
    }
}

impl<T: GroupProgress> GroupProgress for Gated<T> {
    async fn log(&self) -> Result<LogState, Fault> {
        self.gates.pass(Call::Ask).await;
        self.inner.log().await
    }
}

impl<T: DeadLetterQueue> DeadLetterQueue for Gated<T> {
    async fn push(&self, dead_letters: &[DeadLetter]) -> Result<usize, Fault> {
        self.gates.pass(Call::Push).await;
        self.inner.push(dead_letters).await
    }

    async fn known(&self, dead_letters: &[DeadLetter]) -> Result<Vec<bool>, Fault> {
        self.inner.known(dead_letters).await
    }
}

impl<T: ClaimQueue> ClaimQueue for Gated<T> {
    async fn claim(&self, entries: &[String], lease: Duration) -> Result<Vec<Option<Claim>>, Fault> {
        self.inner.claim(entries, lease).await
    }

    async fn settle(&self, claims: &[Claim]) -> Result<usize, Fault> {
        self.inner.settle(claims).await
    }

    async fn give_back(&self, claims: &[Claim]) -> Result<usize, Fault> {
        self.inner.give_back(claims).await
    }

    async fn give_back_overdue(&self) -> Result<usize, Fault> {
        self.inner.give_back_overdue().await
    }
}

impl<T: DeadLetterReader> DeadLetterReader for Gated<T> {
    async fn list_state(&self) -> Result<ListState, Fault> {
        self.inner.list_state().await
    }

    async fn depth(&self) -> Result<u64, Fault> {
        self.gates.pass(Call::Ask).await;
        self.inner.depth().await
    }

    async fn claimed(&self) -> Result<u64, Fault> {
        self.inner.claimed().await
    }

    async fn reasons(&self) -> Result<BTreeMap<String, u64>, Fault> {
        self.inner.reasons().await
    }

    async fn page(&self, end: End, start: u64, limit: u64) -> Result<Vec<String>, Fault> {
        self.inner.page(end, start, limit).await
    }
}

impl<T: FloodPermits> FloodPermits for Gated<T> {
    async fn spend(&self, records: u64) -> Result<u64, Fault> {
        self.inner.spend(records).await
    }

    async fn permit(&self, permit: Permit) -> Result<(), Fault> {
        self.inner.permit(permit).await
    }
}
