//! Each batch of the suite is dry-run before it is applied.

use std::time::Duration;

use events::Timestamp;
use pipeline::audit::{AuditEntry, AuditRecord, AuditTail};
use pipeline::ledger::{Compaction, CompactionStep, Cutoff, Foldable, LedgerState, OpeningBalance};
use pipeline::ports::{
    AuditLog, AuditPage, AwaitedParents, DryRun, EventTrace, Leases, LedgerCompaction, LogPositions, ParkingExpiry, TableRepair, TableRows,
};
use pipeline::rows::{Table, TableRow, WrongStock};
use pipeline::trace::{History, Subject};
use pipeline::{Applied, Awaited, Batch, Entity, EventStore, Fault, LogPosition, Parents, ParkedEvent, ParkedKey, ParkingLot, Trace};
use readmodel::{AsOf, InventoryView, OrderView, ReadFault, ReadStore, RecentUser, UserView};
use uuid::Uuid;

/// A store that is asked what it would do with a batch before it does it. A case that counts on some outcome fails where the dry run has
/// told another, and where it has left anything behind that changes the outcome.
#[derive(Debug)]
pub struct DryRunFirst<S>(pub S);

impl<S: EventStore + DryRun> EventStore for DryRunFirst<S> {
    async fn apply(&self, batch: Batch<'_>) -> Result<Applied, Fault> {
        let dry_run_first = self.0.dry_run(batch).await;
        let applied = self.0.apply(batch).await;
        assert_eq!(dry_run_first, applied, "a dry run tells what then happens");
        applied
    }
}

impl<S: DryRun> DryRun for DryRunFirst<S> {
    async fn dry_run(&self, batch: Batch<'_>) -> Result<Applied, Fault> {
        self.0.dry_run(batch).await
    }
}

impl<S: LogPositions> LogPositions for DryRunFirst<S> {
    async fn positions(&self, topic: &str) -> Result<Vec<LogPosition>, Fault> {
        self.0.positions(topic).await
    }

    async fn advance(&self, positions: &[LogPosition]) -> Result<(), Fault> {
        self.0.advance(positions).await
    }
}

impl<S: EventTrace> EventTrace for DryRunFirst<S> {
    async fn trace(&self, event_id: Uuid, entity: Option<Entity>) -> Result<Trace, Fault> {
        self.0.trace(event_id, entity).await
    }

    async fn history(&self, subject: &Subject) -> Result<History, Fault> {
        self.0.history(subject).await
    }
}

impl<S: TableRows> TableRows for DryRunFirst<S> {
    async fn count(&self, table: Table) -> Result<u64, Fault> {
        self.0.count(table).await
    }

    async fn rows_after(&self, table: Table, after: Option<Uuid>, limit: usize) -> Result<Vec<TableRow>, Fault> {
        self.0.rows_after(table, after, limit).await
    }

    async fn rows(&self, table: Table, keys: &[Uuid]) -> Result<Vec<TableRow>, Fault> {
        self.0.rows(table, keys).await
    }

    async fn wrong_stock(&self, limit: usize) -> Result<Vec<WrongStock>, Fault> {
        self.0.wrong_stock(limit).await
    }

    async fn ledger_state(&self) -> Result<LedgerState, Fault> {
        self.0.ledger_state().await
    }

    async fn opening_balances(&self, after: Option<&str>, limit: usize) -> Result<Vec<OpeningBalance>, Fault> {
        self.0.opening_balances(after, limit).await
    }

    async fn waiting_page(&self, after: Option<ParkedKey<'_>>, limit: usize) -> Result<Vec<ParkedEvent>, Fault> {
        self.0.waiting_page(after, limit).await
    }

    async fn waiting(&self, event_ids: &[Uuid]) -> Result<Vec<ParkedEvent>, Fault> {
        self.0.waiting(event_ids).await
    }
}

impl<S: LedgerCompaction> LedgerCompaction for DryRunFirst<S> {
    async fn foldable(&self, cutoff: Cutoff) -> Result<Foldable, Fault> {
        self.0.foldable(cutoff).await
    }

    async fn begin_compaction(&self, cutoff: Cutoff) -> Result<Compaction, Fault> {
        self.0.begin_compaction(cutoff).await
    }

    async fn compact(&self, number: i64, lines: usize) -> Result<CompactionStep, Fault> {
        self.0.compact(number, lines).await
    }
}

impl<S: TableRepair> TableRepair for DryRunFirst<S> {
    async fn outdate(&self, table: Table, key: Uuid, shown: Uuid) -> Result<bool, Fault> {
        self.0.outdate(table, key, shown).await
    }

    async fn delete(&self, table: Table, key: Uuid, shown: Uuid) -> Result<bool, Fault> {
        self.0.delete(table, key, shown).await
    }

    async fn correct_stock(&self, wrong: &WrongStock) -> Result<bool, Fault> {
        self.0.correct_stock(wrong).await
    }
}

impl<S: Leases> Leases for DryRunFirst<S> {
    async fn take_lease(&self, name: &str, holder: Uuid, duration: Duration) -> Result<bool, Fault> {
        self.0.take_lease(name, holder, duration).await
    }

    async fn release_lease(&self, name: &str, holder: Uuid) -> Result<(), Fault> {
        self.0.release_lease(name, holder).await
    }
}

impl<S: AuditLog> AuditLog for DryRunFirst<S> {
    async fn append_audit(&self, records: &[AuditRecord]) -> Result<AuditTail, Fault> {
        self.0.append_audit(records).await
    }

    async fn audit_page(&self, page: AuditPage, limit: usize) -> Result<Vec<AuditEntry>, Fault> {
        self.0.audit_page(page, limit).await
    }
}

impl<S: ParkingLot> ParkingLot for DryRunFirst<S> {
    async fn park(&self, events: &[ParkedEvent]) -> Result<bool, Fault> {
        self.0.park(events).await
    }

    async fn releasable(&self, parents: &Parents, after: Option<&ParkedEvent>, limit: usize) -> Result<Vec<ParkedEvent>, Fault> {
        self.0.releasable(parents, after, limit).await
    }

    async fn discard(&self, events: &[ParkedKey<'_>]) -> Result<(), Fault> {
        self.0.discard(events).await
    }
}

impl<S: AwaitedParents> AwaitedParents for DryRunFirst<S> {
    async fn awaited(&self, parents: usize, children: usize) -> Result<Awaited, Fault> {
        self.0.awaited(parents, children).await
    }
}

impl<S: ParkingExpiry> ParkingExpiry for DryRunFirst<S> {
    async fn now(&self) -> Result<Timestamp, Fault> {
        self.0.now().await
    }

    async fn claim_expired(&self, cutoff: Timestamp, limit: usize) -> Result<Vec<ParkedEvent>, Fault> {
        self.0.claim_expired(cutoff, limit).await
    }

    async fn parked(&self) -> Result<(u64, Option<Timestamp>), Fault> {
        self.0.parked().await
    }
}

impl<S: ReadStore> ReadStore for DryRunFirst<S> {
    async fn user(&self, user_id: Uuid) -> Result<Option<UserView>, ReadFault> {
        self.0.user(user_id).await
    }

    async fn recent_users(&self, limit: u16) -> Result<Vec<RecentUser>, ReadFault> {
        self.0.recent_users(limit).await
    }

    async fn order(&self, order_id: Uuid) -> Result<Option<OrderView>, ReadFault> {
        self.0.order(order_id).await
    }

    async fn inventory(&self, sku: &str) -> Result<Option<InventoryView>, ReadFault> {
        self.0.inventory(sku).await
    }

    async fn ping(&self) -> Result<(), ReadFault> {
        self.0.ping().await
    }

    async fn as_of(&self) -> Result<Option<AsOf>, ReadFault> {
        self.0.as_of().await
    }
}
