//! What the console shows and does: the port that the consumer's programs fill.
//!
//! Everything here is plain data, already fit for a page: sentences are whole sentences, and nothing of a driver is in them.

use std::time::Duration;

use tokio::sync::watch;

/// The pipeline behind the console.
pub trait Operations: Send + Sync + 'static {
    /// Everything that is known of the flow now. A part that cannot be asked says why in its place. Answers within some seconds.
    fn flow(&self) -> impl Future<Output = Flow> + Send;

    /// What this process knows of itself now. Nothing is asked for it: it is told while every other part is away, too.
    fn here(&self) -> Here;

    /// Goes on as soon as a part of this process stops working or works again.
    fn changes(&self) -> watch::Receiver<u64>;

    /// The oldest records that cannot be written, as far as they are known: what a hold keeps back. Does not wait; has them looked at where that was
    /// some time ago.
    ///
    /// # Errors
    /// The log is being looked at for the first time, or could not be.
    fn held_known(&self) -> Result<Held, Refused>;

    /// The same, and waits until the log was looked at: 20 seconds at most.
    ///
    /// # Errors
    /// The log could not be looked at.
    fn held(&self) -> impl Future<Output = Result<Held, Refused>> + Send;

    /// Comes to its end when the process is asked to stop: what stays open ends with it.
    fn stopped(&self) -> impl Future<Output = ()> + Send;

    /// The dead letters by fingerprint, the most frequent first, as they were some seconds ago at most.
    ///
    /// # Errors
    /// The queue is away, or they are being counted for the first time.
    fn groups(&self) -> impl Future<Output = Result<Groups, Refused>> + Send;

    /// Dead letters, the newest first, as they were some seconds ago at most. `start` is the place in the list from which to look: 0, or
    /// [`LetterPage::next`] of the page before.
    ///
    /// # Errors
    /// The queue is away, the list is being read for the first time, or the selection is not understood.
    fn letters(&self, selection: &Selection, start: u64, limit: u64) -> impl Future<Output = Result<LetterPage, Refused>> + Send;

    /// How many dead letters the selection means now, by the queue itself, all of which is looked at.
    ///
    /// # Errors
    /// The queue is away, or the selection is not understood.
    fn count(&self, selection: &Selection) -> impl Future<Output = Result<u64, Refused>> + Send;

    /// One dead letter, by the first 4 to 12 hexadecimal digits of its id.
    ///
    /// # Errors
    /// It is not there (any more), the id is none, or it is not the only one that begins so.
    fn letter(&self, id: &str) -> impl Future<Output = Result<Letter, Refused>> + Send;

    /// What operators have done to the dead letter of this id, in full: up to `limit` entries of the audit log, the newest first, of its newest 20,000.
    /// Answers within some seconds.
    fn letter_history(&self, id: &str, limit: usize) -> impl Future<Output = Known<Vec<AuditRow>>> + Send;

    /// What would come of this payload: whether the decoder takes it, what changed, and how the database would end it. Changes nothing.
    ///
    /// # Errors
    /// The letter is not there (any more), or cannot be edited at all. A payload that is wrong is no error but a [`Draft`] that says so.
    fn check(&self, id: &str, payload: &str) -> impl Future<Output = Result<Draft, Refused>> + Send;

    /// Sends this payload instead of the letter's, under the same event id, and takes the letter off the list.
    ///
    /// # Errors
    /// The payload is wrong, or a part is away.
    fn send(&self, caller: &Caller, id: &str, payload: &str) -> impl Future<Output = Result<Sent, Refused>> + Send;

    /// What a redrive of this selection would come to, by the database itself. Changes nothing.
    ///
    /// # Errors
    /// A part is away, or the selection is not understood.
    fn rehearse(&self, selection: &Selection, limit: u64) -> impl Future<Output = Result<Rehearsal, Refused>> + Send;

    /// Begins a redrive, and returns the number of the job that does it.
    ///
    /// # Errors
    /// The selection is not understood, or means nothing in particular; no broker is known.
    fn redrive(&self, caller: &Caller, order: &Order) -> impl Future<Output = Result<u64, Refused>> + Send;

    /// Has a job pause, go on, or end, whichever process it runs in. What is in flight is waited for.
    ///
    /// # Errors
    /// There is no such job, it is in a state from which that cannot be done, or the database is away.
    fn control(&self, caller: &Caller, job: u64, wanted: JobControl) -> impl Future<Output = Result<(), Refused>> + Send;

    /// The last jobs of all processes, the newest first.
    ///
    /// # Errors
    /// The database is away.
    fn jobs(&self) -> impl Future<Output = Result<Vec<Job>, Refused>> + Send;

    /// Deletes dead letters for good. Returns how many.
    ///
    /// # Errors
    /// The queue is away, or the selection is not understood, or means nothing in particular.
    fn purge(&self, caller: &Caller, selection: &Selection) -> impl Future<Output = Result<u64, Refused>> + Send;

    /// Events that wait, gathered by what they wait for, the one with the most children first.
    ///
    /// # Errors
    /// The tables are away.
    fn parked(&self) -> impl Future<Output = Result<Parked, Refused>> + Send;

    /// What the system knows of one event, or of what events are about, by its id in full.
    ///
    /// # Errors
    /// It is no id.
    fn trace(&self, by: TraceBy, id: &str) -> impl Future<Output = Result<Trace, Refused>> + Send;

    /// What the last check of this process came to; `None` where none was run.
    fn last_check(&self) -> Option<Checked>;

    /// Checks the settings of this process and every part, and waits for that: some ten seconds where a part does not answer. One at a time: while one is
    /// under way, that one is waited for.
    fn run_check(&self, caller: &Caller) -> impl Future<Output = Checked> + Send;

    /// What the last verification of this process found.
    fn verification(&self) -> Verification;

    /// Has this process verify the tables now, unless another one does.
    ///
    /// # Errors
    /// This process does none.
    fn verify_now(&self, caller: &Caller) -> Result<(), Refused>;

    /// What operators have changed, the newest first: up to `limit` entries before this number, or from the last one on.
    ///
    /// # Errors
    /// The database is away.
    fn audit(&self, before: Option<i64>, limit: usize) -> impl Future<Output = Result<Vec<AuditRow>, Refused>> + Send;

    /// Lets unwritable records of a flood pass: so many, or all of them from now on, or none.
    ///
    /// # Errors
    /// The queue is away.
    fn permit(&self, caller: &Caller, permit: Permit) -> impl Future<Output = Result<(), Refused>> + Send;

    /// The settings of this process by name, as the log shows them: secrets are hidden.
    fn settings(&self) -> Vec<(String, String)>;
}

/// Why nothing was done, or not all of it, as a sentence for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// What kind of refusal it is.
    pub kind: RefusalKind,
    /// One sentence; quotes no value of an event.
    pub sentence: String,
}

/// What kind of refusal it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// What was asked for is not understood.
    Bad,
    /// It is not there (any more).
    NotFound,
    /// It is understood and cannot be done.
    Impossible,
    /// A part is away.
    Unavailable,
    /// It is being read, which takes some seconds: whoever asks again is answered.
    Reading,
}

/// Who asks: the name of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller(pub String);

/// Something, or a sentence that says why it is not known.
pub type Known<T> = Result<T, String>;

/// The flow: producers → partitions → consumers → tables, waiting, dead letters.
#[derive(Clone, Debug, PartialEq)]
pub struct Flow {
    /// When it was asked for, RFC 3339 in UTC.
    pub at: String,
    /// The topic that is read.
    pub topic: String,
    /// The consumer group.
    pub group: String,
    /// What this process knows of itself.
    pub here: Here,
    /// The partitions of the topic.
    pub partitions: Known<Vec<Partition>>,
    /// The consumers of the database, those that are gone without having said so last.
    pub consumers: Known<Vec<Consumer>>,
    /// Events that wait in the tables, and when the oldest of them was parked (RFC 3339).
    pub parked: Known<(u64, Option<String>)>,
    /// How many dead letters are in the list.
    pub dead_letters: Known<u64>,
    /// How many a redrive has claimed besides, which are not in the list; 0 where that is not known.
    pub claimed: u64,
    /// The last verification of the tables against the log, as a sentence; `None` where this process does none.
    pub verification: Option<String>,
}

/// What a process knows of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Here {
    /// `ready`, `not ready` or `stopping`.
    pub status: String,
    /// The parts that it depends on.
    pub parts: Vec<Part>,
    /// What it has come to since it started.
    pub outcomes: Outcomes,
}

/// A part that a process depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Its name: `kafka`, `database`, `dead_letter_queue`, `flow` (down while a flood is held), …
    pub name: String,
    /// Whether it works.
    pub state: PartState,
    /// Since when it is so, RFC 3339.
    pub since: String,
    /// Why it is down, what goes on by itself, and what needs a person.
    pub reason: Option<String>,
}

/// Whether a part works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartState {
    /// It does.
    Up,
    /// It was asked, and does not.
    Down,
    /// Nobody has asked it yet.
    Unasked,
}

impl Part {
    /// Whether it was found not to work.
    pub fn is_down(&self) -> bool {
        self.state == PartState::Down
    }
}

/// One partition of the topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Its number.
    pub number: i32,
    /// One after the last offset.
    pub end: i64,
    /// The next offset that the group reads.
    pub next: i64,
    /// Offsets that the group has not consumed.
    pub lag: u64,
    /// Whether this process reads it.
    pub ours: bool,
}

/// A process that consumes, by its last heartbeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumer {
    /// The machine, or the container.
    pub host: String,
    /// The process there.
    pub process_id: u32,
    /// Of the program.
    pub version: String,
    /// Whether it is the process that shows this.
    pub this: bool,
    /// What it reads in which group, where that is not what this process does.
    pub elsewhere: Option<String>,
    /// RFC 3339.
    pub started_at: String,
    /// How long ago it was heard of.
    pub last_seen: Duration,
    /// Whether that is recent enough: one that is not alive is gone without having said so.
    pub alive: bool,
    /// `ready`, `not ready` or `stopping`.
    pub status: String,
    /// The partitions that it owns; of one that is gone, that it owned.
    pub partitions: Vec<i32>,
    /// How many it owns beside them.
    pub more_partitions: u64,
    /// Offsets that the group has not consumed of them; `None` where that is not known.
    pub lag: Option<u64>,
    /// Its parts that are down.
    pub down: Vec<Part>,
    /// Events that ended in it in each of the last seconds.
    pub events_per_second: u64,
    /// When it committed last, RFC 3339.
    pub last_commit: Option<String>,
    /// What the last verification that it did came to; `None` where it has done none since it started.
    pub verification: Option<Verdict>,
}

/// What a verification of the tables against the log came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// When it ended, RFC 3339.
    pub ended: String,
    /// How long it took.
    pub took: Duration,
    /// How it ended.
    pub outcome: VerdictOutcome,
    /// Rows of the tables that were compared.
    pub rows: u64,
    /// Offsets of the log up to which they were.
    pub offsets: u64,
    /// Whether the log was read from its beginning.
    pub whole_log: bool,
}

/// How a verification ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerdictOutcome {
    /// The tables are what the log says.
    Equal,
    /// So many differences were found.
    Different(u64),
    /// It did not come to its end, for this reason: a sentence.
    Unfinished(String),
}

/// What records came to in this process since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcomes {
    /// Records that were polled.
    pub polled: u64,
    /// Events that are in their tables.
    pub applied: u64,
    /// Events that were there before.
    pub duplicate: u64,
    /// Events behind something newer.
    pub stale: u64,
    /// Events that were parked.
    pub parked: u64,
    /// Records that became dead letters.
    pub dead_letters: u64,
}

/// The oldest records that the group has not consumed, as far as they cannot be written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// When they were looked at, RFC 3339.
    pub at: String,
    /// Records that are not consumed.
    pub unconsumed: u64,
    /// How many of them were looked at, the oldest.
    pub examined: u64,
    /// How many of these cannot be written and are dead letters already: they were let pass, or came before.
    pub already: u64,
    /// The others that cannot be written, the oldest first.
    pub records: Vec<HeldRecord>,
    /// What was not looked at, or not asked, as sentences.
    pub caveats: Vec<String>,
}

/// A record that cannot be written; no payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldRecord {
    /// `topic/partition/offset`.
    pub place: String,
    /// Its own time, RFC 3339, where it has one.
    pub at: Option<String>,
    /// The message key, where there is one; only for who may see payloads.
    pub key: Option<String>,
    /// One of the four types, or `unknown`.
    pub event_type: String,
    /// Where it could be read.
    pub event_id: Option<String>,
    /// A label.
    pub reason: String,
    /// See [`Group::fingerprint`].
    pub fingerprint: String,
    /// One sentence; quotes no value.
    pub error: String,
}

/// The dead letters by fingerprint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Groups {
    /// The most frequent first.
    pub groups: Vec<Group>,
    /// How many at the old end of a very long list are in none of them.
    pub uncounted: u64,
}

/// Dead letters with one fingerprint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What they have in common: `reason:eventType:subject`.
    pub fingerprint: String,
    /// How many.
    pub count: u64,
    /// When the first and the last of them became dead letters, RFC 3339, where the entries tell it.
    pub first_seen: Option<String>,
    /// See `first_seen`.
    pub last_seen: Option<String>,
    /// How many came in each of equally long spans between the first and the last of the whole list, for a sparkline.
    pub history: Vec<u64>,
    /// The sentence of one of them.
    pub sample: String,
    /// The id of that one.
    pub sample_id: String,
}

/// Which dead letters are meant: those to which everything that is given applies. Texts as an operator types them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// Ids (12 hexadecimal digits); none stands for any.
    pub ids: Vec<String>,
    /// A reason's label, such as `invalid_value`.
    pub reason: Option<String>,
    /// A fingerprint.
    pub fingerprint: Option<String>,
    /// An event type, such as `OrderPlaced`.
    pub event_type: Option<String>,
    /// A number with a unit, such as `90s`, `15m`, `1h` or `7d`.
    pub older_than: Option<String>,
    /// Those that became dead letters after this time (RFC 3339) are not meant.
    pub until: Option<String>,
    /// Every dead letter is meant where nothing else is given.
    pub all: bool,
}

/// A page of dead letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterPage {
    /// How many are in the whole list.
    pub depth: u64,
    /// The page.
    pub rows: Vec<LetterRow>,
    /// Where to go on; `None` at the end.
    pub next: Option<u64>,
}

/// What a list says about a dead letter; no payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LetterRow {
    /// 12 hexadecimal digits.
    pub id: String,
    /// Since when it is a dead letter (RFC 3339), where it tells; a redrive that fails does not change it.
    pub since: Option<String>,
    /// A label.
    pub reason: String,
    /// One of the four types, or `unknown`.
    pub event_type: String,
    /// Where it could be read.
    pub event_id: Option<String>,
    /// See [`Group::fingerprint`].
    pub fingerprint: String,
    /// One sentence; quotes no value where this program wrote it.
    pub error: String,
    /// `topic/partition/offset`, where known.
    pub place: Option<String>,
    /// How often it was redriven.
    pub retries: u32,
}

/// One dead letter in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// What a list says about it.
    pub row: LetterRow,
    /// The message key, where there was one: text, or hexadecimal digits where it is not UTF-8.
    pub key: Option<String>,
    /// The message's headers, in order: name and value; text, or hexadecimal digits where it is not UTF-8, or `None` where it is null.
    pub headers: Vec<(String, Option<String>)>,
    /// When it became a dead letter the last time (RFC 3339), where it has been redriven since the first.
    pub failed_again: Option<String>,
    /// The message's own time (RFC 3339), where it tells one.
    pub record_at: Option<String>,
    /// By whose clock that is, in words, where it is known.
    pub record_clock: Option<&'static str>,
    /// The event's own time (RFC 3339), where its payload tells one.
    pub event_at: Option<String>,
    /// The message value, byte for byte.
    pub bytes: Vec<u8>,
    /// Whether the bytes are UTF-8.
    pub is_text: bool,
    /// The payload as a person edits it, one field per line; `None` where it cannot be edited.
    pub editable: Option<String>,
    /// The field at which the decoder stopped, as a JSON path such as `items[0].price`, where it names one.
    pub field: Option<String>,
    /// The payload as the decoder reads it, field by field; none where it breaks a rule as a whole. Only for who may see payloads.
    pub fields: Vec<PayloadField>,
    /// What another program wrote as the reason, where it was another; only for who may see payloads.
    pub told: Option<String>,
}

/// A field of a payload, with what the decoder says of it alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayloadField {
    /// Its JSON path, such as `items[0].price`.
    pub path: String,
    /// Its value as JSON, shortened where it is long; `None` where it is missing.
    pub value: Option<String>,
    /// What is wrong with it, as the end of a sentence that begins with its path; `None` where it is good.
    pub problem: Option<String>,
}

/// A payload that an operator wrote, looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// What is wrong with it, as a sentence; `None` where it could be sent.
    pub problem: Option<String>,
    /// The fields that are wrong, all of them; none where it is wrong as a whole.
    pub wrong: Vec<PayloadField>,
    /// What changed, as a unified diff; empty where it could not be compared.
    pub diff: String,
    /// How the database would end it; `None` where it was not asked, because the payload is wrong.
    pub foreseen: Option<Known<Foreseen>>,
}

/// How an event would end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foreseen {
    /// `applied`, `duplicate`, `stale`, `parked`, `rejected`, `dead letter`, `too many retries` or `unreadable`.
    pub outcome: String,
    /// What it waits for, or why it would be refused.
    pub detail: Option<String>,
}

/// A payload that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Under which event id.
    pub event_id: String,
    /// Where the broker put it: `topic/partition/offset`.
    pub place: String,
}

/// What a redrive would come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rehearsal {
    /// How many would end how, in a fixed order of outcomes (see [`Foreseen::outcome`]); only those that occur.
    pub totals: Vec<(String, u64)>,
    /// How many the selection means in all.
    pub selected: u64,
    /// The first of them, each with its outcome.
    pub rows: Vec<RehearsedRow>,
    /// Whether they did not fit into one batch, so that children may seem to wait for parents of an earlier one.
    pub batches: u64,
}

/// A dead letter of a [`Rehearsal`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RehearsedRow {
    /// 12 hexadecimal digits.
    pub id: String,
    /// One of the four types, or `unknown`.
    pub event_type: String,
    /// Where it could be read.
    pub event_id: Option<String>,
    /// How it would end.
    pub foreseen: Foreseen,
}

/// A redrive to begin.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Which dead letters.
    pub selection: Selection,
    /// How many of them at most, the oldest first; 10 for a canary.
    pub limit: Option<u64>,
    /// How many per second at most.
    pub rate: Option<f64>,
    /// Whether it tries whether the rest would go well, which waits for the operator's word.
    pub is_canary: bool,
}

/// What an operator may want of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobControl {
    /// Nobody is to go on with it before it is resumed.
    Pause,
    /// It is to go on.
    Resume,
    /// It is to end; what was not sent stays in the list.
    Cancel,
}

/// How a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Its dead letters are being named; one that stays so was broken off, and has sent nothing.
    Planned,
    /// A process goes on with it.
    Running,
    /// Nobody does before it is resumed.
    Paused,
    /// It came to its end.
    Done,
    /// It could not go on, and may be resumed.
    Failed,
    /// An operator has ended it.
    Cancelled,
}

impl JobState {
    /// In one word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether this may be wanted of a job that stands so.
    pub const fn allows(self, wanted: JobControl) -> bool {
        match wanted {
            JobControl::Pause => matches!(self, Self::Running),
            JobControl::Resume => matches!(self, Self::Paused | Self::Failed),
            JobControl::Cancel => matches!(self, Self::Planned | Self::Running | Self::Paused | Self::Failed),
        }
    }
}

/// A redrive, whichever process does it.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Its number.
    pub number: u64,
    /// Who began it.
    pub caller: String,
    /// When, RFC 3339.
    pub began: String,
    /// What it redrives, as a sentence.
    pub subject: String,
    /// How many per second at most.
    pub rate: Option<f64>,
    /// How it stands.
    pub state: JobState,
    /// How many of its dead letters have a result, and how many it has.
    pub done: (u64, u64),
    /// What came of them, in words and numbers that add up, such as (`redriven`, 12).
    pub counts: Vec<(String, u64)>,
    /// Why it could not go on.
    pub problem: Option<String>,
    /// How long it has taken.
    pub took: Duration,
    /// When something of it was noted the last time, RFC 3339.
    pub updated: String,
}

/// Events that wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// By what they wait for.
    pub parents: Vec<MissingParent>,
    /// How many more parents there are than `parents` holds.
    pub hidden: u64,
    /// How many events wait in all.
    pub events: u64,
    /// How long an event may wait, in seconds.
    pub deadline_seconds: u64,
}

/// What some events wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingParent {
    /// Such as `user 0190…`, `order 0190…` or `an e-mail address`.
    pub name: String,
    /// How many wait for it.
    pub children: u64,
    /// When the first of them was parked, RFC 3339.
    pub oldest: String,
    /// What is known of it.
    pub fate: ParentFate,
    /// By what it can be traced; `None` for an e-mail address.
    pub trace: Option<(TraceBy, String)>,
    /// The first of them, at most 100: event id, `topic/partition/offset`, when it was parked.
    pub first: Vec<Waiting>,
}

/// Why something that is waited for is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParentFate {
    /// It is in its table: who waits for it is released soon.
    Written,
    /// It is a dead letter.
    DeadLetter {
        /// The id of the newest.
        id: String,
        /// Whether only its key says so.
        by_key: bool,
        /// How many more are about it.
        others: u64,
    },
    /// It is in no table, not parked, and no dead letter.
    NeverSeen,
    /// It is in no table and not among the dead letters that were looked at, which is not all that it can be: a sentence says what else.
    NotFound(String),
    /// The dead letters could not be looked at, for this reason: a sentence.
    Unknown(String),
    /// It is an e-mail address, which somebody has.
    Held,
}

/// An event that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its id.
    pub event_id: String,
    /// `topic/partition/offset`.
    pub place: String,
    /// RFC 3339.
    pub parked_at: String,
}

/// By what is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TraceBy {
    /// One event.
    Event,
    /// All about a user.
    User,
    /// All about an order.
    Order,
    /// All about a payment.
    Payment,
    /// All about an article.
    Sku,
}

impl TraceBy {
    /// Each of them.
    pub const ALL: [Self; 5] = [Self::Event, Self::User, Self::Order, Self::Payment, Self::Sku];

    /// Its name in an address.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::User => "user",
            Self::Order => "order",
            Self::Payment => "payment",
            Self::Sku => "sku",
        }
    }

    /// What is given of it.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Event => "Event id",
            Self::User => "User id",
            Self::Order => "Order id",
            Self::Payment => "Payment id",
            Self::Sku => "SKU",
        }
    }
}

/// What is known of an event, or of what events are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// Its id.
    pub id: String,
    /// One sentence.
    pub verdict: String,
    /// What each place says: its name (`rows`, `ledger`, `parking`, `dead letters`, `changes`) and a sentence.
    pub findings: Vec<(String, String)>,
    /// What happened, in order of time.
    pub steps: Vec<TraceStep>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceStep {
    /// When, RFC 3339, as far as it is told.
    pub at: Option<String>,
    /// What it is: `event`, `parked`, `waiting`, `applied`, `superseded`, `dead letter` or `change`.
    pub kind: String,
    /// One sentence.
    pub sentence: String,
    /// The event of it, where that is not the one that was asked for.
    pub event_id: Option<String>,
    /// The dead letter of it, where that is in the list.
    pub letter: Option<String>,
}

/// What a check of the settings and of every part came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// When it began, RFC 3339.
    pub at: String,
    /// How long it took.
    pub took: Duration,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// What was found about one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How it stands.
    pub state: FindingState,
    /// Of whom: settings, Kafka, database, Redis, process.
    pub part: String,
    /// What was looked at.
    pub check: String,
    /// What was found, in the words of the command; never a secret.
    pub found: String,
    /// What to do; `None` where nothing is.
    pub advice: Option<String>,
}

/// How something stands, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingState {
    /// The program cannot work, or events would be lost.
    Failed,
    /// It works, and somebody will regret it.
    Warning,
    /// As it should be.
    Good,
}

/// What the last verification of a process found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// From the beginning of one to that of the next; `None` where the process does none.
    pub interval: Option<Duration>,
    /// When the last one was finished, RFC 3339; `None` where none was.
    pub finished: Option<String>,
    /// Offsets of the log that it covered.
    pub offsets: u64,
    /// What differs.
    pub differences: Vec<DifferenceCount>,
    /// Whether one can be begun here.
    pub can_begin: bool,
}

/// Differences of one kind in one table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DifferenceCount {
    /// Such as `users`.
    pub table: String,
    /// Such as `missing`.
    pub kind: String,
    /// What that means, as a sentence.
    pub meaning: String,
    /// How many.
    pub count: u64,
}

/// An entry of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// From 1, without gaps.
    pub number: i64,
    /// RFC 3339.
    pub at: String,
    /// The name of a token, or a user of the operating system.
    pub actor: String,
    /// `console`, `http` or `command_line`.
    pub origin: String,
    /// Such as `redrive`.
    pub action: String,
    /// What the entries of one operation have in common.
    pub operation: String,
    /// To what it was done.
    pub subject: String,
    /// What came of it.
    pub outcome: String,
}

/// What of a flood may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Permit {
    /// Nothing.
    Nothing,
    /// So many records.
    Records(u64),
    /// All from now on.
    Everything,
}
