//! The composition root of the `consumer` binary: which adapters, from which settings, and the exit code.

mod audit;
mod check;
mod dlq;
mod ledger;
mod liveness;
mod operator;
mod peek;
mod replay;
mod run;
mod status;
mod trace;
mod verify;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::{ExitCode, Termination};
use std::time::Duration;

use kafka::{Flavor, KafkaConfig};
use pipeline::fault::Dependency;
use redis_dlq::{RedisConfig, RedisDlq};
use settings::Reader;
use sqlserver::{SqlServer, SqlServerConfig};
use telemetry::output::print_line;
use telemetry::{LoggingConfig, logging, probe};

use crate::monitor::PROGRESS_PART;
use crate::parked::ParkedCommand;
use crate::resume::Resume;
use crate::waiting::PIPELINE_PART;
pub use audit::audit;
pub use check::{Asked, Parts, check, check_here, check_parts};
pub use dlq::{dlq, spawn_jobs};
pub use ledger::{compact_and_show, compact_over_http, ledger};
pub use liveness::Liveness;
pub use operator::admin_routes;
pub use peek::{peek_and_show, peek_over_http, peek_records};
pub use replay::{replay_and_show, replay_records};
pub use run::{Settings, run};
pub use status::tell_status;
pub use trace::trace_event;
pub use verify::{spawn_verify, unfinished, verify_against, verify_once, verify_tables};

/// The parts of the health report.
pub const HEALTH_PARTS: [&str; 5] =
    [PIPELINE_PART, PROGRESS_PART, Dependency::Database.label(), Dependency::DeadLetterQueue.label(), Dependency::Kafka.label()];

/// How long leaving the group may take.
pub const CLOSE: Duration = Duration::from_secs(3);

/// How long the health check of a container waits.
const PROBE: Duration = Duration::from_secs(3);

fn metrics_address(env: &mut Reader) -> SocketAddr {
    let port = env.number("METRICS_PORT", 9090, 0..=u16::MAX, "Port of the consumer's /metrics and /health; 0 takes any free one.");
    let host = env.text("METRICS_HOST", "0.0.0.0", "Address on which the consumer serves /metrics and /health.");
    let host = host.parse().unwrap_or_else(|_| {
        env.problem("METRICS_HOST", "must be an IP address, such as 0.0.0.0 or 127.0.0.1");
        IpAddr::V4(Ipv4Addr::UNSPECIFIED)
    });
    SocketAddr::new(host, port)
}

/// Lets messages say where these parts are.
pub fn name_places(kafka: Option<&KafkaConfig>, database: Option<&SqlServerConfig>, redis: Option<&RedisConfig>) {
    if let Some(config) = kafka.filter(|config| matches!(config.flavor, Flavor::Real)) {
        Dependency::Kafka.is(format!("at {}", config.brokers));
    }
    if let Some(config) = database {
        Dependency::Database.is(format!("at {}", config.address()));
    }
    if let Some(config) = redis {
        Dependency::DeadLetterQueue.is(format!("at {}", config.address()));
    }
}

/// `consumer migrate`.
pub fn migrate() -> ExitCode {
    with_settings(SqlServerConfig::read, async |config| {
        name_places(None, Some(&config), None);
        let report = sqlserver::migrate(&config).await?;
        // It is done, whether or not somebody can read so.
        let _printed = print_line(crate::migrate::describe(&report));
        Ok(())
    })
}

/// `consumer resume`.
pub fn resume(arguments: Resume) -> ExitCode {
    with_settings(
        |env| (RedisConfig::read(env), SqlServerConfig::read(env)),
        async move |(redis, database)| {
            name_places(None, Some(&database), Some(&redis));
            Ok(crate::resume::resume(&RedisDlq::new(&redis)?, Some(&SqlServer::new(database)), arguments).await?)
        },
    )
}

/// `consumer parked …`.
pub fn parked(command: ParkedCommand) -> ExitCode {
    with_settings_quietly(SqlServerConfig::read, async move |database| {
        name_places(None, Some(&database), None);
        Ok(crate::parked::run(&SqlServer::new(database), command).await?)
    })
}

/// `consumer healthcheck`.
pub fn healthcheck() -> ExitCode {
    let address = match Reader::from_environment() {
        Ok(mut env) => metrics_address(&mut env),
        Err(problem) => return wrong(&problem),
    };
    match probe::why_not_live(address, PROBE) {
        None => ExitCode::SUCCESS,
        Some(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Reads the settings of a command, starts logging and a runtime, does the work, and tells how it ended.
fn with_settings<S, T: Termination>(read: impl FnOnce(&mut Reader) -> S, work: impl AsyncFnOnce(S) -> anyhow::Result<T>) -> ExitCode {
    with_logged_settings(read, LoggingConfig::read, work)
}

/// The same for a command whose own lines are what is read: of the log only errors come between them, and the changes that a repair makes.
fn with_settings_quietly<S, T: Termination>(
    read: impl FnOnce(&mut Reader) -> S,
    work: impl AsyncFnOnce(S) -> anyhow::Result<T>,
) -> ExitCode {
    with_logged_settings(read, |env| LoggingConfig::read_or(env, "error,kafka=error,consumer::verify::repair=info"), work)
}

fn with_logged_settings<S, T: Termination>(
    read: impl FnOnce(&mut Reader) -> S,
    read_logging: impl FnOnce(&mut Reader) -> LoggingConfig,
    work: impl AsyncFnOnce(S) -> anyhow::Result<T>,
) -> ExitCode {
    let mut env = match Reader::from_environment() {
        Ok(env) => env,
        Err(problem) => return wrong(&problem),
    };
    let (settings, logging) = (read(&mut env), read_logging(&mut env));
    let near_misses = env.near_misses();
    let variables = match env.finish() {
        Ok(variables) => variables,
        Err(problems) => return wrong(&problems.to_string()),
    };
    let worked = logging::init(&logging).map_err(anyhow::Error::from).and_then(|()| {
        near_misses.iter().for_each(|near_miss| tracing::warn!("{near_miss}"));
        logging::tell_settings(&variables);
        tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work(settings))
    });
    match worked {
        Ok(done) => done.report(),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn wrong(problem: &str) -> ExitCode {
    eprintln!("error: {problem}");
    ExitCode::from(2)
}
