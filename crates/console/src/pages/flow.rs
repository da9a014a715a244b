//! The flow: producers → partitions → consumers → tables, waiting, dead letters.

use std::sync::Arc;
use std::time::SystemTime;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect};

use super::consumers::{self, ConsumerRow, Down, down, lost};
use super::problem::{bad, refused};
use super::{Answer, Screen, Shell, html};
use crate::access::{Notice, Visitor};
use crate::draw::{Diagram, Moving};
use crate::fields::Fields;
use crate::filters;
use crate::port::{Flow, Known, Operations, Permit, Reader};
use crate::rates::{PartitionRate, Rates, until_caught_up};
use crate::state::Console;
use crate::words::{When, counted, per_second, span, thousands};

#[derive(Template)]
#[template(path = "flow.html")]
struct FlowPage {
    shell: Shell,
    flow: Flow,
    at: When,
    lost: Vec<String>,
    down: Vec<Down>,
    consumers: Known<Vec<ConsumerRow>>,
    wide: Diagram,
    narrow: Diagram,
    partitions: Vec<PartitionRow>,
    lag: String,
    catch_up: String,
    applied: Option<String>,
    oldest_parked: Option<When>,
}

struct PartitionRow {
    number: i32,
    reader: Reader,
    end: u64,
    next: u64,
    lag: u64,
    produced: String,
    consumed: String,
    catch_up: String,
}

/// `GET /console/`.
pub(crate) async fn show<O: Operations>(State(console): State<Arc<Console<O>>>, Extension(visitor): Extension<Visitor>) -> Answer {
    let (flow, rates) = console.flow(&visitor).await;
    let now = SystemTime::now();
    let partitions = flow.partitions.as_deref().unwrap_or_default();
    let rows = partitions.iter().map(|partition| {
        let rate = rates.as_ref().and_then(|rates| rates.partitions.iter().find(|rate| rate.number == partition.number));
        PartitionRow {
            number: partition.number,
            reader: flow.reader(partition.number, partition.ours),
            end: partition.end.unsigned_abs(),
            next: partition.next.unsigned_abs(),
            lag: partition.lag,
            produced: rate.map_or_else(unmeasured, |rate| per_second(rate.produced)),
            consumed: rate.map_or_else(unmeasured, |rate| per_second(rate.consumed)),
            catch_up: rate.map_or_else(unmeasured, |rate| catch_up(partition.lag, *rate)),
        }
    });
    let moving = Moving::of(&flow, rates.as_ref());
    let page = FlowPage {
        shell: Shell::new(&console.gate, &visitor, Screen::Flow, "Flow"),
        at: When::of(&flow.at, now),
        lost: lost(&flow),
        down: down(&flow, now, || console.operations.held_known()),
        consumers: consumers::rows(&flow.consumers, now),
        wide: Diagram::wide(&flow, &moving),
        narrow: Diagram::narrow(&flow, &moving),
        partitions: rows.collect(),
        lag: flow.partitions.as_ref().map_or_else(|_| "unknown".to_owned(), |all| thousands(all.iter().map(|one| one.lag).sum())),
        catch_up: rates.as_ref().map_or_else(unmeasured, |rates| slowest(&flow, rates)),
        applied: rates.as_ref().map(|rates| per_second(rates.applied)),
        oldest_parked: flow.parked.as_ref().ok().and_then(|(_, oldest)| oldest.as_ref()).map(|oldest| When::of(oldest, now)),
        flow,
    };
    Ok(html(StatusCode::OK, &page))
}

/// `POST /console/permit`: so many records of a flood may pass, or all, or none.
pub(crate) async fn permit<O: Operations>(
    State(console): State<Arc<Console<O>>>,
    Extension(visitor): Extension<Visitor>,
    Extension(fields): Extension<Fields>,
) -> Answer {
    let permit = match fields.get("permit") {
        Some("everything") => Permit::Everything,
        Some("nothing") => Permit::Nothing,
        Some("records") => match fields.given("records").and_then(|records| records.replace(',', "").parse().ok()).filter(|&n| n > 0) {
            Some(records) => Permit::Records(records),
            None => return Err(bad(&console, &visitor, "The number of records that may pass must be a whole number of 1 or more.")),
        },
        _ => return Err(bad(&console, &visitor, "Say what may pass: so many records, everything, or nothing.")),
    };
    let sentence = match permit {
        Permit::Nothing => "Nothing may pass: what cannot be written is held.".to_owned(),
        Permit::Everything => "Every unwritable record may become a dead letter from now on.".to_owned(),
        Permit::Records(1) => "1 unwritable record may become a dead letter.".to_owned(),
        Permit::Records(records) => format!("{} unwritable records may become dead letters.", thousands(records)),
    };
    tracing::info!(caller = visitor.account.name, ?permit, "permits records of a flood, from the console");
    console.operations.permit(&visitor.caller(), permit).await.map_err(|why| refused(&console, &visitor, &why))?;
    console.gate.sessions.tell(&visitor.key, Notice { sentence, link: None });
    Ok(Redirect::to("/console/").into_response())
}

fn unmeasured() -> String {
    "–".to_owned()
}

fn catch_up(lag: u64, rate: PartitionRate) -> String {
    match until_caught_up(lag, rate) {
        _ if lag == 0 => "caught up".to_owned(),
        Some(time) => span(time),
        None if rate.produced > rate.consumed => "never: it grows".to_owned(),
        None => "never: it stands still".to_owned(),
    }
}

/// When the last partition has caught up.
fn slowest(flow: &Flow, rates: &Rates) -> String {
    let partitions = flow.partitions.as_deref().unwrap_or_default();
    let behind = partitions.iter().filter(|partition| partition.lag > 0);
    let times: Vec<_> = behind
        .map(|partition| {
            let rate = rates.partitions.iter().find(|rate| rate.number == partition.number)?;
            until_caught_up(partition.lag, *rate)
        })
        .collect();
    let stuck = times.iter().filter(|time| time.is_none()).count() as u64;
    match times.iter().flatten().max() {
        _ if stuck > 0 => format!("{} not getting closer", counted(stuck, "partition is", "partitions are")),
        Some(longest) => format!("caught up in {}", span(*longest)),
        None => "caught up".to_owned(),
    }
}
