//! One connection, made when it is first needed and made again after any error.
//!
//! The driver's own connection manager is not used because it stays with what it has in two cases that do happen: after a reply that never
//! came (a peer that is gone without a word), and after a failed login (the password is being changed). Errors are rare and connecting is
//! cheap, so here every error ends the connection. That also finds the new master after a failover, behind one name or by its sentinels.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pipeline::Fault;
use redis::aio::MultiplexedConnection;
use redis::{ConnectionAddr, RedisError};
use tokio::sync::Mutex;

use crate::config::RedisConfig;
use crate::faults;
use crate::sentinel::Sentinels;
use crate::servers::{Node, Servers};
use crate::tried::Tried;

/// The connection to Redis.
pub(crate) struct Connection {
    servers: Servers,
    place: Place,
    timeout: Duration,
    current: Mutex<Option<Arc<Link>>>,
    /// How each of several servers failed.
    pub(crate) tried: Tried,
}

/// Where Redis is, or who knows.
enum Place {
    Server(Node),
    Socket(PathBuf),
    Sentinels(Sentinels),
}

/// A connection that was made, and whether it saw an error since.
struct Link {
    redis: Redis,
    broken: AtomicBool,
}

/// What a call works with.
#[derive(Clone)]
pub(crate) struct Redis {
    /// The connection.
    pub(crate) connection: MultiplexedConnection,
    /// The master, and the sentinel that named it, where one did.
    pub(crate) named: Option<Arc<(Node, Node)>>,
}

/// How a call failed.
pub(crate) enum Failure {
    /// Redis or the network says so.
    Redis(RedisError),
    /// We say so: it is translated already.
    Fault(Fault),
}

impl From<RedisError> for Failure {
    fn from(error: RedisError) -> Self {
        Self::Redis(error)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl Connection {
    /// Prepares the connection; connects nowhere yet.
    ///
    /// # Errors
    /// The certificates are not PEM.
    pub(crate) fn new(config: &RedisConfig) -> Result<Self, Fault> {
        let servers = Servers::of_data(config);
        servers.client(servers.address(&config.node())).map_err(|_| faults::misconfigured())?;
        let place = match (&config.sentinels, &config.socket) {
            (Some(sentinels), _) => Place::Sentinels(Sentinels::new(sentinels, &config.tls)),
            (None, Some(socket)) => Place::Socket(socket.clone()),
            (None, None) => Place::Server(config.node()),
        };
        Ok(Self { servers, place, timeout: config.timeout, current: Mutex::new(None), tried: Tried::default() })
    }

    /// Does some work on the connection. Connecting and the work together take no longer than the timeout. When the future is dropped, the
    /// work may or may not happen; a late reply to it is thrown away and never taken for that of another call.
    ///
    /// # Errors
    /// See [`faults`]. The work may have happened.
    pub(crate) async fn call<T, E, F>(&self, operation: &'static str, work: impl Fn(Redis) -> F) -> Result<T, Fault>
    where
        E: Into<Failure>,
        F: Future<Output = Result<T, E>>,
    {
        let mut used = None;
        let answer = tokio::time::timeout(self.timeout, async {
            let link = self.link().await?;
            let redis = link.redis.clone();
            used = Some(link);
            work(redis).await.map_err(|failure| match failure.into() {
                Failure::Redis(error) => faults::working(operation, &error),
                Failure::Fault(fault) => fault,
            })
        })
        .await;
        let answer = answer.unwrap_or_else(|_| Err(faults::timed_out(operation)));
        if let (Err(_), Some(link)) = (&answer, used) {
            link.broken.store(true, Ordering::Relaxed);
        }
        answer
    }

    /// The connection, a new one when there is none or the last one saw an error.
    async fn link(&self) -> Result<Arc<Link>, Fault> {
        let mut current = self.current.lock().await;
        if let Some(link) = current.as_ref().filter(|link| !link.broken.load(Ordering::Relaxed)) {
            return Ok(Arc::clone(link));
        }
        *current = None;
        let link = Arc::new(Link { redis: self.connect().await?, broken: AtomicBool::new(false) });
        *current = Some(Arc::clone(&link));
        Ok(link)
    }

    /// The bound is that of `call`.
    async fn connect(&self) -> Result<Redis, Fault> {
        let address = match &self.place {
            Place::Server(node) => self.servers.address(node),
            Place::Socket(path) => ConnectionAddr::Unix(path.clone()),
            Place::Sentinels(sentinels) => {
                let master = sentinels.connect(&self.servers, self.timeout, &self.tried).await?;
                return Ok(Redis { connection: master.connection, named: Some(Arc::new((master.node, master.named_by))) });
            }
        };
        Ok(Redis { connection: self.servers.open(address).await?, named: None })
    }
}
