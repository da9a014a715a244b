//! How long it takes to prove that the tables are what the log says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use consumer::ConsumerConfig;
use consumer::verify::{FoldSettings, Report, Settings, ShadowFold, Verification, schedule, verify};
use pipeline::fault::Fault;
use pipeline::offsets::{Commit, NextOffset};
use pipeline::ports::{GroupProgress, LogReader, Lost, PollLimits, Skipped, Unstarted};
use pipeline::{LogId, LogState, PartitionState, Record, RecordSource};
use producer::generate::{Generator, GeneratorConfig};
use sqlite::Sqlite;
use telemetry::{Metrics, Part};
use tokio_util::sync::CancellationToken;

use crate::memory::resident;
use crate::place::{Opened, Place, Queue, Tables};
use crate::running::Running;
use crate::source::{MemoryOffsets, record};
use crate::stage::{OpenedAt, Stage, consumer};
use crate::statistics::Samples;
use crate::workload::insert_only;

/// Events that come between two verifications with one shadow.
const NEW: u64 = 1000;
/// How often the process is looked at.
const INTERVAL: Duration = Duration::from_millis(20);
const ASSIGNMENT: u64 = 1;
const TOPIC: &str = "events";

/// How long each step took, in seconds, and how much memory.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    /// Records of the log.
    pub records: u64,
    /// A consumer writes them into empty tables.
    pub first_pass: Samples,
    /// The log is read into a shadow that is kept, and every row is compared.
    pub whole: Samples,
    /// Every row is compared with that shadow once more.
    pub compare: Samples,
    /// A thousand events more, and what they changed is compared.
    pub changed: Samples,
    /// A thousand events more, and every row is compared.
    pub again: Samples,
    /// A consumer writes as many records into empty tables while others are verified at the usual rate.
    pub beside: Samples,
    /// The most bytes that a verification took beside what was there before; 0 where the system does not tell.
    pub most: u64,
}

/// A log that is made again from its seed whenever it is read.
#[derive(Clone)]
struct SeededLog {
    events: GeneratorConfig,
    end: Arc<Mutex<i64>>,
}

impl SeededLog {
    fn new(records: u64, seed: u64) -> Self {
        Self { events: insert_only(records + 2 * NEW, seed), end: Arc::new(Mutex::new(records.cast_signed())) }
    }

    /// Its records from this offset on, those that have not come yet among them.
    fn from(&self, offset: i64) -> impl Iterator<Item = Record> + Send + Sync + use<> {
        let messages = Generator::new(self.events.clone()).map(|event| producer::message::of_event(&event));
        (0..).zip(messages).map(|(offset, message)| record(offset, message)).skip(usize::try_from(offset).unwrap_or_default())
    }

    fn end(&self) -> MutexGuard<'_, i64> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GroupProgress for SeededLog {
    async fn log(&self) -> Result<LogState, Fault> {
        Ok(LogState { id: LogId::UNKNOWN, partitions: [(0, PartitionState { first: 0, end: *self.end(), committed: None })].into() })
    }
}

/// A reader of it from outside of the group.
#[derive(Clone)]
struct SeededReader {
    log: SeededLog,
    reading: Arc<Mutex<Reading>>,
}

#[derive(Default)]
struct Reading {
    records: Option<Box<dyn Iterator<Item = Record> + Send + Sync>>,
    next: i64,
    end: i64,
}

impl SeededReader {
    fn of(log: &SeededLog) -> Self {
        Self { log: log.clone(), reading: Arc::default() }
    }

    fn reading(&self) -> MutexGuard<'_, Reading> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RecordSource for SeededReader {
    async fn poll_batch(&mut self, limits: PollLimits, _: Duration) -> Result<Vec<Record>, Fault> {
        let mut guard = self.reading();
        let Reading { records, next, end } = &mut *guard;
        let (mut taken, mut bytes) = (Vec::with_capacity(limits.records), 0);
        while let Some(records) = records.as_mut().filter(|_| taken.len() < limits.records && bytes < limits.bytes && *next < *end) {
            let Some(record) = records.next() else { break };
            *next += 1;
            bytes += record.size();
            taken.push(record);
        }
        Ok(taken)
    }

    fn passed(&self) -> Commit {
        let mut passed = Commit::default();
        passed.add(TOPIC.into(), 0, NextOffset { offset: self.reading().next, assignment: ASSIGNMENT });
        passed
    }

    fn unstarted(&self) -> Vec<Unstarted> {
        let is_started = self.reading().records.is_some();
        if is_started { Vec::new() } else { vec![Unstarted { partition: 0, assignment: ASSIGNMENT }] }
    }

    async fn start(&mut self, _: Unstarted, offset: i64) -> Result<(), Fault> {
        let mut reading = self.reading();
        reading.records = Some(Box::new(self.log.from(offset)));
        reading.next = offset;
        Ok(())
    }

    async fn reopen(&mut self) -> Result<(), Fault> {
        Ok(())
    }

    fn lost(&self) -> Option<Lost> {
        None
    }

    fn skipped(&mut self) -> Vec<Skipped> {
        Vec::new()
    }

    fn held_back(&self) -> BTreeMap<i32, u64> {
        BTreeMap::new()
    }

    async fn pause(&mut self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    fn assigned(&self) -> BTreeSet<i32> {
        BTreeSet::from([0])
    }
}

impl LogReader for SeededReader {
    fn read_to(&self, ends: &BTreeMap<i32, i64>) {
        self.reading().end = ends.get(&0).copied().unwrap_or_default();
    }

    fn is_read(&self) -> bool {
        let reading = self.reading();
        reading.next >= reading.end
    }

    fn another(&self) -> Result<Self, Fault> {
        Ok(Self::of(&self.log))
    }
}

type Fold = ShadowFold<SeededReader, SeededLog, Sqlite>;

impl<P: Place> Stage<'_, P> {
    /// Writes a long backlog, verifies it, and so on.
    ///
    /// # Errors
    /// A part fails, or the tables are not what the log says.
    pub async fn verified(&self) -> anyhow::Result<Verified> {
        let records = self.scale.backlog;
        let mut verified = Verified { records, ..Verified::default() };
        for run in 0..self.scale.verify_runs {
            let log = SeededLog::new(records, self.options.seed + u64::from(run));
            let opened = self.place.open().await?;
            verified.first_pass.add(self.consume(&opened, &log, records).await?);
            let folder = tempfile::tempdir_in(self.options.folder.as_deref().unwrap_or(&std::env::temp_dir()))?;
            let mut fold = fold(&log, Sqlite::open_remakeable(&folder.path().join("shadow.db"))?, None).await?;
            let before = resident().unwrap_or_default();
            let mut most = before;
            {
                let mut timed = std::pin::pin!(timed(&opened, &mut fold, None, false));
                let took = loop {
                    tokio::select! {
                        took = &mut timed => break took?,
                        () = tokio::time::sleep(INTERVAL) => most = most.max(resident().unwrap_or_default()),
                    }
                };
                verified.whole.add(took);
            }
            verified.most = verified.most.max(most - before);
            verified.compare.add(timed(&opened, &mut fold, None, false).await?);
            *log.end() += NEW.cast_signed();
            self.consume(&opened, &log, NEW).await?;
            verified.changed.add(timed(&opened, &mut fold, None, true).await?);
            *log.end() += NEW.cast_signed();
            self.consume(&opened, &log, NEW).await?;
            verified.again.add(timed(&opened, &mut fold, None, false).await?);
            drop(fold);
            verified.beside.add(self.consume_beside(&opened, &log).await?);
        }
        Ok(verified)
    }

    /// Consumes what is new in the log, so many records; how many seconds that took.
    async fn consume(&self, opened: &OpenedAt<P>, log: &SeededLog, records: u64) -> anyhow::Result<f64> {
        let source = SeededReader::of(log);
        source.read_to(&[(0, *log.end())].into());
        let log = (source, MemoryOffsets::default(), log.clone());
        let mut running = Running::start(log, &opened.tables, &opened.dead_letters, consumer(self.batch()))?;
        let took = running.until(records).await?;
        running.stop().await?;
        Ok(took.as_secs_f64())
    }

    /// Consumes the log into other tables while these are verified again and again.
    async fn consume_beside(&self, verified: &OpenedAt<P>, log: &SeededLog) -> anyhow::Result<f64> {
        let (rate, others, ended) = (Some(schedule::RATE), self.place.open().await?, CancellationToken::new());
        let verifying = async {
            while !ended.is_cancelled() {
                let mut fold = fold(log, Sqlite::temporary()?, rate).await?;
                tokio::select! {
                    took = timed(verified, &mut fold, rate, false) => drop(took?),
                    () = ended.cancelled() => {}
                }
            }
            anyhow::Ok(())
        };
        let consuming = async {
            let took = self.consume(&others, log, self.scale.backlog + 2 * NEW).await;
            ended.cancel();
            took
        };
        let (took, verified) = tokio::join!(consuming, verifying);
        verified?;
        took
    }
}

async fn fold(log: &SeededLog, shadow: Sqlite, rate: Option<f64>) -> anyhow::Result<Fold> {
    shadow.drop_read_indexes().await?;
    let settings = FoldSettings { consumer: ConsumerConfig::default(), was_whole: true, rate };
    let metrics = Metrics::new(&[Part::Consumer])?;
    let reader = (SeededReader::of(log), log.clone());
    ShadowFold::open(reader, shadow, TOPIC.into(), settings, metrics, CancellationToken::new()).await.context("the shadow cannot be opened")
}

/// Verifies, and says how many seconds that took.
async fn timed<T, Q>(opened: &Opened<T, Q>, fold: &mut Fold, rate: Option<f64>, changed_only: bool) -> anyhow::Result<f64>
where
    T: Tables,
    Q: Queue,
{
    let began = Instant::now();
    let settings = Settings { rate, patience: Duration::from_secs(5), values: false, dead_letters: false, changed_only };
    let verification = Verification {
        tables: &opened.tables,
        dead_letters: &opened.dead_letters,
        fold,
        topic: TOPIC.into(),
        log: LogId::UNKNOWN,
        settings,
        stop: CancellationToken::new(),
        on_progress: &|_, _, _| {},
    };
    let report: Report = verify(verification).await?;
    ensure!(report.is_equal(), "the tables are not what the log says: {report}");
    Ok(began.elapsed().as_secs_f64())
}
