//! Where Redis is, and which list.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use settings::{ExposeSecret as _, Reader, SecretString};

use crate::faults::MOST_REPLICAS;
use crate::node::Node;
use crate::sentinel_config::SentinelConfig;
use crate::url::{self, Address, Url};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How to reach Redis and where the dead letters go.
#[derive(Clone, Debug)]
pub struct RedisConfig {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// A socket of this machine, in place of host and port.
    pub socket: Option<PathBuf>,
    /// Who knows where it is, in place of host and port.
    pub sentinels: Option<SentinelConfig>,
    /// ACL user; `None` is the user `default`.
    pub username: Option<String>,
    /// The user's password.
    pub password: Option<SecretString>,
    /// Number of the logical database.
    pub database: u16,
    /// Key of the list; see [`crate::keys`] for those beside it.
    pub list: String,
    /// Whether and how the connection is encrypted.
    pub tls: Tls,
    /// How long one call may take, connecting included.
    pub timeout: Duration,
    /// How many replicas must acknowledge a dead letter before it counts as pushed.
    pub wait_replicas: u8,
    /// How long a dead letter's identity is remembered, so that a record that is consumed again is not listed again.
    pub seen_retention: Duration,
}

/// Encryption of the connection. With it, the server's certificate and host name are always checked.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Tls {
    /// Plain TCP.
    #[default]
    Off,
    /// TLS; the certificate must come from an authority that the system trusts.
    SystemAuthorities,
    /// TLS; the certificate must come from an authority in this PEM text, and from no other.
    Authorities(Vec<u8>),
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "Off",
            Self::SystemAuthorities => "SystemAuthorities",
            Self::Authorities(_) => "Authorities",
        })
    }
}

impl RedisConfig {
    /// Reads the settings.
    pub fn read(env: &mut Reader) -> Self {
        let url = read_url(env);
        let config = Self {
            host: env.host("REDIS_HOST", "localhost", "Host of Redis, which holds the dead letters."),
            port: env.number("REDIS_PORT", 6379, 1..=65535, "Port of Redis."),
            socket: None,
            sentinels: SentinelConfig::read(env),
            username: env.optional("REDIS_USERNAME", "ACL user of Redis; without it the user is `default`."),
            password: env.secret("REDIS_PASSWORD", "Password of the Redis user."),
            database: env.number("REDIS_DB", 0, 0..=u16::MAX, "Number of the Redis database."),
            list: env.text("REDIS_DLQ_KEY", "dlq:events", "Key of the Redis list that holds the dead letters."),
            tls: read_tls(env, url.as_ref()),
            timeout: env.duration("REDIS_TIMEOUT", 5 * SECOND, SECOND / 10..=60 * SECOND, "How long one call to Redis may take."),
            wait_replicas: env.number(
                "REDIS_WAIT_REPLICAS",
                0,
                0..=MOST_REPLICAS,
                "How many replicas of Redis must acknowledge a dead letter before its offset is committed, each within half of REDIS_TIMEOUT.",
            ),
            seen_retention: env.duration(
                "DLQ_SEEN_RETENTION",
                30 * DAY,
                60 * SECOND..=3650 * DAY,
                "How long a dead letter is remembered, so that a replay does not list it again; more than the topic's retention.",
            ),
        };
        let config = url.map_or(config.clone(), |url| config.at(url, env));
        if config.username.is_some() && config.password.is_none() {
            env.problem("REDIS_USERNAME", "needs REDIS_PASSWORD beside it");
        }
        config
    }

    /// Whether these settings name a Redis.
    pub fn is_set(env: &Reader) -> bool {
        ["REDIS_HOST", REDIS_URL, "REDIS_SENTINELS"].iter().any(|name| env.is_set(name))
    }

    /// Where it is, for messages: without the login.
    pub fn address(&self) -> String {
        match (&self.sentinels, &self.socket) {
            (Some(sentinels), _) => sentinels.address(),
            (None, Some(socket)) => socket.display().to_string(),
            (None, None) => self.node().to_string(),
        }
    }

    /// Host and port.
    pub(crate) fn node(&self) -> Node {
        Node { host: self.host.clone(), port: self.port }
    }

    /// The same at this URL; what it leaves out is left to the single variables.
    fn at(self, url: Url, env: &mut Reader) -> Self {
        let said = [
            ("REDIS_HOST", true),
            ("REDIS_PORT", true),
            ("REDIS_USERNAME", url.username.is_some()),
            ("REDIS_PASSWORD", url.password.is_some()),
            ("REDIS_DB", url.database.is_some()),
            ("REDIS_TLS", true),
        ];
        for (name, _) in said.into_iter().filter(|(_, said)| *said) {
            if env.is_set(name) {
                env.problem(name, "is set beside REDIS_URL, which says the same: set one of them");
            }
            env.show(name, "as REDIS_URL says".to_owned());
        }
        let (host, port, socket) = match url.address {
            Address::Tcp { host, port, .. } => (host, port, None),
            Address::Socket(path) => (self.host, self.port, Some(path)),
        };
        Self {
            host,
            port,
            socket,
            username: url.username.or(self.username),
            password: url.password.or(self.password),
            database: url.database.unwrap_or(self.database),
            ..self
        }
    }
}

const REDIS_URL: &str = "REDIS_URL";

fn read_url(env: &mut Reader) -> Option<Url> {
    let help = "Where Redis is, in place of REDIS_HOST, REDIS_PORT, REDIS_TLS and the login: redis://user:password@host:port/database, rediss:// \
                with TLS, or unix:///path; a secret as a whole.";
    let text = env.secret(REDIS_URL, help)?;
    url::read(text.expose_secret()).map_err(|problem| env.problem(REDIS_URL, problem)).ok()
}

fn read_tls(env: &mut Reader, url: Option<&Url>) -> Tls {
    let on = env.choice("REDIS_TLS", &[("off", false), ("on", true)], "Whether the connection to Redis is encrypted: on or off.");
    let on = url.map_or(on, |url| matches!(url.address, Address::Tcp { encrypted: true, .. }));
    let file = env.optional("REDIS_CA_FILE", "PEM file of the authorities to trust for Redis; without it those of the system.");
    match (on, file) {
        (false, None) => Tls::Off,
        (false, Some(_)) => {
            env.problem("REDIS_CA_FILE", "has no effect without REDIS_TLS=on or a REDIS_URL that begins with rediss://");
            Tls::Off
        }
        (true, None) => Tls::SystemAuthorities,
        (true, Some(file)) => match std::fs::read(file) {
            Ok(pem) => Tls::Authorities(pem),
            Err(_) => {
                env.problem("REDIS_CA_FILE", "cannot be read");
                Tls::SystemAuthorities
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems<'p>(pairs: impl IntoIterator<Item = (&'p str, &'p str)>) -> String {
        let mut env = Reader::from_pairs(pairs);
        RedisConfig::read(&mut env);
        env.finish().map_or_else(|problems| problems.to_string(), |_| String::new())
    }

    #[test]
    fn the_defaults_are_those_that_users_know() {
        let mut env = Reader::from_pairs([]);
        let config = RedisConfig::read(&mut env);
        assert_eq!((config.host.as_str(), config.port, config.database), ("localhost", 6379, 0));
        assert_eq!((config.list.as_str(), config.tls), ("dlq:events", Tls::Off));
        assert_eq!((config.timeout, config.seen_retention), (Duration::from_secs(5), Duration::from_secs(2_592_000)));
        assert!(env.finish().is_ok());
    }

    #[test]
    fn settings_that_do_not_go_together_are_reported_at_once() {
        let text = problems([("REDIS_CA_FILE", "/ca.pem"), ("REDIS_USERNAME", "pipeline"), ("REDIS_PORT", "0")]);
        assert!(text.starts_with("3 settings are wrong:"), "{text}");
        let text = problems([("REDIS_TLS", "on"), ("REDIS_CA_FILE", "/no/such/file")]);
        assert!(text.ends_with("REDIS_CA_FILE cannot be read"), "{text}");
    }

    #[test]
    fn a_url_says_where_redis_is_and_leaves_the_rest_to_the_single_variables() {
        let read = |pairs: &[(&str, &str)]| {
            let mut env = Reader::from_pairs(pairs.iter().copied());
            let config = RedisConfig::read(&mut env);
            (config, env.finish().map(drop).map_err(|problems| problems.to_string()))
        };
        let (config, problems) = read(&[(REDIS_URL, "rediss://cache:6380/3"), ("REDIS_USERNAME", "ada"), ("REDIS_PASSWORD", "hunter2")]);
        assert_eq!(problems, Ok(()));
        assert_eq!((config.address().as_str(), config.database, &config.tls), ("cache:6380", 3, &Tls::SystemAuthorities));
        assert_eq!((config.username.as_deref(), config.password.unwrap().expose_secret()), (Some("ada"), "hunter2"));
        let (config, problems) = read(&[(REDIS_URL, "unix:///run/redis.sock?pass=hunter2"), ("REDIS_DB", "2")]);
        assert_eq!(problems, Ok(()));
        assert_eq!((config.address().as_str(), config.database, &config.tls), ("/run/redis.sock", 2, &Tls::Off));
        assert_eq!(config.password.unwrap().expose_secret(), "hunter2");
    }

    #[test]
    fn what_a_url_and_a_variable_both_say_is_refused_by_both_names() {
        let url = (REDIS_URL, "redis://ada:hunter2@cache:6380/3");
        for (name, value) in [
            ("REDIS_HOST", "cache"),
            ("REDIS_PORT", "6380"),
            ("REDIS_USERNAME", "ada"),
            ("REDIS_PASSWORD", "hunter2"),
            ("REDIS_DB", "3"),
            ("REDIS_TLS", "off"),
        ] {
            let text = problems([url, (name, value)]);
            assert!(text.contains(&format!("{name} is set beside REDIS_URL")) && !text.contains("hunter2"), "{text}");
        }
        let text = problems([(REDIS_URL, "redis://:hunter2@")]);
        assert!(text.contains("REDIS_URL must be redis://") && !text.contains("hunter2"), "{text}");
    }

    #[test]
    fn a_url_is_shown_nowhere() {
        let mut env = Reader::from_pairs([(REDIS_URL, "redis://ada:hunter2@cache:6380/3")]);
        let config = RedisConfig::read(&mut env);
        let told = format!("{config:?} {} {:?} {:?}", config.address(), env.shown(), env.variables());
        assert!(!told.contains("hunter2") && told.contains("as REDIS_URL says"), "{told}");
    }

    #[test]
    fn debug_shows_no_secret() {
        let mut env = Reader::from_pairs([("REDIS_PASSWORD", "hunter2")]);
        let text = format!("{:?}", RedisConfig { tls: Tls::Authorities(b"pem".to_vec()), ..RedisConfig::read(&mut env) });
        assert!(!text.contains("hunter2") && text.contains("tls: Authorities"), "{text}");
    }
}
