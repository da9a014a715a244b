//! The ending of a regular plural.

/// What is added to a noun of which there are so many.
pub(crate) const fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}
