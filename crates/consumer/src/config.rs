//! How the consumer works, apart from where its parts are.

use std::time::Duration;

use pipeline::ports::PollLimits;
use settings::Reader;

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);

/// How the consumer works.
#[derive(Clone, Debug)]
pub struct ConsumerConfig {
    /// The records of one batch, and the bytes of one poll.
    pub batch: PollLimits,
    /// How many batches one poll may hold.
    pub batches_per_take: usize,
    /// Rows that one statement may write; see [`pipeline::plan::plan`].
    pub max_rows: usize,
    /// How far an event's timestamp may lie after its record's, and after the consumer's clock.
    pub max_clock_skew: Duration,
    /// How long an event waits for its parent before it may be expired.
    pub parking_deadline: Duration,
    /// The share of unwritable records, from 0 to 1, above which the consumer holds; see [`pipeline::dlq_limit`].
    pub dlq_max_ratio: f64,
    /// How often parked events are looked through.
    pub sweep_interval: Duration,
    /// How often lag, queue depth and the health of the parts are measured.
    pub monitor_interval: Duration,
}

impl ConsumerConfig {
    /// How much one poll may hold: the records of several batches, and the bytes of one.
    pub const fn poll_limits(&self) -> PollLimits {
        PollLimits { records: self.batch.records * self.batches_per_take, bytes: self.batch.bytes }
    }

    /// Reads the settings.
    pub fn read(env: &mut Reader) -> Self {
        Self {
            batch: PollLimits {
                records: env.number("BATCH_MAX_EVENTS", 1000, 1..=10_000, "Events in one batch, at most."),
                bytes: env.number(
                    "BATCH_MAX_BYTES",
                    4 << 20,
                    1024..=256 << 20,
                    "Bytes of keys and values taken at once, at most; a larger event goes alone.",
                ),
            },
            batches_per_take: env.number(
                "TAKE_MAX_BATCHES",
                8,
                1..=100,
                "Batches taken from the log at once when there is a backlog: one is decoded while the one before it is written, and they are \
                 committed together.",
            ),
            max_rows: env.number(
                "BATCH_MAX_ROWS",
                4000,
                1..=100_000,
                "Rows one statement writes, at most; SQL Server escalates to a table lock at 5000 locks. A larger event goes alone.",
            ),
            max_clock_skew: env.duration(
                "MAX_CLOCK_SKEW",
                // What Kerberos allows. A clock that is set by NTP is wrong by milliseconds; one that is wrong by hours makes every later
                // change of what it touched vanish as stale until its time has come, and nobody is told.
                300 * SECOND,
                SECOND..=365 * DAY,
                "How far an event's timestamp may lie after its record's own, and after the consumer's clock; beyond it is a dead letter \
                 (timestamp_in_future). Within it, later changes by right clocks are stale until the time has come.",
            ),
            parking_deadline: env.duration(
                "PARKING_DEADLINE",
                900 * SECOND,
                SECOND..=365 * DAY,
                "How long an event waits for its parent before it may become a dead letter (missing_parent, email_taken).",
            ),
            dlq_max_ratio: env.number(
                "DLQ_MAX_RATIO",
                0.5,
                0.0..=1.0,
                "Share of unwritable records among the newest thousand above which the consumer holds until `consumer resume`, rather than drain \
                 the topic into the dead letter queue; 1 never holds. Fewer than 100 unwritable records never hold.",
            ),
            sweep_interval: env.duration(
                "PARKING_SWEEP_INTERVAL",
                5 * SECOND,
                Duration::from_millis(10)..=DAY,
                "How often parked events are looked through for what a crash or another consumer left.",
            ),
            monitor_interval: env.duration(
                "MONITOR_INTERVAL",
                5 * SECOND,
                Duration::from_millis(10)..=600 * SECOND,
                "How often lag, queue depth and the health of Kafka, database and Redis are measured.",
            ),
        }
    }
}

impl Default for ConsumerConfig {
    fn default() -> Self {
        Self::read(&mut Reader::from_pairs([]))
    }
}
