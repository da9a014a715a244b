//! Entries by the beginning of their id.

use std::collections::BTreeMap;

use pipeline::dead_letter::{ENTRY_ID_DIGITS, entry_id};
use pipeline::ports::DeadLetterReader;

use super::listed::Listed;
use super::refusal::Refusal;
use super::scan::Scan;

/// The shortest beginning of an id.
const LEAST_DIGITS: usize = 4;
/// So many candidates are named to someone who gave too short a beginning.
const CANDIDATES: usize = 10;

/// The entry whose id begins so. Entries that look alike are one.
///
/// # Errors
/// There is none, or more than one, or the queue is away.
pub async fn find(queue: &impl DeadLetterReader, prefix: &str) -> Result<Listed, Refusal> {
    let mut found = find_all(queue, &[prefix.to_owned()]).await?;
    found.pop().ok_or(Refusal::NotFound)
}

/// For each of these beginnings of ids its entry, found in one walk.
///
/// # Errors
/// There is none for one of them, or more than one, or the queue is away.
pub async fn find_all(queue: &impl DeadLetterReader, prefixes: &[String]) -> Result<Vec<Listed>, Refusal> {
    let prefixes: Vec<String> = prefixes.iter().map(|prefix| prefix.to_ascii_lowercase()).collect();
    if !prefixes.iter().all(|prefix| is_prefix(prefix)) {
        return Err(Refusal::NotAnId);
    }
    let mut found: Vec<BTreeMap<String, Listed>> = vec![BTreeMap::new(); prefixes.len()];
    let mut scan = Scan::start(queue).await?;
    // An id in full is one entry's, or that of entries that look alike.
    let is_complete = |found: &[BTreeMap<String, Listed>]| {
        prefixes.iter().zip(found).all(|(prefix, found)| prefix.len() == ENTRY_ID_DIGITS && !found.is_empty())
    };
    while !is_complete(&found) {
        let page = scan.look_at_texts().await?;
        if page.is_empty() {
            break;
        }
        for text in page {
            let id = entry_id(&text);
            for (prefix, found) in prefixes.iter().zip(&mut found) {
                if id.starts_with(prefix) && found.len() < CANDIDATES {
                    found.insert(id.clone(), Listed::new(text.clone()));
                }
            }
        }
    }
    found.into_iter().map(only).collect()
}

fn is_prefix(text: &str) -> bool {
    (LEAST_DIGITS..=ENTRY_ID_DIGITS).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn only(mut found: BTreeMap<String, Listed>) -> Result<Listed, Refusal> {
    if found.len() > 1 {
        return Err(Refusal::Ambiguous(found.into_keys().collect()));
    }
    found.pop_first().map(|(_, listed)| listed).ok_or(Refusal::NotFound)
}
