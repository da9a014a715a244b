//! Dead letters: lists, one of them, and an edited one.

use std::sync::Arc;

use console::{Draft, Foreseen, Letter, LetterPage, LetterRow, PayloadField, Rehearsal, RehearsedRow, Sent};
use pipeline::fault::Fault;
use pipeline::ports::{AuditLog, ClaimQueue, Clock as _, DeadLetterReader, DryRun, Publisher};
use pipeline::record::{TimestampType, hex};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::index::{Found, Index, Places, entries};
use super::payload::{fields, stopped, wrong};
use super::sentences::{error, shortened, told};
use super::words::problem;
use crate::audit::Who;
use crate::backends::SystemClock;
use crate::dlq::dry_run::{dry_run, foresee};
use crate::dlq::dry_run_outcome::{DryRunOutcome, Preview};
use crate::dlq::edit::{Revision, changes, editable, resend};
use crate::dlq::find::find;
use crate::dlq::listed::Listed;
use crate::dlq::newest_first::NewestFirst;
use crate::dlq::printable::printable;
use crate::dlq::purge::count;
use crate::dlq::{AdminContext, Filter, RedriveRequest, Refusal};
use crate::reason::reason;
use crate::trace::DeadLetters;
use crate::trace::letters::of_event as dead_letters;

/// Headers of a record that are shown, at most.
const HEADERS: usize = 100;
/// Entries read at once.
const PAGE: u64 = 500;
/// Entries of a rehearsal that are shown one by one.
const SHOWN: usize = 200;

/// A page of the list from a place on that the index does not reach, or of all entries, which needs none: looks through the queue itself.
pub(super) async fn page(queue: &impl DeadLetterReader, filter: &Filter, start: u64, limit: u64) -> Result<LetterPage, Refusal> {
    let now = SystemClock.now();
    let (mut rows, mut next) = (Vec::new(), start);
    let depth = queue.depth().await?;
    // Of all entries, one more than are shown tells whether there are others.
    let size = if filter.is_empty() { limit.saturating_add(1).min(PAGE) } else { PAGE };
    let mut pages = NewestFirst::at(queue, start);
    loop {
        let page = pages.page(size).await?;
        if page.is_empty() {
            return Ok(LetterPage { depth, rows, next: None });
        }
        for (place, entry) in page {
            if rows.len() as u64 >= limit {
                return Ok(LetterPage { depth, rows, next: Some(next) });
            }
            next = place + 1;
            let listed = Listed::new(entry);
            if filter.selects(&listed, now) {
                rows.push(row(&listed));
            }
        }
    }
}

/// The same from the index, as far as it reaches.
pub(super) async fn page_of(
    queue: &impl DeadLetterReader,
    index: &Index,
    filter: &Filter,
    start: u64,
    limit: u64,
) -> Result<LetterPage, Refusal> {
    let depth = index.state().depth;
    let reach = depth - index.unknown();
    if start >= reach && index.unknown() > 0 {
        return page(queue, filter, start, limit).await;
    }
    let found = index.page(filter, SystemClock.now(), start, usize::try_from(limit).unwrap_or(usize::MAX));
    let next = found.next.or_else(|| (index.unknown() > 0).then_some(reach));
    Ok(LetterPage { depth, rows: found.rows, next })
}

/// The dead letters of an event, by the index, and where the list has changed since by the queue itself.
pub(super) async fn of_event(queue: &impl DeadLetterReader, index: Arc<Index>, event_id: Uuid) -> Result<DeadLetters, Fault> {
    let (places, is_all, depth) = (index.of_event(event_id), index.unknown() == 0, index.state().depth);
    let meant = Places::new(queue, index, places);
    if is_all {
        let found = dead_letters(&meant, event_id).await?;
        if !meant.moved() {
            return Ok(DeadLetters { examined: depth, ..found });
        }
    }
    dead_letters(queue, event_id).await
}

/// The entry whose id begins so: at the place that the index says, where it still stands there, and else wherever it is.
async fn find_by<Q: DeadLetterReader>(queue: &Q, index: Option<&Index>, id: &str) -> Result<Listed, Refusal> {
    if let Some((index, place)) = index.and_then(|index| Some((index, index.by_id(&id.to_ascii_lowercase())?)))
        && let Found::Same(mut texts) = entries(queue, index, &[place]).await?
        && let Some(text) = texts.pop()
    {
        return Ok(Listed::new(text));
    }
    find(queue, id).await
}

pub(super) async fn one<Q: DeadLetterReader, P, T>(
    context: &AdminContext<Q, P, T>,
    index: Option<&Index>,
    id: &str,
) -> Result<Letter, Refusal> {
    let listed = find_by(&context.queue, index, id).await?;
    let value = listed.entry.as_ref().and_then(|entry| entry.value());
    let entry = listed.entry.as_ref();
    let key = entry.and_then(|entry| entry.key()).map(text);
    let headers = entry.map(|entry| &entry.headers).into_iter().flatten();
    let headers = headers.filter_map(|header| header.header()).take(HEADERS);
    let headers = headers.map(|header| (shortened(&header.name), header.value.map(|value| shortened(&text(value))))).collect();
    let failed_again = entry.filter(|entry| entry.first_timestamp.is_some()).and_then(|entry| entry.at()).map(|at| at.to_string());
    let record_at = entry.and_then(|entry| entry.record_at()).map(|at| at.to_string());
    let record_clock = entry.and_then(|entry| entry.record_clock()).map(TimestampType::words);
    let event_at = listed.event_at().map(|at| at.to_string());
    let stopped = entry.zip(value.as_deref()).and_then(|(entry, value)| stopped(entry, value, context.terms.rules));
    let field = stopped.as_ref().and_then(|violation| violation.field).map(|field| field.to_string());
    let fields = value.as_deref().map_or_else(Vec::new, |value| fields(value, stopped.as_ref()));
    let bytes = value.unwrap_or_else(|| listed.text.clone().into_bytes());
    let is_text = std::str::from_utf8(&bytes).is_ok();
    let told = told(&listed).filter(|_| !listed.is_ours()).map(shortened);
    Ok(Letter {
        row: row(&listed),
        told,
        key,
        headers,
        failed_again,
        record_at,
        record_clock,
        event_at,
        is_text,
        editable: editable(&listed).ok(),
        field,
        fields,
        bytes,
    })
}

/// The bytes as text, or as hexadecimal digits where they are none.
pub(super) fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| hex(error.as_bytes()))
}

fn row(listed: &Listed) -> LetterRow {
    let entry = listed.entry.as_ref();
    let place = entry.and_then(|entry| Some(format!("{}/{}/{}", printable(entry.topic.as_deref()?), entry.partition?, entry.offset?)));
    LetterRow {
        id: listed.id.clone(),
        since: entry.and_then(|entry| entry.first_at()).map(|at| at.to_string()),
        reason: shortened(listed.reason()),
        event_type: listed.event_type().to_owned(),
        event_id: entry.and_then(|entry| entry.event_id.clone()).filter(|id| Uuid::try_parse(id).is_ok()),
        fingerprint: listed.fingerprint().into_owned(),
        error: error(listed),
        place,
        retries: listed.retries(),
    }
}

pub(super) async fn check<Q: DeadLetterReader, P, T: DryRun>(
    context: &AdminContext<Q, P, T>,
    index: Option<&Index>,
    id: &str,
    payload: &str,
) -> Result<Draft, Refusal> {
    let listed = find_by(&context.queue, index, id).await?;
    let broken = |refusal: &Refusal, wrong| Draft {
        problem: Some(problem(refusal)),
        wrong,
        diff: changes(&listed, payload).unwrap_or_default(),
        foreseen: None,
    };
    let revision = match Revision::new(&listed, payload, context.terms.rules, &context.terms.topic) {
        Ok(revision) => revision,
        Err(Refusal::Violation(violation)) => {
            let wrong = wrong(payload.as_bytes(), &violation);
            return Ok(broken(&Refusal::Violation(violation), wrong));
        }
        Err(refusal @ Refusal::OtherEvent) => {
            // Its sentence begins with the name of the field.
            let sentence = refusal.to_string();
            let (path, why) = sentence.split_once(' ').unwrap_or_default();
            let id = PayloadField { path: path.to_owned(), value: None, problem: Some(why.to_owned()) };
            return Ok(broken(&refusal, vec![id]));
        }
        Err(refusal @ Refusal::Unchanged) => return Ok(broken(&refusal, Vec::new())),
        Err(refusal) => return Err(refusal),
    };
    let message = revision.dead_letter.message;
    let foreseen = match context.tables() {
        Ok(tables) => match foresee(tables, message, context.terms.rules).await {
            Ok(outcome) => Ok(foreseen(&outcome)),
            Err(fault) => Err(problem(&reason(&fault))),
        },
        Err(refusal) => Err(problem(&refusal)),
    };
    Ok(Draft { problem: None, wrong: Vec::new(), diff: revision.diff, foreseen: Some(foreseen) })
}

fn foreseen(outcome: &DryRunOutcome) -> Foreseen {
    Foreseen { outcome: outcome.label().to_owned(), detail: outcome.detail() }
}

pub(super) async fn send<Q: DeadLetterReader + ClaimQueue, P: Publisher, T: AuditLog>(
    context: &AdminContext<Q, P, T>,
    stop: &CancellationToken,
    caller: &str,
    id: &str,
    payload: &str,
) -> Result<Sent, Refusal> {
    let listed = find(&context.queue, id).await?;
    let revision = Revision::new(&listed, payload, context.terms.rules, &context.terms.topic)?;
    let (event_id, topic) = (revision.event_id, revision.dead_letter.topic.clone());
    let delivered = resend(&context.route(stop)?, (context.audit()?, Who::console(caller)), revision).await?;
    tracing::info!(caller, entry = listed.id, eventId = %event_id, edited = 1, "a dead letter was edited and sent");
    let place = format!("{}/{}/{}", printable(&topic), delivered.partition, delivered.offset);
    Ok(Sent { event_id: event_id.to_string(), place })
}

pub(super) async fn rehearse<Q: DeadLetterReader, P, T: DryRun>(
    context: &AdminContext<Q, P, T>,
    index: Arc<Index>,
    filter: Filter,
    limit: u64,
) -> Result<Rehearsal, Refusal> {
    let now = SystemClock.now();
    let places = index.places(&filter, now);
    let (selected, is_all) = (places.len() as u64, index.unknown() == 0);
    let order = RedriveRequest { filter, limit: Some(limit), rate: None, max_retries: context.terms.max_retries };
    let meant = Places::new(&context.queue, index, places);
    if is_all {
        let rehearsal = rehearsal(context, &meant, &order, selected).await?;
        if !meant.moved() {
            return Ok(rehearsal);
        }
    }
    let selected = count(&context.queue, &order.filter, now).await?;
    rehearsal(context, &context.queue, &order, selected).await
}

async fn rehearsal<Q, P, T: DryRun>(
    context: &AdminContext<Q, P, T>,
    queue: &impl DeadLetterReader,
    order: &RedriveRequest,
    selected: u64,
) -> Result<Rehearsal, Refusal> {
    let mut rows = Vec::new();
    let mut add = |Preview { id, event_type, event_id, outcome, detail }| {
        if rows.len() < SHOWN {
            let foreseen = Foreseen { outcome: outcome.to_owned(), detail };
            rows.push(RehearsedRow { id, event_type: event_type.to_owned(), event_id, foreseen });
        }
    };
    let totals = dry_run(queue, context.tables()?, order, context.terms.rules, &mut add).await?;
    let counts = totals.counts().into_iter().filter(|(_, count)| *count > 0);
    let batches = totals.batches;
    Ok(Rehearsal { totals: counts.map(|(outcome, count)| (outcome.to_owned(), count)).collect(), selected, rows, batches })
}
