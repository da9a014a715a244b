//! `/admin` on a queue and a broker of the bench, and a log in memory. Every answer that a test gets is held to the OpenAPI document.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode};
use check::Finding;
use consumer::admin::{AdminConfig, AdminParts, Compact, routes};
use consumer::check::SelfCheck;
use consumer::dlq::{AdminContext, Terms};
use consumer::ledger::compact;
use consumer::operator::OperatorParts;
use consumer::peek::{Peek, peek};
use consumer::verify::schedule::VerifyNow;
use consumer::wiring::HEALTH_PARTS;
use pipeline::fault::{Dependency, Fault, FaultClass};
use serde_json::Value;
use settings::Reader;
use sqlite::Sqlite;
use telemetry::{Health, Metrics, Part};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use super::document;
use crate::dlq::bench::{Broker, LEASE, Queue, RULES};
use crate::fake_log::{Reader as LogReader, Topic};
use crate::ledger::{Kafka, kept};

pub const TOKEN: &str = "0123456789abcdef";
pub const HERE: &str = "127.0.0.1:4711";

/// How long may take what is done already.
pub const BOUND: Duration = Duration::from_secs(30);

pub struct Office {
    pub queue: Queue,
    pub broker: Broker,
    pub topic: Topic,
    pub metrics: Metrics,
    pub verify: VerifyNow,
    gate: Arc<Gate>,
    pub router: Router,
}

/// Where requests stand still.
struct Gate {
    entered: Semaphore,
    open: Semaphore,
}

impl Default for Gate {
    fn default() -> Self {
        Self { entered: Semaphore::new(0), open: Semaphore::new(0) }
    }
}

impl Gate {
    async fn pass(&self) -> Fault {
        self.entered.add_permits(1);
        self.open.acquire().await.unwrap().forget();
        Fault { dependency: Dependency::Kafka, class: FaultClass::Unavailable { timed_out: true }, code: None, subject: "log" }
    }

    fn peek(self: &Arc<Self>) -> Peek {
        let gate = Arc::clone(self);
        Arc::new(move |_| {
            let gate = Arc::clone(&gate);
            Box::pin(async move { Err(gate.pass().await.into()) })
        })
    }

    fn compact(self: &Arc<Self>) -> Compact {
        let gate = Arc::clone(self);
        Arc::new(move |_, _| {
            let gate = Arc::clone(&gate);
            Box::pin(async move { Err(gate.pass().await.into()) })
        })
    }
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

/// Looks at what the group has not consumed of this topic.
pub fn peeking(topic: &Topic, tables: &Sqlite) -> Peek {
    let (topic, tables) = (topic.clone(), tables.clone());
    Arc::new(move |arguments| {
        let (topic, tables) = (topic.clone(), tables.clone());
        Box::pin(async move { peek(&topic, &mut LogReader::of(&topic), &tables, arguments, RULES).await })
    })
}

/// Folds the ledger of these tables.
pub fn compacting(topic: &Topic, tables: &Sqlite) -> Compact {
    let (topic, tables) = (topic.clone(), tables.clone());
    Arc::new(move |who, arguments| {
        let (kafka, tables) = (Kafka::of(&topic), tables.clone());
        Box::pin(async move { compact(&kafka, &tables, &tables, kept(), (who, &arguments), &|_, _| {}).await })
    })
}

/// Finds one thing that is as it should be, and one that is not.
pub fn checking() -> SelfCheck {
    let found = || {
        vec![
            Finding::ok("Kafka", "partitions", "events has 6 partitions"),
            Finding::fail("database", "schema", "it is not there", "run `consumer migrate`"),
        ]
    };
    SelfCheck::new(move || Box::pin(std::future::ready(found())))
}

impl Office {
    /// With a broker and tables.
    pub fn new(settings: &[(&str, &str)]) -> Self {
        let (queue, broker) = (Queue::new(), Broker::default());
        let tables = queue.inner.clone();
        Self::with(settings, queue, (broker.clone(), Some(broker)), Some(tables), false)
    }

    /// The same, where whoever looks at the log or compacts the ledger stands still until [`Office::release`], and meets a broker that is away then.
    pub fn stuck() -> Self {
        let (queue, broker) = (Queue::new(), Broker::default());
        let tables = queue.inner.clone();
        Self::with(&[], queue, (broker.clone(), Some(broker)), Some(tables), true)
    }

    /// Waits until somebody stands still.
    pub async fn is_stuck(&self) {
        self.gate.entered.acquire().await.unwrap().forget();
    }

    /// Lets one go.
    pub fn release(&self) {
        self.gate.open.add_permits(1);
    }

    /// Where nothing says where to send, or which tables to ask.
    pub fn bare() -> Self {
        Self::with(&[], Queue::new(), (Broker::default(), None), None, false)
    }

    fn with(
        settings: &[(&str, &str)],
        queue: Queue,
        (broker, publisher): (Broker, Option<Broker>),
        tables: Option<Sqlite>,
        is_stuck: bool,
    ) -> Self {
        let mut env = Reader::from_pairs([("ADMIN_TOKEN", TOKEN)].iter().chain(settings).copied());
        let config = Arc::new(AdminConfig::read(&mut env).unwrap());
        env.finish().unwrap();
        let terms = Terms { topic: "events".to_owned(), lease: LEASE, max_retries: 5, rules: RULES };
        let context = AdminContext { queue: queue.clone(), publisher, tables, terms };
        let (topic, metrics, verify) = (Topic::default(), Metrics::new(&[Part::Consumer]).unwrap(), VerifyNow::default());
        let gate = Arc::new(Gate::default());
        let shared = OperatorParts {
            verify: context.tables.is_some().then(|| verify.clone()),
            progress: topic.clone(),
            group: "group".to_owned(),
            health: Health::new(&HEALTH_PARTS, None),
            metrics: metrics.clone(),
            check: checking(),
            peek: if is_stuck { gate.peek() } else { peeking(&topic, &queue.inner) },
            stop: CancellationToken::new(),
            context,
        };
        let parts = AdminParts {
            shared,
            address: HERE.parse().unwrap(),
            compact: if is_stuck { gate.compact() } else { compacting(&topic, &queue.inner) },
        };
        Self { queue, broker, topic, metrics, verify, gate, router: routes(config, parts) }
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
