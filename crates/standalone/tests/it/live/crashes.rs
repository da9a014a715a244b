//! `kill -9` at random moments, again and again, while events arrive.

use std::time::{Duration, Instant};

use testkit::seed::Seed;
use uuid::Uuid;

use super::invariants::check;
use super::place::Place;
use super::servers::{Servers, say};
use super::sharing::{BROKERS, COOPERATIVE, RANGE, Sharing};
use super::stream::Stream;
use super::watch::watched;

/// For how long processes are killed, in seconds.
const SECONDS_VARIABLE: &str = "CRASH_SECONDS";
/// The number that repeats the choices of an earlier run: what is sent, and when processes are killed.
const SEED_VARIABLE: &str = "CRASH_SEED";

/// Groups that crash side by side, and the most events in a batch of theirs: each waits most of the time until the broker has given its dead member up.
const LANES: [(Sharing, &str); 4] = [(COOPERATIVE, "20"), (RANGE, "20"), (BROKERS, "20"), (COOPERATIVE, "1000")];
/// Events per second and group.
const RATE: u64 = 80;
const BOUND: Duration = Duration::from_secs(120);
/// The longest life: shorter when there is nothing left to do.
const LONGEST: Duration = Duration::from_secs(9);

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_killed_at_random_moments_loses_nothing_and_doubles_nothing() {
    let Some(servers) = Servers::configured().await else { return };
    let number = |variable: &str| std::env::var(variable).ok().map(|text| text.parse::<u64>().expect("a number"));
    let seconds = number(SECONDS_VARIABLE).unwrap_or(60);
    let seed = number(SEED_VARIABLE).unwrap_or_else(|| Uuid::new_v4().as_u64_pair().0 % 1_000_000);
    say(&format!("kills for {seconds} s with {SEED_VARIABLE}={seed}"));
    let [a, b, c, d] = std::array::from_fn(|lane| crash_loop(&servers, lane, seed, Duration::from_secs(seconds)));
    let (a, b, c, d) = tokio::join!(a, b, c, d);
    say(&format!("killed {} processes", a + b + c + d));
}

/// One group's share: how often its process was killed.
async fn crash_loop(servers: &Servers, lane: usize, seed: u64, length: Duration) -> u32 {
    let place = Place::on(servers).await;
    let mut seed = Seed::numbered(seed, &format!("lane {lane}"));
    let stream = Stream::new(RATE * length.as_secs(), seed.number(1..=i32::MAX).unsigned_abs().into(), Some(20));
    let mut kills = 0;
    let (sharing, batch) = LANES[lane];
    let start = || place.start(&[&sharing[..], &[("BATCH_MAX_EVENTS", batch)]].concat());
    watched(&place, &stream, async {
        let crashes = async {
            let until = Instant::now() + length;
            while Instant::now() < until {
                let life = Life::drawn(&mut seed);
                let member = start();
                life.passes(&place).await;
                member.kill();
                kills += 1;
            }
        };
        tokio::join!(place.sender.send(&stream.records, Some(RATE as f64)), crashes);
        let last = start();
        place.until_done(&stream, BOUND).await;
        last.stop().await;
    })
    .await;
    check(&place, &stream).await;
    kills
}

/// How long a process lives.
#[derive(Clone, Copy, Debug)]
struct Life {
    /// Until so many more records are committed; 0 does not look.
    records: i64,
    /// And then so much longer.
    longer: Duration,
}

impl Life {
    fn drawn(seed: &mut Seed) -> Self {
        let milliseconds = |number: i32| Duration::from_millis(number.unsigned_abs().into());
        if seed.chance(0.2) {
            // In the middle of a start.
            return Self { records: 0, longer: milliseconds(seed.number(0..=1500)) };
        }
        Self { records: seed.number(1..=400).into(), longer: milliseconds(seed.number(0..=60)) }
    }

    async fn passes(self, place: &Place) {
        if self.records > 0 {
            let before = place.committed().await.unwrap();
            let work = async { while place.committed().await.unwrap() < before + self.records {} };
            // There may be less to do than that.
            drop(tokio::time::timeout(LONGEST, work).await);
        }
        tokio::time::sleep(self.longer).await;
    }
}
