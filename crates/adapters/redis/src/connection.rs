//! One connection, made when it is first needed and made again after any error.
//!
//! The driver's own connection manager is not used because it stays with what it has in two cases that do happen: after a reply that never
//! came (a peer that is gone without a word), and after a failed login (the password is being changed). Errors are rare and connecting is
//! cheap, so here every error ends the connection. That also finds the new master after a failover, behind one name, by its sentinels, or
//! by the other nodes of its cluster.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pipeline::Fault;
use redis::RedisError;
use tokio::sync::Mutex;

use crate::asking::NodeConnection;
use crate::cluster::{self, HOPS, Nodes, Redirection};
use crate::config::RedisConfig;
use crate::faults;
use crate::keys::Keys;
use crate::node::{Node, Target};
use crate::sentinel::Sentinels;
use crate::servers::Servers;
use crate::tried::Tried;

/// The connection to Redis.
pub(crate) struct Connection {
    servers: Servers,
    place: Place,
    list: String,
    timeout: Duration,
    current: Mutex<Current>,
    /// How each of several servers failed.
    pub(crate) tried: Tried,
}

/// Where Redis is, or who knows.
enum Place {
    Known(Target),
    Sentinels(Sentinels),
}

/// The connection, and where to look for the next one.
#[derive(Default)]
struct Current {
    link: Option<Arc<Link>>,
    nodes: Nodes,
}

/// A connection that was made, and whether it saw an error since.
struct Link {
    redis: Redis,
    target: Target,
    broken: AtomicBool,
}

/// What a call works with.
#[derive(Clone)]
pub(crate) struct Redis {
    /// The connection.
    pub(crate) connection: NodeConnection,
    /// The names of the keys there.
    pub(crate) keys: Arc<Keys>,
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
        servers.client(servers.address(&Target::Server(config.node()))).map_err(|_| faults::misconfigured())?;
        let place = match (&config.sentinels, &config.socket) {
            (Some(sentinels), _) => Place::Sentinels(Sentinels::new(sentinels, &config.tls)),
            (None, Some(socket)) => Place::Known(Target::Socket(socket.clone())),
            (None, None) => Place::Known(Target::Server(config.node())),
        };
        let list = config.list.clone();
        Ok(Self { servers, place, list, timeout: config.timeout, current: Mutex::default(), tried: Tried::default() })
    }

    /// Does some work on the connection. Where a node of a Redis Cluster sends on to another one, it has done nothing, and the work is done there.
    /// Connecting and the work together take no longer than the timeout. When the future is dropped, the work may or may not happen; a late reply to
    /// it is thrown away and never taken for that of another call.
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
            let mut owner = self.link().await?;
            let (mut link, mut hops) = (Arc::clone(&owner), 0);
            loop {
                used = Some(Arc::clone(&link));
                let error = match work(link.redis.clone()).await.map_err(Into::into) {
                    Ok(done) => return Ok(done),
                    Err(Failure::Fault(fault)) => return Err(fault),
                    Err(Failure::Redis(error)) => error,
                };
                let redirection = cluster::redirection(&error, &link.target).filter(|_| hops < HOPS);
                hops += 1;
                link = match redirection {
                    Some(Redirection::Moved(node)) => {
                        owner.broken.store(true, Ordering::Relaxed);
                        self.current.lock().await.nodes.owner = Some(node);
                        owner = self.link().await?;
                        Arc::clone(&owner)
                    }
                    // For this call alone: until the slot has moved, the owner has to be asked first.
                    Some(Redirection::Ask(node)) => Arc::new(self.importing(&owner, node).await?),
                    None => return Err(faults::working(operation, &error)),
                };
            }
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
        if let Some(link) = current.link.as_ref().filter(|link| !link.broken.load(Ordering::Relaxed)) {
            return Ok(Arc::clone(link));
        }
        current.link = None;
        let (redis, target) = self.connect(&mut current.nodes).await?;
        let link = Arc::new(Link { redis, target, broken: AtomicBool::new(false) });
        current.link = Some(Arc::clone(&link));
        Ok(link)
    }

    /// A connection to the node to which the slot of the list is moving.
    async fn importing(&self, owner: &Link, node: Node) -> Result<Link, Fault> {
        let target = Target::Server(node);
        let connection = NodeConnection::asking(self.servers.open(self.servers.address(&target)).await?);
        Ok(Link { redis: Redis { connection, ..owner.redis.clone() }, target, broken: AtomicBool::new(false) })
    }

    /// The bound is that of `call`.
    async fn connect(&self, nodes: &mut Nodes) -> Result<(Redis, Target), Fault> {
        match &self.place {
            Place::Known(target) => {
                let found = cluster::find(&self.servers, target, &self.list, nodes, self.timeout, &self.tried).await?;
                let keys = Arc::new(Keys::of(&self.list, found.in_cluster));
                Ok((Redis { connection: NodeConnection::to_owner(found.connection), keys, named: None }, found.target))
            }
            Place::Sentinels(sentinels) => {
                let master = sentinels.connect(&self.servers, self.timeout, &self.tried).await?;
                let (target, keys) = (Target::Server(master.node.clone()), Arc::new(Keys::of(&self.list, false)));
                let named = Some(Arc::new((master.node, master.named_by)));
                Ok((Redis { connection: NodeConnection::to_owner(master.connection), keys, named }, target))
            }
        }
    }
}
