//! A call over a connection that may break, to a server that may go on without whoever asked.

use std::time::Duration;

use pipeline::fault::{Fault, FaultClass};
use tokio::task::{JoinError, JoinHandle};

use super::{AWAY, fault};
use crate::dice::stream;
use crate::mishap::Kind;
use crate::world::World;

/// What nothing came back in time for.
const SLOW: FaultClass = FaultClass::Unavailable { timed_out: true };

/// Whether the call writes: a full disk refuses it then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

/// Makes a call. Where it fails, its work is not done, or it is done and its answer is lost.
pub(crate) async fn call<T: Send + 'static>(
    world: &World,
    who: &str,
    (what, access): (&'static str, Access),
    work: impl Future<Output = Result<T, Fault>> + Send + 'static,
) -> Result<T, Fault> {
    world.pause(who, 20).await;
    before(world, who, (what, access)).await?;
    let failovers = world.step(|state| state.tables.failovers);
    let mut request = Request { world, who, task: tokio::spawn(work) };
    let answer = match (&mut request.task).await.map_err(JoinError::try_into_panic) {
        Ok(answer) => answer?,
        Err(Ok(panic)) => std::panic::resume_unwind(panic),
        Err(Err(_)) => return Err(fault(AWAY, 64, what)),
    };
    let (lost, late) = world.step(|state| {
        let lost = state.tables.failovers != failovers || state.strikes(who, Kind::AnswerLost);
        (lost, state.strikes(who, Kind::StoreTimeout))
    });
    if lost {
        world.tell(who, "answer-lost", || what.to_owned());
        return Err(fault(AWAY, 10054, what));
    }
    if late {
        return Err(fault(SLOW, -2, what));
    }
    world.pause(who, 20).await;
    Ok(answer)
}

/// What may keep a request from being worked on.
async fn before(world: &World, who: &str, (what, access): (&'static str, Access)) -> Result<(), Fault> {
    let (refused, slow) = world.step(|state| {
        let now = state.elapsed();
        let is_full = access == Access::Write && state.tables.full_until > now;
        let refused = if state.tables.away_until > now || state.strikes(who, Kind::StoreAway) {
            Some((AWAY, 4060))
        } else if is_full {
            Some((FaultClass::Operator, 1105))
        } else if access == Access::Write && state.strikes(who, Kind::DeadlockVictim) {
            Some((FaultClass::LockConflict, 1205))
        } else if access == Access::Write && state.strikes(who, Kind::LockTimeout) {
            Some((FaultClass::LockConflict, 1222))
        } else if access == Access::Write && state.strikes(who, Kind::UnknownState) {
            Some((FaultClass::UnknownState, 3930))
        } else {
            None
        };
        let slow = state.strikes(who, Kind::SlowStore).then(|| state.dice.between(stream(who), 500, 8_000));
        (refused, slow)
    });
    if let Some(millis) = slow {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
    match refused {
        Some((class, code)) => {
            world.tell(who, "refused", || format!("{what}: {}", class.label()));
            Err(fault(class, code, what))
        }
        None => Ok(()),
    }
}

/// Work on the server. Whoever goes without waiting for its end is gone; the server may go on all the same.
struct Request<'w, T> {
    world: &'w World,
    who: &'w str,
    task: JoinHandle<T>,
}

impl<T> Drop for Request<'_, T> {
    fn drop(&mut self) {
        if !self.task.is_finished() && !self.world.strikes(self.who, Kind::GhostWrite) {
            self.task.abort();
        }
    }
}
