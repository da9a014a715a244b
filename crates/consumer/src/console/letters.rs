//! Dead letters: groups, lists, one of them, and an edited one.

use std::collections::HashMap;

use console::{Draft, Foreseen, Group, Letter, LetterPage, LetterRow, Rehearsal, RehearsedRow, Sent};
use pipeline::ports::{AuditLog, ClaimQueue, Clock as _, DeadLetterReader, DryRun, End, Publisher};
use pipeline::record::hex;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::words::problem;
use crate::audit::Who;
use crate::backends::SystemClock;
use crate::dlq::dry_run::{dry_run, foresee};
use crate::dlq::dry_run_outcome::{DryRunOutcome, Preview};
use crate::dlq::edit::{Revision, changes, editable, resend};
use crate::dlq::find::find;
use crate::dlq::listed::Listed;
use crate::dlq::printable::printable;
use crate::dlq::purge::count;
use crate::dlq::scan::Scan;
use crate::dlq::{AdminContext, Filter, RedriveRequest, Refusal};
use crate::reason::reason;

/// Fingerprints that are counted each by itself, and of those the largest that are told; other programs may have pushed anything.
const GROUPS: usize = 100_000;
const TOLD: usize = 1000;
/// Characters of a text that another program may have written, at most.
const LONGEST: usize = 300;
/// Headers of a record that are shown, at most.
const HEADERS: usize = 100;
/// Points of a sparkline.
const SPANS: usize = 24;
/// Entries read at once.
const PAGE: u64 = 500;
/// Entries of a rehearsal that are shown one by one.
const SHOWN: usize = 200;

/// A group while it is counted.
struct Counted {
    group: Group,
    /// When its members became dead letters, in microseconds since 1970.
    times: Vec<i64>,
}

pub(super) async fn groups(queue: &impl DeadLetterReader) -> Result<Vec<Group>, Refusal> {
    let mut groups: HashMap<String, Counted> = HashMap::new();
    let mut scan = Scan::start(queue).await?;
    loop {
        let page = scan.look().await?;
        if page.is_empty() {
            break;
        }
        page.iter().for_each(|listed| note(&mut groups, listed));
    }
    let times = || groups.values().flat_map(|counted| &counted.times);
    let (first, last) = (times().min().copied().unwrap_or_default(), times().max().copied().unwrap_or_default());
    let mut groups: Vec<_> =
        groups.into_values().map(|Counted { group, times }| Group { history: history(&times, first, last), ..group }).collect();
    groups.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.fingerprint.cmp(&b.fingerprint)));
    groups.truncate(TOLD);
    Ok(groups)
}

fn note(groups: &mut HashMap<String, Counted>, listed: &Listed) {
    let fingerprint = listed.fingerprint();
    if groups.len() >= GROUPS && !groups.contains_key(&*fingerprint) {
        return;
    }
    let counted = groups.entry(fingerprint.clone().into_owned()).or_insert_with(|| Counted {
        group: Group {
            fingerprint: fingerprint.into_owned(),
            count: 0,
            first_seen: None,
            last_seen: None,
            history: Vec::new(),
            sample: error(listed),
            sample_id: listed.id.clone(),
        },
        times: Vec::new(),
    });
    counted.group.count += 1;
    let Some(at) = listed.entry.as_ref().and_then(|entry| entry.at()) else { return };
    counted.times.push(at.unix_micros());
    // RFC 3339 in UTC, as it is written here, sorts as text.
    let at = Some(at.to_string());
    if counted.group.first_seen.is_none() || at < counted.group.first_seen {
        counted.group.first_seen.clone_from(&at);
    }
    if at > counted.group.last_seen {
        counted.group.last_seen = at;
    }
}

/// How many of these times lie in each of equally long spans.
fn history(times: &[i64], first: i64, last: i64) -> Vec<u64> {
    let mut spans = vec![0; SPANS];
    let length = i128::from(last) - i128::from(first) + 1;
    for time in times {
        let place = (i128::from(*time) - i128::from(first)) * SPANS as i128 / length;
        if let Some(span) = usize::try_from(place).ok().and_then(|place| spans.get_mut(place)) {
            *span += 1;
        }
    }
    spans
}

pub(super) async fn page(queue: &impl DeadLetterReader, filter: &Filter, start: u64, limit: u64) -> Result<LetterPage, Refusal> {
    let now = SystemClock.now();
    let (mut rows, mut next) = (Vec::new(), start);
    let depth = queue.depth().await?;
    loop {
        let page = queue.page(End::Newest, next, PAGE).await?;
        if page.is_empty() {
            return Ok(LetterPage { depth, rows, next: None });
        }
        for listed in page.into_iter().map(Listed::new) {
            if rows.len() as u64 >= limit {
                return Ok(LetterPage { depth, rows, next: Some(next) });
            }
            next += 1;
            if filter.selects(&listed, now) {
                rows.push(row(&listed));
            }
        }
    }
}

pub(super) async fn one<Q: DeadLetterReader, P, T>(context: &AdminContext<Q, P, T>, id: &str) -> Result<Letter, Refusal> {
    let listed = find(&context.queue, id).await?;
    let value = listed.entry.as_ref().and_then(|entry| entry.value());
    let entry = listed.entry.as_ref();
    let key = entry.and_then(|entry| entry.key()).map(text);
    let headers = entry.map(|entry| &entry.headers).into_iter().flatten();
    let headers = headers.filter_map(|header| header.header()).take(HEADERS);
    let headers = headers.map(|header| (shortened(&header.name), header.value.map(|value| shortened(&text(value))))).collect();
    let failed_again = entry.filter(|entry| entry.first_timestamp.is_some()).and_then(|entry| entry.at()).map(|at| at.to_string());
    let field = value.as_deref().and_then(|value| events::decode(value).err()?.field).map(|field| field.to_string());
    let bytes = value.unwrap_or_else(|| listed.text.clone().into_bytes());
    let is_text = std::str::from_utf8(&bytes).is_ok();
    let told = told(&listed).filter(|_| !is_ours(&listed)).map(shortened);
    Ok(Letter { row: row(&listed), told, key, headers, failed_again, is_text, editable: editable(&listed).ok(), field, bytes })
}

/// The bytes as text, or as hexadecimal digits where they are none.
fn text(bytes: Vec<u8>) -> String {
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

/// The sentence of an entry. What another program wrote may hold personal data, and is not for everybody.
fn error(listed: &Listed) -> String {
    match told(listed) {
        None => "It does not tell why.".to_owned(),
        Some(error) if is_ours(listed) => problem(&shortened(error)),
        Some(_) => "Another program wrote it; its own words are shown to editors.".to_owned(),
    }
}

fn told(listed: &Listed) -> Option<&str> {
    listed.entry.as_ref().map(|entry| entry.error.as_str()).filter(|error| !error.is_empty())
}

/// Whether this program has written the entry, as far as its form tells: it names a reason of ours, and a fingerprint that begins with it.
fn is_ours(listed: &Listed) -> bool {
    let (reason, fingerprint) = (listed.reason(), listed.fingerprint());
    let is_known = telemetry::catalog::DLQ_REASONS.contains(&reason) && listed.entry.as_ref().is_some_and(|entry| entry.reason.is_some());
    let mut parts = fingerprint.split(':');
    is_known && parts.next() == Some(reason) && parts.count() == 2
}

/// A text of another program, fit for a page.
fn shortened(text: &str) -> String {
    let text = printable(text);
    if text.chars().count() <= LONGEST { text.into_owned() } else { text.chars().take(LONGEST).chain(['…']).collect() }
}

pub(super) async fn check<Q: DeadLetterReader, P, T: DryRun>(
    context: &AdminContext<Q, P, T>,
    id: &str,
    payload: &str,
) -> Result<Draft, Refusal> {
    let listed = find(&context.queue, id).await?;
    let wrong = |refusal: &Refusal, field: Option<String>| Draft {
        problem: Some(problem(refusal)),
        field,
        diff: changes(&listed, payload).unwrap_or_default(),
        foreseen: None,
    };
    let revision = match Revision::new(&listed, payload, context.terms.rules, &context.terms.topic) {
        Ok(revision) => revision,
        Err(refusal @ Refusal::Violation(_)) => {
            let field = if let Refusal::Violation(violation) = &refusal { violation.field.map(|field| field.to_string()) } else { None };
            return Ok(wrong(&refusal, field));
        }
        Err(refusal @ Refusal::OtherEvent) => return Ok(wrong(&refusal, Some("eventId".to_owned()))),
        Err(refusal @ Refusal::Unchanged) => return Ok(wrong(&refusal, None)),
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
    Ok(Draft { problem: None, field: None, diff: revision.diff, foreseen: Some(foreseen) })
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
    filter: Filter,
    limit: u64,
) -> Result<Rehearsal, Refusal> {
    let selected = count(&context.queue, &filter, SystemClock.now()).await?;
    let order = RedriveRequest { filter, limit: Some(limit), rate: None, max_retries: context.terms.max_retries };
    let mut rows = Vec::new();
    let mut add = |Preview { id, event_type, event_id, outcome, detail }| {
        if rows.len() < SHOWN {
            let foreseen = Foreseen { outcome: outcome.to_owned(), detail };
            rows.push(RehearsedRow { id, event_type: event_type.to_owned(), event_id, foreseen });
        }
    };
    let totals = dry_run(&context.queue, context.tables()?, &order, context.terms.rules, &mut add).await?;
    let counts = totals.counts().into_iter().filter(|(_, count)| *count > 0);
    let batches = totals.batches;
    Ok(Rehearsal { totals: counts.map(|(outcome, count)| (outcome.to_owned(), count)).collect(), selected, rows, batches })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparkline_counts_each_time_in_one_span() {
        assert_eq!(history(&[5, 5, 5], 5, 5).iter().sum::<u64>(), 3);
        let spans = history(&[0, 1, 99], 0, 99);
        assert_eq!((spans[0], spans[SPANS - 1], spans.iter().sum::<u64>()), (2, 1, 3));
        assert_eq!(history(&[i64::MIN, i64::MAX], i64::MIN, i64::MAX).iter().sum::<u64>(), 2);
        assert!(history(&[], 0, 0).iter().all(|count| *count == 0));
    }
}
