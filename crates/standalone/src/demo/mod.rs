//! `standalone demo`: the pipeline's promises in six steps, each with checks, and a verdict.

mod client;
mod report;
mod steps;
mod story;

use std::pin::Pin;

use consumer::dlq::newest_first::NewestFirst;
use pipeline::dead_letter::Entry;
use pipeline::ports::{ClaimQueue, DeadLetterReader, Delivered, GroupProgress, Message};
use pipeline::{DeadLetterQueue, Publisher};

use client::{Client, until};
use report::Report;
use story::Story;

/// Dead letters that are looked through for those of this run.
const DEAD_LETTERS_SEEN: u64 = 500;

/// The stage of the demo: the parts it speaks to, whether real or embedded.
pub struct Stage<P, G, Q> {
    /// Sends.
    pub publisher: P,
    /// Tells when what was sent is consumed.
    pub progress: G,
    /// The dead letter queue.
    pub dead_letters: Q,
    /// The topic.
    pub topic: String,
    /// Where the API answers, such as `http://127.0.0.1:8080`.
    pub api: String,
    /// Where `/metrics` is asked for, in the same form: at each consumer.
    pub metrics: Vec<String>,
    /// Whether orphans are expired within seconds. Only on a database of the demo's own: on a shared one, a short deadline would give up
    /// the events of others.
    pub gives_up_soon: bool,
    /// Reads the whole log once more and compares it with the tables, where both are the demo's own.
    pub verification: Option<Verification>,
}

/// A verification that has not begun.
pub type Verification = Pin<Box<dyn Future<Output = anyhow::Result<consumer::verify::Report>>>>;

struct Demo<P, G, Q> {
    stage: Stage<P, G, Q>,
    client: Client,
    story: Story,
    report: Report,
}

/// Runs the demo; whether every check held.
///
/// # Errors
/// A part cannot be reached at all.
pub async fn run<P, G, Q>(stage: Stage<P, G, Q>) -> anyhow::Result<bool>
where
    P: Publisher,
    G: GroupProgress,
    Q: DeadLetterQueue + DeadLetterReader + ClaimQueue,
{
    let client = Client::new(stage.api.clone())?;
    let mut demo = Demo { stage, client, story: Story::new(), report: Report::default() };
    demo.initial_state().await?;
    demo.journey().await?;
    demo.idempotency().await?;
    demo.error_handling().await?;
    demo.metrics().await?;
    demo.final_state().await?;
    Ok(demo.report.verdict())
}

impl<P, G, Q> Demo<P, G, Q>
where
    P: Publisher,
    G: GroupProgress,
    Q: DeadLetterQueue + DeadLetterReader + ClaimQueue,
{
    /// Sends a record and waits for the broker's acknowledgement.
    async fn send(&self, key: &str, value: Vec<u8>) -> anyhow::Result<Delivered> {
        let message = Message { key: Some(key.as_bytes().to_vec()), value: Some(value), headers: Vec::new() };
        Ok(self.stage.publisher.publish(&self.stage.topic, message).await?)
    }

    async fn send_event(&self, event: &events::Event<'_>) -> anyhow::Result<Delivered> {
        let delivered = self.send(&event.key(), event.to_json()).await?;
        self.report.say(format!("sent {:<17} partition {} offset {}", event.event_type().as_str(), delivered.partition, delivered.offset));
        Ok(delivered)
    }

    /// Waits until the group has committed these records: whatever they do is done.
    async fn consumed(&self, sent: &[Delivered]) -> anyhow::Result<bool> {
        let covers = |committed: &std::collections::BTreeMap<i32, i64>| {
            sent.iter().all(|delivered| committed.get(&delivered.partition).is_some_and(|next| *next > delivered.offset))
        };
        let committed = until(|| async { Ok(self.stage.progress.committed().await?) }, covers).await?;
        Ok(covers(&committed))
    }

    /// The dead letters of this run, as their JSON texts, newest first.
    async fn dead_letters_of_this_run(&self) -> anyhow::Result<Vec<String>> {
        let orphan = self.story.orphan().id.to_string();
        let (mut seen, mut pages) = (Vec::new(), NewestFirst::at(&self.stage.dead_letters, 0));
        while (seen.len() as u64) < DEAD_LETTERS_SEEN {
            let page = pages.page(DEAD_LETTERS_SEEN - seen.len() as u64).await?;
            if page.is_empty() {
                break;
            }
            seen.extend(page.into_iter().map(|(_, entry)| entry));
        }
        Ok(seen.into_iter().filter(|json| json.contains(&self.story.tag) || json.contains(&orphan)).collect())
    }

    /// Waits until there are so many dead letters of this run.
    async fn dead_letters(&self, count: usize) -> anyhow::Result<Vec<String>> {
        until(|| self.dead_letters_of_this_run(), |dead_letters| dead_letters.len() == count).await
    }

    fn show_dead_letters(&self, dead_letters: &[String]) {
        self.report.say(format!("{:<24} {:>9} {:>7}  error", "reason", "partition", "offset"));
        for entry in dead_letters.iter().filter_map(|json| Entry::parse(json).ok()) {
            let (partition, offset) = (entry.partition.unwrap_or(-1), entry.offset.unwrap_or(-1));
            self.report.say(format!("{:<24} {partition:>9} {offset:>7}  {}", entry.reason.unwrap_or_default(), entry.error));
        }
    }
}
