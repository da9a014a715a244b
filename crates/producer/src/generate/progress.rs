//! What a person sees while records are sent.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::summary::Summary;

/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// The bar, in at most 60 columns: a million records with six digits of them a second.
const TEMPLATE: &str = "{bar:12.cyan} {pos}/{len} delivered  {msg}  {eta} left";

/// A way to show the progress, on stderr.
pub enum Progress {
    /// Not at all.
    Silent,
    /// A bar that moves.
    Bar(ProgressBar),
    /// A line now and then, for logs.
    Lines {
        /// How many records there will be.
        total: u64,
        /// When the last line was written.
        last: Instant,
    },
}

impl Progress {
    /// A bar on a terminal, lines elsewhere.
    pub fn for_stderr(total: u64) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self::Lines { total, last: Instant::now() };
        }
        let bar = ProgressBar::new(total);
        bar.set_style(ProgressStyle::with_template(TEMPLATE).unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self::Bar(bar)
    }

    pub(super) fn show(&mut self, summary: &Summary) {
        match self {
            Self::Silent => {}
            Self::Bar(bar) => {
                bar.set_position(summary.delivered());
                bar.set_message(format!("{:.0}/s", bar.per_sec()));
            }
            Self::Lines { total, last } if last.elapsed() >= LINE_EVERY => {
                eprintln!("{}/{total} delivered, {} not answered", summary.delivered(), summary.undelivered());
                *last = Instant::now();
            }
            Self::Lines { .. } => {}
        }
    }

    /// Makes room for the summary, which says it all.
    pub(super) fn finish(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fits_a_terminal_of_sixty_columns() {
        let largest =
            [("{bar:12.cyan}", "############"), ("{pos}", "1000000"), ("{len}", "1000000"), ("{msg}", "123456/s"), ("{eta}", "59s")];
        let line = largest.into_iter().fold(TEMPLATE.to_owned(), |line, (name, value)| line.replace(name, value));
        assert!(!line.contains('{') && line.len() <= 60, "{} columns: {line}", line.len());
    }
}
