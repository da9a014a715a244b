//! The whole on one screen.

use std::future::Future;
use std::time::Duration;

use console::{Flow, Here, Known, Outcomes, Part, PartState, Partition};
use pipeline::fault::Fault;
use pipeline::ports::{Clock as _, DeadLetterReader, GroupProgress, Heartbeats, ParkingExpiry};
use telemetry::{PartReport, Status};

use super::ConsoleParts;
use super::fleet::{self, consumer};
use super::words::problem;
use crate::backends::SystemClock;
use crate::fleet::consumers;
use crate::operator::OperatorParts;
use crate::reason::reason;
use crate::status::Verification;

/// How long each part is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// The whole. What parts answer is waited for; what this process knows of itself is told last, as it is then.
pub(super) async fn flow<G, T, Q, P>(parts: &ConsoleParts<G, T, Q, P>) -> Flow
where
    G: GroupProgress,
    T: ParkingExpiry + Heartbeats,
    Q: DeadLetterReader,
{
    let ConsoleParts { shared: OperatorParts { context, progress, health, metrics, group, .. }, instance, .. } = parts;
    let seen = async {
        match &context.tables {
            Some(tables) => known(consumers(tables)).await,
            None => Err("Nothing says where the tables are.".to_owned()),
        }
    };
    let parked = async {
        match &context.tables {
            Some(tables) => known(tables.parked()).await,
            None => Err("Nothing says where the tables are.".to_owned()),
        }
    };
    let (log, seen, parked, dead_letters, claimed) =
        tokio::join!(known(progress.log()), seen, parked, known(context.queue.depth()), known(context.queue.claimed()));
    let ours = health.owned();
    let asks = fleet::Here { instance: *instance, group, topic: &context.terms.topic };
    let consumers = seen.map(|seen| seen.into_iter().map(|view| consumer(view, asks, log.as_ref().ok())).collect());
    let partitions = log.map(|log| {
        let partition = |(number, state): (&i32, &pipeline::PartitionState)| Partition {
            number: *number,
            end: state.end,
            next: state.next(),
            lag: state.lag(),
            ours: ours.contains(number),
        };
        log.partitions.iter().map(partition).collect()
    });
    Flow {
        at: SystemClock.now().to_string(),
        topic: context.terms.topic.clone(),
        group: group.clone(),
        here: here(parts),
        partitions,
        consumers,
        parked: parked.map(|(events, oldest)| (events, oldest.map(|oldest| oldest.to_string()))),
        dead_letters,
        claimed: claimed.unwrap_or_default(),
        verification: Verification::read(&metrics.encode())
            .map(|verification| format!("Verified {}.", verification.verdict(SystemClock.now()))),
    }
}

/// What this process knows of itself.
pub(super) fn here<G, T, Q, P>(ConsoleParts { shared: OperatorParts { health, metrics, .. }, .. }: &ConsoleParts<G, T, Q, P>) -> Here {
    let report = health.ready_report();
    Here {
        status: report.status.to_owned(),
        parts: report.parts.iter().map(|(name, told)| part(name, told)).collect(),
        outcomes: Outcomes {
            polled: Status::ALL.into_iter().map(|status| metrics.ended(status)).sum(),
            applied: metrics.ended(Status::Success),
            duplicate: metrics.ended(Status::Duplicate),
            stale: metrics.ended(Status::Stale),
            parked: metrics.ended(Status::Parked),
            dead_letters: metrics.ended(Status::Error),
        },
    }
}

fn part(name: &str, told: &PartReport) -> Part {
    match told.state {
        "down" => fleet::down(name, told.since.clone(), told.reason.as_deref().unwrap_or_default()),
        state => Part {
            name: name.to_owned(),
            state: if state == "up" { PartState::Up } else { PartState::Unasked },
            since: told.since.clone(),
            reason: told.reason.as_ref().map(|reason| problem(reason)),
        },
    }
}

/// The answer of a part, or why there is none.
pub(super) async fn known<T>(answer: impl Future<Output = Result<T, Fault>>) -> Known<T> {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(answer) => answer.map_err(|fault| problem(&reason(&fault))),
        Err(_) => Err(format!("There was no answer within {} s.", PATIENCE.as_secs())),
    }
}
