//! Text of others on a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text with control characters escaped, so that an entry cannot move the cursor, change colours, or pretend to be another line.
pub fn printable(text: &str) -> Cow<'_, str> {
    escape(text, |_| false)
}

/// The same for text of several lines.
pub fn printable_lines(text: &str) -> Cow<'_, str> {
    escape(text, |c| c == '\n' || c == '\t')
}

fn escape(text: &str, allowed: impl Fn(char) -> bool) -> Cow<'_, str> {
    let harmful = |c: char| (c.is_control() || is_bidi(c)) && !allowed(c);
    if !text.contains(harmful) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if harmful(c) {
            // Writing to memory cannot fail.
            write!(shown, "{}", c.escape_default()).ok();
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// Characters that reorder what stands around them (Unicode's property `Bidi_Control`, UAX 9).
const fn is_bidi(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_act_on_a_terminal_is_shown_instead() {
        assert_eq!(printable("Zoë 😀"), "Zoë 😀");
        assert_eq!(printable("a\u{1b}[2J\nb\u{202e}"), "a\\u{1b}[2J\\nb\\u{202e}");
        assert_eq!(printable_lines("a\n\tb\r"), "a\n\tb\\r");
    }

    #[test]
    fn no_character_that_changes_the_direction_of_text_is_left() {
        // All twelve that have the property Bidi_Control.
        for c in "\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}".chars() {
            assert_eq!(printable(&format!("a{c}")), format!("a\\u{{{:x}}}", u32::from(c)));
        }
    }
}
