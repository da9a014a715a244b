//! Which parts of a program are up, since when, and why not.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::Instant;

/// The health of one process. Clones tell of the same.
///
/// *Ready* means that every part is up and the process is not stopping: send it work. *Live* means that its loop still turns: it need not
/// be restarted. A dependency that is away makes a process not ready, never dead: a restart would not bring it back.
#[derive(Clone, Debug)]
pub struct Health(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    inner: Mutex<Inner>,
    /// Goes on with each change that others should hear of at once.
    changes: watch::Sender<u64>,
}

#[derive(Debug)]
struct Inner {
    parts: BTreeMap<&'static str, Part>,
    heartbeat: Option<Duration>,
    last_beat: Instant,
    stopping: bool,
    log: Option<LogReport>,
    group: Option<String>,
    instance: Option<String>,
    owned: BTreeSet<i32>,
}

#[derive(Debug)]
struct Part {
    state: State,
    since: SystemTime,
    /// It answers, and refuses the work: that it answers does not make it up.
    refuses: bool,
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    /// Nobody has looked yet.
    Unknown,
    Up,
    Down(String),
}

impl Health {
    /// These parts, each down until it is told to be up. With a heartbeat, the process counts as live while its last [`Health::beat`] is
    /// younger than that; without one, while it answers at all.
    pub fn new(parts: &[&'static str], heartbeat: Option<Duration>) -> Self {
        let since = SystemTime::now();
        let parts = parts.iter().map(|name| (*name, Part::unknown(since))).collect();
        let (last_beat, owned) = (Instant::now(), BTreeSet::new());
        let inner = Mutex::new(Inner { parts, heartbeat, last_beat, stopping: false, log: None, group: None, instance: None, owned });
        Self(Arc::new(Shared { inner, changes: watch::Sender::new(0) }))
    }

    /// A part works. Returns whether that is news, so that the caller logs one line per change.
    pub fn up(&self, part: &'static str) -> bool {
        self.set(part, State::Up, false)
    }

    /// A part does not work; `why` holds numbers and names only. Returns whether that is news: a new reason alone is not.
    pub fn down(&self, part: &'static str, why: impl Into<String>) -> bool {
        self.set(part, State::Down(why.into()), false)
    }

    /// A part answers, and refuses the work: it stays down although it answers ([`Health::up`]), until the work is done ([`Health::works`]) or it is
    /// found to be away ([`Health::down`]).
    pub fn refuses(&self, part: &'static str, why: impl Into<String>) -> bool {
        self.set(part, State::Down(why.into()), true)
    }

    /// A part did its work: it is up, also where it refused before.
    pub fn works(&self, part: &'static str) -> bool {
        self.lock().parts.entry(part).and_modify(|part| part.refuses = false);
        self.up(part)
    }

    /// Something came from a part at which nobody has looked yet: it is up. One that is known to be down is not.
    pub fn heard_of(&self, part: &'static str) {
        let is_unknown = self.lock().parts.get(part).is_some_and(|part| part.state == State::Unknown);
        if is_unknown {
            self.up(part);
        }
    }

    /// The loop has turned once more.
    pub fn beat(&self) {
        self.lock().last_beat = Instant::now();
    }

    /// The process consumes in this group.
    pub fn in_group(&self, group: &str) {
        self.lock().group = Some(group.to_owned());
    }

    /// The process is known by this name among all consumers of its database.
    pub fn known_as(&self, instance: &str) {
        self.lock().instance = Some(instance.to_owned());
    }

    /// The partitions that the group has given to this process.
    pub fn owns(&self, partitions: BTreeSet<i32>) {
        let mut inner = self.lock();
        if inner.owned != partitions {
            inner.owned = partitions;
            drop(inner);
            self.has_changed();
        }
    }

    /// See [`Health::owns`].
    pub fn owned(&self) -> BTreeSet<i32> {
        self.lock().owned.clone()
    }

    /// Hears of each change of a part's state and of the partitions that are owned; of a new reason alone it does not.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// The partitions that this process reads, as far as it has told how far it is.
    pub fn partitions(&self) -> BTreeSet<i32> {
        self.lock().log.iter().flat_map(|log| &log.partitions).map(|position| position.partition).collect()
    }

    /// How far the tables hold the log, as it was seen last.
    pub fn log(&self, log: LogReport) {
        self.lock().log = Some(log);
    }

    /// The process was asked to stop: not ready any more, whatever its parts say.
    pub fn stopping(&self) {
        self.lock().stopping = true;
        self.has_changed();
    }

    /// Whether a part is up.
    pub fn is_up(&self, part: &str) -> bool {
        self.lock().parts.get(part).is_some_and(|part| part.state == State::Up)
    }

    /// Whether a part was found not to work. One that nobody has looked at yet was not.
    pub fn is_down(&self, part: &str) -> bool {
        self.lock().parts.get(part).is_some_and(|part| matches!(part.state, State::Down(_)))
    }

    /// Whether any part was found not to work.
    pub fn is_impaired(&self) -> bool {
        self.lock().parts.values().any(|part| matches!(part.state, State::Down(_)))
    }

    /// Whether every part is up and the process is not stopping.
    pub fn ready(&self) -> bool {
        self.lock().ready()
    }

    /// Whether the loop still turns.
    pub fn live(&self) -> bool {
        self.lock().live()
    }

    /// The answer of `/health/ready`.
    pub fn ready_report(&self) -> Report {
        let inner = self.lock();
        let status = match (inner.stopping, inner.ready()) {
            (true, _) => "stopping",
            (false, true) => "ready",
            (false, false) => "not ready",
        };
        inner.report(inner.ready(), status)
    }

    /// The answer of `/health/live`: the parts are shown, but do not count.
    pub fn live_report(&self) -> Report {
        let inner = self.lock();
        inner.report(inner.live(), if inner.live() { "live" } else { "stuck" })
    }

    fn set(&self, name: &'static str, state: State, refuses: bool) -> bool {
        let mut inner = self.lock();
        let part = inner.parts.entry(name).or_insert_with(|| Part::unknown(SystemTime::now()));
        if part.refuses && state == State::Up {
            return false;
        }
        part.refuses = refuses;
        let changed = std::mem::discriminant(&part.state) != std::mem::discriminant(&state);
        if changed {
            part.since = SystemTime::now();
        }
        part.state = state;
        drop(inner);
        if changed {
            self.has_changed();
        }
        changed
    }

    fn has_changed(&self) {
        self.0.changes.send_modify(|changes| *changes = changes.wrapping_add(1));
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn ready(&self) -> bool {
        !self.stopping && self.parts.values().all(|part| part.state == State::Up)
    }

    fn live(&self) -> bool {
        self.heartbeat.is_none_or(|bound| self.last_beat.elapsed() < bound)
    }

    fn report(&self, ok: bool, status: &'static str) -> Report {
        let parts = self.parts.iter().map(|(name, part)| (*name, part.report())).collect();
        Report { ok, status, parts, group: self.group.clone(), instance: self.instance.clone(), log: self.log.clone(), data: None }
    }
}

impl Part {
    const fn unknown(since: SystemTime) -> Self {
        Self { state: State::Unknown, since, refuses: false }
    }

    fn report(&self) -> PartReport {
        let since = DateTime::<Utc>::from(self.since).to_rfc3339_opts(SecondsFormat::Millis, true);
        let (state, reason) = match &self.state {
            State::Up => ("up", None),
            State::Unknown => ("unknown", Some("not reached yet".to_owned())),
            State::Down(why) => ("down", Some(why.clone())),
        };
        PartReport { state, since, reason }
    }
}

/// The answer to a question about health: 200 or 503, and a JSON body.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Whether the answer is yes.
    #[serde(skip)]
    pub ok: bool,
    /// The answer in a word or two.
    pub status: &'static str,
    /// The parts by name.
    pub parts: BTreeMap<&'static str, PartReport>,
    /// The group in which it consumes; of a program that does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// By what it is known among all consumers of its database; of a program that consumes, once it has said that it is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// How far the tables hold the log; of a program that reads one, and has begun to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log: Option<LogReport>,
    /// How old the tables are; of a program that reads them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<DataReport>,
}

/// How old the tables are, in a [`Report`]: as of when a consumer last wrote a batch or its heartbeat, as the server has it that is asked.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DataReport {
    /// When a consumer wrote last, RFC 3339.
    pub as_of: String,
    /// How long ago that is, in seconds.
    pub age_seconds: f64,
}

/// How far the tables hold the log, in a [`Report`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogReport {
    /// Which log it is: the topic's id, as Kafka's tools show it.
    pub id: String,
    /// Records that this process found deleted by retention before they were consumed.
    pub lost: u64,
    /// The partitions that this process reads.
    pub partitions: Vec<PositionReport>,
}

/// One partition of a [`LogReport`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PositionReport {
    /// The partition.
    pub partition: i32,
    /// One after the last offset whose record is finished, as the tables have it.
    pub position: i64,
    /// One after the last offset of the log.
    pub end: i64,
}

/// One part in a [`Report`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PartReport {
    /// `up`, `down`, or `unknown` where nobody has looked yet.
    pub state: &'static str,
    /// Since when it is in this state, RFC 3339.
    pub since: String,
    /// Why it is down, in numbers and names; `null` where it is up.
    pub reason: Option<String>,
}

impl IntoResponse for Report {
    fn into_response(self) -> Response {
        let status = if self.ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        (status, Json(self)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_change_of_state_is_news() {
        let health = Health::new(&["database"], None);
        assert!(health.down("database", "error 4060"), "the first look is news");
        assert!(!health.down("database", "error 18456"), "another reason is not");
        assert!(health.up("database"));
        assert!(!health.up("database"));
    }

    #[test]
    fn who_listens_hears_of_changes_and_of_nothing_else() {
        let health = Health::new(&["database"], None);
        let mut changes = health.changes();
        let mut heard = || std::mem::replace(&mut changes, health.changes()).has_changed().unwrap();
        assert!(!heard());
        health.down("database", "error 4060");
        assert!(heard());
        health.down("database", "error 18456");
        health.beat();
        assert!(!heard(), "neither a reason nor a beat is a change");
        health.owns([3, 5].into());
        assert!(heard());
        health.owns([5, 3].into());
        assert!(!heard() && health.owned() == [3, 5].into());
        health.stopping();
        assert!(heard());
    }

    #[test]
    fn ready_means_that_every_part_is_up_and_nobody_asked_to_stop() {
        let health = Health::new(&["database", "kafka"], None);
        assert!(!health.ready(), "nothing was reached yet");
        health.up("database");
        assert!(!health.ready());
        health.up("kafka");
        assert!(health.ready());
        health.down("database", "error 4060");
        assert!(!health.ready() && !health.is_up("database") && health.is_up("kafka"));
        health.up("database");
        health.stopping();
        assert!(!health.ready() && health.live());
        assert_eq!(health.ready_report().status, "stopping");
    }

    #[test]
    fn a_part_that_answers_and_refuses_the_work_is_down_until_it_does_it() {
        let health = Health::new(&["queue", "kafka"], None);
        assert!(health.refuses("queue", "no memory"));
        assert!(!health.up("queue") && health.is_down("queue"), "that it answers is not enough");
        assert!(health.works("queue") && health.is_up("queue"));
        health.refuses("queue", "no memory");
        health.down("queue", "it is away");
        assert!(health.up("queue"), "it was away and is back: whether it refuses still is seen at the next try");
        health.heard_of("kafka");
        assert!(health.is_up("kafka"), "nobody had looked yet");
        health.down("kafka", "it is away");
        health.heard_of("kafka");
        assert!(health.is_down("kafka"));
    }

    #[tokio::test(start_paused = true)]
    async fn live_means_that_the_last_beat_is_young() {
        let health = Health::new(&[], Some(Duration::from_secs(30)));
        tokio::time::advance(Duration::from_secs(29)).await;
        assert!(health.live());
        health.beat();
        tokio::time::advance(Duration::from_secs(29)).await;
        assert!(health.live());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!health.live() && !health.live_report().ok);
        assert_eq!(health.live_report().status, "stuck");
        assert!(Health::new(&[], None).live(), "without a loop there is nothing to wait for");
    }

    #[test]
    fn the_report_gives_state_since_and_reason_of_each_part() {
        let health = Health::new(&["database", "kafka"], None);
        health.up("kafka");
        let part = |report: &Report, name| report.parts[name].clone();
        let first = health.ready_report();
        assert!(!first.ok);
        assert_eq!((part(&first, "database").state, part(&first, "database").reason.as_deref()), ("unknown", Some("not reached yet")));
        health.down("database", "unavailable (error 4060)");
        let report = health.ready_report();
        let (database, kafka) = (part(&report, "database"), part(&report, "kafka"));
        assert!(DateTime::parse_from_rfc3339(&database.since).is_ok());
        assert_eq!(
            serde_json::to_string(&report).unwrap(),
            format!(
                "{{\"status\":\"not ready\",\"parts\":{{\"database\":{{\"state\":\"down\",\"since\":\"{}\",\
                 \"reason\":\"unavailable (error 4060)\"}},\"kafka\":{{\"state\":\"up\",\"since\":\"{}\",\"reason\":null}}}}}}",
                database.since, kafka.since
            )
        );
        health.down("database", "operator (error 18456)");
        let later = part(&health.ready_report(), "database");
        assert_eq!(later.reason.as_deref(), Some("operator (error 18456)"));
        assert_eq!(later.since, database.since, "it is down as long as it was");
    }
}
