//! Parked events by what they wait for.

use std::collections::HashMap;
use std::time::Duration;

use console::{MissingParent, Parked, Waiting};
use pipeline::WaitsFor;
use pipeline::fault::Fault;
use pipeline::ports::TableRows;

use crate::dlq::printable::printable;

/// Events that are looked at, at most.
const MOST: u64 = 20_000;
/// Events that are read at once.
const PAGE: usize = 1000;
/// Parents that are shown, and events of one parent.
const PARENTS: usize = 200;
const SHOWN: usize = 20;

pub(super) async fn parked(tables: &impl TableRows, deadline: Duration) -> Result<Parked, Fault> {
    let mut parents: HashMap<WaitsFor, MissingParent> = HashMap::new();
    let (mut examined, mut has_more) = (0, false);
    let mut page = tables.waiting_page(None, PAGE).await?;
    while let Some(last) = page.last().cloned() {
        for event in &page {
            let place = format!("{}/{}/{}", printable(&event.position.topic), event.position.partition, event.position.offset);
            let parked_at = event.parked_at.to_string();
            let parent = parents.entry(event.waits_for).or_insert_with(|| MissingParent {
                name: name(event.waits_for),
                children: 0,
                oldest: parked_at.clone(),
                first: Vec::new(),
            });
            parent.children += 1;
            if parked_at < parent.oldest {
                parent.oldest.clone_from(&parked_at);
            }
            if parent.first.len() < SHOWN {
                parent.first.push(Waiting { event_id: event.event_id.to_string(), place, parked_at });
            }
        }
        examined += page.len() as u64;
        page = tables.waiting_page(Some(last.parked_key()), PAGE).await?;
        if examined >= MOST {
            has_more = !page.is_empty();
            break;
        }
    }
    let mut parents: Vec<_> = parents.into_values().collect();
    parents.sort_by(|a, b| b.children.cmp(&a.children).then_with(|| a.oldest.cmp(&b.oldest)).then_with(|| a.name.cmp(&b.name)));
    let hidden = parents.len().saturating_sub(PARENTS) as u64;
    parents.truncate(PARENTS);
    Ok(Parked { parents, hidden, examined: (examined, has_more), deadline_seconds: deadline.as_secs() })
}

fn name(waits_for: WaitsFor) -> String {
    match waits_for {
        WaitsFor::User(id) => format!("user {id}"),
        WaitsFor::Order(id) => format!("order {id}"),
        WaitsFor::Email => "an e-mail address".to_owned(),
    }
}
