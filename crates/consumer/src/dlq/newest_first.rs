//! Reading the list newest first while others push to it.

use std::hash::{BuildHasher as _, RandomState};

use pipeline::fault::Fault;
use pipeline::ports::{DeadLetterReader, End};

/// Pages of the list, newest first. What is pushed meanwhile moves the others on by a place, so that a page begins with some of the one before: these are
/// left out. More than a page of pushes between two reads may show an entry twice, and never hides one.
pub struct NewestFirst<'q, Q> {
    queue: &'q Q,
    next: u64,
    /// The last page, as hashes of its entries.
    last: Vec<u64>,
    hasher: RandomState,
}

impl<'q, Q: DeadLetterReader> NewestFirst<'q, Q> {
    /// Begins at this place, counted from the newest.
    pub fn at(queue: &'q Q, start: u64) -> Self {
        Self { queue, next: start, last: Vec::new(), hasher: RandomState::new() }
    }

    /// The next entries, about so many, each with its place; none at the end of the list.
    ///
    /// # Errors
    /// The queue is away.
    pub async fn page(&mut self, count: u64) -> Result<Vec<(u64, String)>, Fault> {
        loop {
            let page = self.queue.page(End::Newest, self.next, count).await?;
            if page.is_empty() {
                return Ok(Vec::new());
            }
            let hashes: Vec<_> = page.iter().map(|entry| self.hasher.hash_one(entry)).collect();
            let repeated = overlap(&self.last, &hashes);
            let places = self.next..;
            self.next += page.len() as u64;
            self.last = hashes;
            if repeated < page.len() {
                return Ok(places.zip(page).skip(repeated).collect());
            }
        }
    }
}

/// How many of the first of `page` are the last of the page before.
fn overlap(before: &[u64], page: &[u64]) -> usize {
    (1..=page.len().min(before.len())).rev().find(|count| before.ends_with(&page[..*count])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use pipeline::ports::ListState;

    use super::*;

    /// A list to which somebody pushes so many entries after each look, up to twenty in all.
    struct Growing {
        entries: Mutex<Vec<u32>>,
        by: u32,
    }

    impl DeadLetterReader for Growing {
        async fn list_state(&self) -> Result<ListState, Fault> {
            Ok(ListState { depth: self.depth().await?, moves: 0 })
        }

        async fn depth(&self) -> Result<u64, Fault> {
            Ok(self.entries.lock().unwrap().len() as u64)
        }

        async fn claimed(&self) -> Result<u64, Fault> {
            Ok(0)
        }

        async fn reasons(&self) -> Result<BTreeMap<String, u64>, Fault> {
            Ok(BTreeMap::new())
        }

        async fn page(&self, _: End, start: u64, limit: u64) -> Result<Vec<String>, Fault> {
            let mut entries = self.entries.lock().unwrap();
            let page = entries.iter().rev().skip(start as usize).take(limit as usize).map(u32::to_string).collect();
            let next = entries.len() as u32;
            entries.extend(next..(next + self.by).min(20));
            Ok(page)
        }
    }

    #[tokio::test]
    async fn each_entry_is_shown_once_however_many_are_pushed_meanwhile() {
        for by in 0..=3 {
            let queue = Growing { entries: Mutex::new((0..10).collect()), by };
            let mut pages = NewestFirst::at(&queue, 0);
            let mut shown = Vec::new();
            loop {
                let page = pages.page(3).await.unwrap();
                if page.is_empty() {
                    break;
                }
                shown.extend(page.into_iter().map(|(_, entry)| entry.parse::<u32>().unwrap()));
            }
            assert_eq!(shown, (0..10).rev().collect::<Vec<_>>(), "{by} at a time");
        }
    }

    #[test]
    fn what_a_push_has_moved_on_is_left_out() {
        assert_eq!(overlap(&[], &[5, 4]), 0);
        assert_eq!(overlap(&[9, 8, 7], &[6, 5, 4]), 0, "nothing was pushed");
        assert_eq!(overlap(&[9, 8, 7], &[7, 6, 5]), 1);
        assert_eq!(overlap(&[9, 8, 7], &[8, 7, 6]), 2);
        assert_eq!(overlap(&[9, 8, 7], &[9, 8, 7]), 3, "as many as a page holds");
        assert_eq!(overlap(&[9, 8, 7], &[7]), 1, "the last of the list");
    }
}
