//! What a hold keeps back: the oldest records that the group has not consumed, looked at beside it. No page of the flow waits for that.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use console::{Held, HeldRecord, RefusalKind, Refused};
use events::EventType;
use futures_util::future::BoxFuture;
use pipeline::dead_letter::UNKNOWN;
use pipeline::ports::Clock as _;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::index::Index;
use super::letters::text;
use super::sentences::shortened;
use super::words::problem;
use crate::backends::SystemClock;
use crate::dlq::printable::printable;
use crate::peek::{Peek, PeekArgs, Peeked, Refusal, Seen};
use crate::reason::reason;

/// The oldest records, which are looked at: the database is asked about those that keep the contract.
const LOOKED_AT: u64 = 200;
/// A look is shown for so long before there is another one: each fetches anew from the brokers.
const FRESH: Duration = Duration::from_secs(15);
/// How long one may take.
const BOUND: Duration = Duration::from_secs(20);

/// The dead letters as they are now: what was let pass is consumed only when all that came with it is.
pub(super) type Letters = Arc<dyn Fn() -> BoxFuture<'static, Result<Arc<Index>, Refused>> + Send + Sync>;

/// The last look at the log.
pub(super) struct HeldRecords {
    peek: Peek,
    letters: Letters,
    looked: watch::Sender<Looked>,
}

#[derive(Clone, Default)]
struct Looked {
    /// When the last look ended, and what was seen.
    last: Option<(Instant, Result<Held, Refused>)>,
    /// When the one that is under way began. One that is older than it may be was cut off.
    since: Option<Instant>,
    /// How often what was seen has become outdated.
    outdated: u64,
}

impl Looked {
    fn is_fresh(&self) -> bool {
        self.last.as_ref().is_some_and(|(at, _)| at.elapsed() < FRESH)
    }

    fn is_under_way(&self) -> bool {
        self.since.is_some_and(|since| since.elapsed() <= BOUND)
    }
}

impl HeldRecords {
    pub fn new(peek: Peek, letters: Letters) -> Self {
        Self { peek, letters, looked: watch::Sender::default() }
    }

    /// What the last look saw. Has the log looked at again where that was some time ago, and does not wait for it.
    pub fn known(&self) -> Result<Held, Refused> {
        self.begin();
        let last = self.looked.borrow().last.clone();
        last.map_or_else(|| Err(refused(RefusalKind::Reading, "The log is being looked at.")), |(_, seen)| seen)
    }

    /// The same, and waits for the look that is under way.
    pub async fn read(&self) -> Result<Held, Refused> {
        let mut looked = self.looked.subscribe();
        let seen = async {
            loop {
                self.begin();
                // The sender is ours.
                let Ok(ended) = looked.wait_for(|looked| !looked.is_under_way()).await.map(|looked| looked.last.clone()) else { continue };
                // What became outdated while it was looked at is looked at again.
                if let Some((_, seen)) = ended {
                    return seen;
                }
            }
        };
        timeout(BOUND, seen).await.unwrap_or_else(|_| Err(unanswered()))
    }

    /// What was seen is no longer so.
    pub fn forget(&self) {
        self.looked.send_modify(|looked| {
            looked.last = None;
            looked.outdated += 1;
        });
    }

    /// Begins a look, unless one is under way or the last one is fresh.
    fn begin(&self) {
        let begun = self.looked.send_if_modified(|looked| {
            let is_wanted = !looked.is_fresh() && !looked.is_under_way();
            if is_wanted {
                looked.since = Some(Instant::now());
            }
            is_wanted
        });
        if begun {
            let (peek, letters) = (Arc::clone(&self.peek), Arc::clone(&self.letters));
            let (looked, outdated) = (self.looked.clone(), self.looked.borrow().outdated);
            tokio::spawn(async move {
                let seen = look(&peek, &letters).await;
                looked.send_modify(|looked| {
                    looked.since = None;
                    if looked.outdated == outdated {
                        looked.last = Some((Instant::now(), seen));
                    }
                });
            });
        }
    }
}

async fn look(peek: &Peek, letters: &Letters) -> Result<Held, Refused> {
    let at = SystemClock.now().to_string();
    match timeout(BOUND, peek(PeekArgs { records: LOOKED_AT, partition: None, broken: true, json: false })).await {
        Ok(Ok(peeked)) => Ok(held(&peeked, letters().await.as_deref(), at)),
        Ok(Err(Refusal::Fault(fault))) => Err(refused(RefusalKind::Unavailable, &problem(&reason(&fault)))),
        Ok(Err(refusal @ Refusal::NoPartition { .. })) => Err(refused(RefusalKind::NotFound, &problem(&refusal))),
        Err(_) => Err(unanswered()),
    }
}

fn unanswered() -> Refused {
    refused(RefusalKind::Unavailable, &format!("There was no answer within {} s.", BOUND.as_secs()))
}

fn refused(kind: RefusalKind, sentence: &str) -> Refused {
    Refused { kind, sentence: sentence.to_owned() }
}

fn held(peeked: &Peeked, letters: Result<&Index, &Refused>, at: String) -> Held {
    let broken: Vec<_> = peeked.seen.iter().filter_map(|seen| Some((&seen.position, record(seen)?))).collect();
    let all = broken.len();
    let mut caveats: Vec<_> = peeked.caveats().iter().map(|caveat| problem(caveat)).collect();
    let known = match letters {
        Ok(index) => index.at_places(broken.iter().map(|(position, _)| *position)),
        Err(refused) => {
            caveats.push(format!("Whether some of them are dead letters already is not known. {}", refused.sentence));
            HashSet::new()
        }
    };
    let records: Vec<_> = broken.into_iter().filter(|(position, _)| !known.contains(position)).map(|(_, record)| record).collect();
    Held { at, unconsumed: peeked.unconsumed, examined: peeked.seen.len() as u64, already: (all - records.len()) as u64, records, caveats }
}

/// A record that cannot be written; `None` where it can.
fn record(seen: &Seen) -> Option<HeldRecord> {
    let fingerprint = seen.fingerprint()?;
    Some(HeldRecord {
        place: format!("{}/{}/{}", printable(&seen.position.topic), seen.position.partition, seen.position.offset),
        at: seen.at.map(|at| at.to_string()),
        key: seen.key.clone().map(|key| shortened(&text(key))),
        event_type: seen.event_type.map_or(UNKNOWN, EventType::as_str).to_owned(),
        event_id: seen.event_id.map(|id| id.to_string()),
        reason: fingerprint.split(':').next().unwrap_or(UNKNOWN).to_owned(),
        error: seen.detail().map_or_else(String::new, |detail| problem(&detail)),
        fingerprint,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use pipeline::fault::{Dependency, Fault, FaultClass};
    use tokio::time::{advance, sleep};

    use super::*;

    const SHORT: Duration = Duration::from_millis(100);

    /// A log whose every look takes so long, and counts.
    fn log(takes: Duration, is_away: bool) -> (HeldRecords, Arc<AtomicU64>) {
        let looks = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&looks);
        let peek: Peek = Arc::new(move |_| {
            let number = counted.fetch_add(1, Ordering::Relaxed) + 1;
            Box::pin(async move {
                sleep(takes).await;
                if is_away {
                    return Err(Fault {
                        dependency: Dependency::Kafka,
                        class: FaultClass::Unavailable { timed_out: true },
                        code: None,
                        subject: "log",
                    }
                    .into());
                }
                Ok(Peeked { unconsumed: number, is_complete: true, seen: Vec::new(), tables: Ok(()), only_broken: true })
            })
        });
        let no_letters: Letters = Arc::new(|| Box::pin(async { Err(refused(RefusalKind::Unavailable, "Redis is away.")) }));
        (HeldRecords::new(peek, no_letters), looks)
    }

    fn unconsumed(seen: Result<Held, Refused>) -> u64 {
        seen.unwrap().unconsumed
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_does_not_wait_and_many_of_them_look_once() {
        let (records, looks) = log(SHORT, false);
        let asked_at = Instant::now();
        assert_eq!(records.known().unwrap_err().kind, RefusalKind::Reading);
        assert_eq!(records.known().unwrap_err().kind, RefusalKind::Reading);
        assert_eq!(asked_at.elapsed(), Duration::ZERO);
        assert_eq!(unconsumed(records.read().await), 1);
        assert_eq!(unconsumed(records.known()), 1);
        advance(FRESH).await;
        assert_eq!(unconsumed(records.known()), 1, "the last one is shown while there is another one");
        assert_eq!(unconsumed(records.read().await), 2);
        assert_eq!(looks.load(Ordering::Relaxed), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_let_pass_is_not_shown_any_more() {
        let (records, _) = log(SHORT, false);
        assert_eq!(unconsumed(records.read().await), 1);
        records.forget();
        assert_eq!(records.known().unwrap_err().kind, RefusalKind::Reading);
        // While it is looked at, more is let pass.
        records.forget();
        assert_eq!(unconsumed(records.read().await), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_broker_that_is_away_or_hangs_is_told() {
        let (records, _) = log(SHORT, true);
        let refused = records.read().await.unwrap_err();
        assert_eq!(refused.kind, RefusalKind::Unavailable);
        assert_eq!(records.known(), Err(refused));
        let (records, looks) = log(BOUND * 10, false);
        let asked_at = Instant::now();
        assert_eq!(records.read().await.unwrap_err().sentence, "There was no answer within 20 s.");
        assert_eq!((asked_at.elapsed(), looks.load(Ordering::Relaxed)), (BOUND, 1));
    }
}
