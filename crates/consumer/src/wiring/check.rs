//! `consumer check`, and the same in a process that runs: asks every part at the same time, each with a bound, so that one that hangs does not hide
//! the others.

use std::future::ready;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use ::check::{Finding, Reading, Role, SettingsNote, bounded, since_1970};
use kafka::{KafkaConfig, KafkaProgress, describe_topic};
use pipeline::fault::Dependency;
use pipeline::ports::{GroupProgress as _, LogPositions as _};
use pipeline::{LogPosition, LogState};
use redis_dlq::{RedisConfig, RedisDlq};
use settings::Reader;
use sqlserver::{SqlServer, SqlServerConfig};
use telemetry::{Health, Metrics};

use super::{CLOSE, metrics_address, name_places};
use crate::admin::AdminConfig;
use crate::check::{self, SelfCheck};
use crate::config::ConsumerConfig;
use crate::dlq::Terms;
use crate::status::Process;
use crate::verify::ScheduleConfig;

/// A part, as the settings have it.
pub enum Asked<S> {
    /// There.
    At(S),
    /// Inside the process: what was found of it, or what is wrong with it.
    Embedded(Result<String, String>),
    /// Something of its settings is wrong, so that it cannot be asked.
    Wrong,
}

impl<S> Asked<S> {
    /// Reads the settings of a part that is a server.
    pub fn read(env: &mut Reader, read: impl FnOnce(&mut Reader) -> S) -> Self {
        env.usable(read).map_or(Self::Wrong, Self::At)
    }

    const fn server(&self) -> Option<&S> {
        match self {
            Self::At(config) => Some(config),
            Self::Embedded(_) | Self::Wrong => None,
        }
    }

    fn embedded(&self, part: &'static str) -> Option<Finding> {
        match self {
            Self::Embedded(Ok(found)) => Some(Finding::ok(part, "embedded", found)),
            Self::Embedded(Err(problem)) => Some(Finding::fail(part, "embedded", problem, "name another --data-dir, or mend this one")),
            Self::At(_) | Self::Wrong => None,
        }
    }
}

/// What a program works with.
pub struct Parts {
    /// Where the records are.
    pub kafka: Asked<KafkaConfig>,
    /// Where the tables are.
    pub database: Asked<SqlServerConfig>,
    /// Where the dead letters are.
    pub redis: Asked<RedisConfig>,
    /// Where a consumer on this machine answers, if it runs.
    pub process: SocketAddr,
}

impl Parts {
    fn read(env: &mut Reader) -> Self {
        let (kafka, database, redis) =
            (Asked::read(env, KafkaConfig::read), Asked::read(env, SqlServerConfig::read), Asked::read(env, RedisConfig::read));
        let consumer = ConsumerConfig::read(env);
        let (topic, timeout) =
            kafka.server().map_or((String::new(), Duration::ZERO), |kafka| (kafka.topic.clone(), kafka.delivery_timeout));
        // They are not needed here, and are to be right.
        let _rest = (Terms::read(env, &consumer, topic, timeout), AdminConfig::read(env), ScheduleConfig::read(env));
        Self { kafka, database, redis, process: metrics_address(env) }
    }
}

/// `consumer check`: 0 where nothing failed, 1 where something did, 2 for wrong settings.
pub fn check(json: bool) -> ExitCode {
    check_parts(json, Parts::read, |_| Vec::new())
}

/// Tests the settings that `read` reads and every part of which they are right. `warnings` are sentences about settings besides.
pub fn check_parts(json: bool, read: impl FnOnce(&mut Reader) -> Parts, warnings: impl FnOnce(&Reader) -> Vec<String>) -> ExitCode {
    ::check::check(json, read, warnings, async |parts| ask(parts, Process::ask(parts.process)).await)
}

/// The same check of the process that runs with these parts, for its operators. What it says of itself is told without the way over its port.
pub fn check_here(parts: Parts, noted: SettingsNote, health: Health, metrics: Metrics) -> SelfCheck {
    let here = Arc::new((parts, noted, health, metrics));
    SelfCheck::new(move || {
        let here = Arc::clone(&here);
        Box::pin(async move {
            let (parts, noted, health, metrics) = &*here;
            let process = ready(Process::here(parts.process, health, metrics));
            [noted.findings(), ask(parts, process).await].concat()
        })
    })
}

async fn ask(parts: &Parts, process: impl Future<Output = Process>) -> Vec<Finding> {
    let Parts { kafka, database, redis, .. } = parts;
    let embedded: Vec<_> =
        [kafka.embedded("Kafka"), database.embedded("database"), redis.embedded("Redis")].into_iter().flatten().collect();
    let (kafka, database, redis) = (kafka.server(), database.server(), redis.server());
    name_places(kafka, database, redis);
    let seen = redis.map(|config| config.seen_retention);
    let of_kafka = async {
        match kafka {
            Some(config) => ask_kafka(config, seen).await,
            None => (Vec::new(), None),
        }
    };
    let of_database = async {
        match database {
            Some(config) => ask_database(config, kafka.map(|config| config.topic.as_str())).await,
            None => (Vec::new(), None),
        }
    };
    let of_redis = async {
        match redis {
            Some(config) => ask_redis(config).await,
            None => Vec::new(),
        }
    };
    let ((of_kafka, log), (of_database, known), of_redis, process) = tokio::join!(of_kafka, of_database, of_redis, process);
    let positions = kafka.zip(log.zip(known)).map(|(config, (log, known))| check::positions(&config.topic, &log, &known));
    [of_kafka, of_database, of_redis, embedded, positions.unwrap_or_default(), check::process(&process)].concat()
}

/// The findings, and the log where it could be seen.
async fn ask_kafka(config: &KafkaConfig, seen_retention: Option<Duration>) -> (Vec<Finding>, Option<LogState>) {
    let progress = async {
        let progress = KafkaProgress::open(config)?;
        let (log, members) = tokio::join!(progress.log(), progress.members());
        // What is left of the client ends by itself.
        progress.close(CLOSE).await.ok();
        Ok((log?, members.ok().flatten()))
    };
    let (topic, progress) =
        tokio::join!(bounded(Dependency::Kafka, "describe_topic", describe_topic(config)), bounded(Dependency::Kafka, "log", progress));
    let (log, members) = match progress {
        Ok((log, members)) => (Ok(log), members),
        Err(fault) => (Err(fault), None),
    };
    let similar = match &topic {
        Err(fault) if fault.is_about_topic() => kafka::similar_topics(config).await.unwrap_or_default(),
        _ => Vec::new(),
    };
    let mut findings = check::topic(config, seen_retention, topic.as_ref(), &similar);
    if topic.is_ok() {
        let kind = kafka::group_kind(config).await.ok();
        findings.extend(check::group(config, log.as_ref(), kind.as_ref()));
        findings.extend(log.as_ref().ok().map(|log| check::lag(&config.group, log, members.as_deref())));
    }
    (findings, log.ok())
}

/// The findings, and how far the tables hold each log of the topic where they can tell.
async fn ask_database(config: &SqlServerConfig, topic: Option<&str>) -> (Vec<Finding>, Option<Vec<LogPosition>>) {
    let database = SqlServer::new(config.clone());
    // Tables that are not there yet are told by their schema.
    let positions = async {
        match topic {
            Some(topic) => bounded(Dependency::Database, "positions", database.positions(topic)).await.ok(),
            None => None,
        }
    };
    let ((_, findings), positions) = tokio::join!(::check::ask_database(&database, config, Role::Consumer), positions);
    (findings, positions)
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
        findings = ::check::with_addresses(findings, queue.tried_servers().as_deref());
    }
    if let Ok((reading, _)) = facts {
        findings.push(check::write(writable.as_ref().copied()));
        findings.extend(check::durability(persistence.as_ref().copied()));
        findings.extend(check::replicas(config, replicas.as_ref().copied()));
        findings.push(::check::clock("Redis", reading));
    }
    findings
}
