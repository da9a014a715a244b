//! Requests that change nothing.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use futures_util::stream;
use pipeline::dead_letter::{Encoding, Entry};
use pipeline::ports::{Clock as _, DeadLetterReader};
use serde::Serialize;
use serde_json::{Value, json};

use super::Admin;
use super::query::{ExportQuery, ListQuery, StatsQuery};
use crate::admin::AdminRole;
use crate::admin::answer::Refused;
use crate::admin::request::{Asked, asked};
use crate::backends::SystemClock;
use crate::dlq::find::find;
use crate::dlq::listed::{Listed, Row};
use crate::dlq::newest_first::NewestFirst;
use crate::dlq::refusal::Refusal;
use crate::dlq::scan::Scan;
use crate::dlq::stats::{By, Stats, stats};
use crate::dlq::transfer::export_page;

/// Entries of one answer, where nothing is asked for, and at most.
const LIMITS: (u64, u64) = (50, 1000);
/// Entries read at once.
const PAGE: u64 = 500;

type Shared<Q, P, T> = State<Arc<Admin<Q, P, T>>>;

/// `GET /admin/dlq`: newest first. `next` is the place in the list from which to ask on.
pub(super) async fn list<Q: DeadLetterReader, P, T>(
    State(admin): Shared<Q, P, T>,
    query: Asked<ListQuery>,
) -> Result<Json<Value>, Refused> {
    let query = asked(query)?;
    let filter = query.filter()?;
    let limit = query.limit.unwrap_or(LIMITS.0).min(LIMITS.1);
    let (queue, now) = (&admin.context.queue, SystemClock.now());
    let mut next = query.start.unwrap_or(0);
    let (mut entries, mut pages) = (Vec::new(), NewestFirst::at(queue, next));
    let ended = loop {
        let page = pages.page(PAGE).await?;
        if page.is_empty() {
            break true;
        }
        let mut full = false;
        for (place, entry) in page {
            full = entries.len() as u64 >= limit;
            if full {
                break;
            }
            next = place + 1;
            let listed = Listed::new(entry);
            if filter.selects(&listed, now) {
                entries.push(json!(listed.row(now)));
            }
        }
        if full {
            break false;
        }
    };
    let next = if ended { Value::Null } else { next.into() };
    let (depth, claimed) = (queue.depth().await?, queue.claimed().await?);
    Ok(Json(json!({ "depth": depth, "claimed": claimed, "entries": entries, "next": next })))
}

/// `GET /admin/dlq/stats`. A key may be personal data: keys are counted for editors alone.
pub(super) async fn count<Q: DeadLetterReader, P, T>(
    State(admin): Shared<Q, P, T>,
    Extension(role): Extension<AdminRole>,
    query: Asked<StatsQuery>,
) -> Result<Json<Stats>, Refused> {
    let query = asked(query)?;
    let (filter, by) = (query.filter()?, query.by()?);
    if by.contains(&By::Key) && role < AdminRole::Editor {
        return Err(Refused::with(
            StatusCode::FORBIDDEN,
            "The role of this token (ADMIN_ROLES) does not allow keys: they may be personal data.",
        ));
    }
    Ok(Json(stats(&admin.context.queue, &filter, &by, SystemClock.now()).await?))
}

/// All that an entry says.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Whole<'a> {
    #[serde(flatten)]
    row: Row<'a>,
    record_timestamp: Option<&'a str>,
    record_timestamp_type: Option<&'a str>,
    key: Option<&'a str>,
    key_encoding: Option<Encoding>,
    original_data: Option<&'a str>,
    encoding: Option<Encoding>,
    /// Of what is no dead letter, its text.
    text: Option<&'a str>,
}

/// `GET /admin/dlq/{id}`.
pub(super) async fn show<Q: DeadLetterReader, P, T>(
    State(admin): Shared<Q, P, T>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Refused> {
    let Path(id) = id.map_err(|_| Refusal::NotAnId)?;
    let listed = find(&admin.context.queue, &id).await?;
    let of = |entry: Option<&Entry>| entry.map(|entry| (entry.key_encoding, entry.encoding));
    let entry = listed.entry.as_ref();
    let whole = Whole {
        row: listed.row(SystemClock.now()),
        record_timestamp: entry.and_then(|entry| entry.record_timestamp.as_deref()),
        record_timestamp_type: entry.and_then(|entry| entry.record_timestamp_type.as_deref()),
        key: entry.and_then(|entry| entry.key.as_deref()),
        key_encoding: of(entry).map(|(key, _)| key),
        original_data: entry.map(|entry| entry.original_data.as_str()),
        encoding: of(entry).map(|(_, data)| data),
        text: entry.is_none().then_some(listed.text.as_str()),
    };
    Ok(Json(whole).into_response())
}

/// `GET /admin/dlq/export`: JSON lines, oldest first, of those that the filters of a list mean. Breaks off when the queue goes away meanwhile.
pub(super) async fn export<Q, P, T>(State(admin): Shared<Q, P, T>, query: Asked<ExportQuery>) -> Result<Response, Refused>
where
    Q: DeadLetterReader + Clone + 'static,
{
    let query = asked(query)?;
    let meant = Arc::new((query.filter()?, SystemClock.now()));
    let place = Scan::start(&admin.context.queue).await?.place();
    let queue = admin.context.queue.clone();
    let pages = stream::try_unfold((queue, place, meant), async |(queue, place, meant)| {
        let mut scan = Scan::at(&queue, place);
        let lines = export_page(&mut scan, &meant.0, meant.1).await?.concat();
        let place = scan.place();
        Ok::<_, pipeline::Fault>((!lines.is_empty()).then(|| (Bytes::from(lines), (queue, place, meant))))
    });
    Ok(([(CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(pages)).into_response())
}
