//! [`Metrics`]: one small method per thing that is counted.

mod age;
pub mod catalog;
mod collectors;
pub mod metric;
mod rate;
mod registration;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus::{Registry, TextEncoder};
use tokio::time::Instant;

use age::Age;
use collectors::Collectors;
pub use metric::Part;
use rate::Window;
pub use registration::InvalidMetric;

/// How an event ended, as `events_processed_total` tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It was applied.
    Success,
    /// It was applied before.
    Duplicate,
    /// Something newer was applied.
    Stale,
    /// It waits for its parent.
    Parked,
    /// It became a dead letter.
    Error,
}

impl Status {
    /// The label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Duplicate => "duplicate",
            Self::Stale => "stale",
            Self::Parked => "parked",
            Self::Error => "error",
        }
    }
}

/// The metrics of one process, with a registry of their own. Clones count into the same series.
///
/// Label values are names of ours or small numbers, never input: the number of series is bounded. Everything may be called; only what
/// belongs to the parts given to [`Metrics::new`] is served.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: Registry,
    collectors: Collectors,
    started: Instant,
    rates: Mutex<[Window; catalog::EVENT_TYPES.len()]>,
    held: Mutex<Option<&'static str>>,
    held_since: Age,
    parked_since: Age,
    last_poll: Age,
    last_commit: Age,
}

impl Metrics {
    /// Metrics that serve what these parts have to tell.
    ///
    /// # Errors
    /// A declaration in the catalog is wrong, which a test of this crate rules out.
    pub fn new(parts: &[Part]) -> Result<Self, InvalidMetric> {
        let registry = Registry::new();
        let collectors = Collectors::new(&registry, parts)?;
        Ok(Self(Arc::new(Inner {
            registry,
            collectors,
            started: Instant::now(),
            rates: Mutex::default(),
            held: Mutex::new(None),
            held_since: Age::nothing(),
            parked_since: Age::nothing(),
            last_poll: Age::now(),
            last_commit: Age::now(),
        })))
    }

    /// Events of one type that ended in one way. A type that is not one of the four counts as `unknown`.
    pub fn events_processed(&self, event_type: &'static str, status: Status, count: u64) {
        let types = catalog::EVENT_TYPES;
        let index = types.iter().position(|known| *known == event_type).unwrap_or(types.len() - 1);
        self.0.collectors.events_processed.with_label_values(&[types[index], status.label()]).inc_by(count);
        let second = self.0.second();
        self.0.rates.lock().unwrap_or_else(PoisonError::into_inner)[index].add(second, count);
    }

    /// Dead letters that became durable, without those that the queue held before.
    pub fn dlq_entries(&self, count: u64) {
        self.0.collectors.dlq_entries.with_label_values(NONE).inc_by(count);
    }

    /// Records that the dead letter queue accepted, by the stable label of their reason.
    pub fn dead_letters(&self, reason: &'static str, count: u64) {
        self.0.collectors.dead_letters.with_label_values(&[reason]).inc_by(count);
    }

    /// How many entries the dead letter queue holds.
    pub fn dlq_depth(&self, entries: u64) {
        self.0.collectors.dlq_depth.with_label_values(NONE).set(entries as f64);
    }

    /// Records without a value that were skipped.
    pub fn tombstones(&self, count: u64) {
        self.0.collectors.tombstones.with_label_values(NONE).inc_by(count);
    }

    /// A call of the database, by the name of the port's method.
    pub fn db_operation(&self, operation: &'static str, took: Duration) {
        self.0.collectors.db_operation.with_label_values(&[operation]).observe(took.as_secs_f64());
    }

    /// A message was acknowledged by the broker.
    pub fn produced(&self, took: Duration) {
        self.0.collectors.produce.with_label_values(NONE).observe(took.as_secs_f64());
    }

    /// A batch went from the first take to the commit of its offsets.
    pub fn consumed(&self, took: Duration) {
        self.0.collectors.consume.with_label_values(NONE).observe(took.as_secs_f64());
    }

    /// A batch of so many events is given to the database.
    pub fn batch(&self, events: usize) {
        self.0.collectors.batch_events.with_label_values(NONE).observe(events as f64);
    }

    /// A try failed and is made again.
    pub fn retry(&self, dependency: &'static str, class: &'static str) {
        self.0.collectors.retries.with_label_values(&[dependency, class]).inc();
    }

    /// Nothing is consumed for this cause, or (`None`) work goes on. A new cause does not start the clock again.
    pub fn held(&self, cause: Option<&'static str>) {
        let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        if *held == cause {
            return;
        }
        let gauge = &self.0.collectors.held;
        held.into_iter().for_each(|before| gauge.with_label_values(&[before]).set(0.0));
        cause.into_iter().for_each(|now| gauge.with_label_values(&[now]).set(1.0));
        if held.is_none() || cause.is_none() {
            self.0.held_since.set(cause.map(|_| Duration::ZERO));
        }
        *held = cause;
    }

    /// How many events are parked, and how old the oldest is now.
    pub fn parked(&self, events: u64, oldest_age: Option<Duration>) {
        self.0.collectors.parked_events.with_label_values(NONE).set(events as f64);
        self.0.parked_since.set(oldest_age);
    }

    /// Parked events that were applied.
    pub fn released(&self, count: u64) {
        self.0.collectors.released.with_label_values(NONE).inc_by(count);
    }

    /// Offsets were committed.
    pub fn committed(&self) {
        self.0.collectors.commits.with_label_values(&["ok"]).inc();
        self.0.last_commit.set(Some(Duration::ZERO));
    }

    /// A commit of offsets failed.
    pub fn commit_failed(&self) {
        self.0.collectors.commits.with_label_values(&["failed"]).inc();
    }

    /// The broker was polled.
    pub fn polled(&self) {
        self.0.last_poll.set(Some(Duration::ZERO));
    }

    /// How many records of a partition the group has still to consume, whoever owns it.
    pub fn lag(&self, partition: i32, records: u64) {
        self.0.collectors.partition_lag.with_label_values(&[partition.to_string()]).set(records as f64);
    }

    /// How many partitions this process owns.
    pub fn assigned(&self, partitions: usize) {
        self.0.collectors.assigned_partitions.with_label_values(NONE).set(partitions as f64);
    }

    /// Whether a dependency answers.
    pub fn dependency(&self, dependency: &'static str, up: bool) {
        self.0.collectors.dependency_up.with_label_values(&[dependency]).set(f64::from(u8::from(up)));
    }

    /// A request was answered. The route is its template, never the path that was asked for.
    pub fn http_request(&self, route: &'static str, method: &'static str, status: u16, took: Duration) {
        self.0.collectors.http_requests.with_label_values(&[route, method, &status.to_string()]).inc();
        self.0.collectors.http_duration.with_label_values(&[route]).observe(took.as_secs_f64());
    }

    /// Everything in the text format, version 0.0.4; what depends on the time of the scrape is computed now.
    pub fn encode(&self) -> String {
        self.0.refresh();
        // It can only fail for a family without a series, and the registry leaves those out.
        TextEncoder::new().encode_to_string(&self.0.registry.gather()).unwrap_or_default()
    }
}

/// The labels of a metric that has none.
const NONE: &[&str] = &[];

impl Inner {
    fn second(&self) -> u64 {
        self.started.elapsed().as_secs()
    }

    fn refresh(&self) {
        let rates = self.rates.lock().unwrap_or_else(PoisonError::into_inner);
        let second = self.second();
        for (event_type, rate) in catalog::EVENT_TYPES.iter().zip(rates.iter()) {
            self.collectors.events_per_second.with_label_values(&[*event_type]).set(rate.per_second(second));
        }
        drop(rates);
        let collectors = &self.collectors;
        for (gauge, age) in [
            (&collectors.held_seconds, &self.held_since),
            (&collectors.parked_oldest_age, &self.parked_since),
            (&collectors.last_poll_age, &self.last_poll),
            (&collectors.last_commit_age, &self.last_commit),
        ] {
            gauge.with_label_values(NONE).set(age.seconds());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Metrics {
        Metrics::new(Part::ALL).unwrap()
    }

    /// The value of a series, by its name with labels as the text format writes it.
    fn value(metrics: &Metrics, series: &str) -> Option<f64> {
        let text = metrics.encode();
        text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')).map(|value| value.parse().unwrap())
    }

    #[test]
    fn known_series_exist_from_the_start_with_zero() {
        let metrics = all();
        for event_type in catalog::EVENT_TYPES {
            for status in catalog::STATUSES {
                let series = format!("events_processed_total{{event_type=\"{event_type}\",status=\"{status}\"}}");
                assert_eq!(value(&metrics, &series), Some(0.0), "{series}");
            }
        }
        for series in [
            "dlq_entries_total",
            "kafka_consume_duration_seconds_count",
            "kafka_produce_duration_seconds_count",
            "events_processed_per_second{event_type=\"unknown\"}",
            "pipeline_held{cause=\"poison_flood\"}",
            "pipeline_held_seconds",
            "pipeline_parked_oldest_age_seconds",
            "pipeline_retries_total{class=\"lock_race\",dependency=\"database\"}",
            "pipeline_dead_letters_total{reason=\"not_json\"}",
            "pipeline_commits_total{result=\"failed\"}",
            "pipeline_dependency_up{dependency=\"kafka\"}",
        ] {
            assert_eq!(value(&metrics, series), Some(0.0), "{series}");
        }
        assert_eq!(value(&metrics, concat!("build_info{version=\"", env!("CARGO_PKG_VERSION"), "\"}")), Some(1.0));
    }

    #[test]
    fn each_method_counts_into_its_own_series() {
        let metrics = all();
        let second = Duration::from_secs(1);
        metrics.events_processed("OrderPlaced", Status::Parked, 3);
        metrics.events_processed("SomethingElse", Status::Error, 2);
        metrics.dlq_entries(4);
        metrics.dead_letters("too_long", 5);
        metrics.dlq_depth(6);
        metrics.tombstones(7);
        metrics.db_operation("apply", second);
        metrics.produced(second);
        metrics.consumed(second * 2);
        metrics.batch(8);
        metrics.retry("kafka", "timeout");
        metrics.released(9);
        metrics.committed();
        metrics.commit_failed();
        metrics.lag(3, 10);
        metrics.assigned(11);
        metrics.dependency("database", true);
        metrics.parked(12, None);
        metrics.http_request("/orders/{id}", "GET", 404, second);
        for (series, expected) in [
            ("events_processed_total{event_type=\"OrderPlaced\",status=\"parked\"}", 3.0),
            ("events_processed_total{event_type=\"unknown\",status=\"error\"}", 2.0),
            ("dlq_entries_total", 4.0),
            ("pipeline_dead_letters_total{reason=\"too_long\"}", 5.0),
            ("pipeline_dlq_depth", 6.0),
            ("pipeline_tombstones_total", 7.0),
            ("db_operation_duration_seconds_sum{operation=\"apply\"}", 1.0),
            ("kafka_produce_duration_seconds_sum", 1.0),
            ("kafka_consume_duration_seconds_sum", 2.0),
            ("pipeline_batch_events_sum", 8.0),
            ("pipeline_retries_total{class=\"timeout\",dependency=\"kafka\"}", 1.0),
            ("pipeline_released_total", 9.0),
            ("pipeline_commits_total{result=\"ok\"}", 1.0),
            ("pipeline_commits_total{result=\"failed\"}", 1.0),
            ("pipeline_partition_lag{partition=\"3\"}", 10.0),
            ("pipeline_assigned_partitions", 11.0),
            ("pipeline_dependency_up{dependency=\"database\"}", 1.0),
            ("pipeline_parked_events", 12.0),
            ("http_requests_total{method=\"GET\",route=\"/orders/{id}\",status=\"404\"}", 1.0),
            ("http_request_duration_seconds_sum{route=\"/orders/{id}\"}", 1.0),
        ] {
            assert_eq!(value(&metrics, series), Some(expected), "{series}");
        }
        // Nothing of the catalog is without a collector.
        let text = metrics.encode();
        for metric in catalog::ALL {
            assert!(text.contains(&format!("# TYPE {} {}\n", metric.name, metric.kind.as_str())), "{}", metric.name);
        }
    }

    #[test]
    fn a_process_serves_what_its_parts_have_to_tell() {
        let api = Metrics::new(&[Part::Api]).unwrap();
        api.tombstones(1);
        api.db_operation("user", Duration::ZERO);
        api.http_request("unmatched", "GET", 404, Duration::ZERO);
        let text = api.encode();
        assert!(!text.contains("pipeline_") && !text.contains("kafka_"), "{text}");
        assert!(text.contains("db_operation_duration_seconds") && text.contains("http_requests_total") && text.contains("build_info"));
        assert!(!Metrics::new(&[Part::Consumer]).unwrap().encode().contains("http_"));
    }

    #[tokio::test(start_paused = true)]
    async fn the_rate_is_computed_when_scraped_and_falls_to_zero() {
        let metrics = all();
        let rate = "events_processed_per_second{event_type=\"UserCreated\"}";
        metrics.events_processed("UserCreated", Status::Success, 30);
        metrics.events_processed("UserCreated", Status::Duplicate, 20);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(value(&metrics, rate), Some(5.0));
        assert_eq!(value(&metrics, "events_processed_per_second{event_type=\"OrderPlaced\"}"), Some(0.0));
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(value(&metrics, rate), Some(0.0));
    }

    #[tokio::test(start_paused = true)]
    async fn ages_grow_between_scrapes() {
        let metrics = all();
        metrics.parked(2, Some(Duration::from_secs(100)));
        tokio::time::advance(Duration::from_secs(7)).await;
        assert_eq!(value(&metrics, "pipeline_parked_oldest_age_seconds"), Some(107.0));
        assert_eq!(value(&metrics, "pipeline_last_poll_age_seconds"), Some(7.0), "from the start on");
        metrics.polled();
        metrics.commit_failed();
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(value(&metrics, "pipeline_last_poll_age_seconds"), Some(2.0));
        assert_eq!(value(&metrics, "pipeline_last_commit_age_seconds"), Some(9.0), "a failed commit is none");
        metrics.committed();
        metrics.parked(0, None);
        assert_eq!(value(&metrics, "pipeline_last_commit_age_seconds"), Some(0.0));
        assert_eq!(value(&metrics, "pipeline_parked_oldest_age_seconds"), Some(0.0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_hold_has_one_cause_at_a_time_and_is_as_old_as_its_first() {
        let metrics = all();
        metrics.held(Some("outage"));
        tokio::time::advance(Duration::from_secs(5)).await;
        metrics.held(Some("operator"));
        tokio::time::advance(Duration::from_secs(5)).await;
        metrics.held(Some("operator"));
        assert_eq!(value(&metrics, "pipeline_held{cause=\"outage\"}"), Some(0.0));
        assert_eq!(value(&metrics, "pipeline_held{cause=\"operator\"}"), Some(1.0));
        assert_eq!(value(&metrics, "pipeline_held_seconds"), Some(10.0));
        metrics.held(None);
        assert_eq!(value(&metrics, "pipeline_held{cause=\"operator\"}"), Some(0.0));
        assert_eq!(value(&metrics, "pipeline_held_seconds"), Some(0.0));
    }

    #[test]
    fn each_partition_has_a_lag_of_its_own() {
        let metrics = all();
        metrics.lag(0, 5);
        metrics.lag(1, 6);
        metrics.lag(0, 0);
        assert_eq!(value(&metrics, "pipeline_partition_lag{partition=\"0\"}"), Some(0.0));
        assert_eq!(value(&metrics, "pipeline_partition_lag{partition=\"1\"}"), Some(6.0));
    }

    #[test]
    fn clones_count_together_and_others_apart() {
        let metrics = all();
        let clone = metrics.clone();
        clone.tombstones(1);
        metrics.tombstones(1);
        assert_eq!(value(&metrics, "pipeline_tombstones_total"), Some(2.0));
        assert_eq!(value(&all(), "pipeline_tombstones_total"), Some(0.0));
    }

    #[test]
    fn statuses_are_those_of_the_catalog() {
        let all = [Status::Success, Status::Duplicate, Status::Stale, Status::Parked, Status::Error];
        assert_eq!(all.map(Status::label), catalog::STATUSES);
    }
}
