//! Requests to stop, as values to watch.

use std::future::Future;

use tokio::sync::watch;

/// Counts how often the process was asked to stop since this call, by Ctrl-C (SIGINT) or SIGTERM, neither of which ends the process by itself
/// from now on. Must be called within a tokio runtime.
pub fn count() -> watch::Receiver<u32> {
    let (count, asked) = watch::channel(0);
    tokio::spawn(async move {
        loop {
            tokio::select! {
                Ok(()) = tokio::signal::ctrl_c() => {}
                () = terminated() => {}
            }
            count.send_modify(|times| *times += 1);
        }
    });
    asked
}

/// Ends when SIGTERM comes, which no longer ends the process by itself from this call on. Nobody sends one to a process without Unix signals.
/// Must be called within a tokio runtime.
pub fn terminated() -> impl Future<Output = ()> + Send {
    #[cfg(unix)]
    let signal = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
    async move {
        #[cfg(unix)]
        if let Ok(mut signal) = signal {
            signal.recv().await;
            return;
        }
        std::future::pending::<()>().await;
    }
}
