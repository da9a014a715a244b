//! Making a job: its letters are named once, so that it does not grow while it runs.

use std::collections::HashMap;

use pipeline::audit::AuditAction;
use pipeline::fault::Fault;
use pipeline::ports::{Clock as _, DeadLetterReader};
use pipeline::redrive_job::{JobChange, JobCounts, JobLetter, JobPlan, LetterResult};
use uuid::Uuid;

use super::run::Held;
use super::{JobTables, LEASE, PAGE, lease_of};
use crate::audit::{Audit, Operation, Subject, Who};
use crate::backends::SystemClock;
use crate::dlq::choice::{Choice, RedriveRequest};
use crate::dlq::context::AdminContext;
use crate::dlq::refusal::Refusal;
use crate::dlq::scan::Scan;

/// How the subject of a job begins that is a canary.
pub const CANARY: &str = "a canary, and the rest waits for your word: ";

/// Makes a job of what a redrive is asked for, and takes its lease: whoever gets it goes on with [`run`](super::run()).
///
/// # Errors
/// No broker or no tables are known, or a part is away. Nothing is sent then, and what was noted of it stays
/// [planned](pipeline::redrive_job::JobState::Planned).
pub async fn plan<Q, P, T>(context: &AdminContext<Q, P, T>, who: Who, request: &RedriveRequest) -> Result<Held<T>, Refusal>
where
    Q: DeadLetterReader,
    T: JobTables,
{
    plan_of(context, who, request, request.to_string()).await
}

/// The same of what tries whether the rest would go well: whoever lists jobs sees that it is one, and that the rest waits for somebody's word.
///
/// # Errors
/// As for [`plan`].
pub async fn plan_canary<Q, P, T>(context: &AdminContext<Q, P, T>, who: Who, request: &RedriveRequest) -> Result<Held<T>, Refusal>
where
    Q: DeadLetterReader,
    T: JobTables,
{
    plan_of(context, who, request, format!("{CANARY}{request}")).await
}

async fn plan_of<Q, P, T>(context: &AdminContext<Q, P, T>, who: Who, request: &RedriveRequest, subject: String) -> Result<Held<T>, Refusal>
where
    Q: DeadLetterReader,
    T: JobTables,
{
    if context.publisher.is_none() {
        return Err(Refusal::NoBroker);
    }
    let tables = context.tables.as_ref().ok_or(Refusal::NoAuditLog)?;
    let operation = Audit(tables.clone()).begin(who.clone(), AuditAction::Redrive, Subject::new(&subject)).await?;
    match begin(context, tables, (&who, request, subject), &operation).await {
        Ok((number, holder, letters)) => {
            tracing::info!(job = number, letters = letters.len(), "a redrive is planned");
            let mut request = request.clone();
            request.filter.ids = letters.keys().cloned().collect();
            Ok(Held::new(number, holder, operation, request, letters).may_have_claims(None))
        }
        Err(fault) => {
            let refusal = Refusal::from(fault);
            operation.end(format!("refused: {refusal}")).await;
            Err(refusal)
        }
    }
}

/// The letters of a job.
type Named = HashMap<String, LetterResult>;

async fn begin<Q, P, T>(
    context: &AdminContext<Q, P, T>,
    tables: &T,
    (who, request, subject): (&Who, &RedriveRequest, String),
    operation: &Operation<T>,
) -> Result<(i64, Uuid, Named), Fault>
where
    Q: DeadLetterReader,
    T: JobTables,
{
    let plan = JobPlan {
        operation: operation.id(),
        made_at: SystemClock.now(),
        actor: who.actor().to_owned(),
        origin: who.origin().label().to_owned(),
        subject,
        rate: request.rate,
        max_retries: request.max_retries,
    };
    let number = tables.plan_job(&plan).await?;
    let named = name(context, request).await?;
    let letters: Vec<JobLetter> = named.iter().map(|(id, result)| JobLetter { id: id.clone(), result: *result, landed: None }).collect();
    let counts = JobCounts::of(&letters);
    for page in letters.chunks(PAGE) {
        tables.note_letters(number, page, &counts).await?;
    }
    // Before anyone else can find it.
    let holder = Uuid::new_v4();
    tables.take_lease(&lease_of(number), holder, LEASE).await?;
    tables.change_job(number, &JobChange::Begin).await?;
    Ok((number, holder, named))
}

/// The letters that are meant, the oldest up to the limit; those that cannot be sent have their result already.
async fn name<Q: DeadLetterReader, P, T>(context: &AdminContext<Q, P, T>, request: &RedriveRequest) -> Result<Named, Fault> {
    let (mut named, now) = (Named::default(), SystemClock.now());
    let limit = request.limit.unwrap_or(u64::MAX);
    let mut chosen = 0;
    let mut scan = Scan::start(&context.queue).await?;
    while chosen < limit {
        let page = scan.look().await?;
        if page.is_empty() {
            break;
        }
        for listed in page {
            if chosen == limit {
                break;
            }
            let result = match request.choose(&listed, now) {
                Choice::NotSelected => continue,
                Choice::TooManyRetries => LetterResult::TooManyRetries,
                Choice::Unreadable => LetterResult::Unreadable,
                Choice::Chosen(..) => LetterResult::Pending,
            };
            chosen += u64::from(result == LetterResult::Pending);
            named.insert(listed.id, result);
        }
    }
    Ok(named)
}
