//! Where a claim meets a release. On a server both take milliseconds and mostly miss each other, so here they are driven to the same rows:
//! what an overdue event waits for comes just when it is given up, and each of the two waits for the other.

use std::time::Duration;

use events::{Body, Event, Timestamp};
use pipeline::{ParkedEvent, WaitsFor};
use uuid::Uuid;

use super::meetings::Rows;
use super::{key, parking};
use crate::bodies;
use crate::dice::stream;
use crate::log::{Sent, producer};
use crate::mishap::Kind;
use crate::world::{State, World};

const MEETING: u64 = stream("meeting");

/// How long one waits for the other, who may never come.
const PATIENCE: Duration = Duration::from_secs(8);

/// A claim, which may have to meet a release. When it is dropped, the release goes on.
pub(crate) struct Meeting {
    world: World,
    number: Option<u64>,
    /// Whether the statement of the claim begins after the release has found its rows, or before.
    is_before: bool,
}

impl Meeting {
    /// Where the mishap strikes, what an overdue event waits for is sent now.
    pub(crate) fn arrange(world: &World, who: &str, cutoff: Timestamp) -> Self {
        let number = world.step(|state| {
            let overdue = parking::overdue(&state.tables, cutoff).find_map(|(_, parked)| parent_of(state, &parked.event));
            let (waits_for, body) = overdue?;
            if !state.strikes(who, Kind::LateParent) {
                return None;
            }
            let keys = parking::overdue(&state.tables, cutoff)
                .filter(|(_, parked)| parked.event.waits_for == waits_for)
                .map(|(key, _)| key.clone());
            let rows = Rows { keys: keys.collect(), found: false };
            send(state, body);
            let meetings = &mut state.tables.meetings;
            meetings.arranged += 1;
            meetings.open.insert(meetings.arranged, rows);
            Some(meetings.arranged)
        });
        if number.is_some() {
            world.announce();
        }
        let is_before = number.is_some() && world.step(|state| state.dice.chance(MEETING, 0.5));
        Self { world: world.clone(), number, is_before }
    }

    /// Where the release comes first: waits for it.
    pub(crate) async fn before_the_claim(&self) {
        if self.is_before {
            self.begins().await;
        }
    }

    /// Where the statement of the claim has looked already: waits for the release.
    pub(crate) async fn within_the_claim(&self) {
        if !self.is_before {
            self.begins().await;
        }
    }

    /// Waits until somebody has found one of the rows releasable.
    async fn begins(&self) {
        let Some(number) = self.number else { return };
        let is_found = |state: &mut State| state.tables.meetings.open.get(&number).is_none_or(|rows| rows.found);
        self.world.wait_until(PATIENCE, is_found).await;
        self.world.pause("server", 20).await;
    }
}

impl Drop for Meeting {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.world.step(|state| state.tables.meetings.open.remove(&number));
            self.world.announce();
        }
    }
}

/// Whoever has found these releasable waits, mostly, until a claim is through that is at one of them.
pub(crate) async fn meet(world: &World, who: &str, found: &[ParkedEvent]) {
    let claim = world.step(|state| {
        let keys: Vec<_> = found.iter().map(|event| key::of(event, state.defect)).collect();
        let mut open = state.tables.meetings.open.iter_mut();
        let (number, rows) = open.find(|(_, rows)| rows.keys.iter().any(|key| keys.contains(key)))?;
        rows.found = true;
        Some(*number)
    });
    let Some(number) = claim else { return };
    world.tell(who, "meets", || "a claim of what it is about to release".to_owned());
    world.announce();
    if world.step(|state| state.dice.chance(MEETING, 0.75)) {
        world.wait_until(PATIENCE, |state| !state.tables.meetings.open.contains_key(&number)).await;
    }
}

/// What would bring the parent that an event waits for, where it can be had.
fn parent_of(state: &State, event: &ParkedEvent) -> Option<(WaitsFor, Body<'static>)> {
    let at = event.parked_at;
    let body = match event.waits_for {
        WaitsFor::User(user_id) => bodies::user(user_id, &bodies::name_of(user_id), at),
        WaitsFor::Order(order_id) => bodies::order(order_id, *state.tables.users.keys().next()?, 1, at),
        WaitsFor::Email => return None,
    };
    Some((event.waits_for, body))
}

fn send(state: &mut State, body: Body<'static>) {
    let event = Event { id: Uuid::from_u64_pair(state.dice.roll(MEETING), state.dice.roll(MEETING)), at: state.now(), body };
    let sent = Sent::new(state.elapsed(), state.now().unix_millis(), event.key().into_bytes(), Some(event.to_json()));
    producer::send(state, "producer", sent, None);
}
