//! Tables in Markdown, and numbers in cells.

use std::fmt;
use std::time::Duration;

use crate::statistics::Samples;

/// A table.
#[derive(Clone, Debug, Default)]
pub struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns. The first is text, the others are numbers.
    pub fn new<T: Into<String>>(header: impl IntoIterator<Item = T>) -> Self {
        Self { header: header.into_iter().map(Into::into).collect(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| {} |", self.header.join(" | "))?;
        writeln!(f, "|---|{}", "---:|".repeat(self.header.len().saturating_sub(1)))?;
        self.rows.iter().try_for_each(|row| writeln!(f, "| {} |", row.join(" | ")))
    }
}

/// The median, and behind it the smallest and the largest.
pub fn with_spread(samples: Option<&Samples>, show: impl Fn(f64) -> String) -> String {
    let of = |samples: &Samples| {
        let (least, most) = samples.spread()?;
        Some(format!("{} ({} – {})", show(samples.median()?), show(least), show(most)))
    };
    samples.and_then(of).unwrap_or_else(|| "–".to_owned())
}

/// A whole number, its thousands apart.
pub fn whole(number: f64) -> String {
    let digits = format!("{:.0}", number.abs());
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    format!("{}{}", if number < 0.0 { "−" } else { "" }, groups.join(" "))
}

/// A ratio.
pub fn ratio(number: f64) -> String {
    format!("{number:.2}")
}

/// A share, in per cent.
pub fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

/// A duration, in milliseconds.
pub fn millis(duration: Option<Duration>) -> String {
    duration.map_or_else(|| "–".to_owned(), |duration| format!("{:.1} ms", duration.as_secs_f64() * 1000.0))
}

/// Bytes, in MiB.
pub fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_markdown_with_numbers_to_the_right() {
        let mut table = Table::new(["scenario", "floor"]);
        table.row(["replay", "1 000"]);
        assert_eq!(table.to_string(), "| scenario | floor |\n|---|---:|\n| replay | 1 000 |\n");
    }

    #[test]
    fn a_cell_shows_the_median_and_the_spread() {
        let samples: Samples = [1_234_567.0, 999.4, 20_000.0].into_iter().collect();
        assert_eq!(with_spread(Some(&samples), whole), "20 000 (999 – 1 234 567)");
        assert_eq!(with_spread(None, whole), "–");
        assert_eq!(with_spread(Some(&Samples::default()), whole), "–");
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!((ratio(0.9).as_str(), percent(0.954).as_str(), mib(3 << 19).as_str()), ("0.90", "95 %", "1.5 MiB"));
        assert_eq!(millis(Some(Duration::from_micros(12_340))), "12.3 ms");
        assert_eq!(whole(-1000.0), "−1 000");
    }
}
