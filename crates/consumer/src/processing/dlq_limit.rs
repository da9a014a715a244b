//! Holding a flood of unwritable records until an operator says that they may go.

use pipeline::ports::{DeadLetterQueue as _, FloodPermits as _};

use super::Consumer;
use super::dead_letters::DeadLetters;
use crate::backends::Backends;
use crate::waiting::Stopped;

/// The longest pause between two looks for a permit is that of the third try: an operator who has decided should not wait.
const LONGEST: u32 = 3;

impl<P: Backends> Consumer<P> {
    /// Makes the dead letters of so many records durable: at once, unless too many of the newest records cannot be written. Then they go as far
    /// as an operator permits. Those that are in the queue already, after a replay or a crash, and those that an operator has sent again, are no part
    /// of a flood.
    pub(super) async fn send_to_dlq_within_limit(&mut self, records: usize, mut dead_letters: DeadLetters) -> Result<(), Stopped> {
        // What an operator has sent again says nothing about what producers send now.
        let redriven = dead_letters.split_redriven();
        let records = records.saturating_sub(redriven.len());
        self.send_to_dlq(redriven).await?;
        if self.flood.note(records, dead_letters.len()) {
            let known = self.waiting.until_done(|| self.dead_letters.known(dead_letters.all())).await?;
            let new = dead_letters.split_new(&known);
            if self.flood.discount(dead_letters.len()) {
                self.send_as_permitted(new).await?;
            } else {
                self.send_to_dlq(new).await?;
            }
            self.send_to_dlq(dead_letters).await?;
        } else {
            let known = self.send_to_dlq(dead_letters).await?;
            self.flood.discount(known);
        }
        Ok(())
    }

    /// Sends what is permitted, and holds with the rest until that is permitted too.
    async fn send_as_permitted(&mut self, mut dead_letters: DeadLetters) -> Result<(), Stopped> {
        let mut tries = 0;
        while !dead_letters.is_empty() {
            tries += 1;
            self.waiting.keep_alive().await;
            match self.dead_letters.spend(dead_letters.len() as u64).await {
                Ok(0) => self.waiting.hold_flood(dead_letters.held().to_string(), tries.min(LONGEST)).await?,
                Ok(permitted) => {
                    let permitted = dead_letters.split_first(permitted as usize);
                    self.flood.discount(permitted.len());
                    self.send_to_dlq(permitted).await?;
                    tries = 0;
                }
                Err(fault) => drop(self.waiting.wait_out(&fault, tries).await?),
            }
        }
        self.waiting.recovered();
        Ok(())
    }
}
