//! What the reader knows of a variable that was asked for.

/// A variable that a program reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What holds where it is not set; `None` where nothing does.
    pub default: Option<String>,
    /// What it means, in a sentence, with its unit.
    pub help: &'static str,
    /// Whether it is never shown.
    pub secret: bool,
    /// Its value, stars for a secret; `None` where it is not set and has no default.
    pub shown: Option<String>,
}
