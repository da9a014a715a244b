//! Connections of one kind, taken in turn, without blocking an async worker.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;

use crate::faults::Failure;

/// How long a caller waits for its turn. Each call is short, so this is over only when SQLite itself is stuck.
const TURN: Duration = Duration::from_secs(30);

/// Connections of one kind.
pub(crate) struct Connections {
    idle: Mutex<Vec<Connection>>,
    free: Semaphore,
}

impl Connections {
    pub(crate) fn new(connections: Vec<Connection>) -> Self {
        Self { free: Semaphore::new(connections.len()), idle: Mutex::new(connections) }
    }

    /// Waits for a connection and works with it, in this thread. Where the future is dropped while it waits, nothing was done.
    pub(crate) async fn run<T>(&self, work: impl FnOnce(&mut Connection) -> Result<T, Failure>) -> Result<T, Failure> {
        let turn = tokio::time::timeout(TURN, self.free.acquire()).await;
        // The semaphore is never closed, so only the bound can be over.
        let Ok(Ok(_permit)) = turn else { return Err(Failure::Busy) };
        let mut lease = Lease { connections: self, connection: self.idle().pop() };
        let connection = lease.connection.as_mut().ok_or(Failure::Busy)?;
        blocking(|| work(connection))
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells tokio that this thread blocks, so that it moves the thread's other tasks away. A runtime of one thread has nowhere to move them.
fn blocking<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|runtime| runtime.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        _ => work(),
    }
}

/// Puts the connection back, also when its user panics; before the permit goes, which was there first.
struct Lease<'l> {
    connections: &'l Connections,
    connection: Option<Connection>,
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        self.connections.idle().extend(self.connection.take());
    }
}
