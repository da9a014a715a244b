//! What a login says of itself, and where it is sent on to for it.

use pipeline::FaultClass;
use sqlserver::{SqlServer, SqlServerConfig};
use tokio::net::TcpListener;

use crate::scripted::{Scripted, Step, done, prelogin, routing};

/// Of the messages of a connection the second is the login.
const LOGIN: usize = 1;
/// `TypeFlags` and its bit `fReadOnlyIntent`: MS-TDS, section 2.2.6.4.
const TYPE_FLAGS: usize = 26;
const READ_ONLY_INTENT: u8 = 0x20;

fn only_reads(server: &Scripted) -> bool {
    server.message(LOGIN)[TYPE_FLAGS] & READ_ONLY_INTENT != 0
}

/// A server that sends every login on, as a primary replica does with a list of read-only replicas.
async fn routes_to(host: &str, port: u16) -> Scripted {
    Scripted::raw(vec![vec![Step::Answer(prelogin()), Step::Answer(routing(host, port))]]).await
}

#[tokio::test]
async fn a_login_says_that_it_only_reads_when_it_is_told_to() {
    for read_only_intent in [false, true] {
        let server = Scripted::open(vec![vec![Step::Answer(done())]]).await;
        let config = SqlServerConfig { read_only_intent, application_name: "reads of the API".to_owned(), ..server.config() };
        assert_eq!(SqlServer::new(config).check().await, Ok(()));
        assert_eq!(only_reads(&server), read_only_intent);
        assert_eq!(server.heard("reads of the API"), [LOGIN]);
    }
}

#[tokio::test]
async fn the_intent_goes_with_the_login_to_the_replica_that_it_is_sent_on_to() {
    let replica = Scripted::open(vec![vec![Step::Answer(done())]]).await;
    // SQL Server may write an instance's name behind the host's; the port says enough.
    let primary = routes_to("127.0.0.1\\REPLICA", replica.port()).await;
    let config = SqlServerConfig { read_only_intent: true, ..primary.config() };
    assert_eq!(SqlServer::new(config).check().await, Ok(()));
    assert!(only_reads(&primary) && only_reads(&replica));
    assert_eq!((primary.connections(), replica.connections()), (1, 1));
}

#[tokio::test]
async fn a_replica_that_cannot_be_reached_says_whose_address_that_is() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let primary = routes_to("127.0.0.1", nobody.port()).await;
    let fault = SqlServer::new(primary.config()).check().await.unwrap_err();
    assert_eq!(fault.class, FaultClass::Unavailable { timed_out: false });
    assert!(fault.subject.starts_with("redirect: ") && fault.subject.contains("READ_ONLY_ROUTING_URL"), "{fault}");
}
