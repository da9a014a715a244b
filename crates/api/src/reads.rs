//! Asking the store: bounded in time and number, measured, and noted in the health.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use pipeline::fault::Dependency;
use readmodel::{AsOf, ReadFault, ReadStore};
use telemetry::{DataReport, Health, Metrics};
use tokio::sync::{Mutex, Semaphore};
use tokio::time::{Instant, timeout};

use crate::problem::Problem;

/// The part of the health that this crate keeps: whether the tables can be read.
pub const READ_STORE: &str = "read_store";

/// How long a request may wait for its turn, and how long for the store. The two together bound a request: nothing else in it waits.
const PATIENCE: Duration = Duration::from_secs(5);
/// Reads at a time; a store has far fewer connections, so that more would only wait there.
const READS_AT_A_TIME: usize = 64;
/// A look at the database that is younger than this answers for it: however often the health is asked for, it costs a statement a second.
const FRESH: Duration = Duration::from_secs(1);

/// What `/health` says of the database where it cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HealthTells {
    /// Who, where, why, and what to look at, as the log does.
    Everything,
    /// Which part, and what kind of fault it is: where whoever may read rows may ask for it, addresses and logins are for the log.
    Kind,
}

/// The store as the handlers see it.
#[derive(Debug)]
pub(crate) struct Reads<S> {
    pub(crate) store: S,
    pub(crate) metrics: Metrics,
    pub(crate) health: Health,
    tells: HealthTells,
    turns: Semaphore,
    /// When the database was looked at for the health, and whether it answered. Held during a look, so that those who come meanwhile share it.
    looked: Mutex<Option<Look>>,
}

/// A look at the database.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    at: Instant,
    /// Whether reading is possible.
    pub(crate) ok: bool,
    /// How old the tables are; `None` where nothing was written yet, or this login may not know.
    as_of: Option<AsOf>,
}

impl Look {
    /// How old the tables are, as it is shown.
    pub(crate) fn data(&self) -> Option<DataReport> {
        // The look may be as old as its bound.
        let data = |as_of: AsOf| DataReport {
            as_of: as_of.written_at.to_string(),
            age_seconds: (as_of.age() + self.at.elapsed()).as_millis() as f64 / 1000.0,
        };
        self.as_of.map(data)
    }
}

impl<S: ReadStore> Reads<S> {
    pub(crate) fn new(store: S, metrics: Metrics, health: Health, tells: HealthTells) -> Arc<Self> {
        Arc::new(Self { store, metrics, health, tells, turns: Semaphore::new(READS_AT_A_TIME), looked: Mutex::new(None) })
    }

    /// Awaits this call of the store, whose method is `operation`, when it is its turn. Dropped, it gives its turn back.
    pub(crate) async fn ask<T>(&self, operation: &'static str, read: impl Future<Output = Result<T, ReadFault>>) -> Result<T, Problem> {
        // The semaphore is never closed: only the time can run out.
        let Ok(Ok(_turn)) = timeout(PATIENCE, self.turns.acquire()).await else {
            return Err(Problem::Busy);
        };
        self.ask_now(operation, read).await
    }

    /// Whether reading is possible, and how old the tables are, by a look now or by one that is fresh.
    pub(crate) async fn look(&self) -> Look {
        let mut looked = self.looked.lock().await;
        // A read that has found something else since makes the look old.
        if let Some(look) = *looked
            && look.at.elapsed() < FRESH
            && look.ok == self.health.is_up(READ_STORE)
        {
            return look;
        }
        let ok = self.ask_now("ping", self.store.ping()).await.is_ok();
        // It says nothing of whether reading is possible: the login may lack the right to it until `roles.sql` was run again.
        let as_of = if ok { timeout(PATIENCE, self.store.as_of()).await.ok().and_then(Result::ok).flatten() } else { None };
        self.metrics.data_age(as_of.as_ref().map(AsOf::age));
        *looked.insert(Look { at: Instant::now(), ok, as_of })
    }

    /// The same as [`Reads::ask`], without waiting for a turn: whether reading is possible must not depend on how many readers there are.
    async fn ask_now<T>(&self, operation: &'static str, read: impl Future<Output = Result<T, ReadFault>>) -> Result<T, Problem> {
        let started = Instant::now();
        let answer = timeout(PATIENCE, read).await;
        self.metrics.db_operation(operation, started.elapsed());
        match answer {
            Ok(Ok(found)) => {
                if self.health.up(READ_STORE) {
                    tracing::info!("the database can be read");
                }
                Ok(found)
            }
            Ok(Err(fault)) => Err(self.failed(operation, &fault.to_string(), &kind(&fault))),
            Err(_) => {
                let why = format!("{} did not answer in time", Dependency::Database.name());
                Err(self.failed(operation, &why, &why))
            }
        }
    }

    /// Logs the change, not each request that suffers from it.
    fn failed(&self, operation: &'static str, why: &str, kind: &str) -> Problem {
        let told = match self.tells {
            HealthTells::Everything => why,
            HealthTells::Kind => kind,
        };
        if self.health.down(READ_STORE, told) {
            tracing::warn!(operation, "reads are answered with 503: {why}");
        }
        Problem::CannotRead
    }
}

/// What kind of fault it is, without a place.
fn kind(ReadFault { class, code, .. }: &ReadFault) -> String {
    let database = Dependency::Database.name();
    let what = match *class {
        "unavailable" => "cannot be reached or used just now",
        "operator" => "refuses, which somebody has to mend",
        _ => "answers what this program does not expect",
    };
    let number = code.map_or_else(String::new, |code| format!(" (error {code})"));
    format!("{database} {what}{number}; the log and `api check` say where and what to do")
}
