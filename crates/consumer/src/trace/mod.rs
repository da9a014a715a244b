//! What the system knows of one event: the tables, the parking table and the dead letters, asked one after the other.
//!
//! | module | what it holds |
//! |---|---|
//! | [`arguments`] | the question, on a command line |
//! | [`verdict`] | the answer in one sentence |
//! | [`report`] | all of it, as text or JSON; no payload and no e-mail address is in it |

pub mod arguments;
pub mod report;
pub mod verdict;

use std::process::ExitCode;

use events::Timestamp;
use pipeline::fault::Fault;
use pipeline::ports::{DeadLetterReader, EventTrace};
use pipeline::trace::About;
use pipeline::{Entity, Trace};
use telemetry::output::print_line;
use uuid::Uuid;

use crate::dlq::listed::Listed;
use crate::dlq::scan::Scan;
pub use arguments::TraceArgs;
pub use verdict::Verdict;

/// Which event is looked for, and what is known of it beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// Its `eventId`.
    pub event_id: Uuid,
    /// What it is about. An event that is no longer shown by a row has left nothing in it: only the row's own event can be compared.
    pub entity: Option<Entity>,
    /// Its own time.
    pub event_at: Option<Timestamp>,
}

/// What is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// The question, with what its parked text or its dead letter told beside it.
    pub question: Question,
    /// What the tables say, or why they could not be asked.
    pub tables: Result<Trace, Fault>,
    /// What the dead letter queue says, or why it could not be asked.
    pub dead_letters: Result<DeadLetters, Fault>,
}

/// Its dead letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeadLetters {
    /// Those with its event id, oldest first.
    pub found: Vec<Letter>,
    /// How many entries were looked at.
    pub examined: u64,
}

/// A dead letter of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// The entry.
    pub listed: Listed,
    /// What its payload says, where it keeps the contract.
    pub about: Option<About>,
}

/// Looks for an event everywhere. The tables are asked before the queue, which is the way of an event that is expired; an event that is
/// being redriven at this moment may be missed: it is on its way through Kafka.
pub async fn trace<T: EventTrace, Q: DeadLetterReader>(tables: &T, queue: &Q, question: Question) -> Findings {
    trace_with(tables, dead_letters(queue, question.event_id), question).await
}

/// The same with another way to the dead letters.
pub(crate) async fn trace_with<T: EventTrace>(
    tables: &T,
    dead_letters: impl Future<Output = Result<DeadLetters, Fault>>,
    mut question: Question,
) -> Findings {
    let mut answer = tables.trace(question.event_id, question.entity).await;
    let dead_letters = dead_letters.await;
    if let Some(about) = about(answer.as_ref().ok(), dead_letters.as_ref().ok()) {
        question.event_at = question.event_at.or(Some(about.event_at));
        if question.entity.is_none() && about.entity.is_some() && answer.is_ok() {
            question.entity = about.entity;
            answer = tables.trace(question.event_id, question.entity).await;
        }
    }
    Findings { question, tables: answer, dead_letters }
}

/// Looks at every entry, a page at a time.
pub(crate) async fn dead_letters<Q: DeadLetterReader>(queue: &Q, event_id: Uuid) -> Result<DeadLetters, Fault> {
    let mut dead_letters = DeadLetters::default();
    let mut scan = Scan::start(queue).await?;
    loop {
        let page = scan.look().await?;
        if page.is_empty() {
            return Ok(dead_letters);
        }
        dead_letters.examined += page.len() as u64;
        dead_letters.found.extend(page.into_iter().filter(|listed| is_of(listed, event_id)).map(Letter::from));
    }
}

fn is_of(listed: &Listed, event_id: Uuid) -> bool {
    let told = listed.entry.as_ref().and_then(|entry| entry.event_id.as_deref());
    told.and_then(|told| Uuid::parse_str(told).ok()) == Some(event_id)
}

impl From<Listed> for Letter {
    fn from(listed: Listed) -> Self {
        let value = listed.entry.as_ref().and_then(pipeline::dead_letter::Entry::value);
        Self { about: value.and_then(|value| About::read(&value)), listed }
    }
}

fn about(trace: Option<&Trace>, dead_letters: Option<&DeadLetters>) -> Option<About> {
    let parked = trace.into_iter().flat_map(|trace| &trace.parked).find_map(|row| row.about);
    parked.or_else(|| dead_letters.into_iter().flat_map(|dead_letters| &dead_letters.found).find_map(|dead_letter| dead_letter.about))
}

/// Prints the findings on the standard output. The exit code is 0 where [`Findings::found`] holds and they could be printed, and 1 otherwise.
pub fn show(findings: &Findings, json: bool) -> ExitCode {
    let printed = if json { print_line(findings.to_json()) } else { print_line(findings) };
    if printed && findings.found() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
