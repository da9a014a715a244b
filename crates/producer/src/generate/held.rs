//! Parents that are sent after their children.

use std::collections::BTreeMap;

use events::{Body, Event};
use uuid::Uuid;

/// Parents by the place in the stream at which they are due.
pub(super) struct Held(BTreeMap<u64, Event<'static>>);

impl Held {
    pub(super) const fn new() -> Self {
        Self(BTreeMap::new())
    }

    pub(super) fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// Holds a parent back until this place, or the next free one after it, which is returned.
    pub(super) fn hold(&mut self, mut place: u64, parent: Event<'static>) -> u64 {
        while self.0.contains_key(&place) {
            place += 1;
        }
        self.0.insert(place, parent);
        place
    }

    /// The parent that must be sent now, if one is due or no more than enough places are left for those that are held.
    pub(super) fn due(&mut self, place: u64, places_left: u64) -> Option<Event<'static>> {
        let first = self.0.first_entry()?;
        let is_due = *first.key() <= place;
        if is_due || self.len() >= places_left { self.0.pop_first().map(|(_, parent)| parent) } else { None }
    }

    /// A user who is sent after this place.
    pub(super) fn user_after(&self, place: u64) -> Option<Uuid> {
        self.0.range(place + 1..).find_map(|(_, parent)| match &parent.body {
            Body::UserCreated(user) => Some(user.user_id),
            _ => None,
        })
    }
}
