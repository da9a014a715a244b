//! Opens each part: the real one where it is configured, waiting until it is there, and the embedded one otherwise.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use kafka::{EmbeddedBroker, KafkaConfig};
use pipeline::fault::Dependency;
use pipeline::{Fault, FaultClass};
use redis_dlq::{RedisConfig, RedisDlq};
use sqlite::Sqlite;
use sqlserver::{MigrateError, SqlServer, SqlServerConfig};

use crate::backends::{DeadLetters, Store};
use crate::table::Row;

/// The embedded topic.
pub const EMBEDDED_TOPIC: &str = "events";
/// How long a delivery to it may take.
pub const EMBEDDED_DELIVERY: Duration = Duration::from_secs(30);
/// The file of the embedded tables and dead letters in a data directory.
pub const DATABASE_FILE: &str = "events.db";
/// The file there that a process with an embedded broker holds.
const LOCK_FILE: &str = "standalone.lock";
/// Partitions of the embedded topic. Its broker keeps at most 5 MiB of each.
const EMBEDDED_PARTITIONS: u16 = 8;
/// Partitions of a topic that has to be made on a real broker.
const REAL_PARTITIONS: u16 = 6;
/// How long one try to make the topic may take.
const TOPIC_WAIT: Duration = Duration::from_secs(5);
/// How long to wait between two tries to reach a part that is away at the start.
const PAUSE: Duration = Duration::from_secs(1);

/// Looks the topic up, or makes it; a broker of this process where none is configured.
///
/// # Errors
/// The topic is not there, or cannot be made or looked up.
pub async fn open_kafka(config: Option<KafkaConfig>, create_topic: bool, parts: &mut Vec<Row>) -> anyhow::Result<KafkaConfig> {
    if let Some(config) = config {
        let part = format!("Kafka at {} (KAFKA_BROKERS)", config.brokers);
        let opened = when_there(&part, is_away, async || match create_topic {
            true => kafka::ensure_topic(&config, REAL_PARTITIONS, 1, TOPIC_WAIT).await,
            false => kafka::topic_partitions(&config).await,
        });
        if let Err(fault) = opened.await {
            bail!(if kafka::is_missing_topic(&fault) { missing_topic(&config).await } else { refused_topic(&config, &fault) });
        }
        parts.push(Row::real("Kafka", format!("{}, topic {}, group {}", config.brokers, config.topic, config.group)));
        return Ok(config);
    }
    let broker = EmbeddedBroker::start(EMBEDDED_TOPIC, EMBEDDED_PARTITIONS)?;
    let config = KafkaConfig::embedded(&broker);
    parts.push(Row::embedded("Kafka", format!("{}, topic {}, in memory", config.brokers, config.topic)));
    Ok(config)
}

/// A mistyped name is not a wish for a new topic.
async fn missing_topic(config: &KafkaConfig) -> String {
    let KafkaConfig { topic, brokers, .. } = config;
    let similar = kafka::similar_topics(config).await.unwrap_or_default();
    let meant = if similar.is_empty() { String::new() } else { format!("; there is {}", similar.join(", ")) };
    format!(
        "KAFKA_TOPIC: {brokers} has no topic {topic}{meant}. To create {topic} with {REAL_PARTITIONS} partitions, start with --create-topic"
    )
}

fn refused_topic(KafkaConfig { topic, brokers, .. }: &KafkaConfig, fault: &Fault) -> String {
    format!("KAFKA_BROKERS: the topic {topic} cannot be made or looked up at {brokers}: {fault}")
}

/// Opens a part, however long it is away; says once that it waits.
async fn when_there<T, E>(part: &str, away: impl Fn(&E) -> bool, mut open: impl AsyncFnMut() -> Result<T, E>) -> Result<T, E> {
    let mut told = false;
    loop {
        match open().await {
            Err(error) if away(&error) => {
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!("waiting for {part}, which does not answer yet");
                }
                tokio::time::sleep(PAUSE).await;
            }
            opened => return opened,
        }
    }
}

const fn is_away(fault: &Fault) -> bool {
    matches!(fault.class, FaultClass::Unavailable { .. })
}

/// The file of the embedded tables. It is opened even where only the dead letter queue is embedded, or nothing.
///
/// # Errors
/// It cannot be made or opened.
pub fn open_sqlite(data_dir: Option<&Path>) -> anyhow::Result<Sqlite> {
    let Some(folder) = data_dir else {
        return Ok(Sqlite::temporary()?);
    };
    make(folder)?;
    Ok(Sqlite::open(&folder.join(DATABASE_FILE))?)
}

fn make(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("--data-dir: {} cannot be made", folder.display()))
}

/// Takes the folder for this process, until the file is dropped: two brokers in memory have two logs, and tables are filled from one.
///
/// # Errors
/// Another process has it.
pub fn lock(folder: &Path) -> anyhow::Result<File> {
    make(folder)?;
    let path = folder.join(LOCK_FILE);
    let file = File::create(&path).with_context(|| format!("--data-dir: {} cannot be written", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!(
            "--data-dir: another process runs with {} and an embedded broker of its own: stop it, name another folder, or set KAFKA_BROKERS for both",
            folder.display()
        ),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("--data-dir: {} cannot be locked", path.display())),
    }
}

/// Lets messages say in which file the embedded tables and dead letters are. What is on a server has been named before.
pub fn name_file(file: &Sqlite) {
    for part in [Dependency::Database, Dependency::DeadLetterQueue] {
        part.is(format!("in {}", file.path().display()));
    }
}

/// The tables, migrated.
///
/// # Errors
/// They cannot be brought up to date.
pub async fn open_store(config: Option<SqlServerConfig>, embedded: &Sqlite, parts: &mut Vec<Row>) -> anyhow::Result<Store> {
    let Some(config) = config else {
        parts.push(Row::embedded("database", format!("SQLite, {}", embedded.path().display())));
        return Ok(Store::Embedded(embedded.clone()));
    };
    let away = |error: &MigrateError| matches!(error, MigrateError::Fault(fault) if is_away(fault));
    let part = format!("SQL Server at {} (MSSQL_SERVER, MSSQL_PORT)", config.address());
    let migrated = when_there(&part, away, async || sqlserver::migrate(&config).await);
    migrated.await.context("MSSQL_SERVER: the schema cannot be brought up to date")?;
    parts.push(Row::real("database", format!("SQL Server, {}, database {}", config.address(), config.database)));
    Ok(Store::Real(SqlServer::new(config)))
}

/// The dead letter queue.
///
/// # Errors
/// Its settings are refused.
pub fn open_dead_letters(config: Option<&RedisConfig>, embedded: &Sqlite, parts: &mut Vec<Row>) -> anyhow::Result<DeadLetters> {
    let Some(config) = config else {
        parts.push(Row::embedded("dead letters", format!("SQLite, {}", embedded.path().display())));
        return Ok(DeadLetters::Embedded(embedded.clone()));
    };
    parts.push(Row::real("dead letters", format!("Redis, {}, list {}", config.address(), config.list)));
    Ok(DeadLetters::Real(RedisDlq::new(config)?))
}
