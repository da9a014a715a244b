//! Redrives that outlive the process that does them.

use pipeline::Fault;
use pipeline::landed::Landed;
use pipeline::ports::RedriveJobs;
use pipeline::redrive_job::{JobChange, JobCounts, JobLetter, JobPlan, JobState, KEPT_JOBS, LetterResult, RedriveJob};

use crate::faults;
use crate::json::JsonRows;
use crate::row::{Columns, columns_of, only_row};
use crate::statement::{CHANGE_JOB, JOB_LETTERS, JOBS_BEFORE, NOTE_LETTERS, PLAN_JOB, RUNNING_JOBS};
use crate::store::SqlServer;

impl RedriveJobs for SqlServer {
    async fn plan_job(&self, plan: &JobPlan) -> Result<i64, Fault> {
        let JobPlan { operation, made_at, actor, origin, subject, rate, max_retries } = plan.clone().fitting();
        let (made_at, max_retries) = (made_at.to_sql(), i32::try_from(max_retries).unwrap_or(i32::MAX));
        let sets = self.pool.ask(&PLAN_JOB, &[&operation, &made_at, &actor, &origin, &subject, &rate, &max_retries, &KEPT_JOBS]).await?;
        only_row(&sets.accept(), &PLAN_JOB)?.get("number")
    }

    async fn note_letters(&self, job: i64, letters: &[JobLetter], counts: &JobCounts) -> Result<(), Fault> {
        let mut rows = JsonRows::new();
        for JobLetter { id, result, landed } in letters {
            let mut row = rows.row();
            row.text("i", id).text("r", result.label());
            if let Some(landed) = landed.as_ref().and_then(Landed::to_stored) {
                row.text("l", &landed);
            }
        }
        self.pool.ask(&NOTE_LETTERS, &[&job, &rows.finish().text, &counts.to_stored()]).await?.accept();
        Ok(())
    }

    async fn change_job(&self, job: i64, change: &JobChange) -> Result<bool, Fault> {
        let from: String = change.from().iter().flat_map(|state| [",", state.label()]).chain([","]).collect();
        let sets = self.pool.ask(&CHANGE_JOB, &[&job, &from, &change.to().label(), &change.problem(), &change.rate()]).await?.accept();
        Ok(only_row(&sets, &CHANGE_JOB)?.natural::<i32, u32>("changed")? > 0)
    }

    async fn jobs_before(&self, number: i64, limit: usize) -> Result<Vec<RedriveJob>, Fault> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sets = self.pool.ask(&JOBS_BEFORE, &[&limit, &number]).await?.accept();
        columns_of(&sets, &JOBS_BEFORE)?.map(job).collect()
    }

    async fn running_jobs(&self) -> Result<Vec<i64>, Fault> {
        let sets = self.pool.ask(&RUNNING_JOBS, &[]).await?.accept();
        columns_of(&sets, &RUNNING_JOBS)?.map(|columns| columns.get("number")).collect()
    }

    async fn job_letters(&self, job: i64, after: &str, limit: usize) -> Result<Vec<JobLetter>, Fault> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sets = self.pool.ask(&JOB_LETTERS, &[&limit, &job, &after]).await?.accept();
        columns_of(&sets, &JOB_LETTERS)?.map(letter).collect()
    }
}

fn letter(columns: Columns<'_>) -> Result<JobLetter, Fault> {
    Ok(JobLetter {
        id: columns.text("id")?,
        result: LetterResult::of_label(&columns.text("result")?).ok_or(faults::bug(JOB_LETTERS.name))?,
        landed: columns.optional("landed")?.and_then(Landed::from_stored),
    })
}

fn job(columns: Columns<'_>) -> Result<RedriveJob, Fault> {
    Ok(RedriveJob {
        number: columns.get("number")?,
        plan: JobPlan {
            operation: columns.get("operation")?,
            made_at: columns.time("made_at")?,
            actor: columns.text("actor")?,
            origin: columns.text("origin")?,
            subject: columns.text("subject")?,
            rate: columns.optional("rate")?,
            max_retries: columns.natural::<i32, _>("max_retries")?,
        },
        state: JobState::of_label(&columns.text("state")?).ok_or(faults::bug(JOBS_BEFORE.name))?,
        problem: columns.optional::<&str>("problem")?.map(str::to_owned),
        counts: JobCounts::from_stored(&columns.text("counts")?),
        updated_at: columns.time("updated_at")?,
    })
}

#[cfg(test)]
mod tests {
    use events::Timestamp;
    use pipeline::FaultClass;
    use tiberius::time::{Date, DateTime2, Time};
    use tiberius::{ColumnData, ColumnType, Row};
    use uuid::Uuid;

    use super::*;

    fn row(state: &'static str) -> Row {
        let text = |text: &'static str| ColumnData::String(Some(text.into()));
        let time = || ColumnData::DateTime2(Some(DateTime2::new(Date::new(719_162), Time::new(1, 6))));
        let values = [
            ("number", ColumnData::I64(Some(7))),
            ("operation", ColumnData::Guid(Some(Uuid::from_u128(9)))),
            ("made_at", time()),
            ("actor", text("ada")),
            ("origin", text("console")),
            ("subject", text("all dead letters")),
            ("rate", ColumnData::F64(Some(2.5))),
            ("max_retries", ColumnData::I32(Some(5))),
            ("state", text(state)),
            ("problem", ColumnData::String(None)),
            ("counts", text("sent 2, gone 1")),
            ("updated_at", time()),
        ];
        values.into_iter().fold(Row::builder(), |row, (name, value)| row.column(name, ColumnType::Null, value)).build()
    }

    #[test]
    fn a_job_is_read_from_its_row_and_a_state_that_is_not_known_is_a_bug() {
        let read = |state| job(Columns::of(&row(state), JOBS_BEFORE.name));
        let at = Timestamp::UNIX_EPOCH.plus_micros(1);
        let plan = JobPlan {
            operation: Uuid::from_u128(9),
            made_at: at,
            actor: "ada".to_owned(),
            origin: "console".to_owned(),
            subject: "all dead letters".to_owned(),
            rate: Some(2.5),
            max_retries: 5,
        };
        let counts = JobCounts::from_stored("sent 2, gone 1");
        let expected = RedriveJob { number: 7, plan, state: JobState::Paused, problem: None, counts, updated_at: at };
        assert_eq!(read("paused"), Ok(expected));
        assert_eq!(read("resting").unwrap_err().class, FaultClass::Bug);
    }
}
