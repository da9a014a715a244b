//! Opening a connection to one server, and asking it who it is.

use std::collections::HashMap;

use pipeline::Fault;
use redis::aio::MultiplexedConnection;
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo, RedisError, RedisResult,
    TlsCertificates, Value, cmd,
};
use secrecy::{ExposeSecret, SecretString};

use crate::config::{RedisConfig, Tls};
use crate::faults;
use crate::node::Target;

/// How servers are spoken to: the login and the encryption, which are the same for each of them.
pub(crate) struct Servers {
    login: RedisConnectionInfo,
    tls: Tls,
}

/// What a server says of itself; a server that does not say is one by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Role {
    /// It copies another server.
    pub(crate) is_replica: bool,
    /// It is a node of a Redis Cluster.
    pub(crate) in_cluster: bool,
    /// It watches other servers, and keeps no data.
    pub(crate) is_sentinel: bool,
}

impl Servers {
    /// With the login of the dead letters.
    pub(crate) fn of_data(config: &RedisConfig) -> Self {
        Self::new(config.username.as_deref(), config.password.as_ref(), config.database, &config.tls)
    }

    /// With this login.
    pub(crate) fn new(username: Option<&str>, password: Option<&SecretString>, database: u16, tls: &Tls) -> Self {
        let mut login = RedisConnectionInfo::default().set_db(i64::from(database));
        if let Some(username) = username {
            login = login.set_username(username);
        }
        if let Some(password) = password {
            login = login.set_password(password.expose_secret());
        }
        Self { login, tls: tls.clone() }
    }

    /// Where this server listens.
    pub(crate) fn address(&self, target: &Target) -> ConnectionAddr {
        let (host, port) = match target {
            Target::Server(node) => (node.host.clone(), node.port),
            Target::Socket(path) => return ConnectionAddr::Unix(path.clone()),
        };
        match self.tls {
            Tls::Off => ConnectionAddr::Tcp(host, port),
            Tls::SystemAuthorities | Tls::Authorities(_) => ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None },
        }
    }

    /// Connects to nothing yet.
    ///
    /// # Errors
    /// The certificates are not PEM.
    pub(crate) fn client(&self, address: ConnectionAddr) -> RedisResult<Client> {
        // Without it the end of a large push waits for an acknowledgement of its beginning.
        let tcp = TcpSettings::default().set_nodelay(true);
        let info: ConnectionInfo = address.into_connection_info()?.set_redis_settings(self.login.clone()).set_tcp_settings(tcp);
        match &self.tls {
            Tls::Off | Tls::SystemAuthorities => Client::open(info),
            Tls::Authorities(pem) => Client::build_with_tls(info, TlsCertificates { client_tls: None, root_cert: Some(pem.clone()) }),
        }
    }

    /// Connects and logs in. The caller bounds the time.
    ///
    /// # Errors
    /// See [`faults`].
    pub(crate) async fn open(&self, address: ConnectionAddr) -> Result<MultiplexedConnection, Fault> {
        let client = self.client(address).map_err(|_| faults::misconfigured())?;
        let unbounded = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        client.get_multiplexed_async_connection_with_config(&unbounded).await.map_err(|error| faults::connecting(&error))
    }
}

/// Asks who it is, with [`HELLO`](https://redis.io/docs/latest/commands/hello/), which every user who may log in may ask; a server or a proxy that
/// does not know it tells nothing.
///
/// # Errors
/// The connection is gone.
pub(crate) async fn role(redis: &mut MultiplexedConnection) -> Result<Role, RedisError> {
    let told: RedisResult<HashMap<String, Value>> = cmd("HELLO").query_async(redis).await;
    match told {
        Ok(fields) => Ok(Role {
            is_replica: says(&fields, "role", "replica"),
            in_cluster: says(&fields, "mode", "cluster"),
            is_sentinel: says(&fields, "mode", "sentinel"),
        }),
        Err(error) if error.is_io_error() => Err(error),
        Err(_) => Ok(Role::default()),
    }
}

fn says(fields: &HashMap<String, Value>, name: &str, word: &str) -> bool {
    matches!(fields.get(name), Some(Value::BulkString(value)) if value == word.as_bytes())
}
