//! What is known of lines of the ledger that may have been folded: how far, and what the missing ones add up to.

use std::collections::BTreeMap;

use pipeline::ledger::LedgerState;
use pipeline::rows::{Table, TableRow};

/// What the tables have folded, as the log and their own state tell it.
#[derive(Debug, Default)]
pub(super) struct Folding {
    /// How far the ledger was compacted when it was asked last.
    pub(super) state: LedgerState,
    /// Whether that has changed, or was about to, since the verification began: lines may have been looked at before and after they were folded.
    pub(super) is_moving: bool,
    /// What the lines that are missing add up to, of each article.
    pub(super) sums: BTreeMap<String, i128>,
}

impl Folding {
    /// As it is when a verification begins.
    pub(super) fn begin(state: LedgerState) -> Self {
        Self { is_moving: state.under_way.is_some(), state, sums: BTreeMap::new() }
    }

    /// How far it is compacted now.
    pub(super) fn note(&mut self, state: LedgerState) {
        self.is_moving |= state != self.state || state.under_way.is_some();
        self.state = state;
    }

    /// Whether a line that the log makes may be missing.
    pub(super) fn may_have(&self, table: Table, row: &TableRow) -> bool {
        table == Table::Adjustments && self.state.may_have_folded(row.event_at)
    }

    /// Adds a line that is missing.
    pub(super) fn add(&mut self, row: &TableRow) {
        let delta = row.fields.get("delta").and_then(|delta| delta.parse::<i128>().ok()).unwrap_or_default();
        *self.sums.entry(sku_of(row)).or_default() += delta;
    }
}

/// The article of a line.
pub(super) fn sku_of(row: &TableRow) -> String {
    row.fields.get("sku").map(std::borrow::Cow::into_owned).unwrap_or_default()
}
