//! `consumer dlq …`, and the same over HTTP beside `/metrics`.

use std::process::ExitCode;
use std::time::Duration;

use kafka::{KafkaConfig, KafkaPublisher};
use pipeline::ports::{ClaimQueue, DeadLetterReader, Publisher};
use redis_dlq::{RedisConfig, RedisDlq};
use settings::Reader;
use sqlserver::{SqlServer, SqlServerConfig};
use telemetry::{Health, LoggingConfig, Shutdown, logging, side_task};
use tokio_util::sync::CancellationToken;

use super::{CLOSE, name_places, wrong};
use crate::config::ConsumerConfig;
use crate::dlq::command::{self, DlqCommand, Needs};
use crate::dlq::jobs::{self, JobTables};
use crate::dlq::{AdminContext, Terms};

/// What a command needs of the settings; what it does not need may be missing.
struct Settings {
    redis: RedisConfig,
    kafka: Option<KafkaConfig>,
    database: Option<SqlServerConfig>,
    terms: Terms,
}

impl Settings {
    fn read(env: &mut Reader, needs: Needs) -> Self {
        let redis = RedisConfig::read(env);
        let kafka = needs.broker.then(|| KafkaConfig::read(env));
        let database = needs.tables.then(|| SqlServerConfig::read(env));
        let (topic, timeout) =
            kafka.as_ref().map_or((String::new(), Duration::ZERO), |kafka| (kafka.topic.clone(), kafka.delivery_timeout));
        let consumer = ConsumerConfig::read(env);
        Self { redis, kafka, database, terms: Terms::read(env, &consumer, topic, timeout) }
    }
}

/// `consumer dlq …`.
pub fn dlq(command: DlqCommand) -> ExitCode {
    let mut env = match Reader::from_environment() {
        Ok(env) => env,
        Err(problem) => return wrong(&problem),
    };
    let settings = Settings::read(&mut env, command.needs());
    // What goes wrong is the result of the command; log lines would stand between the lines of its tables.
    let log = LoggingConfig::read_or(&mut env, "warn,kafka=error");
    env.near_misses().iter().for_each(|near_miss| eprintln!("warning: {near_miss}"));
    let variables = match env.finish() {
        Ok(variables) => variables,
        Err(problems) => return wrong(&problems.to_string()),
    };
    let ended = logging::init(&log).map_err(anyhow::Error::from).and_then(|()| {
        logging::tell_settings(&variables);
        tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(run(command, settings))
    });
    ended.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

async fn run(command: DlqCommand, settings: Settings) -> anyhow::Result<ExitCode> {
    let stop = Shutdown::on_signals()?.token();
    name_places(settings.kafka.as_ref(), settings.database.as_ref(), Some(&settings.redis));
    let context = AdminContext {
        queue: RedisDlq::new(&settings.redis)?,
        publisher: settings.kafka.as_ref().map(KafkaPublisher::open).transpose()?,
        tables: settings.database.map(SqlServer::new),
        terms: settings.terms,
    };
    let code = command::run(command, &context, &stop).await;
    if let Some(publisher) = context.publisher {
        // Everything that was sent has been answered.
        publisher.close(CLOSE).await.ok();
    }
    Ok(code)
}

/// What `/admin/dlq` and the console work with.
pub(super) fn context(
    (kafka, terms): (&KafkaConfig, Terms),
    queue: &RedisDlq,
    tables: &SqlServer,
) -> anyhow::Result<AdminContext<RedisDlq, KafkaPublisher, SqlServer>> {
    let publisher = Some(KafkaPublisher::open(kafka)?);
    Ok(AdminContext { queue: queue.clone(), publisher, tables: Some(tables.clone()), terms })
}

/// Goes on with redrive jobs that nobody goes on with, until the process stops.
pub fn spawn_jobs<Q, P, T>(context: AdminContext<Q, P, T>, health: Health, stop: CancellationToken)
where
    Q: DeadLetterReader + ClaimQueue + Clone + 'static,
    P: Publisher + Clone + 'static,
    T: JobTables,
{
    let stopped = stop.clone();
    let start = move || jobs::keep(context.clone(), stopped.clone());
    // It ends by itself.
    drop(tokio::spawn(side_task::keep_running("redrive_jobs", health, stop, start)));
}
