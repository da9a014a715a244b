//! Removing entries for good.

use std::fmt;
use std::time::Duration;

use events::Timestamp;
use pipeline::fault::Fault;
use pipeline::ports::{ClaimQueue, DeadLetterReader};

use super::filter::Filter;
use super::listed::Listed;
use super::scan::Scan;
use crate::audit::{Handled, Witness};

/// What becomes of a letter, in the audit log.
const REMOVED: &str = "removed";
const REMOVED_IN_PART: &str = "claimed; some of its page were removed by others";
const UNKNOWN: &str = "claimed; the queue did not say whether it was removed";

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

impl fmt::Display for Purged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} removed", self.removed)?;
        self.fault.as_ref().map_or(Ok(()), |fault| write!(f, ", then failed: {fault}"))
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
/// purged is not listed again when it is consumed again. `witness` is told what became of each page; where it cannot note it, no other page is removed.
pub async fn purge<Q: DeadLetterReader + ClaimQueue>(queue: &Q, filter: &Filter, now: Timestamp, witness: &mut impl Witness) -> Purged {
    let mut removed = 0;
    let fault = remove(queue, filter, now, witness, &mut removed).await.err();
    Purged { removed, fault }
}

async fn remove<Q: DeadLetterReader + ClaimQueue>(
    queue: &Q,
    filter: &Filter,
    now: Timestamp,
    witness: &mut impl Witness,
    removed: &mut u64,
) -> Result<(), Fault> {
    let mut scan = Scan::start(queue).await?;
    loop {
        let page = scan.next().await?;
        if page.is_empty() {
            return Ok(());
        }
        let meant: Vec<&Listed> = page.iter().filter(|listed| filter.selects(listed, now)).collect();
        scan.keep((page.len() - meant.len()) as u64);
        if meant.is_empty() {
            continue;
        }
        let texts: Vec<String> = meant.iter().map(|listed| listed.text.clone()).collect();
        let claims = queue.claim(&texts, LEASE).await?;
        let claimed: Vec<&Listed> = meant.into_iter().zip(&claims).filter(|(_, claim)| claim.is_some()).map(|(listed, _)| listed).collect();
        let claims: Vec<_> = claims.into_iter().flatten().collect();
        let settled = queue.settle(&claims).await;
        let outcome = match &settled {
            Ok(count) if *count == claims.len() => REMOVED,
            Ok(_) => REMOVED_IN_PART,
            Err(_) => UNKNOWN,
        };
        let handled = claimed.into_iter().map(|listed| {
            let event_id = listed.entry.as_ref().and_then(|entry| entry.event_id.as_deref());
            Handled::new(listed.id.clone(), event_id, outcome)
        });
        let noted = witness.handled(handled.collect()).await;
        *removed += settled? as u64;
        noted?;
    }
}
