//! From a row back to its entry: what an index says is looked at in the queue itself before anything is shown of it.

use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pipeline::fault::Fault;
use pipeline::ports::{DeadLetterReader, End, ListState};

use super::Index;

/// Entries that are read at once to get at those that are meant, and the most that are passed over between two of them.
const PAGE: u64 = 1000;
const GAP: u64 = 100;

/// Where an entry stood when the list was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// 0 is the oldest.
    pub from_oldest: u64,
    /// The digest of its text.
    pub digest: u64,
}

/// What stands at some places now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// The entries that were there when the list was read.
    Same(Vec<String>),
    /// Something else: the list has changed since.
    Moved,
}

/// The entries at these places, the oldest first.
///
/// # Errors
/// The queue is away.
pub(crate) async fn entries(queue: &impl DeadLetterReader, index: &Index, places: &[Place]) -> Result<Found, Fault> {
    fetch(queue, &index.hasher, places).await
}

async fn fetch(queue: &impl DeadLetterReader, hasher: &RandomState, places: &[Place]) -> Result<Found, Fault> {
    let mut found = Vec::with_capacity(places.len());
    let mut rest = places;
    while let Some(first) = rest.first() {
        let (near, others) = rest.split_at(near(rest));
        let last = near.last().unwrap_or(first);
        let mut page = BTreeMap::new();
        let mut next = first.from_oldest;
        while next <= last.from_oldest {
            let some = queue.page(End::Oldest, next, last.from_oldest - next + 1).await?;
            if some.is_empty() {
                break;
            }
            page.extend((next..).zip(some));
            next = first.from_oldest + page.len() as u64;
        }
        for place in near {
            match page.remove(&place.from_oldest) {
                Some(text) if hasher.hash_one(text.as_str()) == place.digest => found.push(text),
                _ => return Ok(Found::Moved),
            }
        }
        rest = others;
    }
    Ok(Found::Same(found))
}

/// How many of these places, from the first on, are read at once.
fn near(places: &[Place]) -> usize {
    let Some(first) = places.first() else { return 0 };
    let is_near = |pair: &&[Place]| pair[1].from_oldest - pair[0].from_oldest <= GAP && pair[1].from_oldest - first.from_oldest < PAGE;
    1 + places.windows(2).take_while(is_near).count()
}

/// The part of a queue that an index says is meant, as if there were nothing else. Once an entry is not at its place any more, there is
/// nothing further, and [`Places::moved`] tells.
pub(crate) struct Places<'q, Q> {
    queue: &'q Q,
    index: Arc<Index>,
    places: Vec<Place>,
    moved: AtomicBool,
}

impl<'q, Q: DeadLetterReader> Places<'q, Q> {
    pub fn new(queue: &'q Q, index: Arc<Index>, places: Vec<Place>) -> Self {
        Self { queue, index, places, moved: AtomicBool::new(false) }
    }

    /// Whether the list has changed since it was read, so that this part of it cannot be told.
    pub fn moved(&self) -> bool {
        self.moved.load(Ordering::Relaxed)
    }
}

impl<Q: DeadLetterReader> DeadLetterReader for Places<'_, Q> {
    async fn list_state(&self) -> Result<ListState, Fault> {
        Ok(ListState { depth: self.places.len() as u64, moves: self.queue.list_state().await?.moves })
    }

    async fn depth(&self) -> Result<u64, Fault> {
        Ok(self.places.len() as u64)
    }

    async fn claimed(&self) -> Result<u64, Fault> {
        self.queue.claimed().await
    }

    async fn reasons(&self) -> Result<BTreeMap<String, u64>, Fault> {
        self.queue.reasons().await
    }

    async fn page(&self, end: End, start: u64, limit: u64) -> Result<Vec<String>, Fault> {
        let count = self.places.len() as u64;
        let (first, after) = (start.min(count), start.saturating_add(limit).min(count));
        let range = match end {
            End::Oldest => first..after,
            End::Newest => count - after..count - first,
        };
        let places = &self.places[range.start as usize..range.end as usize];
        let mut texts = match entries(self.queue, &self.index, places).await? {
            Found::Same(texts) => texts,
            Found::Moved => {
                self.moved.store(true, Ordering::Relaxed);
                Vec::new()
            }
        };
        if end == End::Newest {
            texts.reverse();
        }
        Ok(texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_close_together_is_read_at_once() {
        let near = |places: &[u64]| near(&places.iter().map(|place| Place { from_oldest: *place, digest: 0 }).collect::<Vec<_>>());
        assert_eq!(near(&[]), 0);
        assert_eq!(near(&[7]), 1);
        assert_eq!(near(&[7, 8, 108, 209]), 3, "too many would be passed over");
        assert_eq!(near(&(0..3000).collect::<Vec<_>>()), 1000, "no more than a page");
    }
}
