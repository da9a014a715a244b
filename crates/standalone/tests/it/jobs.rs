//! A redrive whose processes are killed, one after the other: another one goes on with it, and each letter is sent.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use events::{Body, Event};
use kafka::{EmbeddedBroker, KafkaConfig, KafkaProgress};
use pipeline::DeadLetterQueue as _;
use pipeline::dead_letter::{DeadLetter, Diagnosis};
use pipeline::ports::{DeadLetterReader as _, GroupProgress as _, RedriveJobs as _};
use pipeline::redrive_job::{JobState, LetterResult, RedriveJob};
use pipeline::{Record, WaitsFor};
use readmodel::ReadStore as _;
use sqlite::Sqlite;
use testkit::builders::{id, record, second, user};
use testkit::eventually;

use crate::process::{Running, run, standalone};

const BOUND: Duration = Duration::from_secs(120);
/// Letters that are sent in a second: of one group.
const RATE: u64 = 20;

fn letter(event: &Event<'_>) -> DeadLetter {
    letter_at(0, event)
}

/// Of a record at this offset: the queue knows letters by it.
fn letter_at(offset: i64, event: &Event<'_>) -> DeadLetter {
    let mut record = Record { key: Some(event.key().into_bytes()), ..record(event.to_json()) };
    (record.position.topic, record.position.offset) = ("events".into(), offset);
    DeadLetter::new(&record, &Diagnosis::expired(event.id, event.event_type(), WaitsFor::Email), second(0))
}

/// The leases of whoever was killed come to their end: the job's, and those of its claims.
fn time_passes(tables: &Sqlite) {
    let file = rusqlite::Connection::open(tables.path()).unwrap();
    file.busy_timeout(BOUND).unwrap();
    file.execute_batch("UPDATE leases SET ends_at = 0; UPDATE dead_letters SET lease_ends = 0 WHERE lease_ends IS NOT NULL").unwrap();
}

async fn the_job(tables: &Sqlite) -> Option<RedriveJob> {
    tables.jobs_before(i64::MAX, 1).await.unwrap().into_iter().next()
}

async fn until_sent(tables: &Sqlite, letters: u64) {
    let sent = async || the_job(tables).await.is_some_and(|job| job.counts.get(LetterResult::Sent) >= letters);
    eventually(BOUND, "so many are sent", sent).await;
}

fn start(folder: &Path, broker: &EmbeddedBroker, arguments: &[&str]) -> Running {
    let mut command = standalone(folder, &["--data-dir", "data"]);
    command.args(arguments).env("KAFKA_BROKERS", broker.bootstrap_servers()).env("KAFKA_CONSUMER_GROUP", "jobs").env("API_PORT", "0");
    command.env("KAFKA_SESSION_TIMEOUT", "6s").stderr(Stdio::null());
    Running::start(command)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redrive_survives_the_death_of_every_process_that_does_it() {
    let broker = EmbeddedBroker::start("events", 2).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let tables = Sqlite::open(&folder.path().join("data/events.db")).unwrap();
    let users: Vec<_> = (0..6 * RATE).map(|_| user(id())).collect();
    tables.push(&users.iter().map(letter).collect::<Vec<_>>()).await.unwrap();
    let all = users.len() as u64;

    let command_line = start(folder.path(), &broker, &["dlq", "redrive", "--all", "--rate", &format!("{RATE}/s")]);
    until_sent(&tables, RATE).await;
    command_line.kill();
    let job = the_job(&tables).await.unwrap();
    assert!(job.state == JobState::Running && job.counts.get(LetterResult::Pending) > 0, "killed in the middle of the work: {job:?}");
    let number = job.number.to_string();

    time_passes(&tables);
    let consumer = start(folder.path(), &broker, &[]);
    until_sent(&tables, job.counts.get(LetterResult::Sent) + RATE).await;
    consumer.kill();
    assert_eq!(the_job(&tables).await.unwrap().state, JobState::Running, "killed in the middle of the work");

    time_passes(&tables);
    let last = start(folder.path(), &broker, &[]);
    eventually(BOUND, "it is done", async || the_job(&tables).await.is_some_and(|job| job.state == JobState::Done)).await;
    let done = the_job(&tables).await.unwrap();
    assert_eq!((done.number, done.counts.all()), (job.number, all));
    // What was settled and not noted at the moment of a kill: of one group each.
    assert!(done.counts.get(LetterResult::Sent) >= all - 2 * RATE, "{:?}", done.counts);
    assert_eq!(done.counts.get(LetterResult::Sent) + done.counts.get(LetterResult::Gone), all, "{:?}", done.counts);
    assert_eq!((tables.depth().await, tables.claimed().await), (Ok(0), Ok(0)));
    let progress = KafkaProgress::open(&KafkaConfig::embedded(&broker)).unwrap();
    let records: i64 = progress.high_watermarks().await.unwrap().values().sum();
    assert!((all as i64..=(all + 2 * RATE) as i64).contains(&records), "{records} records of {all} letters");
    for user in &users {
        let Body::UserCreated(created) = &user.body else { panic!("a user") };
        eventually(BOUND, "each is applied", async || tables.user(created.user_id).await.unwrap().is_some()).await;
    }

    let show = async |what: &str| {
        let mut show = standalone(folder.path(), &["--data-dir", "data", "dlq", "jobs", "show", &number, what]);
        show.env("KAFKA_BROKERS", broker.bootstrap_servers());
        tokio::task::spawn_blocking(move || run(show)).await.unwrap().1
    };
    // What was sent by whom who has died is told by what the job keeps.
    eventually(BOUND, "the consumer has come to all of them", async || !show("--ended").await.contains("not yet")).await;
    let ended = show("--ended").await;
    let (_, counts) = ended.split_once("ended that were sent\n").unwrap();
    let count = |of: &str| counts.lines().find_map(|line| line.trim().strip_prefix(of)?.trim().parse::<u64>().ok()).unwrap_or(0);
    assert_eq!(count("applied") + count("duplicate"), done.counts.get(LetterResult::Sent), "{ended}");
    let shown = show("--letters").await;
    assert_eq!(shown.lines().filter(|line| line.ends_with("  sent")).count() as u64, done.counts.get(LetterResult::Sent), "{shown}");
    last.kill();
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_pauses_the_job_and_says_how_it_goes_on() {
    let broker = EmbeddedBroker::start("events", 2).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let tables = Sqlite::open(&folder.path().join("data/events.db")).unwrap();
    tables.push(&(0..3).map(|_| letter(&user(id()))).collect::<Vec<_>>()).await.unwrap();
    let mut command = standalone(folder.path(), &["--data-dir", "data", "dlq", "redrive", "--all", "--rate", "1/h"]);
    let child = command.env("KAFKA_BROKERS", broker.bootstrap_servers()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    until_sent(&tables, 1).await;
    let interrupted = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupted.success());
    let output = tokio::task::spawn_blocking(move || child.wait_with_output()).await.unwrap().unwrap();
    let [shown, said] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    let job = the_job(&tables).await.unwrap();
    assert_eq!((output.status.code(), job.state, tables.depth().await), (Some(1), JobState::Paused, Ok(2)));
    // Whoever loses the terminal has the number from the beginning.
    assert!(said.contains(&format!("job {}: 3 dead letters; `dlq jobs show {0}`", job.number)), "{said}");
    let last = shown.lines().last().unwrap();
    assert!(last.starts_with(&format!("job {} is paused: `dlq jobs show {0}`", job.number)), "{shown}");
    assert!(last.contains(&format!("dlq jobs resume {}", job.number)), "{shown}");

    let dlq = async |arguments: &[&str]| {
        let mut command = standalone(folder.path(), &["--data-dir", "data", "dlq", "jobs"]);
        command.args(arguments).env("KAFKA_BROKERS", broker.bootstrap_servers());
        tokio::task::spawn_blocking(move || run(command)).await.unwrap()
    };
    let number = job.number.to_string();
    let (_, listed, _) = dlq(&[]).await;
    assert!(listed.lines().nth(1).is_some_and(|line| line.contains("paused") && line.contains("all dead letters")), "{listed}");
    let (output, said, stderr) = dlq(&["resume", &number, "--rate", "1000/s", "--here"]).await;
    assert!(output.status.success() && said.lines().any(|line| line.split_whitespace().eq(["redriven", "2"])), "{said}{stderr}");
    assert!(said.contains(&format!("job {number} is done: `dlq jobs show {number} --letters`")), "{said}");
    assert_eq!((the_job(&tables).await.unwrap().state, tables.depth().await), (JobState::Done, Ok(0)));
    let (output, _, stderr) = dlq(&["cancel", &number]).await;
    assert!(output.status.code() == Some(1) && stderr.contains("is done"), "{stderr}");
}

/// A letter whose payload is none of the four events.
fn broken_letter() -> DeadLetter {
    let mut record = Record { key: Some(b"k".to_vec()), ..record(b"{".to_vec()) };
    record.position.topic = "events".into();
    DeadLetter::new(&record, &Diagnosis::from(&events::decode(b"{").unwrap_err()), second(0))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redrive_that_waits_says_how_each_letter_ended() {
    let broker = EmbeddedBroker::start("events", 2).unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let tables = Sqlite::open(&folder.path().join("data/events.db")).unwrap();
    let redrive = async |more: &[&str]| {
        let mut command = standalone(folder.path(), &["--data-dir", "data", "dlq", "redrive", "--all", "--wait"]);
        command.args(more).env("KAFKA_BROKERS", broker.bootstrap_servers());
        tokio::task::spawn_blocking(move || run(command)).await.unwrap()
    };
    tables.push(&[letter(&user(id()))]).await.unwrap();
    let (output, said, stderr) = redrive(&["1"]).await;
    assert_eq!(output.status.code(), Some(1), "nobody consumes: {said}{stderr}");
    assert!(said.contains("how 1 letter ended that was sent\n  not yet"), "{said}");
    assert!(said.contains("the consumer has not come to events, partition "), "{said}");

    let consumer = start(folder.path(), &broker, &[]);
    let applied: Vec<_> = (0..2).map(|_| user(id())).collect();
    tables.push(&applied.iter().map(letter).collect::<Vec<_>>()).await.unwrap();
    let (output, said, stderr) = redrive(&["120"]).await;
    assert!(output.status.success(), "{said}{stderr}");
    assert!(said.lines().any(|line| line.split_whitespace().eq(["applied", "2"])), "{said}");

    tables.push(&[letter(&user(id())), letter_at(1, &applied[0]), broken_letter()]).await.unwrap();
    let (output, said, stderr) = redrive(&["120", "--json"]).await;
    assert_eq!(output.status.code(), Some(1), "{said}{stderr}");
    let lines: Vec<serde_json::Value> = said.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&lines[0]["state"], &lines[0]["redriven"]), (&"done".into(), &3.into()), "{said}");
    let counts = &lines[1];
    assert_eq!([&counts["sent"], &counts["applied"], &counts["duplicate"], &counts["failedAgain"]], [3, 1, 1, 1], "{said}");
    assert_eq!(lines[2]["ended"], "failed_again", "{said}");
    assert!(lines[2]["why"].as_str().unwrap().contains(" again: not_json: "), "{said}");
    consumer.kill();
}
