//! How the letters of a job ended, as far as it is known at this moment: nothing of it is kept, whoever looks asks.

use std::collections::BTreeMap;
use std::time::Duration;

use pipeline::ports::{DeadLetterReader, EventTrace, LogPositions};
use pipeline::redrive_job::{JobLetter, LetterResult};
use tokio_util::sync::CancellationToken;

use crate::dlq::after_redrive::{SentLetter, after_redrive};
use crate::dlq::ended::{EndedLetter, need_first, not_known};

/// Letters that are asked about at once, at most.
pub const ASKED: usize = 200;

/// Of a letter that a program sent which did not keep its place, or whose place is too long to be kept.
const NO_PLACE: &str = "where the broker put it was not noted: `trace` tells of an event by its id";

/// How each of these letters ended that was sent, those that need somebody first. Waits for nothing: what the consumer has not come to is told so.
pub async fn ended<Q, T>(parts: (&Q, &T), letters: &[JobLetter], stop: &CancellationToken) -> Vec<EndedLetter>
where
    Q: DeadLetterReader,
    T: EventTrace + LogPositions,
{
    let (mut sent, mut unknown) = (Vec::new(), Vec::new());
    for JobLetter { id, landed, .. } in letters.iter().filter(|letter| letter.result == LetterResult::Sent) {
        match landed {
            Some(landed) => sent.push(SentLetter { id: id.clone(), event_id: None, landed: landed.clone() }),
            None => unknown.push(not_known(id.clone(), None, NO_PLACE)),
        }
    }
    let mut ended = after_redrive(parts, sent, Duration::ZERO, stop).await;
    ended.extend(unknown);
    need_first(&mut ended);
    ended
}

/// The same by id.
pub fn by_id(ended: &[EndedLetter]) -> BTreeMap<&str, &EndedLetter> {
    ended.iter().map(|letter| (letter.id.as_str(), letter)).collect()
}
