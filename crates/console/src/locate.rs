//! Where a field stands in a JSON text, so that it can be marked. A text that is broken is read as far as it can be.

use std::ops::Range;

/// The bytes of `name: value` of the field at a path such as `payload.items[0].sku`; `None` where it is not there. In the envelope of a CloudEvent
/// it is the field of the event that is in it.
pub(crate) fn locate(text: &str, path: &str) -> Option<Range<usize>> {
    let path = path.strip_prefix("$.").unwrap_or(path);
    let mut steps: Vec<&str> = path.split(['.', '[']).map(|step| step.trim_end_matches(']')).collect();
    let find = |steps: &[&str]| Scanner { text: text.as_bytes(), at: 0 }.find(steps);
    if find(&["specversion"]).is_some() && find(&["eventType"]).is_none() {
        steps.insert(0, "data");
    }
    find(&steps)
}

/// The number of the line at a byte, from 1 on.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    1 + text.as_bytes().iter().take(at).filter(|&&byte| byte == b'\n').count()
}

struct Scanner<'t> {
    text: &'t [u8],
    at: usize,
}

impl Scanner<'_> {
    fn find(&mut self, steps: &[&str]) -> Option<Range<usize>> {
        let (step, rest) = steps.split_first()?;
        self.space();
        let object = match self.take()? {
            b'{' => true,
            b'[' => false,
            _ => return None,
        };
        let mut index = 0_usize;
        loop {
            self.space();
            if matches!(self.peek()?, b'}' | b']') {
                return None;
            }
            let start = self.at;
            let named = if object {
                let name = self.string()?;
                self.space();
                (self.take()? == b':').then_some(())?;
                self.text.get(name)? == step.as_bytes()
            } else {
                index.to_string() == *step
            };
            self.space();
            if named && rest.is_empty() {
                let value = self.skip();
                // A value that does not end is marked as far as its text goes.
                return Some(start..value.map_or(self.at, |()| self.at));
            }
            if named {
                return self.find(rest);
            }
            self.skip()?;
            self.space();
            if self.peek()? == b',' {
                self.at += 1;
            }
            index += 1;
        }
    }

    /// Goes over one value.
    fn skip(&mut self) -> Option<()> {
        match self.peek()? {
            b'"' => self.string().map(|_| ()),
            b'{' | b'[' => {
                let mut depth = 0_usize;
                loop {
                    match self.peek()? {
                        b'"' => {
                            self.string()?;
                            continue;
                        }
                        b'{' | b'[' => depth += 1,
                        b'}' | b']' => depth -= 1,
                        _ => {}
                    }
                    self.at += 1;
                    if depth == 0 {
                        return Some(());
                    }
                }
            }
            _ => {
                let start = self.at;
                while self.text.get(self.at).is_some_and(|byte| !matches!(byte, b',' | b'}' | b']' | b'\n' | b' ')) {
                    self.at += 1;
                }
                (self.at > start).then_some(())
            }
        }
    }

    /// Goes over a string; returns where its inside is.
    fn string(&mut self) -> Option<Range<usize>> {
        (self.take()? == b'"').then_some(())?;
        let start = self.at;
        loop {
            match self.take()? {
                b'"' => return Some(start..self.at - 1),
                b'\\' => self.at += 1,
                _ => {}
            }
        }
    }

    fn space(&mut self) {
        while self.text.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{
  "eventId": "1",
  "email": "decoy",
  "payload": {
    "na\"me": "x, \"email\": {",
    "items": [{"sku": "A"}, {"sku": "B", "n": -1.5e3}],
    "email": "no address"
  }
}"#;

    fn at(path: &str) -> Option<&'static str> {
        locate(TEXT, path).map(|range| &TEXT[range])
    }

    #[test]
    fn in_a_cloud_event_it_is_the_field_of_the_event() {
        let text = r#"{"specversion":"1.0","email":1,"data":{"eventType":"UserCreated","email":7}}"#;
        assert_eq!(&text[locate(text, "email").unwrap()], r#""email":7"#);
        let event = r#"{"eventType":"UserCreated","specversion":"1.0","email":7}"#;
        assert_eq!(&event[locate(event, "email").unwrap()], r#""email":7"#);
    }

    #[test]
    fn a_field_is_found_by_its_path() {
        assert_eq!(at("payload.email"), Some(r#""email": "no address""#));
        assert_eq!(at("email"), Some(r#""email": "decoy""#));
        assert_eq!(at("payload.items[1].n"), Some(r#""n": -1.5e3"#));
        assert_eq!(at("payload.items.0"), Some(r#"{"sku": "A"}"#));
        assert_eq!(line_of(TEXT, locate(TEXT, "payload.email").unwrap().start), 7);
        for missing in ["", "payload.phone", "payload.email.x", "payload.items[2]", "x.y"] {
            assert_eq!(at(missing), None, "{missing}");
        }
    }

    #[test]
    fn broken_texts_are_read_as_far_as_they_go() {
        for end in 0..TEXT.len() {
            let text = &TEXT[..end];
            for path in ["payload.email", "payload.items[1].n", "eventId"] {
                assert!(locate(text, path).is_none_or(|range| text.get(range).is_some()));
            }
        }
        let bytes = [b'{', b'"', b'[', b']', b'}', b':', b',', b'\\', b'a'];
        for seed in 0..20_000_usize {
            let text: String =
                (0..8).map(|place| char::from(bytes[(seed.wrapping_mul(2_654_435_761) >> (place * 4)) % bytes.len()])).collect();
            assert!(locate(&text, "a.a").is_none_or(|range| text.get(range).is_some()), "{text}");
        }
    }
}
