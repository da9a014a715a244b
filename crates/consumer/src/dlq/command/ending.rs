//! How a job stands when this command leaves it, and how to look at it.

use std::io::Write;

use pipeline::redrive_job::JobState;
use serde::Serialize;

use crate::dlq::summary::{Report, Summary};

/// A job that this command leaves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ending {
    /// Its number.
    pub(super) number: i64,
    /// `None` where the database does not answer.
    pub(super) state: Option<JobState>,
}

/// As JSON: what was done of it, how it stands, and the command that shows it.
#[derive(Serialize)]
struct Done {
    #[serde(flatten)]
    report: Report,
    state: Option<&'static str>,
    show: String,
}

/// Said when a job begins: whoever loses this terminal finds it again.
pub(super) fn begun(number: i64, letters: &str) -> String {
    format!("job {number}: {letters}; `dlq jobs show {number}` shows how far it is")
}

impl Ending {
    /// Writes what was done of it, and where to look.
    pub(super) fn write(self, summary: &Summary, json: bool, out: &mut impl Write) -> anyhow::Result<()> {
        if !json {
            return Ok(writeln!(out, "{summary}\n{}", self.sentence())?);
        }
        let Self { number, state } = self;
        let done = Done { report: summary.report(number), state: state.map(JobState::label), show: format!("dlq jobs show {number}") };
        Ok(writeln!(out, "{}", serde_json::to_string(&done)?)?)
    }

    /// How it stands, how to look at it, and how it goes on.
    pub(super) fn sentence(self) -> String {
        let number = self.number;
        let show = format!("`dlq jobs show {number}`");
        let letters = format!("`dlq jobs show {number} --letters` lists what became of each letter");
        let resume = format!(
            "`dlq jobs resume {number}` has a consumer go on with it, with --here this command; `dlq jobs cancel {number}` ends it"
        );
        match self.state {
            Some(JobState::Done) => format!("job {number} is done: {letters}"),
            Some(JobState::Cancelled) => format!("job {number} is cancelled: {letters}; what was not sent is in the list"),
            Some(JobState::Failed) => format!("job {number} has failed: {show} says why, {resume}"),
            Some(JobState::Paused) => format!("job {number} is paused: {show} shows how far it is, {resume}"),
            Some(JobState::Running | JobState::Planned) => {
                format!("job {number} goes on in another process: {show} shows how far it is, `dlq jobs pause {number}` pauses it")
            }
            None => format!("job {number}: the database does not say how it stands; once it answers again, {show} does"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence(state: Option<JobState>) -> String {
        Ending { number: 7, state }.sentence()
    }

    #[test]
    fn every_end_names_the_job_and_the_command_that_shows_it() {
        for state in JobState::ALL.into_iter().map(Some).chain([None]) {
            let told = sentence(state);
            assert!(told.starts_with("job 7") && told.contains("`dlq jobs show 7"), "{told}");
            assert_eq!(told.matches('`').count() % 2, 0, "{told}");
        }
        assert_eq!(sentence(Some(JobState::Done)), "job 7 is done: `dlq jobs show 7 --letters` lists what became of each letter");
        for state in [JobState::Paused, JobState::Failed] {
            let told = sentence(Some(state));
            assert!(told.contains("`dlq jobs resume 7`") && told.contains("`dlq jobs cancel 7`"), "{told}");
        }
    }

    #[test]
    fn json_has_the_number_the_state_and_the_command() {
        let mut out = Vec::new();
        Ending { number: 7, state: Some(JobState::Paused) }.write(&Summary::default(), true, &mut out).unwrap();
        let told: serde_json::Value = serde_json::from_slice(&out).unwrap();
        assert_eq!((&told["job"], &told["state"], &told["show"]), (&7.into(), &"paused".into(), &"dlq jobs show 7".into()));
        assert_eq!(told["redriven"], 0, "what was done of it stands beside");
    }
}
