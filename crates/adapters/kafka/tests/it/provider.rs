//! An identity provider: a token endpoint on loopback that gives unsigned tokens.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use openssl::ssl::{SslAcceptor, SslFiletype, SslMethod};
use serde_json::json;

pub const CLIENT: &str = "pipeline";
pub const SECRET: &str = "correct horse";

pub struct Provider {
    pub url: String,
    given: Arc<AtomicUsize>,
}

impl Provider {
    /// Its tokens live for so long, and say that they are of this user.
    pub fn start(life: Duration, user: &'static str) -> Self {
        Self::listen("http", life, user, |connection, answer| answer(connection))
    }

    /// With the certificate of the broker, which is for the name `localhost`.
    pub fn start_encrypted(dir: &Path, life: Duration, user: &'static str) -> Self {
        let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
        acceptor.set_certificate_file(dir.join("broker.pem"), SslFiletype::PEM).unwrap();
        acceptor.set_private_key_file(dir.join("broker.key"), SslFiletype::PEM).unwrap();
        let acceptor = acceptor.build();
        Self::listen("https", life, user, move |connection, answer| {
            // A client that does not trust it hangs up.
            if let Ok(mut connection) = acceptor.accept(connection) {
                answer(&mut connection);
            }
        })
    }

    fn listen(
        scheme: &str,
        life: Duration,
        user: &'static str,
        accept: impl Fn(&mut std::net::TcpStream, &dyn Fn(&mut dyn Connection)) + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("{scheme}://localhost:{}/token", listener.local_addr().unwrap().port());
        let given = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&given);
        thread::spawn(move || {
            for mut connection in listener.incoming().flatten() {
                accept(&mut connection, &|connection| answer(connection, life, user, &count));
            }
        });
        Self { url, given }
    }

    /// How many tokens it has given.
    pub fn given(&self) -> usize {
        self.given.load(Ordering::Relaxed)
    }
}

trait Connection: Read + Write {}

impl<T: Read + Write> Connection for T {}

fn answer(connection: &mut dyn Connection, life: Duration, user: &str, given: &AtomicUsize) {
    let (mut question, mut part) = (Vec::new(), [0; 4_096]);
    // The form stands at the end.
    while !question.ends_with(b"scope=kafka") {
        match connection.read(&mut part) {
            Ok(bytes @ 1..) => question.extend(&part[..bytes]),
            _ => return,
        }
    }
    let question = String::from_utf8(question).unwrap();
    let right = format!("authorization: Basic {}\r\n", STANDARD.encode(format!("{CLIENT}:{SECRET}")));
    let is_right = question.starts_with("POST /token ") && question.contains(&right) && question.contains("grant_type=client_credentials&");
    let (status, body) = if is_right {
        given.fetch_add(1, Ordering::Relaxed);
        ("200 OK", json!({ "access_token": token(life, user), "token_type": "Bearer", "expires_in": life.as_secs() }))
    } else {
        ("401 Unauthorized", json!({ "error": "invalid_client" }))
    };
    let body = body.to_string();
    let head =
        format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    connection.write_all((head + &body).as_bytes()).ok();
}

/// As Kafka takes it where nothing else was configured: RFC 7515, appendix A.5.
fn token(life: Duration, user: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let part = |claims: serde_json::Value| URL_SAFE_NO_PAD.encode(claims.to_string());
    format!("{}.{}.", part(json!({ "alg": "none" })), part(json!({ "sub": user, "iat": now, "exp": now + life.as_secs() })))
}
