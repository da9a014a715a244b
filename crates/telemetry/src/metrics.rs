//! [`Metrics`]: one small method per thing that is counted.
//!
//! | module | what is counted there |
//! |---|---|
//! | `events` | events and how they ended: batches, parked events, dead letters |
//! | `group` | polls, commits, lag, and why nothing is consumed |
//! | `verify` | whether the tables are what the log says |
//! | `calls` | calls of others and of ourselves: database, broker, HTTP |

mod age;
mod calls;
pub mod catalog;
mod collectors;
mod events;
mod group;
pub mod metric;
mod process;
mod rate;
mod registration;
mod verify;

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use prometheus::{Registry, TextEncoder};
use tokio::time::Instant;

use age::Age;
pub use calls::PoolUse;
use collectors::Collectors;
pub use events::Status;
pub use metric::Part;
use rate::Window;
pub use registration::InvalidMetric;

/// The metrics of one process, with a registry of their own. Clones count into the same series.
///
/// Label values are names of ours or small numbers, never input: the number of series is bounded. Everything may be called; only what
/// belongs to the parts given to [`Metrics::new`] is served.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Inner>);

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
    data: Age,
    pool: OnceLock<calls::Pool>,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// Metrics that serve what these parts have to tell.
    ///
    /// # Errors
    /// A declaration in the catalog is wrong, which a test of this crate rules out.
    pub fn new(parts: &[Part]) -> Result<Self, InvalidMetric> {
        let registry = Registry::new();
        let collectors = Collectors::new(&registry, parts)?;
        let metrics = Self(Arc::new(Inner {
            registry,
            collectors,
            started: Instant::now(),
            rates: Mutex::default(),
            held: Mutex::new(None),
            held_since: Age::nothing(),
            parked_since: Age::nothing(),
            last_poll: Age::now(),
            last_commit: Age::now(),
            data: Age::nothing(),
            pool: OnceLock::new(),
        }));
        metrics.poll_age_limit(POLL_AGE_LIMIT);
        Ok(metrics)
    }

    /// Everything in the text format, version 0.0.4; what depends on the time of the scrape is computed now.
    pub fn encode(&self) -> String {
        self.0.refresh();
        // It can only fail for a family without a series, and the registry leaves those out.
        TextEncoder::new().encode_to_string(&self.0.registry.gather()).unwrap_or_default()
    }
}

/// How old the last poll may become where nobody has said so.
const POLL_AGE_LIMIT: Duration = Duration::from_secs(120);

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
        if let Some(pool) = self.pool.get() {
            pool.show(&self.collectors.db_pool);
        }
        if let Some(usage) = process::Usage::read() {
            usage.show(&self.collectors);
        }
        let collectors = &self.collectors;
        for (gauge, age) in [
            (&collectors.held_seconds, &self.held_since),
            (&collectors.parked_oldest_age, &self.parked_since),
            (&collectors.last_poll_age, &self.last_poll),
            (&collectors.last_commit_age, &self.last_commit),
        ] {
            gauge.with_label_values(NONE).set(age.seconds().unwrap_or_default());
        }
        // 0 would say that it is new.
        match self.data.seconds() {
            Some(age) => collectors.data_age.with_label_values(NONE).set(age),
            None => collectors.data_age.reset(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn all() -> Metrics {
        Metrics::new(Part::ALL).unwrap()
    }

    /// The value of a series, by its name with labels as the text format writes it.
    pub(super) fn value(metrics: &Metrics, series: &str) -> Option<f64> {
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
            "pipeline_db_pool_connections{state=\"used\"}",
            "pipeline_dependency_up{dependency=\"kafka\"}",
        ] {
            assert_eq!(value(&metrics, series), Some(0.0), "{series}");
        }
        let revision = crate::command_line::COMMIT.unwrap_or("unknown");
        let (rust, version) = (env!("RUST_VERSION"), env!("CARGO_PKG_VERSION"));
        let series = format!(r#"build_info{{revision="{revision}",rust_version="{rust}",version="{version}"}}"#);
        assert_eq!(value(&metrics, &series), Some(1.0));
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
        metrics.lags([(3, 10)]);
        metrics.stalled([(3, Duration::from_secs(18))]);
        metrics.held_back(&[(4, 13)].into());
        metrics.log_gap(14);
        metrics.assigned(11);
        metrics.poll_age_limit(second * 13);
        metrics.dependency("database", true);
        metrics.parked(12, None);
        metrics.verify_interval(second * 15);
        metrics.verified(16, [(("users", "missing"), 17)]);
        metrics.http_request("/orders/{id}", "GET", 404, second);
        metrics.data_age(Some(second * 19));
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
            ("pipeline_partition_held_back_records{partition=\"4\"}", 13.0),
            ("pipeline_partition_stalled_seconds{partition=\"3\"}", 18.0),
            ("pipeline_log_gap_records_total", 14.0),
            ("pipeline_assigned_partitions", 11.0),
            ("pipeline_last_poll_age_limit_seconds", 13.0),
            ("pipeline_dependency_up{dependency=\"database\"}", 1.0),
            ("pipeline_parked_events", 12.0),
            ("pipeline_verify_interval_seconds", 15.0),
            ("pipeline_verify_verified_events", 16.0),
            ("pipeline_verify_differences{entity=\"users\",kind=\"missing\"}", 17.0),
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
        assert!(!text.contains("pipeline_tombstones_total") && !text.contains("kafka_"), "{text}");
        assert!(text.contains("pipeline_db_pool_connections"), "the API has a pool too");
        assert!(text.contains("db_operation_duration_seconds") && text.contains("http_requests_total") && text.contains("build_info"));
        assert!(!Metrics::new(&[Part::Consumer]).unwrap().encode().contains("http_"));
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
}
