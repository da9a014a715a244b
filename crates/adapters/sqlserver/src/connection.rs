//! One session with the server. Everything that is said to the server goes through here, and every wait has a bound.

use std::future::Future;
use std::time::Duration;

use pipeline::fault::unreachable;
use pipeline::{Fault, FaultClass};
use settings::ExposeSecret;
use tiberius::error::Error;
use tiberius::{AuthMethod, Client, Config, EncryptionLevel, Row, ToSql};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::compat::{Compat, TokioAsyncWriteCompatExt};
use tracing::Dispatch;
use tracing::instrument::WithSubscriber;

use crate::config::{Authentication, Encryption, SqlServerConfig};
use crate::faults::{self, CONNECT};
use crate::reach::{self, Place, Unreached};
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

/// Why there is no session.
enum Unopened {
    /// Nothing proves who logs in.
    NoToken(Fault),
    /// No address takes a connection.
    Unreached(Unreached),
    /// The connection stands, and the server or the driver refuses.
    Refused(Error),
}

/// The server may send a client on to another node: Azure SQL does, and an availability group with a list of read-only replicas. A gateway in
/// front of such a group makes two of it; more is a loop.
const REDIRECTS: usize = 2;
/// What to look at where the other node cannot be reached.
const NOWHERE: &str = "redirect: the server sends this login on to another address, which cannot be reached from here: check READ_ONLY_ROUTING_URL of \
     the replicas, DNS and firewalls";

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
        let deadline = Instant::now() + config.connect_timeout;
        // The driver's log lines quote the server's messages.
        let opened = timeout_at(deadline, Self::authenticated(config, database, deadline)).with_subscriber(Dispatch::none()).await;
        let tried = match &opened {
            Ok(Err(Unopened::Unreached(unreached))) => unreached.tried.as_deref(),
            _ => None,
        };
        reach::note_tried(tried);
        match opened {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(Unopened::NoToken(fault))) => Err(fault),
            Ok(Err(Unopened::Unreached(unreached))) => Err(unreached.fault),
            Ok(Err(Unopened::Refused(error))) => Err(refused(&error)),
            Err(_) => Err(faults::timed_out(CONNECT)),
        }
    }

    async fn authenticated(config: &SqlServerConfig, database: &str, deadline: Instant) -> Result<Self, Unopened> {
        let proof = match &config.authentication {
            Authentication::SqlPassword => AuthMethod::sql_server(&config.user, config.password.expose_secret()),
            Authentication::Entra(tokens) => AuthMethod::aad_token(tokens.current().await.map_err(Unopened::NoToken)?.expose_secret()),
        };
        Self::follow(config, database, &proof, deadline).await
    }

    async fn follow(config: &SqlServerConfig, database: &str, proof: &AuthMethod, deadline: Instant) -> Result<Self, Unopened> {
        let first = Place { host: &config.server, port: config.port, instance: config.instance.as_deref() };
        let mut sent_to = match Self::login(config, database, proof, first, deadline).await {
            Err(Unopened::Refused(Error::Routing { host, port })) => (host, port),
            ended => return ended,
        };
        let mut hops = 1;
        loop {
            // The port is known: an instance's name behind the host's says nothing more.
            let host = sent_to.0.split('\\').next().unwrap_or_default();
            let place = Place { host, port: sent_to.1, instance: None };
            match Self::login(config, database, proof, place, deadline).await {
                Err(Unopened::Refused(Error::Routing { host, port })) if hops < REDIRECTS => sent_to = (host, port),
                Err(Unopened::Unreached(unreached)) => {
                    return Err(Unopened::Unreached(Unreached { fault: Fault { subject: NOWHERE, ..unreached.fault }, ..unreached }));
                }
                ended => return ended,
            }
            hops += 1;
        }
    }

    async fn login(
        config: &SqlServerConfig,
        database: &str,
        proof: &AuthMethod,
        place: Place<'_>,
        deadline: Instant,
    ) -> Result<Self, Unopened> {
        let stream = reach::connect(&config.resolver, place, deadline).await.map_err(Unopened::Unreached)?;
        Self::converse(driver_config(config, database, proof, place), config.lock_timeout, stream).await.map_err(Unopened::Refused)
    }

    async fn converse(driver: Config, lock_timeout: Duration, stream: TcpStream) -> Result<Self, Error> {
        stream.set_nodelay(true)?;
        let client = Client::connect(driver, stream.compat_write()).await?;
        let mut connection = Self { client };
        // A number cannot be a parameter here, and settings made inside a parameterised statement end with it.
        let settings = format!("{}\nSET LOCK_TIMEOUT {};", SESSION.text(), lock_timeout.as_millis());
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
fn refused(error: &Error) -> Fault {
    let seen = match error {
        Error::Tls(text) if text.contains(VERIFY_FAILED) => Some((
            FaultClass::Operator,
            "tls: the server's certificate is not from a trusted authority or not for the host in MSSQL_SERVER, check MSSQL_CA_FILE \
             and MSSQL_HOST_NAME_IN_CERTIFICATE; MSSQL_TRUST_SERVER_CERTIFICATE takes any",
        )),
        Error::Protocol(text) if text == NO_COMMON_LEVEL => {
            Some((FaultClass::Operator, "tls: the server offers no encryption, check its certificate and MSSQL_ENCRYPT"))
        }
        Error::Routing { .. } => {
            Some((faults::AWAY, "redirect: the server sends this login on from one address to the next, more than twice"))
        }
        Error::Io { kind, message } => unreachable(*kind, message).map(|subject| (faults::AWAY, subject)),
        _ => None,
    };
    seen.map_or_else(|| faults::of_driver(error, CONNECT), |(class, subject)| faults::fault(class, subject))
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

fn driver_config(config: &SqlServerConfig, database: &str, proof: &AuthMethod, place: Place<'_>) -> Config {
    let mut driver = Config::new();
    // The stream stands: they are what the certificate is compared with, and what the login says.
    driver.host(place.host);
    driver.port(place.port);
    driver.database(database);
    driver.application_name(&config.application_name);
    driver.readonly(config.read_only_intent);
    if let Some(name) = &config.host_name_in_certificate {
        driver.hostname_in_certificate(name);
    }
    driver.authentication(proof.clone());
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
