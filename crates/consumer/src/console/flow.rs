//! The whole on one screen.

use std::collections::HashSet;
use std::future::Future;
use std::time::Duration;

use console::{Flow, Known, Outcomes, Part, PartState, Partition};
use pipeline::fault::Fault;
use pipeline::ports::{Clock as _, DeadLetterReader, GroupProgress, ParkingExpiry};
use telemetry::Status;

use super::ConsoleParts;
use super::words::problem;
use crate::backends::SystemClock;
use crate::processing::held_facts;
use crate::reason::reason;
use crate::status::Verification;
use crate::waiting::PIPELINE_PART;

/// How long each part is waited for.
const PATIENCE: Duration = Duration::from_secs(3);
/// What the console calls the write path while a flood is held, which an operator ends.
const FLOOD_PART: &str = "flow";
/// What to do about it, beside the buttons that do it.
const LET_PASS: &str =
    "Most likely it is a producer's defect. Nothing is committed. Mend the producer, then let them pass: they become dead letters.";

pub(super) async fn flow<G: GroupProgress, T: ParkingExpiry, Q: DeadLetterReader, P>(parts: &ConsoleParts<G, T, Q, P>) -> Flow {
    let ConsoleParts { context, progress, health, metrics, group, .. } = parts;
    let report = health.ready_report();
    let ours: HashSet<i32> = report.log.iter().flat_map(|log| &log.partitions).map(|position| position.partition).collect();
    let parked = async {
        match &context.tables {
            Some(tables) => known(tables.parked()).await,
            None => Err("Nothing says where the tables are.".to_owned()),
        }
    };
    let (log, parked, dead_letters, claimed) =
        tokio::join!(known(progress.log()), parked, known(context.queue.depth()), known(context.queue.claimed()));
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
    let part = |(name, part): (&&str, &telemetry::PartReport)| {
        let held = part.reason.as_deref().filter(|_| *name == PIPELINE_PART).and_then(held_facts);
        Part {
            name: if held.is_some() { FLOOD_PART } else { name }.to_owned(),
            state: match part.state {
                "up" => PartState::Up,
                "down" => PartState::Down,
                _ => PartState::Unasked,
            },
            since: part.since.clone(),
            reason: match held {
                Some(facts) => Some(format!("{facts}. {LET_PASS}")),
                None => part.reason.as_ref().map(|reason| problem(reason)),
            },
        }
    };
    Flow {
        at: SystemClock.now().to_string(),
        topic: context.terms.topic.clone(),
        group: group.clone(),
        status: report.status.to_owned(),
        parts: report.parts.iter().map(part).collect(),
        partitions,
        outcomes: Outcomes {
            polled: Status::ALL.into_iter().map(|status| metrics.ended(status)).sum(),
            applied: metrics.ended(Status::Success),
            duplicate: metrics.ended(Status::Duplicate),
            stale: metrics.ended(Status::Stale),
            parked: metrics.ended(Status::Parked),
            dead_letters: metrics.ended(Status::Error),
        },
        parked: parked.map(|(events, oldest)| (events, oldest.map(|oldest| oldest.to_string()))),
        dead_letters,
        claimed: claimed.unwrap_or_default(),
        verification: Verification::read(&metrics.encode())
            .map(|verification| format!("Verified {}.", verification.verdict(SystemClock.now()))),
    }
}

/// The answer of a part, or why there is none.
async fn known<T>(answer: impl Future<Output = Result<T, Fault>>) -> Known<T> {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(answer) => answer.map_err(|fault| problem(&reason(&fault))),
        Err(_) => Err(format!("There was no answer within {} s.", PATIENCE.as_secs())),
    }
}
