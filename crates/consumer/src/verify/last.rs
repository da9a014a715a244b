//! The last verification of this process, as its metrics tell it, and what it came to, for its heartbeat.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use events::Timestamp;
use pipeline::heartbeat::VerificationVerdict;
use pipeline::ports::Clock as _;
use serde::Serialize;
use telemetry::exposition::{Sample, samples};

use super::Report;
use super::difference::Kind;
use crate::backends::SystemClock;
use crate::plural::counted;

/// What is said where one is wanted of a process that does none.
pub const NO_SCHEDULE: &str = "This process does not verify the tables: set VERIFY_INTERVAL, or run `consumer verify`.";

/// What it found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LastVerification {
    /// Whether one can be begun now.
    pub can_begin: bool,
    /// From the beginning of one to that of the next, in seconds; `None` where this process does none.
    pub interval_seconds: Option<u64>,
    /// When the last one ended; `None` where there was none yet, or another process does them.
    pub finished: Option<Timestamp>,
    /// Offsets up to which it compared.
    pub offsets: u64,
    /// What it found different from the log.
    pub differences: Vec<DifferenceCount>,
}

/// Differences of one kind in one table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DifferenceCount {
    /// The table.
    pub table: String,
    /// What is wrong, in a word.
    pub kind: String,
    /// What is wrong, in a sentence; empty of a kind that this program does not know.
    pub meaning: &'static str,
    /// How many.
    pub count: u64,
}

impl LastVerification {
    /// From the text of `/metrics`. `can_begin` says whether this process verifies.
    pub fn read(metrics: &str, can_begin: bool) -> Self {
        let value = |name: &str| samples(metrics, name).map(|sample| sample.value).next().filter(|value| *value > 0.0);
        let finished = value("pipeline_verify_last_success_timestamp_seconds");
        Self {
            can_begin,
            interval_seconds: value("pipeline_verify_interval_seconds").map(|seconds| seconds as u64).filter(|_| can_begin),
            finished: finished.and_then(|seconds| Timestamp::from_unix_millis((seconds * 1000.0) as i64)),
            offsets: value("pipeline_verify_verified_events").unwrap_or_default() as u64,
            differences: samples(metrics, "pipeline_verify_differences").filter(|sample| sample.value > 0.0).map(difference).collect(),
        }
    }
}

/// What the last verification of this process came to. Clones are for the same process.
#[derive(Clone, Debug, Default)]
pub struct LastVerdict(Arc<Mutex<Option<VerificationVerdict>>>);

impl LastVerdict {
    /// What it came to; `None` where there was none.
    pub fn get(&self) -> Option<VerificationVerdict> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// One has ended now that took so long.
    pub(super) fn note(&self, took: Duration, ended: &anyhow::Result<Report>) {
        let verdict = VerificationVerdict {
            ended_at: SystemClock.now().to_string(),
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            ..of(ended)
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(verdict);
    }
}

fn of(ended: &anyhow::Result<Report>) -> VerificationVerdict {
    match ended {
        Ok(report) => VerificationVerdict {
            outcome: if report.is_equal() { VerificationVerdict::EQUAL } else { VerificationVerdict::DIFFERENT }.to_owned(),
            differences: report.count(),
            rows: report.rows(),
            offsets: report.offsets(),
            whole_log: report.is_whole,
            ..VerificationVerdict::default()
        },
        Err(why) => VerificationVerdict {
            outcome: VerificationVerdict::UNFINISHED.to_owned(),
            reason: Some(format!("{why:#}")),
            ..VerificationVerdict::default()
        },
    }
}

/// What was found, as half a sentence.
pub(crate) fn found(differences: u64) -> String {
    match differences {
        0 => "the tables are what the log says".to_owned(),
        count => format!("{} from the log, see `verify`", counted(count, "difference", "differences")),
    }
}

fn difference(sample: Sample<'_>) -> DifferenceCount {
    let kind = sample.label("kind").unwrap_or_default();
    let meaning = Kind::ALL.into_iter().find(|known| known.name() == kind).map(|known| known.meaning());
    DifferenceCount {
        table: sample.label("entity").unwrap_or_default().to_owned(),
        kind: kind.to_owned(),
        meaning: meaning.unwrap_or_default(),
        count: sample.value as u64,
    }
}
