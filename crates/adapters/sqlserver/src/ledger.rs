//! Folding old lines of the ledger into opening balances. `sql/begin_compaction.sql` and `sql/compact.sql` say why no event counts twice meanwhile.

use events::Timestamp;
use pipeline::Fault;
use pipeline::ledger::{Compaction, CompactionStep, Cutoff, Foldable, LedgerState, OpeningBalance};
use pipeline::ports::LedgerCompaction;

use crate::row::{Columns, only_row};
use crate::statement::{BEGIN_COMPACTION, COMPACT, FOLDABLE};
use crate::store::SqlServer;

impl LedgerCompaction for SqlServer {
    async fn foldable(&self, cutoff: Cutoff) -> Result<Foldable, Fault> {
        let sets = self.pool.ask(&FOLDABLE, &[&cutoff.events_before.to_sql(), &cutoff.applied_before.to_sql()]).await?.accept();
        let columns = only_row(&sets, &FOLDABLE)?;
        Ok(Foldable { lines: columns.natural::<i64, _>("lines")?, articles: columns.natural::<i64, _>("articles")? })
    }

    async fn begin_compaction(&self, cutoff: Cutoff) -> Result<Compaction, Fault> {
        let cutoff = [cutoff.events_before.to_sql(), cutoff.applied_before.to_sql()];
        let sets = self.pool.ask(&BEGIN_COMPACTION, &[&cutoff[0], &cutoff[1]]).await?.accept();
        compaction(only_row(&sets, &BEGIN_COMPACTION)?)
    }

    async fn compact(&self, compaction: i64, lines: usize) -> Result<CompactionStep, Fault> {
        let lines = i32::try_from(lines.max(2)).unwrap_or(i32::MAX);
        let sets = self.pool.ask(&COMPACT, &[&compaction, &lines]).await?.accept();
        let columns = only_row(&sets, &COMPACT)?;
        let number = |name| columns.natural::<i32, u64>(name);
        Ok(CompactionStep { looked_at: number("looked_at")?, folded: number("folded")?, ended: number("ended")? > 0 })
    }
}

/// How far the ledger is compacted.
pub(crate) fn state(columns: Columns<'_>) -> Result<LedgerState, Fault> {
    let under_way = columns.optional::<i64>("number")?.map(|_| compaction(columns)).transpose()?;
    Ok(LedgerState { events_before: events_before(columns)?, under_way, folded: columns.natural::<i64, _>("folded")? })
}

/// Before which time an adjustment's event counts only if the ledger holds its line.
pub(crate) fn events_before(columns: Columns<'_>) -> Result<Option<Timestamp>, Fault> {
    let before = columns.time("events_before")?;
    Ok(Some(before).filter(|before| *before > Timestamp::earliest()))
}

pub(crate) fn opening_balance(columns: Columns<'_>) -> Result<OpeningBalance, Fault> {
    Ok(OpeningBalance { sku: columns.text("sku")?, quantity: columns.get("quantity")? })
}

fn compaction(columns: Columns<'_>) -> Result<Compaction, Fault> {
    let cutoff = Cutoff { events_before: columns.time("their_events_before")?, applied_before: columns.time("applied_before")? };
    Ok(Compaction { number: columns.get("number")?, cutoff, lines: columns.natural::<i64, _>("lines")? })
}
