//! A Redis to test on, and a list of its own there.

use std::io::Write as _;
use std::time::Duration;

use pipeline::{DeadLetter, Fault};
use redis::{AsyncConnectionConfig, Client, Cmd, ConnectionAddr, FromRedisValue, IntoConnectionInfo, RedisConnectionInfo};
use redis_dlq::RedisDlq;
use redis_dlq::config::{RedisConfig, Tls};
use settings::{ExposeSecret, Reader, SecretString};
use testkit::builders::unique;

use crate::server::Server;

/// A list on some Redis.
pub struct Place {
    pub config: RedisConfig,
    /// The server, where it is the test's own.
    pub server: Option<Server>,
}

impl Place {
    /// The Redis that `REDIS_HOST` names, or an own one.
    pub fn any() -> Option<Self> {
        let mut env = Reader::from_environment().unwrap();
        if !env.is_set("REDIS_HOST") {
            return Self::own(&[]);
        }
        let config = RedisConfig { list: unique("dlq-test"), ..RedisConfig::read(&mut env) };
        env.finish().unwrap();
        Some(Self { config, server: None })
    }

    /// An own Redis with these arguments, for tests that change or stop it.
    pub fn own(arguments: &[&str]) -> Option<Self> {
        let server = Server::start(arguments);
        if server.is_none() {
            say("did not run: redis-server is not installed (REDIS_HOST switches on those that can use any Redis)");
        }
        server.map(|server| Self { config: config(server.port), server: Some(server) })
    }

    /// The queue.
    pub fn queue(&self) -> RedisDlq {
        RedisDlq::new(&self.config).unwrap()
    }

    /// The test's own server.
    pub fn server(&mut self) -> &mut Server {
        self.server.as_mut().unwrap()
    }

    /// The name of the set of identities.
    pub fn seen(&self) -> String {
        format!("{}:seen", self.config.list)
    }

    /// The name of the set of claims.
    pub fn claims(&self) -> String {
        format!("{}:claims", self.config.list)
    }

    /// A command past the queue.
    pub async fn raw<T: FromRedisValue>(&self, command: &mut Cmd) -> T {
        let patient = AsyncConnectionConfig::new().set_connection_timeout(Some(SOON)).set_response_timeout(Some(SOON));
        let mut connection = self.client().get_multiplexed_async_connection_with_config(&patient).await.unwrap();
        command.query_async(&mut connection).await.unwrap()
    }

    /// A command past the queue, in words.
    pub async fn run<T: FromRedisValue>(&self, words: &str) -> T {
        let mut words = words.split(' ');
        let mut command = redis::cmd(words.next().unwrap());
        words.for_each(|word| {
            command.arg(word);
        });
        self.raw(&mut command).await
    }

    /// What any reader of the list sees.
    pub async fn listed(&self) -> Vec<String> {
        self.run(&format!("LRANGE {} 0 -1", self.config.list)).await
    }

    /// How often a command was called since the counts were reset.
    pub async fn server_calls(&self, command: &str) -> u64 {
        let stats: String = self.run("INFO commandstats").await;
        let line = stats.lines().find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
        line.and_then(|line| line.split(',').next()).map_or(0, |calls| calls.parse().unwrap())
    }

    fn client(&self) -> Client {
        let (host, port) = (self.config.host.clone(), self.config.port);
        let address = match self.config.tls {
            Tls::Off => ConnectionAddr::Tcp(host, port),
            _ => ConnectionAddr::TcpTls { host, port, insecure: true, tls_params: None },
        };
        let mut login = RedisConnectionInfo::default().set_db(self.config.database.into());
        if let Some(username) = &self.config.username {
            login = login.set_username(username);
        }
        if let Some(password) = &self.config.password {
            login = login.set_password(password.expose_secret());
        }
        Client::open(address.into_connection_info().unwrap().set_redis_settings(login)).unwrap()
    }
}

impl Drop for Place {
    /// Leaves nothing behind on a Redis that is not ours.
    fn drop(&mut self) {
        if self.server.is_none() && !std::thread::panicking() {
            let keys = [&self.config.list, &self.seen(), &self.claims()];
            redis::cmd("DEL").arg(&keys).exec(&mut self.client().get_connection().unwrap()).unwrap();
        }
    }
}

/// The configuration for a server on this port of loopback.
pub fn config(port: u16) -> RedisConfig {
    let mut env = Reader::from_pairs([]);
    let config = RedisConfig::read(&mut env);
    RedisConfig { host: "127.0.0.1".to_owned(), port, list: unique("dlq-test"), ..config }
}

/// As an ACL user whose password is its name.
pub fn as_user(config: &RedisConfig, name: &str) -> RedisConfig {
    RedisConfig { username: Some(name.to_owned()), password: Some(SecretString::from(name)), ..config.clone() }
}

/// A dead letter of its own.
pub fn dead_letter() -> DeadLetter {
    testkit::builders::dead_letter(unique("not JSON"))
}

/// So many of them.
pub fn dead_letters(count: usize) -> Vec<DeadLetter> {
    (0..count).map(|_| dead_letter()).collect()
}

/// To stderr itself: what a test prints in the usual way is shown only when it fails.
pub fn say(text: &str) {
    let test = std::thread::current().name().unwrap_or_default().to_owned();
    std::io::stderr().write_all(format!("{test} {text}\n").as_bytes()).unwrap();
}

/// A bound for what takes milliseconds.
pub const SOON: Duration = Duration::from_secs(20);

/// The word with which Redis refuses, before what we say to look at.
pub fn word(fault: &Fault) -> &str {
    fault.subject.split(':').next().unwrap_or_default()
}
