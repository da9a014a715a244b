//! What would be folded or was, as text or JSON.

use std::fmt;
use std::time::Duration;

use pipeline::ledger::{Cutoff, Foldable, LINES_PER_TRANSACTION, LedgerState};
use serde_json::{Value, json};
use settings::span;

use super::bounds::{Kept, Obstacle};
use crate::plural::plural;

/// What a compaction would do, or has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// How long the topic keeps records.
    pub kept: Kept,
    /// How old lines had to be.
    pub older_than: Duration,
    /// Which lines that means: of the compaction that was gone on with, where one was.
    pub cutoff: Cutoff,
    /// How far the ledger was compacted before.
    pub state: LedgerState,
    /// Lines that it had before, without opening balances.
    pub lines: u64,
    /// What there was to be folded.
    pub foldable: Foldable,
    /// Why it may not be folded.
    pub obstacles: Vec<Obstacle>,
    /// Lines that were folded; `None` where nothing was to be done, or may be.
    pub folded: Option<u64>,
}

impl Report {
    /// As JSON.
    pub fn to_json(&self) -> Value {
        json!({
            "topic": self.kept.topic,
            "olderThan": span::format(self.older_than),
            "eventsBefore": self.cutoff.events_before,
            "appliedBefore": self.cutoff.applied_before,
            "goesOn": self.state.under_way.is_some(),
            "compactedBefore": self.state.events_before,
            "foldedBefore": self.state.folded,
            "lines": self.lines,
            "foldable": { "lines": self.foldable.lines, "articles": self.foldable.articles },
            "obstacles": self.obstacles.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "folded": self.folded,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { state, lines, foldable, cutoff, .. } = self;
        writeln!(f, "the ledger has {lines} line{}; {} were folded before", plural(*lines), state.folded)?;
        if let Some(before) = state.events_before {
            writeln!(f, "stock adjustments of events before {before} count only where it holds their line")?;
        }
        let before = cutoff.events_before;
        match state.under_way {
            Some(under_way) => writeln!(
                f,
                "a compaction of events before {before} was broken off after {} lines: it is gone on with first, whatever --older-than says",
                under_way.lines
            )?,
            None => writeln!(f, "{} ago is {before}", span::format(self.older_than))?,
        }
        let Foldable { lines, articles } = foldable;
        writeln!(f, "{lines} line{} of events before it, applied before it, of {articles} article{}", plural(*lines), plural(*articles))?;
        for obstacle in &self.obstacles {
            writeln!(f, "needed: {obstacle}")?;
        }
        match self.folded {
            Some(folded) => write!(
                f,
                "folded {folded} line{} into opening balances; an adjustment of an event before {before} without a line becomes a dead letter \
                 (ledger_compacted) from now on",
                plural(folded)
            ),
            None if !self.obstacles.is_empty() => f.write_str("refused: nothing was folded"),
            None => write!(
                f,
                "nothing was folded: --execute folds them, up to {LINES_PER_TRANSACTION} in a transaction; an adjustment of an event before {before} \
                 without a line becomes a dead letter (ledger_compacted) from then on"
            ),
        }
    }
}
