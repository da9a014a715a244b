//! A topic, a group, tables and a dead letter queue of a case's own.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use kafka::{KafkaConfig, KafkaProgress};
use pipeline::ports::{DeadLetterReader as _, End, GroupProgress as _, ParkingExpiry as _};
use redis_dlq::{RedisConfig, RedisDlq};
use settings::Reader;
use sqlite::Sqlite;
use tempfile::TempDir;
use testkit::builders::unique;
use testkit::eventually;

use super::member::Member;
use super::sender::Sender;
use super::servers::Servers;
use super::sharing::usual;
use super::stream::Stream;
use crate::process::standalone;

/// Partitions of each topic.
const PARTITIONS: u16 = 6;
/// How long the test's own questions to Kafka may take.
const WAIT: Duration = Duration::from_secs(60);

/// What one case works on.
pub struct Place {
    pub kafka: KafkaConfig,
    pub redis: RedisConfig,
    pub progress: KafkaProgress,
    pub sender: Sender,
    /// Past any proxy.
    pub dead_letters: RedisDlq,
    pub tables: Sqlite,
    /// How many copies of each record the brokers hold.
    pub copies: u16,
    folder: TempDir,
    /// Where the tables are.
    data: PathBuf,
    members: AtomicU32,
}

impl Place {
    /// On these servers.
    pub async fn on(servers: &Servers) -> Self {
        Self::with_broker(servers, &servers.kafka).await
    }

    /// With another Kafka.
    pub async fn with_broker(servers: &Servers, broker: &str) -> Self {
        Self::with_brokers(servers, broker, 1).await
    }

    /// With other brokers, and so many copies of each record.
    pub async fn with_brokers(servers: &Servers, brokers: &str, copies: u16) -> Self {
        let name = unique("live");
        let port = servers.redis_port.to_string();
        let mut env = Reader::from_pairs([
            ("KAFKA_BROKERS", brokers),
            ("KAFKA_TOPIC", &name),
            ("KAFKA_CONSUMER_GROUP", &name),
            // Longer than any outage here.
            ("KAFKA_DELIVERY_TIMEOUT", "300s"),
            ("REDIS_HOST", &servers.redis_host),
            ("REDIS_PORT", &port),
            ("REDIS_DLQ_KEY", &name),
        ]);
        let (kafka, redis) = (KafkaConfig::read(&mut env), RedisConfig::read(&mut env));
        env.finish().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("tables");
        std::fs::create_dir(&data).unwrap();
        let place = Self {
            progress: KafkaProgress::open(&kafka).unwrap(),
            sender: Sender::to(&kafka),
            dead_letters: RedisDlq::new(&redis).unwrap(),
            tables: Sqlite::open(&data.join("events.db")).unwrap(),
            data,
            copies,
            members: AtomicU32::new(0),
            folder,
            kafka,
            redis,
        };
        place.create_topic(copies).await;
        place
    }

    /// Creates the topic, with so many copies of each record.
    pub async fn create_topic(&self, copies: u16) {
        kafka::ensure_topic(&self.kafka, PARTITIONS, copies, WAIT).await.unwrap();
    }

    /// Members that are started from now on belong to another group.
    pub fn move_to_group(&mut self, suffix: &str) {
        self.join_group(format!("{}-{suffix}", self.kafka.topic));
    }

    /// Members that are started from now on belong to this group.
    pub fn join_group(&mut self, group: String) {
        self.kafka.group = group;
        self.progress = KafkaProgress::open(&self.kafka).unwrap();
    }

    /// Members that are started from now on belong to another group and write to tables of their own, which are empty.
    pub fn start_over(&mut self, suffix: &str) {
        self.move_to_group(suffix);
        self.data = self.folder.path().join(suffix);
        std::fs::create_dir(&self.data).unwrap();
        self.tables = Sqlite::open(&self.file()).unwrap();
    }

    /// The file of the tables.
    pub fn file(&self) -> PathBuf {
        self.data.join("events.db")
    }

    /// The program, set up for this place, with these settings beside or instead.
    pub fn command(&self, settings: &[(&str, &str)]) -> Command {
        let mut command = standalone(self.folder.path(), &["--data-dir"]);
        command.arg(&self.data);
        command.envs([
            ("KAFKA_BROKERS", self.kafka.brokers.as_str()),
            ("KAFKA_TOPIC", &self.kafka.topic),
            ("KAFKA_CONSUMER_GROUP", &self.kafka.group),
            ("REDIS_HOST", &self.redis.host),
            ("REDIS_PORT", &self.redis.port.to_string()),
            ("REDIS_DLQ_KEY", &self.redis.list),
            ("REDIS_TIMEOUT", "2s"),
            ("API_PORT", "0"),
            ("LOG_FORMAT", "json"),
            ("MONITOR_INTERVAL", "500ms"),
            ("PARKING_SWEEP_INTERVAL", "500ms"),
        ]);
        command.envs(usual());
        command.envs(settings.iter().copied());
        command
    }

    /// A member of the group, started.
    pub fn start(&self, settings: &[(&str, &str)]) -> Member {
        let number = self.members.fetch_add(1, Ordering::Relaxed);
        Member::start(self.command(settings), self.folder.path(), number)
    }

    /// How many records the group has committed; `None` while nobody can say.
    pub async fn committed(&self) -> Option<i64> {
        self.progress.committed().await.ok().map(|committed| committed.values().sum())
    }

    /// Waits until so many records are committed.
    pub async fn until_committed(&self, count: i64, bound: Duration) {
        let what = format!("{count} records are committed");
        eventually(bound, &what, async || self.committed().await >= Some(count)).await;
    }

    /// Waits until more is committed, or nothing is left to commit.
    pub async fn until_goes_on(&self, bound: Duration) {
        let mut before = None;
        eventually(bound, "records are committed again", async || {
            let Ok(log) = self.progress.log().await else { return false };
            let now: i64 = log.next().values().sum();
            let is_done = log.ends() == log.next();
            is_done || now > *before.get_or_insert(now)
        })
        .await;
    }

    /// Waits until everything that was sent is committed and nothing is parked that need not be.
    pub async fn until_done(&self, stream: &Stream, bound: Duration) {
        let done = async || {
            let ends = self.progress.high_watermarks().await;
            ends.is_ok() && ends == self.progress.committed().await && self.tables.parked().await.unwrap().0 == stream.orphans.len() as u64
        };
        eventually(bound, "everything is consumed and released", done).await;
    }

    /// Every dead letter, as JSON.
    pub async fn dead_letters(&self) -> Vec<String> {
        // From the old end, where those that come meanwhile shift nothing.
        let mut all = Vec::new();
        loop {
            let page = self.dead_letters.page(End::Oldest, all.len() as u64, 10_000).await.unwrap();
            if page.is_empty() {
                all.reverse();
                return all;
            }
            all.extend(page);
        }
    }
}
