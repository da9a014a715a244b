//! 5 Generate Sample Events.

use rand::RngExt;

use super::Left;
use super::prompt::{Prompt, field};
use crate::defaults;
use crate::generate::GeneratorConfig;

/// The most that the menu generates at once; `generate` has no such limit.
const MOST: u64 = 1_000_000;

/// Asks how many, and from which seed. The events end at this instant.
pub(super) fn configure(prompt: &mut impl Prompt) -> Result<GeneratorConfig, Left> {
    let events = field(prompt, "How many events", &100, |text| {
        let number = text.parse().ok().filter(|events| (1..=MOST).contains(events));
        number.ok_or_else(|| format!("must be a whole number from 1 to {MOST}"))
    })?;
    let seed = field(prompt, "Seed", &rand::rng().random_range(0..1_000_000_u64), |text| {
        text.parse().map_err(|_| "must be a whole number that is not below zero".to_owned())
    })?;
    let config = GeneratorConfig::new(events, seed);
    Ok(GeneratorConfig { start: config.start_before(defaults::now()), ..config })
}
