//! Claim, publish, settle: the only way by which an entry leaves the list to be sent again.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use pipeline::fault::{Fault, FaultClass};
use pipeline::landed::Landed;
use pipeline::pace;
use pipeline::ports::{Claim, ClaimQueue, Delivered, Publisher};
use pipeline::redrive_job::LetterResult;
use pipeline::trace::About;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::choice::{Letter, told};
use crate::audit::Handled;

/// Sends groups of entries at a rate. A group that is dropped half way, or whose process dies, comes back into the list when its lease ends.
pub(super) struct Sender<'a, Q, P> {
    pub queue: &'a Q,
    pub publisher: &'a P,
    pub lease: Duration,
    pub rate: Option<f64>,
    pub stop: &'a CancellationToken,
    /// Topics that the brokers refuse: what is meant for them stays, and is in nobody's way.
    refused: HashMap<String, Fault>,
    start: Instant,
    begun: u64,
}

/// What became of a group.
#[derive(Debug, Default)]
pub(super) struct Sent {
    pub redriven: u64,
    pub gone: u64,
    pub failed: u64,
    /// How many each refused topic keeps in the list.
    pub refused: BTreeMap<String, u64>,
    /// Of those that failed, these were delivered and not settled.
    pub unsettled: u64,
    /// Put back to the old end of the list.
    pub put_back: u64,
    /// The first failure.
    pub fault: Option<Fault>,
    /// Whether the next entry would fail for the same reason.
    pub hopeless: bool,
    /// Where the last one went.
    pub delivered: Option<Delivered>,
    /// What became of those that were sent.
    pub handled: Vec<Handled>,
}

impl Sent {
    fn note(&mut self, fault: Fault, hopeless: bool) {
        self.fault.get_or_insert(fault);
        self.hopeless |= hopeless;
    }
}

/// Claims of a group by what became of them, each with its place in the group.
#[derive(Default)]
struct Attempted {
    delivered: Vec<(Claim, Named)>,
    /// Whether each can never be delivered.
    not_delivered: Vec<(usize, Claim, Named, bool)>,
    not_sent: Vec<(usize, Claim)>,
}

impl<'a, Q: ClaimQueue, P: Publisher> Sender<'a, Q, P> {
    pub fn new(queue: &'a Q, publisher: &'a P, lease: Duration, stop: &'a CancellationToken) -> Self {
        Self { queue, publisher, lease, rate: None, stop, refused: HashMap::new(), start: Instant::now(), begun: 0 }
    }

    /// Why the brokers refuse this topic, where they do.
    pub fn refusal(&self, topic: &str) -> Option<&Fault> {
        self.refused.get(topic)
    }

    /// When the next entry may be sent.
    pub fn due(&self) -> Instant {
        self.start + pace::due(self.rate, self.begun)
    }

    /// Sends these entries. What is in flight when it is told to stop is waited for; what is not sent yet is put back.
    pub async fn send(&mut self, dead_letters: Vec<Letter>) -> Sent {
        let mut sent = Sent::default();
        let texts: Vec<String> = dead_letters.iter().map(|dead_letter| dead_letter.text.clone()).collect();
        let claims = match self.queue.claim(&texts, self.lease).await {
            Ok(claims) => claims,
            Err(fault) => {
                // Some may be claimed. They come back.
                sent.failed = dead_letters.len() as u64;
                sent.note(fault, true);
                return sent;
            }
        };
        let mut claimed = Vec::with_capacity(dead_letters.len());
        for (dead_letter, claim) in dead_letters.into_iter().zip(claims) {
            match claim {
                Some(claim) => claimed.push((dead_letter, claim)),
                None => sent.handled.push(dead_letter.handled(LetterResult::Gone)),
            }
        }
        sent.gone = (texts.len() - claimed.len()) as u64;
        let attempted = self.publish(claimed, &mut sent).await;
        self.settle(attempted, &mut sent).await;
        sent
    }

    async fn publish(&mut self, claimed: Vec<(Letter, Claim)>, sent: &mut Sent) -> Attempted {
        let (publisher, stop) = (self.publisher, self.stop);
        let mut waiting = claimed.into_iter().enumerate().peekable();
        let mut flights = FuturesUnordered::new();
        let mut attempted = Attempted::default();
        loop {
            let sending = !stop.is_cancelled() && !sent.hopeless;
            while sending
                && self.due() <= Instant::now()
                && let Some((place, (dead_letter, claim))) = waiting.next()
            {
                if self.refused.contains_key(&dead_letter.topic) {
                    *sent.refused.entry(dead_letter.topic.clone()).or_default() += 1;
                    sent.handled.push(dead_letter.handled(LetterResult::TopicRefused));
                    attempted.not_sent.push((place, claim));
                    continue;
                }
                self.begun += 1;
                flights.push(async move { (place, fly(publisher, dead_letter, claim).await) });
            }
            let more = sending && waiting.peek().is_some();
            if flights.is_empty() && !more {
                break;
            }
            tokio::select! {
                Some((place, (claim, topic, named, result))) = flights.next() => match result {
                    Ok(delivered) => {
                        sent.delivered = Some(delivered);
                        attempted.delivered.push((claim, named));
                    }
                    Err(fault) if fault.is_about_topic() => {
                        *sent.refused.entry(topic.clone()).or_default() += 1;
                        sent.handled.push(named.handled(LetterResult::TopicRefused, true));
                        self.refused.insert(topic, fault);
                        attempted.not_sent.push((place, claim));
                    }
                    Err(fault) => {
                        let hopeless = fault.class != FaultClass::Poison;
                        sent.note(fault, hopeless);
                        attempted.not_delivered.push((place, claim, named, !hopeless));
                    }
                },
                () = sleep_until(self.due()), if more => {}
                () = stop.cancelled(), if more => {}
            }
        }
        drop(flights);
        attempted.not_sent.extend(waiting.map(|(place, (_, claim))| (place, claim)));
        attempted
    }

    async fn settle(&self, attempted: Attempted, sent: &mut Sent) {
        let Attempted { delivered, not_delivered, mut not_sent } = attempted;
        let (delivered, named): (Vec<Claim>, Vec<Named>) = delivered.into_iter().unzip();
        let count = delivered.len() as u64;
        if !delivered.is_empty() {
            let outcome = match self.queue.settle(&delivered).await {
                Ok(_) => {
                    sent.redriven = count;
                    LetterResult::Sent
                }
                Err(fault) => {
                    (sent.failed, sent.unsettled) = (count, count);
                    sent.note(fault, true);
                    LetterResult::Unsettled
                }
            };
            sent.handled.extend(named.into_iter().map(|named| named.handled(outcome, true)));
        }
        sent.failed += not_delivered.len() as u64;
        for (place, claim, named, is_final) in not_delivered {
            sent.handled.push(named.handled(LetterResult::NotAcknowledged, is_final));
            not_sent.push((place, claim));
        }
        not_sent.sort_unstable_by_key(|(place, _)| *place);
        let not_sent: Vec<Claim> = not_sent.into_iter().map(|(_, claim)| claim).collect();
        if !not_sent.is_empty() {
            match self.queue.give_back(&not_sent).await {
                Ok(count) => sent.put_back = count as u64,
                Err(fault) => sent.note(fault, true),
            }
        }
    }
}

/// How a letter is called once it is on its way.
struct Named {
    id: String,
    event_id: Option<String>,
    landed: Option<Landed>,
}

impl Named {
    fn handled(self, result: LetterResult, is_final: bool) -> Handled {
        let Self { id, event_id, landed } = self;
        Handled { result: is_final.then_some(result), landed, ..Handled::new(id, event_id.as_deref(), told(result)) }
    }
}

async fn fly<P: Publisher>(publisher: &P, dead_letter: Letter, claim: Claim) -> (Claim, String, Named, Result<Delivered, Fault>) {
    let Letter { id, event_id, topic, message, .. } = dead_letter;
    let about = message.value.as_deref().and_then(About::read);
    let result = publisher.publish(&topic, message).await;
    if let Ok(delivered) = &result {
        let (partition, offset) = (delivered.partition, delivered.offset);
        tracing::debug!(entry = id, eventId = event_id, topic, partition, offset, "redriven");
    }
    let landed = result.as_ref().ok().map(|place| Landed { topic: topic.clone(), place: *place, about, before: None });
    (claim, topic, Named { id, event_id, landed }, result)
}
