//! Where Redis is, and which list.

use std::fmt;
use std::time::Duration;

use settings::{Reader, SecretString};

const SECOND: Duration = Duration::from_secs(1);
/// As many as there are sentences about fewer; see [`crate::faults`].
pub(crate) const MOST_REPLICAS: u8 = 5;
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How to reach Redis and where the dead letters go.
#[derive(Clone, Debug)]
pub struct RedisConfig {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
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
        let config = Self {
            host: env.host("REDIS_HOST", "localhost", "Host of Redis, which holds the dead letters."),
            port: env.number("REDIS_PORT", 6379, 1..=65535, "Port of Redis."),
            username: env.optional("REDIS_USERNAME", "ACL user of Redis; without it the user is `default`."),
            password: env.secret("REDIS_PASSWORD", "Password of the Redis user."),
            database: env.number("REDIS_DB", 0, 0..=u16::MAX, "Number of the Redis database."),
            list: env.text("REDIS_DLQ_KEY", "dlq:events", "Key of the Redis list that holds the dead letters."),
            tls: read_tls(env),
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
        if config.username.is_some() && config.password.is_none() {
            env.problem("REDIS_USERNAME", "needs REDIS_PASSWORD beside it");
        }
        config
    }
}

fn read_tls(env: &mut Reader) -> Tls {
    let on = env.choice("REDIS_TLS", &[("off", false), ("on", true)], "Whether the connection to Redis is encrypted: on or off.");
    let file = env.optional("REDIS_CA_FILE", "PEM file of the authorities to trust for Redis; without it those of the system.");
    match (on, file) {
        (false, None) => Tls::Off,
        (false, Some(_)) => {
            env.problem("REDIS_CA_FILE", "has no effect without REDIS_TLS=on");
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
    fn debug_shows_no_secret() {
        let mut env = Reader::from_pairs([("REDIS_PASSWORD", "hunter2")]);
        let text = format!("{:?}", RedisConfig { tls: Tls::Authorities(b"pem".to_vec()), ..RedisConfig::read(&mut env) });
        assert!(!text.contains("hunter2") && text.contains("tls: Authorities"), "{text}");
    }
}
