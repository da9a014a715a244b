//! What is consumed and where it is sent: the log, the group's offsets, the publisher.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::time::Duration;

use events::Timestamp;

use crate::fault::Fault;
use crate::headers::Header;
use crate::log::{GroupMember, LogState};
use crate::offsets::Commit;
use crate::record::Record;

/// The time of day.
pub trait Clock: Send + Sync {
    /// This instant.
    fn now(&self) -> Timestamp;
}

/// How much one poll may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PollLimits {
    /// Records.
    pub records: usize,
    /// Bytes of keys and values. A single larger record is taken alone.
    pub bytes: usize,
}

/// A partition that came to this member and of which nothing is taken until somebody has decided where it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unstarted {
    /// The partition.
    pub partition: i32,
    /// The assignment under which it came; see [`Record::assignment`].
    pub assignment: u64,
}

/// Offsets of a partition that no record came for: markers of transactions, aborted records, compacted ones, or lost to retention.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// The partition.
    pub partition: i32,
    /// The first offset that did not come.
    pub from: i64,
    /// The offset that came instead.
    pub to: i64,
}

/// Where records come from.
pub trait RecordSource: Send {
    /// Takes what is there already, up to the limits; where nothing is there, waits up to `patience` for the first record. Returns nothing
    /// when none came, or when the future was dropped: a record is either returned or kept for the next poll, never lost.
    ///
    /// Resumes what [`RecordSource::pause`] had paused. From this call on, what was taken before counts as finished: partitions move in
    /// calls of this trait, never between them, whatever is received ahead.
    ///
    /// # Errors
    /// The broker is away; the caller may simply take again.
    fn poll_batch(&mut self, limits: PollLimits, patience: Duration) -> impl Future<Output = Result<Vec<Record>, Fault>> + Send;

    /// What may be committed once everything that was taken so far is finished: each partition of the last poll, and each that has passed
    /// offsets since then which hold no record (markers of transactions, aborted records). Nothing where nothing was passed.
    fn passed(&self) -> Commit;

    /// The partitions that wait to be started.
    fn unstarted(&self) -> Vec<Unstarted>;

    /// Lets a partition begin at this offset. It has no effect on a partition that is not owned under that assignment any more.
    ///
    /// # Errors
    /// The client is not ready for it yet, or the broker is away; the caller pauses and tries again.
    fn start(&mut self, partition: Unstarted, offset: i64) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Leaves the group and joins it anew, with nothing remembered of the log: for a log that is another one now, and for a client that
    /// is lost. What was received and not taken is still taken, and not committed.
    ///
    /// # Errors
    /// No client can be made; the caller tries again.
    fn reopen(&mut self) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Why only [`RecordSource::reopen`] helps, where that is so: a fatal error of the client, or offsets that went back.
    fn lost(&self) -> Option<Lost>;

    /// What was skipped since the last call.
    fn skipped(&mut self) -> Vec<Skipped>;

    /// For each partition that this member owns, how many records stand behind the first open transaction, where that is known: they are
    /// not delivered before it ends.
    fn held_back(&self) -> BTreeMap<i32, u64>;

    /// Keeps the membership of the group alive for this long while the caller can process nothing: partitions are paused (also newly
    /// assigned ones), polling goes on, and what arrives all the same is kept for the next poll.
    fn pause(&mut self, duration: Duration) -> impl Future<Output = ()> + Send;

    /// The partitions that this member owns now.
    fn assigned(&self) -> BTreeSet<i32>;
}

/// Why a source has to begin anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// The client reported a fatal error and will never work again.
    Client,
    /// A partition delivered an offset that had been delivered before: the log was cut or made anew.
    Log,
}

/// Where finished offsets are noted.
pub trait OffsetCommitter: Send + Sync {
    /// Commits, for each partition that is still owned under the same assignment, the next offset to read. Returns for how many partitions
    /// that was done: none where nothing was left to commit.
    ///
    /// # Errors
    /// The broker is away or the group is rebalancing. Harmless: a later commit covers it, or the records come again and change nothing.
    fn commit(&self, commit: &Commit) -> impl Future<Output = Result<usize, Fault>> + Send;
}

/// A log that is read from outside of any group, up to given offsets. Clones share one reader; nothing is committed.
pub trait LogReader: RecordSource + Clone + Sync + 'static {
    /// From now on, each of these partitions is read up to its offset, which is not read itself. A partition waits to be started until
    /// somebody has said where it begins.
    fn read_to(&self, ends: &BTreeMap<i32, i64>);

    /// Whether everything up to these offsets was returned by a poll, or passed where it holds no record.
    fn is_read(&self) -> bool;

    /// Another reader of the same log.
    ///
    /// # Errors
    /// The client cannot be made.
    fn another(&self) -> Result<Self, Fault>;
}

/// Which log it is, how far it reaches, and how far the whole group has come.
pub trait GroupProgress: Send + Sync {
    /// The log and the group as they are now. Where the topic is created anew during this call, the answer may mix the two logs; the next
    /// one does not.
    ///
    /// # Errors
    /// The broker is away, or the topic is not there.
    fn log(&self) -> impl Future<Output = Result<LogState, Fault>> + Send;

    /// Who is in the group; `None` where the brokers do not tell.
    ///
    /// # Errors
    /// See [`GroupProgress::log`].
    fn members(&self) -> impl Future<Output = Result<Option<Vec<GroupMember>>, Fault>> + Send {
        async { Ok(None) }
    }

    /// Topics that may have been meant where this one is missing, the likeliest first.
    ///
    /// # Errors
    /// The broker is away.
    fn similar_topics(&self) -> impl Future<Output = Result<Vec<String>, Fault>> + Send {
        async { Ok(Vec::new()) }
    }

    /// For each partition of the topic, whoever owns it: the offset after its last record.
    ///
    /// # Errors
    /// See [`GroupProgress::log`].
    fn high_watermarks(&self) -> impl Future<Output = Result<BTreeMap<i32, i64>, Fault>> + Send {
        async { Ok(self.log().await?.ends()) }
    }

    /// For each partition of the topic, whoever owns it: the next offset that the group will read.
    ///
    /// # Errors
    /// See [`GroupProgress::log`].
    fn committed(&self) -> impl Future<Output = Result<BTreeMap<i32, i64>, Fault>> + Send {
        async { Ok(self.log().await?.next()) }
    }
}

/// Moving the offsets of the whole group, while nobody is in it.
pub trait GroupOffsets: GroupProgress {
    /// For each partition of the topic, the first offset whose record is not older than this, in milliseconds since 1970, by the record's own time;
    /// the partition's end where all are older.
    ///
    /// # Errors
    /// See [`GroupProgress::log`].
    fn offsets_at(&self, at_ms: i64) -> impl Future<Output = Result<BTreeMap<i32, i64>, Fault>> + Send;

    /// Commits these offsets for the group, in the place of what it has committed. Partitions that are not named keep theirs.
    ///
    /// # Errors
    /// See [`GroupProgress::log`]. Kafka refuses while the group has members: nothing was moved then.
    fn reset(&self, offsets: &BTreeMap<i32, i64>) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// A message to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The key, by whose hash the partition is chosen.
    pub key: Option<Vec<u8>>,
    /// The value; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// Headers, in order.
    pub headers: Vec<Header>,
}

/// Where the broker put a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivered {
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
}

/// Sends messages to a topic.
pub trait Publisher: Send + Sync {
    /// Sends one message and waits until all in-sync replicas have it.
    ///
    /// # Errors
    /// It was not delivered within the delivery timeout, or never can be (too large).
    fn publish(&self, topic: &str, message: Message) -> impl Future<Output = Result<Delivered, Fault>> + Send;
}
