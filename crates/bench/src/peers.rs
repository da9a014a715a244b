//! Others at the same work: JDBC sinks of Kafka Connect, which take the same users from a topic of the same Kafka into a file of SQLite.
//!
//! What they do beside is less: no event is remembered, nothing older is held off, nothing waits for its parent, and what cannot be written ends them or
//! is left out. Their jars are not part of this project: whoever compares brings them.

use std::collections::HashMap;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use events::{Body, Event};
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use crate::broker::Broker;
use crate::check;
use crate::place::Embedded;
use crate::stage::Stage;
use crate::statistics::Samples;
use crate::workload::Workload;

/// A sink that takes longer hangs.
const BOUND: Duration = Duration::from_secs(600);
/// What a sink is called in its process.
const CONNECTOR: &str = "peer";
/// How often the rows of a sink are counted.
const INTERVAL: Duration = Duration::from_millis(10);
/// Rows that a sink writes at once: Aiven's default, and what Debezium's own measurements take.
const BATCH: usize = 3000;
/// The users as Kafka Connect describes what our records hold, which do not describe themselves. Source: KIP-1054.
const SCHEMA: &str = r#"{"type":"struct","fields":[{"field":"eventId","type":"string"},{"field":"eventType","type":"string"},{"field":"timestamp","type":"string"},{"field":"userId","type":"string"},{"field":"email","type":"string"},{"field":"firstName","type":"string"},{"field":"lastName","type":"string"},{"field":"createdAt","type":"string"}]}"#;

/// The rates of this pipeline and of the others, run by run.
#[derive(Clone, Debug, Default)]
pub struct Peers {
    /// Users.
    pub users: usize,
    /// This pipeline, end to end.
    pub ours: Samples,
    /// Each of the others, by the name of its jar.
    pub others: Vec<(String, Samples)>,
}

/// A JDBC sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sink {
    Aiven,
    Debezium,
}

impl Sink {
    const ALL: [Self; 2] = [Self::Aiven, Self::Debezium];

    /// What the name of its jar begins with.
    const fn jar(self) -> &'static str {
        match self {
            Self::Aiven => "jdbc-connector-for-apache-kafka-",
            Self::Debezium => "debezium-connector-jdbc-",
        }
    }

    /// Its settings: a row for each user. Debezium's cannot update rows of SQLite: it inserts them, which is less work, and fails where one comes again.
    fn settings(self, topic: &str, file: &Path) -> String {
        // As durable as the tables of this pipeline are.
        let url = format!("jdbc:sqlite:{}?journal_mode=WAL&synchronous=FULL", file.display());
        let common = format!(
            "name={CONNECTOR}\ntasks.max=1\ntopics={topic}\nconnection.url={url}\nbatch.size={BATCH}\n\
             consumer.override.max.poll.records={BATCH}\n"
        );
        common
            + match self {
                Self::Aiven => {
                    "connector.class=io.aiven.connect.jdbc.JdbcSinkConnector\ninsert.mode=upsert\npk.mode=record_value\npk.fields=userId\ntable.name.format=users\n\
                     auto.create=true\n"
                }
                Self::Debezium => {
                    "connector.class=io.debezium.connector.jdbc.JdbcSinkConnector\ninsert.mode=insert\nprimary.key.mode=record_value\nprimary.key.fields=userId\n\
                     collection.name.format=users\nschema.evolution=basic\nconnection.username=none\nconnection.password=none\n\
                     hibernate.dialect=org.hibernate.community.dialect.SQLiteDialect\n\
                     connection.provider=org.hibernate.engine.jdbc.connections.internal.DriverManagerConnectionProvider\n"
                }
            }
    }
}

/// The settings of the process that a sink runs in.
fn worker_settings(brokers: &str, port: u16, folder: &Path) -> String {
    format!(
        "bootstrap.servers={brokers}\nlisteners=http://127.0.0.1:{port}\noffset.storage.file.filename={}\n\
         connector.client.config.override.policy=All\nkey.converter=org.apache.kafka.connect.storage.StringConverter\n\
         value.converter=org.apache.kafka.connect.json.JsonConverter\nvalue.converter.schemas.enable=true\n\
         value.converter.schema.content={SCHEMA}\n",
        folder.join("offsets").display()
    )
}

/// The jars that somebody has brought.
struct Jars {
    folder: PathBuf,
    sinks: Vec<(Sink, String)>,
}

impl Jars {
    /// What is in this folder.
    ///
    /// # Errors
    /// Something is not there that a comparison needs.
    fn find(folder: &Path) -> anyhow::Result<Self> {
        let entries = std::fs::read_dir(folder).with_context(|| format!("--connect {}: the folder cannot be read", folder.display()))?;
        let names: Vec<_> =
            entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).filter(|name| name.ends_with(".jar")).collect();
        let with = |prefix: &str| names.iter().find(|name| name.starts_with(prefix));
        for (prefix, what) in [
            ("connect-runtime-", "Kafka Connect"),
            ("connect-json-", "Kafka Connect's JSON converter"),
            ("sqlite-jdbc-", "the JDBC driver of SQLite"),
        ] {
            ensure!(with(prefix).is_some(), "--connect {}: there is no {prefix}*.jar, which is {what}", folder.display());
        }
        let sinks: Vec<_> =
            Sink::ALL.into_iter().filter_map(|sink| Some((sink, with(sink.jar())?.trim_end_matches(".jar").to_owned()))).collect();
        ensure!(
            !sinks.is_empty(),
            "--connect {}: there is neither a {}*.jar nor a {}*.jar, which are the sinks of Aiven and Debezium",
            folder.display(),
            Sink::Aiven.jar(),
            Sink::Debezium.jar()
        );
        Ok(Self { folder: folder.to_owned(), sinks })
    }
}

impl Stage<'_, Embedded> {
    /// Users alone, from a real Kafka into a file: this pipeline and the sinks in the folder of jars, by turns. `None` where no such folder is given.
    ///
    /// # Errors
    /// There is no Kafka, no Java or no sink; a sink fails, or a row is wrong.
    pub async fn peers(&self) -> anyhow::Result<Option<Peers>> {
        let Some(folder) = &self.options.connect else { return Ok(None) };
        let jars = Jars::find(folder)?;
        ensure!(self.kafka.is_some(), "--connect: Kafka Connect needs a Kafka: set KAFKA_BROKERS");
        let workload = Workload::of_users(self.scale.events, self.options.seed);
        let reference = workload.reference();
        let mut peers = Peers { users: workload.events.len(), ..Peers::default() };
        peers.others = jars.sinks.iter().map(|(_, name)| (name.clone(), Samples::default())).collect();
        for run in 0..self.scale.runs {
            let opened = self.opened_for(&workload).await?;
            let pace = self.end_to_end(&opened, self.log_of(&workload.records, self.options.partitions)).await?;
            check::whole::<Embedded>(&opened, &workload, &reference).await?;
            eprintln!("run {} of {}: this pipeline: {:.0} users/s", run + 1, self.scale.runs, pace.rate);
            peers.ours.add(pace.rate);
            for ((sink, name), (_, rates)) in jars.sinks.iter().zip(&mut peers.others) {
                let rate = self.sink(&jars.folder, *sink, &workload).await.with_context(|| name.clone())?;
                eprintln!("run {} of {}: {name}: {rate:.0} users/s", run + 1, self.scale.runs);
                rates.add(rate);
            }
        }
        Ok(Some(peers))
    }

    /// Users per second that a sink writes, from its first commit to its last: starting a Java machine is not counted.
    async fn sink(&self, jars: &Path, sink: Sink, workload: &Workload) -> anyhow::Result<f64> {
        let broker = Broker::open(self.kafka, self.options.partitions).await?;
        broker.send(workload.records.clone()).await?;
        let folder =
            self.place.folder.as_ref().map_or_else(TempDir::new, TempDir::new_in).context("no folder for the tables can be made")?;
        let file = folder.path().join("peer.db");
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let (worker, connector) = (folder.path().join("worker.properties"), folder.path().join("sink.properties"));
        std::fs::write(&worker, worker_settings(&broker.config.brokers, port, folder.path()))?;
        std::fs::write(&connector, sink.settings(&broker.config.topic, &file))?;
        let log = folder.path().join("log");
        let output = std::fs::File::create(&log)?;
        let mut java = Command::new("java");
        java.arg("-cp").arg(jars.join("*")).arg("org.apache.kafka.connect.cli.ConnectStandalone").args([&worker, &connector]);
        java.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let mut connect = Connect(java.spawn().context("java cannot be run")?);
        let rate = tokio::select! {
            rate = written(&mut connect, &file, workload.events.len() as u64) => {
                rate.with_context(|| format!("Kafka Connect said at last: {}", end_of(&log)))?
            }
            why = failed(port) => bail!("the sink has failed: {why}"),
        };
        rows(&file, &workload.events)?;
        Ok(rate)
    }
}

/// A process that ends with this.
struct Connect(Child);

impl Drop for Connect {
    fn drop(&mut self) {
        // It has ended by itself, or is ended here.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Waits until a sink has written so many rows, and returns how many it wrote per second.
async fn written(Connect(connect): &mut Connect, file: &Path, users: u64) -> anyhow::Result<f64> {
    let began = Instant::now();
    let mut first = None;
    loop {
        let rows = count(file);
        let (since, before) = *first.get_or_insert_with(|| (Instant::now(), rows));
        if before == 0 {
            first = None;
        } else if rows >= users {
            ensure!(before < users, "all users were written in one commit: give it more --events");
            return Ok((users - before) as f64 / since.elapsed().as_secs_f64());
        }
        if let Some(status) = connect.try_wait()? {
            bail!("it has ended: {status}");
        }
        ensure!(began.elapsed() < BOUND, "it has written {rows} of {users} users after {BOUND:?}");
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Comes to its end when the sink has failed, with what it says of it: the process that it runs in goes on.
async fn failed(port: u16) -> String {
    let status = format!("http://127.0.0.1:{port}/connectors/{CONNECTOR}/status");
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        // It does not answer before it has started.
        let Ok(answer) = reqwest::get(&status).await else { continue };
        let Ok(text) = answer.text().await else { continue };
        if text.contains("\"FAILED\"") {
            return text;
        }
    }
}

/// Rows that are committed; none while there is no file, or no table in it. Only new users are written, so that the last row's number is their count.
fn count(file: &Path) -> u64 {
    let read = || {
        let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.query_row("SELECT max(rowid) FROM users", [], |row| row.get::<_, Option<i64>>(0))
    };
    read().ok().flatten().unwrap_or_default().unsigned_abs()
}

/// That the table holds these users, each with its address.
fn rows(file: &Path, events: &[Event<'_>]) -> anyhow::Result<()> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut statement = connection.prepare("SELECT userId, email FROM users")?;
    let found: HashMap<String, String> = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    ensure!(found.len() == events.len(), "{} users instead of {}", found.len(), events.len());
    for event in events {
        let Body::UserCreated(user) = &event.body else { bail!("only users are compared") };
        let is_right = found.get(&user.user_id.to_string()).is_some_and(|email| *email == user.email);
        ensure!(is_right, "a user's row is wrong");
    }
    Ok(())
}

/// The last lines of a log.
fn end_of(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

#[cfg(test)]
mod tests {
    use events::samples;

    use super::*;

    fn folder_with(names: &[&str]) -> TempDir {
        let folder = TempDir::new().unwrap();
        names.iter().for_each(|name| std::fs::write(folder.path().join(name), "").unwrap());
        folder
    }

    #[test]
    fn a_folder_without_a_part_says_which() {
        let found = |names: &[&str]| Jars::find(folder_with(names).path()).map(|jars| jars.sinks).map_err(|error| error.to_string());
        let connect = ["connect-runtime-4.3.1.jar", "connect-json-4.3.1.jar"];
        assert!(found(&connect).unwrap_err().contains("sqlite-jdbc-*.jar"));
        let driver = [connect[0], connect[1], "sqlite-jdbc-3.50.3.0.jar"];
        assert!(found(&driver).unwrap_err().contains("Aiven and Debezium"));
        let all = [driver[0], driver[1], driver[2], "debezium-connector-jdbc-3.6.0.Final.jar"];
        assert_eq!(found(&all).unwrap(), [(Sink::Debezium, "debezium-connector-jdbc-3.6.0.Final".to_owned())]);
        assert!(Jars::find(Path::new("/nowhere")).is_err_and(|error| error.to_string().contains("--connect /nowhere")));
    }

    #[test]
    fn a_sink_is_told_of_every_field_that_a_user_has() {
        let json = samples::of(events::EventType::UserCreated).to_json();
        let sent: HashMap<String, serde_json::Value> = serde_json::from_slice(&json).unwrap();
        let told: serde_json::Value = serde_json::from_str(SCHEMA).unwrap();
        let mut told: Vec<_> = told["fields"].as_array().unwrap().iter().map(|field| field["field"].as_str().unwrap()).collect();
        let mut sent: Vec<_> = sent.keys().map(String::as_str).collect();
        told.sort_unstable();
        sent.sort_unstable();
        assert_eq!(told, sent);
    }

    #[test]
    fn rows_are_counted_and_compared() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("peer.db");
        assert_eq!(count(&file), 0);
        let workload = Workload::of_users(2, 1);
        let connection = Connection::open(&file).unwrap();
        connection.execute("CREATE TABLE users (userId TEXT PRIMARY KEY, email TEXT)", []).unwrap();
        assert_eq!(count(&file), 0);
        for event in &workload.events {
            let Body::UserCreated(user) = &event.body else { panic!("{event:?}") };
            connection.execute("INSERT INTO users VALUES (?1, ?2)", [user.user_id.to_string(), user.email.to_string()]).unwrap();
        }
        assert_eq!(count(&file), 2);
        rows(&file, &workload.events).unwrap();
        connection.execute("UPDATE users SET email = 'another' WHERE rowid = 2", []).unwrap();
        assert!(rows(&file, &workload.events).unwrap_err().to_string().contains("row is wrong"));
        connection.execute("DELETE FROM users WHERE rowid = 1", []).unwrap();
        assert!(rows(&file, &workload.events).unwrap_err().to_string().contains("1 users instead of 2"));
    }
}
