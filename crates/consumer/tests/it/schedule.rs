//! Verifying on a schedule: one process at a time, at each interval, and another one when it is gone.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use consumer::verify::last::LastVerdict;
use consumer::verify::report::TableReport;
use consumer::verify::schedule::{VerifyNow, keep_verifying};
use consumer::verify::{Report, ScheduleConfig, Unfinished};
use pipeline::fault::Fault;
use pipeline::heartbeat::VerificationVerdict;
use pipeline::ports::Leases;
use pipeline::rows::Table;
use settings::Reader;
use telemetry::{Metrics, Part};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const HOUR: Duration = Duration::from_secs(3600);

/// Leases by the clock of the test.
#[derive(Clone, Default)]
struct FakeLeases(Arc<Mutex<HashMap<String, (Uuid, Instant)>>>);

impl FakeLeases {
    /// Somebody else has taken every lease, as after an outage of its holder.
    fn steal(&self) {
        let mut leases = self.0.lock().unwrap();
        leases.values_mut().for_each(|lease| *lease = (Uuid::nil(), Instant::now() + 100 * HOUR));
    }
}

impl Leases for FakeLeases {
    async fn take_lease(&self, name: &str, holder: Uuid, duration: Duration) -> Result<bool, Fault> {
        let (mut leases, now) = (self.0.lock().unwrap(), Instant::now());
        let is_held = leases.get(name).is_some_and(|(other, ends)| *other != holder && *ends > now);
        if !is_held {
            leases.insert(name.to_owned(), (holder, now + duration));
        }
        Ok(!is_held)
    }

    async fn release_lease(&self, name: &str, holder: Uuid) -> Result<(), Fault> {
        self.0.lock().unwrap().retain(|known, (other, _)| known != name || *other != holder);
        Ok(())
    }
}

/// A process that verifies: what it has begun, and how to end it.
struct Process {
    begun: Arc<Mutex<Vec<Instant>>>,
    stop: CancellationToken,
    metrics: Metrics,
    now: VerifyNow,
    last: LastVerdict,
}

impl Process {
    /// Each of its verifications takes so long, and finds this.
    fn start(leases: &FakeLeases, takes: Duration, finds: impl Fn() -> anyhow::Result<Report> + Send + Sync + 'static) -> Self {
        let process = Self {
            begun: Arc::default(),
            stop: CancellationToken::new(),
            metrics: Metrics::new(&[Part::Consumer]).unwrap(),
            now: VerifyNow::default(),
            last: LastVerdict::default(),
        };
        let (now, last) = (process.now.clone(), process.last.clone());
        let (leases, begun, stop, metrics) = (leases.clone(), Arc::clone(&process.begun), process.stop.clone(), process.metrics.clone());
        tokio::spawn(async move {
            let config = ScheduleConfig { interval: HOUR, rate: 1000.0, state: None, now: now.clone(), last };
            let verify = |stop: CancellationToken| {
                begun.lock().unwrap().push(Instant::now());
                async {
                    tokio::select! {
                        () = tokio::time::sleep(takes) => finds(),
                        () = stop.cancelled_owned() => anyhow::bail!("it was stopped"),
                    }
                }
            };
            keep_verifying(&leases, "events", &config, &metrics, &stop, verify).await;
        });
        process
    }

    fn count(&self) -> usize {
        self.begun.lock().unwrap().len()
    }

    fn metric(&self, name: &str) -> String {
        let text = self.metrics.encode();
        text.lines().filter(|line| line.starts_with(name)).map(str::to_owned).collect()
    }
}

fn equal() -> anyhow::Result<Report> {
    Ok(Report::default())
}

#[tokio::test(start_paused = true)]
async fn whoever_wants_one_now_need_not_wait_for_the_interval_unless_another_process_verifies() {
    let leases = FakeLeases::default();
    let (first, minute) = (Process::start(&leases, Duration::from_secs(60), equal), Duration::from_secs(60));
    tokio::time::sleep(5 * minute).await;
    let second = Process::start(&leases, minute, equal);
    tokio::time::sleep(minute).await;
    assert_eq!((first.count(), second.count()), (1, 0));
    first.now.begin();
    second.now.begin();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!((first.count(), second.count()), (2, 0), "at once, by the one that has the lease");
    tokio::time::sleep(HOUR - minute).await;
    assert_eq!(first.count(), 2, "the interval begins with it");
}

#[tokio::test(start_paused = true)]
async fn one_process_verifies_at_each_interval_and_another_one_when_it_is_gone() {
    let leases = FakeLeases::default();
    let first = Process::start(&leases, HOUR / 2, equal);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let second = Process::start(&leases, HOUR / 2, equal);
    tokio::time::sleep(5 * HOUR - Duration::from_secs(10)).await;
    assert_eq!((first.count(), second.count()), (5, 0));
    let begun = first.begun.lock().unwrap().clone();
    assert!(begun.windows(2).all(|pair| pair[1] - pair[0] == HOUR), "{begun:?}");
    assert_eq!(first.metric("pipeline_verify_interval_seconds"), "pipeline_verify_interval_seconds 3600");
    first.stop.cancel();
    tokio::time::sleep(2 * HOUR).await;
    assert!(second.count() >= 1);
}

#[tokio::test(start_paused = true)]
async fn a_verification_that_is_not_finished_is_tried_again_by_whoever_can() {
    let leases = FakeLeases::default();
    let broken = Process::start(&leases, Duration::from_secs(1), || anyhow::bail!("its folder is full"));
    tokio::time::sleep(Duration::from_secs(5)).await;
    let whole = Process::start(&leases, Duration::from_secs(1), equal);
    tokio::time::sleep(HOUR / 2).await;
    assert_eq!(whole.count(), 1);
    let tries = broken.count();
    tokio::time::sleep(HOUR / 4).await;
    assert_eq!(broken.count(), tries, "the other one has the lease now");
}

#[tokio::test(start_paused = true)]
async fn a_verification_that_takes_longer_than_the_interval_keeps_the_lease_and_one_that_loses_it_ends() {
    let leases = FakeLeases::default();
    let slow = Process::start(&leases, 10 * HOUR, equal);
    tokio::time::sleep(Duration::from_secs(1)).await;
    let other = Process::start(&leases, Duration::from_secs(1), equal);
    tokio::time::sleep(9 * HOUR).await;
    assert_eq!((slow.count(), other.count()), (1, 0));
    leases.steal();
    tokio::time::sleep(3 * HOUR).await;
    assert_eq!(slow.count(), 1, "it ended, and has no lease to begin again");
    assert_eq!(slow.metric("pipeline_verify_last_success"), "pipeline_verify_last_success_timestamp_seconds 0");
}

#[tokio::test(start_paused = true)]
async fn what_the_last_one_came_to_is_kept_for_the_heartbeat() {
    let verdict = async |finds: fn() -> anyhow::Result<Report>| {
        let process = Process::start(&FakeLeases::default(), Duration::from_secs(7), finds);
        assert_eq!(process.last.get(), None);
        tokio::time::sleep(Duration::from_secs(10)).await;
        process.stop.cancel();
        process.last.get()
    };
    let found = |untold| {
        let tables = [(Table::Users, TableReport { rows: 12 }), (Table::Orders, TableReport { rows: 3 })].into();
        Ok(Report { tables, positions: [(0, 20), (1, 21)].into(), untold, is_whole: true, ..Report::default() })
    };
    let equal = verdict(|| Ok(Report { is_whole: false, ..Report::default() })).await.unwrap();
    assert_eq!((&*equal.outcome, equal.differences, equal.whole_log, equal.reason), ("equal", 0, false, None));
    assert!(equal.ended_at.starts_with("20"), "{}", equal.ended_at);
    let process = Process::start(&FakeLeases::default(), Duration::ZERO, move || found(3));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let VerificationVerdict { outcome, differences, rows, offsets, whole_log, .. } = process.last.get().unwrap();
    assert_eq!((&*outcome, differences, rows, offsets, whole_log), ("different", 3, 15, 41, true));
    let unfinished = verdict(|| anyhow::bail!("its folder is full")).await.unwrap();
    assert_eq!((&*unfinished.outcome, unfinished.reason.as_deref()), ("unfinished", Some("its folder is full")));
    assert_eq!(verdict(|| Err(Unfinished::NoPositions.into())).await, None, "nothing was consumed yet");
}

#[test]
fn nothing_is_verified_unless_an_interval_is_set_and_a_short_one_is_refused() {
    let read = |pairs: &[(&str, &str)]| {
        let mut env = Reader::from_pairs(pairs.iter().copied());
        let config = ScheduleConfig::read(&mut env);
        env.finish().map(|_| config).map_err(|problems| problems.to_string())
    };
    assert!(read(&[]).unwrap().is_none());
    let config = read(&[("VERIFY_INTERVAL", "6h"), ("VERIFY_RATE", "100"), ("VERIFY_STATE", "/shadow")]).unwrap().unwrap();
    assert_eq!((config.interval, config.rate, config.state), (6 * HOUR, 100.0, Some(PathBuf::from("/shadow"))));
    assert!(read(&[("VERIFY_INTERVAL", "5s")]).unwrap_err().contains("VERIFY_INTERVAL"));
}
