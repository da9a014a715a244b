//! Dead letters back to their topic.

use std::time::Duration;

use events::Timestamp;
use pipeline::fault::Fault;
use pipeline::ports::{ClaimQueue, Clock as _, DeadLetterReader, Publisher};
use pipeline::redrive_job::LetterResult;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::choice::{Choice, Letter, RedriveRequest};
use super::listed::Listed;
use super::scan::Scan;
use super::send::Sender;
use super::summary::Summary;
use crate::audit::{Handled, Witness};
use crate::backends::SystemClock;

/// The most entries that are claimed at once.
const GROUP: usize = 500;

/// The parts that a redrive speaks to.
pub struct Route<'a, Q, P> {
    /// Where dead letters are.
    pub queue: &'a Q,
    /// Where they go.
    pub publisher: &'a P,
    /// The topic of entries that name none.
    pub default_topic: &'a str,
    /// How long a claim lasts; longer than a delivery may take.
    pub lease: Duration,
    /// When to stop.
    pub stop: &'a CancellationToken,
}

/// Sends dead letters back to their topics, the oldest first, each under its own key with its retry count raised, and takes off the list
/// what the brokers have acknowledged.
///
/// First puts back what an earlier redrive left. Entries that come into the list meanwhile are not met. When `stop` is cancelled, what is in flight
/// is waited for and the rest is put back. If the future is dropped, or the process dies, claimed entries come back when their lease ends;
/// sent twice, they are applied once. `witness` is told what became of each group, and `seen` is called after it; where the witness cannot note it,
/// no other group is sent.
pub async fn redrive<Q, P>(
    route: Route<'_, Q, P>,
    order: &RedriveRequest,
    witness: &mut impl Witness,
    mut seen: impl FnMut(&Summary),
) -> Summary
where
    Q: DeadLetterReader + ClaimQueue,
    P: Publisher,
{
    let start = Instant::now();
    let mut run = Run::new(&route, order);
    if let Err(fault) = run.scan(witness, &mut seen).await {
        run.summary.fault.get_or_insert(fault);
    }
    run.summary.took = start.elapsed();
    run.summary
}

struct Run<'a, Q, P> {
    sender: Sender<'a, Q, P>,
    order: &'a RedriveRequest,
    default_topic: &'a str,
    now: Timestamp,
    summary: Summary,
    /// What was not sent because of its topic, and not told yet.
    refused: Vec<Handled>,
    ended: bool,
}

impl<'a, Q: DeadLetterReader + ClaimQueue, P: Publisher> Run<'a, Q, P> {
    fn new(route: &Route<'a, Q, P>, order: &'a RedriveRequest) -> Self {
        let mut sender = Sender::new(route.queue, route.publisher, route.lease, route.stop);
        sender.rate = order.rate;
        Self {
            sender,
            order,
            default_topic: route.default_topic,
            now: SystemClock.now(),
            summary: Summary::default(),
            refused: Vec::new(),
            ended: false,
        }
    }

    async fn scan(&mut self, witness: &mut impl Witness, seen: &mut impl FnMut(&Summary)) -> Result<(), Fault> {
        let queue = self.sender.queue;
        self.summary.returned = queue.give_back_overdue().await? as u64;
        let mut scan = Scan::start(queue).await?;
        while !self.ended {
            let page = scan.next().await?;
            if page.is_empty() {
                break;
            }
            let mut rest = &page[..];
            // Where a limit ends the choice, the entries behind it get their turn if those that were chosen do not use it up.
            while !rest.is_empty() && !self.ended {
                let (mut chosen, stay, looked_at) = self.choose(rest);
                rest = &rest[looked_at..];
                scan.keep(stay);
                while !chosen.is_empty() && !self.ended {
                    let others = chosen.split_off(self.group().min(chosen.len()));
                    scan.keep(self.send(std::mem::replace(&mut chosen, others), witness).await);
                    seen(&self.summary);
                }
                if !self.refused.is_empty() {
                    witness.handled(std::mem::take(&mut self.refused)).await?;
                }
                seen(&self.summary);
            }
        }
        Ok(())
    }

    /// The next entries to send, up to the limit, how many of those before stay, and how many were looked at in all.
    fn choose(&mut self, page: &[Listed]) -> (Vec<Letter>, u64, usize) {
        let limit = self.order.limit.unwrap_or(u64::MAX).saturating_sub(self.summary.attempted());
        let before = self.summary.examined();
        let (mut chosen, mut looked_at) = (Vec::new(), 0);
        for listed in page {
            if chosen.len() as u64 >= limit {
                break;
            }
            looked_at += 1;
            match self.order.choose(listed, self.now) {
                Choice::NotSelected => self.summary.not_selected += 1,
                Choice::TooManyRetries => self.summary.too_many_retries += 1,
                Choice::Unreadable => self.summary.unreadable += 1,
                Choice::Chosen(entry, message) => {
                    let dead_letter = Letter::new(listed, entry, message, self.default_topic);
                    if self.sender.refusal(&dead_letter.topic).is_some() {
                        *self.summary.refused.entry(dead_letter.topic.clone()).or_default() += 1;
                        self.refused.push(dead_letter.handled(LetterResult::TopicRefused));
                    } else {
                        chosen.push(dead_letter);
                    }
                }
            }
        }
        self.ended = chosen.len() as u64 >= limit && chosen.is_empty();
        (chosen, self.summary.examined() - before, looked_at)
    }

    /// How many to claim at once: at a rate only what goes out within a second, so that no lease ends before its turn.
    fn group(&self) -> usize {
        self.order.rate.map_or(GROUP, |rate| (rate as usize).clamp(1, GROUP))
    }

    /// Sends a group; returns how many of it are at the old end of the list afterwards.
    async fn send(&mut self, group: Vec<Letter>, witness: &mut impl Witness) -> u64 {
        let stop = self.sender.stop;
        tokio::select! {
            () = sleep_until(self.sender.due()) => {}
            () = stop.cancelled() => {}
        }
        if stop.is_cancelled() {
            (self.summary.stopped, self.ended) = (true, true);
            return 0;
        }
        witness.sending(group.iter().map(|letter| letter.topic.clone()).collect()).await;
        let mut sent = self.sender.send(group).await;
        if let Err(fault) = witness.handled(std::mem::take(&mut sent.handled)).await {
            sent.fault.get_or_insert(fault);
            sent.hopeless = true;
        }
        self.summary.redriven += sent.redriven;
        self.summary.gone += sent.gone;
        self.summary.failed += sent.failed;
        self.summary.unsettled += sent.unsettled;
        for (topic, count) in sent.refused {
            *self.summary.refused.entry(topic).or_default() += count;
        }
        if self.summary.fault.is_none() {
            self.summary.fault = sent.fault;
        }
        self.summary.stopped |= stop.is_cancelled();
        self.ended |= sent.hopeless || self.summary.stopped || self.order.limit.is_some_and(|limit| self.summary.attempted() >= limit);
        sent.put_back
    }
}
