//! Lines of the ledger that were folded into opening balances (`ledger compact`): the log still makes them, the tables have their sum.
//!
//! A line that is missing, of an event before the time up to which the ledger is compacted, is no difference. Where the log reaches back to its
//! beginning, the lines that are missing of an article have to add up to its opening balance.

use std::collections::{BTreeMap, HashSet};

use pipeline::fault::Fault;
use pipeline::ports::{DeadLetterReader, TableRows};
use pipeline::rows::Table;
use uuid::Uuid;

use super::Unfinished;
use super::comparison::{Comparison, PAGE, Verified};
use super::dead_letters::events_of;
use super::difference::{Difference, Kind};
use super::fold::Fold;
use super::folding::sku_of;

/// An article whose opening balance is not what its missing lines add up to: what it is, and what it should be.
type Wrong = BTreeMap<String, (Option<i128>, Option<i128>)>;

impl<T: Verified, Q: DeadLetterReader, F: Fold> Comparison<'_, T, Q, F> {
    /// How far the ledger is compacted by now: the horizon moves before a line goes, so a line that was missed before this question is explained by its
    /// answer.
    pub(super) async fn look_at_folding(&mut self) -> Result<(), Fault> {
        self.folding.note(self.verification.tables.ledger_state().await?);
        Ok(())
    }

    /// Compares each opening balance with the lines that are missing, after all lines were compared. Where lines were folded meanwhile, that is left
    /// to the next verification.
    pub(super) async fn compare_openings(&mut self) -> Result<(), Unfinished> {
        if self.folding.state.events_before.is_none() || !self.report.is_whole {
            return Ok(());
        }
        self.step("opening balances", 0, 0)?;
        let mut wrong: Wrong = Wrong::new();
        let (mut compared, mut after) = (0, None::<String>);
        loop {
            let page = self.verification.tables.opening_balances(after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.sku.clone());
            compared += page.len() as u64;
            for balance in page {
                let (shown, expected) = (i128::from(balance.quantity), self.folding.sums.remove(&balance.sku));
                if Some(shown) != expected {
                    wrong.insert(balance.sku, (Some(shown), expected));
                }
            }
        }
        wrong.extend(std::mem::take(&mut self.folding.sums).into_iter().map(|(sku, expected)| (sku, (None, Some(expected)))));
        self.look_at_folding().await?;
        if self.folding.is_moving {
            return Ok(());
        }
        self.report.opening_balances = Some(compared);
        self.explain_openings(&mut wrong).await?;
        for (sku, (shown, expected)) in wrong {
            let value = |number: Option<i128>| number.map(|number| number.to_string());
            let values = if self.verification.settings.values {
                BTreeMap::from([("quantity".to_owned(), (value(shown), value(expected)))])
            } else {
                BTreeMap::new()
            };
            let found = Difference::of(Kind::Opening, "opening_balances", sku, None);
            self.report.add(Difference { columns: vec!["quantity".to_owned()], values, ..found });
        }
        Ok(())
    }

    /// Takes away articles with an event that became a dead letter: it came when the ledger was compacted beyond it, or two events had one id, and
    /// which of them counts was decided by the order of arrival.
    async fn explain_openings(&mut self, wrong: &mut Wrong) -> Result<(), Unfinished> {
        if wrong.is_empty() {
            return Ok(());
        }
        let shadow = self.verification.fold.rows();
        let dead = events_of(self.verification.dead_letters).await?;
        let rejected = events_of(shadow).await?;
        let articles = articles_of(shadow, dead.union(&rejected).copied().collect()).await?;
        let before = wrong.len();
        wrong.retain(|sku, _| !articles.contains(sku));
        self.report.dead_letters += (before - wrong.len()) as u64;
        Ok(())
    }
}

/// The articles that these events adjust, by the shadow.
async fn articles_of(shadow: &impl TableRows, events: Vec<Uuid>) -> Result<HashSet<String>, Fault> {
    let mut articles = HashSet::new();
    for events in events.chunks(PAGE) {
        articles.extend(shadow.rows(Table::Adjustments, events).await?.iter().map(sku_of));
    }
    Ok(articles)
}
