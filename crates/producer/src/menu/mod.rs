//! The menu: six entries, each a short dialogue.
//!
//! | module | what it holds |
//! |---|---|
//! | [`prompt`] | asking: the [`Prompt`] trait and the questions built on it |
//! | [`terminal`] | a person at a terminal, by way of dialoguer |
//! | `entries` | what Create User, Place Order, Settle Payment and Adjust Inventory ask |
//! | `asked` | what is typed there, checked as a person would |
//! | `samples` | what Generate Sample Events asks |
//! | `memory` | what was created in this run |
//! | `wrap` | lines that fit the terminal |

mod asked;
mod entries;
mod memory;
pub mod prompt;
mod samples;
pub mod terminal;
mod wrap;

use std::future::Future;
use std::io;
use std::pin::pin;

use events::Event;
use pipeline::Publisher;
use tokio::sync::watch;
use tokio::task::spawn_blocking;

use crate::generate::{self, Generator, GeneratorConfig, Records, RunOptions};
use crate::receipt::{Identity, Receipt, Sending};
use crate::{Target, message};

use memory::Memory;
pub use prompt::Prompt;
pub use terminal::Terminal;

/// How a person leaves a dialogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// Back to the menu: Esc.
    Entry,
    /// Out of the program: Ctrl-C, Ctrl-D, the end of the input.
    Program,
}

/// What a choice in the menu comes to.
enum Chosen {
    Send(Event<'static>),
    Generate(GeneratorConfig),
}

const ENTRIES: [&str; 6] =
    ["  1  Create User", "  2  Place Order", "  3  Settle Payment", "  4  Adjust Inventory", "  5  Generate Sample Events", "  0  Exit"];

/// The menu, until the person leaves. While something is sent, a growing `stop` ends that; while a question is open, the end of `terminated`
/// ends the menu.
///
/// Questions block, so they are asked on a thread for blocking work. If the future is dropped, that thread goes on waiting for the
/// person's next key: end the process without waiting for it.
///
/// # Errors
/// The thread that asks has panicked.
pub async fn run<P: Publisher>(
    publisher: &P,
    target: &Target,
    mut prompt: impl Prompt,
    stop: watch::Receiver<u32>,
    terminated: impl Future<Output = ()>,
) -> io::Result<()> {
    prompt.say(&format!("Events go to topic {} at {}.", target.topic, target.brokers));
    prompt.say("Esc: back.  Ctrl-C: leave.");
    let mut dialogue = Dialogue { prompt, memory: Memory::new() };
    let mut terminated = pin!(terminated);
    loop {
        let chosen;
        (dialogue, chosen) = tokio::select! {
            answered = spawn_blocking(|| dialogue.choose()) => answered?,
            () = &mut terminated => return Ok(()),
        };
        match chosen {
            Ok(Chosen::Send(event)) => dialogue.send(publisher, target, &event, stop.clone()).await,
            Ok(Chosen::Generate(config)) => dialogue.generate(publisher, target, config, stop.clone()).await,
            Err(Left::Entry) => {}
            Err(Left::Program) => return Ok(()),
        }
    }
}

/// A person, and what they created so far.
struct Dialogue<Q> {
    prompt: Q,
    memory: Memory,
}

impl<Q: Prompt> Dialogue<Q> {
    /// One choice from the menu, with its questions.
    fn choose(mut self) -> (Self, Result<Chosen, Left>) {
        let chosen = self.choose_entry();
        if chosen.as_ref().is_err_and(|left| *left == Left::Program) {
            self.prompt.say("Goodbye.");
        }
        (self, chosen)
    }

    fn choose_entry(&mut self) -> Result<Chosen, Left> {
        let Self { prompt, memory } = self;
        prompt.say("");
        ENTRIES.iter().for_each(|entry| prompt.say(entry));
        let number = prompt::ask(prompt, "Number", None, |text| {
            text.parse::<u8>().ok().filter(|number| *number <= 5).ok_or_else(|| "must be 0 to 5".to_owned())
        });
        // In the menu itself there is nothing to go back to.
        match number.map_err(|_| Left::Program)? {
            1 => entries::create_user(prompt).map(Chosen::Send),
            2 => entries::place_order(prompt, memory).map(Chosen::Send),
            3 => entries::settle_payment(prompt, memory).map(Chosen::Send),
            4 => entries::adjust_inventory(prompt, memory).map(Chosen::Send),
            5 => samples::configure(prompt).map(Chosen::Generate),
            _ => Err(Left::Program),
        }
    }

    async fn send<P: Publisher>(&mut self, publisher: &P, target: &Target, event: &Event<'_>, mut stop: watch::Receiver<u32>) {
        let message = match message::checked(event) {
            Ok(message) => message,
            Err(violation) => return self.prompt.say(&format!("Not sent: {violation}.")),
        };
        let sending = Sending { message, event: Some(Identity::of(event)) };
        stop.mark_unchanged();
        let result = tokio::select! {
            result = Receipt::obtain(publisher, &target.topic, sending, || self.prompt.say(&target.still_waiting())) => result,
            Ok(()) = stop.changed() => return self.prompt.say("No longer waiting. The event may or may not have arrived."),
        };
        match result {
            Ok(receipt) => {
                self.memory.note(event);
                self.prompt.say(&format!("Delivered: {receipt}"));
            }
            Err(fault) => self.prompt.say(&format!("Not delivered: {}", target.explain(&fault))),
        }
    }

    async fn generate<P: Publisher>(&mut self, publisher: &P, target: &Target, config: GeneratorConfig, stop: watch::Receiver<u32>) {
        let Self { prompt, memory } = self;
        let options = RunOptions { rate: None, progress: prompt.progress(config.events) };
        let records = Records::new(Generator::new(config).inspect(|event| memory.note(event)));
        let summary = generate::run(publisher, &target.topic, records, options, stop).await;
        prompt.say(&summary.to_string());
        if let Some(fault) = &summary.fault {
            prompt.say(&format!("Not delivered: {}", target.explain(fault)));
        }
    }
}
