//! One connection, made when it is first needed and made again after any error.
//!
//! The driver's own connection manager is not used because it stays with what it has in two cases that do happen: after a reply that never
//! came (a peer that is gone without a word), and after a failed login (the password is being changed). Errors are rare and connecting is
//! cheap, so here every error ends the connection. That also finds the new master after a failover behind one name.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use pipeline::Fault;
use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo, RedisResult, TlsCertificates,
};
use secrecy::ExposeSecret;
use tokio::sync::Mutex;

use crate::config::{RedisConfig, Tls};
use crate::faults;

/// The connection to Redis.
pub(crate) struct Connection {
    client: Client,
    timeout: Duration,
    current: Mutex<Option<Arc<Link>>>,
}

/// A connection that was made, and whether it saw an error since.
struct Link {
    connection: MultiplexedConnection,
    broken: AtomicBool,
}

impl Connection {
    /// Prepares the connection; connects nowhere yet.
    ///
    /// # Errors
    /// The certificates are not PEM.
    pub(crate) fn new(config: &RedisConfig) -> Result<Self, Fault> {
        let client = client(config).map_err(|_| faults::misconfigured())?;
        Ok(Self { client, timeout: config.timeout, current: Mutex::new(None) })
    }

    /// Does some work on the connection. Connecting and the work together take no longer than the timeout. When the future is dropped, the
    /// work may or may not happen; a late reply to it is thrown away and never taken for that of another call.
    ///
    /// # Errors
    /// See [`faults`]. The work may have happened.
    pub(crate) async fn call<T, F>(&self, operation: &'static str, work: impl FnOnce(MultiplexedConnection) -> F) -> Result<T, Fault>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let mut used = None;
        let answer = tokio::time::timeout(self.timeout, async {
            let link = self.link().await?;
            let connection = link.connection.clone();
            used = Some(link);
            work(connection).await.map_err(|error| faults::working(operation, &error))
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
        // The bounds are those of `call`.
        let unbounded = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let connection = self.client.get_multiplexed_async_connection_with_config(&unbounded).await;
        let connection = connection.map_err(|error| faults::connecting(&error))?;
        let link = Arc::new(Link { connection, broken: AtomicBool::new(false) });
        *current = Some(Arc::clone(&link));
        Ok(link)
    }
}

fn client(config: &RedisConfig) -> RedisResult<Client> {
    let (host, port) = (config.host.clone(), config.port);
    let address = match (&config.socket, &config.tls) {
        (Some(socket), _) => ConnectionAddr::Unix(socket.clone()),
        (None, Tls::Off) => ConnectionAddr::Tcp(host, port),
        (None, Tls::SystemAuthorities | Tls::Authorities(_)) => ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None },
    };
    let mut login = RedisConnectionInfo::default().set_db(i64::from(config.database));
    if let Some(username) = &config.username {
        login = login.set_username(username);
    }
    if let Some(password) = &config.password {
        login = login.set_password(password.expose_secret());
    }
    // Without it the end of a large push waits for an acknowledgement of its beginning.
    let tcp = TcpSettings::default().set_nodelay(true);
    let info: ConnectionInfo = address.into_connection_info()?.set_redis_settings(login).set_tcp_settings(tcp);
    match &config.tls {
        Tls::Off | Tls::SystemAuthorities => Client::open(info),
        Tls::Authorities(pem) => Client::build_with_tls(info, TlsCertificates { client_tls: None, root_cert: Some(pem.clone()) }),
    }
}
