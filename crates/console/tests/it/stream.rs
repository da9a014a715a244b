//! Open pages are told when to renew what they show. The clock stands still here: what is measured is what the console itself waits for.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::body::BodyDataStream;
use axum::http::{Method, StatusCode};
use console::routes;
use futures_util::StreamExt as _;
use tokio::net::TcpListener;
use tokio::time::{Instant, timeout};

use super::client::{Client, access};
use super::fake::Fake;

const STREAM: &str = "/console/stream";
const SENTENCE: &str = "The database does not answer: nothing is lost, the work goes on by itself.";
/// Longer than anything here takes by the console's own clocks.
const LONG: Duration = Duration::from_secs(60);

/// An open stream.
struct Stream(BodyDataStream);

impl Stream {
    async fn open(client: &Client) -> Self {
        let answer = client.begin(Method::GET, STREAM, &[]).await;
        assert_eq!((answer.status(), &answer.headers()["content-type"]), (StatusCode::OK, &"text/event-stream".parse().unwrap()));
        let mut stream = Self(answer.into_body().into_data_stream());
        assert_eq!(stream.told_after().await, Duration::ZERO, "what has happened since the page was made");
        stream
    }

    /// Whether the page is told once more, or the stream ends.
    async fn is_told(&mut self) -> bool {
        let event = timeout(LONG, self.0.next()).await.expect("neither told nor ended");
        event.is_some_and(|event| event.unwrap() == "data: renew\n\n")
    }

    /// How long it takes until the page is told.
    async fn told_after(&mut self) -> Duration {
        let start = Instant::now();
        assert!(self.is_told().await, "the stream has ended");
        start.elapsed()
    }
}

/// As the script of an open page asks.
fn page(client: &Client) -> Client {
    Client { headers: vec![("hx-request", "true".to_owned())], ..client.clone() }
}

#[tokio::test(start_paused = true)]
async fn a_hold_of_this_process_is_told_at_once_and_shown_while_nothing_else_answers() {
    let fake = Fake::with(40);
    let client = Client::viewer(&fake).await;
    client.get("/console/").await.lacks(SENTENCE);
    let mut stream = Stream::open(&client).await;
    stream.told_after().await;
    fake.hangs.store(true, Ordering::SeqCst);
    // The look that does not come back has begun.
    tokio::time::advance(Duration::from_secs(1)).await;
    let start = Instant::now();
    fake.hold(SENTENCE);
    assert_eq!(stream.told_after().await, Duration::ZERO);
    for screen in ["/console/", "/console/health"] {
        page(&client).get(screen).await.has(SENTENCE);
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_hold_of_another_process_is_told_within_a_second_and_numbers_within_two() {
    let fake = Fake::with(40);
    let client = Client::viewer(&fake).await;
    let mut stream = Stream::open(&client).await;
    for _ in 0..3 {
        assert_eq!(stream.told_after().await, Duration::from_secs(2), "nothing but numbers");
    }
    // The worst moment: everything has just been looked at.
    fake.hold_elsewhere(SENTENCE);
    assert!(stream.told_after().await <= Duration::from_secs(1));
    page(&client).get("/console/").await.has(SENTENCE).has("at consumer-5f6c9d7b8-hm4tz");
}

#[tokio::test(start_paused = true)]
async fn ten_pages_ask_as_much_as_one_and_none_asks_nothing() {
    let fake = Fake::with(40);
    let client = Client::viewer(&fake).await;
    let asks = async |pages: usize| {
        let mut streams = Vec::new();
        for _ in 0..pages {
            streams.push(Stream::open(&client).await);
        }
        let (start, before) = (Instant::now(), fake.looks.load(Ordering::SeqCst));
        while start.elapsed() < LONG {
            for stream in &mut streams {
                stream.told_after().await;
                page(&client).get("/console/").await.has("Flow");
            }
        }
        fake.looks.load(Ordering::SeqCst) - before
    };
    // One each second; at the ends of the minute one more may be under way.
    for pages in [1, 10] {
        let asked = asks(pages).await;
        assert!((58..=62).contains(&asked), "{asked} times for {pages} pages");
    }
    let before = fake.looks.load(Ordering::SeqCst);
    tokio::time::sleep(LONG).await;
    assert!(fake.looks.load(Ordering::SeqCst) <= before + 1, "one was under way");
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_with_its_session_and_with_the_process() {
    let fake = Fake::with(40);
    let client = Client::viewer(&fake).await;
    let (mut stream, mut other) = (Stream::open(&client).await, Stream::open(&Client::viewer(&fake).await).await);
    client.post("/console/logout", &[]).await;
    assert!(!stream.is_told().await, "nobody is logged in any more");
    let answer = client.begin(Method::GET, STREAM, &[]).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let mut browser = client.clone();
    browser.headers.push(("accept", "text/event-stream".to_owned()));
    assert_eq!(browser.get(STREAM).await.status, StatusCode::UNAUTHORIZED, "a browser follows a redirect unseen");

    assert!(other.is_told().await);
    fake.stop.send_replace(true);
    let start = Instant::now();
    assert!(!other.is_told().await);
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn some_connections_are_left_for_others() {
    let client = Client::viewer(&Fake::with(40)).await;
    let mut streams = Vec::new();
    for _ in 0..100 {
        streams.push(Stream::open(&client).await);
    }
    assert_eq!(client.get(STREAM).await.status, StatusCode::SERVICE_UNAVAILABLE);
    streams.pop();
    Stream::open(&client).await;
}

#[tokio::test]
async fn a_server_ends_while_streams_are_open() {
    let fake = Fake::with(40);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (router, stopping) = (routes(access(false), fake.clone()), fake.clone());
    let client = Client::of(router.clone()).log_in("viewer-token-0123").await;
    let stopped = async move { console::Operations::stopped(&*stopping).await };
    let server = tokio::spawn(telemetry::http::serve(listener, router, stopped));
    let request = reqwest::Client::new().get(format!("http://{address}{STREAM}"));
    // The name of the cookie says for which port it is.
    let cookie = client.cookie.unwrap().replace("console_session=", &format!("console_session_{}=", address.port()));
    let mut answer = request.header("cookie", cookie).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.chunk().await.unwrap().is_some());
    fake.stop.send_replace(true);
    timeout(LONG, server).await.unwrap().unwrap().expect("nothing was cut off");
    while answer.chunk().await.unwrap().is_some() {}
}
