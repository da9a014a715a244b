//! Why a command did nothing, or stopped.

use events::Violation;
use pipeline::fault::Fault;
use pipeline::redrive_job::JobState;

/// Why a command did nothing, or stopped. Quotes no value of an event.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A part is away.
    #[error(transparent)]
    Fault(#[from] Fault),
    /// What was given is no beginning of an id.
    #[error("an id is given by 4 to 12 hexadecimal digits, its first ones")]
    NotAnId,
    /// Nothing in the list has this id.
    #[error("no entry of the list has this id (any more)")]
    NotFound,
    /// The ids that begin so.
    #[error("more than one entry has an id that begins so: {}", .0.join(", "))]
    Ambiguous(Vec<String>),
    /// The entry is no dead letter.
    #[error("this entry cannot be read as a dead letter, so that its payload cannot be edited")]
    NotEditable,
    /// The new payload breaks the contract.
    #[error("{0}")]
    Violation(Violation),
    /// The new payload has another event id than the original.
    #[error("eventId must stay as it is: a dead letter is sent again as the same event")]
    OtherEvent,
    /// The new payload is the old one.
    #[error("the payload was not changed; to send it as it is, redrive it")]
    Unchanged,
    /// Nothing says where to send dead letters.
    #[error("KAFKA_BROKERS must say where to send: the address that the running pipeline prints")]
    NoBroker,
    /// Nothing says which tables to ask.
    #[error("this asks the tables: MSSQL_SERVER, or --data-dir of the embedded ones, must say where they are")]
    NoTables,
    /// Nothing says which database notes what operators change.
    #[error(
        "what operators change is noted in the database, so nothing was changed: MSSQL_SERVER, or --data-dir of the embedded one, must say where it is"
    )]
    NoAuditLog,
    /// Nothing says which database keeps jobs.
    #[error("redrive jobs are in the database: MSSQL_SERVER, or --data-dir of the embedded one, must say where it is")]
    NoJobs,
    /// The database did not note that an operation begins.
    #[error("the database cannot note that this is about to be changed, so nothing was changed ({})", .0.without_advice())]
    Unaudited(Fault),
    /// No job has this number.
    #[error("there is no job {0} (any more)")]
    NoSuchJob(i64),
    /// The job is in a state from which that cannot be done.
    #[error("job {0} is {label}, and nothing was changed", label = .1.label())]
    JobIs(i64, JobState),
    /// So many jobs run that no other is begun.
    #[error("{0} redrives run already: wait for one of them, or pause or cancel it")]
    TooManyJobs(usize),
    /// A line of an import is not JSON; those before it are in the list.
    #[error("line {line} is not JSON; the lines before it were imported, and are skipped when the file is imported again")]
    NotJson {
        /// From 1.
        line: u64,
    },
    /// A line of an import is JSON and no dead letter; those before it are in the list.
    #[error(
        "line {line} is no dead letter: it is no JSON object with eventId, originalData, error, timestamp and retryCount; the lines before it \
         were imported, and are skipped when the file is imported again (what another program put into the list is imported with --any)"
    )]
    NoDeadLetter {
        /// From 1.
        line: u64,
    },
}
