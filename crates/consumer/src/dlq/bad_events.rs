//! Dry-running a batch that holds events which cannot be written.
//!
//! The consumer halves such a batch and writes the halves one after the other. A dry run undoes each half, so that a child would not see
//! its parent in the other one. Here these events are looked for first, and the others are dry-run without them, together.

use pipeline::fault::{Action, Fault};
use pipeline::outcome::Outcome;
use pipeline::ports::DryRun;
use pipeline::{Batch, Item, backoff};

use crate::processing::outcome_of_one;

/// How each event of a batch would end.
///
/// # Errors
/// The database is away, or would not do it for a reason that is not the data's. Nothing is waited out but races.
pub(super) async fn outcomes_of<R: DryRun>(tables: &R, items: &[Item<'_>]) -> Result<Vec<Outcome>, Fault> {
    if let Ok(outcomes) = attempt(tables, items).await? {
        return Ok(outcomes);
    }
    let mut verdicts: Vec<Option<Outcome>> = vec![None; items.len()];
    fail_alone(tables, items, &mut verdicts).await?;
    loop {
        let rest: Vec<usize> = (0..items.len()).filter(|place| verdicts[*place].is_none()).collect();
        let others: Vec<Item<'_>> = rest.iter().map(|place| items[*place].clone()).collect();
        match attempt(tables, &others).await? {
            Ok(outcomes) => rest.iter().zip(outcomes).for_each(|(place, outcome)| verdicts[*place] = Some(outcome)),
            // Two that stand alone and not together, such as two users with one e-mail address.
            Err(fault) => {
                let (place, fault) = first_to_fail(tables, &others, fault).await?;
                verdicts[rest[place]] = Some(outcome_of_one(&others[place], &fault));
                continue;
            }
        }
        return Ok(verdicts.into_iter().flatten().collect());
    }
}

/// Finds by halving which events fail by themselves.
async fn fail_alone<R: DryRun>(tables: &R, items: &[Item<'_>], verdicts: &mut [Option<Outcome>]) -> Result<(), Fault> {
    let mut parts = vec![(0, items.len())];
    while let Some((start, end)) = parts.pop() {
        let Err(fault) = attempt(tables, &items[start..end]).await? else {
            continue;
        };
        if end - start == 1 {
            verdicts[start] = Some(outcome_of_one(&items[start], &fault));
            continue;
        }
        let middle = start + (end - start) / 2;
        parts.extend([(middle, end), (start, middle)]);
    }
    Ok(())
}

/// The first event that fails together with those before it, none of which does. All of them together fail with `fault`.
async fn first_to_fail<R: DryRun>(tables: &R, items: &[Item<'_>], fault: Fault) -> Result<(usize, Fault), Fault> {
    let (mut passes, mut fails, mut fault) = (0, items.len(), fault);
    while fails - passes > 1 {
        let middle = passes + (fails - passes) / 2;
        match attempt(tables, &items[..middle]).await? {
            Ok(_) => passes = middle,
            Err(earlier) => (fails, fault) = (middle, earlier),
        }
    }
    Ok((passes, fault))
}

/// One dry run: its outcomes, or a fault that the data causes.
async fn attempt<R: DryRun>(tables: &R, items: &[Item<'_>]) -> Result<Result<Vec<Outcome>, Fault>, Fault> {
    if items.is_empty() {
        return Ok(Ok(Vec::new()));
    }
    let mut tries = 0;
    loop {
        tries += 1;
        let fault = match tables.dry_run(Batch::new(items)).await {
            Ok(applied) => return Ok(Ok(applied.outcomes)),
            Err(fault) => fault,
        };
        match fault.class.policy(tries) {
            Action::Isolate => return Ok(Err(fault)),
            Action::RetrySoon => tokio::time::sleep(backoff::race(rand::random())).await,
            Action::Wait(_) | Action::Reread => return Err(fault),
        }
    }
}
