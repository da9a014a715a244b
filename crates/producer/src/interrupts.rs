//! Ctrl-C as a value to watch.

use tokio::sync::watch;

/// Counts how often Ctrl-C was pressed (SIGINT came) since this call. From now on it no longer ends the process by itself. Must be called
/// within a tokio runtime.
pub fn count() -> watch::Receiver<u32> {
    let (count, pressed) = watch::channel(0);
    tokio::spawn(async move {
        while tokio::signal::ctrl_c().await.is_ok() {
            count.send_modify(|presses| *presses += 1);
        }
    });
    pressed
}
