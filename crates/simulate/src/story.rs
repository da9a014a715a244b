//! What happens in a run, step by step. A step is told in full only where somebody reads it.

use std::time::Duration;

use crate::dice::stream;

/// The steps of a run.
#[derive(Debug)]
pub struct Story {
    steps: u64,
    /// Two runs of one seed have the same.
    digest: u64,
    lines: Option<Vec<String>>,
}

impl Story {
    /// A story that is written down, or only counted.
    pub fn new(told: bool) -> Self {
        Self { steps: 0, digest: 0, lines: told.then(Vec::new) }
    }

    /// Notes a step: who, what it is called, and what more a reader may want to know.
    pub fn tell(&mut self, at: Duration, who: &str, what: &'static str, more: impl FnOnce() -> String) {
        self.steps += 1;
        for part in [at.as_millis() as u64, stream(who), stream(what)] {
            self.digest = (self.digest ^ part).wrapping_mul(0x0100_0000_01b3).rotate_left(17);
        }
        if let Some(lines) = &mut self.lines {
            lines.push(format!("{:>5} {:>9.3} s  {who:<9} {what:<15} {}", self.steps, at.as_secs_f64(), more()));
        }
    }

    /// How many steps there were.
    pub const fn steps(&self) -> u64 {
        self.steps
    }

    /// What two runs of one seed have in common.
    pub const fn digest(&self) -> u64 {
        self.digest
    }

    /// The story, where it was written down.
    pub fn lines(&mut self) -> Vec<String> {
        self.lines.take().unwrap_or_default()
    }
}
