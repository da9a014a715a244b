//! `standalone peek`: the records that wait, on whatever is configured.

use std::path::Path;
use std::process::ExitCode;

use consumer::peek::PeekArgs;
use consumer::wiring::{name_places, peek_and_show};

use crate::existing::ExistingBackends;
use crate::wiring::Settings;

const NO_LOG: &str = "KAFKA_BROKERS must say where the records are: the address that the running pipeline prints";
const OUT_OF_REACH: &str = "the tables of a pipeline on embedded parts are in its --data-dir: name it here too. Or set MSSQL_SERVER";

/// Looks at the records that the group has not consumed.
///
/// # Errors
/// A part cannot be opened, or Kafka is away.
pub async fn run(settings: Settings, data_dir: Option<&Path>, arguments: PeekArgs) -> anyhow::Result<ExitCode> {
    let Some(kafka) = settings.kafka_in_use().await else {
        eprintln!("error: {NO_LOG}");
        return Ok(ExitCode::from(2));
    };
    let Settings { database, redis, consumer, .. } = settings;
    name_places(Some(&kafka), None, None);
    match ExistingBackends::open(redis.as_ref(), database, data_dir)? {
        ExistingBackends { tables: Some(tables), .. } => peek_and_show(&tables, (&kafka, &consumer), arguments).await,
        ExistingBackends { tables: None, .. } => {
            eprintln!("error: {OUT_OF_REACH}");
            Ok(ExitCode::from(2))
        }
    }
}
