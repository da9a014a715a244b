//! Waiting for a condition, with a bound.

use std::time::Duration;

/// How often a condition is looked at.
const POLL: Duration = Duration::from_millis(5);

/// Waits until the condition holds. A condition that hangs counts as one that does not hold.
///
/// ```
/// # use std::time::Duration;
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let mut looks = 0;
/// testkit::eventually(Duration::from_secs(5), "the third look", async || {
///     looks += 1;
///     looks == 3
/// })
/// .await;
/// # });
/// ```
///
/// # Panics
/// The bound is over; the text says `what` was waited for.
pub async fn eventually(bound: Duration, what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let holds = async {
        while !condition().await {
            tokio::time::sleep(POLL).await;
        }
    };
    assert!(tokio::time::timeout(bound, holds).await.is_ok(), "not within {bound:?}: {what}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    #[should_panic(expected = "not within 20ms: what never comes")]
    async fn a_condition_that_never_holds_fails_with_its_name() {
        eventually(Duration::from_millis(20), "what never comes", async || false).await;
    }

    #[tokio::test]
    #[should_panic(expected = "not within 20ms: what hangs")]
    async fn a_condition_that_hangs_fails_too() {
        eventually(Duration::from_millis(20), "what hangs", async || std::future::pending().await).await;
    }
}
