//! A screen that is shown again and again, until Ctrl-C.

use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::process::ExitCode;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

/// Clears the screen and begins in its corner (ECMA-48: CUP, ED).
const CLEAR: &str = "\u{1b}[H\u{1b}[2J";

/// Seconds as a command line tells them, as `watch -n` does.
///
/// # Errors
/// It is no number from 1 to 3600.
pub fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.trim_end_matches('s').parse().ok().filter(|seconds| (1..=3600).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| "a number of seconds from 1 to 3600".to_owned())
}

/// Shows it now and every so often until `stop`. On a terminal each one takes the place of the one before it; elsewhere they follow each other.
///
/// # Errors
/// What is shown fails, or cannot be written.
pub async fn repeat(
    every: Duration,
    stop: &CancellationToken,
    mut show: impl AsyncFnMut(&mut Vec<u8>) -> anyhow::Result<()>,
) -> anyhow::Result<ExitCode> {
    loop {
        let mut screen = Vec::new();
        tokio::select! {
            () = stop.cancelled() => return Ok(ExitCode::SUCCESS),
            shown = show(&mut screen) => shown?,
        }
        // At once, so that it does not flicker.
        let mut out = BufWriter::new(io::stdout().lock());
        if io::stdout().is_terminal() {
            out.write_all(CLEAR.as_bytes())?;
        }
        out.write_all(&screen)?;
        out.flush()?;
        drop(out);
        tokio::select! {
            () = stop.cancelled() => return Ok(ExitCode::SUCCESS),
            () = tokio::time::sleep(every) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_told_in_seconds() {
        assert_eq!((seconds("5"), seconds("60s")), (Ok(Duration::from_secs(5)), Ok(Duration::from_secs(60))));
        for text in ["", "0", "3601", "-1", "x", "1.5"] {
            assert!(seconds(text).is_err(), "{text}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_shown_until_it_is_stopped() {
        let (stop, mut shown) = (CancellationToken::new(), 0);
        let stopping = stop.clone();
        let code = repeat(Duration::from_secs(5), &stop, async |_: &mut Vec<u8>| {
            shown += 1;
            if shown == 3 {
                stopping.cancel();
            }
            Ok(())
        });
        assert_eq!(format!("{:?}", code.await.unwrap()), format!("{:?}", ExitCode::SUCCESS));
        assert_eq!(shown, 3);
    }

    #[tokio::test]
    async fn what_cannot_be_shown_ends_it() {
        let stop = CancellationToken::new();
        let failed = repeat(Duration::from_secs(5), &stop, async |_: &mut Vec<u8>| anyhow::bail!("no queue"));
        assert_eq!(failed.await.unwrap_err().to_string(), "no queue");
    }
}
