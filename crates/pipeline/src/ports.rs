//! The traits that adapters implement: small, asynchronous, generic.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::time::Duration;

use events::Timestamp;
use uuid::Uuid;

use crate::audit::{AuditEntry, AuditRecord, AuditTail};
use crate::batch::Batch;
use crate::dead_letter::DeadLetter;
use crate::fault::Fault;
use crate::headers::Header;
use crate::heartbeat::{Heartbeat, SeenConsumer};
use crate::ledger::{Compaction, CompactionStep, Cutoff, Foldable, LedgerState, OpeningBalance};
use crate::log::{GroupMember, LogPosition, LogState};
use crate::offsets::Commit;
use crate::outcome::Applied;
use crate::parking::{Awaited, Parents, ParkedEvent, ParkedKey};
use crate::record::Record;
use crate::redrive_job::{JobChange, JobCounts, JobLetter, JobPlan, RedriveJob};
use crate::rows::{Table, TableRow, WrongStock};
use crate::trace::{Entity, History, Subject, Trace};

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

/// The tables.
pub trait EventStore: Send + Sync {
    /// Writes a batch in one transaction and says how each event ended. On an error nothing of the batch is in the tables, or, where the
    /// connection broke at the last moment, all of it; the same batch may be applied again in either case.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn apply(&self, batch: Batch<'_>) -> impl Future<Output = Result<Applied, Fault>> + Send;
}

/// How far the tables hold the log. Positions never go back within one log, and those of one log do not touch those of another.
pub trait LogPositions: Send + Sync {
    /// The positions of every log that a topic of this name ever had, in any order.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn positions(&self, topic: &str) -> impl Future<Output = Result<Vec<LogPosition>, Fault>> + Send;

    /// Moves positions forward, and begins those that are new; one that is further already stays. Each partition of a log comes once.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn advance(&self, positions: &[LogPosition]) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// Asking the tables what they would do.
pub trait DryRun: Send + Sync {
    /// Does everything that [`EventStore::apply`] does with this batch, in the same statement, and rolls it back: says how each event would end.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`]; a fault that the data causes is found as [`EventStore::apply`] finds it.
    fn dry_run(&self, batch: Batch<'_>) -> impl Future<Output = Result<Applied, Fault>> + Send;
}

/// What the tables know of one event, and of what events are about.
pub trait EventTrace: Send + Sync {
    /// Looks for an event wherever it may have left something, and, where an entity is given, which event its row shows.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn trace(&self, event_id: Uuid, entity: Option<Entity>) -> impl Future<Output = Result<Trace, Fault>> + Send;

    /// What is known of a user, an order, a payment or an article: [`HISTORY_ROWS`](crate::trace::HISTORY_ROWS) of each kind at most.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn history(&self, subject: &Subject) -> impl Future<Output = Result<History, Fault>> + Send;
}

/// Reading the tables row by row, to compare them with those of another store.
pub trait TableRows: Send + Sync {
    /// How many rows a table has.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn count(&self, table: Table) -> impl Future<Output = Result<u64, Fault>> + Send;

    /// Up to `limit` rows after this key, in the order that the store itself gives to keys.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn rows_after(&self, table: Table, after: Option<Uuid>, limit: usize) -> impl Future<Output = Result<Vec<TableRow>, Fault>> + Send;

    /// The rows that have these keys, in any order.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn rows(&self, table: Table, keys: &[Uuid]) -> impl Future<Output = Result<Vec<TableRow>, Fault>> + Send;

    /// Up to `limit` articles whose quantity is not the sum of their ledger, by their names.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn wrong_stock(&self, limit: usize) -> impl Future<Output = Result<Vec<WrongStock>, Fault>> + Send;

    /// How far the ledger is compacted. The rows of [`Table::Adjustments`] are without the lines that were folded, and without opening balances.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn ledger_state(&self) -> impl Future<Output = Result<LedgerState, Fault>> + Send;

    /// Up to `limit` opening balances after this article, in the order that the store itself gives to articles.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn opening_balances(&self, after: Option<&str>, limit: usize) -> impl Future<Output = Result<Vec<OpeningBalance>, Fault>> + Send;

    /// Up to `limit` events that wait, in the order of their places in the log, those that are about to expire among them.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn waiting_page(&self, after: Option<ParkedKey<'_>>, limit: usize) -> impl Future<Output = Result<Vec<ParkedEvent>, Fault>> + Send;

    /// Which of these events wait, by their ids.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn waiting(&self, event_ids: &[Uuid]) -> impl Future<Output = Result<Vec<ParkedEvent>, Fault>> + Send;
}

/// Folding old lines of the ledger into opening balances, in transactions of a bounded size; see [`crate::ledger`].
pub trait LedgerCompaction: TableRows {
    /// What a compaction would fold now. Looks at every line.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn foldable(&self, cutoff: Cutoff) -> impl Future<Output = Result<Foldable, Fault>> + Send;

    /// Begins a compaction: when this returns, every batch that is written later, and every one whose outcome is not decided yet, counts an adjustment
    /// of an event before [`Cutoff::events_before`] only if the ledger holds its line. Nothing is folded yet. Where one is under way already, with
    /// whatever cutoff, none is begun, and that one is returned.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn begin_compaction(&self, cutoff: Cutoff) -> impl Future<Output = Result<Compaction, Fault>> + Send;

    /// Goes on with a compaction: looks at up to `lines` lines more (two at least), folds those that are to be folded, and notes how far it has come,
    /// in one transaction. Whoever goes on with it later goes on from there. One that has ended changes nothing.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`]. Where the connection broke at the last moment, it may have been done; going on is safe in either case.
    fn compact(&self, number: i64, lines: usize) -> impl Future<Output = Result<CompactionStep, Fault>> + Send;
}

/// A place in what [`RowChanges`] has noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeMark(pub i64);

/// Knowing which rows of a shadow have been written since they were compared with those of the tables.
pub trait RowChanges: Send + Sync {
    /// Notes from now on, for good, which rows are written. Returns how far that has come.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn note_changes(&self) -> impl Future<Output = Result<ChangeMark, Fault>> + Send;

    /// The rows that were written up to this mark and not compared since, each once, table by table; `None` where there are more than `most`, or
    /// where it is not known that all others were found equal.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn changed(&self, mark: ChangeMark, most: usize) -> impl Future<Output = Result<Option<Vec<(Table, Uuid)>>, Fault>> + Send;

    /// Everything up to this mark was compared, and all of it was equal or not.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn compared(&self, mark: ChangeMark, equal: bool) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// Making way for what the log says, where something else has written into the tables.
pub trait TableRepair: Send + Sync {
    /// Lets a row that shows this event count as older than any event, so that the event that is applied next is written; a line of the ledger is
    /// taken out instead. Its values stay until then. Returns whether there was such a row: one that shows another event by now stays as it is.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn outdate(&self, table: Table, key: Uuid, shown: Uuid) -> impl Future<Output = Result<bool, Fault>> + Send;

    /// Deletes a row that shows this event, with all that belongs to it, unless a row of another table refers to it. Returns whether it did: one that
    /// shows another event by now stays.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn delete(&self, table: Table, key: Uuid, shown: Uuid) -> impl Future<Output = Result<bool, Fault>> + Send;

    /// Adds to the stock of an article what it lacks of the sum of its ledger, unless it has changed since it was looked at: what others add
    /// meanwhile is in both. Returns whether it was changed.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn correct_stock(&self, wrong: &WrongStock) -> impl Future<Output = Result<bool, Fault>> + Send;
}

/// Who of several processes does what one of them is to do.
pub trait Leases: Send + Sync {
    /// Takes a lease for so long (whole seconds) by the database's clock, or prolongs one's own. Returns whether this holder has it: somebody else may,
    /// until theirs ends.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn take_lease(&self, name: &str, holder: Uuid, duration: Duration) -> impl Future<Output = Result<bool, Fault>> + Send;

    /// Gives a lease back before its time; one that somebody else has by now stays theirs.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn release_lease(&self, name: &str, holder: Uuid) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// Who consumes: each process says so again and again, and any process can ask.
pub trait Heartbeats: Send + Sync {
    /// Notes that this consumer is there, now by the store's clock, in place of what it said before. A consumer that comes new also removes what was
    /// said last more than a day ago.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn beat(&self, heartbeat: &Heartbeat) -> impl Future<Output = Result<(), Fault>> + Send;

    /// The consumers that have said something within this time (whole seconds), by the store's clock; those that started first come first, at most
    /// [`MOST_CONSUMERS`].
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn consumers(&self, within: Duration) -> impl Future<Output = Result<Vec<SeenConsumer>, Fault>> + Send;

    /// This consumer stops: nobody need look for it.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn end_heartbeat(&self, instance: Uuid) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// Consumers that [`Heartbeats::consumers`] tells of, those seen last; a topic rarely has as many partitions.
pub const MOST_CONSUMERS: usize = 1000;

/// Which entries of the audit log are looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditPage {
    /// Those after this number, the oldest first.
    After(i64),
    /// Those before this number, the newest first.
    Before(i64),
    /// Those of one operation after this number, the oldest first.
    Of {
        /// The operation.
        operation: Uuid,
        /// The number.
        after: i64,
    },
    /// Those whose subject is this, or begins with it and a comma, the newest first: of the newest [`AUDIT_LOOKED_THROUGH`].
    About(String),
}

/// Entries of the audit log that are looked through for those about one thing, the newest: no index holds what an entry is about.
pub const AUDIT_LOOKED_THROUGH: u32 = 20_000;

/// What operators have changed. Only ever added to.
pub trait AuditLog: Send + Sync {
    /// Adds entries that say this, chained to the last one ([`crate::audit::chain`]), in one transaction. Of several writers at one time each adds its
    /// entries in one piece. Returns the new end of the log; nothing to add changes nothing.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`]. Where the connection broke at the last moment, they may be in the log all the same.
    fn append_audit(&self, records: &[AuditRecord]) -> impl Future<Output = Result<AuditTail, Fault>> + Send;

    /// Up to `limit` entries.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn audit_page(&self, page: AuditPage, limit: usize) -> impl Future<Output = Result<Vec<AuditEntry>, Fault>> + Send;
}

impl<L: AuditLog> AuditLog for &L {
    async fn append_audit(&self, records: &[AuditRecord]) -> Result<AuditTail, Fault> {
        (**self).append_audit(records).await
    }

    async fn audit_page(&self, page: AuditPage, limit: usize) -> Result<Vec<AuditEntry>, Fault> {
        (**self).audit_page(page, limit).await
    }
}

/// Redrives that outlive the process that does them. Who of several processes goes on with one is told by [`Leases`].
pub trait RedriveJobs: Send + Sync {
    /// Makes a job without letters, [planned](crate::redrive_job::JobState::Planned), and returns its number; one whose operation is there already
    /// stays as it is. Forgets ended jobs that are older than the last [`KEPT_JOBS`](crate::redrive_job::KEPT_JOBS).
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn plan_job(&self, plan: &JobPlan) -> impl Future<Output = Result<i64, Fault>> + Send;

    /// Adds letters to a job, or gives those that it has these results, and replaces its counts. Each id comes once.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`]. Some may have been noted; noting all of them again is safe.
    fn note_letters(&self, job: i64, letters: &[JobLetter], counts: &JobCounts) -> impl Future<Output = Result<(), Fault>> + Send;

    /// Takes a job from one of the states from which this change can be done to the one to which it leads. Returns whether it was in such a state.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn change_job(&self, job: i64, change: &JobChange) -> impl Future<Output = Result<bool, Fault>> + Send;

    /// Up to `limit` jobs before this number, the newest first.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn jobs_before(&self, number: i64, limit: usize) -> impl Future<Output = Result<Vec<RedriveJob>, Fault>> + Send;

    /// The numbers of the jobs that [run](crate::redrive_job::JobState::Running), the oldest first.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn running_jobs(&self) -> impl Future<Output = Result<Vec<i64>, Fault>> + Send;

    /// Up to `limit` letters of a job after this id, in the order of their ids.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn job_letters(&self, job: i64, after: &str, limit: usize) -> impl Future<Output = Result<Vec<JobLetter>, Fault>> + Send;
}

/// Events that wait for a parent.
pub trait ParkingLot: Send + Sync {
    /// Stores events; one that is stored already (same place, same record) stays as it is. Says whether the parent of any of them is persisted,
    /// or its e-mail address has become free, meanwhile: a parent that is persisted after this look finds them waiting.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn park(&self, events: &[ParkedEvent]) -> impl Future<Output = Result<bool, Fault>> + Send;

    /// Up to `limit` parked events, oldest first, whose parent is in its table, or who wait for an e-mail address and are worth trying:
    ///
    /// - no other user's row holds the address, or its holder waits for another one itself (they may have to change places in one batch); of
    ///   several such events for one address only the earliest by (event timestamp, event id)
    /// - the user's row shows this event or a newer one already, so that it only has to leave the table
    /// - for [`Parents::Any`] alone, an event of an older program, which did not note what it waits for
    ///
    /// Expired events are not among them. `after` continues a look: only events after this place in the order are returned.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn releasable(
        &self,
        parents: &Parents,
        after: Option<&ParkedEvent>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<ParkedEvent>, Fault>> + Send;

    /// Takes events out of the table that have become dead letters.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn discard(&self, events: &[ParkedKey<'_>]) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// The end of waiting.
pub trait ParkingExpiry: Send + Sync {
    /// This instant by the database's clock, with which parking times compare.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn now(&self) -> impl Future<Output = Result<Timestamp, Fault>> + Send;

    /// Claims events that were parked at `cutoff` or before and whose parent is still missing, so that no release takes them any more,
    /// and returns up to `limit` claimed ones, those of an earlier claim among them.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn claim_expired(&self, cutoff: Timestamp, limit: usize) -> impl Future<Output = Result<Vec<ParkedEvent>, Fault>> + Send;

    /// How many events are parked, and since when the oldest is.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn parked(&self) -> impl Future<Output = Result<(u64, Option<Timestamp>), Fault>> + Send;
}

/// What events wait for.
pub trait AwaitedParents: Send + Sync {
    /// Everything that waits, counted; the `parents` that the most wait for, each with its first `children`. Costs about as much however many wait
    /// for one of them.
    ///
    /// # Errors
    /// See [`crate::fault::FaultClass`].
    fn awaited(&self, parents: usize, children: usize) -> impl Future<Output = Result<Awaited, Fault>> + Send;
}

/// The durable list of what could not be written.
pub trait DeadLetterQueue: Send + Sync {
    /// Pushes dead letters in order; one whose identity was pushed before is skipped. When this returns, they are durable. Returns how many were new.
    ///
    /// # Errors
    /// Some may have been pushed; pushing all of them again is safe.
    fn push(&self, dead_letters: &[DeadLetter]) -> impl Future<Output = Result<usize, Fault>> + Send;

    /// Whether each of these was pushed before, as far as identities are remembered: pushing it again would add nothing.
    ///
    /// # Errors
    /// The queue is away.
    fn known(&self, dead_letters: &[DeadLetter]) -> impl Future<Output = Result<Vec<bool>, Fault>> + Send;
}

/// An end of the list of dead letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The dead letter that came last.
    Newest,
    /// The dead letter that has been there longest. New dead letters do not shift places counted from here.
    Oldest,
}

/// What tells whether the list of dead letters is still the one that was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListState {
    /// How many entries there are, without those that are claimed.
    pub depth: u64,
    /// How often entries have left the list or come back to its old end. As long as this stays, the list only grows, at its new end.
    pub moves: u64,
}

/// Looking at dead letters.
pub trait DeadLetterReader: Send + Sync {
    /// Whether the list is still the one that was seen: of two states with the same `moves`, the list of the later one is that of the earlier one,
    /// with so many more entries at the new end as its `depth` is larger. What is written past these ports may not be told.
    ///
    /// # Errors
    /// The queue is away.
    fn list_state(&self) -> impl Future<Output = Result<ListState, Fault>> + Send;

    /// How many there are, without those that are claimed.
    ///
    /// # Errors
    /// The queue is away.
    fn depth(&self) -> impl Future<Output = Result<u64, Fault>> + Send;

    /// How many are claimed: somebody is at them, or has begun and ended half way, and they come back when their lease ends
    /// ([`ClaimQueue::give_back_overdue`]).
    ///
    /// # Errors
    /// The queue is away.
    fn claimed(&self) -> impl Future<Output = Result<u64, Fault>> + Send;

    /// How many there are of each reason, as the entries tell it; those that tell none (others wrote them) stand under `unknown`. Looks at
    /// every entry: for a look now and then. What comes or goes meanwhile may be counted or not.
    ///
    /// # Errors
    /// The queue is away.
    fn reasons(&self) -> impl Future<Output = Result<BTreeMap<String, u64>, Fault>> + Send;

    /// Up to `limit` entries counted from this end, from the `start`-th on (0 is the one at the end), each as the JSON text that was pushed.
    /// Fewer where they are large: only an empty page says that there are no more.
    ///
    /// # Errors
    /// The queue is away.
    fn page(&self, end: End, start: u64, limit: u64) -> impl Future<Output = Result<Vec<String>, Fault>> + Send;
}

/// An entry that was taken out of the list until its lease ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Tells apart claims of entries that look alike.
    pub token: Uuid,
    /// The JSON text that was pushed.
    pub entry: String,
}

/// Taking dead letters out of the list without losing one in a crash: claim, do what is to be done, then settle. A claim that nobody
/// settled before its lease ended goes back to the list with [`ClaimQueue::give_back_overdue`], whoever calls it. So two operators do
/// not take each other's claims, and a crash loses none.
pub trait ClaimQueue: Send + Sync {
    /// Moves exactly these entries from the list to the claims, for as long as `lease` by the queue's clock. Gives for each entry its
    /// claim, or `None` when it is not in the list (any more).
    ///
    /// # Errors
    /// The queue is away. Some may have been claimed; they come back when their lease ends.
    fn claim(&self, entries: &[String], lease: Duration) -> impl Future<Output = Result<Vec<Option<Claim>>, Fault>> + Send;

    /// Removes claimed entries for good; one whose lease has ended and that went back to the list is removed from there. Returns how many
    /// were removed: fewer when someone else holds an entry by now.
    ///
    /// # Errors
    /// The queue is away. Settling again is safe.
    fn settle(&self, claims: &[Claim]) -> impl Future<Output = Result<usize, Fault>> + Send;

    /// Puts claims back to the old end of the list. Returns how many there still were.
    ///
    /// # Errors
    /// The queue is away. Giving back again is safe.
    fn give_back(&self, claims: &[Claim]) -> impl Future<Output = Result<usize, Fault>> + Send;

    /// Puts back all claims whose lease has ended: those of a crash. Returns how many.
    ///
    /// # Errors
    /// The queue is away.
    fn give_back_overdue(&self) -> impl Future<Output = Result<usize, Fault>> + Send;
}

/// Putting entries into the list that were taken out of one before.
pub trait DeadLetterArchive: Send + Sync {
    /// Puts entries at the new end of the list, the first one first, whether or not the list holds them. When this returns, they are durable.
    ///
    /// # Errors
    /// Some may have been put; see [`DeadLetterReader::page`] for which.
    fn restore(&self, entries: &[String]) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// How many unwritable records of a flood may pass into the dead letter queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// None: a flood is held.
    Nothing,
    /// So many, by all consumers together.
    Records(u64),
    /// All of them, until this is taken back.
    Everything,
}

/// The operator's word about a flood, kept beside the dead letters, so that every consumer hears it and a restart does not forget it.
pub trait FloodPermits: Send + Sync {
    /// How many of so many unwritable records may pass, the first ones first; takes them from what is permitted.
    ///
    /// # Errors
    /// The queue is away. Some may have been taken from what is permitted; nothing passes that was not permitted.
    fn spend(&self, records: u64) -> impl Future<Output = Result<u64, Fault>> + Send;

    /// Replaces what is permitted.
    ///
    /// # Errors
    /// The queue is away.
    fn permit(&self, permit: Permit) -> impl Future<Output = Result<(), Fault>> + Send;
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
