//! The modes of `MSSQL_ENCRYPT`, against a scripted server that has a certificate.

use std::net::TcpListener;
use std::time::Duration;

use pipeline::{Fault, FaultClass};
use sqlserver::{Authentication, Encryption, Resolver, SqlServer, SqlServerConfig};

use crate::certificates::Authority;
use crate::encrypted::{Encrypted, Offer};

const AWAY: FaultClass = FaultClass::Unavailable { timed_out: false };

/// A server whose certificate is for this name, and its authority.
fn server(offer: Offer, name: &str) -> (Encrypted, Authority) {
    let authority = Authority::new();
    (Encrypted::start(offer, &authority.certificate(name)), authority)
}

fn config(server: &Encrypted, encryption: Encryption) -> SqlServerConfig {
    SqlServerConfig {
        server: "localhost".to_owned(),
        port: server.port(),
        instance: None,
        resolver: Resolver::System,
        user: "sa".to_owned(),
        password: "hunter2".to_owned().into(),
        authentication: Authentication::SqlPassword,
        database: "eventdb".to_owned(),
        encryption,
        host_name_in_certificate: None,
        trust_server_certificate: false,
        ca: None,
        application_name: "event-pipeline".to_owned(),
        read_only_intent: false,
        pool_size: 1,
        connect_timeout: Duration::from_secs(20),
        command_timeout: Duration::from_secs(20),
        lock_timeout: Duration::from_secs(1),
    }
}

async fn check(config: SqlServerConfig) -> Result<(), Fault> {
    SqlServer::new(config).check().await
}

fn assert_untrusted(fault: &Fault) {
    assert_eq!(fault.class, FaultClass::Operator, "{fault}");
    for setting in ["MSSQL_CA_FILE", "MSSQL_TRUST_SERVER_CERTIFICATE", "MSSQL_SERVER"] {
        assert!(fault.subject.contains(setting), "{fault} does not name {setting}");
    }
}

/// Each mode that encrypts, with what a server offers that wants it so.
const ENCRYPTING: [(Encryption, Offer); 3] =
    [(Encryption::On, Offer::On), (Encryption::Login, Offer::LoginOnly), (Encryption::Strict, Offer::Strict)];

#[tokio::test]
async fn a_certificate_of_a_given_authority_is_accepted_in_each_mode() {
    for (encryption, offer) in ENCRYPTING {
        let (server, authority) = server(offer, "localhost");
        let trusting = SqlServerConfig { ca: Some(authority.pem()), ..config(&server, encryption) };
        assert_eq!(check(trusting).await, Ok(()), "{encryption:?}");
        assert_eq!(server.connections(), 1);
    }
}

#[tokio::test]
async fn a_certificate_is_checked_unless_that_is_switched_off() {
    for (encryption, offer) in ENCRYPTING {
        let (server, _) = server(offer, "localhost");
        assert_untrusted(&check(config(&server, encryption)).await.unwrap_err());
        let stranger = SqlServerConfig { ca: Some(Authority::new().pem()), ..config(&server, encryption) };
        assert_untrusted(&check(stranger).await.unwrap_err());
        assert_eq!(server.logins(), 0, "{encryption:?}: nobody who is not trusted gets the password");
        let credulous = SqlServerConfig { trust_server_certificate: true, ..config(&server, encryption) };
        assert_eq!(check(credulous).await, Ok(()), "{encryption:?}");
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    for (encryption, offer) in ENCRYPTING {
        let (server, authority) = server(offer, "db.example.com");
        let trusting = SqlServerConfig { ca: Some(authority.pem()), ..config(&server, encryption) };
        assert_untrusted(&check(trusting).await.unwrap_err());
        assert_eq!(server.logins(), 0);
    }
}

#[tokio::test]
async fn a_server_that_offers_no_encryption_gets_no_password_when_it_is_wanted() {
    let (server, authority) = server(Offer::None, "localhost");
    let fault = check(SqlServerConfig { ca: Some(authority.pem()), ..config(&server, Encryption::On) }).await.unwrap_err();
    assert_eq!(fault.class, FaultClass::Operator);
    assert!(fault.subject.contains("MSSQL_ENCRYPT"), "{fault}");
    assert_eq!(server.logins(), 0);
    assert_eq!(check(config(&server, Encryption::Off)).await, Ok(()));
}

#[tokio::test]
async fn a_server_that_insists_is_given_encryption_and_checked_even_where_it_is_off() {
    let (server, authority) = server(Offer::On, "localhost");
    assert_untrusted(&check(config(&server, Encryption::Off)).await.unwrap_err());
    assert_eq!(check(SqlServerConfig { ca: Some(authority.pem()), ..config(&server, Encryption::Off) }).await, Ok(()));
    assert_eq!((server.wanted(), server.logins()), (vec![2, 2], 1));
}

#[tokio::test]
async fn each_mode_says_in_its_first_packet_what_it_wants() {
    // ENCRYPT_OFF, ENCRYPT_ON, ENCRYPT_NOT_SUP and ENCRYPT_REQ: MS-TDS, section 2.2.6.5.
    for (encryption, offer, wanted) in [
        (Encryption::Off, Offer::None, 2),
        (Encryption::Login, Offer::LoginOnly, 0),
        (Encryption::On, Offer::On, 3),
        (Encryption::Strict, Offer::Strict, 3),
    ] {
        let (server, authority) = server(offer, "localhost");
        assert_eq!(check(SqlServerConfig { ca: Some(authority.pem()), ..config(&server, encryption) }).await, Ok(()));
        assert_eq!(server.wanted(), [wanted], "{encryption:?}");
    }
}

#[tokio::test]
async fn a_handshake_that_is_cut_off_is_an_outage() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (server, _) = server(Offer::On, "localhost");
    let port = listener.local_addr().unwrap().port();
    let accepting = std::thread::spawn(move || drop(listener.accept()));
    let fault = check(SqlServerConfig { port, ..config(&server, Encryption::Strict) }).await.unwrap_err();
    assert_eq!((fault.class, fault.subject), (AWAY, "connect"));
    accepting.join().unwrap();
}
