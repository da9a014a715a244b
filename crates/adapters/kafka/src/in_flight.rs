//! Whether records that were taken are being worked on.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What the source says and the rebalance asks: while there is work under way, no partition is taken away.
#[derive(Default)]
pub(crate) struct InFlightGate {
    under_way: Mutex<bool>,
    over: Condvar,
}

impl InFlightGate {
    pub(crate) fn is_under_way(&self) -> bool {
        *self.lock()
    }

    /// Blocks the thread until the work is over.
    pub(crate) fn wait(&self) {
        drop(self.over.wait_while(self.lock(), |under_way| *under_way).unwrap_or_else(PoisonError::into_inner));
    }

    /// The same, but for so long at most; returns whether the work is still under way.
    pub(crate) fn wait_for(&self, bound: Duration) -> bool {
        *self.over.wait_timeout_while(self.lock(), bound, |under_way| *under_way).unwrap_or_else(PoisonError::into_inner).0
    }

    fn set(&self, under_way: bool) {
        *self.lock() = under_way;
        self.over.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, bool> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whoever begins and ends the work. When it is gone, the work is over.
pub(crate) struct InFlight(pub(crate) Arc<InFlightGate>);

impl InFlight {
    pub(crate) fn begin(&self) -> Arc<InFlightGate> {
        self.0.set(true);
        Arc::clone(&self.0)
    }

    pub(crate) fn end(&self) {
        self.0.set(false);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn whoever_waits_goes_on_when_the_work_ends_or_the_worker_is_gone() {
        for end in [InFlight::end as fn(&InFlight), |_| {}] {
            let worker = InFlight(Arc::default());
            let in_flight = worker.begin();
            assert!(in_flight.is_under_way() && in_flight.wait_for(Duration::from_millis(1)));
            let waiting = thread::spawn(move || {
                in_flight.wait();
                in_flight.is_under_way()
            });
            end(&worker);
            drop(worker);
            assert!(!waiting.join().unwrap());
        }
    }

    #[test]
    fn where_nothing_is_under_way_nobody_waits() {
        InFlightGate::default().wait();
    }
}
