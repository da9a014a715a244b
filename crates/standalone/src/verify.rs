//! `standalone verify`: proving that the tables are what the log says, on whatever is configured.

use std::path::Path;
use std::process::ExitCode;

use consumer::verify::VerifyArgs;
use consumer::wiring::{unfinished, verify_against};

use crate::existing::ExistingBackends;
use crate::wiring::Settings;

const NO_LOG: &str = "the log of the embedded broker ends with its program, and is verified by the demo: set KAFKA_BROKERS";
const OUT_OF_REACH: &str = "the tables and dead letters of a pipeline on embedded parts are in its --data-dir: name it here too. Or set \
     MSSQL_SERVER and REDIS_HOST";

/// Compares the tables with the log.
pub async fn run(settings: Settings, data_dir: Option<&Path>, arguments: VerifyArgs) -> ExitCode {
    let Settings { kafka, database, redis, consumer, .. } = settings;
    let Some(kafka) = kafka else {
        eprintln!("error: {NO_LOG}");
        return ExitCode::from(2);
    };
    match ExistingBackends::open(redis.as_ref(), database, data_dir) {
        Ok(ExistingBackends { dead_letters: Some(dead_letters), tables: Some(tables) }) => {
            verify_against(&tables, &dead_letters, (&kafka, &consumer), arguments).await
        }
        Ok(_) => {
            eprintln!("error: {OUT_OF_REACH}");
            ExitCode::from(2)
        }
        Err(why) => unfinished(&why),
    }
}
