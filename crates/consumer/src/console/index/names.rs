//! Texts that many rows share, each kept once.

use std::collections::HashMap;
use std::sync::Arc;

/// What a text costs beside its bytes: its place in both collections, rounded up.
const OVERHEAD: usize = 96;

/// A text of a [`Names`], of which it is known to no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Name(u32);

impl Name {
    /// The place in a list of so many as there are names.
    pub const fn place(self) -> usize {
        self.0 as usize
    }
}

/// Texts, each once.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    texts: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, Name>,
    bytes: usize,
}

impl Names {
    /// The name of this text, which is kept if it is new.
    pub fn name(&mut self, text: &str) -> Name {
        if let Some(name) = self.numbers.get(text) {
            return *name;
        }
        // Memory ends before so many do.
        let name = Name(self.texts.len() as u32);
        let text: Arc<str> = text.into();
        self.bytes += text.len() + OVERHEAD;
        self.texts.push(Arc::clone(&text));
        self.numbers.insert(text, name);
        name
    }

    /// The name of this text; `None` where no row has it.
    pub fn find(&self, text: &str) -> Option<Name> {
        self.numbers.get(text).copied()
    }

    pub fn text(&self, name: Name) -> &str {
        self.texts.get(name.place()).map_or("", |text| text)
    }

    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// What they take in memory, about.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}
