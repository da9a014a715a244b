//! How to reach the server, from the environment.

mod authentication;
mod given;
mod reads;

use std::fmt;
use std::time::Duration;

use settings::{Reader, SecretString};

pub use self::authentication::Authentication;
pub(crate) use self::authentication::{CONNECTION_STRING_METHODS, Method};
use self::authentication::{GivenLogin, Login};
use self::given::{CONNECTION_STRING, connection_string, one_of};
use crate::reach::Resolver;
use crate::server::ServerName;

/// How much of the traffic is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// All of it, or no connection.
    On,
    /// Only the login; rows travel in the clear.
    Login,
    /// Nothing, unless the server insists.
    Off,
    /// TDS 8.0: TLS before anything else is said.
    Strict,
}

/// Everything that a connection needs.
#[derive(Clone)]
pub struct SqlServerConfig {
    /// Host name or address.
    pub server: String,
    /// TCP port; without meaning where an instance is named.
    pub port: u16,
    /// The named instance, whose port SQL Server Browser knows.
    pub instance: Option<String>,
    /// Who knows the addresses of the server's name.
    pub resolver: Resolver,
    /// SQL login.
    pub user: String,
    /// Its password.
    pub password: SecretString,
    /// Whether they are what proves who logs in.
    pub authentication: Authentication,
    /// The database that holds our tables.
    pub database: String,
    /// What is encrypted.
    pub encryption: Encryption,
    /// The name that the server's certificate is for, where it is another than `server`.
    pub host_name_in_certificate: Option<String>,
    /// Take any certificate; for development.
    pub trust_server_certificate: bool,
    /// Certificates (PEM or DER) of authorities to trust beside those of the system.
    pub ca: Option<Vec<u8>>,
    /// What the sessions are called on the server.
    pub application_name: String,
    /// Whether the login says that it only reads, and so may be sent on to a readable secondary replica.
    pub read_only_intent: bool,
    /// The most connections that are open at once.
    pub pool_size: usize,
    /// The longest time to get a connection: to wait for a free one, and to open one.
    pub connect_timeout: Duration,
    /// The longest time for a whole statement, from sending it to the last byte of its answer.
    pub command_timeout: Duration,
    /// The longest time that a statement waits for a lock.
    pub lock_timeout: Duration,
}

impl SqlServerConfig {
    /// Reads the `MSSQL_*` variables, for a program that writes.
    pub fn read(env: &mut Reader) -> Self {
        let config = Self::read_with_intent(env);
        if config.read_only_intent {
            env.problem(
                CONNECTION_STRING,
                "has ApplicationIntent=ReadOnly, and this program writes: take it out (the API alone has API_MSSQL_APPLICATION_INTENT)",
            );
        }
        config
    }

    /// Reads the `MSSQL_*` variables, for a program that only reads, and what may differ for it: `API_MSSQL_*`.
    pub fn read_for_reads(env: &mut Reader) -> Self {
        let config = Self::read_with_intent(env);
        config.with_reads(env)
    }

    /// Whether the environment says where SQL Server is, for programs that do without it otherwise.
    pub fn is_set(env: &Reader) -> bool {
        env.is_set("MSSQL_SERVER") || env.is_set(CONNECTION_STRING)
    }

    fn read_with_intent(env: &mut Reader) -> Self {
        let second = Duration::from_secs(1);
        let mut given = connection_string(env);
        let (server, port) = server(env, given.server.take());
        let login = GivenLogin { method: given.authentication, user: given.user, password: given.password };
        let Login { user, password, authentication } = authentication::login(env, login, &server.host);
        let config = Self {
            server: server.host,
            port,
            instance: server.instance,
            resolver: Resolver::System,
            user,
            password,
            authentication,
            database: database(env, given.database),
            encryption: {
                let encryption = encryption(env);
                one_of(env, "MSSQL_ENCRYPT", encryption, given.encryption)
            },
            host_name_in_certificate: {
                let help = "The name that the server's certificate is for, where it is another than the host in MSSQL_SERVER.";
                let name = env.optional("MSSQL_HOST_NAME_IN_CERTIFICATE", help);
                one_of(env, "MSSQL_HOST_NAME_IN_CERTIFICATE", name, given.host_name_in_certificate.map(Some))
            },
            trust_server_certificate: {
                let help = "Accept any certificate of the server; for development only.";
                let trust = env.flag("MSSQL_TRUST_SERVER_CERTIFICATE", false, help);
                one_of(env, "MSSQL_TRUST_SERVER_CERTIFICATE", trust, given.trust_server_certificate)
            },
            ca: ca(env),
            application_name: given.application_name.unwrap_or_else(|| "event-pipeline".to_owned()),
            read_only_intent: given.read_only_intent.unwrap_or_default(),
            pool_size: {
                let size = env.number("MSSQL_POOL_SIZE", 8, 1..=1000, "The most connections to SQL Server that are open at once.");
                one_of(env, "MSSQL_POOL_SIZE", size, given.pool_size)
            },
            connect_timeout: {
                let help = "The longest time to get a connection: to wait for a free one, and to open one.";
                let timeout = env.duration("MSSQL_CONNECT_TIMEOUT", 10 * second, second..=120 * second, help);
                one_of(env, "MSSQL_CONNECT_TIMEOUT", timeout, given.connect_timeout)
            },
            command_timeout: {
                let help = "The longest time for a whole statement; its connection is given up afterwards.";
                let timeout = env.duration("MSSQL_COMMAND_TIMEOUT", 30 * second, second..=600 * second, help);
                one_of(env, "MSSQL_COMMAND_TIMEOUT", timeout, given.command_timeout)
            },
            lock_timeout: env.duration(
                "MSSQL_LOCK_TIMEOUT",
                5 * second,
                Duration::from_millis(10)..=300 * second,
                "The longest time that a statement waits for a lock; the batch is tried again afterwards.",
            ),
        };
        config.check_together(env);
        config
    }

    /// Where the server is: `db.example.com:1433`, or `db.example.com\\EVENTS` for a named instance.
    pub fn address(&self) -> String {
        match &self.instance {
            Some(instance) => format!("{}\\{instance}", self.server),
            None => format!("{}:{}", self.server, self.port),
        }
    }

    /// The longest time that one call may take: waiting for a connection, opening it, and the statement.
    pub const fn longest_call(&self) -> Duration {
        self.connect_timeout.saturating_mul(2).saturating_add(self.command_timeout)
    }

    fn check_together(&self, env: &mut Reader) {
        if self.trust_server_certificate && self.ca.is_some() {
            env.problem("MSSQL_CA_FILE", "says whom to trust, and MSSQL_TRUST_SERVER_CERTIFICATE says to trust anyone: set one of them");
        }
        if matches!(self.authentication, Authentication::Entra(_)) && self.encryption == Encryption::Off {
            env.problem("MSSQL_ENCRYPT", "must not be off with Entra ID: a token is as good as a password");
        }
        if self.lock_timeout >= self.command_timeout {
            env.problem("MSSQL_LOCK_TIMEOUT", "must be shorter than MSSQL_COMMAND_TIMEOUT");
        }
    }
}

impl fmt::Debug for SqlServerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlServerConfig")
            .field("address", &self.address())
            .field("user", &self.user)
            .field("database", &self.database)
            .field("encryption", &self.encryption)
            .finish_non_exhaustive()
    }
}

/// The server's name, and its port where it is no named instance.
fn server(env: &mut Reader, given: Option<ServerName>) -> (ServerName, u16) {
    const SERVER: &str = "MSSQL_SERVER";
    const PORT: &str = "MSSQL_PORT";
    let help = "Where SQL Server is: host, host,port or host\\INSTANCE (asks SQL Server Browser at UDP 1434), also after tcp:; of an availability group \
                its listener.";
    let fallback = || ServerName { host: LOCALHOST.to_owned(), port: None, instance: None };
    let own = env.parsed(SERVER, LOCALHOST, help, ServerName::parse).unwrap_or_else(fallback);
    let mut server = one_of(env, SERVER, own, given);
    let port_is_set = env.is_set(PORT);
    let port = env.number(PORT, DEFAULT_PORT, 1..=u16::MAX, "TCP port of SQL Server, unless MSSQL_SERVER has it.");
    match server.port {
        Some(said) if port_is_set && said != port => {
            env.problem(PORT, "is another port than the one behind the server's name: set it in one of them");
        }
        Some(said) => env.show(PORT, said.to_string()),
        // Whoever says a port need not ask for it.
        None if port_is_set => server.instance = None,
        None => {}
    }
    let port = server.port.unwrap_or(port);
    (server, port)
}

const LOCALHOST: &str = "localhost";
const DEFAULT_PORT: u16 = 1433;

/// Databases of the server itself, in which tables of ours have no business.
const SYSTEM_DATABASES: [&str; 4] = ["master", "model", "msdb", "tempdb"];

fn database(env: &mut Reader, given: Option<String>) -> String {
    let help = "Database that holds the tables; created by the migration when it is missing.";
    let own = env.text("MSSQL_DATABASE", "eventdb", help);
    let database = one_of(env, "MSSQL_DATABASE", own, given);
    if !is_identifier(&database) || SYSTEM_DATABASES.iter().any(|system| system.eq_ignore_ascii_case(&database)) {
        env.problem(
            "MSSQL_DATABASE",
            "must be up to 100 letters, digits, underscores and hyphens, beginning with a letter, and none of the system's databases",
        );
    }
    database
}

fn is_identifier(name: &str) -> bool {
    name.len() <= 100
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

fn encryption(env: &mut Reader) -> Encryption {
    let choices = [("on", Encryption::On), ("login", Encryption::Login), ("off", Encryption::Off), ("strict", Encryption::Strict)];
    env.choice("MSSQL_ENCRYPT", &choices, "What is encrypted: on (everything), login (the login alone), off, or strict (TDS 8.0).")
}

/// Read at start, so that a wrong path is found with the other problems.
fn ca(env: &mut Reader) -> Option<Vec<u8>> {
    let path = env.optional("MSSQL_CA_FILE", "File with certificates (PEM or DER) of authorities to trust beside those of the system.")?;
    let bytes = std::fs::read(path).ok().filter(|bytes| may_be_certificates(bytes));
    if bytes.is_none() {
        env.problem("MSSQL_CA_FILE", "must name a file that can be read and holds certificates");
    }
    bytes
}

/// A first line of PEM, or what DER begins with.
fn may_be_certificates(bytes: &[u8]) -> bool {
    const PEM: &[u8] = b"CERTIFICATE-----";
    const DER: u8 = 0x30;
    bytes.first() == Some(&DER) || bytes.windows(PEM.len()).any(|window| window == PEM)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The settings, and what is wrong with them.
    pub(super) fn read(pairs: &[(&'static str, &'static str)]) -> (SqlServerConfig, String) {
        let mut env = Reader::from_pairs(pairs.iter().copied());
        let config = SqlServerConfig::read(&mut env);
        (config, env.finish().map_or_else(|problems| problems.to_string(), |_| String::new()))
    }

    #[test]
    fn the_defaults_need_only_a_password() {
        let (config, problems) = read(&[("MSSQL_PASSWORD", "hunter2")]);
        assert_eq!(problems, "");
        assert_eq!((config.server.as_str(), config.port, config.user.as_str()), ("localhost", 1433, "sa"));
        assert_eq!((config.database.as_str(), config.encryption, config.pool_size), ("eventdb", Encryption::On, 8));
        assert!(!config.trust_server_certificate);
        assert!(read(&[]).1.contains("MSSQL_PASSWORD must be set"));
    }

    #[test]
    fn a_port_or_an_instance_in_the_servers_name_is_used() {
        for (pairs, address) in [
            (&[("MSSQL_SERVER", "tcp:db,1450")][..], "db:1450"),
            (&[("MSSQL_SERVER", "db,1450"), ("MSSQL_PORT", "1450")], "db:1450"),
            (&[("MSSQL_SERVER", "db"), ("MSSQL_PORT", "1450")], "db:1450"),
            (&[("MSSQL_SERVER", "."), ("MSSQL_PORT", "1450")], "localhost:1450"),
            (&[("MSSQL_SERVER", "db\\EVENTS")], "db\\EVENTS"),
            (&[("MSSQL_SERVER", "db\\EVENTS"), ("MSSQL_PORT", "1450")], "db:1450"),
        ] {
            let (config, problems) = read(&[pairs, &[("MSSQL_PASSWORD", "x")]].concat());
            assert_eq!((config.address().as_str(), problems.as_str()), (address, ""), "{pairs:?}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        for pair in [("MSSQL_PASSWORD", "hunter2"), (CONNECTION_STRING, "Server=db;Password=hunter2;User ID=ada")] {
            let mut env = Reader::from_pairs([pair]);
            let config = SqlServerConfig::read(&mut env);
            assert!(!format!("{config:?} {:?}", env.variables()).contains("hunter2"), "{pair:?}");
            assert!(env.finish().is_ok(), "{pair:?}");
        }
    }

    #[test]
    fn a_database_name_is_a_plain_identifier() {
        for name in ["event db", "event]db", "1db", "db;drop", "d'b", "Master", "tempdb", "-db"] {
            assert!(read(&[("MSSQL_PASSWORD", "x"), ("MSSQL_DATABASE", name)]).1.contains("MSSQL_DATABASE"), "{name}");
        }
        assert_eq!(read(&[("MSSQL_PASSWORD", "x"), ("MSSQL_DATABASE", "event-db_2")]).1, "");
    }

    #[test]
    fn settings_that_do_not_go_together_are_problems() {
        let password = ("MSSQL_PASSWORD", "x");
        for (pairs, name) in [
            (vec![password, ("MSSQL_SERVER", "np:db")], "MSSQL_SERVER must be reached by TCP"),
            (vec![password, ("MSSQL_SERVER", "db,1450"), ("MSSQL_PORT", "1433")], "MSSQL_PORT is another port"),
            (vec![password, ("MSSQL_LOCK_TIMEOUT", "30s")], "MSSQL_LOCK_TIMEOUT"),
            (vec![password, ("MSSQL_CA_FILE", "/nowhere/ca.pem")], "MSSQL_CA_FILE"),
            (vec![password, ("MSSQL_CA_FILE", "Cargo.toml")], "MSSQL_CA_FILE"),
            (vec![password, ("MSSQL_CA_FILE", "src/config.rs"), ("MSSQL_TRUST_SERVER_CERTIFICATE", "on")], "MSSQL_CA_FILE"),
            (vec![password, ("MSSQL_ENCRYPT", "mostly")], "MSSQL_ENCRYPT"),
        ] {
            let (_, problems) = read(&pairs);
            assert!(problems.starts_with("a setting is wrong") && problems.contains(name), "{pairs:?}: {problems}");
        }
    }
}
