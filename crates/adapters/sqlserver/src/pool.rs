//! A few connections, shared.
//!
//! A connection comes back to the pool in one way only: its answer was read to the end and [accepted](Answer::accept), or the server
//! refused in a way that leaves it usable. In every other case (an error on the line, a timeout, a future that is dropped half way) it is
//! closed, because dropping a [`Lease`] closes it: nobody has to remember to.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pipeline::Fault;
use pipeline::fault::FaultClass;
use tiberius::ToSql;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout};

use crate::config::SqlServerConfig;
use crate::connection::{Connection, ResultSets};
use crate::faults;
use crate::statement::Statement;

/// Unused for longer than this, a connection is not trusted: load balancers and firewalls forget idle ones without a word, some after 4 min.
const IDLE_LIMIT: Duration = Duration::from_secs(200);

/// Connections to one database.
pub(crate) struct Pool {
    config: SqlServerConfig,
    slots: Semaphore,
    /// The last one used is taken first.
    idle: Mutex<Vec<Idle>>,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

impl Pool {
    /// A pool that connects when it is first asked.
    pub(crate) fn new(config: SqlServerConfig) -> Self {
        Self { slots: Semaphore::new(config.pool_size), config, idle: Mutex::default() }
    }

    /// Asks the server. The connection is closed unless the answer is accepted.
    pub(crate) async fn ask(&self, statement: &Statement, parameters: &[&dyn ToSql]) -> Result<Answer<'_>, Fault> {
        let mut lease = self.lease().await?;
        match lease.connection.ask(statement, parameters, self.config.command_timeout).await {
            Ok(sets) => Ok(Answer { sets, lease }),
            Err(failure) => {
                if failure.usable {
                    lease.give_back();
                } else if matches!(failure.fault.class, FaultClass::Unavailable { .. }) || failure.fault.code == Some(faults::READ_ONLY) {
                    // What broke this one has most likely broken the others: a restart, a failover. Where the database has become read-only, they lead
                    // to a replica that was the primary one.
                    self.idle().clear();
                }
                Err(failure.fault)
            }
        }
    }

    async fn lease(&self) -> Result<Lease<'_>, Fault> {
        let slot = match timeout(self.config.connect_timeout, self.slots.acquire()).await {
            Ok(Ok(slot)) => slot,
            // Nobody closes the semaphore.
            Ok(Err(_)) | Err(_) => return Err(faults::unavailable("wait_for_connection")),
        };
        let connection = match self.take_idle() {
            Some(connection) => connection,
            None => Connection::open(&self.config, &self.config.database).await?,
        };
        Ok(Lease { pool: self, connection, _slot: slot })
    }

    /// How many connections are idle, and how many in use or being opened.
    pub(crate) fn use_now(&self) -> (usize, usize) {
        (self.idle().len(), self.config.pool_size - self.slots.available_permits())
    }

    fn take_idle(&self) -> Option<Connection> {
        let mut idle = self.idle();
        let last = idle.pop()?;
        if last.since.elapsed() > IDLE_LIMIT {
            // The others have waited even longer.
            idle.clear();
            return None;
        }
        Some(last.connection)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to use a connection. Dropping it closes the connection.
struct Lease<'p> {
    pool: &'p Pool,
    connection: Connection,
    _slot: SemaphorePermit<'p>,
}

impl Lease<'_> {
    fn give_back(self) {
        let idle = Idle { connection: self.connection, since: Instant::now() };
        self.pool.idle().push(idle);
    }
}

/// An answer that was read to its end.
pub(crate) struct Answer<'p> {
    sets: ResultSets,
    lease: Lease<'p>,
}

impl Answer<'_> {
    /// The rows of each result set.
    pub(crate) fn sets(&self) -> &ResultSets {
        &self.sets
    }

    /// Gives the connection back to the pool.
    pub(crate) fn accept(self) -> ResultSets {
        self.lease.give_back();
        self.sets
    }
}
