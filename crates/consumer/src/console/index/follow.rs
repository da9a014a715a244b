//! Reading the queue into an index, and following it from there.

use std::hash::RandomState;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use pipeline::fault::Fault;
use pipeline::ports::{DeadLetterReader, End, ListState};

use super::{Digests, Index, MOST};

/// Entries that are read at once, at most, and about how many bytes of them.
const PAGE: u64 = 1000;
const PAGE_BYTES: u64 = 4 << 20;
/// New entries up to which a list is followed; where more have come it is read anew, which costs little more.
const MOST_NEW: u64 = 20_000;
/// How often a list is read again that has changed meanwhile.
const TRIES: u32 = 3;

/// How far the list is read: so many entries of so many.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    done: AtomicU64,
    all: AtomicU64,
}

impl Progress {
    fn note(&self, done: u64, all: u64) {
        self.done.store(done, Ordering::Relaxed);
        self.all.store(all, Ordering::Relaxed);
    }

    /// So many of so many.
    pub fn told(&self) -> (u64, u64) {
        let all = self.all.load(Ordering::Relaxed);
        (self.done.load(Ordering::Relaxed).min(all), all)
    }
}

/// Reads the whole list. Only what `known` does not hold yet is looked into; all of it costs about a microsecond a dead letter, and the new ones ten.
///
/// A list that is changed again and again meanwhile, as a redrive does it, is shown as far as it could be read: an entry may be missing or be
/// there twice. The state of the index is then an older one than that of the list, so that it is read again.
///
/// # Errors
/// The queue is away.
pub(crate) async fn read(queue: &impl DeadLetterReader, known: Option<&Index>, progress: &Progress) -> Result<Index, Fault> {
    let mut tries = 1;
    loop {
        let state = queue.list_state().await?;
        let index = read_once(queue, known, state, progress).await?;
        if tries == TRIES || queue.list_state().await?.moves == state.moves {
            return Ok(index);
        }
        tries += 1;
    }
}

async fn read_once(queue: &impl DeadLetterReader, known: Option<&Index>, state: ListState, progress: &Progress) -> Result<Index, Fault> {
    let before = state.depth.saturating_sub(MOST as u64);
    let hasher = known.map_or_else(RandomState::new, |known| known.hasher.clone());
    let mut index = Index::new(before, state.moves, hasher);
    let mut digests = known.map(Digests::of);
    let mut size = PAGE;
    while index.state().depth < state.depth {
        let at = index.state().depth;
        progress.note(at, state.depth);
        let page = queue.page(End::Oldest, at, size.min(state.depth - at)).await?;
        if page.is_empty() {
            // Shorter than it was: the state tells that it has changed, and what is not there cannot be counted.
            break;
        }
        size = next_size(&page);
        for text in page {
            let known = digests.as_mut().and_then(|digests| Some((*digests.rows.get(&index.digest(&text))?, &mut digests.translation)));
            match known {
                Some((row, translation)) => index.take(row, translation),
                None => index.add(text),
            }
        }
        // The consumer works on the same threads.
        tokio::task::yield_now().await;
    }
    Ok(index)
}

/// How many entries the next page may hold so that it is not too large.
fn next_size(page: &[String]) -> u64 {
    let bytes = page.iter().map(|text| text.len() as u64).sum::<u64>().max(1);
    (PAGE_BYTES * page.len() as u64 / bytes).clamp(1, PAGE)
}

/// Adds what has come to the new end since. Returns whether that was all that has happened to the list; where it was not, it has to be read
/// anew. Both ends are looked at too, for the sake of what other programs may have done to the list.
///
/// # Errors
/// The queue is away; what was added stays.
pub(crate) async fn follow(queue: &impl DeadLetterReader, index: &mut Arc<Index>) -> Result<bool, Fault> {
    let state = queue.list_state().await?;
    let known = index.state();
    if state.moves != known.moves || state.depth < known.depth || state.depth - known.depth > MOST_NEW {
        return Ok(false);
    }
    if index.before == 0 && !is_at(queue, 0, index.rows.front().map(|row| row.digest), index).await? {
        return Ok(false);
    }
    if !is_at(queue, known.depth.saturating_sub(1), index.rows.back().map(|row| row.digest), index).await? {
        return Ok(false);
    }
    let mut size = PAGE;
    while index.state().depth < state.depth {
        let at = index.state().depth;
        let page = queue.page(End::Oldest, at, size.min(state.depth - at)).await?;
        // Places count from the old end, where nothing has changed if nothing has until now.
        if page.is_empty() || queue.list_state().await?.moves != known.moves {
            return Ok(false);
        }
        size = next_size(&page);
        let index = Arc::make_mut(index);
        page.into_iter().for_each(|text| index.add(text));
    }
    Ok(true)
}

/// Whether the entry with this digest stands at this place; where none is known, there is nothing to compare.
async fn is_at(queue: &impl DeadLetterReader, place: u64, digest: Option<u64>, index: &Index) -> Result<bool, Fault> {
    let Some(digest) = digest else { return Ok(true) };
    let there = queue.page(End::Oldest, place, 1).await?;
    Ok(there.first().is_some_and(|text| index.digest(text) == digest))
}
