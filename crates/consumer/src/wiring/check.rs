//! `consumer check`: asks every part at the same time, each with a bound, so that one that hangs does not hide the others.

use std::future::Future;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use kafka::{KafkaConfig, KafkaProgress, describe_topic};
use pipeline::fault::{Dependency, Fault, FaultClass};
use pipeline::ports::{GroupProgress as _, LogPositions as _, ParkingExpiry as _};
use pipeline::{LogPosition, LogState};
use redis_dlq::{RedisConfig, RedisDlq};
use settings::Reader;
use sqlserver::{SqlServer, SqlServerConfig};
use telemetry::output::print_line;
use telemetry::{LoggingConfig, logging};

use super::{Settings, name_places, wrong};
use crate::check::{self, Finding, Reading, Report};

/// How long each part may take to answer.
const BOUND: Duration = Duration::from_secs(10);

/// `consumer check`: 0 where nothing failed, 1 where something did, 2 for wrong settings.
pub fn check(json: bool) -> ExitCode {
    let mut env = match Reader::from_environment() {
        Ok(env) => env,
        Err(problem) => return wrong(&problem),
    };
    // What is wrong stands in the table.
    let (settings, logging) = (Settings::read(&mut env), LoggingConfig::read_or(&mut env, "off"));
    let near_misses = env.near_misses();
    let variables = match env.finish() {
        Ok(variables) => variables,
        Err(problems) => {
            let finding =
                |problem: settings::Problem| Finding::fail("settings", problem.name, problem.message, "set it right, then check again");
            return show(&Report::of(problems.0.into_iter().map(finding).collect()), json, ExitCode::from(2));
        }
    };
    let mut findings = vec![Finding::ok("settings", "all", format!("{} variables can be used", variables.len()))];
    findings.extend(near_misses.into_iter().map(|near_miss| Finding::warn("settings", "names", near_miss, "rename it, or remove it")));
    let asked = logging::init(&logging).map_err(anyhow::Error::from).and_then(|()| {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        Ok(runtime.block_on(ask(&settings)))
    });
    match asked {
        Ok(found) => findings.extend(found),
        Err(error) => return wrong(&error.to_string()),
    }
    let report = Report::of(findings);
    let code = if report.ok { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    show(&report, json, code)
}

fn show(report: &Report, json: bool, code: ExitCode) -> ExitCode {
    let printed = match json.then(|| serde_json::to_string(report)) {
        Some(Ok(text)) => print_line(text),
        Some(Err(_)) | None => print_line(report),
    };
    if printed { code } else { ExitCode::FAILURE }
}

async fn ask(settings: &Settings) -> Vec<Finding> {
    name_places(Some(&settings.kafka), Some(&settings.database), Some(&settings.redis));
    let seen = settings.redis.seen_retention;
    let topic = &settings.kafka.topic;
    let ((kafka, log), (database, known), redis) =
        tokio::join!(ask_kafka(&settings.kafka, seen), ask_database(&settings.database, topic), ask_redis(&settings.redis));
    let positions = log.zip(known).map(|(log, known)| check::positions(topic, &log, &known)).unwrap_or_default();
    [kafka, database, redis, positions].concat()
}

/// The findings, and the log where it could be seen.
async fn ask_kafka(config: &KafkaConfig, seen_retention: Duration) -> (Vec<Finding>, Option<LogState>) {
    let progress = async { KafkaProgress::open(config)?.log().await };
    let (topic, log) =
        tokio::join!(bounded(Dependency::Kafka, "describe_topic", describe_topic(config)), bounded(Dependency::Kafka, "log", progress));
    let similar = match &topic {
        Err(fault) if fault.is_about_topic() => kafka::similar_topics(config).await.unwrap_or_default(),
        _ => Vec::new(),
    };
    let mut findings = check::topic(config, seen_retention, topic.as_ref(), &similar);
    if topic.is_ok() {
        let kind = kafka::group_kind(config).await.ok();
        findings.extend(check::group(config, log.as_ref(), kind.as_ref()));
    }
    (findings, log.ok())
}

/// The findings, and how far the tables hold each log of the topic where they can tell.
async fn ask_database(config: &SqlServerConfig, topic: &str) -> (Vec<Finding>, Option<Vec<LogPosition>>) {
    let database = SqlServer::new(config.clone());
    let facts = bounded(Dependency::Database, "inspect", database.inspect());
    let schema = bounded(Dependency::Database, "schema", sqlserver::schema(config));
    let clock = bounded(Dependency::Database, "now", async {
        // The first statement opens a connection, which takes its time.
        database.now().await?;
        let asked = since_1970();
        let theirs = Duration::from_micros(database.now().await?.unix_micros().try_into().unwrap_or_default());
        Ok(Reading { asked, theirs, answered: since_1970() })
    });
    // Tables that are not there yet are told by their schema.
    let positions = bounded(Dependency::Database, "positions", database.positions(topic));
    let (facts, schema, clock, positions) = tokio::join!(facts, schema, clock, positions);
    let mut findings = check::database(config, facts.as_ref());
    if facts.is_err() {
        findings = check::with_addresses(findings, sqlserver::tried_addresses().as_deref());
    }
    if facts.is_ok() {
        findings.push(check::schema(schema.as_ref().copied()));
        findings.extend(clock.map(|reading| check::clock("database", reading)));
    }
    (findings, positions.ok())
}

async fn ask_redis(config: &RedisConfig) -> Vec<Finding> {
    let queue = match RedisDlq::new(config) {
        Ok(queue) => queue,
        Err(fault) => return check::list(config, Err(&fault)),
    };
    let facts = bounded(Dependency::DeadLetterQueue, "inspect", async {
        queue.ping().await?;
        let asked = since_1970();
        let facts = queue.inspect().await?;
        Ok((Reading { asked, theirs: facts.time, answered: since_1970() }, facts))
    });
    let writable = bounded(Dependency::DeadLetterQueue, "writable", queue.writable());
    let persistence = bounded(Dependency::DeadLetterQueue, "persistence", queue.persistence());
    let replicas = bounded(Dependency::DeadLetterQueue, "replicas", queue.replicas());
    let (facts, writable, persistence, replicas) = tokio::join!(facts, writable, persistence, replicas);
    let mut findings = check::list(config, facts.as_ref().map(|(_, facts)| facts));
    if facts.is_err() {
        findings = check::with_addresses(findings, queue.tried_servers().as_deref());
    }
    if let Ok((reading, _)) = facts {
        findings.push(check::write(writable.as_ref().copied()));
        findings.extend(check::durability(persistence.as_ref().copied()));
        findings.extend(check::replicas(config, replicas.as_ref().copied()));
        findings.push(check::clock("Redis", reading));
    }
    findings
}

async fn bounded<T>(dependency: Dependency, subject: &'static str, answer: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    let fault = Fault { dependency, class: FaultClass::Unavailable { timed_out: true }, code: None, subject };
    tokio::time::timeout(BOUND, answer).await.unwrap_or(Err(fault))
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
