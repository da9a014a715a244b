//! Sending a stream.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use pipeline::ports::{Delivered, Message};
use pipeline::{Fault, FaultClass, Publisher};
use producer::Timed;
use producer::generate::summary::End;
use producer::generate::{Content, Generator, GeneratorConfig, Progress, Record, Records, RunOptions, Summary, run};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use crate::fakes::{AWAY, Recorder};

fn records(events: u64) -> impl Iterator<Item = Record> {
    Records::new(Generator::new(GeneratorConfig::new(events, 7)))
}

async fn send(publisher: &impl Publisher, records: impl Iterator<Item = Record>, rate: Option<f64>) -> Summary {
    let (_stop, stopped) = watch::channel(0);
    run(publisher, "events", records, RunOptions { rate, progress: Progress::Silent }, stopped).await
}

#[tokio::test]
async fn every_record_is_sent_in_order_and_counted() {
    let recorder = Recorder::default();
    let mixed = Records::new(Generator::new(GeneratorConfig::new(19_600, 7))).with_poison(Some(50), 7);
    let summary = send(&recorder, mixed, None).await;
    let messages: Vec<_> = Records::new(Generator::new(GeneratorConfig::new(19_600, 7))).with_poison(Some(50), 7).collect();
    assert!(recorder.sent().iter().map(|(_, message)| message).eq(messages.iter().map(|(_, message)| message)));
    let poison: u64 =
        summary.counts.iter().filter(|(content, _)| matches!(content, Content::Poison(_))).map(|(_, count)| count.delivered).sum();
    assert_eq!((summary.delivered(), poison, summary.end), (20_000, 400, End::Whole));
    let bytes: usize = messages.iter().map(|(_, m)| m.key.as_ref().unwrap().len() + m.value.as_ref().unwrap().len()).sum();
    assert_eq!(summary.bytes, bytes as u64);
    assert!(summary.is_delivered());
}

#[tokio::test]
async fn a_run_that_is_hopeless_ends_early_and_says_so() {
    let recorder = Recorder::failing(100, AWAY);
    let summary = send(&recorder, records(1_000_000), None).await;
    assert_eq!((summary.delivered(), summary.end), (100, End::Failed));
    assert!(!summary.is_delivered() && summary.fault.is_some());
    assert!(recorder.attempts() <= 10_200, "{} were tried", recorder.attempts());
}

#[tokio::test]
async fn a_record_that_is_refused_for_itself_does_not_end_the_run() {
    let recorder = Recorder::failing(990, FaultClass::Poison);
    let summary = send(&recorder, records(1000), None).await;
    assert_eq!((summary.delivered(), summary.undelivered(), summary.end), (990, 10, End::Whole));
    assert!(!summary.is_delivered());
}

#[tokio::test(start_paused = true)]
async fn the_rate_holds_over_the_whole_run() {
    let summary = send(&Recorder::default(), records(101), Some(10.0)).await;
    assert!(summary.took.abs_diff(Duration::from_secs(10)) < Duration::from_millis(20), "{:?}", summary.took);
}

/// Acknowledges as many messages as it has permits.
struct Gate {
    permits: Semaphore,
    waiting: AtomicUsize,
}

impl Publisher for Gate {
    async fn publish(&self, _topic: &str, _message: Message) -> Result<Delivered, Fault> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        self.permits.acquire().await.unwrap().forget();
        Ok(Delivered { partition: 0, offset: 0 })
    }
}

/// Records that tell when they are let go: when nothing more will be sent.
struct Watched<I>(I, Arc<AtomicBool>);

impl<I: Iterator> Iterator for Watched<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        self.0.next()
    }
}

impl<I> Drop for Watched<I> {
    fn drop(&mut self) {
        self.1.store(true, Ordering::SeqCst);
    }
}

/// Waits for a condition that the other future of the same task brings about.
async fn until(condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(20), waiting).await.expect("the condition comes true");
}

/// Sends through a gate that opens for `permits`, is stopped once its records wait there, and then so many more times.
async fn stopped(events: u64, permits: usize, opened_after: usize, more_stops: u32) -> Summary {
    let gate = Gate { permits: Semaphore::new(permits), waiting: AtomicUsize::new(0) };
    let let_go = Arc::new(AtomicBool::new(false));
    let (stop, stopped) = watch::channel(0);
    let options = RunOptions { rate: None, progress: Progress::Silent };
    let sending = run(&gate, "events", Watched(records(events), Arc::clone(&let_go)), options, stopped);
    let stopping = async {
        until(|| gate.waiting.load(Ordering::SeqCst) > permits).await;
        stop.send_replace(1);
        until(|| let_go.load(Ordering::SeqCst)).await;
        gate.permits.add_permits(opened_after);
        stop.send_modify(|stops| *stops += more_stops);
    };
    let (summary, ()) = timeout(Duration::from_secs(30), async { tokio::join!(sending, stopping) }).await.expect("the run ends");
    summary
}

#[tokio::test]
async fn no_more_than_a_bound_is_in_flight_and_a_stop_waits_for_all_of_it() {
    let summary = stopped(1_000_000, 0, 1_000_000, 0).await;
    assert_eq!((summary.sent(), summary.end), (10_000, End::Stopped));
    assert!(summary.is_delivered());
}

#[tokio::test]
async fn a_second_stop_gives_up_what_is_in_flight() {
    let summary = stopped(1_000_000, 7, 0, 1).await;
    assert_eq!((summary.delivered(), summary.end), (7, End::GaveUp));
    assert!(!summary.is_delivered() && summary.undelivered() >= 9_993);
}

#[tokio::test]
async fn each_acknowledged_message_is_measured_and_no_other() {
    let measured = AtomicUsize::new(0);
    let timed = Timed::new(Recorder::failing(5, FaultClass::Poison), |_| {
        measured.fetch_add(1, Ordering::SeqCst);
    });
    send(&timed, records(8), None).await;
    assert_eq!(measured.into_inner(), 5);
}
