//! Waiting until the consumer has taken letters that were sent, and telling how each ended.

use std::time::Duration;

use pipeline::landed::Landed;
use pipeline::ports::{DeadLetterReader, EventTrace, LogPositions};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::ended::{Ended, EndedLetter, Sent, judge, need_first};
use super::printable::printable;
use crate::audit::Handled;
use crate::reason::reason;

/// How soon it is looked again how far the consumer is, at first and in the end.
const LOOKS: [Duration; 2] = [Duration::from_millis(100), Duration::from_secs(2)];

/// A letter that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentLetter {
    /// Its id.
    pub id: String,
    /// Its event's id, as far as it is one.
    pub event_id: Option<Uuid>,
    /// Where the broker put it.
    pub landed: Landed,
}

impl SentLetter {
    /// This letter, where the broker has it.
    pub fn of(Handled { id, event_id, landed, .. }: Handled) -> Option<Self> {
        Some(Self { id, event_id, landed: landed? })
    }
}

/// Waits until the consumer has passed all of these letters, at most so long, and tells how each ended, those that need somebody first. Asking how they
/// ended comes on top of the wait. Both end early when `stop` is cancelled.
pub async fn after_redrive<Q, T>(
    (queue, tables): (&Q, &T),
    letters: impl IntoIterator<Item = SentLetter>,
    bound: Duration,
    stop: &CancellationToken,
) -> Vec<EndedLetter>
where
    Q: DeadLetterReader,
    T: EventTrace + LogPositions,
{
    // A letter that the list held twice was sent twice, and ended as the one that was sent last.
    let mut waiting = Sent::new();
    for SentLetter { id, event_id, landed } in letters {
        // What was sent says best which event it is; a letter may be from a program that could not read it.
        let event_id = landed.about.map(|about| about.event_id).or(event_id);
        waiting.insert(id, (event_id, landed));
    }
    let (passed, problem) = wait(tables, &mut waiting, bound, stop).await;
    let mut ended = judge((queue, tables), passed, stop).await;
    ended.extend(waiting.into_iter().map(|(id, (event_id, landed))| {
        let Landed { topic, place, .. } = landed;
        let place = format!("{}, partition {}, offset {}", printable(&topic), place.partition, place.offset);
        let why = match &problem {
            Some(problem) => format!("how far the consumer is cannot be said: {problem}"),
            None => format!("the consumer has not come to {place}"),
        };
        EndedLetter { id, event_id, ended: Ended::NotYet, why }
    }));
    need_first(&mut ended);
    ended
}

/// Takes out of `waiting` what the consumer passes. With the last problem of looking, where the last look failed.
async fn wait(tables: &impl LogPositions, waiting: &mut Sent, bound: Duration, stop: &CancellationToken) -> (Sent, Option<String>) {
    let until = Instant::now() + bound;
    let [mut patience, longest] = LOOKS;
    let mut passed = Sent::new();
    loop {
        let mut problem = None;
        let mut topics: Vec<String> = waiting.values().map(|(_, landed)| landed.topic.clone()).collect();
        topics.sort_unstable();
        topics.dedup();
        for topic in topics {
            match tables.positions(&topic).await {
                Ok(now) => {
                    let is_passed = |landed: &Landed| landed.topic == topic && landed.is_passed(&now);
                    let (behind, ahead) = std::mem::take(waiting).into_iter().partition::<Sent, _>(|(_, (_, landed))| is_passed(landed));
                    passed.extend(behind);
                    *waiting = ahead;
                }
                Err(fault) => problem = Some(reason(&fault)),
            }
        }
        if waiting.is_empty() || stop.is_cancelled() || Instant::now() >= until {
            return (passed, problem);
        }
        tokio::select! {
            () = sleep_until(until.min(Instant::now() + patience)) => {}
            () = stop.cancelled() => {}
        }
        patience = (patience * 2).min(longest);
    }
}
