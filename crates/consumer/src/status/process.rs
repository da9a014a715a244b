//! What the running process says of itself.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use events::Timestamp;
use serde::{Deserialize, Serialize};
use telemetry::exposition::samples;
use telemetry::{Health, Metrics, probe};

use super::Backlog;

/// How long it is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// The process that consumes, as far as it can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Process {
    /// Where it was asked.
    pub address: SocketAddr,
    /// What it answered to `/health/ready`; `None` where nothing that is ours answers there.
    pub answer: Option<Answer>,
    /// Whether it compares the tables with the log, and what it found; `None` where it does not.
    pub verification: Option<Verification>,
    /// Events that ended in it in each of the last ten seconds, on average; `None` where it does not tell.
    pub events_per_second: Option<u64>,
    /// Events that it took although they are dated in the future: the clock of their producer is ahead.
    pub ahead_of_clock: u64,
    /// How long after their own time events were in the tables, since it started; `None` where it has applied none.
    pub event_time_lag: Option<EventTimeLag>,
    /// What waits in its tables and its queue, as it has counted it; `None` where it does not tell.
    pub backlog: Option<Backlog>,
}

/// How long after their own time events were in the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EventTimeLag {
    /// Half of them within so many milliseconds; `None` for more than the metric tells apart.
    pub half_within_ms: Option<u64>,
    /// 99 of 100 within so many milliseconds.
    pub most_within_ms: Option<u64>,
}

impl EventTimeLag {
    /// From the text of `/metrics`: the bounds of the buckets in which the two are.
    fn read(metrics: &str) -> Option<Self> {
        let buckets = samples(metrics, "pipeline_event_time_lag_seconds_bucket");
        let mut buckets: Vec<_> = buckets.filter_map(|bucket| Some((bucket.label("le")?.parse::<f64>().ok()?, bucket.value))).collect();
        buckets.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let all = buckets.last().map(|(_, count)| *count).filter(|all| *all > 0.0)?;
        let within = |share: f64| {
            let (bound, _) = buckets.iter().find(|(_, count)| *count >= share * all)?;
            bound.is_finite().then_some((bound * 1000.0).round() as u64)
        };
        Some(Self { half_within_ms: within(0.5), most_within_ms: within(0.99) })
    }
}

/// What a process says of its own verifications, by its metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verification {
    /// Seconds from the beginning of one to that of the next.
    pub interval_seconds: u64,
    /// When it finished the last one; `None` where it has finished none: another process does it, or it is the first.
    pub last: Option<Timestamp>,
    /// What that one found different from the log.
    pub differences: u64,
}

impl Verification {
    /// From the text of `/metrics`.
    pub(crate) fn read(metrics: &str) -> Option<Self> {
        let values = |name| values(metrics, name).map(|value| value as u64);
        let interval_seconds = values("pipeline_verify_interval_seconds").next().filter(|seconds| *seconds > 0)?;
        let last = values("pipeline_verify_last_success_timestamp_seconds").next().filter(|seconds| *seconds > 0);
        Some(Self {
            interval_seconds,
            last: last.and_then(|seconds| Timestamp::from_unix_millis(i64::try_from(seconds).ok()?.checked_mul(1000)?)),
            differences: values("pipeline_verify_differences").sum(),
        })
    }
}

/// The values of every series of a metric.
fn values(metrics: &str, name: &str) -> impl Iterator<Item = f64> {
    samples(metrics, name).map(|sample| sample.value)
}

fn events_per_second(metrics: &str) -> Option<u64> {
    let mut rates = values(metrics, "events_processed_per_second").peekable();
    rates.peek()?;
    Some(rates.sum::<f64>().round() as u64)
}

/// The group in which the process consumes that listens there, where it tells.
pub async fn group_of(address: SocketAddr) -> Option<String> {
    Process::ask(address).await.answer?.group
}

/// The answer of `/health/ready`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// `ready`, `not ready` or `stopping`.
    pub status: String,
    /// Its parts.
    pub parts: BTreeMap<String, Part>,
    /// The group in which it consumes; `None` where it does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// By what it is known among all consumers of its database; `None` where it does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// How far it is, where it has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<AnsweredLog>,
}

/// What it tells of the log, as far as it is asked here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnsweredLog {
    /// Records that it found deleted by retention before they were consumed.
    pub lost: u64,
    /// The partitions that it reads.
    #[serde(default)]
    pub partitions: Vec<AnsweredPosition>,
}

/// How far it is in one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnsweredPosition {
    /// Its number.
    pub partition: i32,
    /// One after the last offset whose record is finished, as the tables have it.
    pub position: i64,
    /// One after the last offset.
    pub end: i64,
}

/// A part of the process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// `up`, `down`, or `unknown` where nobody has looked yet.
    pub state: String,
    /// Since when.
    pub since: String,
    /// Why it is down.
    pub reason: Option<String>,
}

impl Process {
    /// Asks the process that listens there; for "every address", on loopback.
    pub async fn ask(address: SocketAddr) -> Self {
        let get = async |path| tokio::task::spawn_blocking(move || probe::ask(address, path, PATIENCE)).await.ok()?.ok();
        let (health, metrics): (Option<String>, Option<String>) = tokio::join!(get("/health/ready"), get("/metrics"));
        Self::told(address, health.and_then(|body| serde_json::from_str(&body).ok()), metrics.as_deref())
    }

    /// What the process says in which this runs, and which listens there.
    pub fn here(address: SocketAddr, health: &Health, metrics: &Metrics) -> Self {
        let answer = serde_json::to_value(health.ready_report()).and_then(serde_json::from_value);
        Self::told(address, answer.ok(), Some(&metrics.encode()))
    }

    fn told(address: SocketAddr, answer: Option<Answer>, metrics: Option<&str>) -> Self {
        Self {
            address: probe::reachable(address),
            answer,
            verification: metrics.and_then(Verification::read),
            events_per_second: metrics.and_then(events_per_second),
            event_time_lag: metrics.and_then(EventTimeLag::read),
            backlog: metrics.and_then(Backlog::read),
            ahead_of_clock: metrics.map_or(0, |text| values(text, "pipeline_event_ahead_of_clock_seconds_count").sum::<f64>() as u64),
        }
    }

    /// Whether it answered that all of it works.
    pub fn is_ready(&self) -> bool {
        self.answer.as_ref().is_some_and(|answer| answer.status == "ready")
    }

    /// Whether it has found the tables different from the log.
    pub fn tables_differ(&self) -> bool {
        self.verification.is_some_and(|verification| verification.differences > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_all_types_and_unknown_where_nothing_tells_it() {
        let text =
            "events_processed_per_second{event_type=\"UserCreated\"} 10.4\nevents_processed_per_second{event_type=\"OrderPlaced\"} 2.2\n";
        assert_eq!((events_per_second(text), events_per_second("other 1\n")), (Some(13), None));
    }

    #[test]
    fn the_lag_by_the_events_own_time_is_told_by_the_bounds_of_its_buckets() {
        let metrics = |counts: [u64; 4]| {
            let bounds = ["0.5", "10", "604800", "+Inf"];
            let lines =
                bounds.iter().zip(counts).map(|(le, count)| format!("pipeline_event_time_lag_seconds_bucket{{le=\"{le}\"}} {count}\n"));
            lines.collect::<String>() + "pipeline_event_time_lag_seconds_count 100\n"
        };
        let read = |counts| EventTimeLag::read(&metrics(counts)).map(|lag| (lag.half_within_ms, lag.most_within_ms));
        assert_eq!(read([60, 99, 100, 100]), Some((Some(500), Some(10_000))));
        assert_eq!(read([0, 49, 50, 100]), Some((Some(604_800_000), None)));
        assert_eq!((read([0; 4]), EventTimeLag::read("other 1\n")), (None, None));
    }

    #[test]
    fn a_verification_is_told_by_the_metrics_of_whoever_is_to_do_it() {
        let metrics = |interval, last| {
            format!(
                "# HELP pipeline_verify_interval_seconds x\npipeline_verify_interval_seconds {interval}\n\
                 pipeline_verify_last_success_timestamp_seconds {last}\n\
                 pipeline_verify_differences{{entity=\"users\",kind=\"missing\"}} 2\n\
                 pipeline_verify_differences{{entity=\"orders\",kind=\"changed\"}} 1\n"
            )
        };
        assert_eq!(Verification::read(&metrics("0", "0")), None);
        assert_eq!(Verification::read("other 1\n"), None);
        let found = Verification::read(&metrics("3600", "1768471200.5")).unwrap();
        assert_eq!((found.interval_seconds, found.differences), (3600, 3));
        assert_eq!(found.last, Some(Timestamp::parse("2026-01-15T10:00:00Z").unwrap()));
        assert_eq!(Verification::read(&metrics("3600", "0")).unwrap().last, None);
    }
}
