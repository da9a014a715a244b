//! `consumer run`.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use check::SettingsNote;
use kafka::{KafkaCommitter, KafkaConfig, KafkaProgress, KafkaSource};
use redis_dlq::{RedisConfig, RedisDlq};
use settings::Reader;
use sqlserver::{Connections, SqlServer, SqlServerConfig};
use telemetry::{Health, Metrics, Part, PoolUse, Shutdown, http, side_task};

use super::dlq::context;
use super::{
    Asked, CLOSE, HEALTH_PARTS, Liveness, Parts, admin_routes, check_here, metrics_address, name_places, peek_over_http, spawn_jobs,
    spawn_verify, with_settings,
};
use crate::admin::AdminConfig;
use crate::backends::{Adapters, Backends};
use crate::config::ConsumerConfig;
use crate::console::{self, ConsoleParts};
use crate::dlq::Terms;
use crate::fleet::{self, Member};
use crate::operator::OperatorParts;
use crate::starting::Starting;
use crate::verify::ScheduleConfig;

/// `consumer run`. Where it is not told to migrate, it waits until somebody has.
pub fn run(migrate: bool) -> ExitCode {
    with_settings(Settings::read, async move |settings| consume(settings, migrate).await)
}

/// Kafka, SQL Server and Redis.
struct RealBackends;

impl Backends for RealBackends {
    type Source = KafkaSource;
    type Offsets = KafkaCommitter;
    type Progress = KafkaProgress;
    type Store = SqlServer;
    type DeadLetters = RedisDlq;
}

/// Every setting of the binary.
pub struct Settings {
    pub(super) kafka: KafkaConfig,
    pub(super) database: SqlServerConfig,
    pub(super) redis: RedisConfig,
    consumer: ConsumerConfig,
    terms: Terms,
    admin: Option<AdminConfig>,
    verify: Option<ScheduleConfig>,
    /// All of them by name, as they may be shown.
    shown: Vec<(String, String)>,
    /// What a check finds of them.
    noted: SettingsNote,
    /// Where metrics and health are served.
    address: SocketAddr,
}

impl Settings {
    /// Reads the settings.
    pub fn read(env: &mut Reader) -> Self {
        let (kafka, database, redis) = (KafkaConfig::read(env), SqlServerConfig::read(env), RedisConfig::read(env));
        let consumer = ConsumerConfig::read(env);
        let terms = Terms::read(env, &consumer, kafka.topic.clone(), kafka.delivery_timeout);
        let (admin, verify) = (AdminConfig::read(env), ScheduleConfig::read(env));
        let address = metrics_address(env);
        let (shown, noted) = (env.shown(), SettingsNote::of(env, Vec::new()));
        Self { kafka, database, redis, consumer, terms, admin, verify, shown, noted, address }
    }
}

async fn consume(settings: Settings, migrate: bool) -> anyhow::Result<()> {
    let liveness = Liveness::for_parts(Some(&settings.database), Some(&settings.redis));
    let Settings { kafka: kafka_config, database, redis, consumer, terms, admin: admin_config, verify, shown, noted, address } = settings;
    let shutdown = Shutdown::on_signals()?;
    let metrics = Metrics::new(&[Part::Consumer])?;
    metrics.poll_age_limit(liveness.silence);
    let health = Health::new(&HEALTH_PARTS, Some(liveness.silence));
    health.in_group(&kafka_config.group);
    name_places(Some(&kafka_config), Some(&database), Some(&redis));
    let kafka_config = KafkaConfig { max_poll_interval: liveness.max_poll_interval, ..kafka_config };
    let listener =
        tokio::net::TcpListener::bind(address).await.with_context(|| format!("METRICS_PORT: {address} cannot be listened on"))?;
    // Port 0 takes any free one: this is the one.
    let bound = listener.local_addr()?;
    let (store, dead_letters) = (SqlServer::new(database.clone()), RedisDlq::new(&redis)?);
    let member = Member::new(&kafka_config.group, &kafka_config.topic).verifying(verify.as_ref());
    let mut routes = http::routes(metrics.clone(), health.clone());
    let mut jobs = None;
    if let Some(access) = admin_config.map(Arc::new) {
        let context = context((&kafka_config, terms), &dead_letters, &store)?;
        tracing::info!(remote = access.place.allow_remote, "serving /console and /admin");
        jobs = Some(context.clone());
        let checked = Parts {
            kafka: Asked::At(kafka_config.clone()),
            database: Asked::At(database.clone()),
            redis: Asked::At(redis),
            process: bound,
        };
        let shared = OperatorParts {
            peek: peek_over_http(store.clone(), kafka_config.clone(), context.terms.rules),
            context,
            progress: KafkaProgress::open(&kafka_config)?,
            group: kafka_config.group.clone(),
            health: health.clone(),
            metrics: metrics.clone(),
            check: check_here(checked, noted, health.clone(), metrics.clone()),
            verify: verify.as_ref().map(|schedule| schedule.now.clone()),
            stop: shutdown.token(),
        };
        let (instance, parking_deadline) = (member.instance(), consumer.parking_deadline);
        let console = ConsoleParts { shared: shared.clone(), instance, parking_deadline, settings: shown };
        routes = routes.merge(console::routes(Arc::clone(&access), console));
        routes = routes.merge(admin_routes(access, shared, (&store, &kafka_config), bound));
    }
    let server = tokio::spawn(http::serve(listener, routes, shutdown.requested()));
    let server = side_task::guard("http_server", server, health.clone(), shutdown.clone());
    tracing::info!(address = %bound, "serving /metrics, /health/live and /health/ready");

    let starting = Starting { health: health.clone(), metrics: metrics.clone(), stop: shutdown.token() };
    if schema_fits(&database, migrate, &starting).await {
        let pool = store.clone();
        metrics.db_pool(move || pool_use(&pool));
        if let Some(context) = jobs {
            spawn_jobs(context, health.clone(), shutdown.token());
        }
        if let Some(schedule) = verify {
            let (tables, settings) = ((store.clone(), dead_letters.clone()), (kafka_config.clone(), consumer.clone()));
            spawn_verify(tables, settings, schedule, (metrics.clone(), health.clone()), shutdown.token());
        }
        let (progress, (source, offsets)) = (KafkaProgress::open(&kafka_config)?, kafka::open(&kafka_config)?);
        let beating = fleet::spawn(store.clone(), member, health.clone(), metrics.clone());
        let adapters =
            Adapters::<RealBackends> { source, offsets, progress, store, dead_letters, topic: kafka_config.topic.as_str().into() };
        tracing::info!(topic = kafka_config.topic, group = kafka_config.group, "consuming");
        let source = crate::run(adapters, consumer, metrics, health, shutdown.token()).await;
        if let Err(fault) = source.close(CLOSE).await {
            tracing::warn!(
                class = fault.class.label(),
                "the group could not be left in time: its partitions move after the session timeout"
            );
        }
        beating.end().await;
    }
    if server.await??.is_err() {
        tracing::warn!("requests were cut off");
    }
    tracing::info!("stopped");
    Ok(())
}

/// `false` when the consumer was told to stop before the tables were there.
async fn schema_fits(database: &SqlServerConfig, migrate: bool, starting: &Starting) -> bool {
    if migrate {
        return crate::migrate::until_migrated(database, starting).await;
    }
    crate::schema::until_schema_fits(async || sqlserver::schema(database).await, starting).await
}

fn pool_use(database: &SqlServer) -> PoolUse {
    let Connections { idle, used } = database.connections();
    PoolUse { idle, used }
}
