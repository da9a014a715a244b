//! `dlq redrive --wait`: how each letter ended that was sent.

use std::io::Write;
use std::process::ExitCode;

use crate::dlq::ended::{Ended, EndedCounts, EndedLetter};
use crate::plural::plural;

/// Letters that are shown to a person, those that need somebody first.
const SHOWN: usize = 20;

/// Counts, then the letters: as JSON all of them, one on a line. 1 where one failed again, or how it ended is not known.
pub(super) fn write(letters: &[EndedLetter], json: bool, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let of = |ended| letters.iter().filter(|letter| letter.ended == ended).count();
    if json {
        writeln!(out, "{}", serde_json::to_string(&EndedCounts::of(letters))?)?;
        for letter in letters {
            writeln!(out, "{}", serde_json::to_string(letter)?)?;
        }
    } else if !letters.is_empty() {
        writeln!(out, "\nhow {} letter{} ended that {} sent", letters.len(), plural(letters.len() as u64), was(letters.len()))?;
        for ended in Ended::ALL.into_iter().rev().filter(|ended| of(*ended) > 0) {
            writeln!(out, "  {:<16} {:>9}", ended.words(), of(ended))?;
        }
        for EndedLetter { id, ended, why, .. } in letters.iter().take(SHOWN) {
            writeln!(out, "{id:<12}  {:<12}  {why}", ended.words())?;
        }
        if letters.len() > SHOWN {
            let more = letters.len() - SHOWN;
            writeln!(out, "and {more} more letter{}: --json shows all of them", plural(more as u64))?;
        }
        if of(Ended::NotYet) > 0 {
            writeln!(
                out,
                "not yet: the consumer has not taken them in this time; `status` says what holds it, `trace` finds an event later"
            )?;
        }
    }
    let is_good = letters.iter().all(|letter| letter.ended.is_good());
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

const fn was(count: usize) -> &'static str {
    if count == 1 { "was" } else { "were" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(how: &[(Ended, usize)]) -> Vec<EndedLetter> {
        let each = how.iter().flat_map(|(ended, count)| std::iter::repeat_n(*ended, *count));
        each.enumerate()
            .map(|(id, ended)| EndedLetter { id: format!("{id:012}"), event_id: None, ended, why: "because".to_owned() })
            .collect()
    }

    fn said(letters: &[EndedLetter], json: bool) -> (String, String) {
        let mut out = Vec::new();
        let code = write(letters, json, &mut out).unwrap();
        (String::from_utf8(out).unwrap(), format!("{code:?}"))
    }

    #[test]
    fn counts_come_first_and_then_a_bounded_number_of_letters() {
        let (text, code) = said(&letters(&[(Ended::FailedAgain, 1), (Ended::Applied, 24)]), false);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[1], "how 25 letters ended that were sent");
        assert_eq!(lines[2].split_whitespace().collect::<Vec<_>>(), ["applied", "24"]);
        assert_eq!(lines[3].split_whitespace().collect::<Vec<_>>(), ["failed", "again", "1"]);
        assert_eq!(lines[4], "000000000000  failed again  because");
        assert_eq!(lines.last(), Some(&"and 5 more letters: --json shows all of them"));
        assert_eq!(code, format!("{:?}", ExitCode::FAILURE));
    }

    #[test]
    fn where_nothing_was_sent_nothing_has_ended() {
        assert_eq!(said(&[], false), (String::new(), format!("{:?}", ExitCode::SUCCESS)));
    }

    #[test]
    fn one_letter_is_told_in_the_singular() {
        let (text, code) = said(&letters(&[(Ended::Parked, 1)]), false);
        assert!(text.starts_with("\nhow 1 letter ended that was sent\n"), "{text}");
        assert_eq!(code, format!("{:?}", ExitCode::SUCCESS), "it is applied when its parent is there");
    }

    #[test]
    fn what_is_not_known_yet_is_no_success_and_says_who_tells_more() {
        let (text, code) = said(&letters(&[(Ended::NotYet, 2)]), false);
        assert!(text.ends_with("`status` says what holds it, `trace` finds an event later\n"), "{text}");
        assert_eq!(code, format!("{:?}", ExitCode::FAILURE));
    }

    #[test]
    fn json_has_all_letters() {
        let (text, _) = said(&letters(&[(Ended::Stale, 30)]), true);
        let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((&lines[0]["sent"], &lines[0]["stale"], &lines[0]["notYet"]), (&30.into(), &30.into(), &0.into()));
        assert_eq!((lines.len(), &lines[30]["ended"], &lines[30]["why"]), (31, &"stale".into(), &"because".into()));
    }
}
