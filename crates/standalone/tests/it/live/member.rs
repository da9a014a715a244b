//! The program as a process: its API, its log, its signals.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use serde_json::Value;
use testkit::eventually;

/// How long the program may take to say where its API is, and to answer there.
const START: Duration = Duration::from_secs(60);
const ANSWER: Duration = Duration::from_secs(5);
/// How many lines of its log a failed case shows.
const LAST: usize = 60;

/// A member of the group. Killed when the test ends, however it ends.
pub struct Member {
    process: Child,
    stdout: PathBuf,
    stderr: PathBuf,
}

impl Member {
    pub fn start(mut command: Command, folder: &Path, number: u32) -> Self {
        let (stdout, stderr) = (folder.join(format!("{number}.out")), folder.join(format!("{number}.err")));
        command.stdout(File::create(&stdout).unwrap()).stderr(File::create(&stderr).unwrap());
        Self { process: command.spawn().expect("the program starts"), stdout, stderr }
    }

    /// The number of its process.
    pub fn process_id(&self) -> u32 {
        self.process.id()
    }

    /// Where its API is, from the table that it prints.
    pub async fn api(&self) -> String {
        let mut address = None;
        eventually(START, "the program says where its API is", async || {
            let table = std::fs::read_to_string(&self.stdout).unwrap();
            address = table.lines().find_map(|line| line.trim().strip_prefix("read API")?.split_whitespace().nth(1).map(str::to_owned));
            address.is_some()
        })
        .await;
        address.unwrap()
    }

    /// What `/health/ready` says, and with which status.
    pub async fn health(&self) -> (u16, Value) {
        let client = reqwest::Client::builder().timeout(ANSWER).build().unwrap();
        let response = client.get(format!("{}/health/ready", self.api().await)).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// Waits until it is ready.
    pub async fn until_ready(&self, bound: Duration) {
        eventually(bound, "the program is ready", async || self.health().await.0 == 200).await;
    }

    /// Waits until it is not ready because of this part, and returns the reason that it gives.
    pub async fn until_down(&self, part: &str, bound: Duration) -> String {
        let mut reason = None;
        eventually(bound, &format!("the program is not ready because of {part}"), async || {
            let (status, report) = self.health().await;
            let state = &report["parts"][part];
            reason = state["reason"].as_str().map(str::to_owned);
            status == 503 && state["state"] == "down" && reason.is_some()
        })
        .await;
        reason.unwrap()
    }

    /// Sends a signal: `TERM`, `INT`, `STOP`, `CONT`.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.process.id().to_string()]).status().unwrap();
        assert!(sent.success(), "it runs");
    }

    /// SIGKILL: no handler runs, nothing is flushed.
    pub fn kill(mut self) {
        self.process.kill().expect("it runs");
        self.process.wait().expect("it ends");
    }

    /// How it ends by itself.
    pub async fn ended(&mut self, bound: Duration) -> ExitStatus {
        let mut status = None;
        eventually(bound, "the program ends", async || {
            status = self.process.try_wait().unwrap();
            status.is_some()
        })
        .await;
        status.unwrap()
    }

    /// SIGTERM: it ends with 0 within 10 s.
    pub async fn stop(mut self) {
        self.signal("TERM");
        let status = self.ended(Duration::from_secs(10)).await;
        assert_eq!(status.code(), Some(0), "{}", std::fs::read_to_string(&self.stderr).unwrap());
    }

    /// What it has logged so far: level and message of each line.
    pub fn log(&self) -> Vec<(String, String)> {
        let text = std::fs::read_to_string(&self.stderr).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("no JSON: {line}")));
        let text = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
        lines.map(|line| (text(&line, "level"), text(&line, "message"))).collect()
    }

    /// How often it was given partitions, one at least.
    pub fn given_partitions(&self) -> usize {
        let text = std::fs::read_to_string(&self.stderr).unwrap();
        text.lines().filter(|line| line.contains("partitions were assigned") && !line.contains(r#""partitions":"[]""#)).count()
    }

    /// How many lines of the log begin so.
    pub fn logged(&self, beginning: &str) -> usize {
        self.log().iter().filter(|(_, message)| message.starts_with(beginning)).count()
    }

    /// Warnings and errors, apart from those about dead letters and the reminder of each minute.
    pub fn warnings(&self) -> Vec<String> {
        let is_news = |message: &str| !message.starts_with("dead letter") && !message.starts_with("still waiting: ");
        let warnings = self.log().into_iter().filter(|(level, message)| level != "INFO" && is_news(message));
        warnings.map(|(_, message)| message).collect()
    }
}

/// Whether a reason says that this part is away, where it is, and nothing worse.
pub fn is_away(reason: &str, part: &str) -> bool {
    let place_and_rest = reason.strip_prefix(part).and_then(|rest| rest.strip_prefix(" at ")?.split_once(' '));
    place_and_rest.is_some_and(|(_, rest)| {
        ["cannot be reached", "cannot be used just now", "does not answer in time"].iter().any(|words| rest.starts_with(words))
    })
}

impl Drop for Member {
    fn drop(&mut self) {
        // It may have ended by itself, or have been killed already.
        drop(self.process.kill());
        drop(self.process.wait());
        if std::thread::panicking() {
            let log = std::fs::read_to_string(&self.stderr).unwrap_or_default();
            let lines: Vec<_> = log.lines().filter(|line| !line.contains("dead letter:")).collect();
            eprintln!("the end of {}:\n{}", self.stderr.display(), lines[lines.len().saturating_sub(LAST)..].join("\n"));
        }
    }
}
