//! TLS and SASL.

use std::fs;

use reqwest::Certificate;
use secrecy::SecretString;
use settings::Reader;

use crate::oauth::{Endpoint, Tokens};

const CA_FILE: &str = "KAFKA_SSL_CA_FILE";
const CERTIFICATE_FILE: &str = "KAFKA_SSL_CERTIFICATE_FILE";
const KEY_FILE: &str = "KAFKA_SSL_KEY_FILE";
const KEY_PASSWORD: &str = "KAFKA_SSL_KEY_PASSWORD";
const USERNAME: &str = "KAFKA_SASL_USERNAME";
const PASSWORD: &str = "KAFKA_SASL_PASSWORD";
const MECHANISM: &str = "KAFKA_SASL_MECHANISM";
const OAUTHBEARER: &str = "OAUTHBEARER";
const ENDPOINT: &str = "KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL";
const CLIENT_ID: &str = "KAFKA_SASL_OAUTHBEARER_CLIENT_ID";
const CLIENT_SECRET: &str = "KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET";
const SCOPE: &str = "KAFKA_SASL_OAUTHBEARER_SCOPE";
const TOKEN_CA_FILE: &str = "KAFKA_SASL_OAUTHBEARER_CA_FILE";

const NOT_ENCRYPTED: &str = "is set, but KAFKA_SECURITY_PROTOCOL does not ask for SSL: nothing would be encrypted";

/// How the lines end that PEM begins with, whatever the format of the key.
const CERTIFICATE: &[u8] = b"CERTIFICATE-----";
const KEY: &[u8] = b"PRIVATE KEY-----";

/// How the connection is protected.
#[derive(Clone, Debug)]
pub enum Security {
    /// Neither encrypted nor authenticated.
    Plaintext,
    /// Encrypted; the client shows a certificate if it has one.
    Ssl(Tls),
    /// A user name and a password over an open connection.
    SaslPlaintext(Sasl),
    /// A user name and a password over an encrypted connection.
    SaslSsl(Sasl, Tls),
}

/// Files for TLS, in PEM.
#[derive(Clone, Debug, Default)]
pub struct Tls {
    /// Certificates of the authorities that are trusted; without it those of the system.
    pub ca_file: Option<String>,
    /// The client's certificate.
    pub certificate_file: Option<String>,
    /// Its key.
    pub key_file: Option<String>,
    /// The key's password.
    pub key_password: Option<SecretString>,
}

/// Who logs in, and how.
#[derive(Clone, Debug)]
pub enum Sasl {
    /// With a name and a password.
    Password {
        /// `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`.
        mechanism: &'static str,
        /// The user.
        username: String,
        /// The password.
        password: SecretString,
    },
    /// `OAUTHBEARER`: with tokens of an identity provider.
    Tokens(Tokens),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Plaintext,
    Ssl,
    SaslPlaintext,
    SaslSsl,
}

impl Security {
    /// Reads the protocol and everything that belongs to it. A setting that the protocol would ignore is a problem: whoever set it
    /// believes the connection to be safer than it is.
    pub fn read(env: &mut Reader) -> Self {
        let protocol = env.choice(
            "KAFKA_SECURITY_PROTOCOL",
            &[
                ("PLAINTEXT", Protocol::Plaintext),
                ("SSL", Protocol::Ssl),
                ("SASL_PLAINTEXT", Protocol::SaslPlaintext),
                ("SASL_SSL", Protocol::SaslSsl),
            ],
            "`PLAINTEXT`, `SSL`, `SASL_PLAINTEXT` or `SASL_SSL`.",
        );
        let with_sasl = matches!(protocol, Protocol::SaslPlaintext | Protocol::SaslSsl);
        let with_tls = matches!(protocol, Protocol::Ssl | Protocol::SaslSsl);
        let (sasl, tls) = (Sasl::read(env, with_sasl), Tls::read(env, with_tls));
        match protocol {
            Protocol::Plaintext => Self::Plaintext,
            Protocol::Ssl => Self::Ssl(tls),
            Protocol::SaslPlaintext => Self::SaslPlaintext(sasl),
            Protocol::SaslSsl => Self::SaslSsl(sasl, tls),
        }
    }

    /// The name that librdkafka knows it by.
    pub(crate) const fn protocol(&self) -> &'static str {
        match self {
            Self::Plaintext => "plaintext",
            Self::Ssl(_) => "ssl",
            Self::SaslPlaintext(_) => "sasl_plaintext",
            Self::SaslSsl(..) => "sasl_ssl",
        }
    }

    /// The TLS part, where there is one.
    pub(crate) const fn tls(&self) -> Option<&Tls> {
        match self {
            Self::Ssl(tls) | Self::SaslSsl(_, tls) => Some(tls),
            Self::Plaintext | Self::SaslPlaintext(_) => None,
        }
    }

    /// The SASL part, where there is one.
    pub(crate) const fn sasl(&self) -> Option<&Sasl> {
        match self {
            Self::SaslPlaintext(sasl) | Self::SaslSsl(sasl, _) => Some(sasl),
            Self::Plaintext | Self::Ssl(_) => None,
        }
    }
}

impl Sasl {
    fn read(env: &mut Reader, used: bool) -> Self {
        let mechanism = env.choice(
            MECHANISM,
            &[("SCRAM-SHA-512", "SCRAM-SHA-512"), ("SCRAM-SHA-256", "SCRAM-SHA-256"), ("PLAIN", "PLAIN"), (OAUTHBEARER, OAUTHBEARER)],
            "SASL mechanism: `SCRAM-SHA-512`, `SCRAM-SHA-256`, `PLAIN` or `OAUTHBEARER`.",
        );
        let (passwords, tokens) = (used && mechanism != OAUTHBEARER, used && mechanism == OAUTHBEARER);
        let username = env.optional(USERNAME, "SASL user.");
        let password = env.secret(PASSWORD, "SASL password.");
        let url = env.optional(ENDPOINT, "Where tokens for `OAUTHBEARER` come from: an OAuth 2.0 token endpoint.");
        let client_id = env.optional(CLIENT_ID, "Who asks there, by the grant `client_credentials`.");
        let client_secret = env.secret(CLIENT_SECRET, "Secret of that client.");
        let scope = env.optional(SCOPE, "Scope that is asked for, for providers that want one.");
        let ca_file = env.optional(TOKEN_CA_FILE, "PEM file of authorities to trust for the token endpoint beside those of the system.");
        let set = [
            (USERNAME, username.is_some(), passwords, true),
            (PASSWORD, password.is_some(), passwords, true),
            (ENDPOINT, url.is_some(), tokens, true),
            (CLIENT_ID, client_id.is_some(), tokens, true),
            (CLIENT_SECRET, client_secret.is_some(), tokens, true),
            (SCOPE, scope.is_some(), tokens, false),
            (TOKEN_CA_FILE, ca_file.is_some(), tokens, false),
        ];
        for (name, is_set, is_used, is_needed) in set {
            match (is_used, is_set) {
                (true, false) if is_needed => {
                    env.problem(name, "must be set, because KAFKA_SECURITY_PROTOCOL and KAFKA_SASL_MECHANISM ask for it");
                }
                (false, true) if !used => {
                    env.problem(name, "is set, but KAFKA_SECURITY_PROTOCOL does not ask for SASL: nobody would log in");
                }
                (false, true) => env.problem(name, "is set, but KAFKA_SASL_MECHANISM does not use it"),
                _ => {}
            }
        }
        if !tokens {
            return Self::Password { mechanism, username: username.unwrap_or_default(), password: password.unwrap_or_default() };
        }
        let url = url.unwrap_or_default();
        if !url.is_empty() && !is_endpoint(&url) {
            env.problem(ENDPOINT, "must be a URL without a user or a password in it, https:// (or http:// on this machine)");
        }
        let authorities = ca_file.map(|path| authorities(env, &path)).unwrap_or_default();
        let endpoint = Endpoint {
            url,
            client_id: client_id.unwrap_or_default(),
            client_secret: client_secret.unwrap_or_default(),
            scope,
            authorities,
        };
        Self::Tokens(Tokens::of(endpoint))
    }
}

/// Whether the secret may be sent there: to another machine only over an encrypted connection.
fn is_endpoint(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else { return false };
    let here = url.host_str().is_some_and(|host| matches!(host, "localhost" | "127.0.0.1" | "[::1]"));
    url.username().is_empty() && url.password().is_none() && (url.scheme() == "https" || url.scheme() == "http" && here)
}

fn authorities(env: &mut Reader, path: &str) -> Vec<Certificate> {
    let read = fs::read(path).ok().and_then(|bytes| Certificate::from_pem_bundle(&bytes).ok()).filter(|found| !found.is_empty());
    if read.is_none() {
        env.problem(TOKEN_CA_FILE, "names a file without certificates in PEM, or that cannot be read");
    }
    read.unwrap_or_default()
}

impl Tls {
    fn read(env: &mut Reader, used: bool) -> Self {
        let tls = Self {
            ca_file: env.optional(CA_FILE, "PEM file of the authorities that are trusted; without it those of the system."),
            certificate_file: env.optional(CERTIFICATE_FILE, "PEM file of the client's certificate, for brokers that ask for one."),
            key_file: env.optional(KEY_FILE, "PEM file of the key of the client's certificate."),
            key_password: env.secret(KEY_PASSWORD, "Password of that key."),
        };
        for (name, path, line, missing) in [
            (CA_FILE, &tls.ca_file, CERTIFICATE, "names a file without certificates in PEM"),
            (CERTIFICATE_FILE, &tls.certificate_file, CERTIFICATE, "names a file without a certificate in PEM"),
            (KEY_FILE, &tls.key_file, KEY, "names a file without a key in PEM"),
        ] {
            let Some(path) = path else { continue };
            match fs::read(path) {
                _ if !used => env.problem(name, NOT_ENCRYPTED),
                Err(_) => env.problem(name, "names a file that cannot be read"),
                Ok(bytes) if !bytes.windows(line.len()).any(|window| window == line) => env.problem(name, missing),
                Ok(_) => {}
            }
        }
        match &tls.key_password {
            Some(_) if !used => env.problem(KEY_PASSWORD, NOT_ENCRYPTED),
            Some(_) if tls.key_file.is_none() => {
                env.problem(KEY_PASSWORD, "is set, but KAFKA_SSL_KEY_FILE names no key that it could open");
            }
            _ => {}
        }
        if tls.certificate_file.is_some() != tls.key_file.is_some() {
            env.problem(if tls.key_file.is_some() { CERTIFICATE_FILE } else { KEY_FILE }, "must be set: certificate and key go together");
        }
        tls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(pairs: &[(&str, &str)]) -> Vec<&'static str> {
        let mut env = Reader::from_pairs(pairs.iter().copied());
        Security::read(&mut env);
        env.finish().err().map(|problems| problems.0.iter().map(|problem| problem.name).collect()).unwrap_or_default()
    }

    #[test]
    fn what_the_protocol_needs_must_be_there_and_what_it_would_ignore_must_not() {
        assert!(problems(&[]).is_empty());
        assert_eq!(problems(&[("KAFKA_SECURITY_PROTOCOL", "SASL_SSL")]), [USERNAME, PASSWORD]);
        assert_eq!(problems(&[(USERNAME, "ada")]), [USERNAME]);
        let tokens = [("KAFKA_SECURITY_PROTOCOL", "SASL_SSL"), (MECHANISM, OAUTHBEARER)];
        assert_eq!(problems(&tokens), [ENDPOINT, CLIENT_ID, CLIENT_SECRET]);
        assert_eq!(problems(&[(SCOPE, "kafka")]), [SCOPE]);
        let with = |more: (&'static str, &'static str)| {
            let right = [(ENDPOINT, "https://id.example/token"), (CLIENT_ID, "ada"), (CLIENT_SECRET, "hunter2")];
            let right = right.into_iter().filter(|(name, _)| *name != more.0);
            problems(&tokens.into_iter().chain(right).chain([more]).collect::<Vec<_>>())
        };
        assert!(with((SCOPE, "kafka")).is_empty());
        assert_eq!(with((USERNAME, "ada")), [USERNAME]);
        assert_eq!(with((TOKEN_CA_FILE, "Cargo.toml")), [TOKEN_CA_FILE]);
        for url in ["http://id.example/token", "https://ada:hunter2@id.example/token", "id.example"] {
            assert_eq!(with((ENDPOINT, url)), [ENDPOINT], "{url}");
        }
        assert!(with((ENDPOINT, "http://127.0.0.1:8080/token")).is_empty());
        assert_eq!(problems(&[(CA_FILE, "Cargo.toml")]), [CA_FILE]);
        assert_eq!(problems(&[(KEY_PASSWORD, "hunter2")]), [KEY_PASSWORD]);
        assert_eq!(problems(&[("KAFKA_SECURITY_PROTOCOL", "SSL"), (KEY_PASSWORD, "hunter2")]), [KEY_PASSWORD]);
        // This file holds the first line of either.
        assert_eq!(problems(&[("KAFKA_SECURITY_PROTOCOL", "SSL"), (KEY_FILE, "src/security.rs")]), [CERTIFICATE_FILE]);
        assert_eq!(problems(&[("KAFKA_SECURITY_PROTOCOL", "SSL"), (CERTIFICATE_FILE, "src/security.rs")]), [KEY_FILE]);
    }

    #[test]
    fn what_cannot_hold_certificates_is_found_before_anything_is_opened() {
        for path in ["no-such-file.pem", "src", "Cargo.toml"] {
            assert_eq!(problems(&[("KAFKA_SECURITY_PROTOCOL", "SSL"), (CA_FILE, path)]), [CA_FILE], "{path}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let mut env = Reader::from_pairs([
            ("KAFKA_SECURITY_PROTOCOL", "SASL_PLAINTEXT"),
            (USERNAME, "ada"),
            (PASSWORD, "hunter2"),
            (KEY_PASSWORD, "hunter2"),
        ]);
        let shown = format!("{:?}", Security::read(&mut env));
        assert!(shown.contains("ada") && !shown.contains("hunter2"), "{shown}");
    }
}
