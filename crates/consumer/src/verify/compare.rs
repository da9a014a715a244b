//! Going through the tables and the shadow, and what becomes of a row that differs.

use std::collections::HashSet;
use std::panic::resume_unwind;

use pipeline::fault::Fault;
use pipeline::ports::{DeadLetterReader, RowChanges as _, TableRows as _};
use pipeline::rows::{Table, TableRow};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use uuid::Uuid;

use super::Unfinished;
use super::comparison::{Comparison, PAGE, PAUSE, Verification, Verified, by_key, waiting_of};
use super::difference::{Difference, Kind};
use super::fold::Fold;
use super::folding::Folding;
use super::report::{Report, TableReport};

/// Rows that differ at first sight and are looked at again together: the memory that they may take.
const OPEN: usize = 10_000;
/// Rows that the log has changed, up to which they are looked for one by one: more of them are found faster by going through all.
const CHANGED: usize = 100_000;

/// Compares the tables with the log, and says every difference.
///
/// # Errors
/// See [`Unfinished`].
pub async fn verify<T: Verified, Q: DeadLetterReader, F: Fold>(verification: Verification<'_, T, Q, F>) -> Result<Report, Unfinished> {
    let folding = Folding::begin(verification.tables.ledger_state().await?);
    let mut comparison = Comparison::begin(verification, folding);
    comparison.run().await?;
    Ok(comparison.report)
}

impl<T: Verified, Q: DeadLetterReader, F: Fold> Comparison<'_, T, Q, F> {
    async fn run(&mut self) -> Result<(), Unfinished> {
        let positions = self.positions().await?;
        if positions.is_empty() {
            return Err(Unfinished::NoPositions);
        }
        self.report.is_whole = self.verification.fold.is_whole() && !self.knows_other_logs().await?;
        self.verification.fold.fold_to(&positions).await?;
        // Whatever the shadow writes from here on is for the next time, even where this run looks at it too.
        let mark = self.verification.fold.rows().note_changes().await?;
        let changed =
            if self.verification.settings.changed_only { self.verification.fold.rows().changed(mark, CHANGED).await? } else { None };
        self.report.changed_only = changed.is_some();
        let mut waiting = Vec::new();
        for table in Table::ALL {
            waiting.extend(match &changed {
                Some(changed) => self.compare_changed(table, changed).await?,
                None => self.compare(table).await?,
            });
        }
        self.compare_stock().await?;
        if changed.is_none() {
            self.compare_openings().await?;
        }
        self.compare_waiting().await?;
        self.wait_for(waiting).await?;
        self.compare_waiting_of_tables().await?;
        self.explain_by_dead_letters().await?;
        // The offsets of an earlier log are others' places now.
        if self.verification.settings.dead_letters && !self.knows_other_logs().await? {
            self.compare_dead_letters().await?;
        }
        if !self.report.is_whole {
            self.report.leave_unexplained();
        }
        self.account_for_records().await?;
        self.report.positions = self.positions().await?;
        self.verification.fold.rows().compared(mark, self.report.is_equal()).await?;
        Ok(())
    }

    /// Every record that was folded came to one thing.
    async fn account_for_records(&mut self) -> Result<(), Fault> {
        self.report.folded = self.verification.fold.folded().await?;
        let unbalanced: Vec<_> =
            self.report.folded.iter().filter(|(_, folded)| !folded.is_balanced()).map(|(partition, _)| *partition).collect();
        for partition in unbalanced {
            self.report.add(Difference::of(Kind::Unbalanced, "log", partition.to_string(), None));
        }
        Ok(())
    }

    /// Whether the tables hold rows of an earlier log of this topic, which nobody can read any more.
    async fn knows_other_logs(&self) -> Result<bool, Fault> {
        let Verification { tables, topic, log, .. } = &self.verification;
        Ok(tables.positions(topic).await?.iter().any(|known| known.log != *log))
    }

    /// Compares a table. Returns rows that are missing because their event still waits, to be looked at again.
    async fn compare(&mut self, table: Table) -> Result<Vec<(Table, Uuid)>, Unfinished> {
        let mut table_report = TableReport::default();
        let (mut open, mut waiting, mut matched) = (Vec::new(), Vec::new(), 0);
        let count = self.verification.tables.count(table).await?;
        let mut pages = Pages::begin(self.verification.tables, table);
        loop {
            self.step(table.name(), table_report.rows, count)?;
            let page = pages.next().await?;
            if page.is_empty() {
                break;
            }
            table_report.rows += page.len() as u64;
            let keys: Vec<_> = page.iter().map(|row| row.key).collect();
            let shadow = by_key(self.verification.fold.rows().rows(table, &keys).await?);
            matched += shadow.len() as u64;
            open.extend(page.iter().filter(|row| shadow.get(&row.key) != Some(row)).map(|row| row.key));
            if open.len() >= OPEN {
                waiting.extend(self.settle(table, &std::mem::take(&mut open)).await?);
            }
            self.keep_to_rate(page.len()).await;
        }
        // Rows that only the shadow has: where all of its rows were met, there are none.
        if matched < self.verification.fold.rows().count(table).await? {
            let mut after = None;
            loop {
                self.step(table.name(), table_report.rows, count)?;
                let page = self.verification.fold.rows().rows_after(table, after, PAGE).await?;
                let Some(last) = page.last() else { break };
                after = Some(last.key);
                let keys: Vec<_> = page.iter().map(|row| row.key).collect();
                let rows = by_key(self.verification.tables.rows(table, &keys).await?);
                if table == Table::Adjustments {
                    self.look_at_folding().await?;
                }
                for row in page.iter().filter(|row| !rows.contains_key(&row.key)) {
                    if self.folding.may_have(table, row) {
                        self.report.compacted += 1;
                        self.folding.add(row);
                    } else {
                        open.push(row.key);
                    }
                }
                if open.len() >= OPEN {
                    waiting.extend(self.settle(table, &std::mem::take(&mut open)).await?);
                }
                self.keep_to_rate(keys.len()).await;
            }
        }
        waiting.extend(self.settle(table, &open).await?);
        self.report.tables.insert(table, table_report);
        Ok(waiting.into_iter().map(|key| (table, key)).collect())
    }

    /// Compares those rows of a table that the log has changed. Returns rows as [`Self::compare`] does.
    async fn compare_changed(&mut self, table: Table, changed: &[(Table, Uuid)]) -> Result<Vec<(Table, Uuid)>, Unfinished> {
        let keys: Vec<_> = changed.iter().filter(|(of, _)| *of == table).map(|(_, key)| *key).collect();
        let (mut waiting, mut done) = (Vec::new(), 0);
        for page in keys.chunks(PAGE) {
            self.step(table.name(), done, keys.len() as u64)?;
            let rows = by_key(self.verification.tables.rows(table, page).await?);
            let shadow = by_key(self.verification.fold.rows().rows(table, page).await?);
            let open: Vec<_> = page.iter().filter(|key| rows.get(key) != shadow.get(key)).copied().collect();
            waiting.extend(self.settle(table, &open).await?);
            done += page.len() as u64;
            self.keep_to_rate(page.len()).await;
        }
        self.report.tables.insert(table, TableReport { rows: done });
        Ok(waiting.into_iter().map(|key| (table, key)).collect())
    }

    /// Looks at rows again that differ, so that what is still different is so for the same offsets. Returns those whose event still waits.
    async fn settle(&mut self, table: Table, keys: &[Uuid]) -> Result<Vec<Uuid>, Unfinished> {
        let mut waiting = Vec::new();
        for keys in keys.chunks(PAGE) {
            self.step(table.name(), 0, 0)?;
            // In this order: the rows show at least what these positions mean, and the shadow exactly that.
            let positions = self.positions().await?;
            let rows = by_key(self.verification.tables.rows(table, keys).await?);
            self.verification.fold.fold_to(&positions).await?;
            let shadow = by_key(self.verification.fold.rows().rows(table, keys).await?);
            let values = self.verification.settings.values;
            if table == Table::Adjustments {
                self.look_at_folding().await?;
            }
            let is_folded = |key: &&Uuid| {
                let row = shadow.get(*key).filter(|_| !rows.contains_key(*key));
                row.is_some_and(|row| self.folding.may_have(table, row))
            };
            if self.report.changed_only {
                // Otherwise they are counted where all rows of the shadow are gone through.
                self.report.compacted += keys.iter().filter(is_folded).count() as u64;
            }
            let left = keys.iter().filter(|key| !is_folded(key));
            let differing: Vec<_> =
                left.filter_map(|key| Some((*key, Difference::of_row(table, rows.get(key), shadow.get(key), values)?))).collect();
            waiting.extend(self.judge(differing).await?);
        }
        Ok(waiting)
    }

    /// Decides which differences the log decides.
    async fn judge(&mut self, differing: Vec<(Uuid, Difference)>) -> Result<Vec<Uuid>, Unfinished> {
        let ids =
            |event: fn(&Difference) -> Option<Uuid>| -> Vec<Uuid> { differing.iter().filter_map(|(_, found)| event(found)).collect() };
        let in_tables = waiting_of(self.verification.tables, &ids(|found| found.expected)).await?;
        let in_shadow = waiting_of(self.verification.fold.rows(), &ids(|found| found.shown)).await?;
        let rejected = self.rejected_by_the_shadow(ids(|found| found.shown)).await?;
        let unknown: HashSet<Uuid> = differing
            .iter()
            .filter(|(_, found)| found.kind.is_explained_by_horizon())
            .filter_map(|(_, found)| found.shown)
            .filter(|event| !in_shadow.contains_key(event) && !rejected.contains(event))
            .collect();
        let beyond = if unknown.is_empty() { unknown } else { self.verification.fold.beyond(unknown).await? };
        let mut waiting = Vec::new();
        for (key, found) in differing {
            let waits = found.expected.and_then(|event| in_tables.get(&event));
            let is_in_shadow = found.shown.is_some_and(|event| in_shadow.contains_key(&event));
            if found.kind.is_explained_by_horizon() && found.shown.is_some_and(|event| beyond.contains(&event)) {
                self.report.in_flight += 1;
            } else if is_in_shadow && !self.report.is_whole {
                // Its parent may have stood in what is gone.
                self.report.unexplained += 1;
            } else if is_in_shadow || waits.is_some_and(|waits| self.is_disputed(*waits)) {
                self.disputed.insert(key);
                self.report.disputed += 1;
            } else if found.kind.is_explained_by_horizon() && found.shown.is_some_and(|event| rejected.contains(&event)) {
                self.report.disputed += 1;
            } else if waits.is_some() {
                waiting.push(key);
            } else {
                self.report.add(found);
            }
        }
        Ok(waiting)
    }

    /// Rows whose event waits in the tables, although the log has what it waits for: consumers release them, soon.
    async fn wait_for(&mut self, mut waiting: Vec<(Table, Uuid)>) -> Result<(), Unfinished> {
        let deadline = Instant::now() + self.verification.settings.patience;
        loop {
            let is_last = Instant::now() >= deadline;
            let mut left = Vec::new();
            for table in Table::ALL {
                let keys: Vec<_> = waiting.iter().filter(|(of, _)| *of == table).map(|(_, key)| *key).collect();
                left.extend(self.settle(table, &keys).await?.into_iter().map(|key| (table, key)));
            }
            waiting = left;
            if waiting.is_empty() || is_last {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        for (table, key) in waiting {
            let expected = self.verification.fold.rows().rows(table, &[key]).await?;
            let event = expected.first().map(|row| row.event_id);
            self.report.add(Difference::of(Kind::Waiting, table.name(), key.to_string(), event));
        }
        Ok(())
    }
}

/// The rows of a table, page by page: the next one is read while one is compared.
struct Pages<'t, T> {
    tables: &'t T,
    table: Table,
    next: JoinHandle<Result<Vec<TableRow>, Fault>>,
}

impl<'t, T: Verified> Pages<'t, T> {
    fn begin(tables: &'t T, table: Table) -> Self {
        Self { tables, table, next: read(tables, table, None) }
    }

    /// None is left where it is empty.
    async fn next(&mut self) -> Result<Vec<TableRow>, Fault> {
        let page = (&mut self.next).await.unwrap_or_else(|panicked| resume_unwind(panicked.into_panic()))?;
        if let Some(last) = page.last() {
            self.next = read(self.tables, self.table, Some(last.key));
        }
        Ok(page)
    }
}

impl<T> Drop for Pages<'_, T> {
    fn drop(&mut self) {
        self.next.abort();
    }
}

fn read<T: Verified>(tables: &T, table: Table, after: Option<Uuid>) -> JoinHandle<Result<Vec<TableRow>, Fault>> {
    let tables = tables.clone();
    tokio::spawn(async move { tables.rows_after(table, after, PAGE).await })
}
