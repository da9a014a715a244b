//! What all streams of a process hear, and the one task that looks for all of them.

use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Streams at one time: each holds a connection, and there must be some left. A page without one asks by itself.
const MOST: usize = 100;

/// What all streams of a process hear.
#[derive(Default)]
pub(crate) struct Beats {
    pub heard: watch::Sender<()>,
    /// The task that looks.
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Beats {
    /// To hear each beat, the first one at once; `None` where too many do. `begin` has a task look if there is none.
    pub fn listen(&self, begin: impl FnOnce() -> JoinHandle<()>) -> Option<watch::Receiver<()>> {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if self.heard.receiver_count() >= MOST {
            return None;
        }
        let mut beats = self.heard.subscribe();
        beats.mark_changed();
        if task.as_ref().is_none_or(JoinHandle::is_finished) {
            *task = Some(begin());
        }
        Some(beats)
    }

    /// Whether nobody listens any more; whoever listens next begins another task.
    pub fn is_over(&self) -> bool {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = self.heard.receiver_count() == 0;
        if is_over {
            *task = None;
        }
        is_over
    }
}
