//! Tells open pages when to renew what they show: `GET /console/stream`, one for each page as long as it is seen.
//!
//! A page is told as soon as a part of this process stops working or works again, within a second that another consumer says so, and each two
//! seconds in any case, for the numbers. It then asks for itself, as whoever is logged in: the stream carries nothing. One task looks for all
//! streams of a process, and only while there is one.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderName, StatusCode};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::unfold;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::access::{SessionKey, Visitor};
use crate::port::Operations;
use crate::state::Console;

/// How often it is looked whether there is news, while a page is open.
const LOOK: Duration = Duration::from_secs(1);
/// How often numbers are renewed.
const NUMBERS: Duration = Duration::from_secs(2);

/// Looks for all streams, until there are none.
async fn keep<O: Operations>(console: Arc<Console<O>>) {
    let beats = &console.beats;
    let (mut before, mut told_at) = (console.look_again().await, Instant::now());
    loop {
        tokio::select! {
            () = sleep(LOOK) => {}
            () = beats.heard.closed() => {}
        }
        if beats.is_over() {
            return;
        }
        let now = console.look_again().await;
        if now.is_news_after(&before) || told_at.elapsed() >= NUMBERS {
            beats.heard.send_replace(());
            told_at = Instant::now();
        }
        before = now;
    }
}

/// One stream.
struct Listener<O> {
    console: Arc<Console<O>>,
    session: SessionKey,
    beats: watch::Receiver<()>,
    changes: watch::Receiver<u64>,
}

impl<O: Operations> Listener<O> {
    /// The next time at which the page is to renew what it shows; `None` when the session has ended, or the process is asked to stop.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        tokio::select! {
            biased;
            () = self.console.operations.stopped() => return None,
            Ok(()) = self.changes.changed() => {}
            Ok(()) = self.beats.changed() => {}
        }
        // An event without data is none.
        let renew = Event::default().data("renew");
        self.console.gate.sessions.lives(&self.session, std::time::Instant::now()).then_some((Ok(renew), self))
    }
}

/// `GET /console/stream`.
pub(crate) async fn show<O: Operations>(State(console): State<Arc<Console<O>>>, Extension(visitor): Extension<Visitor>) -> Response {
    let keeper = Arc::clone(&console);
    let Some(beats) = console.beats.listen(|| tokio::spawn(keep(keeper))) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let changes = console.operations.changes();
    let events = unfold(Listener { console, session: visitor.key, beats, changes }, Listener::next);
    // A proxy that gathers what it passes on would hold it back.
    ([(HeaderName::from_static("x-accel-buffering"), "no")], Sse::new(events)).into_response()
}
