//! How much memory a long backlog takes.

use std::time::Duration;

use crate::place::Place;
use crate::running::Running;
use crate::stage::{Stage, consumer};
use crate::tap::Tap;

/// How often the process is looked at.
const INTERVAL: Duration = Duration::from_millis(20);
/// The rows of one event in so many are looked up.
const SAMPLE: usize = 500;

/// What a backlog took.
#[derive(Clone, Debug, PartialEq)]
pub struct Memory {
    /// Records.
    pub records: u64,
    /// Records per second, making them included.
    pub rate: f64,
    /// Resident bytes; `None` where the system does not tell.
    pub resident: Option<Resident>,
}

/// Resident bytes over a backlog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resident {
    /// Before the first record.
    pub before: u64,
    /// The most.
    pub max: u64,
    /// The most during the second quarter of the records.
    pub second_quarter: u64,
    /// At the end.
    pub end: u64,
}

impl Resident {
    /// How much more there is at the end than there was in the second quarter, as a share of the latter.
    pub fn growth(&self) -> f64 {
        self.end as f64 / self.second_quarter as f64 - 1.0
    }

    /// From looks at the process: records done and bytes, in the order of time. `None` without a look in the second quarter.
    fn over(records: u64, looks: &[(u64, u64)]) -> Option<Self> {
        let bytes = |looks: &[(u64, u64)]| looks.iter().map(|(_, bytes)| *bytes).max();
        let is_second_quarter = |(done, _): &&(u64, u64)| (records / 4..records / 2).contains(done);
        let second_quarter: Vec<_> = looks.iter().filter(is_second_quarter).copied().collect();
        Some(Self {
            before: looks.first()?.1,
            max: bytes(looks)?,
            // A backlog that is over before the second look has no quarters.
            second_quarter: bytes(&second_quarter).or_else(|| bytes(looks))?,
            end: looks.last()?.1,
        })
    }
}

impl<P: Place> Stage<'_, P> {
    /// Consumes a long backlog that is made while it is consumed, and looks at the process meanwhile.
    ///
    /// # Errors
    /// A part fails, or a row is wrong.
    pub async fn memory(&self) -> anyhow::Result<Memory> {
        let opened = self.place.open().await?;
        let records = self.scale.backlog;
        let (tap, log) = Tap::open(records, self.options.seed, SAMPLE);
        let mut looks: Vec<_> = resident().map(|bytes| (0, bytes)).into_iter().collect();
        let mut running = Running::in_memory(log, &opened.tables, &opened.dead_letters, consumer(self.batch()))?;
        let meter = running.meter.clone();
        let took = {
            let mut done = std::pin::pin!(running.until(records));
            loop {
                tokio::select! {
                    took = &mut done => break took?,
                    () = tokio::time::sleep(INTERVAL) => looks.extend(resident().map(|bytes| (meter.committed(), bytes))),
                }
            }
        };
        looks.extend(resident().map(|bytes| (records, bytes)));
        running.stop().await?;
        tap.check(&opened.tables).await?;
        Ok(Memory { records, rate: records as f64 / took.as_secs_f64(), resident: Resident::over(records, &looks) })
    }
}

/// Resident bytes of this process, by Linux.
pub(crate) fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_the_end_against_the_second_quarter() {
        let looks = [(0, 10), (20, 70), (30, 80), (49, 100), (60, 130), (90, 120), (100, 110)];
        let resident = Resident::over(100, &looks).unwrap();
        assert_eq!(resident, Resident { before: 10, max: 130, second_quarter: 100, end: 110 });
        assert!((resident.growth() - 0.1).abs() < 1e-9);
    }

    #[test]
    fn a_backlog_that_is_over_at_once_has_no_growth_to_tell() {
        assert_eq!(Resident::over(100, &[(0, 10), (100, 20)]).map(|resident| resident.growth()), Some(0.0));
        assert_eq!(Resident::over(100, &[]), None);
    }
}
