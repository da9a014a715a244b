//! From sending an event until the API shows it.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use consumer::wiring::CLOSE;
use events::Event;
use kafka::KafkaPublisher;
use pipeline::{Publisher as _, pace};
use reqwest::StatusCode;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use crate::broker::Broker;
use crate::check::Sample;
use crate::place::Place;
use crate::running::Running;
use crate::stage::{Stage, consumer};
use crate::web::{Asker, Web, path};
use crate::workload::generator;

/// The share of the peak rate at which is sent.
const SHARE: f64 = 0.1;
/// Events per second that are looked for.
const LOOKS: f64 = 100.0;
/// The pause between two looks for one event; latencies are known no better than this.
const PAUSE: Duration = Duration::from_millis(1);
/// An event that is not seen for so long is lost.
const BOUND: Duration = Duration::from_secs(60);

/// How long events took.
#[derive(Clone, Debug)]
pub struct Latency {
    /// Events sent per second.
    pub rate: f64,
    /// From handing an event to the publisher until the first 200.
    pub visible: Vec<Duration>,
}

impl<P: Place> Stage<'_, P> {
    /// Sends at a tenth of `peak` records per second, and asks the API for some of the events until it shows them.
    ///
    /// # Errors
    /// A part fails, an event does not come, or a row is wrong.
    pub async fn latency(&self, peak: f64) -> anyhow::Result<Latency> {
        let rate = (peak * SHARE).max(10.0);
        let events: Vec<_> = generator((rate * self.scale.watch.as_secs_f64()).ceil() as usize, self.options.seed).collect();
        let opened = self.place.open().await?;
        let broker = Broker::open(self.kafka, self.options.partitions).await?;
        let web = Web::serve(&opened.tables).await?;
        let log = broker.log()?;
        let progress = log.2.clone();
        let mut running = Running::start(log, &opened.tables, &opened.dead_letters, consumer(self.batch()))?;

        let sender = Sender { publisher: KafkaPublisher::open(&broker.config)?, topic: broker.config.topic.clone(), web: web.asker() };
        // The group is joined once one event has come through.
        let (first, rest) = events.split_first().context("there is nothing to send")?;
        sender.clone().send_and_see(first.clone()).await?;
        let visible = sender.send_all(rest, rate).await?;
        running.until(events.len() as u64).await?;

        running.stop().await?.close(CLOSE).await?;
        sender.publisher.close(CLOSE).await?;
        progress.close(CLOSE).await?;
        web.stop().await?;
        let mut sample = Sample::new(1);
        events.iter().for_each(|event| sample.note(event));
        sample.check(&opened.tables).await?;
        Ok(Latency { rate, visible })
    }
}

#[derive(Clone)]
struct Sender {
    publisher: KafkaPublisher,
    topic: String,
    web: Asker,
}

impl Sender {
    /// Sends each event when it is due, whatever became of those before it.
    async fn send_all(&self, events: &[Event<'static>], rate: f64) -> anyhow::Result<Vec<Duration>> {
        let (mut looking, mut sending) = (JoinSet::new(), JoinSet::new());
        let (start, every) = (Instant::now(), (rate / LOOKS).ceil().max(1.0) as usize);
        let mut due_for_a_look = 0;
        for (number, event) in (0..).zip(events) {
            sleep_until(start + pace::due(Some(rate), number)).await;
            due_for_a_look += 1;
            if due_for_a_look >= every && path(event).is_some() {
                due_for_a_look = 0;
                looking.spawn(self.clone().send_and_see(event.clone()));
            } else {
                sending.spawn(self.clone().send(event.clone()));
            }
        }
        for sent in sending.join_all().await {
            sent?;
        }
        looking.join_all().await.into_iter().collect()
    }

    async fn send(self, event: Event<'static>) -> anyhow::Result<()> {
        self.publisher.publish(&self.topic, producer::message::of_event(&event)).await?;
        Ok(())
    }

    /// Sends an event, and asks for it until it is there.
    async fn send_and_see(self, event: Event<'static>) -> anyhow::Result<Duration> {
        let path = path(&event).context("the API does not show this event")?;
        let (message, started) = (producer::message::of_event(&event), Instant::now());
        self.publisher.publish(&self.topic, message).await?;
        while self.web.get(&path).await != Some(StatusCode::OK) {
            ensure!(started.elapsed() < BOUND, "an event was sent and is not seen");
            sleep(PAUSE).await;
        }
        Ok(started.elapsed())
    }
}
