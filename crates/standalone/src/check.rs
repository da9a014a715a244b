//! `standalone check`, and what is checked of one that runs: the settings, and every part that they name.

use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;

use api::ApiConfig;
use consumer::wiring::{Asked, Parts, check_parts};
use consumer::{ConsumerConfig, admin::AdminConfig, dlq::Terms, verify::ScheduleConfig};
use kafka::{Flavor, KafkaConfig};
use redis_dlq::RedisConfig;
use settings::Reader;
use sqlite::Sqlite;
use sqlserver::SqlServerConfig;

use crate::opening::{DATABASE_FILE, EMBEDDED_DELIVERY, EMBEDDED_TOPIC};
use crate::without_effect::without_effect;

/// What is found of the embedded broker.
const EMBEDDED_BROKER: &str = "a broker inside the program, without KAFKA_BROKERS";

/// 0 where nothing failed, 1 where something did, 2 for wrong settings.
pub fn run(data_dir: Option<&Path>, json: bool) -> ExitCode {
    check_parts(json, |env| parts(env, data_dir), without_effect)
}

fn parts(env: &mut Reader, data_dir: Option<&Path>) -> Parts {
    let file = data_dir.map_or_else(|| Ok("a temporary SQLite file, which goes with the program".to_owned()), file);
    let kafka =
        if env.is_set("KAFKA_BROKERS") { Asked::read(env, KafkaConfig::read) } else { Asked::Embedded(Ok(EMBEDDED_BROKER.to_owned())) };
    let database = if SqlServerConfig::is_set(env) { Asked::read(env, SqlServerConfig::read) } else { Asked::Embedded(file.clone()) };
    let redis = if RedisConfig::is_set(env) { Asked::read(env, RedisConfig::read) } else { Asked::Embedded(file) };
    let consumer = ConsumerConfig::read(env);
    // They are not needed here, and are to be right.
    let _rest =
        (Terms::read(env, &consumer, EMBEDDED_TOPIC.to_owned(), EMBEDDED_DELIVERY), AdminConfig::read(env), ScheduleConfig::read(env));
    Parts { kafka, database, redis, process: ApiConfig::read(env).address }
}

/// What runs in this process, which answers at `process`; `file` holds what is embedded.
pub fn parts_in_use(
    kafka: &KafkaConfig,
    database: Option<SqlServerConfig>,
    redis: Option<RedisConfig>,
    file: &Sqlite,
    process: SocketAddr,
) -> Parts {
    let kafka = match kafka.flavor {
        Flavor::Real => Asked::At(kafka.clone()),
        Flavor::Embedded(_) => Asked::Embedded(Ok(EMBEDDED_BROKER.to_owned())),
    };
    let file = Ok(format!("SQLite, {}", file.path().display()));
    let database = database.map_or_else(|| Asked::Embedded(file.clone()), Asked::At);
    let redis = redis.map_or_else(|| Asked::Embedded(file), Asked::At);
    Parts { kafka, database, redis, process }
}

/// What the file in this folder is; opening it changes nothing but the version of its tables.
fn file(folder: &Path) -> Result<String, String> {
    let path = folder.join(DATABASE_FILE);
    match path.try_exists() {
        Ok(true) => match Sqlite::open(&path) {
            Ok(_) => Ok(format!("SQLite, {}", path.display())),
            Err(fault) => Err(format!("{}: {fault}", path.display())),
        },
        Ok(false) => Ok(format!("SQLite, {}: not there yet, it is made when the program runs", path.display())),
        Err(error) => Err(format!("{} cannot be looked at: {}", path.display(), error.kind())),
    }
}
