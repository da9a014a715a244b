//! What an operator should know about the database before events depend on it.

use pipeline::Fault;

use crate::row::{columns_of, only_row};
use crate::statement::{INSPECT, INSPECT_POWERS, INSPECT_READS, INSPECT_SETUP, Statement};
use crate::store::SqlServer;

/// `OPENJSON` needs at least this compatibility level: that of SQL Server 2016.
pub const LEAST_COMPATIBILITY_LEVEL: i32 = 130;

/// A database as it describes itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatabaseFacts {
    /// Tables of ours that are not there, or that this login may not even see.
    pub missing_tables: Vec<String>,
    /// What this login may not do and must be able to do, such as `UPDATE on dbo.users`; of tables that are there.
    pub missing_rights: Vec<String>,
    /// Whether readers see row versions instead of waiting for writers (`READ_COMMITTED_SNAPSHOT`).
    pub row_versions: bool,
    /// The compatibility level; see [`LEAST_COMPATIBILITY_LEVEL`].
    pub compatibility_level: i32,
    /// Whether the database takes no writes.
    pub read_only: bool,
    /// Whether the login may do anything on the server (`sysadmin`, as `sa` is).
    pub server_admin: bool,
    /// Whether it may do anything in the database (`db_owner`).
    pub database_owner: bool,
    /// What else it may do and never needs to do, such as `ALTER on schema dbo`.
    pub needless_rights: Vec<String>,
}

/// Connections of the pool at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    /// Open and not needed now.
    pub idle: usize,
    /// In use, or being opened.
    pub used: usize,
}

impl SqlServer {
    /// Asks for everything that can be known without writing.
    ///
    /// # Errors
    /// The database is away, or refuses the login.
    pub async fn inspect(&self) -> Result<DatabaseFacts, Fault> {
        self.inspect_by(&INSPECT, true).await
    }

    /// The same for the API, which only reads: tables and rights are those that it needs.
    ///
    /// # Errors
    /// The database is away, or refuses the login.
    pub async fn inspect_reads(&self) -> Result<DatabaseFacts, Fault> {
        self.inspect_by(&INSPECT_READS, false).await
    }

    async fn inspect_by(&self, statement: &Statement, writes: bool) -> Result<DatabaseFacts, Fault> {
        let rights = self.pool.ask(statement, &[]).await?.accept();
        let powers = self.pool.ask(&INSPECT_POWERS, &[]).await?.accept();
        let setup = self.pool.ask(&INSPECT_SETUP, &[]).await?.accept();
        let setup = only_row(&setup, &INSPECT_SETUP)?;
        let mut facts = DatabaseFacts {
            row_versions: setup.get::<i32>("row_versions")? == 1,
            compatibility_level: setup.get("compatibility_level")?,
            read_only: setup.text("updateability")? == "READ_ONLY",
            server_admin: setup.get::<i32>("server_admin")? == 1,
            database_owner: setup.get::<i32>("database_owner")? == 1,
            ..DatabaseFacts::default()
        };
        for columns in columns_of(&rights, statement)? {
            let table = columns.text("table_name")?;
            if columns.get::<i32>("table_exists")? == 0 {
                if facts.missing_tables.last() != Some(&table) {
                    facts.missing_tables.push(table);
                }
            } else if columns.get::<i32>("granted")? == 0 {
                facts.missing_rights.push(format!("{} on {table}", columns.text("permission_name")?));
            }
        }
        for columns in columns_of(&powers, &INSPECT_POWERS)? {
            if !writes || columns.get::<i32>("writer_too")? == 1 {
                facts.needless_rights.push(format!("{} on {}", columns.text("permission_name")?, columns.text("place")?));
            }
        }
        Ok(facts)
    }

    /// How the pool is used now. Asks nobody.
    pub fn connections(&self) -> Connections {
        let (idle, used) = self.pool.use_now();
        Connections { idle, used }
    }
}
