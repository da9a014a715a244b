//! A way to a broker on which the names of all brokers can be lost, the controller's be another one, and answers be late.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kafka::KafkaConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

use crate::answers::{Kind, Metadata, correlation, kind, with_coordinator_at};

/// Stands before a broker, and is the only one that its clients see.
pub struct Proxy {
    state: Arc<State>,
}

struct State {
    broker: String,
    port: u16,
    /// Whether the next answer about topics is to name no broker.
    hides: AtomicBool,
    /// Who is named as the controller.
    controller: AtomicI32,
    /// How late each answer is, in milliseconds.
    late: AtomicU64,
}

/// The broker behind the proxy.
pub const BROKER: i32 = 1;

/// The requests whose answers are changed.
type Asked = Mutex<BTreeMap<i32, Kind>>;

impl Proxy {
    pub async fn before(config: &KafkaConfig) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            broker: config.brokers.clone(),
            port,
            hides: AtomicBool::new(false),
            controller: AtomicI32::new(BROKER),
            late: AtomicU64::new(0),
        });
        let serving = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let broker = TcpStream::connect(&serving.broker).await.unwrap();
                tokio::spawn(Arc::clone(&serving).serve(client, broker));
            }
        });
        Self { state }
    }

    /// These settings, but with this proxy as the broker.
    pub fn instead(&self, config: &KafkaConfig) -> KafkaConfig {
        KafkaConfig { brokers: format!("127.0.0.1:{}", self.state.port), ..config.clone() }
    }

    /// Lets the next answer about topics name no broker.
    pub fn hide_brokers(&self) {
        self.state.hides.store(true, Ordering::SeqCst);
    }

    /// Lets answers name this controller.
    pub fn name_controller(&self, id: i32) {
        self.state.controller.store(id, Ordering::SeqCst);
    }

    /// Lets each answer be so late.
    pub fn delay_answers(&self, by: Duration) {
        self.state.late.store(u64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    /// Whether that answer was given.
    pub fn has_hidden_brokers(&self) -> bool {
        !self.state.hides.load(Ordering::SeqCst)
    }
}

impl State {
    async fn serve(self: Arc<Self>, client: TcpStream, broker: TcpStream) {
        let ((from_client, to_client), (from_broker, to_broker)) = (client.into_split(), broker.into_split());
        let asked = Asked::default();
        tokio::select! {
            _ = requests(from_client, to_broker, &asked) => {}
            _ = self.answers(from_broker, to_client, &asked) => {}
        }
    }

    async fn answers(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf, asked: &Asked) -> io::Result<()> {
        loop {
            let answer = frame(&mut from).await?;
            let kind = asked.lock().unwrap().remove(&correlation(&answer));
            let answer = match kind {
                None => answer,
                Some(Kind::Coordinator) => with_coordinator_at(self.port, answer),
                Some(Kind::Metadata) => {
                    let metadata = Metadata::read(&answer).with_controller(self.controller.load(Ordering::SeqCst));
                    let hides = metadata.topics > 0 && self.hides.swap(false, Ordering::SeqCst);
                    if hides { metadata.without_brokers() } else { metadata.with_brokers_at(self.port) }
                }
            };
            tokio::time::sleep(Duration::from_millis(self.late.load(Ordering::SeqCst))).await;
            send(&mut to, &answer).await?;
        }
    }
}

async fn requests(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, asked: &Asked) -> io::Result<()> {
    loop {
        let request = frame(&mut from).await?;
        if let Some(kind) = kind(&request) {
            asked.lock().unwrap().insert(correlation(&request[4..]), kind);
        }
        send(&mut to, &request).await?;
    }
}

async fn frame(from: &mut OwnedReadHalf) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; usize::try_from(from.read_u32().await?).unwrap()];
    from.read_exact(&mut bytes).await?;
    Ok(bytes)
}

async fn send(to: &mut OwnedWriteHalf, frame: &[u8]) -> io::Result<()> {
    to.write_u32(u32::try_from(frame.len()).unwrap()).await?;
    to.write_all(frame).await
}
