//! Sending a stream of records, thousands in flight.

use std::iter::Peekable;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use pipeline::{Publisher, pace};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::flight::{Landing, fly};
use super::progress::Progress;
use super::records::Record;
use super::summary::{End, Summary};

/// Records that may wait for their acknowledgement at once. Bounds memory, and keeps the client's queue from filling up.
const IN_FLIGHT: usize = 10_000;
/// How often the progress is shown.
const SHOW_EVERY: Duration = Duration::from_millis(100);

/// How to send.
pub struct RunOptions {
    /// Records per second; `None` is as fast as the broker takes them.
    pub rate: Option<f64>,
    /// How to show the progress.
    pub progress: Progress,
}

/// Sends the records in order and waits for every acknowledgement.
///
/// Ends early when `stop` grows by one, or when a record is not delivered for a reason that the next one would share: then nothing more
/// is sent, and what is in flight is waited for. When `stop` grows once more, that is given up too. Every wait is bounded by the
/// delivery timeout of the publisher. If the future is dropped, records in flight may or may not arrive.
pub async fn run<P: Publisher>(
    publisher: &P,
    topic: &str,
    records: impl Iterator<Item = Record>,
    options: RunOptions,
    mut stop: watch::Receiver<u32>,
) -> Summary {
    let RunOptions { rate, mut progress } = options;
    let start = Instant::now();
    let stops_before = *stop.borrow_and_update();
    let mut source = Source { records: Some(records.peekable()), start, rate, summary: Summary::new() };
    let mut flights = FuturesUnordered::new();
    let mut shown = interval(SHOW_EVERY);
    shown.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        while flights.len() < IN_FLIGHT
            && let Some(record) = source.next_due()
        {
            flights.push(fly(publisher, topic, record));
        }
        if source.records.is_none() && flights.is_empty() {
            break;
        }
        tokio::select! {
            Some(landing) = flights.next() => source.note(landing),
            () = sleep_until(source.due()), if source.records.is_some() && flights.len() < IN_FLIGHT => {}
            Ok(()) = stop.changed() => {
                // Two that come together are seen as one change.
                let stops = stop.borrow_and_update().saturating_sub(stops_before);
                if source.stop(stops) == End::GaveUp {
                    break;
                }
            }
            _ = shown.tick() => progress.show(&source.summary),
        }
    }
    progress.finish();
    source.summary.took = start.elapsed();
    source.summary
}

/// What is still to be sent, and what became of the rest.
struct Source<I: Iterator> {
    /// `None` once nothing more is to be sent.
    records: Option<Peekable<I>>,
    start: Instant,
    /// Records per second.
    rate: Option<f64>,
    summary: Summary,
}

impl<I: Iterator<Item = Record>> Source<I> {
    fn due(&self) -> Instant {
        self.start + pace::due(self.rate, self.summary.sent())
    }

    /// The next record, if it is due. The end is noticed at once, not when one more record would be due.
    fn next_due(&mut self) -> Option<Record> {
        let due = self.due();
        let records = self.records.as_mut()?;
        if records.peek().is_none() {
            self.records = None;
            return None;
        }
        if due > Instant::now() {
            return None;
        }
        records.next().inspect(|record| self.summary.note_sent(record))
    }

    fn note(&mut self, landing: Landing) {
        if self.summary.note_landing(landing) {
            self.records = None;
        }
    }

    /// Answers the first request to stop, or the second.
    fn stop(&mut self, requests: u32) -> End {
        let unsent = self.records.take().is_some();
        if requests > 1 || self.summary.end == End::Failed {
            self.summary.end = End::GaveUp;
        } else if unsent {
            self.summary.end = End::Stopped;
        }
        self.summary.end
    }
}
