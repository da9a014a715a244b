//! Parked events by what they wait for, and what has become of that.

use std::collections::HashMap;
use std::time::Duration;

use console::{Known, MissingParent, ParentFate, Parked, TraceBy, Waiting};
use pipeline::fault::Fault;
use pipeline::ports::{AwaitedParents, DeadLetterReader};
use pipeline::{Awaited, AwaitedChild, AwaitedParent, WaitsFor};
use uuid::Uuid;

use super::flow::known;
use super::index::{AboutOne, Index};
use super::keeper::Keeper;
use crate::dlq::printable::printable;
use crate::parked::parent_name;

/// Parents that are shown, and events of one parent.
const PARENTS: usize = 200;
const SHOWN: usize = 20;

/// One question to the tables, and one look through the dead letters in memory, however many parents there are.
pub(super) async fn parked<Q>(tables: &impl AwaitedParents, queue: &Q, letters: &Keeper<Q>, deadline: Duration) -> Result<Parked, Fault>
where
    Q: DeadLetterReader + 'static,
{
    let awaited = tables.awaited(PARENTS, SHOWN).await?;
    let mut parents = Vec::with_capacity(awaited.largest.len());
    if !awaited.largest.is_empty() {
        let letters = match letters.index().await {
            Ok(index) => Letters::of(&awaited, &index, known(queue.claimed()).await),
            Err(refused) => Letters { found: HashMap::new(), otherwise: ParentFate::Unknown(refused.sentence) },
        };
        parents.extend(awaited.largest.iter().map(|one| parent(one, letters.fate(one, &awaited))));
    }
    parents.sort_by(|a, b| b.children.cmp(&a.children).then_with(|| a.oldest.cmp(&b.oldest)).then_with(|| a.name.cmp(&b.name)));
    let hidden = awaited.parents.saturating_sub(parents.len() as u64);
    Ok(Parked { parents, hidden, events: awaited.events, deadline_seconds: deadline.as_secs() })
}

/// What the dead letters say of the parents of one page.
struct Letters {
    found: HashMap<Uuid, AboutOne>,
    /// What is known of a parent that none of them is about.
    otherwise: ParentFate,
}

impl Letters {
    /// The dead letters in memory; `claimed` of them are in no list.
    fn of(awaited: &Awaited, index: &Index, claimed: Known<u64>) -> Self {
        let ids = awaited.largest.iter().filter_map(|one| one.waits_for.parent_id()).collect();
        let (depth, unknown) = (index.state().depth, index.unknown());
        Self { found: index.about(&ids), otherwise: in_no_letter(depth - unknown, unknown, claimed) }
    }

    fn fate(&self, parent: &AwaitedParent, awaited: &Awaited) -> ParentFate {
        let Some(id) = parent.waits_for.parent_id() else { return ParentFate::Held };
        if parent.written {
            return ParentFate::Written;
        }
        if let Some(AboutOne { newest, by_key, others }) = self.found.get(&id) {
            return ParentFate::DeadLetter { id: newest.clone(), by_key: *by_key, others: *others };
        }
        match may_wait_for(parent.waits_for, awaited) {
            Some(what) if self.otherwise == ParentFate::NeverSeen => {
                ParentFate::NotFound(format!("It is no dead letter; it may be parked itself, for {what}."))
            }
            _ => self.otherwise.clone(),
        }
    }
}

/// What is known of a parent that none of so many letters is about, where there may be others.
fn in_no_letter(looked_at: u64, unknown: u64, claimed: Known<u64>) -> ParentFate {
    match (unknown, claimed) {
        (1.., _) => ParentFate::NotFound(format!("It is not among the newest {looked_at} dead letters, which alone are looked at.")),
        (0, Err(why)) => {
            ParentFate::NotFound(format!("It is no dead letter of the list; whether a redrive has claimed it is not known. {why}"))
        }
        (0, Ok(1)) => ParentFate::NotFound("It is no dead letter of the list; a redrive has claimed 1 more.".to_owned()),
        (0, Ok(claimed @ 2..)) => ParentFate::NotFound(format!("It is no dead letter of the list; a redrive has claimed {claimed} more.")),
        (0, Ok(0)) => ParentFate::NeverSeen,
    }
}

/// What a parent may wait for itself, because some events do: no index tells what a parked event is about.
fn may_wait_for(parent: WaitsFor, awaited: &Awaited) -> Option<&'static str> {
    let is_hidden = awaited.parents > awaited.largest.len() as u64;
    let waits = |is_meant: fn(WaitsFor) -> bool| is_hidden || awaited.largest.iter().any(|one| is_meant(one.waits_for));
    match parent {
        WaitsFor::Order(_) => waits(|what| matches!(what, WaitsFor::User(_))).then_some("its user"),
        WaitsFor::User(_) => waits(|what| what == WaitsFor::Email).then_some("its e-mail address"),
        WaitsFor::Email => None,
    }
}

fn parent(parent: &AwaitedParent, fate: ParentFate) -> MissingParent {
    let trace = match parent.waits_for {
        WaitsFor::User(id) => Some((TraceBy::User, id.to_string())),
        WaitsFor::Order(id) => Some((TraceBy::Order, id.to_string())),
        WaitsFor::Email => None,
    };
    MissingParent {
        name: parent_name(parent.waits_for),
        children: parent.children,
        oldest: parent.oldest.to_string(),
        fate,
        trace,
        first: parent.first.iter().map(child).collect(),
    }
}

fn child(AwaitedChild { event_id, position, parked_at }: &AwaitedChild) -> Waiting {
    let place = format!("{}/{}/{}", printable(&position.topic), position.partition, position.offset);
    Waiting { event_id: event_id.to_string(), place, parked_at: parked_at.to_string() }
}

#[cfg(test)]
mod tests {
    use events::Timestamp;

    use super::*;

    fn awaited(waits_for: &[WaitsFor]) -> Awaited {
        let one = |waits_for: &WaitsFor| AwaitedParent {
            waits_for: *waits_for,
            children: 1,
            oldest: Timestamp::UNIX_EPOCH,
            written: false,
            first: Vec::new(),
        };
        Awaited { events: 9, parents: waits_for.len() as u64, largest: waits_for.iter().map(one).collect() }
    }

    #[test]
    fn a_parent_that_may_wait_itself_is_not_called_never_seen() {
        let (user, order) = (WaitsFor::User(Uuid::from_u128(1)), WaitsFor::Order(Uuid::from_u128(2)));
        assert_eq!(may_wait_for(order, &awaited(&[order])), None);
        assert_eq!(may_wait_for(order, &awaited(&[order, user])), Some("its user"));
        assert_eq!(may_wait_for(user, &awaited(&[order, user])), None);
        assert_eq!(may_wait_for(user, &awaited(&[WaitsFor::Email, user])), Some("its e-mail address"));
        let more = Awaited { parents: 3, ..awaited(&[order, order]) };
        assert_eq!((may_wait_for(order, &more), may_wait_for(WaitsFor::Email, &more)), (Some("its user"), None), "those that are not told");
    }

    #[test]
    fn where_the_dead_letters_are_not_known_that_is_said_and_what_is_written_is_told_all_the_same() {
        let mut awaited = awaited(&[WaitsFor::User(Uuid::from_u128(1)), WaitsFor::Email]);
        let unknown = ParentFate::Unknown("They are being read.".to_owned());
        let letters = Letters { found: HashMap::new(), otherwise: unknown.clone() };
        let fates = |awaited: &Awaited| awaited.largest.iter().map(|one| letters.fate(one, awaited)).collect::<Vec<_>>();
        assert_eq!(fates(&awaited), [unknown, ParentFate::Held]);
        awaited.largest[0].written = true;
        assert_eq!(fates(&awaited), [ParentFate::Written, ParentFate::Held]);
    }
    #[test]
    fn only_what_was_looked_at_as_a_whole_is_called_never_seen() {
        assert_eq!(in_no_letter(5, 0, Ok(0)), ParentFate::NeverSeen);
        for (unknown, claimed, words) in [
            (2, Ok(0), "the newest 5"),
            (0, Ok(1), "claimed 1 more"),
            (0, Ok(3), "claimed 3 more"),
            (0, Err("Away.".to_owned()), "is not known. Away."),
        ] {
            let fate = in_no_letter(5, unknown, claimed);
            assert!(matches!(&fate, ParentFate::NotFound(why) if why.contains(words)), "{fate:?}");
        }
    }
}
