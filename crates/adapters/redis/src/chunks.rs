//! Dividing work into calls: Redis serves no one else while a script runs.

/// Items in one call.
const MOST: usize = 500;
/// Bytes in one call. A larger item goes alone.
const MOST_BYTES: usize = 1 << 20;

/// How many items from the first on fit into one call: at least one, where there is one.
pub(crate) fn fitting<T>(items: &[T], size: impl Fn(&T) -> usize) -> usize {
    let mut bytes = 0;
    let fits = items.iter().take(MOST).take_while(|item| {
        bytes += size(item);
        bytes <= MOST_BYTES
    });
    fits.count().max(1).min(items.len())
}

/// The items in order, in pieces that fit into one call.
pub(crate) fn chunks<T>(items: &[T], size: impl Fn(&T) -> usize) -> impl Iterator<Item = &[T]> {
    let mut rest = items;
    std::iter::from_fn(move || {
        let (chunk, others) = rest.split_at(fitting(rest, &size));
        rest = others;
        (!chunk.is_empty()).then_some(chunk)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(sizes: &[usize]) -> Vec<usize> {
        chunks(sizes, |size| *size).map(<[_]>::len).collect()
    }

    #[test]
    fn a_call_holds_500_items_or_a_mebibyte_and_a_larger_item_goes_alone() {
        assert_eq!(counts(&[]), [0; 0]);
        assert_eq!(counts(&[1; 1001]), [500, 500, 1]);
        assert_eq!(counts(&[MOST_BYTES / 2, MOST_BYTES / 2, 1]), [2, 1]);
        assert_eq!(counts(&[1, MOST_BYTES + 1, MOST_BYTES + 2, 1]), [1, 1, 1, 1]);
    }
}
