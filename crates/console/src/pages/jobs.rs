//! The redrives of this process, and stopping them.

use std::sync::Arc;
use std::time::SystemTime;

use askama::Template;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect};

use super::problem::bad;
use super::{Answer, Screen, Shell, html};
use crate::access::{Notice, Visitor};
use crate::filters;
use crate::port::{Job, Operations};
use crate::routes::Console;
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

struct JobRow {
    job: Job,
    began: When,
    selection: String,
    terms: String,
    took: String,
    class: &'static str,
    percent: u64,
}

/// `GET /console/jobs`.
pub(crate) async fn show<O: Operations>(State(console): State<Arc<Console<O>>>, Extension(visitor): Extension<Visitor>) -> Answer {
    let now = SystemTime::now();
    let jobs: Vec<JobRow> = console.operations.jobs().into_iter().map(|job| JobRow::of(job, now)).collect();
    let running = jobs.iter().filter(|row| row.job.state == "running").count() as u64;
    let summary = match (jobs.len() as u64, running) {
        (all, 0) => format!("{}, none running", counted(all, "job", "jobs")),
        (all, running) => format!("{}, {running} running", counted(all, "job", "jobs")),
    };
    let live =
        jobs.iter().filter(|row| row.job.state == "running" || visitor.partial).map(|row| format!(",#job-{}:innerHTML", row.job.number));
    let live = format!("#summary:innerHTML{}", live.collect::<String>());
    let page = JobsPage { shell: Shell::new(&console.gate, &visitor, Screen::Jobs, "Jobs"), summary, live, jobs };
    Ok(html(StatusCode::OK, &page))
}

/// `POST /console/jobs/{number}/stop`.
pub(crate) async fn stop<O: Operations>(
    State(console): State<Arc<Console<O>>>,
    Extension(visitor): Extension<Visitor>,
    Path(number): Path<String>,
) -> Answer {
    let Ok(number) = number.parse::<u64>() else { return Err(bad(&console, &visitor, "A job has a number.")) };
    let stopped = console.operations.stop(&visitor.caller(), number);
    tracing::info!(caller = visitor.account.name, job = number, stopped, "stops a redrive, from the console");
    let sentence = if stopped {
        format!("Job {number} stops: what is in flight is waited for, the rest stays in the list.")
    } else {
        format!("Job {number} does not run, and nothing was done.")
    };
    console.gate.sessions.tell(&visitor.key, Notice { sentence, link: None });
    Ok(Redirect::to(&format!("/console/jobs#job-{number}")).into_response())
}

impl JobRow {
    fn of(job: Job, now: SystemTime) -> Self {
        let (examined, all) = job.examined;
        let limit = job.order.limit.map(|limit| format!("at most {}", counted(limit, "dead letter", "dead letters")));
        let rate = job.order.rate.map(|rate| format!("at most {rate} per second"));
        let terms: Vec<String> = limit.into_iter().chain(rate).collect();
        Self {
            began: When::of(&job.began, now),
            selection: job.order.selection.words(),
            terms: if terms.is_empty() { "no limit, no rate".to_owned() } else { terms.join(", ") },
            took: took(job.took),
            class: match job.state {
                "running" => "accent",
                "done" => "good",
                "failed" => "bad",
                _ => "plain",
            },
            percent: examined.saturating_mul(100).checked_div(all).unwrap_or(0).min(100),
            job,
        }
    }
}
