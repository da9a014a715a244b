//! Holding a flood of unwritable records until an operator says that they may go.

use pipeline::fault::{Cause, Dependency, Fault, FaultClass};
use pipeline::ports::FloodPermits;

use super::Consumer;
use crate::parts::Parts;
use crate::waiting::Stopped;

/// The longest pause between two looks for a permit is that of the third try: an operator who has decided should not wait.
const LONGEST: u32 = 3;

impl<P: Parts> Consumer<P> {
    /// Returns when the letters of this batch may become durable: at once, unless too many of the newest records cannot be written.
    pub(super) async fn withstand_flood(&mut self, records: usize, letters: usize) -> Result<(), Stopped> {
        if !self.flood.note(records, letters) {
            return Ok(());
        }
        let flood = Fault { dependency: Dependency::Kafka, class: FaultClass::Operator, code: None, subject: "unwritable records" };
        let mut tries = 0;
        loop {
            tries += 1;
            self.waiting.keep_alive().await;
            match self.letters.spend(letters as u64).await {
                Ok(true) => break self.waiting.recovered(),
                Ok(false) => self.waiting.hold(&flood, Cause::PoisonFlood, tries.min(LONGEST)).await?,
                Err(fault) => drop(self.waiting.endure(&fault, tries).await?),
            }
        }
        Ok(())
    }
}
