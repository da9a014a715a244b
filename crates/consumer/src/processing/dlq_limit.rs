//! Holding a flood of unwritable records until an operator says that they may go.

use pipeline::fault::{Cause, Dependency, Fault, FaultClass};
use pipeline::ports::FloodPermits;

use super::Consumer;
use crate::backends::Backends;
use crate::waiting::Stopped;

/// The longest pause between two looks for a permit is that of the third try: an operator who has decided should not wait.
const LONGEST: u32 = 3;

impl<P: Backends> Consumer<P> {
    /// Returns when the dead letters of this batch may become durable: at once, unless too many of the newest records cannot be written.
    pub(super) async fn enforce_dlq_limit(&mut self, records: usize, dead_letters: usize) -> Result<(), Stopped> {
        if !self.flood.note(records, dead_letters) {
            return Ok(());
        }
        let flood = Fault { dependency: Dependency::Kafka, class: FaultClass::Operator, code: None, subject: "unwritable records" };
        let mut tries = 0;
        loop {
            tries += 1;
            self.waiting.keep_alive().await;
            match self.dead_letters.spend(dead_letters as u64).await {
                Ok(true) => break self.waiting.recovered(),
                Ok(false) => self.waiting.hold(&flood, Cause::PoisonFlood, tries.min(LONGEST)).await?,
                Err(fault) => drop(self.waiting.wait_out(&fault, tries).await?),
            }
        }
        Ok(())
    }
}
