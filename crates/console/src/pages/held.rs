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
use crate::state::Console;
use crate::words::{When, thousands};

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

    fn of(Held { at, unconsumed, examined, already, records, caveats }: Held, most: usize, now: SystemTime) -> Self {
        let broken = records.len() as u64;
        let summary = summary(examined, unconsumed, (broken, already));
        let with_time = |record: HeldRecord| {
            let at = When::maybe(record.at.as_ref(), now);
            (record, at)
        };
        let rows = records.into_iter().take(most).map(with_time).collect();
        Self { looked: When::of(&at, now), summary, rows, caveats, broken }
    }
}

/// How many were looked at, and how many of them cannot be written: those that wait, and those that are dead letters already. What is not consumed is told
/// in offsets, of which a transaction takes one more than it has records.
fn summary(examined: u64, unconsumed: u64, (broken, already): (u64, u64)) -> String {
    let looked_at = match examined {
        0 => return "No record was looked at: none is there that is not consumed, or none came.".to_owned(),
        1 => "The oldest record was looked at".to_owned(),
        _ => format!("The {} oldest records were looked at", thousands(examined)),
    };
    let letters = match already {
        0 => None,
        1 => Some("1 is a dead letter already".to_owned()),
        _ => Some(format!("{} are dead letters already", thousands(already))),
    };
    let found = match (examined, broken, letters) {
        (1, 0, None) => "it can be written".to_owned(),
        (1, 0, Some(_)) => "it is a dead letter already".to_owned(),
        (1, ..) => "it cannot be written".to_owned(),
        (_, 0, None) => "each of them can be written".to_owned(),
        (_, 0, Some(letters)) => format!("{letters}, and each other can be written"),
        (_, _, None) => format!("{} of them cannot be written", thousands(broken)),
        (_, _, Some(letters)) => format!("{} of them cannot be written, and {letters}", thousands(broken)),
    };
    let not_consumed =
        if unconsumed == 1 { "1 offset is not consumed".to_owned() } else { format!("{} offsets are not consumed", thousands(unconsumed)) };
    format!("{looked_at} ({not_consumed}): {found}.")
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_and_many_are_told_right() {
        for (examined, unconsumed, found, told) in [
            (0, 1, (0, 0), "No record was looked at"),
            (1, 1, (1, 0), "The oldest record was looked at (1 offset is not consumed): it cannot be written."),
            (1, 2, (0, 0), "The oldest record was looked at (2 offsets are not consumed): it can be written."),
            (1, 2, (0, 1), "(2 offsets are not consumed): it is a dead letter already."),
            (200, 1_986, (1, 0), "The 200 oldest records were looked at (1,986 offsets are not consumed): 1 of them cannot be written."),
            (200, 200, (50, 150), ": 50 of them cannot be written, and 150 are dead letters already."),
            (200, 200, (0, 1), ": 1 is a dead letter already, and each other can be written."),
            (7, 7, (0, 0), ": each of them can be written."),
        ] {
            let summary = summary(examined, unconsumed, found);
            assert!(summary.contains(told), "{summary}");
        }
    }
}
