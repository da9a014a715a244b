//! What `status` alone tells of an incident: what is wrong, where, and what to do. The flood that is held is in `peek`, outages under load in
//! `redis_away` and `kafka_away`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use events::{Event, Timestamp};
use kafka::KafkaPublisher;
use pipeline::Publisher as _;
use pipeline::ports::Message;
use testkit::builders::{id, order, unique, user};
use testkit::eventually;

use super::member::Member;
use super::place::Place;
use super::servers::{Servers, say};
use crate::process::run;

/// A bound for what takes seconds.
const SOON: Duration = Duration::from_secs(60);
/// Nothing listens there: <https://www.iana.org/assignments/service-names-port-numbers> gives it to a service that nobody runs.
const CLOSED: &str = "1";

/// What `status` shows beside this pipeline, with these settings beside or instead.
async fn status(place: &Place, settings: &[(&str, &str)]) -> String {
    let mut command = place.command(settings);
    command.arg("status");
    let (_, shown, error) = tokio::task::spawn_blocking(move || run(command)).await.unwrap();
    shown + &error
}

/// Waits until `status` shows all of this.
async fn until_told(place: &Place, settings: &[(&str, &str)], incident: &str, told: &[&str]) {
    let mut shown = String::new();
    let is_told = async || {
        shown = status(place, settings).await;
        told.iter().all(|text| shown.contains(text))
    };
    if tokio::time::timeout(SOON, eventually(SOON * 2, incident, is_told)).await.is_err() {
        panic!("{incident}: not told {told:?} in\n{shown}");
    }
    // The whole screen: with `--nocapture`, this is how all of them can be read.
    say(&format!("{incident}:\n{shown}"));
}

async fn port(member: &Member) -> String {
    member.api().await.rsplit_once(':').unwrap().1.to_owned()
}

async fn send(place: &Place, event: &Event<'_>) {
    let publisher = KafkaPublisher::open(&place.kafka).unwrap();
    let message = Message { key: Some(event.key().into_bytes()), value: Some(event.to_json()), headers: Vec::new() };
    publisher.publish(&place.kafka.topic, message).await.unwrap();
}

/// Says something to the Redis of this place, in its inline form.
fn tell_redis(place: &Place, words: &str) {
    let mut stream = TcpStream::connect((place.redis.host.as_str(), place.redis.port)).unwrap();
    write!(stream, "{words}\r\n").unwrap();
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    assert!(answer.starts_with('+') || answer.starts_with(':'), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_reached_is_told_with_its_place_and_the_cause_where_nothing_runs_too() {
    let Some(servers) = Servers::configured().await else { return };
    let place = Place::on(&servers).await;
    let (closed, unknown) = (format!("127.0.0.1:{CLOSED}"), "no-such-host.invalid");
    let nobody = [("API_PORT", CLOSED)];
    until_told(&place, &nobody, "nothing runs", &["nothing answers at http://127.0.0.1:1: it does not run, or it listens elsewhere"]).await;
    for (incident, settings, told) in [
        ("Kafka is down", ("KAFKA_BROKERS", closed.as_str()), "Kafka at 127.0.0.1:1 cannot be reached: connection refused"),
        (
            "Kafka's name is wrong",
            ("KAFKA_BROKERS", "no-such-host.invalid:9092"),
            "Kafka at no-such-host.invalid:9092 cannot be reached: unknown host",
        ),
        ("Redis is down", ("REDIS_PORT", CLOSED), "the dead letter queue at 127.0.0.1:1 cannot be reached: connection refused"),
        ("Redis' name is wrong", ("REDIS_HOST", unknown), "cannot be reached: unknown host: the name has no address here"),
        ("the password of Redis is wrong", ("REDIS_PASSWORD", "wrong"), "login: check REDIS_USERNAME and REDIS_PASSWORD"),
        ("SQL Server is down", ("MSSQL_SERVER", "127.0.0.1,1"), "the database at 127.0.0.1:1 cannot be reached: connection refused"),
        ("SQL Server's name is wrong", ("MSSQL_SERVER", unknown), "cannot be reached: unknown host: the name has no address here"),
    ] {
        until_told(&place, &[settings, ("API_PORT", CLOSED), ("MSSQL_PASSWORD", "irrelevant")], incident, &["not known: ", told]).await;
    }
    let mistyped = format!("{}x", place.kafka.topic);
    let told = ["topic: create it or check KAFKA_TOPIC", &format!("({mistyped})")];
    until_told(&place, &[("KAFKA_TOPIC", &mistyped), nobody[0]], "the topic is not there", &told).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_running_pipeline_knows_is_told() {
    let Some(servers) = Servers::configured().await else { return };
    let place = Place::on(&servers).await;
    let member = place.start(&[]);
    let port = port(&member).await;
    let here = ("API_PORT", port.as_str());
    member.until_ready(SOON).await;

    let other = unique("group");
    let group = format!("KAFKA_CONSUMER_GROUP={}", place.kafka.group);
    let told = ["the process above consumes in another group", &group];
    until_told(&place, &[here, ("KAFKA_CONSUMER_GROUP", &other)], "the group is another one", &told).await;

    let absent = id();
    send(&place, &order(id(), absent)).await;
    let told = ["parked        1, the oldest for", &format!("1  for user {absent}")];
    until_told(&place, &[here], "an order without its user", &told).await;
    let mut command = place.command(&[]);
    command.args(["parked", "show", &absent.to_string()]);
    let (output, shown, _) = tokio::task::spawn_blocking(move || run(command)).await.unwrap();
    assert!(output.status.success() && shown.starts_with(&format!("1 event waits for user {absent}, the first for ")), "{shown}");

    let now = Timestamp::from_unix_millis(i64::try_from(since_1970().as_millis()).unwrap()).unwrap();
    send(&place, &Event { at: now.plus_micros(120_000_000), ..user(id()) }).await;
    until_told(
        &place,
        &[here],
        "a producer's clock is ahead",
        &["clocks: 1 event was dated in the future", "set the clock of its producer"],
    )
    .await;

    let publisher = KafkaPublisher::open(&place.kafka).unwrap();
    let message = Message { key: None, value: Some(b"boom".to_vec()), headers: Vec::new() };
    publisher.publish(&place.kafka.topic, message).await.unwrap();
    until_told(&place, &[here], "a record that is no event", &["dead letters  1", "not_json:unknown:", ": 1 member", "127.0.0.1 "]).await;
    member.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_holds_something_else_is_told_with_what_to_do() {
    let Some(servers) = Servers::configured().await else { return };
    let place = Place::on(&servers).await;
    tell_redis(&place, &format!("SET {} x", place.redis.list));
    let member = place.start(&[]);
    let port = port(&member).await;
    let told = ["consumer      not ready", "REDIS_DLQ_KEY"];
    until_told(&place, &[("API_PORT", &port)], "the key of the queue holds something else", &told).await;
    tell_redis(&place, &format!("DEL {}", place.redis.list));
    member.until_ready(SOON).await;
    member.stop().await;
}

/// Takes memory from Redis while it lives.
struct NoMemory<'a>(&'a Place);

impl<'a> NoMemory<'a> {
    fn of(place: &'a Place) -> Self {
        tell_redis(place, "CONFIG SET maxmemory 1");
        Self(place)
    }
}

impl Drop for NoMemory<'_> {
    fn drop(&mut self) {
        tell_redis(self.0, "CONFIG SET maxmemory 0");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_framed_record_a_queue_without_memory_and_a_group_without_members_are_told() {
    let Some(servers) = Servers::configured().await else { return };
    let place = Place::on(&servers).await;
    let member = place.start(&[]);
    let port = port(&member).await;
    let here = ("API_PORT", port.as_str());
    member.until_ready(SOON).await;
    let publisher = KafkaPublisher::open(&place.kafka).unwrap();
    let publish = async |value: &[u8]| {
        let message = Message { key: None, value: Some(value.to_vec()), headers: Vec::new() };
        publisher.publish(&place.kafka.topic, message).await.unwrap();
    };
    // As a serializer with a schema registry frames them: a zero, the schema's id, Avro.
    publish(&[0, 0, 0, 0, 7, 2, 3]).await;
    until_told(&place, &[here], "a producer writes Avro", &["dead letters  1", "registry_framed:unknown:"]).await;

    let memory = NoMemory::of(&place);
    publish(b"boom").await;
    let told = ["consumer      not ready", "OOM: Redis has no memory left for a dead letter; raise its maxmemory"];
    until_told(&place, &[here], "the queue takes no writes", &told).await;
    drop(memory);
    member.until_ready(SOON).await;
    place.until_committed(2, SOON).await;
    member.stop().await;

    publish(b"boom").await;
    let told = ["nothing answers at http://127.0.0.1:1", "1 of topic", ": nobody is in it", "  nobody"];
    until_told(&place, &[("API_PORT", CLOSED)], "records wait and nobody consumes", &told).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_database_is_named() {
    let Some(servers) = Servers::configured().await else { return };
    let place = Place::on(&servers).await;
    std::fs::write(place.file(), [b'x'; 8192]).unwrap();
    let shown = status(&place, &[("API_PORT", CLOSED)]).await;
    assert!(shown.contains("this is no SQLite database; name another folder or file") && shown.contains("events.db"), "{shown}");
    say(&format!("the file is no database: {}", shown.trim()));
}

fn since_1970() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap()
}
