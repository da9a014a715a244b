//! A person in front of a terminal.

use std::io::{self, IsTerminal};

use dialoguer::Input;
use dialoguer::console::{Key, Term, measure_text_width};
use dialoguer::theme::{ColorfulTheme, Theme};

use super::Left;
use super::prompt::{Check, Prompt};
use super::wrap::{beside, rows_above, wrapped};
use crate::generate::Progress;

/// Columns of what the theme puts before an error.
const MARK: usize = 2;
const CTRL_D: Key = Key::Char('\u{4}');

/// Prompts on the standard output.
pub struct Terminal {
    term: Term,
    theme: ColorfulTheme,
}

impl Terminal {
    /// The terminal of this process; `None` where input or output is something else.
    pub fn open() -> Option<Self> {
        let interactive = io::stdin().is_terminal() && io::stdout().is_terminal();
        interactive.then(|| Self { term: Term::stdout(), theme: ColorfulTheme::default() })
    }

    /// One answer, without decoding it.
    ///
    /// dialoguer's input knows neither Esc nor Ctrl-D, so the first key is read here, and the rest of the line by dialoguer.
    fn read(&self, question: &str, default: Option<&str>) -> Result<String, Left> {
        loop {
            self.show(|theme, text| theme.format_input_prompt(text, question, default))?;
            let first = self.term.read_key_raw()?;
            self.term.clear_line()?;
            self.clear_rows_above(question, default, "")?;
            match first {
                Key::Escape => return Err(Left::Entry),
                Key::CtrlC | CTRL_D => return Err(Left::Program),
                Key::Enter => return Ok(String::new()),
                Key::Char(letter) if !letter.is_control() => return self.read_rest(question, default, letter),
                _ => {}
            }
        }
    }

    fn read_rest(&self, question: &str, default: Option<&str>, first: char) -> Result<String, Left> {
        let prompt = default.map_or_else(|| question.to_owned(), |default| format!("{question} ({default})"));
        let input = Input::<String>::with_theme(&self.theme).with_prompt(prompt).with_initial_text(first);
        let answer = input.allow_empty(true).report(false).interact_text_on(&self.term);
        if let Ok(answer) = &answer {
            self.clear_rows_above(question, default, answer)?;
        }
        answer.map_err(|dialoguer::Error::IO(error)| {
            // What follows must not stand behind the half of an answer.
            self.term.write_line("").unwrap_or_default();
            error.into()
        })
    }

    /// Clears what is left of a question with what was typed behind it, where both took more than the row that is cleared already.
    fn clear_rows_above(&self, question: &str, default: Option<&str>, typed: &str) -> io::Result<()> {
        let mut prompt = String::new();
        self.theme.format_input_prompt(&mut prompt, question, default).map_err(io::Error::other)?;
        let (_, columns) = self.term.size();
        self.term.clear_last_lines(rows_above(measure_text_width(&prompt) + measure_text_width(typed), usize::from(columns)))
    }

    /// Writes what the theme makes of something, without a line break.
    fn show(&self, format: impl FnOnce(&ColorfulTheme, &mut String) -> std::fmt::Result) -> io::Result<()> {
        let mut text = String::new();
        format(&self.theme, &mut text).map_err(io::Error::other)?;
        self.term.write_str(&text)?;
        self.term.flush()
    }

    /// A text for the terminal as wide as it is now, with so many columns taken.
    fn fitted(&self, text: &str, taken: usize) -> String {
        let (_, columns) = self.term.size();
        wrapped(text, usize::from(columns).saturating_sub(taken))
    }

    fn show_line(&self, format: impl FnOnce(&ColorfulTheme, &mut String) -> std::fmt::Result) -> io::Result<()> {
        self.show(format)?;
        self.term.write_line("")
    }
}

impl Prompt for Terminal {
    fn ask(&mut self, question: &str, default: Option<&str>, check: Check<'_>) -> Result<String, Left> {
        loop {
            let typed = self.read(question, default)?;
            let answer = match default {
                Some(default) if typed.is_empty() => default.to_owned(),
                _ => typed,
            };
            match check(&answer) {
                Ok(()) => {
                    let (_, columns) = self.term.size();
                    let shown = beside(question, &answer, usize::from(columns));
                    self.show_line(|theme, text| theme.format_input_prompt_selection(text, question, &shown))?;
                    return Ok(answer);
                }
                Err(rule) => {
                    let told = self.fitted(&format!("{question} {rule}"), MARK);
                    self.show_line(|theme, text| theme.format_error(text, &told))?;
                }
            }
        }
    }

    fn say(&mut self, line: &str) {
        // A terminal that is gone is noticed by the next question.
        self.term.write_line(&self.fitted(line, 0)).unwrap_or_default();
    }

    fn progress(&self, total: u64) -> Progress {
        Progress::for_stderr(total)
    }
}

impl From<io::Error> for Left {
    /// The end of the input, a terminal that is gone, or Ctrl-C inside a line.
    fn from(_: io::Error) -> Self {
        Self::Program
    }
}
