//! The contracts that the embedded database shares with SQL Server and Redis, and what is its own.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod audit;
mod changes;
mod compaction;
mod dry_run;
mod expiry;
mod faults;
mod file;
mod heartbeats;
mod runtime;
mod schema;
mod upgrade;

use sqlite::Sqlite;

/// A database of its own for each case.
async fn store() -> Option<Sqlite> {
    Some(Sqlite::temporary().expect("a temporary file can be made"))
}

mod contract {
    use super::store;

    testkit::store_contract!(store);
    testkit::operations_contract!(store);
    testkit::compaction_contract!(store);
    testkit::dlq_contract!(store);
}
