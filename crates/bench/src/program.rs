//! Everything in its order, on what is configured.

use std::time::SystemTime;

use events::Timestamp;
use kafka::KafkaConfig;
use redis_dlq::RedisConfig;
use settings::{Problems, Reader};
use sqlserver::SqlServerConfig;
use telemetry::LoggingConfig;

use crate::cli::{Options, Part};
use crate::place::{Embedded, Place, Servers};
use crate::report::{Head, report};
use crate::results::Results;
use crate::scenarios::Scenario;
use crate::stage::Stage;
use crate::workload::Workload;
use crate::{dead_letters, machine, pure};

/// Which parts are real. What is not configured is `None`, and embedded.
pub struct Settings {
    kafka: Option<KafkaConfig>,
    database: Option<SqlServerConfig>,
    redis: Option<RedisConfig>,
    /// How to log.
    pub logging: LoggingConfig,
}

impl Settings {
    /// Reads the settings: those of a part only where the variable that configures it is set.
    ///
    /// # Errors
    /// Every setting that is wrong.
    pub fn read(mut env: Reader) -> Result<Self, Problems> {
        let with_database = SqlServerConfig::is_set(&env);
        let settings = Self {
            kafka: env.is_set("KAFKA_BROKERS").then(|| KafkaConfig::read(&mut env)),
            database: with_database.then(|| SqlServerConfig::read(&mut env)),
            redis: (with_database || RedisConfig::is_set(&env)).then(|| RedisConfig::read(&mut env)),
            // A dead letter is one line in the log: they would drown the progress.
            logging: LoggingConfig::read_or(&mut env, "error"),
        };
        env.finish().map(|_| settings)
    }
}

/// What a run tells.
#[derive(Clone, Debug)]
pub struct Report {
    /// Markdown.
    pub text: String,
    /// The picture in it, where it has one; it stands beside it under the name [`CURVE`](crate::report::CURVE).
    pub curve: Option<String>,
}

/// Measures what was asked for, and returns the report.
///
/// # Errors
/// A part fails, or a row is wrong.
pub async fn run(options: &Options, settings: &Settings) -> anyhow::Result<Report> {
    let before = machine::load();
    let mut results = Results::default();
    let store = match (&settings.database, &settings.redis) {
        (Some(database), Some(redis)) => {
            let place = Servers { database: database.clone(), redis: redis.clone() };
            measure(&place, options, settings, &mut results).await?;
            place.describe()
        }
        _ => {
            let place = Embedded { folder: options.folder.clone(), durable: !options.no_sync };
            measure(&place, options, settings, &mut results).await?;
            if options.wants_part(Part::Peers) {
                results.peers = Stage::new(&place, settings.kafka.as_ref(), options).peers().await?;
            }
            place.describe()
        }
    };
    let text = report(&head(options, settings, store, &before), &results);
    Ok(Report { text, curve: results.table_sizes.map(|curve| curve.svg()) })
}

async fn measure<P: Place>(place: &P, options: &Options, settings: &Settings, results: &mut Results) -> anyhow::Result<()> {
    let stage = Stage::new(place, settings.kafka.as_ref(), options);
    // First, while the process is small: what others leave behind would hide a growth.
    if options.wants_part(Part::Memory) {
        results.memory = Some(stage.memory().await?);
    }
    if options.wants_part(Part::Verify) {
        results.verified = Some(stage.verified().await?);
    }
    if options.wants_part(Part::Pure) {
        results.costs = Some(pure::costs(options.batch, stage.scale.repeats));
    }
    if let Some(redis) = settings.redis.as_ref().filter(|_| options.wants_part(Part::Redis)) {
        results.redis = Some(dead_letters::push(redis, stage.scale.dead_letters, stage.scale.runs).await?);
    }
    results.rates = stage.compare().await?;
    if options.wants_part(Part::BatchSize) {
        results.batch_sizes = Some(stage.by_batch_size().await?);
    }
    if options.wants_part(Part::Partitions) {
        results.partitions = Some(stage.by_partitions().await?);
    }
    if options.wants_part(Part::TableSize) {
        results.table_sizes = Some(stage.by_table_size().await?);
    }
    if options.wants_part(Part::Latency) {
        let peak = match results.peak() {
            Some(peak) => peak,
            None => peak(&stage).await?,
        };
        results.latency = Some(stage.latency(peak).await?);
    }
    if options.wants_part(Part::Api) {
        results.load = Some(stage.api_load().await?);
    }
    if options.wants_part(Part::Console) {
        let opened = place.open().await?;
        results.screens.push(stage.console("the store's own", &opened.tables, &opened.dead_letters).await?);
        // Where only Redis is real, the tables stay embedded, and it holds the dead letters of a second look.
        if let Some(redis) = settings.redis.as_ref().filter(|_| settings.database.is_none()) {
            let opened = place.open().await?;
            results.screens.push(stage.console("Redis", &opened.tables, &dead_letters::queue(redis)?).await?);
        }
    }
    Ok(())
}

/// The rate end to end, where the comparison did not measure it.
async fn peak<P: Place>(stage: &Stage<'_, P>) -> anyhow::Result<f64> {
    let workload = Workload::new(Scenario::InsertOnly, stage.scale.events, stage.options.seed);
    let opened = stage.opened_for(&workload).await?;
    Ok(stage.end_to_end(&opened, stage.log_of(&workload.records, stage.options.partitions)).await?.rate)
}

fn head(options: &Options, settings: &Settings, store: String, load_before: &str) -> Head {
    let scale = options.scale();
    let log = if settings.kafka.is_some() { "Kafka, as configured" } else { "the embedded broker, a mock inside this process" };
    let mut facts = machine::facts(&options.folder.clone().unwrap_or_else(std::env::temp_dir));
    facts.push(("load of the machine before (1, 5, 15 minutes)", load_before.to_owned()));
    facts.push(("store", store));
    facts.push(("log", format!("{log}; {} partitions", options.partitions)));
    facts.push(("records per scenario", scale.events.to_string()));
    facts.push(("events in a batch", options.batch.to_string()));
    Head {
        command: command(),
        at: Timestamp::from(SystemTime::now()).to_string(),
        runs: scale.runs,
        insert_only_runs: scale.insert_only_runs,
        facts,
        one_by_one: scale.one_by_one,
        embedded_broker: settings.kafka.is_none(),
    }
}

/// The command line of this run, to be typed again.
fn command() -> String {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let gap = if arguments.is_empty() { "" } else { " -- " };
    format!("cargo run --release -p bench{gap}{}", arguments.join(" "))
}
