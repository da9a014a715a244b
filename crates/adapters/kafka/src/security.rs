//! TLS and SASL.

use std::fs;

use secrecy::SecretString;
use settings::Reader;

const CA_FILE: &str = "KAFKA_SSL_CA_FILE";
const CERTIFICATE_FILE: &str = "KAFKA_SSL_CERTIFICATE_FILE";
const KEY_FILE: &str = "KAFKA_SSL_KEY_FILE";
const KEY_PASSWORD: &str = "KAFKA_SSL_KEY_PASSWORD";
const USERNAME: &str = "KAFKA_SASL_USERNAME";
const PASSWORD: &str = "KAFKA_SASL_PASSWORD";

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
pub struct Sasl {
    /// `PLAIN`, `SCRAM-SHA-256` or `SCRAM-SHA-512`.
    pub mechanism: &'static str,
    /// The user.
    pub username: String,
    /// The password.
    pub password: SecretString,
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
            "KAFKA_SASL_MECHANISM",
            &[("SCRAM-SHA-512", "SCRAM-SHA-512"), ("SCRAM-SHA-256", "SCRAM-SHA-256"), ("PLAIN", "PLAIN")],
            "SASL mechanism: `SCRAM-SHA-512`, `SCRAM-SHA-256` or `PLAIN`.",
        );
        let username = env.optional(USERNAME, "SASL user.");
        let password = env.secret(PASSWORD, "SASL password.");
        for (name, is_set) in [(USERNAME, username.is_some()), (PASSWORD, password.is_some())] {
            match (used, is_set) {
                (true, false) => env.problem(name, "must be set, because KAFKA_SECURITY_PROTOCOL asks for SASL"),
                (false, true) => env.problem(name, "is set, but KAFKA_SECURITY_PROTOCOL does not ask for SASL: nobody would log in"),
                _ => {}
            }
        }
        Self { mechanism, username: username.unwrap_or_default(), password: password.unwrap_or_default() }
    }
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
                _ if !used => env.problem(name, "is set, but KAFKA_SECURITY_PROTOCOL does not ask for SSL: nothing would be encrypted"),
                Err(_) => env.problem(name, "names a file that cannot be read"),
                Ok(bytes) if !bytes.windows(line.len()).any(|window| window == line) => env.problem(name, missing),
                Ok(_) => {}
            }
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
        assert_eq!(problems(&[(CA_FILE, "Cargo.toml")]), [CA_FILE]);
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
