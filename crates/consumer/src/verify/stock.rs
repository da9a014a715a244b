//! The stock of each article against the sum of its ledger: within the tables, whatever the log says.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use pipeline::fault::Fault;
use pipeline::ports::TableRows;
use pipeline::rows::WrongStock;

use super::Unfinished;
use super::comparison::{Comparison, Verified};
use super::difference::{Difference, Kind};

/// Articles that are told one by one.
const STOCK: usize = 1000;
/// How often stock is added up again before it counts as wrong, and the pause between. Where readers do not see one moment of the database,
/// an article and its ledger may be read before and after one commit.
const STOCK_LOOKS: u32 = 3;
const STOCK_PAUSE: Duration = Duration::from_millis(200);

impl<T: Verified, Q, F> Comparison<'_, T, Q, F> {
    /// Tells each article whose stock is not the sum of its ledger.
    pub(super) async fn compare_stock(&mut self) -> Result<(), Unfinished> {
        self.step("inventory", 0, 0)?;
        let wrong = stable_stock(self.verification.tables, STOCK_PAUSE).await?;
        for WrongStock { sku, quantity, ledger } in wrong {
            let value = |number: Option<i128>| number.map(|number| number.to_string());
            let values = if self.verification.settings.values {
                BTreeMap::from([("quantity".to_owned(), (value(quantity), value(ledger)))])
            } else {
                BTreeMap::new()
            };
            let wrong = Difference::of(Kind::Stock, "inventory", sku, None);
            self.report.add(Difference { columns: vec!["quantity".to_owned()], values, ..wrong });
        }
        Ok(())
    }
}

/// Stock that is wrong, and by the same amount, each time that it is looked at.
pub(super) async fn stable_stock(tables: &impl TableRows, pause: Duration) -> Result<Vec<WrongStock>, Fault> {
    let amount = |stock: &WrongStock| (stock.sku.clone(), stock.quantity.unwrap_or_default() - stock.ledger.unwrap_or_default());
    let mut wrong = tables.wrong_stock(STOCK).await?;
    for _ in 1..STOCK_LOOKS {
        if wrong.is_empty() {
            break;
        }
        tokio::time::sleep(pause).await;
        let before: HashSet<_> = wrong.iter().map(amount).collect();
        wrong = tables.wrong_stock(STOCK).await?;
        wrong.retain(|stock| before.contains(&amount(stock)));
    }
    Ok(wrong)
}
