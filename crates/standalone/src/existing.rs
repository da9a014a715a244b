//! What a pipeline has written, for a command that looks at it beside the pipeline.

use std::path::Path;

use anyhow::Context as _;
use consumer::wiring::name_places;
use redis_dlq::{RedisConfig, RedisDlq};
use sqlite::Sqlite;
use sqlserver::{SqlServer, SqlServerConfig};

use crate::backends::{DeadLetters, Store};
use crate::opening::{DATABASE_FILE, name_file};

/// The dead letters and the tables, as far as they can be reached: on a server where one is configured, otherwise in the file of the data
/// directory, which another process may have open.
pub struct ExistingBackends {
    /// The dead letters.
    pub dead_letters: Option<DeadLetters>,
    /// The tables.
    pub tables: Option<Store>,
}

impl ExistingBackends {
    /// Opens what is configured. Servers are connected to when they are first asked.
    ///
    /// # Errors
    /// A part cannot be opened.
    pub fn open(redis: Option<&RedisConfig>, database: Option<SqlServerConfig>, data_dir: Option<&Path>) -> anyhow::Result<Self> {
        name_places(None, database.as_ref(), redis);
        let file = data_dir.map(open_file).transpose()?;
        file.iter().for_each(name_file);
        let dead_letters = match redis {
            Some(config) => Some(DeadLetters::Real(RedisDlq::new(config)?)),
            None => file.clone().map(DeadLetters::Embedded),
        };
        let tables = match database {
            Some(config) => Some(Store::Real(SqlServer::new(config))),
            None => file.map(Store::Embedded),
        };
        Ok(Self { dead_letters, tables })
    }
}

/// The file of a pipeline that has run in this folder; a new one would hold nothing.
fn open_file(folder: &Path) -> anyhow::Result<Sqlite> {
    let path = folder.join(DATABASE_FILE);
    path.metadata()
        .with_context(|| format!("the database in {} cannot be read: nothing has run in this folder of --data-dir yet", path.display()))?;
    Ok(Sqlite::open(&path)?)
}
