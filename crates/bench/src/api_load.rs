//! The API while the consumer writes at full rate.

use std::time::Duration;

use events::Event;
use pipeline::pace;
use rand::seq::IndexedRandom as _;
use reqwest::StatusCode;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::floor;
use crate::place::Place;
use crate::running::Running;
use crate::stage::{Stage, consumer, max_rows};
use crate::tap::Tap;
use crate::web::{Asker, Web, path};
use crate::workload::generator;

/// More than are written while anyone watches.
const ENDLESS: u64 = 100_000_000;
/// The rows of one event in so many are looked up.
const SAMPLE: usize = 500;

/// How the API answered.
#[derive(Clone, Debug)]
pub struct Load {
    /// Requests that were due per second.
    pub rate: u32,
    /// From when a request was due until its answer was read, whatever it was.
    pub answers: Vec<Duration>,
    /// Requests without an answer, or with another than 200.
    pub errors: usize,
    /// Records per second that were consumed meanwhile.
    pub written: f64,
}

impl<P: Place> Stage<'_, P> {
    /// Asks for users and orders that are there, at a fixed rate, while new ones are written as fast as they go.
    ///
    /// # Errors
    /// A part fails, or a row is wrong.
    pub async fn api_load(&self) -> anyhow::Result<Load> {
        let opened = self.place.open().await?;
        let there: Vec<_> = generator(self.scale.events, self.options.seed).collect();
        floor::write(&opened.tables, &there, self.batch(), max_rows()).await?;
        let web = Web::serve(&opened.tables).await?;
        let (tap, log) = Tap::open(ENDLESS, self.options.seed.wrapping_add(1), SAMPLE);
        there.iter().for_each(|event| tap.note(event));
        let mut running = Running::in_memory(log, &opened.tables, &opened.dead_letters, consumer(self.batch()))?;

        let started = Instant::now();
        let (answers, errors) = ask(&web.asker(), &there, self.scale.requests, self.scale.watch).await;
        let written = running.meter.committed() as f64 / started.elapsed().as_secs_f64();
        while running.meter.committed() < tap.close() {
            running.until(tap.close()).await?;
        }
        running.stop().await?;
        web.stop().await?;
        tap.check(&opened.tables).await?;
        Ok(Load { rate: self.scale.requests, answers, errors, written })
    }
}

/// Asks when a request is due, whether or not earlier ones were answered: a slow answer makes nobody wait with the next question.
async fn ask(web: &Asker, there: &[Event<'static>], rate: u32, watch: Duration) -> (Vec<Duration>, usize) {
    let paths: Vec<_> = there.iter().filter_map(path).collect();
    let (start, mut asked) = (Instant::now(), JoinSet::new());
    let requests = (f64::from(rate) * watch.as_secs_f64()).ceil() as u64;
    for number in 0..requests {
        let due = start + pace::due(Some(rate.into()), number);
        sleep_until(due).await;
        let (web, path) = (web.clone(), paths.choose(&mut rand::rng()).cloned().unwrap_or_default());
        asked.spawn(async move { (web.get(&path).await == Some(StatusCode::OK), due.elapsed()) });
    }
    let answers = asked.join_all().await;
    let errors = answers.iter().filter(|(fine, _)| !fine).count();
    (answers.into_iter().map(|(_, took)| took).collect(), errors)
}
