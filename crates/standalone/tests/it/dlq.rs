//! Dead letters on a command line and over HTTP, with a pipeline that runs beside.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use events::{Body, Event};
use kafka::{EmbeddedBroker, KafkaConfig, KafkaPublisher};
use pipeline::Publisher;
use pipeline::ports::Message;
use readmodel::ReadStore;
use serde_json::Value;
use sqlite::Sqlite;
use testkit::builders::{id, user};
use testkit::eventually;

use crate::process::{Running, run, standalone};

const BOUND: Duration = Duration::from_secs(60);
const TOKEN: &str = "0123456789abcdef";

/// A pipeline with its tables in a folder, and the broker that it reads from.
pub struct Place {
    folder: tempfile::TempDir,
    broker: EmbeddedBroker,
    publisher: KafkaPublisher,
    pub api: String,
    _running: Running,
}

impl Place {
    pub fn start(settings: &[(&str, &str)]) -> Self {
        let broker = EmbeddedBroker::start("events", 2).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut command = standalone(folder.path(), &["--data-dir", "data"]);
        command.env("KAFKA_BROKERS", broker.bootstrap_servers()).env("KAFKA_CONSUMER_GROUP", "dlq").env("API_PORT", "0");
        command.envs(settings.iter().copied()).stdout(Stdio::piped());
        let mut running = Running(command.spawn().unwrap());
        let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
        let api = lines.find_map(|line| line.unwrap().split_once("http://").map(|(_, api)| api.to_owned())).unwrap();
        // What it writes later is read, so that it never waits for a reader.
        std::thread::spawn(move || lines.for_each(drop));
        let publisher = KafkaPublisher::open(&KafkaConfig::embedded(&broker)).unwrap();
        Self { folder, broker, publisher, api, _running: running }
    }

    pub async fn send(&self, value: impl Into<Vec<u8>>) {
        let message = Message { key: None, value: Some(value.into()), headers: Vec::new() };
        self.publisher.publish("events", message).await.unwrap();
    }

    /// `standalone dlq …` beside it: the exit code and the standard output.
    async fn dlq(&self, arguments: &[&str]) -> (i32, String) {
        self.dlq_with(arguments, &[]).await
    }

    async fn dlq_with(&self, arguments: &[&str], settings: &[(&str, &Path)]) -> (i32, String) {
        let mut command = standalone(self.folder.path(), &["--data-dir", "data", "dlq"]);
        command.args(arguments).env("KAFKA_BROKERS", self.broker.bootstrap_servers()).envs(settings.iter().copied());
        command.env("TMPDIR", self.temporary());
        let (output, stdout, stderr) = tokio::task::spawn_blocking(move || run(command)).await.unwrap();
        (output.status.code().unwrap(), if stdout.is_empty() { stderr } else { stdout })
    }

    /// The rows of the list, newest first.
    async fn rows(&self) -> Vec<Value> {
        let (code, lines) = self.dlq(&["list", "--json"]).await;
        assert_eq!(code, 0, "{lines}");
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub async fn until_rows(&self, what: &str, wished: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let mut rows = Vec::new();
        eventually(BOUND, what, async || {
            rows = self.rows().await;
            wished(&rows)
        })
        .await;
        rows
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn brokers(&self) -> &str {
        self.broker.bootstrap_servers()
    }

    /// Where the commands put temporary files.
    fn temporary(&self) -> PathBuf {
        let folder = self.folder.path().join("temporary");
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn tables(&self) -> Sqlite {
        Sqlite::open(&self.folder.path().join("data/events.db")).unwrap()
    }
}

pub fn broken(event: &Event<'_>) -> String {
    String::from_utf8(event.to_json()).unwrap().replace("\"firstName\"", "\"first\"")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_is_looked_at_sent_again_removed_and_brought_back() {
    let place = Place::start(&[]);
    place.send("boom").await;
    place.send(broken(&user(id()))).await;
    let rows = place.until_rows("both are dead letters", |rows| rows.len() == 2).await;
    let boom = rows.iter().find(|row| row["reason"] == "not_json").unwrap()["id"].as_str().unwrap();

    let (code, text) = place.dlq(&["show", &boom[..6]]).await;
    assert!(code == 0 && text.ends_with("originalData\nboom\n"), "{text}");
    let (_, stats) = place.dlq(&["stats", "--json"]).await;
    assert_eq!(serde_json::from_str::<Value>(&stats).unwrap()["byReason"]["not_json"], 1);
    assert_eq!(place.dlq(&["redrive"]).await.0, 2, "nothing says which");
    assert_eq!(place.dlq(&["redrive", "--id", "0000"]).await.0, 1);

    let (code, dry_run_outcome) = place.dlq(&["redrive", "--id", boom, "--dry-run"]).await;
    assert!(code == 0 && dry_run_outcome.contains("dead letter") && dry_run_outcome.contains("nothing was changed"), "{dry_run_outcome}");
    assert_eq!(ids(&place.rows().await), ids(&rows));
    let (code, summary) = place.dlq(&["redrive", "--reason", "not_json"]).await;
    assert!(code == 0 && summary.lines().any(|line| line.split_whitespace().eq(["redriven", "1"])), "{summary}");
    place.until_rows("it comes back with its count", |rows| rows.len() == 2 && rows[0]["retryCount"] == 1).await;

    assert_eq!(place.dlq(&["export", "letters.jsonl"]).await.0, 0);
    let file = place.folder.path().join("letters.jsonl");
    let first = std::fs::read_to_string(&file).unwrap();
    let (code, said) = place.dlq(&["export", "letters.jsonl"]).await;
    assert!(code == 1 && said.contains("--force") && std::fs::read_to_string(&file).unwrap() == first, "it is not overwritten: {said}");
    assert_eq!(place.dlq(&["export", "--force", "letters.jsonl"]).await.0, 0);
    assert_eq!(place.dlq(&["export", "."]).await.0, 1, "a folder is no file");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "for its owner's eyes only");
    }
    assert_eq!(place.dlq(&["purge", "--all"]).await.0, 1, "nobody can be asked");
    assert_eq!(place.rows().await.len(), 2);
    assert_eq!(place.dlq(&["purge", "--all", "--yes"]).await, (0, "2 dead letters removed\n".to_owned()));
    assert_eq!(place.dlq(&["list"]).await, (0, "no dead letters\n".to_owned()));
    let one = first.lines().next().unwrap();
    std::fs::write(place.folder.path().join("one.jsonl"), one).unwrap();
    assert_eq!(place.dlq(&["import", "one.jsonl"]).await, (0, "1 dead letter imported, 0 were in the list already\n".to_owned()));
    assert_eq!(place.dlq(&["purge", "--all", "--yes"]).await, (0, "1 dead letter removed\n".to_owned()));
    let told = |imported: u8, skipped: u8| (0, format!("{imported} dead letters imported, {skipped} were in the list already\n"));
    assert_eq!(place.dlq(&["import", "letters.jsonl"]).await, told(2, 0));
    assert_eq!(place.dlq(&["import", "letters.jsonl"]).await, told(0, 2));
    let exported = std::fs::read_to_string(place.folder.path().join("letters.jsonl")).unwrap();
    assert_eq!(place.dlq(&["export"]).await, (0, exported.clone()));
    assert_eq!(place.dlq(&["export", "-"]).await, (0, exported));
    assert!(!place.folder.path().join("-").exists());
}

fn ids(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["id"].as_str().unwrap()).collect()
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_payload_is_mended_in_an_editor_and_lands() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::start(&[]);
    let event = user(id());
    let Body::UserCreated(created) = &event.body else { panic!("a user") };
    place.send(broken(&event)).await;
    let rows = place.until_rows("it is a dead letter", |rows| rows.len() == 1).await;
    let id = rows[0]["id"].as_str().unwrap();

    let script = |name: &str, text: &str| {
        let path = place.folder.path().join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    };
    let edit = async |editor: &Path, arguments: &[&str]| place.dlq_with(&[&["edit", id], arguments].concat(), &[("VISUAL", editor)]).await;
    let mends = script("mend.sh", r#"ls -l "$1" > mode; sed -i 's/"first"/"firstName"/' "$1""#);
    for (what, editor, arguments) in [
        ("it is not changed", script("leave.sh", "exit 0"), &["--yes"][..]),
        ("the editor failed", script("fail.sh", "exit 3"), &["--yes"]),
        ("it still breaks the contract", script("spoil.sh", r#"echo '{}' > "$1""#), &["--yes"]),
        (
            "it is another event",
            script("other.sh", r#"sed -i 's/"eventId": "......../"eventId": "00000000/; s/"first"/"firstName"/' "$1""#),
            &["--yes"],
        ),
        ("nobody can be asked", mends.clone(), &[]),
    ] {
        let (code, said) = edit(&editor, arguments).await;
        assert_eq!((code, place.rows().await.len()), (1, 1), "{what}: {said}");
    }
    let kept: Vec<_> =
        std::fs::read_dir(place.temporary()).unwrap().map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    assert_eq!(kept.len(), 3, "what a person wrote is kept, and nothing else");
    assert!(kept.iter().any(|text| text == "{}\n") && kept.iter().any(|text| text.contains("00000000")), "{kept:?}");
    let (code, said) = edit(&mends, &["--yes"]).await;
    assert!(code == 0 && said.contains("-  \"first\": ") && said.contains("+  \"firstName\": "), "{said}");
    assert!(std::fs::read_to_string(place.folder.path().join("mode")).unwrap().starts_with("-rw-------"), "for its owner's eyes only");
    assert_eq!(place.rows().await, Vec::<Value>::new());
    let tables = place.tables();
    eventually(BOUND, "the user is there", async || tables.user(created.user_id).await.unwrap().is_some()).await;
}

#[test]
fn dead_letters_out_of_reach_are_said_to_be_so() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, said) in [
        (&["dlq", "list"][..], "/admin/dlq"),
        (&["dlq", "redrive", "--all"], "/admin/dlq"),
        (&["dlq", "redrive", "--all", "--reason", "x"], "cannot be used with"),
    ] {
        let (output, _, stderr) = run(standalone(folder.path(), arguments));
        assert!(output.status.code() == Some(2) && stderr.contains(said), "{stderr}");
    }
    drop(Sqlite::open(&folder.path().join("events.db")).unwrap());
    let (output, _, stderr) = run(standalone(folder.path(), &["dlq", "redrive", "--all", "--data-dir", "."]));
    assert!(output.status.code() == Some(2) && stderr.contains("KAFKA_BROKERS"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_admin_routes_exist_only_with_a_token() {
    let (open, closed) = (Place::start(&[("ADMIN_TOKEN", TOKEN)]), Place::start(&[]));
    let client = reqwest::Client::new();
    let ask = async |place: &Place, token: &str| {
        client.get(format!("http://{}/admin/dlq", place.api)).bearer_auth(token).send().await.unwrap().status().as_u16()
    };
    assert_eq!((ask(&open, TOKEN).await, ask(&open, "wrong").await, ask(&closed, TOKEN).await), (200, 401, 404));

    let event = user(id());
    let Body::UserCreated(created) = &event.body else { panic!("a user") };
    open.send(broken(&event)).await;
    let rows = open.until_rows("it is a dead letter", |rows| rows.len() == 1).await;
    let path = format!("http://{}/admin/dlq/{}/edit", open.api, rows[0]["id"].as_str().unwrap());
    assert_eq!(client.post(path).bearer_auth(TOKEN).body(event.to_json()).send().await.unwrap().status(), 200);
    let tables = open.tables();
    eventually(BOUND, "the user is there", async || tables.user(created.user_id).await.unwrap().is_some()).await;
}
