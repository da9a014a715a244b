//! Three consumers of one database, of which one is killed and one stops: each of them shows all, and what became of whom.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kafka::EmbeddedBroker;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use serde_json::Value;
use testkit::eventually;

use crate::live::member::Member;
use crate::live::place::Place;
use crate::live::servers::Servers;
use crate::process::{run, standalone};

const BOUND: Duration = Duration::from_secs(120);
const TOKEN: &str = "0123456789abcdef";

/// A member and an operator who looks at it.
struct Watched {
    member: Member,
    client: Client,
    api: String,
    cookie: String,
}

impl Watched {
    async fn new(member: Member) -> Self {
        let client = Client::builder().redirect(Policy::none()).timeout(BOUND).build().unwrap();
        let api = member.api().await;
        let login = client.post(format!("{api}/console/login")).header("Sec-Fetch-Site", "same-origin");
        let login = login.header("Content-Type", "application/x-www-form-urlencoded").body(format!("token={TOKEN}"));
        let answer = login.send().await.unwrap();
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        Self { member, client, api, cookie }
    }

    /// By the number of its process: what it says of each consumer.
    async fn consumers(&self) -> BTreeMap<u64, Value> {
        let answer = self.client.get(format!("{}/admin/consumers", self.api)).bearer_auth(TOKEN).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let answer: Value = answer.json().await.unwrap();
        let consumers = answer["consumers"].as_array().unwrap().iter();
        consumers.map(|consumer| (consumer["processId"].as_u64().unwrap(), consumer.clone())).collect()
    }

    async fn page(&self, path: &str) -> String {
        let request = self.client.get(format!("{}{path}", self.api)).header("Cookie", &self.cookie);
        let answer = request.header("Sec-Fetch-Site", "same-origin").send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        answer.text().await.unwrap()
    }

    fn process(&self) -> u64 {
        self.member.process_id().into()
    }
}

fn partitions(consumer: &Value) -> BTreeSet<i64> {
    consumer["partitions"].as_array().unwrap().iter().map(|owned| owned["partition"].as_i64().unwrap()).collect()
}

fn is_alive(consumer: &Value) -> bool {
    consumer["alive"].as_bool().unwrap()
}

/// Whether those that are there share these partitions, each of them with some, and nobody with those of another.
fn is_shared(consumers: &BTreeMap<u64, Value>, members: usize, all: i64) -> bool {
    let owned: Vec<_> = consumers.values().filter(|consumer| is_alive(consumer)).map(partitions).collect();
    owned.len() == members
        && owned.iter().all(|owned| !owned.is_empty())
        && owned.iter().map(BTreeSet::len).sum::<usize>() == all as usize
        && owned.into_iter().flatten().collect::<BTreeSet<_>>() == (0..all).collect()
}

async fn each_shows_all_and_what_became_of_whom(members: [Member; 3], all: i64) {
    let [first, second, third] = members;
    let [first, second, third] = [Watched::new(first).await, Watched::new(second).await, Watched::new(third).await];
    for watched in [&first, &second, &third] {
        eventually(BOUND, "each shows who reads what", async || is_shared(&watched.consumers().await, 3, all)).await;
    }
    let shown = first.consumers().await;
    assert!(shown.values().all(|consumer| consumer["host"] == shown[&first.process()]["host"]), "one machine");
    let page = first.page("/console/").await;
    for (process, text) in
        [(&first, ", this one</span>"), (&second, "</span>"), (&third, "</span>")].map(|(one, text)| (one.process(), text))
    {
        assert!(page.contains(&format!("process {process}{text}")), "{process}: {page}");
    }
    assert!(!page.contains("nobody known"), "{page}");

    // No goodbye: the others hear nothing of it any more, and say so.
    let killed = second.process();
    let had = partitions(&first.consumers().await[&killed]);
    second.member.kill();
    eventually(BOUND, "it is lost", async || !is_alive(&first.consumers().await[&killed])).await;
    let lost = &third.consumers().await[&killed];
    assert!(!is_alive(lost) && lost["lastSeenSeconds"].as_u64() >= Some(10), "{lost}");
    assert_eq!(partitions(lost), had, "what it had");
    assert!(first.page("/console/health").await.contains("<span class=\"badge bad\">lost</span>"));
    eventually(BOUND, "the others read its partitions", async || is_shared(&first.consumers().await, 2, all)).await;
    assert!(!first.page("/console/").await.contains("nobody known"));

    // One that stops says goodbye.
    let stopped = third.process();
    third.member.stop().await;
    assert!(!first.consumers().await.contains_key(&stopped));
    eventually(BOUND, "the last one reads all", async || is_shared(&first.consumers().await, 1, all)).await;
    first.member.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_consumer_shows_all_of_them() {
    let broker = EmbeddedBroker::start("events", 6).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let start = |number| {
        let mut command = standalone(folder.path(), &["--data-dir", "data"]);
        command.envs([
            ("KAFKA_BROKERS", broker.bootstrap_servers()),
            ("KAFKA_CONSUMER_GROUP", "fleet"),
            ("KAFKA_SESSION_TIMEOUT", "6s"),
            ("API_PORT", "0"),
            ("ADMIN_TOKEN", TOKEN),
            ("LOG_FORMAT", "json"),
        ]);
        Member::start(command, folder.path(), number)
    };
    let members = [start(0), start(1), start(2)];
    let killed = members[1].process_id();
    each_shows_all_and_what_became_of_whom(members, 6).await;

    // Nobody is there any more, and the command still tells who did not say goodbye.
    let mut status = standalone(folder.path(), &["--data-dir", "data", "status"]);
    status.env("API_PORT", "1");
    let (_, shown, _) = run(status);
    assert!(shown.contains("consumers     0, and 1 that is gone and has not said that it stops"), "{shown}");
    assert!(shown.contains(&format!(" {killed} ")) && shown.contains("lost"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_consumer_of_a_real_kafka_shows_all_of_them() {
    let Some(servers) = Servers::configured().await else { return };
    let place = Place::on(&servers).await;
    let start = || place.start(&[("ADMIN_TOKEN", TOKEN), ("KAFKA_SESSION_TIMEOUT", "15s")]);
    each_shows_all_and_what_became_of_whom([start(), start(), start()], 6).await;
}
