//! Asking a person.

use std::fmt::Display;

use super::Left;
use crate::fields::Checked;
use crate::generate::Progress;

/// Assesses an answer; the error completes the sentence "`question` …".
pub type Check<'c> = &'c dyn Fn(&str) -> Checked<()>;

/// Someone who can be asked. Every call blocks until there is an answer.
pub trait Prompt: Send + 'static {
    /// Asks until the answer passes the check. No answer is the default, where there is one.
    ///
    /// # Errors
    /// The person leaves.
    fn ask(&mut self, question: &str, default: Option<&str>, check: Check<'_>) -> Result<String, Left>;

    /// Shows a line.
    fn say(&mut self, line: &str);

    /// How the sending of so many records is shown.
    fn progress(&self, total: u64) -> Progress;
}

/// Asks for a value with a default.
///
/// # Errors
/// The person leaves.
pub(super) fn field<T>(
    prompt: &mut impl Prompt,
    question: &str,
    default: &impl Display,
    parse: impl Fn(&str) -> Checked<T>,
) -> Result<T, Left> {
    ask(prompt, question, Some(&default.to_string()), parse)
}

/// Asks for a value.
///
/// # Errors
/// The person leaves.
pub(super) fn ask<T>(
    prompt: &mut impl Prompt,
    question: &str,
    default: Option<&str>,
    parse: impl Fn(&str) -> Checked<T>,
) -> Result<T, Left> {
    let answer = prompt.ask(question, default, &|text| parse(text).map(|_| ()))?;
    // It has passed the check; a prompt that returns anything else has nobody in front of it.
    parse(&answer).map_err(|_| Left::Program)
}

/// Asks for one of a few things by its number in a list, or for another one by its own text.
///
/// # Errors
/// The person leaves.
pub(super) fn pick<T: Clone>(
    prompt: &mut impl Prompt,
    question: &str,
    offers: &[(String, T)],
    default: &str,
    parse: impl Fn(&str) -> Checked<T>,
) -> Result<T, Left> {
    for (number, (text, _)) in offers.iter().enumerate() {
        prompt.say(&format!("  {}  {text}", number + 1));
    }
    let by_number = |text: &str| {
        let number: usize = text.parse().ok()?;
        offers.get(number.checked_sub(1)?).map(|(_, thing)| thing.clone())
    };
    field(prompt, question, &default, |text| by_number(text).map_or_else(|| parse(text), Ok))
}

/// Asks a yes-or-no question; no answer is no.
///
/// # Errors
/// The person leaves.
pub(super) fn confirm(prompt: &mut impl Prompt, question: &str) -> Result<bool, Left> {
    field(prompt, question, &"n", |text| match text.to_lowercase().as_str() {
        "y" | "yes" => Ok(true),
        "n" | "no" => Ok(false),
        _ => Err("must be y or n".to_owned()),
    })
}
