//! Decoding one chunk of a poll while the chunk before it is written.

use std::panic::resume_unwind;
use std::vec::IntoIter;

use pipeline::record::Record;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::{JoinError, JoinHandle, spawn_blocking};

use super::chunk::{Chunk, DecodeRules};

/// The chunks of a poll. One is decoded ahead: that is much less work than writing it, so more would only take memory.
pub(super) struct DecodeAhead {
    next: Option<Next>,
    rest: IntoIter<Record>,
    /// Records in a chunk.
    size: usize,
    rules: DecodeRules,
    /// Whether there are other threads to decode on. Where the runtime has only one, nothing is gained, and what happens when would depend on
    /// the moment at which a thread is done.
    apart: bool,
}

enum Next {
    /// To be decoded when it is asked for: the first chunk, which nothing is written before, or any where there is one thread.
    Records(Vec<Record>),
    /// On another thread.
    Decoding(JoinHandle<Chunk>),
}

impl DecodeAhead {
    /// Divides what was taken into chunks of so many records.
    pub(super) fn new(taken: Vec<Record>, size: usize, rules: DecodeRules) -> Self {
        let apart = Handle::current().runtime_flavor() != RuntimeFlavor::CurrentThread;
        let mut ahead = Self { next: None, rest: taken.into_iter(), size, rules, apart };
        ahead.next = ahead.cut().map(Next::Records);
        ahead
    }

    /// The next chunk. The one after it is decoded from now on.
    pub(super) async fn next(&mut self) -> Option<Chunk> {
        let (next, rules) = (self.next.take()?, self.rules);
        self.next = self.cut().map(|records| if self.apart { decode_apart(records, rules) } else { Next::Records(records) });
        Some(match next {
            Next::Records(records) => Chunk::decode(records, rules),
            Next::Decoding(chunk) => decoded(chunk).await,
        })
    }

    /// Whether every chunk was given out.
    pub(super) const fn is_done(&self) -> bool {
        self.next.is_none()
    }

    fn cut(&mut self) -> Option<Vec<Record>> {
        let chunk: Vec<_> = self.rest.by_ref().take(self.size).collect();
        (!chunk.is_empty()).then_some(chunk)
    }
}

fn decode_apart(records: Vec<Record>, rules: DecodeRules) -> Next {
    Next::Decoding(spawn_blocking(move || Chunk::decode(records, rules)))
}

async fn decoded(chunk: JoinHandle<Chunk>) -> Chunk {
    match chunk.await.map_err(JoinError::try_into_panic) {
        Ok(chunk) => chunk,
        Err(Ok(panic)) => resume_unwind(panic),
        // Nobody aborts it: the runtime goes down, and this task with it.
        Err(Err(_)) => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use pipeline::Position;

    use super::*;

    const RULES: DecodeRules = DecodeRules { max_clock_skew: Duration::ZERO, max_rows: 100 };

    fn records(count: i64) -> Vec<Record> {
        let position = |offset| Position { topic: "events".into(), partition: 0, offset };
        let record = |offset| Record {
            position: position(offset),
            assignment: 1,
            timestamp_ms: None,
            timestamp_type: None,
            key: None,
            value: None,
            headers: Vec::new(),
        };
        (0..count).map(record).collect()
    }

    #[tokio::test]
    async fn every_record_is_in_one_part_in_the_order_of_the_take() {
        divides_in_order().await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn so_it_is_where_other_threads_decode() {
        divides_in_order().await;
    }

    async fn divides_in_order() {
        let mut ahead = DecodeAhead::new(records(7), 3, RULES);
        let mut chunks = Vec::new();
        while let Some(chunk) = ahead.next().await {
            assert_eq!(chunk.decoded().tombstones, chunk.records().len() as u64);
            chunks.push(chunk.records().iter().map(|record| record.position.offset).collect::<Vec<_>>());
        }
        assert_eq!(chunks, [vec![0, 1, 2], vec![3, 4, 5], vec![6]]);
    }

    #[tokio::test]
    async fn nothing_taken_has_no_part() {
        assert!(DecodeAhead::new(Vec::new(), 3, RULES).next().await.is_none());
    }
}
