//! A log and a dead letter queue in memory, which note everything that is asked of them.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pipeline::Header;
use pipeline::fault::{Dependency, Fault, FaultClass};
use pipeline::headers::RETRY_COUNT_HEADER;
use pipeline::offsets::{Commit, NextOffset};
use pipeline::ports::{
    Claim, ClaimQueue, DeadLetterReader, End, FloodPermits, GroupProgress, ListState, Lost, Permit, PollLimits, Skipped, Unstarted,
};
use pipeline::{DeadLetter, DeadLetterQueue, LogId, OffsetCommitter, PartitionState, Position, Record, RecordSource};
use tokio::time::Instant;
use uuid::Uuid;

/// A topic of one group with one member.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<LogState>>);

#[derive(Default)]
struct LogState {
    waiting: VecDeque<Record>,
    high: BTreeMap<i32, i64>,
    committed: BTreeMap<i32, i64>,
    commits: u32,
    stood_by: u32,
    away: u32,
    hangs: bool,
    polled: Option<Instant>,
    silence: Duration,
    /// Partitions of another member that is down: they are in the log, and nobody consumes them.
    abandoned: BTreeMap<i32, i64>,
    /// Which topic it is: another one with each recreation.
    topic_id: u128,
    /// Offsets below this are gone.
    first: i64,
    unstarted: Vec<Unstarted>,
    refuses_to_start: bool,
    starts: Vec<(i32, i64)>,
    reopened: u32,
    lost: Option<Lost>,
    skipped: Vec<Skipped>,
    passed: Commit,
}

impl LogState {
    fn poll(&mut self) {
        let now = Instant::now();
        self.silence = self.silence.max(now - self.polled.unwrap_or(now));
        self.polled = Some(now);
    }
}

impl Log {
    /// The same with a timestamp of the record's own, in milliseconds since 1970.
    pub fn append_stamped(&self, value: Vec<u8>, timestamp_ms: i64) -> Position {
        let position = self.append(0, Some(value));
        self.0.lock().unwrap().waiting.back_mut().unwrap().timestamp_ms = Some(timestamp_ms);
        position
    }

    /// The same as an operator sends it again, for the so-manieth time.
    pub fn append_redriven(&self, value: Vec<u8>, retry_count: u32) -> Position {
        self.append_with_headers(value, vec![Header::text(RETRY_COUNT_HEADER, retry_count.to_string())])
    }

    /// The same with headers.
    pub fn append_with_headers(&self, value: Vec<u8>, headers: Vec<Header>) -> Position {
        let position = self.append(0, Some(value));
        self.0.lock().unwrap().waiting.back_mut().unwrap().headers = headers;
        position
    }

    /// From now on, whoever pauses never comes back.
    pub fn hang(&self) {
        self.0.lock().unwrap().hangs = true;
    }

    /// The longest time between two polls.
    pub fn silence(&self) -> Duration {
        self.0.lock().unwrap().silence
    }

    /// Appends a record to a partition; `None` is a tombstone.
    pub fn append(&self, partition: i32, value: Option<Vec<u8>>) -> Position {
        let mut log = self.0.lock().unwrap();
        let next = log.high.entry(partition).or_default();
        let position = Position { topic: "events".into(), partition, offset: *next };
        *next += 1;
        let record = Record {
            position: position.clone(),
            assignment: 1,
            timestamp_ms: None,
            timestamp_type: None,
            key: None,
            value,
            headers: Vec::new(),
        };
        log.waiting.push_back(record);
        position
    }

    /// Records of a partition that another member owns and does not consume.
    pub fn abandon(&self, partition: i32, records: i64) {
        self.0.lock().unwrap().abandoned.insert(partition, records);
    }

    /// The other member is back and has consumed its partition.
    pub fn catch_up(&self, partition: i32) {
        let mut log = self.0.lock().unwrap();
        let high = log.abandoned[&partition];
        log.committed.insert(partition, high);
    }

    /// The next offset of a partition as committed.
    pub fn committed_offset(&self, partition: i32) -> Option<i64> {
        self.0.lock().unwrap().committed.get(&partition).copied()
    }

    /// How often offsets were committed.
    pub fn commits(&self) -> u32 {
        self.0.lock().unwrap().commits
    }

    /// The next takes fail, so many times.
    pub fn go_away(&self, takes: u32) {
        self.0.lock().unwrap().away = takes;
    }

    /// This partition comes to the consumer, under a new assignment.
    pub fn assign(&self, partition: i32, assignment: u64) {
        self.0.lock().unwrap().unstarted.push(Unstarted { partition, assignment });
    }

    /// The topic is deleted and created again: an empty log, and the group's offsets are gone.
    pub fn recreate(&self) {
        let mut log = self.0.lock().unwrap();
        log.topic_id += 1;
        log.waiting.clear();
        log.high.clear();
        log.committed.clear();
    }

    /// A partition loses what stands from this offset on.
    pub fn cut(&self, partition: i32, end: i64) {
        self.0.lock().unwrap().high.insert(partition, end);
    }

    /// The group's offset of a partition is moved.
    pub fn reset_offset(&self, partition: i32, offset: i64) {
        self.0.lock().unwrap().committed.insert(partition, offset);
    }

    /// Retention has deleted everything before this offset.
    pub fn delete_before(&self, first: i64) {
        self.0.lock().unwrap().first = first;
    }

    /// These offsets brought no record.
    pub fn skip(&self, skipped: Skipped) {
        self.0.lock().unwrap().skipped.push(skipped);
    }

    /// The client has passed a marker: the next offset of partition 0 is this one.
    pub fn pass(&self, offset: i64) {
        self.0.lock().unwrap().passed.add("events".into(), 0, NextOffset { offset, assignment: 1 });
    }

    /// The client is lost.
    pub fn lose(&self, lost: Lost) {
        self.0.lock().unwrap().lost = Some(lost);
    }

    /// The client owns its partitions and cannot begin with them, until another one takes its place.
    pub fn refuse_to_start(&self) {
        self.0.lock().unwrap().refuses_to_start = true;
    }

    /// Where partitions were told to begin.
    pub fn starts(&self) -> Vec<(i32, i64)> {
        self.0.lock().unwrap().starts.clone()
    }

    /// How often the consumer joined the group anew.
    pub fn reopened(&self) -> u32 {
        self.0.lock().unwrap().reopened
    }

    /// How often the consumer stood by, with its partitions paused.
    pub fn stood_by(&self) -> u32 {
        self.0.lock().unwrap().stood_by
    }
}

impl RecordSource for Log {
    async fn poll_batch(&mut self, limits: PollLimits, patience: Duration) -> Result<Vec<Record>, Fault> {
        self.0.lock().unwrap().poll();
        if self.0.lock().unwrap().waiting.is_empty() {
            tokio::time::sleep(patience).await;
        }
        let mut log = self.0.lock().unwrap();
        log.poll();
        if log.away > 0 {
            log.away -= 1;
            let class = FaultClass::Unavailable { timed_out: false };
            return Err(Fault { dependency: Dependency::Kafka, class, code: None, subject: "take" });
        }
        let count = log.waiting.len().min(limits.records);
        Ok(log.waiting.drain(..count).collect())
    }

    fn passed(&self) -> Commit {
        std::mem::take(&mut self.0.lock().unwrap().passed)
    }

    fn unstarted(&self) -> Vec<Unstarted> {
        self.0.lock().unwrap().unstarted.clone()
    }

    async fn start(&mut self, partition: Unstarted, offset: i64) -> Result<(), Fault> {
        let mut log = self.0.lock().unwrap();
        if log.refuses_to_start {
            let class = FaultClass::Unavailable { timed_out: false };
            return Err(Fault { dependency: Dependency::Kafka, class, code: Some(-172), subject: "start" });
        }
        log.unstarted.retain(|unstarted| *unstarted != partition);
        log.starts.push((partition.partition, offset));
        Ok(())
    }

    async fn reopen(&mut self) -> Result<(), Fault> {
        let mut log = self.0.lock().unwrap();
        (log.reopened, log.lost, log.refuses_to_start) = (log.reopened + 1, None, false);
        log.unstarted = vec![Unstarted { partition: 0, assignment: 1 }];
        Ok(())
    }

    fn lost(&self) -> Option<Lost> {
        self.0.lock().unwrap().lost
    }

    fn skipped(&mut self) -> Vec<Skipped> {
        std::mem::take(&mut self.0.lock().unwrap().skipped)
    }

    fn held_back(&self) -> BTreeMap<i32, u64> {
        BTreeMap::new()
    }

    async fn pause(&mut self, duration: Duration) {
        let hangs = {
            let mut log = self.0.lock().unwrap();
            log.stood_by += 1;
            log.poll();
            log.hangs
        };
        if hangs {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(duration).await;
        self.0.lock().unwrap().poll();
    }

    fn assigned(&self) -> BTreeSet<i32> {
        BTreeSet::from([0])
    }
}

impl OffsetCommitter for Log {
    async fn commit(&self, commit: &Commit) -> Result<usize, Fault> {
        let mut log = self.0.lock().unwrap();
        log.commits += 1;
        for (_, partition, next) in commit.iter() {
            log.committed.insert(partition, next.offset);
        }
        Ok(commit.iter().count())
    }
}

impl GroupProgress for Log {
    async fn log(&self) -> Result<pipeline::LogState, Fault> {
        let log = self.0.lock().unwrap();
        let state = |(partition, end): (&i32, &i64)| {
            (*partition, PartitionState { first: log.first, end: *end, committed: log.committed.get(partition).copied() })
        };
        let partitions = log.high.iter().chain(&log.abandoned).map(state).collect();
        Ok(pipeline::LogState { id: LogId(Uuid::from_u128(log.topic_id)), partitions })
    }
}

/// A dead letter queue that is away as often as it is told to be.
#[derive(Clone, Default)]
pub struct DeadLetters(Arc<Mutex<LettersState>>);

#[derive(Default)]
struct LettersState {
    entries: Vec<DeadLetter>,
    seen: HashSet<String>,
    away: u32,
    lose_reply: bool,
    permit: Option<Permit>,
    moves: u64,
}

impl DeadLetters {
    /// The next pushes fail, so many times.
    pub fn go_away(&self, pushes: u32) {
        self.0.lock().unwrap().away = pushes;
    }

    /// The next push is made, and its reply lost.
    pub fn lose_next_reply(&self) {
        self.0.lock().unwrap().lose_reply = true;
    }

    /// Takes everything out.
    pub fn clear(&self) {
        let mut state = self.0.lock().unwrap();
        state.entries.clear();
        state.moves += 1;
    }

    /// What was pushed, oldest first.
    pub fn entries(&self) -> Vec<DeadLetter> {
        self.0.lock().unwrap().entries.clone()
    }

    /// The reasons, oldest first.
    pub fn reasons(&self) -> Vec<&'static str> {
        self.entries().iter().map(|dead_letter| dead_letter.reason).collect()
    }
}

impl DeadLetterQueue for DeadLetters {
    async fn push(&self, dead_letters: &[DeadLetter]) -> Result<usize, Fault> {
        let mut state = self.0.lock().unwrap();
        let fault = Fault {
            dependency: Dependency::DeadLetterQueue,
            class: FaultClass::Unavailable { timed_out: false },
            code: None,
            subject: "push",
        };
        if state.away > 0 {
            state.away -= 1;
            return Err(fault);
        }
        let new: Vec<_> = dead_letters.iter().filter(|dead_letter| !state.seen.contains(&dead_letter.identity)).cloned().collect();
        state.seen.extend(new.iter().map(|dead_letter| dead_letter.identity.clone()));
        let count = new.len();
        state.entries.extend(new);
        if std::mem::take(&mut state.lose_reply) { Err(fault) } else { Ok(count) }
    }

    async fn known(&self, dead_letters: &[DeadLetter]) -> Result<Vec<bool>, Fault> {
        let state = self.0.lock().unwrap();
        Ok(dead_letters.iter().map(|dead_letter| state.seen.contains(&dead_letter.identity)).collect())
    }
}

impl FloodPermits for DeadLetters {
    async fn spend(&self, records: u64) -> Result<u64, Fault> {
        match &mut self.0.lock().unwrap().permit {
            None | Some(Permit::Nothing) => Ok(0),
            Some(Permit::Records(left)) => {
                let granted = records.min(*left);
                *left -= granted;
                Ok(granted)
            }
            Some(Permit::Everything) => Ok(records),
        }
    }

    async fn permit(&self, permit: Permit) -> Result<(), Fault> {
        self.0.lock().unwrap().permit = Some(permit);
        Ok(())
    }
}

/// Claims are tried on real queues; here only what is overdue counts.
impl ClaimQueue for DeadLetters {
    async fn claim(&self, _: &[String], _: Duration) -> Result<Vec<Option<Claim>>, Fault> {
        unreachable!("a consumer claims nothing")
    }

    async fn settle(&self, _: &[Claim]) -> Result<usize, Fault> {
        unreachable!("a consumer claims nothing")
    }

    async fn give_back(&self, _: &[Claim]) -> Result<usize, Fault> {
        unreachable!("a consumer claims nothing")
    }

    async fn give_back_overdue(&self) -> Result<usize, Fault> {
        Ok(0)
    }
}

impl DeadLetterReader for DeadLetters {
    async fn list_state(&self) -> Result<ListState, Fault> {
        let state = self.0.lock().unwrap();
        Ok(ListState { depth: state.entries.len() as u64, moves: state.moves })
    }

    async fn depth(&self) -> Result<u64, Fault> {
        Ok(self.0.lock().unwrap().entries.len() as u64)
    }

    async fn claimed(&self) -> Result<u64, Fault> {
        Ok(0)
    }

    async fn reasons(&self) -> Result<BTreeMap<String, u64>, Fault> {
        let mut reasons = BTreeMap::new();
        for dead_letter in &self.0.lock().unwrap().entries {
            *reasons.entry(dead_letter.reason.to_owned()).or_default() += 1;
        }
        Ok(reasons)
    }

    async fn page(&self, end: End, start: u64, limit: u64) -> Result<Vec<String>, Fault> {
        let mut entries: Vec<_> = self.0.lock().unwrap().entries.iter().map(|dead_letter| dead_letter.json.clone()).collect();
        if end == End::Newest {
            entries.reverse();
        }
        Ok(entries.into_iter().skip(start as usize).take(limit as usize).collect())
    }
}
