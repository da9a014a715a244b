//! The ledger of stock: one line per adjustment that was applied, and one opening balance per article in the place of old lines.
//!
//! A line is needed as long as its event can come again: the line is what tells that it counts already. Folding old lines into opening balances
//! (a *compaction*) therefore first publishes up to which time it goes. From then on an adjustment of an event before that time counts only if the
//! ledger holds its line; otherwise it is a dead letter ([`Reason::LedgerCompacted`](crate::Reason::LedgerCompacted)), since nobody can tell
//! whether it counted before. Only then are lines folded. So no event counts twice, whatever comes again, and when.
//!
//! An opening balance is a line too: stock stays the sum of the ledger.

use events::Timestamp;
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// What stands in the place of an `adjustmentType` in an opening balance. No event has it.
pub const OPENING_BALANCE: &str = "opening_balance";

/// Lines that are looked at, and folded at most, in one transaction: SQL Server may lock the whole table for a statement that holds 5000 locks.
pub const LINES_PER_TRANSACTION: usize = 1000;

/// Which lines are folded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cutoff {
    /// Lines of events before this time, which is their own (`timestamp`),
    pub events_before: Timestamp,
    /// that were applied before this time, by the database's clock: an old event that came late can be delivered again like any other.
    pub applied_before: Timestamp,
}

/// A compaction that has begun and not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compaction {
    /// Its number.
    pub number: i64,
    /// Which lines it folds.
    pub cutoff: Cutoff,
    /// How many it has folded so far.
    pub lines: u64,
}

/// How far the ledger is compacted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LedgerState {
    /// An adjustment of an event before this time counts only if the ledger holds its line; `None` where the ledger was never compacted.
    pub events_before: Option<Timestamp>,
    /// The compaction that has not come to its end, the oldest of several.
    pub under_way: Option<Compaction>,
    /// How many lines were folded since ever.
    pub folded: u64,
}

impl LedgerState {
    /// Whether the line of an event of this time may have been folded.
    pub fn may_have_folded(&self, event_at: Timestamp) -> bool {
        self.events_before.is_some_and(|before| event_at < before)
    }
}

/// What a compaction would fold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Foldable {
    /// Lines.
    pub lines: u64,
    /// The articles that they are of.
    pub articles: u64,
}

/// What one transaction of a compaction has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompactionStep {
    /// Lines that were looked at.
    pub looked_at: u64,
    /// Those of them that were folded.
    pub folded: u64,
    /// Whether all were looked at by now.
    pub ended: bool,
}

/// What the folded lines of an article add up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpeningBalance {
    /// The article.
    pub sku: String,
    /// The sum.
    pub quantity: i64,
}

/// The key under which a store keeps the opening balance of an article, where it does not make one of its own: always the same, so that it is found
/// without an index.
pub fn opening_balance_id(sku: &str) -> Uuid {
    let digest = Sha256::new().chain_update(OPENING_BALANCE).chain_update([0]).chain_update(sku).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest[..16]);
    // Version 8: as the application likes (RFC 9562). Producers make random ones, of version 4, or by time.
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opening_balance_has_a_key_of_its_own_which_stays() {
        assert_eq!(opening_balance_id("A-1").to_string(), opening_balance_id("A-1").to_string());
        assert_ne!(opening_balance_id("A-1"), opening_balance_id("a-1"));
        assert_eq!(opening_balance_id("A-1").get_version_num(), 8);
    }

    #[test]
    fn only_lines_before_the_published_time_may_have_been_folded() {
        let at = Timestamp::UNIX_EPOCH;
        let state = LedgerState { events_before: Some(at), ..LedgerState::default() };
        assert!(state.may_have_folded(at.plus_micros(-1)));
        assert!(!state.may_have_folded(at));
        assert!(!LedgerState::default().may_have_folded(Timestamp::earliest()), "never compacted");
    }
}
