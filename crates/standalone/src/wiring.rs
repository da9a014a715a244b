//! The composition root: opens every part and runs all of them in this process.

use std::fs::File;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ::check::SettingsNote;
use anyhow::Context as _;
use api::{ApiConfig, HealthTells};
use consumer::admin::AdminConfig;
use consumer::console::{self, ConsoleParts};
use consumer::dlq::{AdminContext, Terms};
use consumer::fleet::{self, Beating, Member};
use consumer::operator::OperatorParts;
use consumer::status::group_of;
use consumer::verify::ScheduleConfig;
use consumer::wiring::{Liveness, admin_routes, check_here, name_places, peek_over_http, spawn_jobs, spawn_verify};
use consumer::{Adapters, Backends, ConsumerConfig};
use kafka::{Flavor, KafkaCommitter, KafkaConfig, KafkaProgress, KafkaPublisher, KafkaSource};
use pipeline::PartitionState;
use pipeline::ports::GroupProgress as _;
use readmodel::ReadStore as _;
use redis_dlq::RedisConfig;
use settings::Reader;
use sqlserver::{Connections, SqlServer, SqlServerConfig};
use telemetry::side_task::{self, Ended};
use telemetry::{Health, LoggingConfig, Metrics, Part, PoolUse, Shutdown};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use uuid::Uuid;

use crate::backends::{DeadLetters, Store};
use crate::check;
use crate::opening::{EMBEDDED_DELIVERY, EMBEDDED_TOPIC, lock, name_file, open_dead_letters, open_kafka, open_sqlite, open_store};
use crate::table::Row;
use crate::without_effect::without_effect;

/// How long leaving the group, and delivering what is left, may each take at the end.
pub const CLOSE: Duration = Duration::from_secs(3);
/// How long the embedded broker may take at the end to say what is left in it.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// The parts of the health report: the consumer's and the API's.
const HEALTH_PARTS: [&str; 6] = {
    let [pipeline, progress, database, dead_letters, kafka] = consumer::wiring::HEALTH_PARTS;
    [pipeline, progress, database, dead_letters, kafka, api::READ_STORE]
};

/// What runs in this process.
struct LocalBackends;

impl Backends for LocalBackends {
    type Source = KafkaSource;
    type Offsets = KafkaCommitter;
    type Progress = KafkaProgress;
    type Store = Store;
    type DeadLetters = DeadLetters;
}

/// Every setting. What is not configured is `None`, and embedded.
pub struct Settings {
    /// Where Kafka is.
    pub kafka: Option<KafkaConfig>,
    /// Whether to create the topic where it is missing.
    pub create_topic: bool,
    /// Where the tables are.
    pub database: Option<SqlServerConfig>,
    /// Where the dead letters are.
    pub redis: Option<RedisConfig>,
    /// How dead letters are sent again.
    pub terms: Terms,
    admin: Option<AdminConfig>,
    /// All of them by name, as they may be shown.
    shown: Vec<(String, String)>,
    /// What a check finds of them.
    pub noted: SettingsNote,
    verify: Option<ScheduleConfig>,
    /// How the consumer works.
    pub consumer: ConsumerConfig,
    /// How to log.
    pub logging: LoggingConfig,
    api: ApiConfig,
    /// Whether the API's port was asked for.
    port_is_set: bool,
    /// Whether the group was asked for.
    group_is_set: bool,
}

impl Settings {
    /// Reads the settings: those of a part only where the variable that configures it is set. `log_level` holds where `LOG_LEVEL` is not set.
    pub fn read(env: &mut Reader, log_level: &str) -> Self {
        let kafka = env.is_set("KAFKA_BROKERS").then(|| KafkaConfig::read(env));
        let (topic, timeout) = kafka.as_ref().map_or((EMBEDDED_TOPIC, EMBEDDED_DELIVERY), |kafka| (&kafka.topic, kafka.delivery_timeout));
        let consumer = ConsumerConfig::read(env);
        Self {
            terms: Terms::read(env, &consumer, topic.to_owned(), timeout),
            admin: AdminConfig::read(env),
            verify: ScheduleConfig::read(env),
            kafka,
            create_topic: false,
            database: SqlServerConfig::is_set(env).then(|| SqlServerConfig::read(env)),
            redis: RedisConfig::is_set(env).then(|| RedisConfig::read(env)),
            consumer,
            logging: LoggingConfig::read_or(env, log_level),
            port_is_set: env.is_set("API_PORT"),
            group_is_set: env.is_set("KAFKA_CONSUMER_GROUP"),
            api: ApiConfig::read(env),
            shown: env.shown(),
            noted: SettingsNote::of(env, without_effect(env)),
        }
    }

    /// Where the API of a running pipeline with these settings answers.
    pub const fn api_address(&self) -> SocketAddr {
        self.api.address
    }

    /// Where Kafka is, as the running pipeline has it: where no group was asked for, in the group in which that one consumes. An embedded broker has
    /// one of its own.
    pub async fn kafka_in_use(&self) -> Option<KafkaConfig> {
        let kafka = self.kafka.clone()?;
        let told = if self.group_is_set { None } else { group_of(self.api_address()).await };
        Some(KafkaConfig { group: told.unwrap_or_else(|| kafka.group.clone()), ..kafka })
    }

    /// Whether the database is this process's own, and nobody else's events are in it.
    pub const fn database_is_embedded(&self) -> bool {
        self.database.is_none()
    }
}

/// Everything running. To be stopped on every way out, [`Stack::stop`].
pub struct Stack {
    /// Where Kafka is, for further clients.
    pub kafka: KafkaConfig,
    /// Sends to it.
    pub publisher: KafkaPublisher,
    /// How far the log reaches and how far the group has come.
    pub progress: KafkaProgress,
    /// The tables.
    pub tables: Store,
    /// The dead letter queue.
    pub dead_letters: DeadLetters,
    /// Where the API answers.
    pub api: SocketAddr,
    /// Everything that is counted.
    pub metrics: Metrics,
    /// Which part is real and which embedded.
    pub parts: Vec<Row>,
    shutdown: Shutdown,
    consumer: JoinHandle<Result<KafkaSource, Ended>>,
    beating: Beating<Store>,
    server: JoinHandle<Result<std::io::Result<()>, Ended>>,
    /// No other process has the folder of `--data-dir` until this one has ended.
    _folder: Option<File>,
}

impl Stack {
    /// Opens every part and starts the consumer and the API. `None` when the process was asked to stop while it waited for a part.
    ///
    /// # Errors
    /// A part cannot be opened; the text says which, and what to do.
    pub async fn start(settings: Settings, data_dir: Option<&Path>) -> anyhow::Result<Option<Self>> {
        let shutdown = Shutdown::on_signals()?;
        tokio::select! {
            stack = Self::open(settings, data_dir, shutdown.clone()) => stack.map(Some),
            () = shutdown.requested() => Ok(None),
        }
    }

    async fn open(settings: Settings, data_dir: Option<&Path>, shutdown: Shutdown) -> anyhow::Result<Self> {
        let folder = data_dir.filter(|_| settings.kafka.is_none()).map(lock).transpose()?;
        let (listener, api) = listen(settings.api.address, settings.port_is_set).await?;
        let mut parts = Vec::new();
        let liveness = Liveness::for_parts(settings.database.as_ref(), settings.redis.as_ref());
        name_places(settings.kafka.as_ref(), settings.database.as_ref(), settings.redis.as_ref());
        let kafka = open_kafka(settings.kafka, settings.create_topic, &mut parts).await?;
        let kafka = KafkaConfig { max_poll_interval: liveness.max_poll_interval, ..kafka };
        let embedded = open_sqlite(data_dir)?;
        name_file(&embedded);
        let store = open_store(settings.database.clone(), &embedded, &mut parts).await?;
        let dead_letters = open_dead_letters(settings.redis.as_ref(), &embedded, &mut parts)?;
        parts.push(Row::real("read API", format!("http://{api}")));

        let metrics = Metrics::new(&[Part::Consumer, Part::Api])?;
        if let Store::Real(database) = &store {
            let pool = database.clone();
            metrics.db_pool(move || pool_use(&pool));
        }
        metrics.poll_age_limit(liveness.silence);
        let health = Health::new(&HEALTH_PARTS, Some(liveness.silence));
        health.in_group(&kafka.group);
        let (reads, known) = (store.clone(), health.clone());
        // Otherwise nobody would know whether it can be read before the first request. It ends by itself.
        drop(tokio::spawn(async move { reads.ping().await.is_ok() && known.up(api::READ_STORE) }));
        let publisher = KafkaPublisher::open(&kafka)?;
        let context = AdminContext {
            queue: dead_letters.clone(),
            publisher: Some(publisher.clone()),
            tables: Some(store.clone()),
            terms: settings.terms,
        };
        let progress = KafkaProgress::open(&kafka)?;
        let has_tokens = settings.admin.is_some();
        let (access, opens) = match settings.admin {
            Some(config) => (config, "a token of ADMIN_TOKEN".to_owned()),
            None => {
                let password = Uuid::new_v4().simple().to_string();
                (AdminConfig::of_token(&password), format!("password {password}"))
            }
        };
        let access = Arc::new(access);
        let verify = match &kafka.flavor {
            Flavor::Embedded(_) if settings.verify.is_some() => {
                tracing::warn!("VERIFY_INTERVAL does nothing without KAFKA_BROKERS: the embedded broker forgets what was consumed");
                None
            }
            _ => settings.verify,
        };
        let member = Member::new(&kafka.group, &kafka.topic).verifying(verify.as_ref());
        parts.push(Row::real("console", format!("http://{api}/console/ ({opens})")));
        spawn_jobs(context.clone(), health.clone(), shutdown.token());
        let checked = check::parts_in_use(&kafka, settings.database, settings.redis, &embedded, api);
        let shared = OperatorParts {
            peek: peek_over_http(store.clone(), kafka.clone(), context.terms.rules),
            context,
            progress: progress.clone(),
            group: kafka.group.clone(),
            health: health.clone(),
            metrics: metrics.clone(),
            check: check_here(checked, settings.noted, health.clone(), metrics.clone()),
            verify: verify.as_ref().map(|schedule| schedule.now.clone()),
            stop: shutdown.token(),
        };
        let (instance, parking_deadline) = (member.instance(), settings.consumer.parking_deadline);
        let console = ConsoleParts { shared: shared.clone(), instance, parking_deadline, settings: settings.shown };
        let mut router = api::router(store.clone(), metrics.clone(), health.clone(), HealthTells::Everything);
        router = router.merge(console::routes(Arc::clone(&access), console));
        if has_tokens {
            router = router.merge(admin_routes(access, shared, (&store, &kafka), api));
        }
        let server = tokio::spawn(telemetry::http::serve(listener, router, shutdown.requested()));
        let server = side_task::guard("http_server", server, health.clone(), shutdown.clone());
        if let Some(schedule) = verify {
            let (tables, clients) = ((store.clone(), dead_letters.clone()), (metrics.clone(), health.clone()));
            spawn_verify(tables, (kafka.clone(), settings.consumer.clone()), schedule, clients, shutdown.token());
        }
        let (source, offsets) = kafka::open(&kafka)?;
        let beating = fleet::spawn(store.clone(), member, health.clone(), metrics.clone());
        let adapters = Adapters::<LocalBackends> {
            source,
            offsets,
            progress: progress.clone(),
            store: store.clone(),
            dead_letters: dead_letters.clone(),
            topic: kafka.topic.as_str().into(),
        };
        let consumer = consumer::spawn(adapters, settings.consumer, metrics.clone(), health.clone(), shutdown.token());
        let consumer = side_task::guard("consumer", consumer, health, shutdown.clone());
        Ok(Self {
            kafka,
            publisher,
            progress,
            tables: store,
            dead_letters,
            api,
            metrics,
            parts,
            shutdown,
            consumer,
            beating,
            server,
            _folder: folder,
        })
    }

    /// Ends when the process is asked to stop.
    pub async fn stopped(&self) {
        self.shutdown.requested().await;
    }

    /// Stops every part in the order that each needs: consumer, producer, and the broker last.
    ///
    /// # Errors
    /// The consumer or the API had ended by itself. Everything else is stopped all the same.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.shutdown.request();
        let source = self.consumer.await?;
        // It sends too, for operators.
        let served = self.server.await?;
        if let Ok(Err(_)) = served {
            tracing::warn!("requests were cut off");
        }
        if matches!(self.kafka.flavor, Flavor::Embedded(_)) {
            tell_of_loss(&self.progress).await;
        }
        let (left, ended) = match source {
            Ok(source) => (source.close(CLOSE).await, None),
            Err(ended) => (Ok(()), Some(ended)),
        };
        self.beating.end().await;
        for closed in [left, self.publisher.close(CLOSE).await, self.progress.close(CLOSE).await] {
            if let Err(fault) = closed {
                tracing::warn!(class = fault.class.label(), subject = fault.subject, "a client of Kafka did not end in time");
            }
        }
        match ended.or(served.err()) {
            Some(ended) => Err(ended.into()),
            None => Ok(()),
        }
    }
}

/// Says what the embedded broker takes with it.
async fn tell_of_loss(progress: &KafkaProgress) {
    let Ok(Ok(log)) = timeout(LAST_LOOK, progress.log()).await else { return };
    let left: u64 = log.partitions.values().map(PartitionState::lag).sum();
    if left > 0 {
        tracing::warn!(events = left, "the embedded broker keeps nothing: events that were not consumed are gone");
    }
}

/// On `API_PORT`, where that is set; otherwise on 8080, or on any free port where that is taken. Whatever runs says at its start which one it is.
async fn listen(address: SocketAddr, is_set: bool) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let listener = match TcpListener::bind(address).await {
        Err(error) if error.kind() == ErrorKind::AddrInUse && !is_set => {
            tracing::warn!("port {} is taken: the read API listens on another one; API_PORT would name it", address.port());
            TcpListener::bind(SocketAddr::new(address.ip(), 0)).await
        }
        listener => listener,
    };
    let listener = listener.with_context(|| format!("the read API cannot listen on {address}: set API_PORT to a free port"))?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

fn pool_use(database: &SqlServer) -> PoolUse {
    let Connections { idle, used } = database.connections();
    PoolUse { idle, used }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_that_was_not_asked_for_gives_way_and_one_that_was_is_named() {
        let (_taken, address) = listen("127.0.0.1:0".parse().unwrap(), true).await.unwrap();
        let (_other, other) = listen(address, false).await.unwrap();
        assert_eq!((other.ip(), other.port() == address.port()), (address.ip(), false));
        let refused = listen(address, true).await.unwrap_err().to_string();
        assert_eq!(refused, format!("the read API cannot listen on {address}: set API_PORT to a free port"));
    }
}
