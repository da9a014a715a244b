//! `/metrics`, `/health/live`, `/health/ready`, and a server for them and for others.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::AddExtension;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::serve::Listener;
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tower::Layer as _;

use crate::{Health, Metrics};

/// How long a client may take to send the head of a request, and how long an idle connection is kept.
const HEAD_PATIENCE: Duration = Duration::from_secs(30);
/// How long requests that run may take once the server was asked to stop.
const DRAIN: Duration = Duration::from_secs(5);
/// Connections at a time; more wait in the listener's backlog.
const MAX_CONNECTIONS: usize = 1024;

/// `GET /metrics`, `/health/live` and `/health/ready`.
pub fn routes(metrics: Metrics, health: Health) -> Router {
    let ready = health.clone();
    live_route(health)
        .route("/metrics", get(async move || exposition(&metrics)))
        .route("/health/ready", get(async move || ready.ready_report()))
}

/// The metrics in the text format of Prometheus.
pub fn exposition(metrics: &Metrics) -> impl IntoResponse + use<> {
    ([(CONTENT_TYPE, prometheus::TEXT_FORMAT)], metrics.encode())
}

/// `GET /health/live`.
pub fn live_route(health: Health) -> Router {
    Router::new().route("/health/live", get(async move || health.live_report()))
}

/// Serves until `shutdown` ends; then takes no more connections and lets the requests that run come to their end, for 5 s at most.
///
/// Each request carries the address of its client as a [`ConnectInfo`]. Slow or silent clients are cut off after 30 s. If the future is dropped, every connection is cut at once.
///
/// # Errors
/// Some requests were still running when their time was over, and were cut off.
pub async fn serve(mut listener: TcpListener, router: Router, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    let graceful = GracefulShutdown::new();
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            (stream, peer) = Listener::accept(&mut listener), if connections.len() < MAX_CONNECTIONS => {
                connections.spawn(graceful.watch(connection(stream, peer, &router)));
            }
            // What a connection ended with is its client's affair.
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    tokio::time::timeout(DRAIN, graceful.shutdown()).await.map_err(|_| io::ErrorKind::TimedOut.into())
}

type Service = TowerToHyperService<AddExtension<Router, ConnectInfo<SocketAddr>>>;

fn connection(stream: TcpStream, peer: SocketAddr, router: &Router) -> http1::Connection<TokioIo<TcpStream>, Service> {
    let service = TowerToHyperService::new(Extension(ConnectInfo(peer)).layer(router.clone()));
    http1::Builder::new().timer(TokioTimer::new()).header_read_timeout(HEAD_PATIENCE).serve_connection(TokioIo::new(stream), service)
}
