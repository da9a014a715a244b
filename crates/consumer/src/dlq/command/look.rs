//! Commands that change nothing.

use std::collections::BTreeSet;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context as _, bail};
use pipeline::ports::{Clock as _, DeadLetterReader};
use tempfile::NamedTempFile;

use super::{FilterArgs, ListArgs, StatsArgs, text};
use crate::backends::SystemClock;
use crate::dlq::filter::Filter;
use crate::dlq::find::{find, find_all};
use crate::dlq::listed::Listed;
use crate::dlq::newest_first::NewestFirst;
use crate::dlq::refusal::Refusal;
use crate::dlq::scan::Scan;
use crate::dlq::stats::{and_claimed, dead_letters, stats};
use crate::dlq::transfer::export_page;

/// Entries read at once.
const PAGE: u64 = 500;

/// The ids of these beginnings of ids.
pub(super) async fn ids(queue: &impl DeadLetterReader, prefixes: &[String]) -> Result<BTreeSet<String>, Refusal> {
    if prefixes.is_empty() {
        return Ok(BTreeSet::new());
    }
    Ok(find_all(queue, prefixes).await?.into_iter().map(|listed| listed.id).collect())
}

pub(super) async fn list(queue: &impl DeadLetterReader, args: &ListArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let filter = args.filter.filter(ids(queue, &args.filter.ids).await?);
    let now = SystemClock.now();
    let mut shown = 0;
    let mut pages = NewestFirst::at(queue, 0);
    'list: loop {
        let page = pages.page(PAGE).await.map_err(Refusal::from)?;
        if page.is_empty() {
            break;
        }
        for listed in page.into_iter().map(|(_, entry)| Listed::new(entry)).filter(|listed| filter.selects(listed, now)) {
            if shown == args.limit {
                break 'list;
            }
            if args.json {
                writeln!(out, "{}", serde_json::to_string(&listed.row(now))?)?;
            } else {
                if shown == 0 {
                    writeln!(out, "{}", if args.wide { text::wide_headings() } else { text::headings() })?;
                }
                writeln!(out, "{}", if args.wide { text::wide_line(&listed, now) } else { text::line(&listed, now) })?;
            }
            shown += 1;
        }
    }
    if !args.json {
        let (depth, claimed) = (queue.depth().await.map_err(Refusal::from)?, queue.claimed().await.map_err(Refusal::from)?);
        writeln!(out, "{}{}", footer(shown, depth, &filter), and_claimed(claimed))?;
    }
    Ok(())
}

fn footer(shown: u64, depth: u64, filter: &Filter) -> String {
    match (shown, depth) {
        (_, 0) => filter.selects_none_of(0),
        (0, depth) if !filter.is_empty() => filter.selects_none_of(depth),
        (shown, depth) if shown < depth && filter.is_empty() => format!("the newest {shown} of {depth}; --limit shows more"),
        (shown, depth) => format!("{shown} of {depth}"),
    }
}

pub(super) async fn show(queue: &impl DeadLetterReader, id: &str, out: &mut impl Write) -> anyhow::Result<()> {
    Ok(writeln!(out, "{}", text::details(&find(queue, id).await?))?)
}

pub(super) async fn count(queue: &impl DeadLetterReader, args: &StatsArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let filter = args.filter.filter(ids(queue, &args.filter.ids).await?);
    let stats = stats(queue, &filter, &args.by, SystemClock.now()).await.map_err(Refusal::from)?;
    if args.json {
        writeln!(out, "{}", serde_json::to_string(&stats)?)?;
    } else {
        writeln!(out, "{stats}")?;
    }
    Ok(())
}

pub(super) async fn export(
    queue: &impl DeadLetterReader,
    filter: &FilterArgs,
    (file, force): (Option<&Path>, bool),
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let filter = filter.filter(ids(queue, &filter.ids).await?);
    let Some(path) = file.filter(|path| *path != Path::new("-")) else {
        lines(queue, &filter, out).await?;
        return Ok(());
    };
    let named = || format!("{} cannot be written", path.display());
    match path.metadata() {
        Ok(there) if !there.is_file() => bail!("{} is no ordinary file; `-` is the standard output", path.display()),
        Ok(_) if !force => bail!("{} exists; --force replaces it", path.display()),
        _ => {}
    }
    // Complete or not there: a half-written export must not look like a whole one, nor take the place of one.
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = BufWriter::new(NamedTempFile::new_in(folder).with_context(named)?);
    let count = lines(queue, &filter, &mut file).await?;
    let claimed = queue.claimed().await.map_err(Refusal::from)?;
    let file = file.into_inner().map_err(|error| error.into_error()).with_context(named)?;
    file.as_file().sync_all().with_context(named)?;
    if force { file.persist(path) } else { file.persist_noclobber(path) }.map_err(|error| error.error).with_context(named)?;
    eprintln!("{} exported to {}", dead_letters(count), path.display());
    if claimed > 0 {
        eprintln!("not exported: {claimed} that a redrive has claimed; they come back into the list when it ends, or their lease does");
    }
    Ok(())
}

async fn lines(queue: &impl DeadLetterReader, filter: &Filter, out: &mut impl Write) -> anyhow::Result<u64> {
    let now = SystemClock.now();
    let mut scan = Scan::start(queue).await.map_err(Refusal::from)?;
    let mut count = 0;
    loop {
        let page = export_page(&mut scan, filter, now).await.map_err(Refusal::from)?;
        if page.is_empty() {
            return Ok(count);
        }
        for line in page {
            out.write_all(line.as_bytes())?;
            count += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_says_how_many_there_are_and_what_none_of_them_is() {
        let (all, some) = (Filter::default(), Filter { reason: Some("nonsense".to_owned()), ..Filter::default() });
        assert_eq!([footer(0, 0, &all), footer(0, 0, &some)], ["no dead letters", "no dead letters"]);
        assert_eq!(footer(0, 3, &all), "the newest 0 of 3; --limit shows more");
        assert_eq!(footer(0, 3, &some), "none of the 3 dead letters is one with reason nonsense");
        assert_eq!(footer(2, 3, &some), "2 of 3");
    }
}
