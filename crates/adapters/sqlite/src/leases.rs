//! `Leases`: who of several processes that have the file open does what one is to do.

use std::time::Duration;

use pipeline::ports::Leases;
use pipeline::{Dependency, Fault};
use rusqlite::params;
use uuid::Uuid;

use crate::database::{Sqlite, now};
use crate::values::{Id, Micros};

const PART: Dependency = Dependency::Database;

impl Leases for Sqlite {
    async fn take_lease(&self, name: &str, holder: Uuid, duration: Duration) -> Result<bool, Fault> {
        let now = now();
        let ends_at = now.plus_micros(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX));
        let taken = self.write(PART, "take_lease", |transaction| {
            let sql = "INSERT INTO leases (name, holder, ends_at) VALUES (?1, ?2, ?3) \
                       ON CONFLICT DO UPDATE SET holder = ?2, ends_at = ?3 WHERE holder = ?2 OR ends_at <= ?4";
            Ok(transaction.prepare_cached(sql)?.execute(params![name, Id(&holder), Micros(ends_at), Micros(now)])?)
        });
        taken.await.map(|rows| rows > 0)
    }

    async fn release_lease(&self, name: &str, holder: Uuid) -> Result<(), Fault> {
        let released = self.write(PART, "release_lease", |transaction| {
            Ok(transaction.prepare_cached("DELETE FROM leases WHERE name = ?1 AND holder = ?2")?.execute(params![name, Id(&holder)])?)
        });
        released.await.map(drop)
    }
}
