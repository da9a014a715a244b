//! One session with the server. Everything that is said to the server goes through here, and every wait has a bound.

use std::future::Future;
use std::time::Duration;

use pipeline::fault::unreachable;
use pipeline::{Fault, FaultClass};
use settings::ExposeSecret;
use tiberius::error::Error;
use tiberius::{AuthMethod, Client, Config, EncryptionLevel, Row, ToSql};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};
use tracing::Dispatch;
use tracing::instrument::WithSubscriber;

use crate::config::{Encryption, SqlServerConfig};
use crate::faults;
use crate::statement::{SESSION, Statement};

/// What an answer holds: the rows of each result set.
pub(crate) type ResultSets = Vec<Vec<Row>>;

/// How a conversation failed.
#[derive(Debug)]
pub(crate) struct Failure {
    /// As the rest of the program sees it.
    pub(crate) fault: Fault,
    /// Whether the connection may be used again.
    pub(crate) usable: bool,
}

/// The server may send a client on to another node (Azure SQL does); twice is a loop.
const REDIRECTS: usize = 2;

/// Bytes per packet asked for: near the most that the server takes on an encrypted connection (16 383).
/// <https://learn.microsoft.com/sql/database-engine/configure-windows/configure-the-network-packet-size-server-configuration-option>
const PACKET_BYTES: u32 = 16_000;

/// A session. It must not be used again after a future of it was dropped half way: the answer would still be on the line.
pub(crate) struct Connection {
    client: Client<Compat<TcpStream>>,
}

impl Connection {
    /// Connects, logs in, and sets what every session needs.
    pub(crate) async fn open(config: &SqlServerConfig, database: &str) -> Result<Self, Fault> {
        let mut refusal = None;
        let follow = async { Self::follow(config, database).await.inspect_err(|error| refusal = refused(error)) };
        let opened = bounded(config.connect_timeout, "connect", follow).await;
        opened.map_err(|failure| refusal.map_or(failure.fault, |(class, subject)| faults::fault(class, subject)))
    }

    async fn follow(config: &SqlServerConfig, database: &str) -> Result<Self, Error> {
        let (mut host, mut port) = (config.server.clone(), config.port);
        for _ in 0..REDIRECTS {
            match Self::login(config, database, &host, port).await {
                Err(Error::Routing { host: other_host, port: other_port }) => (host, port) = (other_host, other_port),
                result => return result,
            }
        }
        Self::login(config, database, &host, port).await
    }

    async fn login(config: &SqlServerConfig, database: &str, host: &str, port: u16) -> Result<Self, Error> {
        let stream = TcpStream::connect((host, port)).await?;
        stream.set_nodelay(true)?;
        let client = Client::connect(driver_config(config, database, host, port), stream.compat_write()).await?;
        let mut connection = Self { client };
        // A number cannot be a parameter here, and settings made inside a parameterised statement end with it.
        let settings = format!("{}\nSET LOCK_TIMEOUT {};", SESSION.text(), config.lock_timeout.as_millis());
        connection.client.simple_query(settings).await?.into_results().await?;
        Ok(connection)
    }

    /// Sends a statement with its parameters (`@P1` …) and reads the answer to its end.
    pub(crate) async fn ask(&mut self, statement: &Statement, parameters: &[&dyn ToSql], limit: Duration) -> Result<ResultSets, Failure> {
        let answer = async { self.client.query(statement.text(), parameters).await?.into_results().await };
        bounded(limit, statement.name, answer).await
    }

    /// Sends text without parameters, in the session's own scope: transactions and settings outlive it.
    pub(crate) async fn run(&mut self, text: &str, operation: &'static str, limit: Duration) -> Result<(), Failure> {
        let answer = async { self.client.simple_query(text).await?.into_results().await };
        bounded(limit, operation, answer).await.map(|_| ())
    }
}

/// OpenSSL's number for a certificate that it does not accept.
const VERIFY_FAILED: &str = "error:0A000086:";
/// The driver's own words where client and server cannot agree on a level: it has no variant for it.
const NO_COMMON_LEVEL: &str = "Server does not allow the requested encryption level.";

/// What an operator must look at, where the server is there and encryption is what keeps us from it, and why the server cannot be reached, where
/// the system says so. Any other failure of a handshake may be the network's.
fn refused(error: &Error) -> Option<(FaultClass, &'static str)> {
    match error {
        Error::Tls(text) if text.contains(VERIFY_FAILED) => Some((
            FaultClass::Operator,
            "tls: the server's certificate is not from a trusted authority or not for the host in MSSQL_SERVER, check MSSQL_CA_FILE; \
             MSSQL_TRUST_SERVER_CERTIFICATE takes any",
        )),
        Error::Protocol(text) if text == NO_COMMON_LEVEL => {
            Some((FaultClass::Operator, "tls: the server offers no encryption, check its certificate and MSSQL_ENCRYPT"))
        }
        Error::Io { kind, message } => unreachable(*kind, message).map(|subject| (faults::AWAY, subject)),
        _ => None,
    }
}

/// Waits no longer than this, and keeps the driver's own log lines back: they quote the server's messages, and rows.
async fn bounded<T>(limit: Duration, operation: &'static str, work: impl Future<Output = Result<T, Error>>) -> Result<T, Failure> {
    match timeout(limit, work).with_subscriber(Dispatch::none()).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => {
            let fault = faults::of_driver(&error, operation);
            Err(Failure { usable: faults::leaves_connection_usable(&error, &fault), fault })
        }
        Err(_) => Err(Failure { fault: faults::timed_out(operation), usable: false }),
    }
}

fn driver_config(config: &SqlServerConfig, database: &str, host: &str, port: u16) -> Config {
    let mut driver = Config::new();
    driver.host(host);
    driver.port(port);
    driver.database(database);
    driver.application_name("event-pipeline");
    driver.authentication(AuthMethod::sql_server(&config.user, config.password.expose_secret()));
    driver.packet_size(PACKET_BYTES);
    driver.encryption(match config.encryption {
        Encryption::On => EncryptionLevel::Required,
        Encryption::Login => EncryptionLevel::Off,
        Encryption::Off => EncryptionLevel::NotSupported,
        Encryption::Strict => EncryptionLevel::Strict,
    });
    // The driver refuses both at once by a panic; the configuration was checked for it.
    match (&config.ca, config.trust_server_certificate) {
        (Some(ca), _) => driver.trust_cert_ca_bundle(ca.as_slice()),
        (None, true) => driver.trust_cert(),
        (None, false) => {}
    }
    // Ours are stricter: they bound the whole, not the pause between two tokens.
    driver.handshake_timeout(None);
    driver.command_timeout(None);
    driver
}
