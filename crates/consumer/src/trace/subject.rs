//! What is known of a user, an order, a payment or an article.

use std::collections::BTreeSet;
use std::fmt;

use pipeline::Entity;
use pipeline::dead_letter::Entry;
use pipeline::fault::Fault;
use pipeline::ports::{AuditLog, DeadLetterReader, EventTrace};
use pipeline::trace::{HISTORY_ROWS, History, PARKED_LOOKED_THROUGH, Subject};
use serde_json::{Value, json};

use super::report::{counted, dead, parked, shown, trouble};
use super::{Changes, DeadLetters, Letter, changes, letters};
use crate::dlq::printable::printable;
use crate::plural::plural;

/// What is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectFindings {
    /// What was asked for.
    pub subject: Subject,
    /// What the tables say, or why they could not be asked.
    pub tables: Result<History, Fault>,
    /// What the dead letter queue says, or why it could not be asked.
    pub dead_letters: Result<DeadLetters, Fault>,
    /// What operators have done to it, or why the audit log could not be asked.
    pub changes: Result<Changes, Fault>,
}

/// Looks for everything about it. The tables are asked before the queue, as for one event.
pub async fn trace_subject<T: EventTrace + AuditLog, Q: DeadLetterReader>(tables: &T, queue: &Q, subject: Subject) -> SubjectFindings {
    let history = tables.history(&subject).await;
    let dead_letters = letters::of_subject(queue, &subject).await;
    let mut ids = BTreeSet::new();
    if let Ok(history) = &history {
        let events = history.row.iter().map(|row| row.event_id).chain(history.ledger.iter().map(|line| line.event_id));
        ids.extend(events.chain(history.parked.iter().map(|row| row.event_id)).map(|id| id.to_string()));
    }
    for Letter { listed, .. } in dead_letters.iter().flat_map(|letters| &letters.found) {
        ids.insert(listed.id.clone());
        ids.extend(listed.entry.as_ref().and_then(Entry::event_uuid).map(|id| id.to_string()));
    }
    let changes = changes::changes(tables, &ids).await;
    SubjectFindings { subject, tables: history, dead_letters, changes }
}

impl SubjectFindings {
    /// Whether every part could be asked, and one of them knows it.
    pub fn found(&self) -> bool {
        self.changes.is_ok() && matches!((&self.tables, &self.dead_letters), (Ok(tables), Ok(letters)) if is_known(tables, letters))
    }

    /// What it comes to, in one sentence.
    pub fn verdict(&self) -> String {
        let name = name(&self.subject);
        let (Ok(tables), Ok(letters)) = (&self.tables, &self.dead_letters) else {
            return format!("not everything about {name} could be asked");
        };
        if !is_known(tables, letters) {
            return match &tables.folded_before {
                Some(before) => {
                    format!("nothing knows {name}; there is no opening balance of it among the lines that were folded before {before}")
                }
                None => format!("nothing knows {name}"),
            };
        }
        let mut parts = Vec::new();
        match (&tables.row, &tables.stock, &self.subject) {
            (Some(row), _, _) => parts.push(format!("shows event {} of {}", row.event_id, row.event_at)),
            (_, Some(stock), _) => parts.push(format!("has a stock of {}", stock.quantity)),
            (None, None, Subject::Entity(_)) => parts.push("has no row".to_owned()),
            (None, None, Subject::Article(_)) => parts.push("has no stock".to_owned()),
        }
        if !tables.parked.is_empty() {
            parts.push(format!("{} parked", are(tables.parked.len() as u64)));
        }
        if tables.children_total > 0 {
            parts.push(format!("{} for it", waits(tables.children_total)));
        }
        let letters = letters.found.len() as u64 + letters.more;
        if letters > 0 {
            parts.push(format!("{letters} dead letter{}", plural(letters)));
        }
        format!("{name} {}", parts.join("; "))
    }

    /// What each place says, in sentences; what the timeline shows is counted.
    pub fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = match &self.tables {
            Ok(history) => table_lines(&self.subject, history),
            Err(fault) => vec![("tables", format!("could not be asked: {}", trouble(fault)))],
        };
        lines.push((
            "dead letters",
            match &self.dead_letters {
                Ok(DeadLetters { found, more: 0, examined }) => match found.len() {
                    0 => format!("none of the {examined} in the list is about it"),
                    many => format!("{many} of the {examined} in the list"),
                },
                Ok(DeadLetters { found, more, examined }) => {
                    format!("{} of the {examined} in the list, of which the {} oldest are shown", found.len() as u64 + more, found.len())
                }
                Err(fault) => format!("could not be asked: {}", trouble(fault)),
            },
        ));
        lines.push(("changes", super::report::changes_line(&self.changes)));
        lines
    }

    /// All of it as JSON. What is not known is null.
    pub fn to_json(&self) -> Value {
        let (history, letters) = (self.tables.as_ref().ok(), self.dead_letters.as_ref().ok());
        let kind = match &self.subject {
            Subject::Entity(entity) => entity.name(),
            Subject::Article(_) => "sku",
        };
        json!({
            "of": kind,
            "id": self.subject.id(),
            "verdict": self.verdict(),
            "tables": {
                "notAsked": self.tables.as_ref().err().map(trouble),
                "row": history.and_then(|history| history.row.as_ref()).map(shown),
                "stock": history.and_then(|history| history.stock).map(|stock| json!({ "quantity": stock.quantity, "updatedAt": stock.updated_at })),
                "ledger": history.map(|history| history.ledger.iter().map(counted).collect::<Vec<_>>()),
                "foldedBefore": history.and_then(|history| history.folded_before),
                "parked": history.map(|history| history.parked.iter().map(parked).collect::<Vec<_>>()),
                "waiting": history.map(|history| history.children.iter().map(parked).collect::<Vec<_>>()),
                "waitingInAll": history.map(|history| history.children_total),
            },
            "deadLetters": {
                "notAsked": self.dead_letters.as_ref().err().map(trouble),
                "examined": letters.map(|letters| letters.examined),
                "found": letters.map(|letters| letters.found.iter().map(dead).collect::<Vec<_>>()),
                "more": letters.map(|letters| letters.more),
            },
            "changes": super::report::changes_json(&self.changes),
            "timeline": self.timeline().iter().map(super::Step::to_json).collect::<Vec<_>>(),
        })
    }
}

fn is_known(tables: &History, letters: &DeadLetters) -> bool {
    let History { row, stock, ledger, parked, children, .. } = tables;
    row.is_some() || stock.is_some() || !ledger.is_empty() || !parked.is_empty() || !children.is_empty() || !letters.found.is_empty()
}

/// `1 event of it is`, `2 events of it are`.
fn are(count: u64) -> String {
    format!("{count} event{} of it {}", plural(count), if count == 1 { "is" } else { "are" })
}

/// How it is called.
pub fn name(subject: &Subject) -> String {
    match subject {
        Subject::Entity(entity) => entity.to_string(),
        Subject::Article(sku) => format!("article {}", printable(sku)),
    }
}

fn table_lines(subject: &Subject, history: &History) -> Vec<(&'static str, String)> {
    let Subject::Entity(entity) = subject else { return article_lines(history) };
    let mut lines = vec![(
        "rows",
        match &history.row {
            Some(row) => format!(
                "shows event {}: event time {}, written {}; what it showed before is kept nowhere",
                row.event_id, row.event_at, row.updated_at
            ),
            None => "there is none".to_owned(),
        },
    )];
    let parked = match (entity, history.parked.len()) {
        (Entity::User(_), 0) => "no event of it waits for an e-mail address".to_owned(),
        (Entity::Order(_) | Entity::Payment(_), 0) => format!("none of the first {PARKED_LOOKED_THROUGH} parked events is about it"),
        (_, many) => format!("{} parked", are(many as u64)),
    };
    lines.push(("parking", parked));
    if entity.as_parent().is_some() {
        let all = history.children_total;
        let shown =
            if all > HISTORY_ROWS as u64 { format!(", of which the {HISTORY_ROWS} that wait longest are shown") } else { String::new() };
        lines.push(("waiting", if all == 0 { "no event waits for it".to_owned() } else { format!("{} for it{shown}", waits(all)) }));
    }
    lines
}

fn waits(count: u64) -> String {
    format!("{count} event{} {}", plural(count), if count == 1 { "waits" } else { "wait" })
}

fn article_lines(history: &History) -> Vec<(&'static str, String)> {
    let stock = match &history.stock {
        Some(stock) => format!("{}, written {}", stock.quantity, stock.updated_at),
        None => "there is none".to_owned(),
    };
    let mut ledger = match history.ledger.len() {
        0 => "no line".to_owned(),
        HISTORY_ROWS => format!("the {HISTORY_ROWS} lines that were applied last are shown"),
        many => format!("{many} line{}", plural(many as u64)),
    };
    if let Some(before) = history.folded_before {
        ledger.push_str(&format!("; lines of events before {before} were folded into an opening balance"));
    }
    vec![("stock", stock), ("ledger", ledger)]
}

impl fmt::Display for SubjectFindings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, what) in self.lines() {
            writeln!(f, "{place:<13} {what}")?;
        }
        super::report::write_timeline(f, &self.timeline())?;
        write!(f, "{:<13} {}", "verdict", self.verdict())
    }
}
