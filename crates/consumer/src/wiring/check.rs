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

#[cfg(test)]
mod tests {
    use super::*;

    const NO_FILE: &str = "/no/such/file";
    const ADA: (&str, &str) = ("ADMIN_TOKEN", "ada:a-long-enough-token");

    /// Settings that are wrong, by the first of each: with what stands beside it.
    const WRONG: &[&[(&str, &str)]] = &[
        &[("KAFKA_BROKERS", "nowhere")],
        &[("KAFKA_TOPIC", "two words")],
        &[("KAFKA_SECURITY_PROTOCOL", "TLS")],
        &[("KAFKA_SASL_MECHANISM", "GSSAPI")],
        &[("KAFKA_SASL_USERNAME", "ada")],
        &[("KAFKA_SASL_PASSWORD", "hunter2")],
        &[("KAFKA_SASL_PASSWORD", ""), ("KAFKA_SECURITY_PROTOCOL", "SASL_SSL"), ("KAFKA_SASL_USERNAME", "ada")],
        &[("KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL", "https://id.example/token")],
        &[("KAFKA_SASL_OAUTHBEARER_CLIENT_ID", "ada")],
        &[("KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET", "hunter2")],
        &[("KAFKA_SASL_OAUTHBEARER_SCOPE", "kafka")],
        &[("KAFKA_SASL_OAUTHBEARER_CA_FILE", NO_FILE)],
        &[("KAFKA_SSL_CA_FILE", NO_FILE), ("KAFKA_SECURITY_PROTOCOL", "SSL")],
        &[("KAFKA_SSL_CERTIFICATE_FILE", NO_FILE), ("KAFKA_SECURITY_PROTOCOL", "SSL"), ("KAFKA_SSL_KEY_FILE", NO_FILE)],
        &[("KAFKA_SSL_KEY_FILE", NO_FILE), ("KAFKA_SECURITY_PROTOCOL", "SSL"), ("KAFKA_SSL_CERTIFICATE_FILE", NO_FILE)],
        &[("KAFKA_SSL_KEY_PASSWORD", "hunter2")],
        &[("KAFKA_GROUP_PROTOCOL", "share")],
        &[("KAFKA_ASSIGNMENT_STRATEGY", "sticky")],
        &[("KAFKA_SESSION_TIMEOUT", "1s")],
        &[("KAFKA_MAX_MESSAGE_BYTES", "many")],
        &[("KAFKA_DELIVERY_TIMEOUT", "soon")],
        &[("KAFKA_PROPERTY_ENABLE_AUTO_COMMIT", "true")],
        &[("KAFKA_PROPERTY_NO_SUCH_THING", "1")],
        &[("KAFKA_PROPERTY_CLIENT_DNS_LOOKUP", "nonsense")],
        &[("MSSQL_CONNECTION_STRING", "Server")],
        &[("MSSQL_SERVER", "host\\")],
        &[("MSSQL_PORT", "70000")],
        &[("MSSQL_AUTHENTICATION", "Kerberos")],
        &[("MSSQL_USER", ""), ("MSSQL_AUTHENTICATION", "ActiveDirectoryServicePrincipal"), ("AZURE_TENANT_ID", "t")],
        &[("MSSQL_PASSWORD", "")],
        &[("MSSQL_ACCESS_TOKEN_FILE", NO_FILE)],
        &[("AZURE_TENANT_ID", ""), ("MSSQL_AUTHENTICATION", "ActiveDirectoryWorkloadIdentity")],
        &[("AZURE_FEDERATED_TOKEN_FILE", ""), ("MSSQL_AUTHENTICATION", "ActiveDirectoryWorkloadIdentity")],
        &[("MSSQL_ENCRYPT", "maybe")],
        &[("MSSQL_TRUST_SERVER_CERTIFICATE", "maybe")],
        &[("MSSQL_CA_FILE", NO_FILE)],
        &[("MSSQL_POOL_SIZE", "0")],
        &[("MSSQL_CONNECT_TIMEOUT", "0s")],
        &[("MSSQL_COMMAND_TIMEOUT", "soon")],
        &[("MSSQL_LOCK_TIMEOUT", "60s")],
        &[("REDIS_URL", "http://cache")],
        &[("REDIS_HOST", "other"), ("REDIS_URL", "redis://cache")],
        &[("REDIS_HOST", "redis://cache")],
        &[("REDIS_PORT", "70000")],
        &[("REDIS_SENTINELS", "here:there"), ("REDIS_SENTINEL_MASTER", "dlq")],
        &[("REDIS_SENTINEL_MASTER", "dlq")],
        &[("REDIS_SENTINELS", "here:26379")],
        &[("REDIS_SENTINEL_USERNAME", "ada")],
        &[("REDIS_SENTINEL_PASSWORD", "hunter2")],
        &[("REDIS_USERNAME", "ada")],
        &[("REDIS_DB", "first")],
        &[("REDIS_TLS", "maybe")],
        &[("REDIS_CA_FILE", NO_FILE)],
        &[("REDIS_TIMEOUT", "0s")],
        &[("REDIS_WAIT_REPLICAS", "all")],
        &[("DLQ_SEEN_RETENTION", "ever")],
        &[("BATCH_MAX_EVENTS", "0")],
        &[("BATCH_MAX_BYTES", "0")],
        &[("TAKE_MAX_BATCHES", "0")],
        &[("BATCH_MAX_ROWS", "0")],
        &[("MAX_CLOCK_SKEW", "none")],
        &[("PARKING_DEADLINE", "soon")],
        &[("DLQ_MAX_RATIO", "2")],
        &[("PARKING_SWEEP_INTERVAL", "0s")],
        &[("MONITOR_INTERVAL", "0s")],
        &[("DLQ_MAX_RETRIES", "none")],
        &[("ADMIN_TOKEN", "short")],
        &[("ADMIN_ROLES", "ada:king"), ADA],
        &[("ADMIN_ROLES", "ada:viewer")],
        &[("ADMIN_ALLOW_REMOTE", "maybe"), ADA],
        &[("ADMIN_ALLOW_REMOTE", "true")],
        &[("ADMIN_HOSTS", "http://console"), ADA],
        &[("ADMIN_HOSTS", "console.example.com")],
        &[("VERIFY_INTERVAL", "1s")],
        &[("VERIFY_RATE", "0")],
        &[("METRICS_PORT", "70000")],
        &[("METRICS_HOST", "here")],
    ];

    /// Any text is right, or an empty one means the default: what is wrong with them only the server knows.
    const ANY_TEXT: [&str; 9] = [
        "KAFKA_CONSUMER_GROUP",
        "KAFKA_PROPERTY_<NAME>",
        "MSSQL_DATABASE",
        "MSSQL_HOST_NAME_IN_CERTIFICATE",
        "AZURE_CLIENT_ID",
        "AZURE_AUTHORITY_HOST",
        "REDIS_PASSWORD",
        "REDIS_DLQ_KEY",
        "VERIFY_STATE",
    ];

    /// The settings that were asked for, and the problems by their names.
    fn read(pairs: &[(&'static str, &'static str)]) -> (Vec<&'static str>, Vec<(&'static str, String)>) {
        let given = |name: &str| pairs.iter().any(|(known, _)| *known == name);
        // A connection string brings a password of its own.
        let password = (!given("MSSQL_PASSWORD") && !given("MSSQL_CONNECTION_STRING")).then_some(("MSSQL_PASSWORD", "x"));
        let mut env = Reader::from_pairs(pairs.iter().copied().filter(|(_, value)| !value.is_empty()).chain(password));
        Parts::read(&mut env);
        let asked = env.variables().iter().map(|variable| variable.name).collect();
        let problems = env.finish().err().map(|problems| problems.0).unwrap_or_default();
        (asked, problems.into_iter().map(|problem| (problem.name, problem.message)).collect())
    }

    #[test]
    fn a_wrong_value_is_told_by_the_name_of_its_setting_whichever_it_is() {
        assert_eq!(read(&[]).1, []);
        for pairs in WRONG {
            let (name, value) = pairs[0];
            let (_, problems) = read(pairs);
            let told: Vec<_> = problems.iter().filter(|(named, _)| *named == name).collect();
            let [(_, message)] = told[..] else { panic!("{name} is named {} times: {problems:?}", told.len()) };
            let goes_on = ["must ", "is ", "names ", "needs ", "has ", "cannot "].iter().any(|verb| message.starts_with(verb));
            assert!(goes_on && !message.contains("hunter2"), "{name}={value}: {message}");
        }
    }

    #[test]
    fn no_setting_is_left_out_of_that() {
        let (asked, _) = read(&[]);
        let tried = |name: &str| WRONG.iter().any(|pairs| pairs[0].0 == name);
        let left_out: Vec<_> = asked.iter().filter(|name| !tried(name) && !ANY_TEXT.contains(name)).collect();
        assert!(left_out.is_empty(), "with what value are these wrong? {left_out:?}");
        let unknown: Vec<_> = ANY_TEXT.iter().filter(|name| !asked.contains(name) || tried(name)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}
