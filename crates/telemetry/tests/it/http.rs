use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use telemetry::{Health, Metrics, Part, Shutdown, http, probe};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

const BOUND: Duration = Duration::from_secs(20);

struct Server {
    address: SocketAddr,
    shutdown: Shutdown,
    running: JoinHandle<io::Result<()>>,
}

async fn start(router: Router) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = Shutdown::new();
    let running = tokio::spawn(http::serve(listener, router, shutdown.requested()));
    Server { address, shutdown, running }
}

/// The answer's head, in lower case, and its body.
async fn ask(address: SocketAddr, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("{request} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(BOUND, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_lowercase(), body.to_owned())
}

#[tokio::test]
async fn metrics_and_health_are_served() {
    let metrics = Metrics::new(&[Part::Consumer]).unwrap();
    let health = Health::new(&["database"], None);
    let server = start(http::routes(metrics.clone(), health.clone())).await;
    metrics.tombstones(3);

    let (head, body) = ask(server.address, "GET /metrics").await;
    assert!(head.starts_with("http/1.1 200") && head.contains("content-type: text/plain; version=0.0.4\r\n"), "{head}");
    assert!(body.contains("\npipeline_tombstones_total 3\n"), "{body}");

    let (head, body) = ask(server.address, "GET /health/ready").await;
    assert!(head.starts_with("http/1.1 503") && head.contains("content-type: application/json"), "{head}");
    assert!(body.contains(r#""reason":"not reached yet""#), "{body}");
    health.up("database");
    assert!(ask(server.address, "GET /health/ready").await.0.starts_with("http/1.1 200"));

    let (head, body) = ask(server.address, "HEAD /health/live").await;
    assert!(head.starts_with("http/1.1 200") && body.is_empty(), "{head}");
    assert!(ask(server.address, "POST /metrics").await.0.contains("allow: get,head"));
}

#[tokio::test]
async fn the_probe_tells_live_from_stuck_from_away() {
    let health = Health::new(&["database"], Some(Duration::from_secs(3600)));
    let server = start(http::live_route(health)).await;
    let stuck = start(http::live_route(Health::new(&[], Some(Duration::ZERO)))).await;
    let away = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let probe = |address| tokio::task::spawn_blocking(move || probe::is_live(address, BOUND));
    assert!(probe(server.address).await.unwrap().unwrap(), "a part that is down makes it not ready, not dead");
    assert!(!probe(stuck.address).await.unwrap().unwrap());
    assert!(probe(away).await.unwrap().is_err());
}

#[tokio::test]
async fn a_request_that_runs_is_answered_before_the_server_ends() {
    let (arrived, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (arrives, waits) = (Arc::clone(&arrived), Arc::clone(&go));
    let slow = get(async move || {
        arrives.notify_one();
        waits.notified().await;
        "done"
    });
    let server = start(Router::new().route("/slow", slow)).await;
    // A connection on which nothing is asked must not hold the server up.
    let _idle = TcpStream::connect(server.address).await.unwrap();
    let answer = tokio::spawn(async move { ask(server.address, "GET /slow").await });
    timeout(BOUND, arrived.notified()).await.unwrap();
    server.shutdown.request();
    go.notify_one();
    assert_eq!(timeout(BOUND, answer).await.unwrap().unwrap().1, "done");
    timeout(BOUND, server.running).await.unwrap().unwrap().unwrap();
    assert!(TcpStream::connect(server.address).await.is_err(), "nobody listens any more");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_never_ends_is_cut_off() {
    let arrived = Arc::new(Notify::new());
    let arrives = Arc::clone(&arrived);
    let endless = get(async move || {
        arrives.notify_one();
        std::future::pending::<()>().await;
    });
    let server = start(Router::new().route("/endless", endless)).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    arrived.notified().await;
    server.shutdown.request();
    let ended = timeout(BOUND, server.running).await.unwrap().unwrap();
    assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::TimedOut);
    assert_eq!(stream.read(&mut [0; 64]).await.unwrap_or(0), 0, "the connection is closed");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_never_finishes_its_request_is_cut_off() {
    let server = start(Router::new()).await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost:").await.unwrap();
    let mut rest = Vec::new();
    // The clock is paused: a minute passes as soon as everything waits, and the first ones may pass before the server has seen the client.
    for _ in 0..10_000 {
        if let Ok(read) = timeout(Duration::from_secs(60), stream.read_to_end(&mut rest)).await {
            read.unwrap();
            return;
        }
    }
    panic!("it is still connected");
}
