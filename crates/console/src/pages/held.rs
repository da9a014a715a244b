//! What a hold keeps back: a few of the records beside the permit, and all that were looked at as a screen.

use std::sync::Arc;
use std::time::SystemTime;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;

use super::problem::refused;
use super::{Answer, Screen, Shell, html};
use crate::access::Visitor;
use crate::port::{Held, HeldRecord, Known, Operations, Refused};
use crate::routes::Console;
use crate::words::{When, counted, thousands};

/// Records beside a permit.
const SAMPLES: usize = 3;

/// Some of the records that are held.
pub(super) struct Records {
    pub looked: When,
    /// How many were looked at, and how many of them cannot be written.
    pub summary: String,
    pub rows: Vec<(HeldRecord, When)>,
    pub caveats: Vec<String>,
    /// How many of them cannot be written.
    pub broken: u64,
}

impl Records {
    /// A few of them, as far as they are known.
    pub fn samples(known: Result<Held, Refused>, now: SystemTime) -> Known<Self> {
        known.map(|held| Self::of(held, SAMPLES, now)).map_err(|refused| refused.sentence)
    }

    fn of(Held { at, unconsumed, examined, records, caveats }: Held, most: usize, now: SystemTime) -> Self {
        let broken = records.len() as u64;
        let looked_at = match (examined, unconsumed) {
            (1, 1) => "The one record that is not consumed was looked at".to_owned(),
            (examined, unconsumed) if examined == unconsumed => {
                format!("All {} that are not consumed were looked at", counted(examined, "record", "records"))
            }
            (examined, unconsumed) => format!(
                "The {} oldest of {} that are not consumed were looked at",
                thousands(examined),
                counted(unconsumed, "record", "records")
            ),
        };
        let summary = match (examined, broken) {
            (0, _) => "No record was looked at: none is there that is not consumed, or none came.".to_owned(),
            (_, 1) => format!("{looked_at}; 1 of them cannot be written."),
            (_, 0) => format!("{looked_at}; each of them can be written."),
            (_, broken) => format!("{looked_at}; {} of them cannot be written.", thousands(broken)),
        };
        let with_time = |record: HeldRecord| {
            let at = When::maybe(record.at.as_ref(), now);
            (record, at)
        };
        let rows = records.into_iter().take(most).map(with_time).collect();
        Self { looked: When::of(&at, now), summary, rows, caveats, broken }
    }
}

#[derive(Template)]
#[template(path = "held.html")]
struct HeldPage {
    shell: Shell,
    held: Records,
}

/// `GET /console/held`: waits until the log was looked at.
pub(crate) async fn show<O: Operations>(State(console): State<Arc<Console<O>>>, Extension(visitor): Extension<Visitor>) -> Answer {
    let held = console.operations.held().await.map_err(|why| refused(&console, &visitor, &why))?;
    let held = Records::of(held, usize::MAX, SystemTime::now());
    Ok(html(StatusCode::OK, &HeldPage { shell: Shell::new(&console.gate, &visitor, Screen::Other, "Held records"), held }))
}
