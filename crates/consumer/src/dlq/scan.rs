//! Walking through the list while others push to it and take from it.

use pipeline::fault::Fault;
use pipeline::ports::{DeadLetterReader, End};

use super::listed::Listed;

/// The most entries of one page.
const PAGE: u64 = 500;
/// Pages are made so long that they hold about so many bytes.
const PAGE_BYTES: u64 = 4 << 20;

/// A walk from the oldest entry to the one that is the newest when it begins: what comes later, such as a redriven entry that failed again, is
/// not met. Holds one page at a time, whatever the length of the list.
pub struct Scan<'q, Q> {
    queue: &'q Q,
    place: Place,
}

/// How far a walk has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    left: u64,
    kept: u64,
    page: u64,
}

impl<'q, Q: DeadLetterReader> Scan<'q, Q> {
    /// Begins at the oldest entry.
    ///
    /// # Errors
    /// The queue is away.
    pub async fn start(queue: &'q Q) -> Result<Self, Fault> {
        let left = queue.depth().await?;
        Ok(Self { queue, place: Place { left, kept: 0, page: PAGE } })
    }

    /// Goes on from here.
    pub const fn at(queue: &'q Q, place: Place) -> Self {
        Self { queue, place }
    }

    /// How far it has come.
    pub const fn place(&self) -> Place {
        self.place
    }

    /// The next entries; none at the end. What of them stays in the list must be told with [`Scan::keep`] before the next call.
    ///
    /// # Errors
    /// The queue is away.
    pub async fn next(&mut self) -> Result<Vec<Listed>, Fault> {
        Ok(self.texts().await?.into_iter().map(Listed::new).collect())
    }

    /// The next entries as [`Scan::next`] gives them, unread.
    ///
    /// # Errors
    /// The queue is away.
    async fn texts(&mut self) -> Result<Vec<String>, Fault> {
        let limit = self.place.left.min(self.place.page);
        if limit == 0 {
            return Ok(Vec::new());
        }
        let texts = self.queue.page(End::Oldest, self.place.kept, limit).await?;
        let count = texts.len() as u64;
        self.place.left = if count == 0 { 0 } else { self.place.left - count };
        let bytes = texts.iter().map(|text| text.len() as u64).sum::<u64>().max(1);
        self.place.page = (PAGE_BYTES * count / bytes).clamp(1, PAGE);
        Ok(texts)
    }

    /// So many of the entries stay at the old end of the list: the next page begins behind them.
    pub const fn keep(&mut self, entries: u64) {
        self.place.kept += entries;
    }

    /// The next entries, all of which stay.
    ///
    /// # Errors
    /// The queue is away.
    pub async fn look(&mut self) -> Result<Vec<Listed>, Fault> {
        let page = self.next().await?;
        self.keep(page.len() as u64);
        Ok(page)
    }

    /// The next entries, all of which stay, unread: many times as fast where only few of them are looked for.
    ///
    /// # Errors
    /// The queue is away.
    pub async fn look_at_texts(&mut self) -> Result<Vec<String>, Fault> {
        let page = self.texts().await?;
        self.keep(page.len() as u64);
        Ok(page)
    }
}
