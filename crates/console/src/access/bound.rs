//! How many wrong tokens may be tried. One bound for all clients: behind a proxy they cannot be told apart.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So many wrong tokens …
const TRIES: usize = 10;
/// … in so long.
const SPAN: Duration = Duration::from_secs(60);

/// When wrong tokens came lately.
#[derive(Debug, Default)]
pub struct WrongTokens(Mutex<VecDeque<Instant>>);

impl WrongTokens {
    /// One more was wrong. The seconds for which wrong ones are turned away without a word in the log, where too many were wrong lately; right ones come in.
    pub fn note(&self, now: Instant) -> Option<u64> {
        let wait = self.closed_for(now);
        if wait.is_none() {
            self.wrong(now);
        }
        wait.map(|wait| wait.as_secs().max(1))
    }

    fn closed_for(&self, now: Instant) -> Option<Duration> {
        let mut wrong = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while wrong.front().is_some_and(|first| now.saturating_duration_since(*first) >= SPAN) {
            wrong.pop_front();
        }
        let first = wrong.front().filter(|_| wrong.len() >= TRIES)?;
        Some(SPAN.saturating_sub(now.saturating_duration_since(*first)))
    }

    fn wrong(&self, now: Instant) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_wrong_tokens_close_the_door_for_the_rest_of_the_minute() {
        let bound = WrongTokens::default();
        let start = Instant::now();
        for second in 0..10 {
            let now = start + Duration::from_secs(second);
            assert_eq!(bound.closed_for(now), None);
            bound.wrong(now);
        }
        assert_eq!(bound.closed_for(start + Duration::from_secs(20)), Some(Duration::from_secs(40)));
        assert_eq!(bound.closed_for(start + SPAN), None, "the first of them is forgotten");
    }
}
