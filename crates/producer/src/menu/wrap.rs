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
    fn a_name_that_is_too_long_is_cut_off_where_one_can_see_it() {
        assert_eq!(shortened("Ada Lovelace", 16), "Ada Lovelace");
        assert_eq!(shortened("Augusta Ada King, Countess of Lovelace", 16), "Augusta Ada Kin…");
    }
}
