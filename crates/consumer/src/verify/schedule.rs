//! Verifying again and again beside the consumers, in one process of all that write into the same tables.
//!
//! Who that is, a lease in the database decides. It lasts a little longer than the interval, so whoever has it keeps it, and with it a shadow that has
//! to read only what is new; when that process is gone, another one takes over as soon as the lease ends.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pipeline::fault::Fault;
use pipeline::ports::Leases;
use settings::Reader;
use telemetry::Metrics;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::last::LastVerdict;
use super::{Report, Unfinished};
use crate::reason::told;

const MINUTE: Duration = Duration::from_secs(60);
/// How long it may take until another process notices that a lease has ended, and the pause after a verification that was not finished.
const LOOK: Duration = MINUTE;
/// Records and rows per second, where nothing is said: a consumer beside it keeps its speed.
pub const RATE: f64 = 5000.0;
/// Differences that are told one by one in the log.
const TOLD: usize = 10;

/// How often, how fast, and where the shadow is kept.
#[derive(Clone, Debug)]
pub struct ScheduleConfig {
    /// From the beginning of one verification to that of the next.
    pub interval: Duration,
    /// Records of the log per second, and after them rows of the tables, at most.
    pub rate: f64,
    /// The folder of the shadow; without one, each verification reads the whole log into a temporary file.
    pub state: Option<PathBuf>,
    /// Who wants one before the interval has passed.
    pub now: VerifyNow,
    /// What the last one came to.
    pub last: LastVerdict,
}

/// Begins a verification before the interval has passed. Clones are for the same process.
#[derive(Clone, Debug, Default)]
pub struct VerifyNow(Arc<Notify>);

impl VerifyNow {
    /// One is begun now, or as soon as the one that is under way has come to its end.
    pub fn begin(&self) {
        self.0.notify_one();
    }

    /// Waits until one is wanted.
    pub async fn wanted(&self) {
        self.0.notified().await;
    }
}

impl ScheduleConfig {
    /// Reads the settings; `None` where nothing is to be verified.
    pub fn read(env: &mut Reader) -> Option<Self> {
        let interval = env.duration(
            "VERIFY_INTERVAL",
            Duration::ZERO,
            Duration::ZERO..=20 * 24 * 60 * MINUTE,
            "How often one consumer of all that write these tables compares them with the log; 0 never. A minute at least.",
        );
        let rate = env.number(
            "VERIFY_RATE",
            RATE,
            1.0..=1e9,
            "Records of the log, and after them rows of the tables, that such a verification reads per second, at most.",
        );
        let state = env.optional(
            "VERIFY_STATE",
            "Folder in which it keeps the shadow, so that the next one reads only what is new. Without it each reads the whole log into a \
             temporary file.",
        );
        if !interval.is_zero() && interval < MINUTE {
            env.problem("VERIFY_INTERVAL", "must be a minute or more, or 0 for never");
        }
        let (now, last) = (VerifyNow::default(), LastVerdict::default());
        (!interval.is_zero()).then(|| Self { interval, rate, state: state.map(PathBuf::from), now, last })
    }

    /// How long a lease lasts.
    fn lease(&self) -> Duration {
        self.interval + self.interval / 10 + LOOK
    }
}

/// Verifies at each interval until `stop`, as long as this process has the lease on `topic`.
pub async fn keep_verifying<L: Leases, V: Future<Output = anyhow::Result<Report>>>(
    leases: &L,
    topic: &str,
    config: &ScheduleConfig,
    metrics: &Metrics,
    stop: &CancellationToken,
    verify: impl Fn(CancellationToken) -> V,
) {
    let schedule = Schedule { leases, lease: format!("verify/{topic}"), holder: Uuid::new_v4(), config };
    metrics.verify_interval(config.interval);
    let mut due = Instant::now();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep_until(due) => {}
            () = config.now.wanted() => {}
        }
        let began = Instant::now();
        due = began + LOOK.min(config.interval);
        match schedule.take().await {
            Ok(true) => {}
            Ok(false) => {
                metrics.verified_by_another();
                continue;
            }
            Err(fault) => {
                let (class, code) = (fault.class.label(), fault.code);
                tracing::warn!(class, code, "the lease of verify cannot be looked at: {}", told(&fault));
                continue;
            }
        }
        let ends = stop.child_token();
        let ended = schedule.hold_during(verify(ends.clone()), ends).await;
        match &ended {
            Ok(report) => {
                tell(report, metrics);
                due = began + config.interval;
            }
            Err(_) if stop.is_cancelled() => return,
            Err(why) if why.downcast_ref() == Some(&Unfinished::NoPositions) => {
                tracing::debug!("nothing was consumed yet: there is nothing to verify");
                continue;
            }
            Err(why) => tracing::warn!("the tables were not verified: {why:#}"),
        }
        config.last.note(began.elapsed(), &ended);
    }
}

struct Schedule<'s, L> {
    leases: &'s L,
    lease: String,
    holder: Uuid,
    config: &'s ScheduleConfig,
}

impl<L: Leases> Schedule<'_, L> {
    async fn take(&self) -> Result<bool, Fault> {
        self.leases.take_lease(&self.lease, self.holder, self.config.lease()).await
    }

    /// Waits for a verification, and prolongs the lease meanwhile. One that is not finished leaves it to others.
    async fn hold_during(&self, verified: impl Future<Output = anyhow::Result<Report>>, ends: CancellationToken) -> anyhow::Result<Report> {
        let mut verified = std::pin::pin!(verified);
        let report = loop {
            tokio::select! {
                report = &mut verified => break report,
                () = tokio::time::sleep(LOOK) => {
                    // A database that is away for a moment does not end it: the lease is longer than that.
                    if self.take().await == Ok(false) {
                        ends.cancel();
                    }
                }
            }
        };
        if report.is_err() {
            self.leases.release_lease(&self.lease, self.holder).await.ok();
        }
        report
    }
}

/// Says what was found, in the log and in the metrics.
fn tell(report: &Report, metrics: &Metrics) {
    let (rows, offsets) = (report.rows(), report.offsets());
    let differences = report.by_kind().into_iter().map(|((entity, kind), count)| ((entity, kind.name()), count));
    metrics.verified(offsets, differences);
    if report.is_equal() {
        tracing::info!(rows, offsets, whole_log = report.is_whole, "verified: the tables are what the log says");
        return;
    }
    for found in report.differences.iter().take(TOLD) {
        tracing::warn!(kind = found.kind.name(), table = found.table, key = found.key, "different from the log: {}", found.kind.meaning());
    }
    tracing::error!(
        differences = report.count(),
        rows,
        offsets,
        "the tables differ from the log: see `consumer verify`, which can repair them"
    );
}
