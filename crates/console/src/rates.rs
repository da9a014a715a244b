//! How fast things move: two looks at the flow, some seconds apart.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::port::{Flow, Outcomes, Partition};

/// Looks are compared over so long.
const WINDOW: Duration = Duration::from_secs(30);
/// Looks closer together than this tell nothing.
const STEP: Duration = Duration::from_secs(1);

/// The last looks at the flow.
#[derive(Default)]
pub(crate) struct Samples(Mutex<VecDeque<Sample>>);

struct Sample {
    at: Instant,
    partitions: Vec<Partition>,
    outcomes: Outcomes,
}

/// How fast things moved between an earlier look and this one, per second.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rates {
    pub applied: f64,
    pub dead_letters: f64,
    pub parked: f64,
    /// By partition.
    pub partitions: Vec<PartitionRate>,
}

/// How fast one partition grows and is read, per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PartitionRate {
    pub number: i32,
    pub produced: f64,
    pub consumed: f64,
}

impl Samples {
    /// Compares this look with the oldest one of the last half minute; `None` where there is none to compare with.
    pub fn compare(&self, flow: &Flow, now: Instant) -> Option<Rates> {
        let mut samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while samples.front().is_some_and(|sample| now.saturating_duration_since(sample.at) > WINDOW) {
            samples.pop_front();
        }
        let partitions = flow.partitions.as_deref().unwrap_or_default();
        let rates = samples.front().and_then(|before| before.until(now, partitions, flow.here.outcomes));
        if samples.back().is_none_or(|last| now.saturating_duration_since(last.at) >= STEP) {
            samples.push_back(Sample { at: now, partitions: partitions.to_vec(), outcomes: flow.here.outcomes });
        }
        rates
    }
}

impl Sample {
    fn until(&self, now: Instant, partitions: &[Partition], outcomes: Outcomes) -> Option<Rates> {
        let elapsed = now.saturating_duration_since(self.at);
        if elapsed < STEP {
            return None;
        }
        let per_second = |from: u64, to: u64| to.saturating_sub(from) as f64 / elapsed.as_secs_f64();
        let moved = |from: i64, to: i64| to.saturating_sub(from).max(0) as f64 / elapsed.as_secs_f64();
        let partitions = partitions.iter().filter_map(|is| {
            let was = self.partitions.iter().find(|was| was.number == is.number)?;
            Some(PartitionRate { number: is.number, produced: moved(was.end, is.end), consumed: moved(was.next, is.next) })
        });
        Some(Rates {
            applied: per_second(self.outcomes.applied, outcomes.applied),
            dead_letters: per_second(self.outcomes.dead_letters, outcomes.dead_letters),
            parked: per_second(self.outcomes.parked, outcomes.parked),
            partitions: partitions.collect(),
        })
    }
}

/// How long a lag lasts at these rates: `None` where it does not shrink.
pub(crate) fn until_caught_up(lag: u64, rate: PartitionRate) -> Option<Duration> {
    let shrinks = rate.consumed - rate.produced;
    (shrinks > 0.0).then(|| Duration::try_from_secs_f64(lag as f64 / shrinks).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::port::Here;

    fn flow(end: i64, next: i64, applied: u64) -> Flow {
        let partition = Partition { number: 3, end, next, lag: end.abs_diff(next), ours: true };
        Flow {
            at: String::new(),
            topic: String::new(),
            group: String::new(),
            here: Here { outcomes: Outcomes { applied, ..Outcomes::default() }, ..Here::default() },
            partitions: Ok(vec![partition]),
            consumers: Ok(Vec::new()),
            parked: Ok((0, None)),
            dead_letters: Ok(0),
            claimed: 0,
            verification: None,
        }
    }

    #[test]
    fn rates_need_two_looks_that_are_apart() {
        let (samples, start) = (Samples::default(), Instant::now());
        assert_eq!(samples.compare(&flow(100, 0, 0), start), None);
        assert_eq!(samples.compare(&flow(100, 0, 0), start + Duration::from_millis(500)), None);
        let rates = samples.compare(&flow(120, 100, 80), start + Duration::from_secs(2)).unwrap();
        assert_eq!((rates.applied, rates.partitions[0].produced, rates.partitions[0].consumed), (40.0, 10.0, 50.0));
        assert_eq!(until_caught_up(80, rates.partitions[0]), Some(Duration::from_secs(2)));
        assert_eq!(samples.compare(&flow(120, 100, 80), start + Duration::from_secs(60)), None, "too long ago");
    }

    #[test]
    fn a_lag_that_does_not_shrink_has_no_end() {
        assert_eq!(until_caught_up(80, PartitionRate { number: 0, produced: 5.0, consumed: 5.0 }), None);
        assert_eq!(until_caught_up(u64::MAX, PartitionRate { number: 0, produced: 0.0, consumed: f64::MIN_POSITIVE }), None);
    }
}
