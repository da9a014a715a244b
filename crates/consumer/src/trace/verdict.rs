//! What the findings come to, in one sentence.

use std::fmt;

use events::Timestamp;
use pipeline::Entity;
use pipeline::WaitsFor;
use pipeline::trace::{LedgerLine, ParkedRow, ShownRow};

use super::{Findings, Letter};
use crate::dlq::printable::printable;

/// What the findings come to. Of several traces, the one that says most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict<'f> {
    /// A row shows it.
    Shown(&'f ShownRow),
    /// It counts in the stock.
    Counted(&'f LedgerLine),
    /// It waits, or has waited in vain. With the row that its entity has meanwhile.
    Parked(&'f ParkedRow, Option<Standing<'f>>),
    /// It is a dead letter. With the row that its entity has meanwhile.
    Dead(&'f Letter, Option<Standing<'f>>),
    /// Nothing knows it, but the row of its entity shows another event.
    Other(Standing<'f>),
    /// Nothing knows it, and lines of the ledger of its time were folded into opening balances. With the time before which they were.
    Folded(Timestamp),
    /// Nothing knows it.
    Unknown(Option<Entity>),
    /// Nothing that could be asked knows it, and not everything could be asked.
    Open,
}

/// The row of the event's entity, which shows another event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing<'f> {
    row: &'f ShownRow,
    age: Age,
}

/// How the event of a row stands to the one that is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Age {
    Newer,
    Older,
    /// The time of the one that is looked for is not known.
    Unknown,
}

impl Findings {
    /// What they come to.
    pub fn verdict(&self) -> Verdict<'_> {
        let (trace, dead_letters) = (self.tables.as_ref().ok(), self.dead_letters.as_ref().ok());
        let standing = self.standing();
        if let Some(row) = trace.and_then(|trace| trace.shown_by.first()) {
            Verdict::Shown(row)
        } else if let Some(line) = trace.and_then(|trace| trace.ledger.as_ref()) {
            Verdict::Counted(line)
        } else if let Some(row) = trace.and_then(|trace| trace.parked.first()) {
            Verdict::Parked(row, standing)
        } else if let Some(dead_letter) = dead_letters.and_then(|dead_letters| dead_letters.found.last()) {
            Verdict::Dead(dead_letter, standing)
        } else if trace.is_none() || dead_letters.is_none() {
            Verdict::Open
        } else {
            standing.map_or_else(|| self.folded().map_or(Verdict::Unknown(self.question.entity), Verdict::Folded), Verdict::Other)
        }
    }

    /// Whether every part could be asked, and one of them knows the event or what has taken its place.
    pub fn found(&self) -> bool {
        let known = match self.verdict() {
            Verdict::Shown(_) | Verdict::Counted(_) | Verdict::Parked(..) | Verdict::Dead(..) => true,
            Verdict::Other(standing) => standing.age == Age::Newer,
            // Whether it was ever applied cannot be told.
            Verdict::Folded(_) | Verdict::Unknown(_) | Verdict::Open => false,
        };
        known && self.tables.is_ok() && self.dead_letters.is_ok()
    }

    /// Before which time lines were folded, where the event may have had one of them: it is that old, and no user, order or payment is known of it.
    fn folded(&self) -> Option<Timestamp> {
        let before = self.tables.as_ref().ok()?.folded_before?;
        (self.question.entity.is_none() && self.question.event_at.is_some_and(|at| at < before)).then_some(before)
    }

    fn standing(&self) -> Option<Standing<'_>> {
        let row = self.tables.as_ref().ok()?.entity.as_ref()?;
        let age = match self.question.event_at {
            None => Age::Unknown,
            // Of equal times, the greater event id wins.
            Some(at) if (row.event_at, row.event_id) > (at, self.question.event_id) => Age::Newer,
            Some(_) => Age::Older,
        };
        Some(Standing { row, age })
    }
}

impl Verdict<'_> {
    /// A stable word for it.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Shown(_) | Self::Counted(_) => "applied",
            Self::Parked(ParkedRow { expired: false, .. }, _) => "parked",
            Self::Parked(ParkedRow { expired: true, .. }, _) => "given_up",
            Self::Dead(..) => "dead_letter",
            Self::Other(Standing { age: Age::Newer, .. }) => "superseded",
            Self::Other(Standing { age: Age::Older, .. }) => "not_applied",
            Self::Other(Standing { age: Age::Unknown, .. }) | Self::Unknown(_) => "unknown",
            Self::Folded(_) => "folded",
            Self::Open => "open",
        }
    }
}

impl fmt::Display for Verdict<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shown(row) => write!(f, "applied: {} shows it", row.entity),
            Self::Counted(line) => write!(f, "applied: it counts as {:+} in the stock of {}", line.delta, printable(&line.sku)),
            Self::Parked(row, standing) => {
                let waits_for = Awaited(row.waits_for);
                match row.expired {
                    false => write!(f, "it waits for {waits_for} since {}", row.parked_at)?,
                    true => write!(f, "it waited for {waits_for} in vain and is on its way to the dead letters")?,
                }
                meanwhile(f, *standing)
            }
            Self::Dead(dead_letter, standing) => {
                write!(f, "it is a dead letter ({})", printable(dead_letter.listed.reason()))?;
                meanwhile(f, *standing)
            }
            Self::Other(standing @ Standing { age, .. }) => match age {
                Age::Newer => write!(f, "superseded: {standing}"),
                Age::Older => write!(f, "not applied: {standing}, and nothing else knows this one"),
                Age::Unknown => {
                    write!(
                        f,
                        "nothing knows it, but {standing}; give the event's own time (--at) to be told whether that has superseded it"
                    )
                }
            },
            Self::Folded(before) => write!(
                f,
                "nothing knows it any more: if it adjusted stock, its line was folded into the opening balance of its article, as those of all \
                 events before {before}; it will not be applied again"
            ),
            Self::Unknown(Some(entity)) => write!(f, "nothing knows it, and there is no {entity}"),
            Self::Unknown(None) => f.write_str(
                "nothing knows it; a newer event of the same user, order or payment may have taken its place, name it to be told \
                 (--user, --order, --payment)",
            ),
            Self::Open => f.write_str("cannot be said: not everything could be asked, and what could does not know it"),
        }
    }
}

/// What has become of its entity while it did not land.
fn meanwhile(f: &mut fmt::Formatter<'_>, standing: Option<Standing<'_>>) -> fmt::Result {
    match standing {
        Some(standing @ Standing { age: Age::Newer, .. }) => write!(f, "; {standing}, so that it would have no effect any more"),
        Some(standing) => write!(f, "; {standing}"),
        None => Ok(()),
    }
}

impl fmt::Display for Standing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ShownRow { entity, event_id, event_at, .. } = self.row;
        match self.age {
            Age::Newer => write!(f, "{entity} shows the newer event {event_id} of {event_at}"),
            Age::Older => write!(f, "{entity} still shows the older event {event_id} of {event_at}"),
            Age::Unknown => write!(f, "{entity} shows event {event_id} of {event_at}"),
        }
    }
}

/// What a parked event waits for, in words.
pub(super) struct Awaited(pub(super) WaitsFor);

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            WaitsFor::User(id) => write!(f, "user {id}"),
            WaitsFor::Order(id) => write!(f, "order {id}"),
            WaitsFor::Email => f.write_str("its e-mail address to become free"),
        }
    }
}
