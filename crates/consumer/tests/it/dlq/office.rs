//! `/admin/dlq` on a queue and a broker of the bench. Every answer that a test gets is held to the OpenAPI document.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode};
use consumer::dlq::admin::{AdminConfig, routes};
use consumer::dlq::{AdminContext, Terms};
use serde_json::Value;
use settings::Reader;
use sqlite::Sqlite;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::bench::{Broker, LEASE, Queue, RULES};
use super::document;

pub const TOKEN: &str = "0123456789abcdef";
pub const HERE: &str = "127.0.0.1:4711";

pub struct Office {
    pub queue: Queue,
    pub broker: Broker,
    pub router: Router,
}

/// What a client gets.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    /// The body; as a text where it is no JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| Value::String(self.body.clone()))
    }
}

impl Office {
    /// With a broker and tables.
    pub fn new(settings: &[(&str, &str)]) -> Self {
        let (queue, broker) = (Queue::new(), Broker::default());
        let tables = queue.inner.clone();
        Self::with(settings, queue, (broker.clone(), Some(broker)), Some(tables))
    }

    /// Where nothing says where to send, or which tables to ask.
    pub fn bare() -> Self {
        Self::with(&[], Queue::new(), (Broker::default(), None), None)
    }

    fn with(settings: &[(&str, &str)], queue: Queue, (broker, publisher): (Broker, Option<Broker>), tables: Option<Sqlite>) -> Self {
        let mut env = Reader::from_pairs([("ADMIN_TOKEN", TOKEN)].iter().chain(settings).copied());
        let config = Arc::new(AdminConfig::read(&mut env).unwrap());
        env.finish().unwrap();
        let terms = Terms { topic: "events".to_owned(), lease: LEASE, max_retries: 5, rules: RULES };
        let context = AdminContext { queue: queue.clone(), publisher, tables, terms };
        let router = routes::<Queue, Broker, Sqlite>(config, context, CancellationToken::new());
        Self { queue, broker, router }
    }

    /// The status and the body of the answer to a request with a token, from this machine.
    pub async fn ask(&self, method: &str, path: &str, body: impl Into<Body>) -> (StatusCode, Value) {
        let answer = self.request(HERE, Some(TOKEN), method, path, body).await;
        (answer.status, answer.json())
    }

    pub async fn ask_from(&self, peer: &str, token: Option<&str>, method: &str, path: &str, body: impl Into<Body>) -> (StatusCode, String) {
        let answer = self.request(peer, token, method, path, body).await;
        (answer.status, answer.body)
    }

    pub async fn request(&self, peer: &str, token: Option<&str>, method: &str, path: &str, body: impl Into<Body>) -> Answer {
        let mut request = Request::builder().method(method).uri(path).extension(ConnectInfo(peer.parse::<SocketAddr>().unwrap()));
        if let Some(token) = token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let answer = self.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (status, headers) = (answer.status(), answer.headers().clone());
        if status.is_client_error() || status.is_server_error() {
            assert_eq!(headers["content-type"], "application/problem+json");
        }
        assert_eq!(headers.contains_key("www-authenticate"), status == StatusCode::UNAUTHORIZED);
        let body = axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap();
        let answer = Answer { status, headers, body: String::from_utf8(body.to_vec()).unwrap() };
        document::check(method, path, &answer);
        answer
    }
}
