//! An encrypted connection.

use std::path::Path;
use std::process::{Command, Stdio};

use pipeline::FaultClass;
use pipeline::ports::DeadLetterQueue as _;
use redis_dlq::config::Tls;
use redis_dlq::{RedisConfig, RedisDlq};
use tempfile::TempDir;

use crate::place::{self, Place, as_user, dead_letters, say};
use crate::server::free_port;

/// Makes a certificate that signs itself; `None` when `openssl` is not installed.
fn certificate(dir: &Path, name: &str) -> Option<(String, String)> {
    let [key, pem] = ["key", "pem"].map(|kind| dir.join(format!("{name}.{kind}")).display().to_string());
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"])
        .args(["-addext", "subjectAltName=DNS:localhost", "-keyout", &key, "-out", &pem])
        .stderr(Stdio::null())
        .status();
    match made {
        Ok(status) => assert!(status.success()),
        Err(_) => {
            say("did not run: openssl is not installed");
            return None;
        }
    }
    Some((key, pem))
}

/// A server that speaks TLS, beside plain text for the test itself.
struct Encrypted {
    place: Place,
    port: u16,
    dir: TempDir,
}

impl Encrypted {
    fn start() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let (key, pem) = certificate(dir.path(), "server")?;
        let port = free_port();
        let tls_port = port.to_string();
        let certificates = ["--tls-cert-file", &pem, "--tls-key-file", &key, "--tls-ca-cert-file", &pem, "--tls-auth-clients", "no"];
        let place = Place::own(&[&["--tls-port", &tls_port][..], &certificates].concat())?;
        Some(Self { place, port, dir })
    }

    /// How to reach it by TLS, under this name and with the authority of this file.
    fn config(&self, host: &str, authority: &str) -> RedisConfig {
        let tls = Tls::Authorities(std::fs::read(self.dir.path().join(authority)).unwrap());
        RedisConfig { host: host.to_owned(), port: self.port, tls, ..self.place.config.clone() }
    }
}

#[tokio::test]
async fn an_encrypted_connection_is_made_only_to_a_server_that_proves_its_name() {
    let Some(server) = Encrypted::start() else { return };
    certificate(server.dir.path(), "stranger").unwrap();
    let right = server.config("localhost", "server.pem");
    assert_eq!(RedisDlq::new(&right).unwrap().push(&dead_letters(1)).await, Ok(1));
    let system = RedisConfig { tls: Tls::SystemAuthorities, ..right };
    for refused in [system, server.config("localhost", "stranger.pem"), server.config("127.0.0.1", "server.pem")] {
        let fault = RedisDlq::new(&refused).unwrap().push(&dead_letters(1)).await.unwrap_err();
        assert_eq!(fault.class, FaultClass::Operator);
        assert!(fault.subject.contains("REDIS_CA_FILE") && fault.subject.contains("REDIS_HOST"), "{fault}");
    }
}

#[tokio::test]
async fn an_acl_user_works_over_an_encrypted_connection_and_its_password_and_rights_are_checked() {
    let Some(server) = Encrypted::start() else { return };
    let Place { config: RedisConfig { list, .. }, .. } = &server.place;
    // What the dead letters need, and no more.
    let commands = "+@connection +evalsha +script|load +time +zadd +zscore +zremrangebyscore +lpush";
    let _: () = server.place.run(&format!("ACL SETUSER pipeline reset on >pipeline ~{list}* {commands}")).await;
    let right = as_user(&server.config("localhost", "server.pem"), "pipeline");
    assert_eq!(RedisDlq::new(&right).unwrap().push(&dead_letters(1)).await, Ok(1));

    let nobody = RedisConfig { username: Some("canary".to_owned()), ..right.clone() };
    for refused in [RedisConfig { password: Some("canary".into()), ..right.clone() }, nobody] {
        let fault = RedisDlq::new(&refused).unwrap().push(&dead_letters(1)).await.unwrap_err();
        assert_eq!(fault.class, FaultClass::Operator);
        assert!(fault.subject.contains("REDIS_USERNAME") && fault.subject.contains("REDIS_PASSWORD"), "{fault}");
        assert!(!format!("{fault:?} {fault}").contains("canary"));
    }
    let elsewhere = RedisConfig { list: "other".to_owned(), ..right };
    let fault = RedisDlq::new(&elsewhere).unwrap().push(&dead_letters(1)).await.unwrap_err();
    assert_eq!(fault.class, FaultClass::Operator);
    assert!(fault.subject.starts_with("rights: "), "{fault}");
}

#[tokio::test]
async fn a_url_that_begins_with_rediss_is_encrypted() {
    let Some(server) = Encrypted::start() else { return };
    let url = format!("rediss://localhost:{}", server.port);
    let authority = server.dir.path().join("server.pem").display().to_string();
    let mut env = settings::Reader::from_pairs([("REDIS_URL", url.as_str()), ("REDIS_CA_FILE", &authority)]);
    let config = RedisConfig::read(&mut env);
    env.finish().unwrap();
    assert_eq!(RedisDlq::new(&config).unwrap().push(&dead_letters(1)).await, Ok(1));
    let unknown = RedisConfig { tls: Tls::SystemAuthorities, ..config };
    let fault = RedisDlq::new(&unknown).unwrap().push(&dead_letters(1)).await.unwrap_err();
    assert!(fault.subject.contains("REDIS_CA_FILE"), "{fault}");
}

#[test]
fn a_file_without_certificates_is_said_at_once() {
    let tls = Tls::Authorities(b"not PEM".to_vec());
    let fault = RedisDlq::new(&RedisConfig { tls, ..place::config(1) }).unwrap_err();
    assert_eq!(fault.class, FaultClass::Operator);
    assert!(fault.subject.contains("REDIS_CA_FILE"), "{fault}");
}
