//! What the operator's console shows and does, over the consumer's ports.
//!
//! | module | what it holds |
//! |---|---|
//! | `flow` | the whole on one screen |
//! | `fleet` | the consumers of the database |
//! | `held` | what a hold keeps back |
//! | `letters` | dead letters: groups, lists, one of them, and an edited one |
//! | `payload` | a payload field by field |
//! | `jobs` | redrive jobs, whichever process they run in |
//! | `checked` | the last check of this process |
//! | `verification` | the last verification of this process |
//! | `waiting` | parked events by what they wait for |
//! | `words` | refusals as the console shows them |

mod checked;
mod fleet;
mod flow;
mod held;
mod index;
mod jobs;
mod keeper;
mod letters;
mod payload;
mod sentences;
mod verification;
mod waiting;
mod words;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use console::{
    Access, Account, AuditRow, Caller, Checked, Draft, Flow, Groups, Held, Here, Job, JobControl, JobLetters, Known, Letter, LetterPage,
    Operations, Order, Parked, RefusalKind, Refused, Rehearsal, Role, Selection, Sent, Trace, TraceBy, TraceStep, Verification,
};
use pipeline::Entity;
use pipeline::audit::{AuditAction, AuditEntry, AuditRecord};
use pipeline::ports::{AuditPage, Clock as _, GroupProgress, Permit, Publisher};
use pipeline::trace::Subject as TraceSubject;
use tokio::sync::watch;
use tokio::time::Instant;
use uuid::Uuid;

use crate::admin::{AdminConfig, AdminRole};
use crate::audit::{Handled, Subject, Who};
use crate::backends::SystemClock;
use crate::dlq::purge::{count, purge};
use crate::dlq::{Filter, Refusal};
use crate::operator::{OperatorParts, OperatorQueue, OperatorTables};
use crate::resume::change_permit;
use crate::trace::letters::of_event;
use crate::trace::{Question, Step, trace_subject, trace_with};
use crate::verify::last::NO_SCHEDULE;
use held::{HeldRecords, Letters};
use keeper::Keeper;
use words::{bad, filter, problem};

/// How long a look at what is held waits for the list of dead letters to be read.
const READING: Duration = Duration::from_secs(5);

/// What the console of a process is made of.
pub struct ConsoleParts<G, T, Q, P> {
    /// What `/admin` works with too.
    pub shared: OperatorParts<G, T, Q, P>,
    /// By which this process is known among the consumers of the database.
    pub instance: Uuid,
    /// How long an event may wait.
    pub parking_deadline: Duration,
    /// Settings by name, as they may be shown.
    pub settings: Vec<(String, String)>,
}

/// The routes of the console, for whoever has a token. A job that runs when the process stops finishes what is in flight.
pub fn routes<G, T, Q, P>(config: Arc<AdminConfig>, parts: ConsoleParts<G, T, Q, P>) -> Router
where
    G: GroupProgress + 'static,
    T: OperatorTables,
    Q: OperatorQueue,
    P: Publisher + Clone + 'static,
{
    // Whoever types the address alone wants to see something.
    let home = Router::new().route("/", get(async || Redirect::temporary("/console/")));
    console::routes(access(config), Arc::new(operations(parts))).merge(home)
}

/// What the console does and shows with these parts.
pub fn operations<G, T, Q, P>(parts: ConsoleParts<G, T, Q, P>) -> impl Operations
where
    G: GroupProgress + 'static,
    T: OperatorTables,
    Q: OperatorQueue,
    P: Publisher + Clone + 'static,
{
    let letters = Keeper::new(parts.shared.context.queue.clone(), parts.shared.stop.clone());
    let index = letters.clone();
    let index: Letters = Arc::new(move || {
        let letters = index.clone();
        // What the consumer has let pass a moment ago is wanted too.
        letters.changes().note();
        Box::pin(async move {
            let until = Instant::now() + READING;
            loop {
                match letters.index().await {
                    // No page waits for this: it may take longer than one would.
                    Err(Refused { kind: RefusalKind::Reading, .. }) if Instant::now() < until => {}
                    answer => return answer,
                }
            }
        })
    });
    let held = HeldRecords::new(parts.shared.peek.clone(), index);
    Pipeline { parts, letters, held }
}

fn access(config: Arc<AdminConfig>) -> Access {
    let place = config.place.clone();
    let authenticate = Arc::new(move |token: &str| {
        let (name, role) = config.account_of(token)?;
        let role = match role {
            AdminRole::Viewer => Role::Viewer,
            AdminRole::Operator => Role::Operator,
            AdminRole::Editor => Role::Editor,
        };
        Some(Account { name: name.to_owned(), role })
    });
    Access { authenticate, place }
}

/// The [`Operations`] of one process.
struct Pipeline<G, T, Q, P> {
    parts: ConsoleParts<G, T, Q, P>,
    letters: Keeper<Q>,
    held: HeldRecords,
}

impl<G, T, Q, P> Operations for Pipeline<G, T, Q, P>
where
    G: GroupProgress + 'static,
    T: OperatorTables,
    Q: OperatorQueue,
    P: Publisher + Clone + 'static,
{
    async fn flow(&self) -> Flow {
        flow::flow(&self.parts).await
    }

    fn here(&self) -> Here {
        flow::here(&self.parts)
    }

    fn changes(&self) -> watch::Receiver<u64> {
        self.parts.shared.health.changes()
    }

    async fn stopped(&self) {
        self.parts.shared.stop.cancelled().await;
    }

    fn held_known(&self) -> Result<Held, Refused> {
        self.held.known()
    }

    async fn held(&self) -> Result<Held, Refused> {
        self.held.read().await
    }

    async fn groups(&self) -> Result<Groups, Refused> {
        let index = self.letters.index().await?;
        Ok(Groups { groups: index.groups(), uncounted: index.unknown() })
    }

    async fn letters(&self, selection: &Selection, start: u64, limit: u64) -> Result<LetterPage, Refused> {
        let (queue, filter) = (&self.parts.shared.context.queue, filter(selection)?);
        match self.letters.index().await {
            Ok(index) => Ok(letters::page_of(queue, &index, &filter, start, limit).await?),
            // A part of the whole list can be had without.
            Err(Refused { kind: RefusalKind::Reading, .. }) if filter.is_empty() => Ok(letters::page(queue, &filter, start, limit).await?),
            Err(refused) => Err(refused),
        }
    }

    async fn count(&self, selection: &Selection) -> Result<u64, Refused> {
        Ok(count(&self.parts.shared.context.queue, &filter(selection)?, SystemClock.now()).await.map_err(Refusal::from)?)
    }

    async fn letter(&self, id: &str) -> Result<Letter, Refused> {
        Ok(letters::one(&self.parts.shared.context, self.letters.at_hand().as_deref(), id).await?)
    }

    async fn letter_history(&self, id: &str, limit: usize) -> Known<Vec<AuditRow>> {
        let tables = self.parts.shared.context.tables().map_err(|refusal| problem(&refusal))?;
        let subject = Handled::new(id.to_owned(), None, "").subject();
        let entries = flow::known(tables.audit_page(AuditPage::About(subject), limit)).await?;
        Ok(entries.into_iter().map(audit_row).collect())
    }

    async fn check(&self, id: &str, payload: &str) -> Result<Draft, Refused> {
        Ok(letters::check(&self.parts.shared.context, self.letters.at_hand().as_deref(), id, payload).await?)
    }

    async fn send(&self, Caller(caller): &Caller, id: &str, payload: &str) -> Result<Sent, Refused> {
        let sent = letters::send(&self.parts.shared.context, &self.parts.shared.stop, caller, id, payload).await;
        self.letters.changes().note();
        Ok(sent?)
    }

    async fn rehearse(&self, selection: &Selection, limit: u64) -> Result<Rehearsal, Refused> {
        let filter = meant(selection)?;
        Ok(letters::rehearse(&self.parts.shared.context, self.letters.index().await?, filter, limit).await?)
    }

    async fn redrive(&self, caller: &Caller, order: &Order) -> Result<u64, Refused> {
        let filter = meant(&order.selection)?;
        let (context, stop) = (self.parts.shared.context.clone(), self.parts.shared.stop.clone());
        jobs::begin(context, stop, self.letters.changes(), (caller, order), filter).await
    }

    async fn control(&self, Caller(caller): &Caller, job: u64, wanted: JobControl) -> Result<(), Refused> {
        jobs::change(self.parts.shared.context.tables.as_ref().ok_or(Refusal::NoJobs)?, caller, job, wanted).await?;
        tracing::info!(caller, job, ?wanted, "a redrive is changed");
        Ok(())
    }

    async fn jobs(&self) -> Result<Vec<Job>, Refused> {
        jobs::all(self.parts.shared.context.tables.as_ref().ok_or(Refusal::NoJobs)?).await
    }

    async fn job(&self, number: u64, after: &str, limit: usize) -> Result<JobLetters, Refused> {
        let context = &self.parts.shared.context;
        let tables = context.tables.as_ref().ok_or(Refusal::NoJobs)?;
        jobs::one((&context.queue, tables), &self.letters, (number, after, limit), &self.parts.shared.stop).await
    }

    async fn purge(&self, Caller(caller): &Caller, selection: &Selection) -> Result<u64, Refused> {
        let (context, filter) = (&self.parts.shared.context, meant(selection)?);
        let mut operation = context.audit()?.begin(Who::console(caller), AuditAction::Purge, Subject::new(&filter)).await?;
        let purged = purge(&context.queue, &filter, SystemClock.now(), &mut operation).await;
        self.letters.changes().note();
        operation.end(&purged).await;
        tracing::info!(caller, removed = purged.removed, "dead letters purged");
        match purged.fault {
            None => Ok(purged.removed),
            Some(fault) => {
                let Refused { kind, sentence } = Refusal::from(fault).into();
                Err(Refused { kind, sentence: format!("{} were deleted before it ended early: {sentence}", purged.removed) })
            }
        }
    }

    async fn parked(&self) -> Result<Parked, Refused> {
        let context = &self.parts.shared.context;
        let parked = waiting::parked(context.tables()?, &context.queue, &self.letters, self.parts.parking_deadline).await;
        Ok(parked.map_err(Refusal::from)?)
    }

    async fn trace(&self, by: TraceBy, id: &str) -> Result<Trace, Refused> {
        let id = id.trim();
        let uuid =
            || Uuid::try_parse(id).map_err(|_| bad(&format!("{} is a UUID in full, such as 0190f5c2-7d1e-7c4a-9b1e-0242ac120002.", a(by))));
        let (tables, queue) = (self.parts.shared.context.tables()?, &self.parts.shared.context.queue);
        let subject = match by {
            TraceBy::Event => {
                let event_id = uuid()?;
                let question = Question { event_id, entity: None, event_at: None };
                let dead_letters = async {
                    match self.letters.index().await {
                        Ok(index) => letters::of_event(queue, index, event_id).await,
                        Err(_) => of_event(queue, event_id).await,
                    }
                };
                let found = trace_with(tables, dead_letters, question).await;
                let steps = found.timeline().into_iter().map(|step| shown(step, Some(event_id))).collect();
                return Ok(Trace { id: event_id.to_string(), verdict: problem(&found.verdict()), findings: named(found.lines()), steps });
            }
            TraceBy::User => TraceSubject::Entity(Entity::User(uuid()?)),
            TraceBy::Order => TraceSubject::Entity(Entity::Order(uuid()?)),
            TraceBy::Payment => TraceSubject::Entity(Entity::Payment(uuid()?)),
            TraceBy::Sku => TraceSubject::Article(id.to_owned()),
        };
        let id = subject.id();
        let found = trace_subject(tables, queue, subject).await;
        let steps = found.timeline().into_iter().map(|step| shown(step, None)).collect();
        Ok(Trace { id, verdict: problem(&found.verdict()), findings: named(found.lines()), steps })
    }

    fn last_check(&self) -> Option<Checked> {
        self.parts.shared.check.last().map(|last| checked::checked(&last))
    }

    async fn run_check(&self, Caller(caller): &Caller) -> Checked {
        checked::checked(&*self.parts.shared.check.run(caller).await)
    }

    fn verification(&self) -> Verification {
        verification::verification(&self.parts.shared.metrics.encode(), self.parts.shared.verify.is_some())
    }

    fn verify_now(&self, Caller(caller): &Caller) -> Result<(), Refused> {
        let Some(verify) = &self.parts.shared.verify else {
            return Err(Refused { kind: RefusalKind::Impossible, sentence: NO_SCHEDULE.to_owned() });
        };
        verify.begin();
        tracing::info!(caller, "a verification is wanted now");
        Ok(())
    }

    async fn audit(&self, before: Option<i64>, limit: usize) -> Result<Vec<AuditRow>, Refused> {
        let page = AuditPage::Before(before.unwrap_or(i64::MAX));
        let entries = self.parts.shared.context.tables()?.audit_page(page, limit).await.map_err(Refusal::from)?;
        Ok(entries.into_iter().map(audit_row).collect())
    }

    async fn permit(&self, Caller(caller): &Caller, permit: console::Permit) -> Result<(), Refused> {
        let permit = match permit {
            console::Permit::Nothing => Permit::Nothing,
            console::Permit::Records(records) => Permit::Records(records),
            console::Permit::Everything => Permit::Everything,
        };
        let audit = (self.parts.shared.context.audit()?, Who::console(caller));
        change_permit(&self.parts.shared.context.queue, audit, permit).await?;
        self.held.forget();
        tracing::info!(caller, ?permit, "what may pass of a flood was changed");
        Ok(())
    }

    fn settings(&self) -> Vec<(String, String)> {
        self.parts.settings.clone()
    }
}

fn audit_row(AuditEntry { number, record, .. }: AuditEntry) -> AuditRow {
    let AuditRecord { at, actor, origin, action, operation, subject, outcome, .. } = record;
    AuditRow { number, at: at.to_string(), actor, origin, action, operation: operation.to_string(), subject, outcome }
}

/// What is looked for by, with its article.
const fn a(by: TraceBy) -> &'static str {
    match by {
        TraceBy::Event => "An event id",
        TraceBy::User => "A user id",
        TraceBy::Order => "An order id",
        TraceBy::Payment => "A payment id",
        TraceBy::Sku => "A SKU",
    }
}

fn named(lines: Vec<(&'static str, String)>) -> Vec<(String, String)> {
    lines.into_iter().map(|(place, what)| (place.to_owned(), what)).collect()
}

/// A step as the console shows it, beside that of this event.
fn shown(step: Step, asked_for: Option<Uuid>) -> TraceStep {
    let Step { at, kind, sentence, event_id, letter } = step;
    let event_id = event_id.filter(|event_id| Some(*event_id) != asked_for).map(|id| id.to_string());
    TraceStep { at: at.map(|at| at.to_string()), kind: kind.label().to_owned(), sentence, event_id, letter }
}

/// What a change is to be done to: nothing in particular means nothing, unless all are meant.
fn meant(selection: &Selection) -> Result<Filter, Refused> {
    let filter = filter(selection)?;
    let means_all = Filter { until: None, ..filter.clone() }.is_empty();
    if means_all && !selection.all {
        return Err(bad("Say which dead letters are meant: by ids, reason, fingerprint, event type or age, or all of them."));
    }
    Ok(filter)
}
