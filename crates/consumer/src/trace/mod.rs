//! What the system knows of one event, or of what events are about: the tables, the parking table, the dead letters and the audit log, asked one after
//! the other.
//!
//! | module | what it holds |
//! |---|---|
//! | [`arguments`] | the question, on a command line |
//! | [`letters`] | its dead letters |
//! | [`changes`] | what operators have done to it |
//! | [`verdict`] | the answer in one sentence |
//! | [`subject`] | the same of a user, an order, a payment or an article |
//! | [`timeline`] | all of it in order of time |
//! | [`report`] | all of it, as text or JSON; no payload and no e-mail address is in it |

pub mod arguments;
pub mod changes;
pub mod letters;
pub mod report;
pub mod subject;
pub mod timeline;
pub mod verdict;

use std::collections::BTreeSet;
use std::process::ExitCode;

use events::Timestamp;
use pipeline::fault::Fault;
use pipeline::ports::{AuditLog, DeadLetterReader, EventTrace};
use pipeline::trace::{About, Subject};
use pipeline::{Entity, Trace};
use telemetry::output::print_line;
use uuid::Uuid;

pub use arguments::TraceArgs;
pub use changes::Changes;
pub use letters::{DeadLetters, Letter};
pub use subject::{SubjectFindings, trace_subject};
pub use timeline::{Step, StepKind};
pub use verdict::Verdict;

/// What is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// One event.
    Event(Question),
    /// All that is about a user, an order, a payment or an article.
    Subject(Subject),
}

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
    /// What operators have done to it, or why the audit log could not be asked.
    pub changes: Result<Changes, Fault>,
}

/// Looks for an event everywhere. The tables are asked before the queue, which is the way of an event that is expired; an event that is
/// being redriven at this moment may be missed: it is on its way through Kafka.
pub async fn trace<T: EventTrace + AuditLog, Q: DeadLetterReader>(tables: &T, queue: &Q, question: Question) -> Findings {
    trace_with(tables, letters::of_event(queue, question.event_id), question).await
}

/// The same with another way to the dead letters.
pub(crate) async fn trace_with<T: EventTrace + AuditLog>(
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
    let mut ids = BTreeSet::from([question.event_id.to_string()]);
    ids.extend(dead_letters.iter().flat_map(|letters| &letters.found).map(|letter| letter.listed.id.clone()));
    let changes = changes::changes(tables, &ids).await;
    Findings { question, tables: answer, dead_letters, changes }
}

fn about(trace: Option<&Trace>, dead_letters: Option<&DeadLetters>) -> Option<About> {
    let parked = trace.into_iter().flat_map(|trace| &trace.parked).find_map(|row| row.about);
    parked.or_else(|| dead_letters.into_iter().flat_map(|dead_letters| &dead_letters.found).find_map(|dead_letter| dead_letter.about))
}

/// Looks for what was asked for, prints what was found on the standard output, and says what to exit with: 0 where everything could be asked, something
/// is known and it could be printed, and 1 otherwise.
pub async fn show<T: EventTrace + AuditLog, Q: DeadLetterReader>(tables: &T, queue: &Q, arguments: &TraceArgs) -> ExitCode {
    let (printed, found) = match arguments.asked() {
        Asked::Event(question) => {
            let findings = trace(tables, queue, question).await;
            let printed = if arguments.json { print_line(findings.to_json()) } else { print_line(&findings) };
            (printed, findings.found())
        }
        Asked::Subject(subject) => {
            let findings = trace_subject(tables, queue, subject).await;
            let printed = if arguments.json { print_line(findings.to_json()) } else { print_line(&findings) };
            (printed, findings.found())
        }
    };
    if printed && found { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
