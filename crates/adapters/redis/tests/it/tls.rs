//! An encrypted connection.

use std::path::Path;
use std::process::{Command, Stdio};

use pipeline::FaultClass;
use pipeline::ports::DeadLetterQueue as _;
use redis_dlq::config::Tls;
use redis_dlq::{RedisConfig, RedisDlq};

use crate::place::{self, letters, say};
use crate::server::{Server, free_port};

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

#[tokio::test]
async fn an_encrypted_connection_is_made_only_to_a_server_that_proves_its_name() {
    let dir = tempfile::tempdir().unwrap();
    let Some((key, pem)) = certificate(dir.path(), "server") else { return };
    let Some((_, stranger)) = certificate(dir.path(), "stranger") else { return };
    let port = free_port();
    let tls_port = port.to_string();
    let arguments =
        ["--tls-port", &tls_port, "--tls-cert-file", &pem, "--tls-key-file", &key, "--tls-ca-cert-file", &pem, "--tls-auth-clients", "no"];
    let Some(_server) = Server::start(&arguments) else {
        return say("did not run: redis-server is not installed");
    };
    let queue = |host: &str, tls| RedisDlq::new(&RedisConfig { host: host.to_owned(), tls, ..place::config(port) }).unwrap();
    let authorities = |file: &str| Tls::Authorities(std::fs::read(file).unwrap());
    assert_eq!(queue("localhost", authorities(&pem)).push(&letters(1)).await, Ok(1));
    for refused in
        [queue("localhost", authorities(&stranger)), queue("localhost", Tls::SystemAuthorities), queue("127.0.0.1", authorities(&pem))]
    {
        let fault = refused.push(&letters(1)).await.unwrap_err();
        assert_eq!((fault.class, fault.subject), (FaultClass::Operator, "tls"));
    }
}

#[test]
fn a_file_without_certificates_is_said_at_once() {
    let tls = Tls::Authorities(b"not PEM".to_vec());
    let fault = RedisDlq::new(&RedisConfig { tls, ..place::config(1) }).unwrap_err();
    assert_eq!((fault.class, fault.subject), (FaultClass::Operator, "certificates"));
}
