//! The read API of a run, and asking it.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use events::{Body, Event};
use readmodel::ReadStore;
use reqwest::{Client, StatusCode};
use telemetry::{Health, Metrics, Part};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The API on some tables, on a free port of the loopback address.
pub struct Web {
    client: Client,
    address: SocketAddr,
    stop: CancellationToken,
    server: JoinHandle<std::io::Result<()>>,
}

impl Web {
    /// Serves these tables.
    ///
    /// # Errors
    /// There is no port left.
    pub async fn serve(tables: &(impl ReadStore + Clone)) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        let (address, stop) = (listener.local_addr()?, CancellationToken::new());
        let router =
            api::router(tables.clone(), Metrics::new(&[Part::Api])?, Health::new(&[api::READ_STORE], None), api::HealthTells::Kind);
        let server = tokio::spawn(telemetry::http::serve(listener, router, stop.clone().cancelled_owned()));
        Ok(Self { client: Client::builder().timeout(PATIENCE).build()?, address, stop, server })
    }

    /// A handle to ask it, for another task.
    pub fn asker(&self) -> Asker {
        Asker { client: self.client.clone(), address: self.address }
    }

    /// Ends it.
    ///
    /// # Errors
    /// The server has panicked, or requests were cut off.
    pub async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        self.server.await?.context("requests of the read API were cut off")
    }
}

/// Asks the API.
#[derive(Clone)]
pub struct Asker {
    client: Client,
    address: SocketAddr,
}

impl Asker {
    /// Asks for this path, and reads the answer to its end; the status, or `None` where no answer came.
    pub async fn get(&self, path: &str) -> Option<StatusCode> {
        let answer = self.client.get(format!("http://{}{path}", self.address)).send().await.ok()?;
        let status = answer.status();
        answer.bytes().await.ok().map(|_| status)
    }
}

/// Where the API shows what an event made; `None` for those without a path of their own.
pub fn path(event: &Event<'_>) -> Option<String> {
    match &event.body {
        Body::UserCreated(user) => Some(format!("/users/{}", user.user_id)),
        Body::OrderPlaced(order) => Some(format!("/orders/{}", order.order_id)),
        Body::PaymentSettled(_) | Body::InventoryAdjusted(_) => None,
    }
}
