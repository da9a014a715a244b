//! Removing entries for good.

use std::time::Duration;

use events::Timestamp;
use pipeline::fault::Fault;
use pipeline::ports::{ClaimQueue, DeadLetterReader};

use super::filter::Filter;
use super::scan::Scan;

/// How long a claim lasts that is settled at once.
const LEASE: Duration = Duration::from_secs(60);

/// How many entries the filter means.
///
/// # Errors
/// The queue is away.
pub async fn count(queue: &impl DeadLetterReader, filter: &Filter, now: Timestamp) -> Result<u64, Fault> {
    if filter.is_empty() {
        return queue.depth().await;
    }
    let mut scan = Scan::start(queue).await?;
    let mut meant = 0;
    loop {
        let page = scan.look().await?;
        if page.is_empty() {
            return Ok(meant);
        }
        meant += page.iter().filter(|listed| filter.selects(listed, now)).count() as u64;
    }
}

/// What a purge has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purged {
    /// Entries that were removed.
    pub removed: u64,
    /// Why it ended early: the queue is away.
    pub fault: Option<Fault>,
}

/// Removes the entries that the filter means, unreadable ones among them. What comes into the list meanwhile stays. A record that was
/// purged is not listed again when it is consumed again.
pub async fn purge<Q: DeadLetterReader + ClaimQueue>(queue: &Q, filter: &Filter, now: Timestamp) -> Purged {
    let mut removed = 0;
    let fault = remove(queue, filter, now, &mut removed).await.err();
    Purged { removed, fault }
}

async fn remove<Q: DeadLetterReader + ClaimQueue>(queue: &Q, filter: &Filter, now: Timestamp, removed: &mut u64) -> Result<(), Fault> {
    let mut scan = Scan::start(queue).await?;
    loop {
        let page = scan.next().await?;
        if page.is_empty() {
            return Ok(());
        }
        let texts: Vec<String> = page.iter().filter(|listed| filter.selects(listed, now)).map(|listed| listed.text.clone()).collect();
        scan.keep((page.len() - texts.len()) as u64);
        if !texts.is_empty() {
            let claims: Vec<_> = queue.claim(&texts, LEASE).await?.into_iter().flatten().collect();
            *removed += queue.settle(&claims).await? as u64;
        }
    }
}
