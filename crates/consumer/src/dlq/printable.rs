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

/// Characters that reorder what stands around them (Unicode, UAX 9).
const fn is_bidi(c: char) -> bool {
    matches!(c, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
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
}
