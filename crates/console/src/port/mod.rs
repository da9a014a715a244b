//! What the console shows and does: the port that the consumer's programs fill.
//!
//! Everything here is plain data, already fit for a page: sentences are whole sentences, and nothing of a driver is in them.

mod answer;
mod flow;
mod health;
mod jobs;
mod letters;
mod parked;
mod redrive;
mod trace;

use tokio::sync::watch;

pub use self::answer::{Caller, Known, RefusalKind, Refused};
pub(crate) use self::flow::Reader;
pub use self::flow::{Consumer, Flow, Held, HeldRecord, Here, Outcomes, Part, PartState, Partition, Verdict, VerdictOutcome};
pub use self::health::{AuditRow, Checked, DifferenceCount, Finding, FindingState, Verification};
pub use self::jobs::{Job, JobControl, JobLetter, JobLetters, JobState, LetterEnd};
pub use self::letters::{Draft, Foreseen, Group, Groups, Letter, LetterPage, LetterRow, PayloadField, Selection, Sent};
pub use self::parked::{MissingParent, ParentFate, Parked, Waiting};
pub use self::redrive::{Order, Permit, Rehearsal, RehearsedRow};
pub use self::trace::{Trace, TraceBy, TraceStep};

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

    /// A job, and up to `limit` of its letters after this id, each with how it ended: the dead letters and the tables are asked for it, and nothing is
    /// waited for.
    ///
    /// # Errors
    /// There is no such job, or the database or the list of dead letters is away.
    fn job(&self, number: u64, after: &str, limit: usize) -> impl Future<Output = Result<JobLetters, Refused>> + Send;

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
