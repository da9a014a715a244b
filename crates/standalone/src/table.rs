//! The table at start that says which part is real and which embedded.

/// A part, and where it is.
pub struct Row {
    part: &'static str,
    kind: &'static str,
    place: String,
}

impl Row {
    /// A part as in production.
    pub const fn real(part: &'static str, place: String) -> Self {
        Self { part, kind: "real", place }
    }

    /// A part inside this process.
    pub const fn embedded(part: &'static str, place: String) -> Self {
        Self { part, kind: "embedded", place }
    }
}

/// The table as text.
pub fn table(rows: &[Row]) -> String {
    let line = |Row { part, kind, place }: &Row| format!("  {part:<14}{kind:<10}{place}");
    let headings = [format!("  {:<14}{:<10}where", "part", "is"), format!("  {}", "-".repeat(56))];
    headings.into_iter().chain(rows.iter().map(line)).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_has_a_line_under_the_headings() {
        let rows = [Row::embedded("Kafka", "127.0.0.1:1".to_owned()), Row::real("database", "db:1433".to_owned())];
        let lines: Vec<_> = table(&rows).lines().map(str::to_owned).collect();
        assert_eq!(lines[0], "  part          is        where");
        assert_eq!(lines[2], "  Kafka         embedded  127.0.0.1:1");
        assert_eq!(lines[3], "  database      real      db:1433");
    }
}
