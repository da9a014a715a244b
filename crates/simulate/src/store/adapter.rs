//! The ports that the consumer uses, over the simulated database.

use std::sync::Arc;
use std::time::Duration;

use events::Timestamp;
use pipeline::audit::{AuditEntry, AuditRecord, AuditTail, chain};
use pipeline::ports::{AUDIT_LOOKED_THROUGH, AuditLog, AuditPage, DryRun, Leases, LogPositions, ParkingExpiry};
use pipeline::{Applied, Batch, EventStore, Fault, LogPosition, Parents, ParkedEvent, ParkedKey, ParkingLot};
use uuid::Uuid;

use super::apply::{Job, apply};
use super::locks::Lock;
use super::request::{Access, call};
use super::transaction::Transaction;
use super::{key, meeting, parking};
use crate::defect::Defect;
use crate::mishap::Kind;
use crate::world::World;

/// One consumer's connections.
#[derive(Clone)]
pub struct SimStore {
    pub(super) world: World,
    pub(super) name: String,
}

impl SimStore {
    /// For one consumer.
    pub fn new(world: &World, name: &str) -> Self {
        Self { world: world.clone(), name: name.to_owned() }
    }

    fn defect(&self) -> Option<Defect> {
        self.world.step(|state| state.defect)
    }

    async fn write<T: Send + 'static>(
        &self,
        what: &'static str,
        work: impl Future<Output = Result<T, Fault>> + Send + 'static,
    ) -> Result<T, Fault> {
        call(&self.world, &self.name, (what, Access::Write), work).await
    }

    async fn read<T: Send + 'static>(
        &self,
        what: &'static str,
        look: impl FnOnce(&crate::world::State) -> T + Send + 'static,
    ) -> Result<T, Fault> {
        let world = self.world.clone();
        call(&self.world, &self.name, (what, Access::Read), async move { Ok(world.step(|state| look(state))) }).await
    }
}

impl EventStore for SimStore {
    async fn apply(&self, batch: Batch<'_>) -> Result<Applied, Fault> {
        self.write("apply_batch", apply(self.world.clone(), self.name.clone(), Job::of(batch, self.defect()), true)).await
    }
}

impl DryRun for SimStore {
    async fn dry_run(&self, batch: Batch<'_>) -> Result<Applied, Fault> {
        self.write("apply_batch", apply(self.world.clone(), self.name.clone(), Job::of(batch, self.defect()), false)).await
    }
}

impl LogPositions for SimStore {
    async fn positions(&self, topic: &str) -> Result<Vec<LogPosition>, Fault> {
        let topic: Arc<str> = topic.into();
        self.read("positions", move |state| {
            let of_topic = state.tables.positions.iter().filter(|((_, name, _), _)| *name == topic);
            let position = |((log, topic, partition), next): (&super::key::PositionKey, &i64)| LogPosition {
                log: *log,
                topic: Arc::clone(topic),
                partition: *partition,
                next_offset: *next,
            };
            of_topic.map(position).collect()
        })
        .await
    }

    async fn advance(&self, positions: &[LogPosition]) -> Result<(), Fault> {
        let (world, name, positions) = (self.world.clone(), self.name.clone(), positions.to_vec());
        self.write("advance", async move {
            let mut transaction = Transaction::begin(&world, &name);
            for LogPosition { log, topic, partition, next_offset } in positions {
                let key = (log, topic, partition);
                transaction.lock(vec![Lock::Position(key.clone())]).await?;
                transaction.writes.positions.insert(key, next_offset);
            }
            transaction.commit()
        })
        .await
    }
}

impl ParkingLot for SimStore {
    async fn park(&self, events: &[ParkedEvent]) -> Result<bool, Fault> {
        self.write("park", parking::park(self.world.clone(), self.name.clone(), events.to_vec())).await
    }

    async fn releasable(&self, parents: &Parents, after: Option<&ParkedEvent>, limit: usize) -> Result<Vec<ParkedEvent>, Fault> {
        let (parents, after) = (parents.clone(), after.cloned());
        let found = self.read("releasable", move |state| parking::releasable(&state.tables, &parents, after.as_ref(), limit)).await?;
        if !found.is_empty() && self.world.strikes(&self.name, Kind::SlowRelease) {
            self.world.linger(&self.name).await;
        }
        meeting::meet(&self.world, &self.name, &found).await;
        Ok(found)
    }

    async fn discard(&self, events: &[ParkedKey<'_>]) -> Result<(), Fault> {
        let defect = self.defect();
        let keys = events.iter().map(|event| key::named(*event, defect)).collect();
        self.write("discard", parking::discard(self.world.clone(), self.name.clone(), keys)).await
    }
}

impl Leases for SimStore {
    async fn take_lease(&self, name: &str, holder: Uuid, duration: Duration) -> Result<bool, Fault> {
        Ok(self.world.step(|state| {
            let now = state.elapsed();
            let is_held = state.tables.leases.get(name).is_some_and(|(other, ends_at)| *other != holder && *ends_at > now);
            if !is_held {
                state.tables.leases.insert(name.to_owned(), (holder, now + duration));
            }
            !is_held
        }))
    }

    async fn release_lease(&self, name: &str, holder: Uuid) -> Result<(), Fault> {
        self.world.step(|state| state.tables.leases.retain(|known, (other, _)| known != name || *other != holder));
        Ok(())
    }
}

impl AuditLog for SimStore {
    async fn append_audit(&self, records: &[AuditRecord]) -> Result<AuditTail, Fault> {
        Ok(self.world.step(|state| {
            let log = &mut state.tables.audit;
            let end = |log: &[AuditEntry]| log.last().map_or(AuditTail::EMPTY, |last| AuditTail { number: last.number, hash: last.hash });
            let entries = chain(end(log), records);
            log.extend(entries);
            end(log)
        }))
    }

    async fn audit_page(&self, page: AuditPage, limit: usize) -> Result<Vec<AuditEntry>, Fault> {
        Ok(self.world.step(|state| {
            let log = state.tables.audit.iter().cloned();
            match page {
                AuditPage::After(number) => log.filter(|entry| entry.number > number).take(limit).collect(),
                AuditPage::Before(number) => log.rev().filter(|entry| entry.number < number).take(limit).collect(),
                AuditPage::About(subject) => {
                    let is_meant = |entry: &AuditEntry| {
                        entry.record.subject.strip_prefix(&subject).is_some_and(|rest| rest.is_empty() || rest.starts_with(','))
                    };
                    log.rev().take(AUDIT_LOOKED_THROUGH as usize).filter(is_meant).take(limit).collect()
                }
                AuditPage::Of { operation, after } => {
                    log.filter(|entry| entry.record.operation == operation && entry.number > after).take(limit).collect()
                }
            }
        }))
    }
}

impl ParkingExpiry for SimStore {
    async fn now(&self) -> Result<Timestamp, Fault> {
        self.read("now", crate::world::State::now).await
    }

    async fn claim_expired(&self, cutoff: Timestamp, limit: usize) -> Result<Vec<ParkedEvent>, Fault> {
        self.write("claim_expired", parking::claim_expired(self.world.clone(), self.name.clone(), cutoff, limit)).await
    }

    async fn parked(&self) -> Result<(u64, Option<Timestamp>), Fault> {
        self.read("parked", |state| parking::count(&state.tables)).await
    }
}
