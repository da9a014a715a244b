//! What became of each letter of a job, noted page by page, in the job and in the audit log.

use std::collections::{BTreeSet, HashMap};

use events::Timestamp;
use pipeline::LogPosition;
use pipeline::fault::Fault;
use pipeline::redrive_job::{JobCounts, JobLetter, LetterResult};
use tokio::sync::mpsc::UnboundedSender;

use super::JobTables;
use crate::audit::{Handled, Operation, Witness};

/// The letters of a job with what became of them.
pub(super) struct Noting<T> {
    tables: T,
    job: i64,
    pub operation: Operation<T>,
    letters: HashMap<String, LetterResult>,
    pub counts: JobCounts,
    /// Who wants to know which letters were sent, and where to.
    pub follower: Option<UnboundedSender<Handled>>,
    /// When something of the job was noted the last time before this process went on with it, by the database's clock.
    pub since: Option<Timestamp>,
    /// How far the tables held each topic's logs before the letters were sent that are on their way; none where that could not be asked.
    positions: HashMap<String, Vec<LogPosition>>,
}

impl<T: JobTables> Noting<T> {
    pub fn new(tables: T, job: i64, operation: Operation<T>, letters: HashMap<String, LetterResult>) -> Self {
        let mut counts = JobCounts::default();
        letters.values().for_each(|result| counts.add(*result, 1));
        Self { tables, job, operation, letters, counts, follower: None, since: None, positions: HashMap::new() }
    }

    /// Those for which there is something to do.
    pub fn open(&self) -> impl Iterator<Item = &String> {
        self.letters.iter().filter(|(_, result)| result.is_open()).map(|(id, _)| id)
    }

    /// With how things stood before it was sent, as far as that is known.
    fn with_before(&self, mut letter: Handled) -> Handled {
        letter.landed = letter.landed.map(|landed| match (self.since, self.positions.get(&landed.topic)) {
            (Some(since), Some(positions)) => landed.after(since, positions),
            _ => landed,
        });
        letter
    }
}

impl<T: JobTables> Witness for Noting<T> {
    /// One round trip for each topic.
    async fn sending(&mut self, topics: BTreeSet<String>) {
        self.positions.clear();
        for topic in topics {
            if let Ok(positions) = self.tables.positions(&topic).await {
                self.positions.insert(topic, positions);
            }
        }
    }

    /// Two round trips for all of them. A letter that the list holds twice has one result, the last one.
    async fn handled(&mut self, handled: Vec<Handled>) -> Result<(), Fault> {
        let handled: Vec<Handled> = handled.into_iter().map(|letter| self.with_before(letter)).collect();
        if let Some(follower) = &self.follower {
            // Who does not listen any more does not want to know.
            handled
                .iter()
                .filter(|letter| letter.result == Some(LetterResult::Sent))
                .for_each(|letter| drop(follower.send(letter.clone())));
        }
        let mut page = HashMap::new();
        for letter in &handled {
            let (Some(result), Some(before)) = (letter.result, self.letters.get_mut(&letter.id)) else { continue };
            self.counts.change(*before, result);
            *before = result;
            page.insert(&letter.id, JobLetter { id: letter.id.clone(), result, landed: letter.landed.clone() });
        }
        let page: Vec<JobLetter> = page.into_values().collect();
        let noted = if page.is_empty() { Ok(()) } else { self.tables.note_letters(self.job, &page, &self.counts).await };
        // What was done is in the audit log even where the job could not be told.
        self.operation.handled(handled).await?;
        noted
    }
}
