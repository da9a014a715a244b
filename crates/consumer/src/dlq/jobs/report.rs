//! A job as JSON.

use std::collections::BTreeMap;

use events::Timestamp;
use pipeline::redrive_job::{JobLetter, JobPlan, RedriveJob};
use serde::Serialize;
use uuid::Uuid;

use crate::dlq::ended::{Ended, EndedLetter};

/// A [`RedriveJob`] as JSON.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JobReport<'j> {
    job: i64,
    state: &'static str,
    problem: Option<&'j str>,
    made_at: Timestamp,
    updated_at: Timestamp,
    actor: &'j str,
    origin: &'j str,
    operation: Uuid,
    subject: &'j str,
    rate: Option<f64>,
    max_retries: u32,
    letters: u64,
    /// By the label of a result; what no letter has is left out.
    results: BTreeMap<&'static str, u64>,
}

impl<'j> JobReport<'j> {
    /// Of this job.
    pub fn of(job: &'j RedriveJob) -> Self {
        let RedriveJob { number, plan, state, problem, counts, updated_at } = job;
        let JobPlan { operation, made_at, actor, origin, subject, rate, max_retries } = plan;
        Self {
            job: *number,
            state: state.label(),
            problem: problem.as_deref(),
            made_at: *made_at,
            updated_at: *updated_at,
            actor,
            origin,
            operation: *operation,
            subject,
            rate: *rate,
            max_retries: *max_retries,
            letters: counts.all(),
            results: counts.0.iter().map(|(result, letters)| (result.label(), *letters)).collect(),
        }
    }
}

/// A letter of a job as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LetterReport<'l> {
    id: &'l str,
    result: &'static str,
    /// Where that was asked, and the letter was sent.
    #[serde(flatten)]
    end: Option<EndReport<'l>>,
}

/// How a letter ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct EndReport<'l> {
    event_id: Option<Uuid>,
    ended: Ended,
    why: &'l str,
}

impl<'l> LetterReport<'l> {
    /// Of this letter.
    pub fn of(letter: &'l JobLetter) -> Self {
        Self { id: &letter.id, result: letter.result.label(), end: None }
    }

    /// The same, with how it ended.
    pub fn with_end(letter: &'l JobLetter, end: Option<&'l EndedLetter>) -> Self {
        let end = end.map(|EndedLetter { event_id, ended, why, .. }| EndReport { event_id: *event_id, ended: *ended, why });
        Self { end, ..Self::of(letter) }
    }
}
