//! Ages that grow between two looks.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How old something is, if there is anything to be old.
#[derive(Debug)]
pub(super) struct Age(Mutex<Option<(Instant, Duration)>>);

impl Age {
    /// Of nothing.
    pub(super) const fn nothing() -> Self {
        Self(Mutex::new(None))
    }

    /// Of something that happens now.
    pub(super) fn now() -> Self {
        Self(Mutex::new(Some((Instant::now(), Duration::ZERO))))
    }

    /// From now on it is this old, or nothing.
    pub(super) fn set(&self, age: Option<Duration>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = age.map(|age| (Instant::now(), age));
    }

    pub(super) fn seconds(&self) -> Option<f64> {
        let known = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.map(|(at, age)| (at.elapsed() + age).as_secs_f64())
    }
}
