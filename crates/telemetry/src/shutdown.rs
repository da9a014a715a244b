//! [`Shutdown`]: the first signal asks, the second ends.

use std::future::Future;
use std::io;

use tokio_util::sync::CancellationToken;

/// A request to stop, from the operating system or from the program itself.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    token: CancellationToken,
}

/// A signal that asks a process to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT, or Ctrl-C on any system.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

impl Signal {
    /// The code with which a process ends by this signal: 128 and its number, as shells tell it.
    pub const fn exit_code(self) -> i32 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        }
    }
}

/// Where signals come from.
trait Source: Send {
    fn next(&mut self) -> impl Future<Output = Signal> + Send;
}

impl Shutdown {
    /// One that only [`Shutdown::request`] sets off.
    pub fn new() -> Self {
        Self::default()
    }

    /// One that SIGINT and SIGTERM (Ctrl-C elsewhere) set off too; a second signal ends the process at once, with 130 or 143.
    ///
    /// The signals are caught from here on, also while nobody awaits the token.
    ///
    /// # Errors
    /// The operating system refuses a signal handler.
    pub fn on_signals() -> io::Result<Self> {
        let shutdown = Self::new();
        let mut signals = signals::Signals::new()?;
        let obeying = shutdown.clone();
        tokio::spawn(async move {
            let code = obeying.obey(&mut signals).await;
            std::process::exit(code);
        });
        Ok(shutdown)
    }

    /// Asks to stop. Asking again changes nothing.
    pub fn request(&self) {
        self.token.cancel();
    }

    /// Whether it was asked.
    pub fn is_requested(&self) -> bool {
        self.token.is_cancelled()
    }

    /// The token that is cancelled when it is asked.
    pub fn token(&self) -> CancellationToken {
        self.token.clone()
    }

    /// Ends when it is asked.
    pub fn requested(&self) -> impl Future<Output = ()> + Send + use<> {
        self.token.clone().cancelled_owned()
    }

    /// Answers the first signal by asking to stop; ends at the second with the code for the process.
    async fn obey(&self, signals: &mut impl Source) -> i32 {
        let first = signals.next().await;
        tracing::info!(signal = first.name(), "stopping; a second signal ends at once");
        self.request();
        let second = signals.next().await;
        tracing::warn!(signal = second.name(), "ending at once");
        second.exit_code()
    }
}

#[cfg(unix)]
mod signals {
    use std::io;

    use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

    use super::{Signal, Source};

    pub(super) struct Signals {
        interrupt: Stream,
        terminate: Stream,
    }

    impl Signals {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
        }
    }

    impl Source for Signals {
        async fn next(&mut self) -> Signal {
            tokio::select! {
                _ = self.interrupt.recv() => Signal::Interrupt,
                _ = self.terminate.recv() => Signal::Terminate,
            }
        }
    }
}

#[cfg(windows)]
mod signals {
    use std::io;

    use tokio::signal::windows::{CtrlBreak, CtrlC, CtrlClose, CtrlShutdown, ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};

    use super::{Signal, Source};

    pub(super) struct Signals {
        interrupt: CtrlC,
        end: CtrlBreak,
        close: CtrlClose,
        shutdown: CtrlShutdown,
    }

    impl Signals {
        pub(super) fn new() -> io::Result<Self> {
            Ok(Self { interrupt: ctrl_c()?, end: ctrl_break()?, close: ctrl_close()?, shutdown: ctrl_shutdown()? })
        }
    }

    impl Source for Signals {
        async fn next(&mut self) -> Signal {
            tokio::select! {
                _ = self.interrupt.recv() => Signal::Interrupt,
                _ = self.end.recv() => Signal::Terminate,
                _ = self.close.recv() => Signal::Terminate,
                _ = self.shutdown.recv() => Signal::Terminate,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::*;

    impl Source for mpsc::Receiver<Signal> {
        async fn next(&mut self) -> Signal {
            self.recv().await.unwrap()
        }
    }

    #[tokio::test]
    async fn the_first_signal_asks_and_the_second_ends_with_its_code() {
        for (second, code) in [(Signal::Interrupt, 130), (Signal::Terminate, 143)] {
            let shutdown = Shutdown::new();
            let (send, mut receive) = mpsc::channel(1);
            let obeying = shutdown.clone();
            let ending = tokio::spawn(async move { obeying.obey(&mut receive).await });
            assert!(!shutdown.is_requested());
            send.send(Signal::Terminate).await.unwrap();
            shutdown.requested().await;
            assert!(shutdown.token().is_cancelled() && !ending.is_finished());
            send.send(second).await.unwrap();
            assert_eq!(ending.await.unwrap(), code);
        }
    }

    #[tokio::test]
    async fn who_asks_twice_asks_once_and_every_clone_hears_it() {
        let shutdown = Shutdown::new();
        let other = shutdown.clone();
        other.request();
        other.request();
        shutdown.requested().await;
        assert!(shutdown.is_requested());
    }
}
