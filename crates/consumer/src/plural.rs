//! Words for several things: the ending of a regular plural, and a list.

/// What is added to a noun of which there are so many.
pub(crate) const fn plural(count: u64) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// `a`, `a and b`, or `a, b and c`.
pub(crate) fn listed(words: impl IntoIterator<Item = String>) -> String {
    let mut words: Vec<_> = words.into_iter().collect();
    match words.pop() {
        None => String::new(),
        Some(last) if words.is_empty() => last,
        Some(last) => format!("{} and {last}", words.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_one_and() {
        let list = |words: &[&str]| listed(words.iter().map(|word| (*word).to_owned()));
        assert_eq!([list(&[]), list(&["a"]), list(&["a", "b"]), list(&["a", "b", "c"])], ["", "a", "a and b", "a, b and c"]);
    }
}
