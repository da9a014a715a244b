//! Row locks, held until their transaction ends. Who would wait in a circle is the victim.

use std::collections::HashMap;

use uuid::Uuid;

use super::key::{ParkedKey, PositionKey};

/// What can be locked.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Lock {
    User(Uuid),
    Address(String),
    Order(Uuid),
    Payment(Uuid),
    Line(Uuid),
    Stock(String),
    Parked(ParkedKey),
    Position(PositionKey),
}

/// The answer to who wants a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grant {
    /// It is held now.
    Held,
    /// Somebody else holds it.
    Wait,
    /// Whoever holds it waits for who asks.
    Deadlock,
}

/// Who holds what.
#[derive(Debug, Default)]
pub(crate) struct Locks {
    begun: u64,
    held: HashMap<Lock, u64>,
    /// Who waits for whom.
    waits: HashMap<u64, u64>,
}

impl Locks {
    /// A number for a transaction.
    pub(crate) const fn begin(&mut self) -> u64 {
        self.begun += 1;
        self.begun
    }

    pub(crate) fn acquire(&mut self, transaction: u64, lock: &Lock) -> Grant {
        self.waits.remove(&transaction);
        let holder = *self.held.entry(lock.clone()).or_insert(transaction);
        if holder == transaction {
            return Grant::Held;
        }
        let mut next = Some(holder);
        while let Some(waits) = next {
            if waits == transaction {
                return Grant::Deadlock;
            }
            next = self.waits.get(&waits).copied();
        }
        self.waits.insert(transaction, holder);
        Grant::Wait
    }

    /// The transaction has ended.
    pub(crate) fn release(&mut self, transaction: u64) {
        self.waits.remove(&transaction);
        self.held.retain(|_, holder| *holder != transaction);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_who_wait_for_each_other_are_a_deadlock() {
        let mut locks = Locks::default();
        let (first, second) = (locks.begin(), locks.begin());
        let (one, other) = (Lock::Stock("a".to_owned()), Lock::Stock("b".to_owned()));
        assert_eq!(locks.acquire(first, &one), Grant::Held);
        assert_eq!(locks.acquire(second, &other), Grant::Held);
        assert_eq!(locks.acquire(first, &other), Grant::Wait);
        assert_eq!(locks.acquire(second, &one), Grant::Deadlock);
        locks.release(second);
        assert_eq!(locks.acquire(first, &other), Grant::Held);
    }
}
