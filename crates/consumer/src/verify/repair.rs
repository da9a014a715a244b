//! Writing what the log says where the tables have something else.
//!
//! Every event goes the ordinary way: the statement that applies it decides as it always does, so nothing newer is overwritten, and consumers may
//! write meanwhile. A row that shows the right event with other values, or an event that is not in the log, first counts as older than any. What
//! ends half way is found and repaired by the next run.

use std::collections::HashSet;
use std::time::Duration;

use events::Event;
use pipeline::ports::{EventStore, ParkingLot, TableRepair, TableRows};
use pipeline::rows::Table;
use pipeline::{Batch, Item};

use super::compare::stable_stock;
use super::difference::Kind;
use super::fold::Fold;
use super::{Report, Unfinished};

/// Events that are applied in one transaction.
const BATCH: usize = 100;
/// The pause between looks at stock.
const PAUSE: Duration = Duration::from_millis(200);

/// Tables that can be repaired.
pub trait Repairable: TableRows + TableRepair + EventStore + ParkingLot {}

impl<T: TableRows + TableRepair + EventStore + ParkingLot> Repairable for T {}

impl Kind {
    /// Whether the log says what to write.
    pub const fn can_be_repaired(self) -> bool {
        match self {
            Self::Missing | Self::Older | Self::Changed | Self::Newer | Self::Stock | Self::Lost => true,
            // Whether a row that nobody explains is to be deleted, a person decides; what waits is released by a consumer.
            Self::Extra | Self::Waiting => false,
        }
    }
}

/// Writes what the log says, for every difference that the report tells and that can be repaired. `fold` is the log of that report. Whether it was
/// enough, the next verification says.
///
/// # Errors
/// A part fails. What was written until then stays, and is right.
pub async fn repair<T: Repairable, F: Fold>(tables: &T, fold: &F, report: &Report) -> Result<(), Unfinished> {
    let mut articles: HashSet<String> =
        report.differences.iter().filter(|found| found.kind == Kind::Stock).map(|found| found.key.clone()).collect();
    for table in Table::ALL {
        let differing: Vec<_> = report
            .differences
            .iter()
            .filter(|found| found.kind.can_be_repaired())
            .filter_map(|found| found.row.filter(|(of, _)| *of == table).map(|(_, key)| (key, found)))
            .collect();
        for chunk in differing.chunks(BATCH) {
            for (key, found) in chunk.iter().filter(|(_, found)| matches!(found.kind, Kind::Changed | Kind::Newer)) {
                if let Some(shown) = found.shown {
                    tables.outdate(table, *key, shown).await?;
                }
            }
            let mut keys: Vec<_> = chunk.iter().map(|(key, _)| *key).collect();
            // Writers lock rows in one order.
            keys.sort_unstable();
            let mut rows = fold.rows().rows(table, &keys).await?;
            rows.sort_unstable_by_key(|row| row.key);
            if table == Table::Adjustments {
                articles.extend(rows.iter().filter_map(|row| row.fields.get("sku")).map(str::to_owned));
            }
            let events: Vec<Event<'static>> = rows.iter().filter_map(|row| row.to_event(table)).collect();
            let items: Vec<_> = events.iter().map(|event| Item { event, releases: Vec::new() }).collect();
            tables.apply(Batch::new(&items)).await?;
        }
    }
    let lost: Vec<_> = report.differences.iter().filter(|found| found.kind == Kind::Lost).filter_map(|found| found.expected).collect();
    for events in lost.chunks(BATCH) {
        tables.park(&fold.rows().waiting(events).await?).await?;
    }
    if !articles.is_empty() {
        for wrong in stable_stock(tables, PAUSE).await?.into_iter().filter(|wrong| articles.contains(&wrong.sku)) {
            tables.correct_stock(&wrong).await?;
        }
    }
    Ok(())
}
