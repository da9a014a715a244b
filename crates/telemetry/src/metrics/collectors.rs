//! The collectors behind [`Metrics`](super::Metrics), one per declaration.

use prometheus::{CounterVec, GaugeVec, HistogramVec, IntCounterVec, Registry};

use super::catalog;
use super::metric::Part;
use super::registration::{InvalidMetric, Registration};
use crate::command_line::COMMIT;

macro_rules! collectors {
    ($($field:ident: $collector:ty = $make:ident($metric:ident);)+) => {
        #[derive(Debug)]
        pub(super) struct Collectors {
            $(pub(super) $field: $collector,)+
        }

        impl Collectors {
            pub(super) fn new(registry: &Registry, parts: &[Part]) -> Result<Self, InvalidMetric> {
                let registration = Registration { registry, parts };
                let collectors = Self { $($field: registration.$make(&catalog::$metric)?,)+ };
                let revision = COMMIT.unwrap_or("unknown");
                collectors.build_info.with_label_values(&[env!("CARGO_PKG_VERSION"), revision, env!("RUST_VERSION")]).set(1.0);
                Ok(collectors)
            }
        }
    };
}

collectors! {
    events_processed: IntCounterVec = counter(EVENTS_PROCESSED);
    events_per_second: GaugeVec = gauge(EVENTS_PER_SECOND);
    dlq_entries: IntCounterVec = counter(DLQ_ENTRIES);
    db_operation: HistogramVec = histogram(DB_OPERATION);
    db_pool: GaugeVec = gauge(DB_POOL);
    produce: HistogramVec = histogram(PRODUCE);
    consume: HistogramVec = histogram(CONSUME);
    dead_letters: IntCounterVec = counter(DEAD_LETTERS);
    dlq_depth: GaugeVec = gauge(DLQ_DEPTH);
    dlq_claimed: GaugeVec = gauge(DLQ_CLAIMED);
    dlq_depth_by_reason: GaugeVec = gauge(DLQ_DEPTH_BY_REASON);
    ahead_of_clock: HistogramVec = histogram(AHEAD_OF_CLOCK);
    event_time_lag: HistogramVec = histogram(EVENT_TIME_LAG);
    tombstones: IntCounterVec = counter(TOMBSTONES);
    batch_events: HistogramVec = histogram(BATCH_EVENTS);
    retries: IntCounterVec = counter(RETRIES);
    held: GaugeVec = gauge(HELD);
    held_seconds: GaugeVec = gauge(HELD_SECONDS);
    parked_events: GaugeVec = gauge(PARKED_EVENTS);
    parked_oldest_age: GaugeVec = gauge(PARKED_OLDEST_AGE);
    released: IntCounterVec = counter(RELEASED);
    commits: IntCounterVec = counter(COMMITS);
    last_poll_age: GaugeVec = gauge(LAST_POLL_AGE);
    poll_age_limit: GaugeVec = gauge(POLL_AGE_LIMIT);
    last_commit_age: GaugeVec = gauge(LAST_COMMIT_AGE);
    partition_lag: GaugeVec = gauge(PARTITION_LAG);
    partition_stalled: GaugeVec = gauge(PARTITION_STALLED);
    partition_held_back: GaugeVec = gauge(PARTITION_HELD_BACK);
    log_gap: IntCounterVec = counter(LOG_GAP);
    assigned_partitions: GaugeVec = gauge(ASSIGNED_PARTITIONS);
    dependency_up: GaugeVec = gauge(DEPENDENCY_UP);
    verify_interval: GaugeVec = gauge(VERIFY_INTERVAL);
    verify_last_success: GaugeVec = gauge(VERIFY_LAST_SUCCESS);
    verify_verified: GaugeVec = gauge(VERIFY_VERIFIED);
    verify_differences: GaugeVec = gauge(VERIFY_DIFFERENCES);
    http_requests: IntCounterVec = counter(HTTP_REQUESTS);
    http_duration: HistogramVec = histogram(HTTP_DURATION);
    data_age: GaugeVec = gauge(DATA_AGE);
    process_cpu: CounterVec = seconds_counter(PROCESS_CPU);
    process_resident: GaugeVec = gauge(PROCESS_RESIDENT);
    process_open_fds: GaugeVec = gauge(PROCESS_OPEN_FDS);
    process_max_fds: GaugeVec = gauge(PROCESS_MAX_FDS);
    process_threads: GaugeVec = gauge(PROCESS_THREADS);
    process_start_time: GaugeVec = gauge(PROCESS_START_TIME);
    build_info: GaugeVec = gauge(BUILD_INFO);
}
