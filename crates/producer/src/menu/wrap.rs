//! Lines that are no wider than the terminal: it would break them in the middle of a word.

use dialoguer::console::measure_text_width;

/// The text with line breaks in the place of spaces where a line is wider than that. What a line goes on with stands under its beginning; a word that is
/// wider by itself stays whole.
pub(super) fn wrapped(text: &str, width: usize) -> String {
    text.lines().map(|line| wrapped_line(line, width)).collect::<Vec<_>>().join("\n")
}

fn wrapped_line(line: &str, width: usize) -> String {
    let indent = &line[..line.len() - line.trim_start().len()];
    let (mut whole, mut current) = (String::new(), indent.to_owned());
    for (place, word) in line[indent.len()..].split(' ').enumerate() {
        let is_full = measure_text_width(&current) + 1 + measure_text_width(word) > width;
        if place > 0 && is_full {
            whole.push_str(current.trim_end());
            whole.push('\n');
            indent.clone_into(&mut current);
        } else if place > 0 {
            current.push(' ');
        }
        current.push_str(word);
    }
    whole + &current
}

/// An answer as it is shown behind its question and what the theme puts around both; on a line of its own where both do not fit one.
pub(super) fn beside(question: &str, answer: &str, width: usize) -> String {
    let taken = measure_text_width("✔  · ") + measure_text_width(question) + measure_text_width(answer);
    if taken > width { format!("\n  {answer}") } else { answer.to_owned() }
}

/// Rows that something so wide takes beside its last one.
pub(super) fn rows_above(wide: usize, columns: usize) -> usize {
    wide.saturating_sub(1).checked_div(columns).unwrap_or_default()
}

/// The beginning of a text, of at most so many characters.
pub(super) fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_breaks_between_words_and_goes_on_under_its_beginning() {
        let told = "No user was created in this run. An order waits in the database until its user arrives.";
        let expected = "No user was created in this run. An order waits in the\ndatabase until its user arrives.";
        assert_eq!(wrapped(told, 60), expected);
        assert_eq!(wrapped("  one two three\n\nfour", 9), "  one two\n  three\n\nfour");
        for whole in ["", "  1  Create User", "a   table  of  columns", "2f1c7d5e-0001-4000-8000-000000000001"] {
            assert_eq!(wrapped(whole, 36), whole, "{whole}");
        }
        assert_eq!(wrapped("2f1c7d5e-0001-4000-8000-000000000001", 20), "2f1c7d5e-0001-4000-8000-000000000001");
        assert_eq!(wrapped("ünï cödé", 8), "ünï cödé", "by what is seen, not by bytes");
    }

    #[test]
    fn an_id_does_not_break_where_it_stands_behind_its_question() {
        let id = "2f1c7d5e-0001-4000-8000-000000000001";
        assert_eq!(beside("User id", id, 60), id);
        assert_eq!(beside("Order (number, or an order id)", id, 60), format!("\n  {id}"));
        assert_eq!((beside("E-mail", "a", 12), beside("E-mail", "ab", 12)), ("a".to_owned(), "\n  ab".to_owned()));
    }

    #[test]
    fn what_is_as_wide_as_the_terminal_takes_one_row() {
        assert_eq!([0, 1, 60, 61, 120, 121].map(|wide| rows_above(wide, 60)), [0, 0, 0, 1, 1, 2]);
        assert_eq!(rows_above(10, 0), 0, "a terminal that does not tell how wide it is");
    }

    #[test]
    fn a_name_that_is_too_long_is_cut_off_where_one_can_see_it() {
        assert_eq!(shortened("Ada Lovelace", 16), "Ada Lovelace");
        assert_eq!(shortened("Augusta Ada King, Countess of Lovelace", 16), "Augusta Ada Kin…");
    }
}
