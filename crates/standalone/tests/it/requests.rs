//! `api-tests.http`: each request is sent to a live API, and answered with the status that its title states.

use std::collections::BTreeMap;
use std::future::ready;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use api::{HealthTells, READ_STORE};
use axum::Router;
use clap::Parser as _;
use consumer::ConsumerConfig;
use consumer::admin::{self, AdminConfig, AdminParts};
use consumer::check::SelfCheck;
use consumer::dlq::{AdminContext, Terms};
use consumer::operator::OperatorParts;
use consumer::wiring::{compact_over_http, peek_over_http};
use events::Event;
use kafka::{EmbeddedBroker, KafkaConfig, KafkaProgress};
use pipeline::Fault;
use pipeline::ports::{Delivered, Message, Publisher};
use producer::{Exit, Target};
use readmodel::{AsOf, InventoryView, OrderView, ReadFault, ReadStore, RecentUser, UserView};
use settings::Reader;
use sqlite::Sqlite;
use telemetry::{Health, Metrics, Part};
use testkit::delivery::Delivery;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::repository::{json, text};

const FILE: &str = "api-tests.http";
/// The requests below this line are for an API whose database is away.
const AWAY: &str = "# From here on: while the database is away";

#[derive(Clone)]
struct Request {
    /// Whether it is for an API whose database is away.
    is_away: bool,
    status: u16,
    title: String,
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: String,
}

/// The variables of the file and its requests, variables not replaced.
fn parse(text: &str) -> (BTreeMap<String, String>, Vec<Request>) {
    let assign = |line: &str| line.strip_prefix('@')?.split_once(" = ").map(|(name, value)| (name.to_owned(), value.to_owned()));
    let variables = text.lines().filter_map(assign).collect();
    let (there, away) = text.split_once(AWAY).unwrap();
    let requests = |part: &str, away| part.split("\n###").skip(1).filter_map(|block| request(block, away)).collect::<Vec<_>>();
    (variables, [requests(there, false), requests(away, true)].concat())
}

/// `None` for a block of comments alone.
fn request(block: &str, is_away: bool) -> Option<Request> {
    let (headline, rest) = block.split_once('\n')?;
    let rest: String = rest.lines().filter(|line| !line.starts_with('#')).map(|line| format!("{line}\n")).collect();
    let (head, body) = rest.trim_start().split_once("\n\n").unwrap_or((rest.trim(), ""));
    let mut lines = head.lines();
    let (method, url) = lines.next()?.split_once(' ')?;
    let (status, title) = headline.trim().split_once(' ').unwrap_or_else(|| panic!("{FILE}: {headline} states no status"));
    let headers = lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let status = status.parse().unwrap_or_else(|_| panic!("{FILE}: {headline} states no status"));
    Some(Request {
        is_away,
        status,
        title: title.to_owned(),
        method: method.to_owned(),
        url: url.trim().to_owned(),
        headers,
        body: body.trim().to_owned(),
    })
}

/// Keeps what the producer sends.
#[derive(Clone, Default)]
struct ExistingBackends(Arc<Mutex<Vec<Vec<u8>>>>);

impl Publisher for ExistingBackends {
    async fn publish(&self, _topic: &str, message: Message) -> Result<Delivered, Fault> {
        self.0.lock().unwrap().extend(message.value);
        Ok(Delivered { partition: 0, offset: 0 })
    }
}

/// The events that the commands in the file's first comment send.
async fn seed(text: &str) -> Vec<Event<'static>> {
    let kept = ExistingBackends::default();
    let commands: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("#   ")).filter(|line| line.starts_with("producer ")).collect();
    assert_eq!(commands.len(), 4, "one of each type: {commands:?}");
    for command in commands {
        let cli = producer::cli::Cli::try_parse_from(command.split(' ')).unwrap_or_else(|error| panic!("{command}: {error}"));
        let target = Target { brokers: "nowhere:1".to_owned(), topic: "events".to_owned() };
        assert_eq!(producer::run(cli.command, &kept, target).await, Exit::Delivered, "{command}");
    }
    // An event borrows from its message.
    let kept = std::mem::take(&mut *kept.0.lock().unwrap());
    kept.into_iter().map(|bytes| events::decode(bytes.leak()).unwrap()).collect()
}

/// A database that is away.
struct Away;

const FAULT: ReadFault = ReadFault { class: "unavailable", code: None, told: String::new() };

impl ReadStore for Away {
    async fn user(&self, _: Uuid) -> Result<Option<UserView>, ReadFault> {
        Err(FAULT)
    }
    async fn recent_users(&self, _: u16) -> Result<Vec<RecentUser>, ReadFault> {
        Err(FAULT)
    }
    async fn order(&self, _: Uuid) -> Result<Option<OrderView>, ReadFault> {
        Err(FAULT)
    }
    async fn inventory(&self, _: &str) -> Result<Option<InventoryView>, ReadFault> {
        Err(FAULT)
    }
    async fn ping(&self) -> Result<(), ReadFault> {
        Err(FAULT)
    }

    async fn as_of(&self) -> Result<Option<AsOf>, ReadFault> {
        Err(FAULT)
    }
}

/// Serves on a port of its own until the test ends; where.
async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(telemetry::http::serve(listener, router, std::future::pending()));
    format!("http://{address}")
}

fn reads(store: impl ReadStore) -> Router {
    api::router(store, Metrics::new(&[Part::Api]).unwrap(), Health::new(&[READ_STORE], None), HealthTells::Kind)
}

/// What a consumer on this broker serves whose operator has this token.
fn consumer(store: &Sqlite, broker: &EmbeddedBroker, token: &str) -> Router {
    let health = Health::new(&consumer::wiring::HEALTH_PARTS, None);
    for part in consumer::wiring::HEALTH_PARTS {
        health.up(part);
    }
    let mut env = Reader::from_pairs([("ADMIN_TOKEN", token)]);
    let terms = Terms::read(&mut env, &ConsumerConfig::default(), "events".to_owned(), Duration::from_secs(1));
    let context = AdminContext { queue: store.clone(), publisher: Some(ExistingBackends::default()), tables: Some(store.clone()), terms };
    let (kafka, metrics) = (KafkaConfig::embedded(broker), Metrics::new(&[Part::Consumer]).unwrap());
    let compact = compact_over_http(store.clone(), store.clone(), kafka.clone());
    let shared = OperatorParts {
        peek: peek_over_http(store.clone(), kafka.clone(), context.terms.rules),
        context,
        progress: KafkaProgress::open(&kafka).unwrap(),
        group: kafka.group,
        health: health.clone(),
        metrics: metrics.clone(),
        check: SelfCheck::new(|| Box::pin(ready(Vec::new()))),
        verify: None,
        stop: CancellationToken::new(),
    };
    let parts = AdminParts { shared, address: "127.0.0.1:9090".parse().unwrap(), compact };
    let admin = admin::routes(Arc::new(AdminConfig::read(&mut env).unwrap()), parts);
    telemetry::http::routes(metrics, health).merge(admin)
}

#[tokio::test]
async fn every_request_is_answered_with_the_status_that_its_title_states() {
    let text = text(FILE);
    let (mut variables, requests) = parse(&text);
    let store = Sqlite::temporary().unwrap();
    Delivery::new(&store).deliver(&seed(&text).await).await;
    let broker = EmbeddedBroker::start("events", 1).unwrap();
    let consumer = serve(consumer(&store, &broker, &variables["token"])).await;
    let (api, away) = (serve(reads(store)).await, serve(reads(Away)).await);
    assert!(variables.insert("consumer".to_owned(), consumer).is_some());
    assert!(requests.len() > 35, "{}", requests.len());

    let http = reqwest::Client::new();
    for Request { is_away, status, title, method, url, headers, body } in requests {
        variables.insert("api".to_owned(), if is_away { away.clone() } else { api.clone() });
        let fill = |text: String| variables.iter().fold(text, |text, (name, value)| text.replace(&format!("{{{{{name}}}}}"), value));
        let url = fill(url);
        assert!(!url.contains("{{"), "{title}: {url}");
        let request = http.request(method.parse().unwrap(), &url).body(body);
        let request = headers.into_iter().fold(request, |request, (name, value)| request.header(name, fill(value)));
        let answer = request.send().await.unwrap_or_else(|error| panic!("{title}: {error}"));
        assert_eq!(answer.status().as_u16(), status, "{title}: {method} {url}");
    }
}

#[test]
fn every_route_of_the_api_is_asked_for() {
    let (variables, requests) = parse(&text(FILE));
    let described = json("crates/api/openapi.json");
    for route in described["paths"].as_object().unwrap().keys() {
        let fits = |url: &str| {
            let path = url.strip_prefix("{{api}}").map(|path| path.split('?').next().unwrap_or_default());
            let (asked, wanted): (Vec<_>, Vec<_>) = (path.unwrap_or_default().split('/').collect(), route.split('/').collect());
            asked.len() == wanted.len() && asked.iter().zip(&wanted).all(|(asked, wanted)| asked == wanted || wanted.starts_with('{'))
        };
        assert!(requests.iter().any(|request| fits(&request.url) && request.status == 200), "{FILE}: {route} is not asked for");
    }
    assert!(variables.contains_key("api") && variables.contains_key("consumer"));
}
