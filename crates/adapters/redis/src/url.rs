//! `REDIS_URL`: where Redis is, and the login, in one text.
//!
//! The schemes are those of the [registration with IANA](https://www.iana.org/assignments/uri-schemes/prov/redis) and of the driver, which reads
//! the text. What the driver passes over is refused here: nothing that somebody wrote is without effect.

use std::path::PathBuf;

use redis::{ConnectionAddr, IntoConnectionInfo};
use settings::{SecretString, is_host};

/// What such a text says.
#[derive(Debug)]
pub(crate) struct Url {
    pub(crate) address: Address,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<SecretString>,
    /// `None` where it says none.
    pub(crate) database: Option<u16>,
}

/// Where Redis listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    Tcp { host: String, port: u16, encrypted: bool },
    Socket(PathBuf),
}

const FORM: &str = "must be redis://[[user]:password@]host[:port][/database], the same with rediss:// for TLS, or unix:///path[?db=N&user=…&pass=…], \
     with special characters of the password as %XX";

/// Reads it. What is wrong is told without any part of the text.
pub(crate) fn read(text: &str) -> Result<Url, &'static str> {
    let url = redis::parse_redis_url(text).ok_or(FORM)?;
    let names_database = match url.scheme() {
        "redis" | "rediss" if url.query().is_some() => return Err("has a query (?…), which means nothing here"),
        "redis" | "rediss" => !url.path().trim_matches('/').is_empty(),
        "unix" if url.query_pairs().any(|(key, _)| !["db", "user", "pass"].contains(&key.as_ref())) => {
            return Err("has something in its query other than db, user and pass");
        }
        "unix" => url.query_pairs().any(|(key, _)| key == "db"),
        _ => return Err(FORM),
    };
    if url.fragment().is_some() {
        return Err("has a #, which means nothing here: a certificate is always checked, and in a password it is %23");
    }
    let info = url.into_connection_info().map_err(|_| FORM)?;
    let address = match info.addr().clone() {
        ConnectionAddr::Tcp(host, port) => Address::Tcp { host, port, encrypted: false },
        ConnectionAddr::TcpTls { host, port, .. } => Address::Tcp { host, port, encrypted: true },
        ConnectionAddr::Unix(path) => Address::Socket(path),
        _ => return Err(FORM),
    };
    if matches!(&address, Address::Tcp { host, port, .. } if !is_host(host) || *port == 0) {
        return Err(FORM);
    }
    let login = info.redis_settings();
    let database = u16::try_from(login.db()).map_err(|_| "names a database that is no number from 0 to 65535")?;
    Ok(Url {
        address,
        username: login.username().map(str::to_owned),
        password: login.password().filter(|password| !password.is_empty()).map(SecretString::from),
        database: names_database.then_some(database),
    })
}

#[cfg(test)]
mod tests {
    use settings::ExposeSecret as _;

    use super::*;

    fn told(text: &str) -> (Address, Option<String>, Option<String>, Option<u16>) {
        let url = read(text).unwrap();
        (url.address, url.username, url.password.map(|password| password.expose_secret().to_owned()), url.database)
    }

    fn tcp(host: &str, port: u16, encrypted: bool) -> Address {
        Address::Tcp { host: host.to_owned(), port, encrypted }
    }

    #[test]
    fn host_port_login_database_and_encryption_are_read() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(told("redis://cache"), (tcp("cache", 6379, false), None, None, None));
        assert_eq!(
            told("rediss://ada:p%40ss%2Fword@cache.example.com:6380/3"),
            (tcp("cache.example.com", 6380, true), some("ada"), some("p@ss/word"), Some(3))
        );
        assert_eq!(told("redis://:word@[::1]:6400/"), (tcp("::1", 6400, false), None, some("word"), None));
    }

    #[test]
    fn a_socket_takes_its_login_from_the_query() {
        let socket = Address::Socket(PathBuf::from("/run/redis.sock"));
        assert_eq!(told("unix:///run/redis.sock"), (socket.clone(), None, None, None));
        let login = (socket, Some("ada".to_owned()), Some("p&ss".to_owned()), Some(2));
        assert_eq!(told("unix:///run/redis.sock?db=2&user=ada&pass=p%26ss"), login);
    }

    #[test]
    fn what_is_not_understood_is_refused_without_showing_it() {
        for text in [
            "canary",
            "canary:6379",
            "http://canary",
            "redis://",
            "redis://:canary@",
            "redis://:can/ary@host",
            "redis://user:12/canary@host",
            "redis://user:12#canary@host",
            "redis://user:12?canary@host",
            "redis://host/canary",
            "redis://host/-1",
            "redis://host/70000",
            "redis://host:0",
            "redis://0.0.0.0",
            "rediss://host/#insecure",
            "redis://host/?password=canary",
            "redis+unix:///canary",
            "unix:///run/redis.sock?password=canary",
        ] {
            let problem = read(text).unwrap_err();
            assert!(!problem.contains("canary"), "{text}: {problem}");
        }
    }
}
