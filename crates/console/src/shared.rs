//! One answer for all who ask: what several pages show is asked for once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// An answer is given again for so long …
const FRESH: Duration = Duration::from_secs(1);
/// … and for so long while the next one is under way: a part that does not answer holds up no page that has something to show.
const BOUND: Duration = Duration::from_secs(10);

/// The last answer to a question.
pub(crate) struct Shared<T> {
    known: Mutex<Option<Known<T>>>,
    /// Held by who asks.
    asking: tokio::sync::Mutex<()>,
}

struct Known<T> {
    asked_at: Instant,
    answered_at: Instant,
    answer: Arc<T>,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self { known: Mutex::new(None), asking: tokio::sync::Mutex::new(()) }
    }
}

impl<T> Shared<T> {
    /// An answer that is fresh, or as fresh as can be had without waiting for a part that hangs.
    pub async fn recent(&self, ask: impl Future<Output = T>) -> Arc<T> {
        let now = Instant::now();
        let within = |bound: Duration| move |known: &Known<T>| known.answered_at + bound >= now;
        let is_asked = || self.asking.try_lock().is_err();
        let known = self.known_if(within(FRESH)).or_else(|| self.known_if(within(BOUND)).filter(|_| is_asked()));
        match known {
            Some(answer) => answer,
            None => self.ask_unless(within(FRESH), ask).await,
        }
    }

    /// An answer to a question that is asked from now on: it shows whatever happened before.
    pub async fn anew(&self, ask: impl Future<Output = T>) -> Arc<T> {
        let now = Instant::now();
        self.ask_unless(|known| known.asked_at > now, ask).await
    }

    /// Asks, after those who ask already, unless one of their answers does.
    async fn ask_unless(&self, suits: impl Fn(&Known<T>) -> bool, ask: impl Future<Output = T>) -> Arc<T> {
        let _one_at_a_time = self.asking.lock().await;
        if let Some(answer) = self.known_if(suits) {
            return answer;
        }
        let asked_at = Instant::now();
        let answer = Arc::new(ask.await);
        *self.known() = Some(Known { asked_at, answered_at: Instant::now(), answer: Arc::clone(&answer) });
        answer
    }

    fn known_if(&self, suits: impl Fn(&Known<T>) -> bool) -> Option<Arc<T>> {
        self.known().as_ref().filter(|known| suits(known)).map(|known| Arc::clone(&known.answer))
    }

    fn known(&self) -> MutexGuard<'_, Option<Known<T>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use tokio::time::{advance, sleep};

    use super::*;

    /// Counts how often it was asked; each answer takes so long.
    #[derive(Default)]
    struct Part(AtomicU64);

    impl Part {
        async fn answer(&self, takes: Duration) -> u64 {
            let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
            sleep(takes).await;
            number
        }
    }

    const SHORT: Duration = Duration::from_millis(100);

    #[tokio::test(start_paused = true)]
    async fn those_who_ask_within_a_second_get_one_answer() {
        let (shared, part) = (Shared::default(), Part::default());
        let ask = || shared.recent(part.answer(SHORT));
        assert_eq!(tokio::join!(ask(), ask(), ask()), (1.into(), 1.into(), 1.into()));
        advance(FRESH).await;
        assert_eq!(*ask().await, 1);
        advance(Duration::from_millis(1)).await;
        assert_eq!(*ask().await, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn while_a_part_hangs_what_is_known_is_shown_for_ten_seconds() {
        let (shared, part) = (Shared::default(), Part::default());
        assert_eq!(*shared.recent(part.answer(SHORT)).await, 1);
        advance(FRESH).await;
        let hanging = shared.anew(part.answer(BOUND * 2));
        let meanwhile = async {
            sleep(SHORT).await;
            let asked_at = Instant::now();
            assert_eq!((*shared.recent(part.answer(SHORT)).await, asked_at.elapsed()), (1, Duration::ZERO));
            sleep(BOUND).await;
            assert_eq!(*shared.recent(part.answer(SHORT)).await, 2, "what is older is not shown");
        };
        tokio::join!(hanging, meanwhile);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_has_changed_something_sees_it() {
        let (shared, part) = (Shared::default(), Part::default());
        let before = shared.recent(part.answer(SHORT));
        let after = async {
            sleep(SHORT / 2).await;
            shared.anew(part.answer(SHORT)).await
        };
        assert_eq!(tokio::join!(before, after), (1.into(), 2.into()), "not the answer that was under way");
        assert_eq!(*shared.anew(part.answer(SHORT)).await, 3);
    }
}
