//! Servers that are found by an instance's name, or behind a name with several addresses.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pipeline::{Batch, EventStore as _, Fault, FaultClass, Item, Outcome};
use sqlserver::{Resolver, SqlServer, SqlServerConfig};
use testkit::builders::adjustment;
use testkit::eventually;
use tokio::net::{TcpListener, UdpSocket};
use uuid::Uuid;

use crate::outages::apply_one;
use crate::scripted::{Script, Scripted, Step, done, error, words};

const AWAY: FaultClass = FaultClass::Unavailable { timed_out: false };
/// What the server says where a database takes no writes: that of a primary replica which has just become a secondary.
const READ_ONLY: u32 = 3906;

fn end() -> Step {
    Step::Answer(words(&[(-1, "end")]))
}

/// The addresses of a name, as a test changes them.
#[derive(Clone, Default)]
struct Addresses(Arc<Mutex<Vec<SocketAddr>>>);

impl Addresses {
    fn set(&self, addresses: &[SocketAddr]) {
        *self.0.lock().unwrap() = addresses.to_vec();
    }

    fn resolver(&self) -> Resolver {
        let addresses = self.0.clone();
        Resolver::Of(Arc::new(move |_, _| addresses.lock().unwrap().clone()))
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// An address at which nothing listens.
async fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

#[tokio::test]
async fn a_named_instance_is_found_by_sql_server_browser_each_time_that_it_is_connected_to() {
    let first = Scripted::open(vec![vec![end()]]).await;
    let second = Scripted::open(vec![vec![end()]]).await;
    let browser = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let at_browser = browser.local_addr().unwrap();
    let ports = [first.port(), second.port()];
    let answering = tokio::spawn(async move {
        for port in ports {
            let mut question = [0; 64];
            let (length, client) = browser.recv_from(&mut question).await.unwrap();
            assert_eq!(&question[..length], b"\x04EVENTS\0");
            let text = format!("ServerName;SQL1;InstanceName;EVENTS;IsClustered;No;Version;16.0.1000.6;tcp;{port};;");
            let head = [&[5][..], &u16::try_from(text.len()).unwrap().to_le_bytes()].concat();
            browser.send_to(&[&head, text.as_bytes()].concat(), client).await.unwrap();
        }
    });
    let asked = Arc::<Mutex<Vec<(String, u16)>>>::default();
    let by_resolver = asked.clone();
    let resolver = Resolver::Of(Arc::new(move |host, port| {
        by_resolver.lock().unwrap().push((host.to_owned(), port));
        vec![at_browser]
    }));
    let config = SqlServerConfig { server: "sql1".to_owned(), port: 1, instance: Some("EVENTS".to_owned()), resolver, ..first.config() };
    let store = SqlServer::new(config);
    // A restart gives an instance another port: the second connection asks again.
    assert_eq!(apply_one(&store).await, Ok(Outcome::Applied));
    drop(first);
    assert_eq!(apply_one(&store).await.unwrap_err().class, AWAY);
    assert_eq!(apply_one(&store).await, Ok(Outcome::Applied));
    answering.await.unwrap();
    assert_eq!(*asked.lock().unwrap(), [("sql1".to_owned(), 1434), ("sql1".to_owned(), 1434)]);
}

#[tokio::test]
async fn an_instance_that_nobody_knows_says_what_to_check() {
    let server = Scripted::open(Vec::new()).await;
    let nobody = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let resolver = Resolver::Of(Arc::new(move |_, _| vec![nobody]));
    let config = SqlServerConfig { instance: Some("EVENTS".to_owned()), resolver, ..server.config() };
    assert!(config.address().ends_with("\\EVENTS"), "messages name the instance: {}", config.address());
    let fault = SqlServer::new(config).check().await.unwrap_err();
    assert_eq!(fault.class, AWAY);
    for word in ["instance: ", "UDP port 1434", "SQL Server Browser", "MSSQL_SERVER=host,port"] {
        assert!(fault.subject.contains(word), "{fault}");
    }
}

#[tokio::test]
async fn a_name_leads_to_the_address_that_answers() {
    let server = Scripted::open(vec![vec![Step::Answer(done())]]).await;
    let addresses = Addresses::default();
    addresses.set(&[nobody().await, loopback(server.port()), nobody().await]);
    let store = SqlServer::new(SqlServerConfig { server: "listener".to_owned(), resolver: addresses.resolver(), ..server.config() });
    assert_eq!(store.check().await, Ok(()));
}

#[tokio::test]
async fn when_a_database_has_become_read_only_its_idle_connections_are_not_trusted() {
    let script = vec![end(), Step::Answer(error(READ_ONLY, 16, "The database is read-only."))];
    let server = Scripted::open(vec![script.clone(), script, vec![end()]]).await;
    let store = SqlServer::new(server.config());
    let both = tokio::join!(apply_one(&store), apply_one(&store));
    assert_eq!(both, (Ok(Outcome::Applied), Ok(Outcome::Applied)));
    let fault = apply_one(&store).await.unwrap_err();
    assert_eq!((fault.class, fault.code), (FaultClass::Operator, Some(i64::from(READ_ONLY))));
    assert_eq!(apply_one(&store).await, Ok(Outcome::Applied));
    assert_eq!(server.connections(), 3, "the other connection leads to the same replica");
}

const WRITERS: usize = 4;
const EVENTS_EACH: usize = 6;
const BOUND: Duration = Duration::from_secs(60);
/// How long the writers may take after the new primary answers.
const BACK: Duration = Duration::from_secs(5);

/// How often writers were refused because the database is read-only, and because it is away.
#[derive(Default)]
struct Refused {
    read_only: AtomicUsize,
    away: AtomicUsize,
}

impl Refused {
    fn note(&self, fault: &Fault) {
        match (fault.class, fault.code) {
            (FaultClass::Operator, Some(3906)) => self.read_only.fetch_add(1, Ordering::SeqCst),
            (FaultClass::Unavailable { .. }, _) => self.away.fetch_add(1, Ordering::SeqCst),
            _ => panic!("{fault:?}"),
        };
    }
}

/// Writes events one after the other, each until it is applied, as the consumer does.
async fn write(store: SqlServer, refused: Arc<Refused>) -> Vec<Uuid> {
    let mut applied = Vec::new();
    for number in 0..EVENTS_EACH {
        let event = adjustment(&format!("sku-{number}"), 1);
        let items = [Item { event: &event, releases: Vec::new() }];
        loop {
            match store.apply(Batch::new(&items)).await {
                Ok(outcome) => break assert_eq!(outcome.outcomes, [Outcome::Applied]),
                Err(fault) => refused.note(&fault),
            }
            tokio::task::yield_now().await;
        }
        applied.push(event.id);
    }
    applied
}

#[tokio::test]
async fn a_failover_under_load_loses_nothing_and_writes_nothing_twice() {
    // It takes one event of each connection, then it is a secondary and refuses.
    let refuses = || Step::Answer(error(READ_ONLY, 16, "Failed to update database because the database is read-only."));
    let first: Script = vec![end(), refuses()];
    let later: Script = vec![refuses()];
    let scripts = [vec![first; WRITERS], vec![later; 10_000]].concat();
    let old = Scripted::open(scripts).await;
    let addresses = Addresses::default();
    // The listener's name has an address in each subnet from the start.
    let other_subnet = nobody().await;
    addresses.set(&[other_subnet, loopback(old.port())]);
    let config = SqlServerConfig { resolver: addresses.resolver(), pool_size: WRITERS, ..old.config() };
    let (store, refused) = (SqlServer::new(config), Arc::<Refused>::default());
    let writers: Vec<_> = (0..WRITERS).map(|_| tokio::spawn(write(store.clone(), refused.clone()))).collect();
    eventually(BOUND, "the old primary refuses", async || refused.read_only.load(Ordering::SeqCst) >= WRITERS).await;
    let heard_by_old = |id: &Uuid| old.heard(&id.to_string()).len();

    addresses.set(&[other_subnet, nobody().await]);
    let before = refused.away.load(Ordering::SeqCst);
    eventually(BOUND, "nobody is there", async || refused.away.load(Ordering::SeqCst) > before + WRITERS).await;

    let new = Scripted::open(vec![vec![end(); WRITERS * EVENTS_EACH]; WRITERS]).await;
    addresses.set(&[loopback(new.port()), other_subnet]);
    let back_by = tokio::time::Instant::now() + BACK;
    let mut on_new = 0;
    for writer in writers {
        let written = tokio::time::timeout_at(back_by, writer).await.expect("it goes on by itself").unwrap();
        assert_eq!(written.len(), EVENTS_EACH);
        for id in &written {
            let heard = new.heard(&id.to_string()).len();
            assert!(heard == 1 || (heard == 0 && heard_by_old(id) == 1), "{heard} times by the new primary: {id}");
            on_new += heard;
        }
    }
    let on_old = WRITERS * EVENTS_EACH - on_new;
    assert!((1..=WRITERS).contains(&on_old), "{on_old} events were written before the failover, one of each connection");
    assert!(new.connections() <= WRITERS, "{}", new.connections());
}
