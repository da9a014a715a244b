//! A long stream that is made while it is consumed, so that it needs no memory, and remembered just enough to be checked.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use events::Event;

use crate::check::Sample;
use crate::place::Tables;
use crate::source::MemoryLog;
use crate::workload::generator;

/// The handle of a stream. Clones share it.
#[derive(Clone)]
pub struct Tap(Arc<Inner>);

struct Inner {
    closed: AtomicBool,
    given: AtomicU64,
    sample: Mutex<Sample>,
}

impl Inner {
    fn sample(&self) -> MutexGuard<'_, Sample> {
        self.sample.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tap {
    /// An insert-only stream of up to `records`, of which each `every`-th is looked up in the end.
    pub fn open(records: u64, seed: u64, every: usize) -> (Self, MemoryLog) {
        let sample = Mutex::new(Sample::new(every));
        let tap = Self(Arc::new(Inner { closed: AtomicBool::new(false), given: AtomicU64::new(0), sample }));
        let inner = Arc::clone(&tap.0);
        let open = move |_: &_| !inner.closed.load(Ordering::Relaxed);
        let inner = Arc::clone(&tap.0);
        let events = generator(usize::try_from(records).unwrap_or(usize::MAX), seed).take_while(open).inspect(move |event| {
            inner.sample().note(event);
            inner.given.fetch_add(1, Ordering::Relaxed);
        });
        (tap, MemoryLog::new(events.map(|event| producer::message::of_event(&event))))
    }

    /// Ends the stream, and returns how many records it has had. One that is just being made may still come: ask again.
    pub fn close(&self) -> u64 {
        self.0.closed.store(true, Ordering::Relaxed);
        self.0.given.load(Ordering::Relaxed)
    }

    /// Notes an event that is in the tables beside the stream.
    pub fn note(&self, event: &Event<'static>) {
        self.0.sample().note(event);
    }

    /// So many events are parked beside the stream, and stay so.
    pub fn expect_parked(&self, parked: u64) {
        self.0.sample().expect_parked(parked);
    }

    /// Checks the rows of a stream that has ended and was consumed to its end.
    ///
    /// # Errors
    /// They are wrong.
    pub async fn check(&self, tables: &impl Tables) -> anyhow::Result<()> {
        let sample = std::mem::take(&mut *self.0.sample());
        sample.check(tables).await
    }
}
