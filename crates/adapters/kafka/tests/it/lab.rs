//! A topic, a group and clients of their own for each test.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::io::Write;
use std::time::Duration;

use kafka::{EmbeddedBroker, KafkaCommitter, KafkaConfig, KafkaProgress, KafkaPublisher, KafkaSource};
use pipeline::offsets::Commit;
use pipeline::ports::{Delivered, GroupProgress as _, Message, PollLimits};
use pipeline::{OffsetCommitter as _, Publisher as _, Record, RecordSource as _};
use tokio::time::{Instant, timeout};

/// How long a test waits for anything.
pub const BOUND: Duration = Duration::from_secs(60);
/// One turn of a loop that waits for a condition.
pub const TURN: Duration = Duration::from_millis(50);
pub const PLENTY: PollLimits = PollLimits { records: 10_000, bytes: 64 << 20 };

pub struct Lab {
    pub config: KafkaConfig,
    pub publisher: KafkaPublisher,
    pub progress: KafkaProgress,
}

impl Lab {
    /// On a broker of its own inside this process.
    pub fn embedded(partitions: u16) -> Self {
        let broker = EmbeddedBroker::start("events", partitions).unwrap();
        Self::new(KafkaConfig::embedded(&broker))
    }

    /// On the Kafka that `KAFKA_BROKERS` names, with a new topic and group.
    pub async fn real(partitions: u16) -> Option<Self> {
        let mut env = settings::Reader::from_environment().unwrap();
        if !env.is_set("KAFKA_BROKERS") {
            let name = std::thread::current().name().unwrap_or_default().to_owned();
            // Not `eprintln`: the harness would swallow it.
            let mut stderr = std::io::stderr();
            writeln!(stderr, "NOT RUN: {name} needs a real Kafka; set KAFKA_BROKERS").unwrap();
            return None;
        }
        let mut config = KafkaConfig::read(&mut env);
        env.finish().unwrap();
        config.topic = format!("test-{}", uuid::Uuid::new_v4());
        config.group = config.topic.clone();
        assert_eq!(kafka::ensure_topic(&config, partitions, 1, BOUND).await, Ok(usize::from(partitions)));
        Some(Self::new(config))
    }

    pub fn new(config: KafkaConfig) -> Self {
        let (publisher, progress) = (KafkaPublisher::open(&config).unwrap(), KafkaProgress::open(&config).unwrap());
        Self { config, publisher, progress }
    }

    pub fn broker(&self) -> &EmbeddedBroker {
        let kafka::Flavor::Embedded(broker) = &self.config.flavor else { panic!("not embedded") };
        broker
    }

    pub fn consumer(&self) -> Consumer {
        let (source, committer) = kafka::open(&self.config).unwrap();
        Consumer { source, committer, progress: self.progress.clone(), deadline: Instant::now() + 2 * BOUND, early: Vec::new() }
    }

    pub async fn publish(&self, key: &str, value: &str) -> Delivered {
        self.send(message(key, value.as_bytes())).await
    }

    pub async fn send(&self, message: Message) -> Delivered {
        within(self.publisher.publish(&self.config.topic, message)).await.unwrap()
    }

    /// Publishes values `from..to` under their own number as key, all at once.
    pub async fn publish_numbers(&self, from: u32, to: u32) {
        let mut under_way = tokio::task::JoinSet::new();
        for number in from..to {
            let (publisher, topic) = (self.publisher.clone(), self.config.topic.clone());
            let text = number.to_string();
            under_way.spawn(async move { publisher.publish(&topic, message(&text, text.as_bytes())).await });
        }
        assert!(within(under_way.join_all()).await.iter().all(Result::is_ok));
    }

    pub async fn committed(&self) -> BTreeMap<i32, i64> {
        within(self.progress.committed()).await.unwrap()
    }
}

pub struct Consumer {
    pub source: KafkaSource,
    pub committer: KafkaCommitter,
    pub progress: KafkaProgress,
    /// By when a test has what it waits for, so that none of its loops is endless.
    pub deadline: Instant,
    /// What came while the partitions did.
    pub early: Vec<Record>,
}

impl Consumer {
    /// What one poll gives; an outage gives nothing.
    pub async fn turn(&mut self) -> Vec<Record> {
        assert!(Instant::now() < self.deadline, "what the test waits for did not come; owned: {:?}", self.source.assigned());
        self.start().await;
        let mut records = std::mem::take(&mut self.early);
        records.extend(within(self.source.poll_batch(PLENTY, TURN)).await.unwrap_or_default());
        records
    }

    /// What one poll gives, where everything that has come begins at this offset, whatever the group has committed.
    pub async fn turn_from(&mut self, offset: i64) -> Vec<Record> {
        assert!(Instant::now() < self.deadline, "what the test waits for did not come; owned: {:?}", self.source.assigned());
        for unstarted in self.source.unstarted() {
            if within(self.source.start(unstarted, offset)).await.is_err() {
                self.source.pause(TURN).await;
            }
        }
        within(self.source.poll_batch(PLENTY, TURN)).await.unwrap_or_default()
    }

    /// One take within these limits, which finds something.
    pub async fn take(&mut self, limits: PollLimits) -> Vec<Record> {
        loop {
            assert!(Instant::now() < self.deadline, "nothing came; owned: {:?}", self.source.assigned());
            self.start().await;
            let taken = within(self.source.poll_batch(limits, TURN)).await.unwrap();
            if !taken.is_empty() {
                return taken;
            }
        }
    }

    /// Lets what has come begin where the group left off, as far as Kafka can be asked.
    pub async fn start(&mut self) {
        if self.source.unstarted().is_empty() {
            return;
        }
        let Ok(next) = within(self.progress.committed()).await else { return };
        for unstarted in self.source.unstarted() {
            if within(self.source.start(unstarted, next[&unstarted.partition])).await.is_err() {
                self.source.pause(TURN).await;
            }
        }
    }

    /// Takes until there are so many records, and then once more: none may follow.
    pub async fn take_exactly(&mut self, count: usize) -> Vec<Record> {
        let mut records = Vec::new();
        while records.len() < count {
            records.extend(self.turn().await);
        }
        records.extend(self.source.poll_batch(PLENTY, Duration::from_millis(300)).await.unwrap());
        assert_eq!(records.len(), count, "more came than were sent");
        records
    }

    pub async fn commit(&self, records: &[Record]) {
        within(self.committer.commit(&Commit::covering(records))).await.unwrap();
    }

    /// Polls until the source owns so many partitions. What comes meanwhile is given by the next turn.
    pub async fn join(&mut self, partitions: usize) {
        let mut records = Vec::new();
        while self.source.assigned().len() != partitions || !self.source.unstarted().is_empty() {
            records.extend(self.turn().await);
        }
        self.early = records;
    }

    pub async fn close(self) {
        self.source.close(BOUND).await.unwrap();
    }
}

pub fn message(key: &str, value: &[u8]) -> Message {
    Message { key: Some(key.into()), value: Some(value.into()), headers: Vec::new() }
}

pub async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(BOUND, future).await.expect("took too long")
}

/// The values as numbers; each must be there once.
pub fn numbers(records: &[Record]) -> BTreeSet<u32> {
    let numbers: BTreeSet<u32> = records.iter().map(number).collect();
    assert_eq!(numbers.len(), records.len(), "a record came twice");
    numbers
}

pub fn number(record: &Record) -> u32 {
    std::str::from_utf8(record.value.as_deref().unwrap()).unwrap().parse().unwrap()
}

/// Offsets grow within each partition.
pub fn assert_in_order(records: &[Record]) {
    let mut last = BTreeMap::new();
    for record in records {
        let before = last.insert(record.position.partition, record.position.offset);
        assert!(before < Some(record.position.offset), "{:?} came after {before:?}", record.position);
    }
}

/// Bytes that do not compress.
pub fn noise(bytes: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    std::iter::repeat_with(next).take(bytes).collect()
}

thread_local! {
    static LOGGED: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// What is logged on this test's thread, which is the one that polls. One subscriber for all tests: with one to each, a thread without any
/// could switch a line off for all.
pub struct Log;

impl Log {
    pub fn start() -> Self {
        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(|| {
            let subscriber = tracing_subscriber::fmt().with_writer(|| Log).with_ansi(false).finish();
            tracing::subscriber::set_global_default(subscriber).unwrap();
        });
        LOGGED.set(Some(Vec::new()));
        Self
    }

    pub fn text(&self) -> String {
        String::from_utf8(LOGGED.with_borrow(|logged| logged.clone().unwrap_or_default())).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LOGGED.with_borrow_mut(|logged| logged.iter_mut().for_each(|logged| logged.extend(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
