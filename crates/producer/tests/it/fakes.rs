//! A publisher that remembers, and a person who follows a script.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use events::Event;
use pipeline::ports::{Delivered, Message};
use pipeline::{Dependency, Fault, FaultClass, Publisher};
use producer::Target;
use producer::fields::Checked;
use producer::generate::Progress;
use producer::menu::{Left, Prompt};

/// Remembers what was sent, or fails.
#[derive(Default)]
pub struct Recorder {
    sent: Mutex<Vec<(String, Message)>>,
    /// From this message on (from 0), publishing fails so.
    pub fails: Option<(usize, FaultClass)>,
    attempts: Mutex<usize>,
}

impl Recorder {
    /// Fails from the n-th message on.
    pub fn failing(from: usize, class: FaultClass) -> Self {
        Self { fails: Some((from, class)), ..Self::default() }
    }

    pub fn sent(&self) -> Vec<(String, Message)> {
        self.sent.lock().unwrap().clone()
    }

    pub fn attempts(&self) -> usize {
        *self.attempts.lock().unwrap()
    }

    /// What was sent, as the consumer reads it. The key of each is the one that belongs to it.
    pub fn events(&self) -> Vec<Event<'static>> {
        self.sent().into_iter().map(|(_, message)| read(message)).collect()
    }
}

fn read(message: Message) -> Event<'static> {
    let value: &'static [u8] = message.value.unwrap().leak();
    let event = events::decode(value).unwrap();
    assert_eq!(message.key.unwrap(), event.key().into_bytes());
    event
}

pub fn fault(class: FaultClass) -> Fault {
    Fault { dependency: Dependency::Kafka, class, code: Some(-192), subject: "publish" }
}

pub const AWAY: FaultClass = FaultClass::Unavailable { timed_out: true };

impl Publisher for Recorder {
    async fn publish(&self, topic: &str, message: Message) -> Result<Delivered, Fault> {
        let attempt = {
            let mut attempts = self.attempts.lock().unwrap();
            *attempts += 1;
            *attempts - 1
        };
        match self.fails {
            Some((from, class)) if attempt >= from => Err(fault(class)),
            _ => {
                let mut sent = self.sent.lock().unwrap();
                sent.push((topic.to_owned(), message));
                Ok(Delivered { partition: 2, offset: sent.len() as i64 + 40 })
            }
        }
    }
}

pub fn target() -> Target {
    Target { brokers: "kafka.example:9092".to_owned(), topic: "events".to_owned() }
}

/// What the person does.
#[derive(Clone, Copy)]
pub enum Does {
    /// Types this and presses Enter.
    Types(&'static str),
    /// Presses Esc.
    Escapes,
}

/// A person who follows a script, and then presses Ctrl-C. Shares what was shown.
pub struct Script {
    steps: VecDeque<Does>,
    shown: Arc<Mutex<Vec<String>>>,
}

impl Script {
    pub fn new(steps: &[Does]) -> (Self, Arc<Mutex<Vec<String>>>) {
        let shown = Arc::default();
        (Self { steps: steps.iter().copied().collect(), shown: Arc::clone(&shown) }, shown)
    }

    /// Lines separated by blanks; `-` is Enter alone.
    pub fn typing(lines: &'static str) -> (Self, Arc<Mutex<Vec<String>>>) {
        let steps: Vec<_> = lines.split_whitespace().map(|line| Does::Types(if line == "-" { "" } else { line })).collect();
        Self::new(&steps)
    }
}

impl Prompt for Script {
    fn ask(&mut self, question: &str, default: Option<&str>, check: &dyn Fn(&str) -> Checked<()>) -> Result<String, Left> {
        loop {
            let typed = match self.steps.pop_front() {
                None => return Err(Left::Program),
                Some(Does::Escapes) => return Err(Left::Entry),
                Some(Does::Types(typed)) => typed,
            };
            let answer = if typed.is_empty() { default.unwrap_or_default() } else { typed };
            match check(answer) {
                Ok(()) => return Ok(answer.to_owned()),
                Err(rule) => self.say(&format!("{question} {rule}")),
            }
        }
    }

    fn say(&mut self, line: &str) {
        self.shown.lock().unwrap().push(line.to_owned());
    }

    fn progress(&self, _total: u64) -> Progress {
        Progress::Silent
    }
}
