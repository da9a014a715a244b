//! Redrive jobs of all processes: pausing, resuming and cancelling them.

use std::sync::Arc;
use std::time::SystemTime;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect};

use super::problem::{bad, refused};
use super::{Answer, Screen, Shell, html};
use crate::access::{Notice, Visitor};
use crate::filters;
use crate::port::{Job, JobControl, JobState, Operations};
use crate::state::Console;
use crate::words::{When, counted, took};

#[derive(Template)]
#[template(path = "jobs.html")]
struct JobsPage {
    shell: Shell,
    summary: String,
    /// What the script renews: the summary and each job.
    live: String,
    jobs: Vec<JobRow>,
}

/// A job as it is shown.
pub(super) struct JobRow {
    pub job: Job,
    pub began: When,
    pub updated: When,
    pub terms: String,
    pub took: String,
    pub class: &'static str,
    pub percent: u64,
}

/// `GET /console/jobs`.
pub(crate) async fn show<O: Operations>(State(console): State<Arc<Console<O>>>, Extension(visitor): Extension<Visitor>) -> Answer {
    let now = SystemTime::now();
    let ask = Box::pin(console.operations.jobs());
    // Whoever has just paused a job wants to see it paused.
    let jobs = if visitor.partial { console.jobs.recent(ask).await } else { console.jobs.anew(ask).await };
    let jobs = jobs.as_ref().as_ref().map_err(|why| refused(&console, &visitor, why))?;
    let jobs: Vec<JobRow> = jobs.iter().map(|job| JobRow::of(job.clone(), now)).collect();
    let running = jobs.iter().filter(|row| row.is_running()).count() as u64;
    let summary = match (jobs.len() as u64, running) {
        (all, 0) => format!("{}, none running", counted(all, "job", "jobs")),
        (all, running) => format!("{}, {running} running", counted(all, "job", "jobs")),
    };
    let live = jobs.iter().filter(|row| row.is_running() || visitor.partial).map(|row| format!(",#job-{}:innerHTML", row.job.number));
    let live = format!("#summary:innerHTML{}", live.collect::<String>());
    let page = JobsPage { shell: Shell::new(&console.gate, &visitor, Screen::Jobs, "Jobs"), summary, live, jobs };
    Ok(html(StatusCode::OK, &page))
}

/// `POST /console/jobs/{number}/{wanted}`.
pub(crate) async fn control<O: Operations>(
    State(console): State<Arc<Console<O>>>,
    Extension(visitor): Extension<Visitor>,
    Path((number, wanted)): Path<(String, String)>,
) -> Answer {
    let Ok(number) = number.parse::<u64>() else { return Err(bad(&console, &visitor, "A job has a number.")) };
    let (wanted, sentence) = match &*wanted {
        "pause" => (JobControl::Pause, format!("Job {number} pauses: what is in flight is waited for, the rest stays in the list.")),
        "resume" => (JobControl::Resume, format!("Job {number} goes on within seconds.")),
        "cancel" => (JobControl::Cancel, format!("Job {number} ends: what is in flight is waited for, the rest stays in the list.")),
        _ => return Err(bad(&console, &visitor, "A job is paused, resumed or cancelled.")),
    };
    console.operations.control(&visitor.caller(), number, wanted).await.map_err(|why| refused(&console, &visitor, &why))?;
    tracing::info!(caller = visitor.account.name, job = number, ?wanted, "changes a redrive, from the console");
    console.gate.sessions.tell(&visitor.key, Notice { sentence, link: None });
    Ok(Redirect::to(&format!("/console/jobs#job-{number}")).into_response())
}

impl JobRow {
    pub fn of(job: Job, now: SystemTime) -> Self {
        let (done, all) = job.done;
        Self {
            began: When::of(&job.began, now),
            updated: When::of(&job.updated, now),
            terms: job.rate.map_or_else(|| "no rate".to_owned(), |rate| format!("at most {rate} per second")),
            took: took(job.took),
            class: match job.state {
                JobState::Running => "accent",
                JobState::Done => "good",
                JobState::Failed => "bad",
                JobState::Paused => "warn",
                JobState::Planned | JobState::Cancelled => "plain",
            },
            percent: done.saturating_mul(100).checked_div(all).unwrap_or(0).min(100),
            job,
        }
    }

    pub fn is_running(&self) -> bool {
        self.job.state == JobState::Running
    }

    pub fn may_pause(&self) -> bool {
        self.job.state.allows(JobControl::Pause)
    }

    pub fn may_resume(&self) -> bool {
        self.job.state.allows(JobControl::Resume)
    }

    pub fn may_cancel(&self) -> bool {
        self.job.state.allows(JobControl::Cancel)
    }
}
