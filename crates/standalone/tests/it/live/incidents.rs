//! What `status` alone tells of an incident: what is wrong, where, and what to do. The flood that is held is in `peek`, outages under load in
//! `redis_away` and `kafka_away`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use events::{Event, Timestamp};
use kafka::KafkaPublisher;
use pipeline::Publisher as _;
use pipeline::ports::Message;
use serde_json::Value;
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

/// What the verdict says of an incident, in words that must be there: its kind, the cause, the place, and the remedy.
struct Told<'a> {
    kind: &'a str,
    cause: &'a str,
    place: &'a str,
    remedy: &'a str,
}

impl Told<'_> {
    fn is_in(&self, problem: &Value) -> bool {
        let holds = |field: &str, text: &str| problem[field].as_str().is_some_and(|told| told.contains(text));
        problem["kind"] == self.kind && holds("what", self.cause) && holds("where", self.place) && holds("remedy", self.remedy)
    }
}

/// What `status` shows beside this pipeline, with these settings beside or instead: its standard output, and what it says beside that.
async fn status(place: &Place, settings: &[(&str, &str)], arguments: &[&str]) -> (String, String) {
    let mut command = place.command(settings);
    command.arg("status").args(arguments);
    let (_, shown, error) = tokio::task::spawn_blocking(move || run(command)).await.unwrap();
    (shown, error)
}

/// Waits until the worst that the verdict tells is this, and nothing else is as bad; and returns the screen, which begins with the verdict.
async fn until_told(place: &Place, settings: &[(&str, &str)], incident: &str, told: &Told<'_>) -> String {
    let mut shown = String::new();
    let is_told = async || {
        shown = status(place, settings, &["--json"]).await.0;
        let Ok(status) = serde_json::from_str::<Value>(&shown) else { return false };
        status["problems"].as_array().unwrap().first().is_some_and(|worst| told.is_in(worst))
    };
    if tokio::time::timeout(SOON, eventually(SOON * 2, incident, is_told)).await.is_err() {
        let Told { kind, cause, place, remedy } = told;
        panic!("{incident}: not told first: {kind}: {cause}; {place}; {remedy}\nin\n{shown}");
    }
    let (screen, error) = status(place, settings, &[]).await;
    assert_eq!(error, "", "everything is on the screen: {incident}");
    let (verdict, _) = screen.split_once("\nconsumer      ").unwrap_or_else(|| panic!("{screen}"));
    // Lines are broken between words.
    let verdict = verdict.split_whitespace().collect::<Vec<_>>().join(" ");
    for text in [told.cause, told.place, told.remedy] {
        assert!(verdict.contains(text), "{incident}: {text} is not in the verdict of\n{screen}");
    }
    for line in screen.lines() {
        // Names of their own may be longer.
        assert!(line.len() <= 80 || !line.trim().contains(' ') || line.contains(&place.kafka.topic), "{incident}: wider than 80: {line}");
    }
    // The whole screen: with `--nocapture`, this is how all of them can be read.
    say(&format!("{incident}:\n{screen}"));
    screen
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
    let nobody = Told {
        kind: "nobody_consumes",
        cause: "nobody consumes: nothing answers at http://127.0.0.1:1, the group has no members",
        place: &format!("group {}, topic {}", place.kafka.group, place.kafka.topic),
        remedy: "start a consumer",
    };
    until_told(&place, &[("API_PORT", CLOSED)], "nothing runs", &nobody).await;
    let refused = "connection refused";
    let (no_name, spelling) = ("unknown host: the name has no address here", "check its spelling and DNS");
    let (kafka, redis, database) = ("(KAFKA_BROKERS)", "(REDIS_HOST and REDIS_PORT)", "(MSSQL_SERVER and MSSQL_PORT)");
    let (closed, unknown) = (format!("127.0.0.1:{CLOSED}"), "no-such-host.invalid");
    for (incident, setting, cause, at, setting_told, remedy) in [
        ("Kafka is down", ("KAFKA_BROKERS", closed.as_str()), refused, "at 127.0.0.1:1", kafka, "correct KAFKA_BROKERS"),
        ("Kafka's name is wrong", ("KAFKA_BROKERS", "no-such-host.invalid:9092"), no_name, "at no-such-host.invalid:9092", kafka, spelling),
        ("Redis is down", ("REDIS_PORT", CLOSED), refused, "at 127.0.0.1:1", redis, "correct REDIS_HOST and REDIS_PORT"),
        ("Redis' name is wrong", ("REDIS_HOST", unknown), no_name, "at no-such-host.invalid:", redis, spelling),
        (
            "the password of Redis is wrong",
            ("REDIS_PASSWORD", "wrong"),
            "refuses: login",
            "at 127.0.0.1:",
            redis,
            "check REDIS_USERNAME and REDIS_PASSWORD",
        ),
        ("SQL Server is down", ("MSSQL_SERVER", "127.0.0.1,1"), refused, "at 127.0.0.1:1", database, "correct MSSQL_SERVER and MSSQL_PORT"),
        ("SQL Server's name is wrong", ("MSSQL_SERVER", unknown), no_name, "at no-such-host.invalid:", database, spelling),
    ] {
        let mut settings = vec![setting, ("API_PORT", CLOSED)];
        if setting.0 == "MSSQL_SERVER" {
            settings.push(("MSSQL_PASSWORD", "irrelevant"));
        }
        let screen = until_told(&place, &settings, incident, &Told { kind: "part", cause, place: at, remedy }).await;
        assert!(screen.contains(setting_told) && screen.contains("not known: "), "{incident}: {screen}");
    }
    let mistyped = format!("{}x", place.kafka.topic);
    let missing = Told {
        kind: "topic_missing",
        cause: &format!("has no topic {mistyped}"),
        place: &format!("topic {mistyped} (KAFKA_TOPIC)"),
        remedy: &format!("correct KAFKA_TOPIC (similar: {}", place.kafka.topic),
    };
    until_told(&place, &[("KAFKA_TOPIC", &mistyped), ("API_PORT", CLOSED)], "the topic is not there", &missing).await;

    let stray = status(&place, &[("API_PORT", CLOSED), ("MSSQL_PASSWORD", "irrelevant")], &[]).await;
    assert!(stray.0.contains("NOTE     MSSQL_PASSWORD has no effect without MSSQL_SERVER"), "{}", stray.0);
    assert_eq!(stray.1, "", "it is said once");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_running_pipeline_knows_is_told() {
    let Some(servers) = Servers::configured().await else { return };
    let place = Place::on(&servers).await;
    let member = place.start(&[]);
    let port = port(&member).await;
    let here = ("API_PORT", port.as_str());
    member.until_ready(SOON).await;

    eventually(SOON, "all is well", async || status(&place, &[here], &[]).await.0.contains("Z  nothing is wrong\n")).await;
    let (well, _) = status(&place, &[here], &[]).await;
    let mut lines = well.lines();
    assert!(lines.next().is_some_and(|verdict| verdict.ends_with("Z  nothing is wrong")) && lines.next() == Some(""), "{well}");
    // The member of the group and the consumer by its heartbeat are one, by one name.
    let name = well.lines().skip_while(|line| !line.starts_with("consumers ")).nth(2).unwrap().trim();
    let name = name.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    assert_eq!(well.matches(&name).count(), 7, "six partitions and one consumer: {well}");
    say(&format!("all is well:\n{well}"));

    let other = unique("group");
    let told = Told {
        kind: "other_group",
        cause: &format!("consumes in group {}, and this command is set to group {other}", place.kafka.group),
        place: "(KAFKA_CONSUMER_GROUP)",
        remedy: &format!("set KAFKA_CONSUMER_GROUP={}", place.kafka.group),
    };
    until_told(&place, &[here, ("KAFKA_CONSUMER_GROUP", &other)], "the group is another one", &told).await;

    let absent = id();
    send(&place, &order(id(), absent)).await;
    let told = Told {
        kind: "parked",
        cause: &format!("1 event waits for user {absent}, which is not there"),
        place: &format!("`parked show {absent}`"),
        remedy: "find out why its producer has not sent it",
    };
    until_told(&place, &[here], "an order without its user", &told).await;
    let mut command = place.command(&[]);
    command.args(["parked", "show", &absent.to_string()]);
    let (output, shown, _) = tokio::task::spawn_blocking(move || run(command)).await.unwrap();
    assert!(output.status.success() && shown.starts_with(&format!("1 event waits for user {absent}, the first for ")), "{shown}");

    let publisher = KafkaPublisher::open(&place.kafka).unwrap();
    let message = Message { key: None, value: Some(b"boom".to_vec()), headers: Vec::new() };
    publisher.publish(&place.kafka.topic, message).await.unwrap();
    let told = Told {
        kind: "dead_letters",
        cause: "1 dead letter: written by something that makes no events",
        place: "see `dlq list --fingerprint not_json:unknown:`",
        remedy: "find who writes other things to this topic",
    };
    until_told(&place, &[here], "a record that is no event", &told).await;

    let now = Timestamp::from_unix_millis(i64::try_from(since_1970().as_millis()).unwrap()).unwrap();
    send(&place, &Event { at: now.plus_micros(120_000_000), ..user(id()) }).await;
    let told = Told {
        kind: "clock_ahead",
        cause: "1 event is dated in the future: the clock of a producer is ahead",
        place: "(MAX_CLOCK_SKEW)",
        remedy: "set the clock of that producer",
    };
    until_told(&place, &[here], "a producer's clock is ahead", &told).await;
    member.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_holds_something_else_is_told_with_what_to_do() {
    let Some(servers) = Servers::configured().await else { return };
    let place = Place::on(&servers).await;
    tell_redis(&place, &format!("SET {} x", place.redis.list));
    let member = place.start(&[]);
    let port = port(&member).await;
    let told = Told {
        kind: "part",
        cause: "refuses: WRONGTYPE: the key of REDIS_DLQ_KEY, or one beside it, holds something else",
        place: "at 127.0.0.1:",
        remedy: "rename that key, or set REDIS_DLQ_KEY to a name of its own; the consumer goes on by itself, with another setting after a restart",
    };
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
    let told = Told {
        kind: "dead_letters",
        cause: "1 dead letter: Avro or Protobuf of a schema registry",
        place: "`dlq list --fingerprint registry_framed:unknown:`",
        remedy: "have the producer write JSON",
    };
    until_told(&place, &[here], "a producer writes Avro", &told).await;

    let memory = NoMemory::of(&place);
    publish(b"boom").await;
    let told = Told {
        kind: "part",
        cause: "refuses: OOM: Redis has no memory left for a dead letter",
        place: "at 127.0.0.1:",
        remedy: "raise its maxmemory",
    };
    let screen = until_told(&place, &[here], "the queue takes no writes", &told).await;
    assert!(screen.contains("  dead_letter_queue  down "), "it answers questions, and is not up: {screen}");
    drop(memory);
    member.until_ready(SOON).await;
    place.until_committed(2, SOON).await;
    member.stop().await;

    publish(b"boom").await;
    let told = Told {
        kind: "nobody_consumes",
        cause: "the group has no members, and 1 record waits",
        place: &format!("group {}, topic {}", place.kafka.group, place.kafka.topic),
        remedy: "start a consumer",
    };
    until_told(&place, &[("API_PORT", CLOSED)], "records wait and nobody consumes", &told).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_database_is_named() {
    let Some(servers) = Servers::configured().await else { return };
    let place = Place::on(&servers).await;
    std::fs::write(place.file(), [b'x'; 8192]).unwrap();
    let told = Told {
        kind: "part",
        cause: "events.db cannot be used (SQLite error 26): it is not a SQLite database",
        place: "events.db (--data-dir)",
        remedy: "put a copy of the right one in its place, or name another folder or file",
    };
    let screen = until_told(&place, &[("API_PORT", CLOSED)], "the file is no database", &told).await;
    assert!(screen.contains("\ndead letters  0\n"), "the queue is on a server: {screen}");
}

fn since_1970() -> Duration {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap()
}
