//! TLS and SASL, against the listeners that `.ci/kafka` protects.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use kafka::{KafkaConfig, KafkaPublisher};
use pipeline::ports::GroupProgress as _;
use pipeline::{Fault, FaultClass, Publisher as _, RecordSource as _};
use settings::Reader;

use crate::provider::{self, Provider};

use crate::lab::{BOUND, Lab, Log, PLENTY, TURN, message, numbers, within};

/// The directory in which `.ci/kafka` leaves what its protected listeners ask for.
const VARIABLE: &str = "KAFKA_TEST_SECURED";

struct Secured {
    dir: PathBuf,
    topic: String,
}

/// Settings that differ from those that work.
type Changes<'a> = &'a [(&'a str, &'a str)];

impl Secured {
    fn find() -> Option<Self> {
        let Some(dir) = std::env::var_os(VARIABLE) else {
            let name = std::thread::current().name().unwrap_or_default().to_owned();
            // Not `eprintln`: the harness would swallow it.
            let mut stderr = std::io::stderr();
            writeln!(stderr, "NOT RUN: {name} needs a Kafka with TLS and SASL; set {VARIABLE} as `.ci/run` does").unwrap();
            return None;
        };
        Some(Self { dir: dir.into(), topic: format!("test-{}", uuid::Uuid::new_v4()) })
    }

    fn path(&self, name: &str) -> String {
        self.dir.join(name).display().to_string()
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.dir.join(name)).unwrap().trim().to_owned()
    }

    /// `SASL_SSL` as it works, with changes. An empty value takes a setting away.
    fn sasl(&self, changes: Changes<'_>) -> KafkaConfig {
        let right = [
            ("KAFKA_BROKERS", self.read("sasl_ssl")),
            ("KAFKA_SECURITY_PROTOCOL", "SASL_SSL".to_owned()),
            ("KAFKA_SASL_USERNAME", self.read("user")),
            ("KAFKA_SASL_PASSWORD", self.read("password")),
            ("KAFKA_SSL_CA_FILE", self.path("ca.pem")),
        ];
        self.config(&right, changes)
    }

    /// `SASL_SSL` with tokens of this provider as it works, with changes.
    fn tokens(&self, provider: &Provider, changes: Changes<'_>) -> KafkaConfig {
        let right = [
            ("KAFKA_BROKERS", self.read("sasl_ssl")),
            ("KAFKA_SECURITY_PROTOCOL", "SASL_SSL".to_owned()),
            ("KAFKA_SASL_MECHANISM", "OAUTHBEARER".to_owned()),
            ("KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL", provider.url.clone()),
            ("KAFKA_SASL_OAUTHBEARER_CLIENT_ID", provider::CLIENT.to_owned()),
            ("KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET", provider::SECRET.to_owned()),
            ("KAFKA_SASL_OAUTHBEARER_SCOPE", "kafka".to_owned()),
            ("KAFKA_SSL_CA_FILE", self.path("ca.pem")),
        ];
        self.config(&right, changes)
    }

    /// SSL with a client's certificate as it works, with changes.
    fn ssl(&self, changes: Changes<'_>) -> KafkaConfig {
        let right = [
            ("KAFKA_BROKERS", self.read("ssl")),
            ("KAFKA_SECURITY_PROTOCOL", "SSL".to_owned()),
            ("KAFKA_SSL_CA_FILE", self.path("ca.pem")),
            ("KAFKA_SSL_CERTIFICATE_FILE", self.path("client.pem")),
            ("KAFKA_SSL_KEY_FILE", self.path("client.key")),
        ];
        self.config(&right, changes)
    }

    fn config(&self, right: &[(&str, String)], changes: Changes<'_>) -> KafkaConfig {
        let fetch_buffer =
            right.iter().map(|(name, value)| (*name, value.as_str())).filter(|(name, _)| changes.iter().all(|(other, _)| other != name));
        let timeout = ("KAFKA_DELIVERY_TIMEOUT", "3s");
        let mut env =
            Reader::from_pairs(fetch_buffer.chain(changes.iter().copied()).chain([timeout]).filter(|(_, value)| !value.is_empty()));
        let config = KafkaConfig { topic: self.topic.clone(), group: self.topic.clone(), ..KafkaConfig::read(&mut env) };
        env.finish().unwrap();
        config
    }
}

/// Sends, takes, commits and looks on one connection after the other.
async fn works(config: KafkaConfig) {
    assert_eq!(within(kafka::ensure_topic(&config, 2, 1, BOUND)).await, Ok(2));
    // The first record of a new topic waits for its leader, and the first of a new broker for its ids.
    let lab = Lab::new(KafkaConfig { delivery_timeout: BOUND / 2, ..config });
    lab.publish_numbers(0, 50).await;
    let mut consumer = lab.consumer();
    let records = consumer.take_exactly(50).await;
    assert_eq!(numbers(&records), (0..50).collect());
    consumer.commit(&records).await;
    assert_eq!(lab.committed().await, lab.progress.high_watermarks().await.unwrap());
    consumer.close().await;
}

/// What each part says about settings that do not work. Nothing is lost by asking: none of them gets anywhere.
async fn refused(config: &KafkaConfig) -> Fault {
    let publisher = KafkaPublisher::open(config).unwrap();
    let publish = async { within(publisher.publish(&config.topic, message("k", b"1"))).await.unwrap_err() };
    let take = async {
        let (mut source, _committer) = kafka::open(config).unwrap();
        let monitor = source.monitor();
        let fault = within(async {
            loop {
                if let Err(fault) = source.poll_batch(PLENTY, TURN).await {
                    break fault;
                }
            }
        });
        let fault = fault.await;
        // What waits goes on waiting, with the same reason: for librdkafka the first attempt is one of many.
        assert_eq!(source.poll_batch(PLENTY, Duration::from_secs(2)).await, Err(fault.clone()));
        assert_eq!(monitor.trouble(), Some(fault.clone()));
        fault
    };
    let (published, taken, looked) = tokio::join!(publish, take, within(kafka::topic_partitions(config)));
    for other in [published, looked.unwrap_err()] {
        assert_eq!(other.subject, taken.subject, "all parts say the same");
        assert_eq!(other.class == FaultClass::Operator, taken.class == FaultClass::Operator, "{other} {taken}");
    }
    taken
}

/// A person must act, and is told where.
async fn assert_names(config: &KafkaConfig, settings: &[&str]) {
    let fault = refused(config).await;
    assert_eq!(fault.class, FaultClass::Operator, "{fault}");
    for setting in settings {
        assert!(fault.subject.contains(setting), "{fault} does not name {setting}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_go_and_come_over_sasl_ssl_with_each_mechanism() {
    let Some(secured) = Secured::find() else { return };
    for mechanism in ["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"] {
        let topic = format!("{}-{mechanism}", secured.topic);
        works(KafkaConfig { group: topic.clone(), topic, ..secured.sasl(&[("KAFKA_SASL_MECHANISM", mechanism)]) }).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_go_and_come_over_ssl_with_a_clients_certificate() {
    let Some(secured) = Secured::find() else { return };
    works(secured.ssl(&[])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_whose_authority_is_not_trusted_is_refused() {
    let Some(secured) = Secured::find() else { return };
    assert_names(&secured.sasl(&[("KAFKA_SSL_CA_FILE", &secured.path("stranger.pem"))]), &["KAFKA_SSL_CA_FILE"]).await;
    // The authorities of the system.
    assert_names(&secured.ssl(&[("KAFKA_SSL_CA_FILE", "")]), &["KAFKA_SSL_CA_FILE"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_whose_certificate_is_for_another_name_is_refused() {
    let Some(secured) = Secured::find() else { return };
    let address = secured.read("sasl_ssl").replace("localhost", "127.0.0.1");
    assert_names(&secured.sasl(&[("KAFKA_BROKERS", &address)]), &["certificate", "KAFKA_BROKERS"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_user_or_password_is_refused_and_never_shown() {
    let Some(secured) = Secured::find() else { return };
    for mechanism in ["SCRAM-SHA-512", "PLAIN"] {
        for (name, value) in [("KAFKA_SASL_PASSWORD", "canary"), ("KAFKA_SASL_USERNAME", "canary")] {
            let log = Log::start();
            let config = secured.sasl(&[("KAFKA_SASL_MECHANISM", mechanism), (name, value)]);
            assert_names(&config, &["KAFKA_SASL_USERNAME", "KAFKA_SASL_PASSWORD"]).await;
            let log = log.text();
            assert!(log.contains("Kafka cannot be used") && log.contains("KAFKA_SASL_PASSWORD"), "{log}");
            assert!(!log.contains("canary"), "{log}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_without_the_certificate_that_the_broker_asks_for_is_told_so() {
    let Some(secured) = Secured::find() else { return };
    let none = secured.ssl(&[("KAFKA_SSL_CERTIFICATE_FILE", ""), ("KAFKA_SSL_KEY_FILE", "")]);
    assert_names(&none, &["KAFKA_SSL_CERTIFICATE_FILE", "KAFKA_SSL_KEY_FILE"]).await;
    let (certificate, key) = (secured.path("stranger.pem"), secured.path("stranger.key"));
    let wrong = secured.ssl(&[("KAFKA_SSL_CERTIFICATE_FILE", &certificate), ("KAFKA_SSL_KEY_FILE", &key)]);
    assert_names(&wrong, &["KAFKA_SSL_CERTIFICATE_FILE"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_where_none_is_offered_is_told_so() {
    let Some(secured) = Secured::find() else { return };
    let (address, certificate, key) = (secured.read("ssl"), secured.path("client.pem"), secured.path("client.key"));
    let config = secured.sasl(&[("KAFKA_BROKERS", &address), ("KAFKA_SSL_CERTIFICATE_FILE", &certificate), ("KAFKA_SSL_KEY_FILE", &key)]);
    assert_names(&config, &["KAFKA_SECURITY_PROTOCOL", "KAFKA_SASL_MECHANISM"]).await;
}

/// To a client these look like a broker that is just starting, so they are an outage: with a hint.
#[tokio::test(flavor = "multi_thread")]
async fn another_protocol_than_the_listeners_is_an_outage_that_names_the_setting() {
    let Some(secured) = Secured::find() else { return };
    let (none, plain) = (("KAFKA_SSL_CA_FILE", ""), std::env::var("KAFKA_BROKERS").unwrap_or_default());
    let no_user = [("KAFKA_SASL_USERNAME", ""), ("KAFKA_SASL_PASSWORD", "")];
    let mut wrong = vec![
        secured.sasl(&[("KAFKA_SECURITY_PROTOCOL", "PLAINTEXT"), none, no_user[0], no_user[1]]),
        secured.sasl(&[("KAFKA_SECURITY_PROTOCOL", "SASL_PLAINTEXT"), none]),
        secured.sasl(&[("KAFKA_SECURITY_PROTOCOL", "SSL"), no_user[0], no_user[1]]),
    ];
    if !plain.is_empty() {
        wrong.push(secured.sasl(&[("KAFKA_BROKERS", &plain)]));
    }
    for config in wrong {
        let fault = refused(&config).await;
        assert!(matches!(fault.class, FaultClass::Unavailable { .. }), "{fault}");
        assert!(fault.subject.contains("KAFKA_SECURITY_PROTOCOL"), "{:?}: {fault}", config.security);
    }
}

/// How long a token is good for: short enough that several pass in a test. Not shorter, because librdkafka may show one once more shortly before it
/// is replaced, and a broker takes no two within a second.
const LIFE: Duration = Duration::from_secs(12);

#[tokio::test(flavor = "multi_thread")]
async fn tokens_log_every_client_in_and_are_followed_by_others_before_they_end() {
    let Some(secured) = Secured::find() else { return };
    let provider = Provider::start(LIFE, "pipeline");
    let config = secured.tokens(&provider, &[]);
    works(config.clone()).await;
    let described = within(kafka::describe_topic(&config)).await.unwrap();
    assert!(described.settings.is_some(), "the client that asks for settings has a token too");

    let lab = Lab::new(KafkaConfig { group: format!("{}-long", config.group), ..config });
    let mut consumer = lab.consumer();
    consumer.take_exactly(50).await;
    // Longer than any of them lives: the broker ends a connection whose token has ended.
    let (began, mut number) = (provider.given(), 50);
    while provider.given() < began + 3 {
        lab.publish_numbers(number, number + 1).await;
        number += 1;
        let records = consumer.take(PLENTY).await;
        consumer.commit(&records).await;
        lab.committed().await;
    }
    consumer.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_cannot_be_had_say_what_to_look_at() {
    let Some(secured) = Secured::find() else { return };
    let provider = Provider::start(LIFE, "pipeline");
    let fault = refused(&secured.tokens(&provider, &[("KAFKA_SASL_OAUTHBEARER_CLIENT_SECRET", "wrong")])).await;
    assert_eq!(fault.class, FaultClass::Operator);
    assert!(fault.subject.contains("KAFKA_SASL_OAUTHBEARER_CLIENT_ID"), "{fault}");
    let away = secured.tokens(&provider, &[("KAFKA_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL", "http://127.0.0.1:1/token")]);
    let fault = within(kafka::topic_partitions(&away)).await.unwrap_err();
    assert!(matches!(fault.class, FaultClass::Unavailable { .. }) && fault.subject.contains("TOKEN_ENDPOINT_URL"), "{fault}");
    // Whom its certificate is signed by, only another variable says.
    let encrypted = Provider::start_encrypted(&secured.dir, LIFE, "pipeline");
    let fault = within(kafka::topic_partitions(&secured.tokens(&encrypted, &[]))).await.unwrap_err();
    assert!(fault.subject.contains("TOKEN_ENDPOINT_URL"), "{fault}");
    works(secured.tokens(&encrypted, &[("KAFKA_SASL_OAUTHBEARER_CA_FILE", &secured.path("ca.pem"))])).await;
    // A name that is none: the provider is content with the client, and the broker is not.
    let nobody = Provider::start(LIFE, "");
    let fault = refused(&secured.tokens(&nobody, &[])).await;
    assert_eq!(fault.class, FaultClass::Operator);
    assert!(fault.subject.contains("KAFKA_SASL_OAUTHBEARER"), "{fault}");
}
