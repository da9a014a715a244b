//! The pipeline on one screen.

use serde_json::Value;

use crate::dlq::{Place, broken};
use crate::process::{run, standalone};

#[tokio::test(flavor = "multi_thread")]
async fn a_running_pipeline_is_shown_and_one_that_is_not_there_is_told() {
    let place = Place::start(&[]);
    place.send("boom").await;
    place.send(broken(&testkit::builders::user(testkit::builders::id()))).await;
    place.until_rows("both are dead letters", |rows| rows.len() == 2).await;
    let status = |arguments: &[&str], port: &str| {
        let mut command = standalone(place.folder(), &[&["--data-dir", "data", "status"], arguments].concat());
        command.envs([("KAFKA_BROKERS", place.brokers()), ("KAFKA_CONSUMER_GROUP", "dlq"), ("API_HOST", "127.0.0.1"), ("API_PORT", port)]);
        tokio::task::spawn_blocking(move || run(command))
    };
    let port = place.api.rsplit_once(':').unwrap().1.to_owned();

    let (output, shown, error) = status(&[], &port).await.unwrap();
    assert_eq!(output.status.code(), Some(0), "{shown}{error}");
    assert!(shown.lines().next().is_some_and(|verdict| verdict.ends_with("Z  nothing is wrong, 2 things to look at")), "{shown}");
    for text in [
        "NOTE     1 dead letter: written by something that makes no events\n",
        "consumer      ready at http://",
        "lag           0 of topic events",
        "consumers     1\n",
        "parked        0",
        "dead letters  2",
        "not_json",
    ] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    assert!(!shown.contains("boom"), "no value is shown");
    let (_, json, _) = status(&["--json"], &port).await.unwrap();
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["process"]["answer"]["status"], &json["parked"]["events"]), (&"ready".into(), &0.into()), "{json}");
    assert_eq!((&json["consumers"][0]["alive"], &json["consumers"][0]["status"]), (&true.into(), &"ready".into()), "{json}");
    let problems = json["problems"].as_array().unwrap();
    assert!(problems.len() == 2 && problems.iter().all(|problem| problem["kind"] == "dead_letters"), "{json}");
    assert_eq!(json["deadLetters"].as_array().unwrap().len(), 2, "{json}");

    // Of a broker that nobody else can ask, the process tells the lag.
    let mut command = standalone(place.folder(), &["--data-dir", "data", "status"]);
    command.envs([("API_HOST", "127.0.0.1"), ("API_PORT", &*port)]);
    let (output, shown, _) = tokio::task::spawn_blocking(move || run(command)).await.unwrap();
    assert!(output.status.success() && shown.contains("lag           0 of topic events, group dlq\n"), "{shown}");

    // Port 1: nothing listens there.
    let (output, shown, _) = status(&[], "1").await.unwrap();
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(shown.contains("nothing answers at http://127.0.0.1:1") && shown.contains("dead letters  2"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_this_command_cannot_look_into_is_told_as_the_process_counts_it() {
    let place = Place::start(&[]);
    place.send("boom").await;
    place.until_rows("it is a dead letter", |rows| rows.len() == 1).await;
    let port = place.api.rsplit_once(':').unwrap().1.to_owned();
    let metrics = format!("http://{}/metrics", place.api);
    let is_counted = async || {
        let text = reqwest::get(&metrics).await.unwrap().text().await.unwrap();
        text.contains("\npipeline_dlq_depth 1\n") && text.contains("pipeline_dlq_depth_by_reason{reason=\"not_json\"} 1\n")
    };
    testkit::eventually(std::time::Duration::from_secs(60), "the process has counted it", is_counted).await;
    // Neither the folder nor a queue is named.
    let mut command = standalone(place.folder(), &["status"]);
    command.envs([("API_HOST", "127.0.0.1"), ("API_PORT", &*port)]);
    let (output, shown, error) = tokio::task::spawn_blocking(move || run(command)).await.unwrap();
    assert!(output.status.success(), "{shown}{error}");
    assert!(shown.lines().next().is_some_and(|verdict| verdict.ends_with("Z  nothing is wrong, 1 thing to look at")), "{shown}");
    for text in ["NOTE     1 dead letter: 1 not_json\n", "could not look into it", "dead letters  1, by the consumer's own count"] {
        assert!(shown.replace("\n         ", " ").contains(text.trim_end()), "{text}: {shown}");
    }
}

#[test]
fn what_is_not_named_is_said_to_be_unknown() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = standalone(folder.path(), &["status"]);
    command.env("API_PORT", "1");
    let (output, shown, _) = run(command);
    assert_eq!(output.status.code(), Some(1));
    for text in ["KAFKA_BROKERS", "MSSQL_SERVER or --data-dir", "REDIS_HOST or --data-dir"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_pipeline_checks_itself_as_the_command_does() {
    const TOKEN: &str = "0123456789abcdef";
    let place = Place::start(&[("ADMIN_TOKEN", TOKEN)]);
    place.send("boom").await;
    place.until_rows("it consumes", |rows| rows.len() == 1).await;
    let http = reqwest::Client::new();
    let ask = async |request: reqwest::RequestBuilder| request.bearer_auth(TOKEN).send().await.unwrap().json::<Value>().await.unwrap();
    let address = format!("http://{}/admin/check", place.api);
    let here = ask(http.post(&address)).await;
    assert_eq!(ask(http.get(&address)).await, here, "it is kept");

    let mut command = standalone(place.folder(), &["--data-dir", "data", "check", "--json"]);
    command.envs([("KAFKA_BROKERS", place.brokers()), ("KAFKA_CONSUMER_GROUP", "dlq"), ("API_HOST", "127.0.0.1"), ("ADMIN_TOKEN", TOKEN)]);
    command.env("API_PORT", place.api.rsplit_once(':').unwrap().1);
    let (_, told, _) = tokio::task::spawn_blocking(move || run(command)).await.unwrap();
    let told: Value = serde_json::from_str(&told).unwrap();
    let found = |report: &Value| {
        let findings = report["findings"].as_array().unwrap().iter();
        findings.map(|finding| ["part", "check", "state"].map(|name| finding[name].as_str().unwrap().to_owned())).collect::<Vec<_>>()
    };
    assert_eq!(found(&here), found(&told), "{here} {told}");
    let is_found = |finding: [&str; 3]| found(&here).iter().any(|found| *found == finding);
    assert!(is_found(["process", "consumer here", "ok"]) && is_found(["Kafka", "lag", "ok"]), "{here}");
    assert!(!here.to_string().contains(TOKEN), "{here}");
}

#[test]
fn check_tells_what_is_embedded_and_asks_what_can_be_asked() {
    let folder = tempfile::tempdir().unwrap();
    let check = |settings: &[(&str, &str)], arguments: &[&str]| {
        let mut command = standalone(folder.path(), &[arguments, &["check"]].concat());
        command.env("API_PORT", "1").envs(settings.iter().copied());
        let (output, shown, _) = run(command);
        (output.status.code(), shown)
    };
    let (code, shown) = check(&[], &[]);
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(shown.matches("embedded").count(), 3, "{shown}");
    let (code, shown) = check(&[("KAFKA_BROKERS", "nowhere"), ("REDIS_HOST", "127.0.0.1"), ("REDIS_PORT", "1")], &[]);
    assert_eq!(code, Some(2), "{shown}");
    for told in ["FAIL  settings  KAFKA_BROKERS", "FAIL  Redis     server and login", "connection refused", "SQLite file"] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
    std::fs::create_dir(folder.path().join("data")).unwrap();
    std::fs::write(folder.path().join("data/events.db"), [b'x'; 8192]).unwrap();
    let (code, shown) = check(&[], &["--data-dir", "data"]);
    assert!(code == Some(1) && shown.contains("it is not a SQLite database"), "{shown}");
}
