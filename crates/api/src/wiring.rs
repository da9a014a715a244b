//! The composition root of the `api` binary: which store, from which settings, and the exit code.

use std::fmt::Display;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use pipeline::fault::Dependency;
use settings::{Reader, Variable};
use sqlserver::{Connections, SqlServer};
use telemetry::{Health, Metrics, Part, PoolUse, Shutdown, http, logging, probe, side_task};
use tokio::net::TcpListener;

use crate::{ApiConfig, Config, HealthTells, READ_STORE, router};

/// How long the health check of a container waits.
const PROBE: Duration = Duration::from_secs(3);

/// Serves until asked to stop, also while the database is away. 0 when asked to stop, 1 when it cannot serve, 2 for wrong settings.
pub fn run() -> ExitCode {
    let (config, variables, near_misses) = match read(Config::read) {
        Ok(read) => read,
        Err(code) => return code,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let served = runtime.map_err(anyhow::Error::from).and_then(|runtime| runtime.block_on(serve(config, &variables, &near_misses)));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Asks the API on this machine whether it is alive: 0 if so, 1 if not, 2 for wrong settings.
pub fn healthcheck() -> ExitCode {
    match read(ApiConfig::read).map(|(config, ..)| probe::why_not_live(config.address, PROBE)) {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(why)) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
        Err(code) => code,
    }
}

/// Settings, all variables and what may have been mistyped; or 2 with every problem on stderr.
fn read<C>(read: impl FnOnce(&mut Reader) -> C) -> Result<(C, Vec<Variable>, Vec<String>), ExitCode> {
    fn wrong(problem: &impl Display) -> ExitCode {
        eprintln!("error: {problem}");
        ExitCode::from(2)
    }
    let mut env = Reader::from_environment().map_err(|problem| wrong(&problem))?;
    let config = read(&mut env);
    let near_misses = env.near_misses();
    let variables = env.finish().map_err(|problems| wrong(&problems))?;
    Ok((config, variables, near_misses))
}

async fn serve(config: Config, variables: &[Variable], near_misses: &[String]) -> anyhow::Result<()> {
    let Config { api: ApiConfig { address }, database, logging } = config;
    logging::init(&logging)?;
    near_misses.iter().for_each(|near_miss| tracing::warn!("{near_miss}"));
    logging::tell_settings(variables);
    let shutdown = Shutdown::on_signals()?;
    let metrics = Metrics::new(&[Part::Api])?;
    let health = Health::new(&[READ_STORE], None);
    let listener = TcpListener::bind(address).await.with_context(|| format!("API_HOST, API_PORT: {address} cannot be listened on"))?;
    // Port 0 takes any free one: this is the one.
    tracing::info!(address = %listener.local_addr()?, "serving");
    Dependency::Database.is(format!("at {}", database.address()));
    let config = database.clone();
    let start = move || {
        let config = config.clone();
        async move {
            crate::schema::watch(async move || sqlserver::schema(&config).await.ok()).await;
            // It has seen what it looked for.
            std::future::pending::<()>().await;
        }
    };
    let schema = tokio::spawn(side_task::keep_running("schema_watch", health.clone(), shutdown.token(), start));
    let store = SqlServer::new(database);
    let pool = store.clone();
    metrics.db_pool(move || pool_use(&pool));
    let router = router(store, metrics, health.clone(), HealthTells::Kind);
    let stopping = async {
        shutdown.requested().await;
        health.stopping();
    };
    if http::serve(listener, router, stopping).await.is_err() {
        tracing::warn!("requests that took too long were cut off");
    }
    schema.abort();
    Ok(())
}

fn pool_use(database: &SqlServer) -> PoolUse {
    let Connections { idle, used } = database.connections();
    PoolUse { idle, used }
}
