//! What would be folded or was, as text or JSON.

use std::fmt;
use std::time::Duration;

use pipeline::ledger::{Cutoff, Foldable, LINES_PER_TRANSACTION, LedgerState};
use serde_json::{Value, json};
use settings::span;

use super::bounds::{Kept, Obstacle};
use crate::plural::{counted, plural};

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
    /// Lines that it had before, without opening balances; `None` where counting them took too long.
    pub lines: Option<u64>,
    /// What there was to be folded; `None` where counting it took too long.
    pub foldable: Option<Foldable>,
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
            "foldable": self.foldable.map(|foldable| json!({ "lines": foldable.lines, "articles": foldable.articles })),
            "obstacles": self.obstacles.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "folded": self.folded,
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { state, lines, foldable, cutoff, .. } = self;
        match lines {
            Some(lines) => writeln!(f, "the ledger has {lines} line{}; {} folded before", plural(*lines), were(state.folded))?,
            None => writeln!(f, "the ledger has more lines than could be counted in time; {} folded before", were(state.folded))?,
        }
        if let Some(before) = state.events_before {
            writeln!(f, "stock adjustments of events before {before} count only where it holds their line")?;
        }
        let before = cutoff.events_before;
        match state.under_way {
            Some(under_way) => writeln!(
                f,
                "a compaction of events before {before} was broken off after {}: it is gone on with first, whatever --older-than says",
                counted(under_way.lines, "line", "lines")
            )?,
            None => writeln!(f, "{} ago is {before}", span::format(self.older_than))?,
        }
        match foldable {
            Some(Foldable { lines, articles }) => {
                let (of_lines, of_articles) = (plural(*lines), plural(*articles));
                writeln!(f, "{lines} line{of_lines} of events before it, applied before it, of {articles} article{of_articles}")?;
            }
            None => writeln!(f, "how many lines are older could not be counted in time (MSSQL_COMMAND_TIMEOUT)")?,
        }
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

fn were(count: u64) -> String {
    counted(count, "was", "were")
}

#[cfg(test)]
mod tests {
    use events::Timestamp;
    use pipeline::ledger::Compaction;

    use super::*;

    #[test]
    fn one_line_is_told_in_the_singular() {
        let told = |number: u64| {
            let cutoff = Cutoff { events_before: Timestamp::UNIX_EPOCH, applied_before: Timestamp::UNIX_EPOCH };
            let under_way = Some(Compaction { number: 1, cutoff, lines: number });
            let report = Report {
                kept: Kept { topic: "events".to_owned(), compacts: None, retention: None },
                older_than: Duration::ZERO,
                cutoff,
                state: LedgerState { events_before: None, under_way, folded: number },
                lines: Some(number),
                foldable: Some(Foldable { lines: number, articles: number }),
                obstacles: Vec::new(),
                folded: Some(number),
            };
            report.to_string()
        };
        for (number, words) in [
            (1, ["the ledger has 1 line; 1 was folded before", "broken off after 1 line: ", "of 1 article\n", "folded 1 line into"]),
            (2, ["the ledger has 2 lines; 2 were folded before", "broken off after 2 lines: ", "of 2 articles\n", "folded 2 lines into"]),
        ] {
            for words in words {
                assert!(told(number).contains(words), "{words}: {}", told(number));
            }
        }
    }
}
