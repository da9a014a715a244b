//! Every metric of this workspace, declared once. The registry is filled from here, and so is the table in README.md beside this crate.

use super::metric::{Kind, Label, Metric, Part, Values};

/// Each declaration becomes a constant and an entry of [`ALL`].
macro_rules! catalog {
    ($($name:ident = $metric:literal $kind:expr, [$($label:expr),*], $parts:expr, $help:literal;)+) => {
        $(
            #[doc = concat!("`", $metric, "`: ", $help)]
            pub const $name: Metric =
                Metric { name: $metric, kind: $kind, labels: &[$($label),*], help: $help, parts: $parts };
        )+

        /// All of them, in the order of the table.
        pub const ALL: &[Metric] = &[$($name),+];
    };
}

/// The values of `event_type`: the four, and one for records whose type cannot be read.
pub const EVENT_TYPES: &[&str] = &["UserCreated", "OrderPlaced", "PaymentSettled", "InventoryAdjusted", "unknown"];
/// The values of `status`.
pub const STATUSES: &[&str] = &["success", "duplicate", "stale", "parked", "error"];
/// Why the consumer is held.
pub const CAUSES: &[&str] = &["outage", "operator", "bug", "poison_flood"];
/// The window of `events_processed_per_second`, in seconds.
pub const RATE_WINDOW_SECONDS: u64 = 10;

/// Why an entry of the dead letter queue is there: the stable labels, and two for what others wrote.
pub const DLQ_REASONS: &[&str] = &[
    "not_utf8",
    "registry_framed",
    "cloud_event_data",
    "not_json",
    "missing_field",
    "duplicate_field",
    "wrong_type",
    "invalid_money",
    "invalid_value",
    "too_long",
    "timestamp_in_future",
    "unknown_event_type",
    "unknown_adjustment_type",
    "constraint",
    "event_id_conflict",
    "ledger_compacted",
    "missing_parent",
    "email_taken",
    "unknown",
    "other",
];
/// The stable labels alone.
const REASONS: &[&str] = DLQ_REASONS.split_at(DLQ_REASONS.len() - 2).0;
const DEPENDENCIES: &[&str] = &["database", "dead_letter_queue", "kafka"];
const RETRY_CLASSES: &[&str] = &["key_race", "lock_race", "unavailable", "timeout", "operator", "doomed", "bug", "release_lost"];

const EVENT_TYPE: Label = Label { name: "event_type", values: Values::Known(EVENT_TYPES) };
const STATUS: Label = Label { name: "status", values: Values::Known(STATUSES) };
const REASON: Label = Label { name: "reason", values: Values::Known(REASONS) };
const DLQ_REASON: Label = Label { name: "reason", values: Values::Known(DLQ_REASONS) };
const DEPENDENCY: Label = Label { name: "dependency", values: Values::Known(DEPENDENCIES) };
const CLASS: Label = Label { name: "class", values: Values::Known(RETRY_CLASSES) };
const CAUSE: Label = Label { name: "cause", values: Values::Known(CAUSES) };
const RESULT: Label = Label { name: "result", values: Values::Known(&["ok", "failed"]) };
const VERSION: Label = Label { name: "version", values: Values::Each("version of this workspace, of which a process has one") };
const RUST_VERSION: Label = Label { name: "rust_version", values: Values::Each("compiler that built it, of which a process has one") };
const REVISION: Label = Label { name: "revision", values: Values::Each("commit that was built, or `unknown`, of which a process has one") };
const POOL_STATE: Label = Label { name: "state", values: Values::Known(&["idle", "used"]) };
const OPERATION: Label = Label { name: "operation", values: Values::Each("method of the stores' ports") };
const PARTITION: Label = Label { name: "partition", values: Values::Each("partition of the topic, whoever owns it") };
const OWNED_PARTITION: Label = Label { name: "partition", values: Values::Each("partition that this process owns") };
const ENTITY: Label = Label { name: "entity", values: Values::Each("table, `dead_letters`, or `log`, of which something differs") };
const DIFFERENCE: Label = Label { name: "kind", values: Values::Each("kind of difference that was found") };
const ROUTE: Label = Label { name: "route", values: Values::Each("route template, or `unmatched`") };
const METHOD: Label = Label { name: "method", values: Values::Each("HTTP method of the standard, or `other`") };
const HTTP_STATUS: Label = Label { name: "status", values: Values::Each("HTTP status code that was answered") };

/// From a statement that finds its page in memory to one that waits for locks.
const SECONDS: Kind = Kind::Histogram(&[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0]);
const EVENTS: Kind = Kind::Histogram(&[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0]);
/// From clocks that drift to one that was set wrong.
const AHEAD: Kind = Kind::Histogram(&[2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 3600.0, 86_400.0]);
/// From a pipeline that keeps up to one that works off days.
const SINCE_EVENT: Kind =
    Kind::Histogram(&[0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 21_600.0, 86_400.0, 604_800.0]);

const CONSUMER: &[Part] = &[Part::Consumer];
const API: &[Part] = &[Part::Api];

catalog! {
    EVENTS_PROCESSED = "events_processed_total" Kind::Counter, [EVENT_TYPE, STATUS], CONSUMER,
        "Events by how they ended; a parked one counts again when it is released.";
    EVENTS_PER_SECOND = "events_processed_per_second" Kind::Gauge, [EVENT_TYPE], CONSUMER,
        "Events that ended in the last 10 whole seconds, whatever their status, divided by 10.";
    DLQ_ENTRIES = "dlq_entries_total" Kind::Counter, [], CONSUMER,
        "Dead letters that became durable; one that was in the queue before does not count again.";
    DB_OPERATION = "db_operation_duration_seconds" SECONDS, [OPERATION], Part::ALL,
        "How long a call of the database took, failed ones among them.";
    DB_POOL = "pipeline_db_pool_connections" Kind::Gauge, [POOL_STATE], Part::ALL,
        "Connections to SQL Server, asked when scraped: open and idle, or in use; 0 where the database is embedded.";
    PRODUCE = "kafka_produce_duration_seconds" SECONDS, [], CONSUMER,
        "From sending a message until the broker acknowledged it.";
    CONSUME = "kafka_consume_duration_seconds" SECONDS, [], CONSUMER,
        "From taking records, up to TAKE_MAX_BATCHES batches of them, until their offsets are committed.";
    DEAD_LETTERS = "pipeline_dead_letters_total" Kind::Counter, [REASON], CONSUMER,
        "Records that were handed to the dead letter queue and accepted by it, by reason.";
    DLQ_DEPTH = "pipeline_dlq_depth" Kind::Gauge, [], CONSUMER,
        "Entries in the dead letter queue when it was last asked.";
    DLQ_CLAIMED = "pipeline_dlq_claimed" Kind::Gauge, [], CONSUMER,
        "Dead letters that a redrive or an edit has claimed, and that are not in the list, when it was last asked. Those of one that was killed are put back by a consumer when their lease has ended.";
    DLQ_DEPTH_BY_REASON = "pipeline_dlq_depth_by_reason" Kind::Gauge, [DLQ_REASON], CONSUMER,
        "Entries in the dead letter queue by the reason that they tell, counted every 30 seconds; `unknown` tell none, `other` tell another one.";
    AHEAD_OF_CLOCK = "pipeline_event_ahead_of_clock_seconds" AHEAD, [], CONSUMER,
        "Events that were taken although their time lies more than a second in the future (MAX_CLOCK_SKEW), by how far.";
    EVENT_TIME_LAG = "pipeline_event_time_lag_seconds" SINCE_EVENT, [], CONSUMER,
        "From an event's own timestamp until it was applied to the tables; 0 where that lies ahead. Events that were released from parking count from their own time too.";
    TOMBSTONES = "pipeline_tombstones_total" Kind::Counter, [], CONSUMER,
        "Records without a value, skipped.";
    BATCH_EVENTS = "pipeline_batch_events" EVENTS, [], CONSUMER,
        "Events per batch given to the database.";
    RETRIES = "pipeline_retries_total" Kind::Counter, [DEPENDENCY, CLASS], CONSUMER,
        "Tries that failed and are made again, by the class of the failure.";
    HELD = "pipeline_held" Kind::Gauge, [CAUSE], CONSUMER,
        "1 while nothing is consumed for this cause, else 0.";
    HELD_SECONDS = "pipeline_held_seconds" Kind::Gauge, [], CONSUMER,
        "How long nothing has been consumed, computed when scraped; 0 while work goes on.";
    PARKED_EVENTS = "pipeline_parked_events" Kind::Gauge, [], CONSUMER,
        "Events that wait in the database for their parent.";
    PARKED_OLDEST_AGE = "pipeline_parked_oldest_age_seconds" Kind::Gauge, [], CONSUMER,
        "How long the oldest parked event has waited, computed when scraped; 0 where none is.";
    RELEASED = "pipeline_released_total" Kind::Counter, [], CONSUMER,
        "Parked events that were applied because what they waited for is there.";
    COMMITS = "pipeline_commits_total" Kind::Counter, [RESULT], CONSUMER,
        "Offset commits.";
    LAST_POLL_AGE = "pipeline_last_poll_age_seconds" Kind::Gauge, [], CONSUMER,
        "Since the loop polled the broker last, while it works or while it waits, or since the start, computed when scraped.";
    POLL_AGE_LIMIT = "pipeline_last_poll_age_limit_seconds" Kind::Gauge, [], CONSUMER,
        "Above this age of the last poll the loop counts as standing still; it follows the longest call that the settings allow.";
    LAST_COMMIT_AGE = "pipeline_last_commit_age_seconds" Kind::Gauge, [], CONSUMER,
        "Since the last successful commit, or since the start, computed when scraped; it also rises while there is nothing to commit.";
    PARTITION_LAG = "pipeline_partition_lag" Kind::Gauge, [PARTITION], CONSUMER,
        "Records between the group's committed offset and the end of the partition. Every consumer tells all of them: take the maximum.";
    PARTITION_STALLED = "pipeline_partition_stalled_seconds" Kind::Gauge, [PARTITION], CONSUMER,
        "How long the group's offset of the partition has not moved although records follow; 0 where it moves or none follow. Take the maximum.";
    PARTITION_HELD_BACK = "pipeline_partition_held_back_records" Kind::Gauge, [OWNED_PARTITION], CONSUMER,
        "Records behind the first transaction of a producer that is still open: they are delivered when it ends.";
    LOG_GAP = "pipeline_log_gap_records_total" Kind::Counter, [], CONSUMER,
        "Records that the topic's retention has deleted before they were consumed: they are lost.";
    ASSIGNED_PARTITIONS = "pipeline_assigned_partitions" Kind::Gauge, [], CONSUMER,
        "Partitions that this process owns.";
    DEPENDENCY_UP = "pipeline_dependency_up" Kind::Gauge, [DEPENDENCY], CONSUMER,
        "1 while the dependency answers, 0 while it does not or was not reached yet.";
    VERIFY_INTERVAL = "pipeline_verify_interval_seconds" Kind::Gauge, [], CONSUMER,
        "How often one consumer of the group compares the tables with the log (VERIFY_INTERVAL); 0 where none does.";
    VERIFY_LAST_SUCCESS = "pipeline_verify_last_success_timestamp_seconds" Kind::Gauge, [], CONSUMER,
        "When this process finished its last verification, whatever it found, in seconds since 1970; 0 where it has finished none. Take the maximum.";
    VERIFY_VERIFIED = "pipeline_verify_verified_events" Kind::Gauge, [], CONSUMER,
        "Offsets of the log that this process's last finished verification covered.";
    VERIFY_DIFFERENCES = "pipeline_verify_differences" Kind::Gauge, [ENTITY, DIFFERENCE], CONSUMER,
        "What this process's last finished verification found different from the log; no series where nothing was.";
    HTTP_REQUESTS = "http_requests_total" Kind::Counter, [ROUTE, METHOD, HTTP_STATUS], API,
        "Requests that were answered.";
    HTTP_DURATION = "http_request_duration_seconds" SECONDS, [ROUTE], API,
        "From the head of a request until the head of its answer.";
    DATA_AGE = "pipeline_data_age_seconds" Kind::Gauge, [], API,
        "Since a consumer wrote last, a batch or its heartbeat, as the server has it that the API reads, asked when scraped; no series while nothing can be read, nothing was written yet, or the login may not know.";
    PROCESS_CPU = "process_cpu_seconds_total" Kind::Counter, [], Part::ALL,
        "Time that the process has spent on processors, in user and system mode. Of this and the other process metrics Linux alone tells.";
    PROCESS_RESIDENT = "process_resident_memory_bytes" Kind::Gauge, [], Part::ALL,
        "Memory of the process that is in RAM.";
    PROCESS_OPEN_FDS = "process_open_fds" Kind::Gauge, [], Part::ALL,
        "File descriptors that are open: files and connections.";
    PROCESS_MAX_FDS = "process_max_fds" Kind::Gauge, [], Part::ALL,
        "File descriptors that may be open at once.";
    PROCESS_THREADS = "process_threads" Kind::Gauge, [], Part::ALL,
        "Threads of the process.";
    PROCESS_START_TIME = "process_start_time_seconds" Kind::Gauge, [], Part::ALL,
        "When the process started, in seconds since 1970.";
    BUILD_INFO = "build_info" Kind::Gauge, [VERSION, REVISION, RUST_VERSION], Part::ALL,
        "Always 1; what is running stands in the labels.";
}

/// The table of all metrics in Markdown, for README.md beside this crate.
pub fn markdown_table() -> String {
    let mut table = String::from("| metric | type | labels | served by | meaning |\n|---|---|---|---|---|\n");
    for metric in ALL {
        let labels: Vec<_> = metric.labels.iter().map(|label| format!("`{}`: {}", label.name, values(label))).collect();
        let parts: Vec<_> = metric.parts.iter().map(|part| part.as_str()).collect();
        let (name, kind, help) = (metric.name, metric.kind.as_str(), metric.help);
        table.push_str(&format!("| `{name}` | {kind} | {} | {} | {help} |\n", labels.join("; "), parts.join(", ")));
    }
    table
}

fn values(label: &Label) -> String {
    match label.values {
        Values::Known(values) => values.iter().map(|value| format!("`{value}`")).collect::<Vec<_>>().join(" "),
        Values::Each(what) => format!("each {what}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use events::EventType;
    use pipeline::fault::Cause;
    use pipeline::{Dependency, FaultClass, Reason};

    use super::*;

    fn is_snake_case(name: &str) -> bool {
        name.starts_with(|c: char| c.is_ascii_lowercase())
            && !name.ends_with('_')
            && !name.contains("__")
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    }

    /// The rules of `promtool check metrics`: <https://prometheus.io/docs/practices/naming/>.
    #[test]
    fn names_follow_the_rules_of_promtool() {
        for Metric { name, kind, .. } in ALL {
            assert!(is_snake_case(name), "{name}");
            assert_eq!(*kind == Kind::Counter, name.ends_with("_total"), "{name}: _total is for counters, and for all of them");
            for suffix in ["_count", "_sum", "_bucket"] {
                assert!(!name.ends_with(suffix), "{name}: {suffix} belongs to histograms");
            }
            for word in name.split('_') {
                let forbidden =
                    ["counter", "gauge", "histogram", "ms", "milliseconds", "micros", "minutes", "hours", "kb", "mb", "percent"];
                assert!(!forbidden.contains(&word), "{name}: neither types nor units that are not base units");
            }
            if name.contains("duration") || name.contains("age") {
                assert!(name.ends_with("_seconds"), "{name}");
            }
        }
        let names: BTreeSet<_> = ALL.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), ALL.len(), "each name once");
    }

    #[test]
    fn every_metric_has_a_sentence_of_help_and_someone_who_serves_it() {
        for metric in ALL {
            assert!(metric.help.ends_with('.') && metric.help.len() > 10 && !metric.help.contains(['|', '\n']), "{}", metric.name);
            assert!(!metric.parts.is_empty(), "{}", metric.name);
        }
    }

    #[test]
    fn buckets_rise_and_leave_the_infinite_one_to_the_library() {
        for metric in ALL {
            if let Kind::Histogram(buckets) = metric.kind {
                assert!(buckets.is_sorted_by(|a, b| a < b) && buckets.iter().all(|bound| bound.is_finite()), "{}", metric.name);
                assert!((5..=20).contains(&buckets.len()), "{}", metric.name);
            }
        }
    }

    #[test]
    fn no_label_is_without_bound() {
        let bounded_by_nature =
            ["operation", "partition", "entity", "kind", "route", "method", "status", "version", "revision", "rust_version"];
        for metric in ALL {
            let mut series = 1;
            for label in metric.labels {
                assert!(is_snake_case(label.name) && !["le", "quantile"].contains(&label.name), "{}: {}", metric.name, label.name);
                match label.values {
                    Values::Known(values) => {
                        assert_eq!(values.iter().collect::<BTreeSet<_>>().len(), values.len(), "{}: each value once", metric.name);
                        series *= values.len();
                    }
                    Values::Each(what) => {
                        assert!(bounded_by_nature.contains(&label.name) && !what.is_empty(), "{}: {}", metric.name, label.name);
                    }
                }
            }
            assert!(series <= 30, "{}: {series} series from the start", metric.name);
        }
    }

    #[test]
    fn labels_are_those_of_the_pipeline() {
        let types: Vec<_> = EventType::ALL.iter().map(|kind| kind.as_str()).chain(["unknown"]).collect();
        assert_eq!(types, EVENT_TYPES);
        let dependencies = [Dependency::Database, Dependency::DeadLetterQueue, Dependency::Kafka].map(Dependency::label);
        assert_eq!(dependencies, DEPENDENCIES);
        for cause in [Cause::Outage, Cause::Operator, Cause::Bug] {
            assert!(CAUSES.contains(&cause.label()));
        }
        for class in [
            FaultClass::UniqueViolation,
            FaultClass::LockConflict,
            FaultClass::Unavailable { timed_out: false },
            FaultClass::Unavailable { timed_out: true },
            FaultClass::Operator,
            FaultClass::UnknownState,
            FaultClass::Bug,
            FaultClass::ReleaseLost,
        ] {
            assert!(RETRY_CLASSES.contains(&class.label()), "{}", class.label());
        }
        for reason in [Reason::Constraint("x"), Reason::EventIdConflict, Reason::LedgerCompacted, Reason::MissingParent, Reason::EmailTaken]
        {
            assert!(REASONS.contains(&reason.label()), "{}", reason.label());
        }
        for bytes in [&b"\xff"[..], b"{", b"{}", br#"{"eventType":"Nope"}"#] {
            let label = events::decode(bytes).unwrap_err().rule.label();
            assert!(REASONS.contains(&label), "{label}");
        }
        assert_eq!(DLQ_REASONS, [REASONS, &["unknown", "other"]].concat());
    }

    #[test]
    fn the_table_has_one_row_per_metric() {
        let table = markdown_table();
        assert_eq!(table.lines().count(), ALL.len() + 2);
        assert!(
            table.contains("| `pipeline_commits_total` | counter | `result`: `ok` `failed` | consumer | Offset commits. |\n"),
            "{table}"
        );
        assert!(table.lines().all(|row| row.matches('|').count() == 6), "{table}");
    }
}
