//! JSON laid out for people, with every number and string left as it is written.

/// The JSON text with one member or element per line; `None` where it is not JSON. Only the white space between tokens changes: a decimal
/// keeps its digits, which would not survive being read as a number.
pub fn lay_out(json: &str) -> Option<String> {
    serde_json::from_str::<serde::de::IgnoredAny>(json).ok()?;
    let mut layout = Layout { out: String::with_capacity(json.len() * 2), depth: 0 };
    let mut chars = json.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => layout.string(&mut chars),
            '{' | '[' => {
                while chars.next_if(|c| c.is_ascii_whitespace()).is_some() {}
                match chars.next_if(|c| matches!(c, '}' | ']')) {
                    Some(close) => layout.out.extend([c, close]),
                    None => layout.open(c),
                }
            }
            '}' | ']' => layout.close(c),
            ',' => {
                layout.out.push(c);
                layout.line();
            }
            ':' => layout.out.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => layout.out.push(c),
        }
    }
    Some(layout.out)
}

struct Layout {
    out: String,
    depth: usize,
}

impl Layout {
    fn open(&mut self, bracket: char) {
        self.out.push(bracket);
        self.depth += 1;
        self.line();
    }

    fn close(&mut self, bracket: char) {
        self.depth -= 1;
        self.line();
        self.out.push(bracket);
    }

    fn line(&mut self) {
        self.out.push('\n');
        self.out.extend(std::iter::repeat_n("  ", self.depth.min(MAX_DEPTH)));
    }

    /// The rest of a string, its escapes as they are.
    fn string(&mut self, chars: &mut impl Iterator<Item = char>) {
        self.out.push('"');
        let mut escaped = false;
        for c in chars {
            self.out.push(c);
            match c {
                '"' if !escaped => return,
                _ => escaped = c == '\\' && !escaped,
            }
        }
    }
}

/// Deeper than this nothing is indented further: indentation grows with the square of the depth.
const MAX_DEPTH: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_white_space_changes() {
        let json = r#"{"a":12345678901234.5678, "b" : [1,{ } ,[]],"c":"x, \"y\": {\\","d":{"e":1e2}}"#;
        let expected = "{\n  \"a\": 12345678901234.5678,\n  \"b\": [\n    1,\n    {},\n    []\n  ],\n  \"c\": \"x, \\\"y\\\": {\\\\\",\n  \"d\": {\n    \"e\": 1e2\n  }\n}";
        assert_eq!(lay_out(json).unwrap(), expected);
        assert_eq!(lay_out(expected).unwrap(), expected);
        assert_eq!(lay_out(" 7 ").as_deref(), Some("7"));
    }

    #[test]
    fn what_is_not_json_is_left_alone() {
        for text in ["", "{", "{]", "boom", "{} {}"] {
            assert_eq!(lay_out(text), None, "{text}");
        }
    }
}
