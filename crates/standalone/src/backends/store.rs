//! The database: SQL Server where it is configured, SQLite otherwise.

use std::time::Duration;

use events::Timestamp;
use pipeline::audit::{AuditEntry, AuditRecord, AuditTail};
use pipeline::heartbeat::{Heartbeat, SeenConsumer};
use pipeline::ledger::{Compaction, CompactionStep, Cutoff, Foldable, LedgerState, OpeningBalance};
use pipeline::ports::{
    AuditLog, AuditPage, AwaitedParents, DryRun, EventTrace, Heartbeats, Leases, LedgerCompaction, LogPositions, ParkingExpiry,
    RedriveJobs, TableRepair, TableRows,
};
use pipeline::redrive_job::{JobChange, JobCounts, JobLetter, JobPlan, RedriveJob};
use pipeline::rows::{Table, TableRow, WrongStock};
use pipeline::trace::{History, Subject};
use pipeline::{Applied, Awaited, Batch, Entity, EventStore, Fault, LogPosition, Parents, ParkedEvent, ParkedKey, ParkingLot, Trace};
use readmodel::{AsOf, InventoryView, OrderView, ReadFault, ReadStore, RecentUser, UserView};
use sqlite::Sqlite;
use sqlserver::SqlServer;
use uuid::Uuid;

use super::either;

/// One of the two.
#[derive(Clone)]
pub enum Store {
    /// `MSSQL_SERVER` is set.
    Real(SqlServer),
    /// It is not.
    Embedded(Sqlite),
}

impl EventStore for Store {
    async fn apply(&self, batch: Batch<'_>) -> Result<Applied, Fault> {
        either!(self, store => store.apply(batch))
    }
}

impl LogPositions for Store {
    async fn positions(&self, topic: &str) -> Result<Vec<LogPosition>, Fault> {
        either!(self, store => store.positions(topic))
    }

    async fn advance(&self, positions: &[LogPosition]) -> Result<(), Fault> {
        either!(self, store => store.advance(positions))
    }
}

impl DryRun for Store {
    async fn dry_run(&self, batch: Batch<'_>) -> Result<Applied, Fault> {
        either!(self, store => store.dry_run(batch))
    }
}

impl EventTrace for Store {
    async fn trace(&self, event_id: Uuid, entity: Option<Entity>) -> Result<Trace, Fault> {
        either!(self, store => store.trace(event_id, entity))
    }

    async fn history(&self, subject: &Subject) -> Result<History, Fault> {
        either!(self, store => store.history(subject))
    }
}

impl AwaitedParents for Store {
    async fn awaited(&self, parents: usize, children: usize) -> Result<Awaited, Fault> {
        either!(self, store => store.awaited(parents, children))
    }
}

impl TableRows for Store {
    async fn count(&self, table: Table) -> Result<u64, Fault> {
        either!(self, store => store.count(table))
    }

    async fn rows_after(&self, table: Table, after: Option<Uuid>, limit: usize) -> Result<Vec<TableRow>, Fault> {
        either!(self, store => store.rows_after(table, after, limit))
    }

    async fn rows(&self, table: Table, keys: &[Uuid]) -> Result<Vec<TableRow>, Fault> {
        either!(self, store => store.rows(table, keys))
    }

    async fn wrong_stock(&self, limit: usize) -> Result<Vec<WrongStock>, Fault> {
        either!(self, store => store.wrong_stock(limit))
    }

    async fn ledger_state(&self) -> Result<LedgerState, Fault> {
        either!(self, store => store.ledger_state())
    }

    async fn opening_balances(&self, after: Option<&str>, limit: usize) -> Result<Vec<OpeningBalance>, Fault> {
        either!(self, store => store.opening_balances(after, limit))
    }

    async fn waiting_page(&self, after: Option<ParkedKey<'_>>, limit: usize) -> Result<Vec<ParkedEvent>, Fault> {
        either!(self, store => store.waiting_page(after, limit))
    }

    async fn waiting(&self, event_ids: &[Uuid]) -> Result<Vec<ParkedEvent>, Fault> {
        either!(self, store => store.waiting(event_ids))
    }
}

impl LedgerCompaction for Store {
    async fn foldable(&self, cutoff: Cutoff) -> Result<Foldable, Fault> {
        either!(self, store => store.foldable(cutoff))
    }

    async fn begin_compaction(&self, cutoff: Cutoff) -> Result<Compaction, Fault> {
        either!(self, store => store.begin_compaction(cutoff))
    }

    async fn compact(&self, number: i64, lines: usize) -> Result<CompactionStep, Fault> {
        either!(self, store => store.compact(number, lines))
    }
}

impl TableRepair for Store {
    async fn outdate(&self, table: Table, key: Uuid, shown: Uuid) -> Result<bool, Fault> {
        either!(self, store => store.outdate(table, key, shown))
    }

    async fn delete(&self, table: Table, key: Uuid, shown: Uuid) -> Result<bool, Fault> {
        either!(self, store => store.delete(table, key, shown))
    }

    async fn correct_stock(&self, wrong: &WrongStock) -> Result<bool, Fault> {
        either!(self, store => store.correct_stock(wrong))
    }
}

impl Leases for Store {
    async fn take_lease(&self, name: &str, holder: Uuid, duration: Duration) -> Result<bool, Fault> {
        either!(self, store => store.take_lease(name, holder, duration))
    }

    async fn release_lease(&self, name: &str, holder: Uuid) -> Result<(), Fault> {
        either!(self, store => store.release_lease(name, holder))
    }
}

impl Heartbeats for Store {
    async fn beat(&self, heartbeat: &Heartbeat) -> Result<(), Fault> {
        either!(self, store => store.beat(heartbeat))
    }

    async fn consumers(&self, within: Duration) -> Result<Vec<SeenConsumer>, Fault> {
        either!(self, store => store.consumers(within))
    }

    async fn end_heartbeat(&self, instance: Uuid) -> Result<(), Fault> {
        either!(self, store => store.end_heartbeat(instance))
    }
}

impl AuditLog for Store {
    async fn append_audit(&self, records: &[AuditRecord]) -> Result<AuditTail, Fault> {
        either!(self, store => store.append_audit(records))
    }

    async fn audit_page(&self, page: AuditPage, limit: usize) -> Result<Vec<AuditEntry>, Fault> {
        either!(self, store => store.audit_page(page, limit))
    }
}

impl RedriveJobs for Store {
    async fn plan_job(&self, plan: &JobPlan) -> Result<i64, Fault> {
        either!(self, store => store.plan_job(plan))
    }

    async fn note_letters(&self, job: i64, letters: &[JobLetter], counts: &JobCounts) -> Result<(), Fault> {
        either!(self, store => store.note_letters(job, letters, counts))
    }

    async fn change_job(&self, job: i64, change: &JobChange) -> Result<bool, Fault> {
        either!(self, store => store.change_job(job, change))
    }

    async fn jobs_before(&self, number: i64, limit: usize) -> Result<Vec<RedriveJob>, Fault> {
        either!(self, store => store.jobs_before(number, limit))
    }

    async fn running_jobs(&self) -> Result<Vec<i64>, Fault> {
        either!(self, store => store.running_jobs())
    }

    async fn job_letters(&self, job: i64, after: &str, limit: usize) -> Result<Vec<JobLetter>, Fault> {
        either!(self, store => store.job_letters(job, after, limit))
    }
}

impl ParkingLot for Store {
    async fn park(&self, events: &[ParkedEvent]) -> Result<bool, Fault> {
        either!(self, store => store.park(events))
    }

    async fn releasable(&self, parents: &Parents, after: Option<&ParkedEvent>, limit: usize) -> Result<Vec<ParkedEvent>, Fault> {
        either!(self, store => store.releasable(parents, after, limit))
    }

    async fn discard(&self, events: &[ParkedKey<'_>]) -> Result<(), Fault> {
        either!(self, store => store.discard(events))
    }
}

impl ParkingExpiry for Store {
    async fn now(&self) -> Result<Timestamp, Fault> {
        either!(self, store => store.now())
    }

    async fn claim_expired(&self, cutoff: Timestamp, limit: usize) -> Result<Vec<ParkedEvent>, Fault> {
        either!(self, store => store.claim_expired(cutoff, limit))
    }

    async fn parked(&self) -> Result<(u64, Option<Timestamp>), Fault> {
        either!(self, store => store.parked())
    }
}

impl ReadStore for Store {
    async fn user(&self, user_id: Uuid) -> Result<Option<UserView>, ReadFault> {
        either!(self, store => store.user(user_id))
    }

    async fn recent_users(&self, limit: u16) -> Result<Vec<RecentUser>, ReadFault> {
        either!(self, store => store.recent_users(limit))
    }

    async fn order(&self, order_id: Uuid) -> Result<Option<OrderView>, ReadFault> {
        either!(self, store => store.order(order_id))
    }

    async fn inventory(&self, sku: &str) -> Result<Option<InventoryView>, ReadFault> {
        either!(self, store => store.inventory(sku))
    }

    async fn ping(&self) -> Result<(), ReadFault> {
        either!(self, store => store.ping())
    }

    async fn as_of(&self) -> Result<Option<AsOf>, ReadFault> {
        either!(self, store => store.as_of())
    }
}
