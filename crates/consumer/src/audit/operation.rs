//! One operation in the log: its beginning, each dead letter, its end.

use std::collections::BTreeSet;
use std::fmt::Display;

use pipeline::audit::{AuditAction, AuditRecord, Sha256Digest};
use pipeline::fault::Fault;
use pipeline::landed::Landed;
use pipeline::ports::{AuditLog, Clock as _};
use pipeline::redrive_job::LetterResult;
use uuid::Uuid;

use super::{Subject, Who};
use crate::backends::SystemClock;

/// The outcome of an operation that has begun.
const BEGUN: &str = "begun";

/// What an operation did with a dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handled {
    /// The letter's id.
    pub id: String,
    /// Its event's id, as far as it is one.
    pub event_id: Option<Uuid>,
    /// The digests of its payload before and after, where that was edited.
    pub edited: Option<(Sha256Digest, Sha256Digest)>,
    /// What came of it, in a few words.
    pub outcome: &'static str,
    /// What that is to a redrive; `None` where a later try may come to something else.
    pub result: Option<LetterResult>,
    /// Where the broker put it, where it took it.
    pub landed: Option<Landed>,
}

impl Handled {
    /// A dead letter whose payload stays as it is. What others wrote in the place of an event's id is not told on.
    pub fn new(id: String, event_id: Option<&str>, outcome: &'static str) -> Self {
        Self { id, event_id: event_id.and_then(|id| Uuid::try_parse(id).ok()), edited: None, outcome, result: None, landed: None }
    }

    /// How it is called in the log.
    pub fn subject(&self) -> String {
        match self.event_id {
            Some(event_id) => format!("dead letter {}, event {event_id}", self.id),
            None => format!("dead letter {}", self.id),
        }
    }
}

/// Who is told what becomes of dead letters, page by page.
pub trait Witness: Send {
    /// Letters are about to be sent to these topics: how things stand now is how they stood before.
    fn sending(&mut self, topics: BTreeSet<String>) -> impl Future<Output = ()> + Send {
        drop(topics);
        async {}
    }

    /// This became of these.
    ///
    /// # Errors
    /// It could not be noted: no more letters are to be touched.
    fn handled(&mut self, letters: Vec<Handled>) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// Nobody is told: for what no operator has asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwitnessed;

impl Witness for Unwitnessed {
    async fn handled(&mut self, _: Vec<Handled>) -> Result<(), Fault> {
        Ok(())
    }
}

/// An operation that was begun.
#[must_use = "an operation without an end in the log looks broken off"]
pub struct Operation<L> {
    log: L,
    who: Who,
    action: AuditAction,
    id: Uuid,
    subject: Subject,
    /// What could not be noted yet: at most one page of letters, because then no other page is begun.
    pending: Vec<AuditRecord>,
}

impl<L: AuditLog> Operation<L> {
    pub(super) async fn begin(log: L, who: Who, action: AuditAction, subject: Subject) -> Result<Self, Fault> {
        let mut operation = Self { log, who, action, id: Uuid::new_v4(), subject, pending: Vec::new() };
        let record = operation.record(operation.subject.clone(), BEGUN.to_owned());
        operation.pending.push(record);
        operation.write().await?;
        Ok(operation)
    }

    /// The operation of this id, begun earlier: another process goes on with it.
    pub(crate) const fn resumed(log: L, who: Who, action: AuditAction, id: Uuid, subject: Subject) -> Self {
        Self { log, who, action, id, subject, pending: Vec::new() }
    }

    /// What its entries have in common.
    pub(crate) const fn id(&self) -> Uuid {
        self.id
    }

    /// Notes that it is about to be changed.
    ///
    /// # Errors
    /// It cannot be noted: it must not be done.
    pub(crate) async fn announce(mut self, outcome: &str) -> Result<(), Fault> {
        let record = self.record(self.subject.clone(), outcome.to_owned());
        self.pending.push(record);
        self.write().await
    }

    /// Notes with the end what became of this letter.
    pub fn note(&mut self, letter: &Handled) {
        let (before, after) = letter.edited.unzip();
        let subject = Subject { text: letter.subject(), before, after };
        let record = self.record(subject, letter.outcome.to_owned());
        self.pending.push(record);
    }

    /// Notes what came of it all. Where that fails, the program's log tells: what was done cannot be undone.
    pub async fn end(mut self, outcome: impl Display) {
        let record = self.record(self.subject.clone(), outcome.to_string());
        let outcome = record.outcome.clone();
        self.pending.push(record);
        if let Err(fault) = self.write().await {
            let (operation, action, actor) = (self.id, self.action.label(), &self.who.actor);
            tracing::error!(%operation, action, actor, outcome, entries = self.pending.len(), %fault, "the end of an operation is not in the audit log");
        }
    }

    async fn write(&mut self) -> Result<(), Fault> {
        self.log.append_audit(&self.pending).await?;
        self.pending.clear();
        Ok(())
    }

    fn record(&self, subject: Subject, outcome: String) -> AuditRecord {
        let Subject { text: subject, before, after } = subject;
        AuditRecord {
            at: SystemClock.now(),
            actor: self.who.actor.clone(),
            origin: self.who.origin.label().to_owned(),
            action: self.action.label().to_owned(),
            operation: self.id,
            subject,
            before,
            after,
            outcome,
        }
    }
}

impl<L: AuditLog> Witness for Operation<L> {
    /// One round trip for all of them.
    async fn handled(&mut self, letters: Vec<Handled>) -> Result<(), Fault> {
        letters.iter().for_each(|letter| self.note(letter));
        if self.pending.is_empty() { Ok(()) } else { self.write().await }
    }
}
