//! Parked events by what they wait for.

use std::time::Duration;

use console::{MissingParent, Parked, Waiting};
use pipeline::fault::Fault;
use pipeline::ports::AwaitedParents;
use pipeline::{AwaitedChild, AwaitedParent};

use crate::dlq::printable::printable;
use crate::parked::parent_name;

/// Parents that are shown, and events of one parent.
const PARENTS: usize = 200;
const SHOWN: usize = 20;

pub(super) async fn parked(tables: &impl AwaitedParents, deadline: Duration) -> Result<Parked, Fault> {
    let awaited = tables.awaited(PARENTS, SHOWN).await?;
    let mut parents: Vec<_> = awaited.largest.iter().map(parent).collect();
    parents.sort_by(|a, b| b.children.cmp(&a.children).then_with(|| a.oldest.cmp(&b.oldest)).then_with(|| a.name.cmp(&b.name)));
    let hidden = awaited.parents.saturating_sub(parents.len() as u64);
    Ok(Parked { parents, hidden, events: awaited.events, deadline_seconds: deadline.as_secs() })
}

fn parent(parent: &AwaitedParent) -> MissingParent {
    MissingParent {
        name: parent_name(parent.waits_for),
        children: parent.children,
        oldest: parent.oldest.to_string(),
        first: parent.first.iter().map(child).collect(),
    }
}

fn child(AwaitedChild { event_id, position, parked_at }: &AwaitedChild) -> Waiting {
    let place = format!("{}/{}/{}", printable(&position.topic), position.partition, position.offset);
    Waiting { event_id: event_id.to_string(), place, parked_at: parked_at.to_string() }
}
