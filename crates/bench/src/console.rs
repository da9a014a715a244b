//! The operator's console over many dead letters and parked events: how long each screen takes, and what it costs the consumer.

use std::future::ready;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use consumer::admin::AdminConfig;
use consumer::check::SelfCheck;
use consumer::console::{ConsoleParts, routes};
use consumer::dlq::{AdminContext, Rules, Terms};
use consumer::operator::OperatorParts;
use kafka::KafkaPublisher;
use pipeline::ports::GroupProgress;
use reqwest::header::{ACCEPT, CONTENT_TYPE, COOKIE, HeaderMap, HeaderValue, RETRY_AFTER, SET_COOKIE};
use reqwest::{Client, RequestBuilder, StatusCode, redirect};
use telemetry::{Health, Metrics, Part};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::memory::resident;
use crate::place::{Place, Queue, Tables};
use crate::running::Running;
use crate::source::MemoryOffsets;
use crate::stage::{Stage, consumer, max_rows};
use crate::statistics::Samples;
use crate::tap::Tap;
use crate::unwritable::{Unwritable, fill_parked};

/// More than are written while anyone watches.
const ENDLESS: u64 = 100_000_000;
/// The rows of one event in so many are looked up.
const SAMPLE: usize = 500;
/// Consoles that are open at one time.
const CONSOLES: usize = 10;
/// How long the list may take to be read for the first time.
const BOUND: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);
const TOKEN: &str = "a token of a benchmark";

/// What was measured of one queue.
#[derive(Clone, Debug)]
pub struct Screens {
    /// What holds the dead letters.
    pub queue: &'static str,
    /// How many there are, and how many events are parked.
    pub amounts: (usize, usize),
    /// Each screen with the times until its answer was read.
    pub screens: Vec<(&'static str, Vec<Duration>)>,
    /// The first answer of the dead letters, while nothing of them is known.
    pub first: Duration,
    /// From then on until their groups are shown.
    pub counted: Duration,
    /// How much memory that took, where the system tells.
    pub memory: Option<u64>,
    /// Records per second with and without open consoles, by turns.
    pub watched: Samples,
    /// See `watched`.
    pub alone: Samples,
}

/// A screen: what it is called, where it is, and what must stand in it.
struct Screen {
    name: &'static str,
    path: String,
    shows: Vec<String>,
}

impl<P: Place> Stage<'_, P> {
    /// Fills a queue and tables, asks each screen again and again, and then lets consoles stand open beside a consumer.
    ///
    /// # Errors
    /// A part fails, or a screen shows something wrong.
    pub async fn console<Q: Queue>(&self, queue: &'static str, tables: &P::Tables, letters: &Q) -> anyhow::Result<Screens> {
        let (count, parked) = (self.scale.letters, self.scale.parked);
        let unwritable = Unwritable::new(count);
        unwritable.push(letters).await?;
        let parents = fill_parked(tables, parked).await?;
        let offsets = MemoryOffsets::default();
        let web = Console::serve(tables, letters, offsets.clone()).await?;

        let before = resident();
        let started = Instant::now();
        web.get("/console/dead-letters").await?;
        let first = started.elapsed();
        let counted = web.until_counted(started).await?;
        let memory = before.zip(resident()).map(|(before, after)| after.saturating_sub(before));

        let mut screens = Vec::new();
        for screen in screens_of(&unwritable, (parked, parents)) {
            let mut times = Vec::with_capacity(self.scale.asks);
            for _ in 0..self.scale.asks {
                let started = Instant::now();
                let text = web.get(&screen.path).await?;
                times.push(started.elapsed());
                for expected in &screen.shows {
                    ensure!(text.contains(expected), "{}: {expected} is not shown", screen.name);
                }
            }
            screens.push((screen.name, times));
        }
        let (watched, alone) = self.beside(tables, letters, &web, offsets).await?;
        web.stop().await?;
        Ok(Screens { queue, amounts: (count, parked), screens, first, counted, memory, watched, alone })
    }

    /// Records per second with and without open consoles, by turns.
    async fn beside<Q: Queue>(
        &self,
        tables: &P::Tables,
        letters: &Q,
        web: &Console,
        offsets: MemoryOffsets,
    ) -> anyhow::Result<(Samples, Samples)> {
        let (tap, log) = Tap::open(ENDLESS, self.options.seed, SAMPLE);
        let mut running = Running::start((log, offsets.clone(), offsets), tables, letters, consumer(self.batch()))?;
        tap.expect_parked(self.scale.parked as u64);
        let (mut watched, mut alone) = (Samples::default(), Samples::default());
        // What the first batches make ready is measured in neither.
        running.until(1).await?;
        for _ in 0..self.scale.turns {
            alone.add(rate(&mut running, self.scale.watch).await?);
            let mut open = JoinSet::new();
            for number in 0..CONSOLES {
                open.spawn(web.clone_for(number).stand_open());
            }
            watched.add(rate(&mut running, self.scale.watch).await?);
            if let Some(closed) = open.try_join_next() {
                closed??;
            }
            open.shutdown().await;
        }
        while running.meter.committed() < tap.close() {
            running.until(tap.close()).await?;
        }
        running.stop().await?;
        tap.check(tables).await?;
        Ok((watched, alone))
    }
}

/// Records per second from one commit to another: a poll is committed as a whole, and may hold a tenth of what is written meanwhile.
async fn rate<S: pipeline::RecordSource + Sync + 'static>(running: &mut Running<S>, watch: Duration) -> anyhow::Result<f64> {
    let (before, started) = running.next_commit().await?;
    sleep(watch).await;
    let (after, ended) = running.next_commit().await?;
    Ok((after - before) as f64 / ended.duration_since(started).as_secs_f64())
}

fn screens_of(unwritable: &Unwritable, (parked, parents): (usize, usize)) -> Vec<Screen> {
    let letters = unwritable.count();
    let screen = |name, path: String, shows: Vec<String>| Screen { name, path, shows };
    let thousands = |number: usize| crate::table::whole(number as f64).replace(' ', ",");
    let (fingerprint, alike) = unwritable.largest();
    let (oldest, middle, newest) = (unwritable.id(0), unwritable.id(letters / 2), unwritable.id(letters - 1));
    let all = format!("<span class=\"count\">{}</span>", thousands(letters));
    let groups = unwritable.groups().map(|(_, count)| format!("<td class=\"num strong\" data-name=\"Count\">{}</td>", thousands(count)));
    vec![
        screen("flow", "/console/".to_owned(), vec!["Dead letters".to_owned()]),
        screen("dead letters: groups and list", "/console/dead-letters".to_owned(), groups.chain([all.clone(), newest.clone()]).collect()),
        screen("dead letters: the oldest", format!("/console/dead-letters?start={}", letters - 10), vec![oldest.clone()]),
        screen("dead letters: one fingerprint", format!("/console/dead-letters?fingerprint={fingerprint}"), vec![all]),
        screen(
            "dead letters: a filter that none matches",
            "/console/dead-letters?reason=email_taken".to_owned(),
            vec!["No dead letter matches".to_owned()],
        ),
        screen("one dead letter, the newest", format!("/console/dead-letters/{newest}"), vec![newest]),
        screen("one dead letter, in the middle", format!("/console/dead-letters/{middle}"), vec![middle]),
        screen("one dead letter, the oldest", format!("/console/dead-letters/{oldest}"), vec![oldest]),
        screen(
            "redrive: one fingerprint, rehearsed",
            format!("/console/redrive?fingerprint={fingerprint}&rehearse=1"),
            vec![thousands(alike)],
        ),
        screen("redrive: all", "/console/redrive?all=1".to_owned(), vec!["ore than 100 dead letters".to_owned()]),
        screen("purge: one fingerprint", format!("/console/purge?fingerprint={fingerprint}"), Vec::new()),
        screen("jobs", "/console/jobs".to_owned(), Vec::new()),
        screen("parked", "/console/parked".to_owned(), vec![format!("{} events", thousands(parked)), thousands(parents)]),
        screen(
            "trace of a dead letter",
            format!("/console/trace?event={}", unwritable.event_id(letters / 3)),
            vec![unwritable.id(letters / 3)],
        ),
        screen("audit log", "/console/audit".to_owned(), Vec::new()),
        screen("health", "/console/health".to_owned(), Vec::new()),
    ]
}

/// A console that is served, and one who is logged in to it.
struct Console {
    client: Client,
    address: SocketAddr,
    stop: CancellationToken,
    server: Option<JoinHandle<std::io::Result<()>>>,
    number: usize,
}

impl Console {
    async fn serve<T: Tables, Q: Queue>(tables: &T, queue: &Q, progress: impl GroupProgress + 'static) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).await?;
        let (address, stop) = (listener.local_addr()?, CancellationToken::new());
        let rules = Rules { max_rows: max_rows(), max_clock_skew: Duration::from_secs(300) };
        let terms = Terms { topic: "events".to_owned(), lease: Duration::from_secs(60), max_retries: 5, rules };
        let context = AdminContext { queue: queue.clone(), publisher: None::<KafkaPublisher>, tables: Some(tables.clone()), terms };
        let shared = OperatorParts {
            context,
            progress,
            group: "bench".to_owned(),
            health: Health::new(&consumer::wiring::HEALTH_PARTS, None),
            metrics: Metrics::new(&[Part::Consumer])?,
            check: SelfCheck::new(|| Box::pin(ready(Vec::new()))),
            verify: None,
            // Nothing is held here.
            peek: Arc::new(|_| Box::pin(std::future::pending())),
            stop: stop.clone(),
        };
        let (instance, parking_deadline) = (Uuid::new_v4(), Duration::from_secs(3600));
        let parts = ConsoleParts { shared, instance, parking_deadline, settings: Vec::new() };
        let routes = routes(Arc::new(AdminConfig::of_token(TOKEN)), parts);
        let server = tokio::spawn(telemetry::http::serve(listener, routes, stop.clone().cancelled_owned()));
        let cookie = log_in(address).await?;
        let headers = HeaderMap::from_iter([(COOKIE, cookie)]);
        let client = Client::builder().default_headers(headers).redirect(redirect::Policy::none()).build()?;
        Ok(Self { client, address, stop, server: Some(server), number: 0 })
    }

    /// Another browser with the same session.
    fn clone_for(&self, number: usize) -> Self {
        Self { client: self.client.clone(), address: self.address, stop: self.stop.clone(), server: None, number }
    }

    async fn get(&self, path: &str) -> anyhow::Result<String> {
        let answer = own(self.client.get(format!("http://{}{path}", self.address))).send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        ensure!(status == StatusCode::OK, "{path} is answered with {status}");
        Ok(text)
    }

    /// Loads the groups until they are there.
    async fn until_counted(&self, started: Instant) -> anyhow::Result<Duration> {
        while !self.get("/console/dead-letters").await?.contains("data-name=\"Count\"") {
            ensure!(started.elapsed() < BOUND, "the dead letters are not counted");
            sleep(PAUSE).await;
        }
        Ok(started.elapsed())
    }

    /// The flow stands open: it is renewed whenever its stream tells, and now and then somebody looks at the dead letters.
    async fn stand_open(self) -> anyhow::Result<()> {
        let stream = own(self.client.get(format!("http://{}/console/stream", self.address))).header(ACCEPT, "text/event-stream");
        let mut stream = stream.send().await?.error_for_status()?;
        for renewal in 0.. {
            stream.chunk().await?.context("the stream of an open page has ended")?;
            let path = if renewal % CONSOLES == self.number { "/console/dead-letters" } else { "/console/" };
            let answer = own(self.client.get(format!("http://{}{path}", self.address))).header("HX-Request", "true").send().await;
            // An answer that does not come costs the consumer nothing.
            if let Ok(answer) = answer {
                answer.bytes().await.ok();
            }
        }
        Ok(())
    }

    async fn stop(self) -> anyhow::Result<()> {
        self.stop.cancel();
        match self.server {
            Some(server) => server.await?.context("requests of the console were cut off"),
            None => Ok(()),
        }
    }
}

/// As a browser asks from a page of the console.
fn own(request: RequestBuilder) -> RequestBuilder {
    request.header("Sec-Fetch-Site", "same-origin")
}

async fn log_in(address: SocketAddr) -> anyhow::Result<HeaderValue> {
    let client = Client::builder().redirect(redirect::Policy::none()).build()?;
    let form = own(client.post(format!("http://{address}/console/login"))).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let answer = form.body(format!("token={}", TOKEN.replace(' ', "+"))).send().await?;
    ensure!(answer.headers().get(RETRY_AFTER).is_none(), "the console lets nobody in");
    let cookie = answer.headers().get(SET_COOKIE).context("the console gives no session")?.to_str()?;
    let cookie = cookie.split(';').next().unwrap_or_default();
    Ok(HeaderValue::from_str(cookie)?)
}
