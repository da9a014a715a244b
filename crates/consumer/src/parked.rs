//! What events wait for, and who waits; `parked …` on a command line.

use std::fmt;
use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use clap::Subcommand;
use events::Timestamp;
use pipeline::fault::Fault;
use pipeline::ports::{AwaitedParents, Clock as _};
use pipeline::{Awaited, AwaitedChild, AwaitedParent, WaitsFor};
use serde_json::{Value, json};
use telemetry::output::print_line;
use uuid::Uuid;

use crate::backends::SystemClock;
use crate::dlq::printable::printable;
use crate::plural::plural;

/// Parents that `list` tells, where nothing else is asked for.
pub(crate) const LISTED: usize = 20;
/// Events of one parent that `list` tells in JSON, and that `show` tells.
const FIRST: usize = 3;
const SHOWN: usize = 100;
/// Parents among which `show` looks, those that the most wait for.
const LOOKED_AT: usize = 10_000;

/// What can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum ParkedCommand {
    /// List what is waited for, those for which the most events wait first.
    List {
        /// At most so many.
        #[arg(long, value_name = "N", default_value_t = LISTED)]
        limit: usize,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Show the events that wait for one user or order, those that have waited longest first.
    Show {
        /// The user's or the order's id; `email` for those that wait for an e-mail address.
        parent: ParentName,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
}

/// Asks the tables, and prints what they say. The exit code is 0 where it could be printed and something was found that was asked for by name, and 1
/// otherwise.
///
/// # Errors
/// The tables are away.
pub async fn run(tables: &impl AwaitedParents, command: ParkedCommand) -> Result<ExitCode, Fault> {
    let now = SystemClock.now();
    let (text, json, is_found) = match command {
        ParkedCommand::List { limit, json } => {
            let awaited = list(tables, limit).await?;
            let text = List { awaited: &awaited, now }.to_string();
            (if json { document(&awaited).to_string() } else { text }, json, true)
        }
        ParkedCommand::Show { parent, json } => {
            let found = find(tables, parent).await?;
            let text = found.as_ref().map_or_else(|| "nothing waits for it".to_owned(), |parent| Show { parent, now }.to_string());
            (if json { found.as_ref().map_or(Value::Null, parent_document).to_string() } else { text }, json, found.is_some())
        }
    };
    let printed = print_line(if json { text.as_str() } else { text.trim_end() });
    Ok(if printed && is_found { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What is waited for, those for which the most events wait first.
///
/// # Errors
/// The tables are away.
pub(crate) async fn list(tables: &impl AwaitedParents, limit: usize) -> Result<Awaited, Fault> {
    tables.awaited(limit, FIRST).await
}

/// One of them, with the events that have waited longest for it; `None` where nothing waits for it.
///
/// # Errors
/// The tables are away.
pub(crate) async fn find(tables: &impl AwaitedParents, name: ParentName) -> Result<Option<AwaitedParent>, Fault> {
    Ok(tables.awaited(LOOKED_AT, SHOWN).await?.largest.into_iter().find(|awaited| name.is_of(awaited.waits_for)))
}

/// What something that is waited for is called: a user's or an order's id, or `email`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParentName {
    /// The id of a user or an order.
    Id(Uuid),
    /// Some e-mail address.
    Email,
}

/// It is neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the id of a user or an order in full, nor `email`")]
pub struct NoParentName;

impl FromStr for ParentName {
    type Err = NoParentName;

    fn from_str(text: &str) -> Result<Self, NoParentName> {
        if text.eq_ignore_ascii_case("email") { Ok(Self::Email) } else { Uuid::parse_str(text).map(Self::Id).map_err(|_| NoParentName) }
    }
}

impl ParentName {
    fn is_of(self, waits_for: WaitsFor) -> bool {
        match waits_for {
            WaitsFor::User(id) | WaitsFor::Order(id) => self == Self::Id(id),
            WaitsFor::Email => self == Self::Email,
        }
    }
}

/// What is waited for, in words.
pub(crate) fn parent_name(waits_for: WaitsFor) -> String {
    match waits_for {
        WaitsFor::User(id) => format!("user {id}"),
        WaitsFor::Order(id) => format!("order {id}"),
        WaitsFor::Email => "an e-mail address".to_owned(),
    }
}

/// For how long, to the second.
pub(crate) fn waited(since: Timestamp, now: Timestamp) -> String {
    settings::span::format(Duration::from_secs(now.since(since).as_secs()))
}

struct List<'a> {
    awaited: &'a Awaited,
    now: Timestamp,
}

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Awaited { events, parents, largest } = self.awaited;
        writeln!(
            f,
            "{events} event{} wait{} for {parents} parent{}",
            plural(*events),
            if *events == 1 { "s" } else { "" },
            plural(*parents)
        )?;
        if largest.is_empty() {
            return Ok(());
        }
        writeln!(f, "  {:>9}  {:>10}  waits for", "events", "longest")?;
        for AwaitedParent { waits_for, children, oldest, .. } in largest {
            writeln!(f, "  {children:>9}  {:>10}  {}", waited(*oldest, self.now), parent_name(*waits_for))?;
        }
        match parents.saturating_sub(largest.len() as u64) {
            0 => Ok(()),
            hidden => writeln!(f, "and {hidden} more; --limit shows them"),
        }
    }
}

struct Show<'a> {
    parent: &'a AwaitedParent,
    now: Timestamp,
}

impl fmt::Display for Show<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AwaitedParent { waits_for, children, oldest, first, .. } = self.parent;
        let events = if *children == 1 { "1 event waits".to_owned() } else { format!("{children} events wait") };
        writeln!(f, "{events} for {}, the first for {}", parent_name(*waits_for), waited(*oldest, self.now))?;
        for AwaitedChild { event_id, position, parked_at } in first {
            let place = format!("{}/{}/{}", printable(&position.topic), position.partition, position.offset);
            writeln!(f, "  {event_id}  {:>10}  {place}", waited(*parked_at, self.now))?;
        }
        match children.saturating_sub(first.len() as u64) {
            0 => Ok(()),
            hidden => writeln!(f, "and {hidden} more"),
        }
    }
}

/// As JSON.
pub(crate) fn document(Awaited { events, parents, largest }: &Awaited) -> Value {
    json!({ "events": events, "parents": parents, "largest": largest.iter().map(parent_document).collect::<Vec<_>>() })
}

/// One of them as JSON.
pub(crate) fn parent_document(AwaitedParent { waits_for, children, oldest, first, .. }: &AwaitedParent) -> Value {
    let (kind, id) = match waits_for {
        WaitsFor::User(id) => ("user", Some(id)),
        WaitsFor::Order(id) => ("order", Some(id)),
        WaitsFor::Email => ("email", None),
    };
    let child = |AwaitedChild { event_id, position, parked_at }: &AwaitedChild| {
        json!({
            "eventId": event_id, "parkedAt": parked_at, "topic": position.topic.as_ref(), "partition": position.partition, "offset": position.offset,
        })
    };
    let first: Vec<_> = first.iter().map(child).collect();
    json!({ "waitsFor": kind, "id": id, "events": children, "oldest": oldest, "first": first })
}

#[cfg(test)]
mod tests {
    use pipeline::Position;

    use super::*;

    fn awaited() -> Awaited {
        let at = Timestamp::parse("2026-01-15T10:00:00Z").unwrap();
        let position = Position { topic: "events".into(), partition: 3, offset: 42 };
        let first = vec![AwaitedChild { event_id: Uuid::from_u128(7), position, parked_at: at }];
        let user = AwaitedParent { waits_for: WaitsFor::User(Uuid::from_u128(1)), children: 12, oldest: at, written: false, first };
        let email = AwaitedParent { waits_for: WaitsFor::Email, children: 1, oldest: at, written: false, first: Vec::new() };
        Awaited { events: 13, parents: 5, largest: vec![user, email] }
    }

    #[test]
    fn parents_are_listed_with_how_many_wait_and_how_long() {
        let now = Timestamp::parse("2026-01-15T10:12:00Z").unwrap();
        let expected = "\
13 events wait for 5 parents
     events     longest  waits for
         12         12m  user 00000000-0000-0000-0000-000000000001
          1         12m  an e-mail address
and 3 more; --limit shows them
";
        assert_eq!(List { awaited: &awaited(), now }.to_string(), expected);
        let expected = "\
12 events wait for user 00000000-0000-0000-0000-000000000001, the first for 12m
  00000000-0000-0000-0000-000000000007         12m  events/3/42
and 11 more
";
        assert_eq!(Show { parent: &awaited().largest[0], now }.to_string(), expected);
        assert_eq!(
            List { awaited: &Awaited { events: 0, parents: 0, largest: Vec::new() }, now }.to_string(),
            "0 events wait for 0 parents\n"
        );
    }

    #[test]
    fn a_parent_is_named_by_its_id_or_as_an_address() {
        let id = Uuid::from_u128(1);
        let is_named = |waits_for, name: &str| name.parse::<ParentName>().unwrap().is_of(waits_for);
        assert!(is_named(WaitsFor::User(id), &id.to_string()) && is_named(WaitsFor::Order(id), &id.simple().to_string()));
        assert!(
            is_named(WaitsFor::Email, "Email") && !is_named(WaitsFor::Email, &id.to_string()) && !is_named(WaitsFor::User(id), "email")
        );
        assert_eq!("ada@example.com".parse::<ParentName>(), Err(NoParentName));
        let document = document(&awaited());
        assert_eq!((&document["largest"][0]["waitsFor"], &document["largest"][0]["first"][0]["offset"]), (&json!("user"), &json!(42)));
    }
}
