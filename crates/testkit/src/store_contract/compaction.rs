//! Folding old lines of the ledger into opening balances.
//!
//! How far a ledger is compacted holds for all of its database and never goes back: each case's events are newer than that of the case before, and
//! those of all other suites are from centuries later.

use std::collections::BTreeMap;

use events::{Event, Timestamp};
use pipeline::ledger::{Compaction, CompactionStep, Cutoff, OpeningBalance};
use pipeline::ports::LedgerCompaction;
use pipeline::rows::Table;
use pipeline::{Outcome, Reason};
use uuid::Uuid;

use super::{Database, quantity, stock_view};
use crate::builders::{Build, adjustment, unique};
use crate::delivery::apply;
use crate::seed::Seed;

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3600 * SECOND;

/// The time of a case: no case before has compacted the ledger so far.
async fn begin<S: LedgerCompaction>(store: &S) -> Timestamp {
    if let Some(under_way) = store.ledger_state().await.unwrap().under_way {
        fold_all(store, under_way.number, 1000).await;
    }
    let state = store.ledger_state().await.unwrap();
    assert_eq!(state.under_way, None);
    let first = Timestamp::parse("1200-01-01T00:00:00Z").unwrap();
    state.events_before.map_or(first, |before| before.max(first)).plus_micros(HOUR)
}

fn at(event: Event<'static>, at: Timestamp) -> Event<'static> {
    Event { at, ..event }
}

/// Lines of events before this time, whenever they were applied.
async fn before<S: Database>(store: &S, events_before: Timestamp) -> Cutoff {
    Cutoff { events_before, applied_before: store.now().await.unwrap().plus_micros(HOUR) }
}

/// Goes on to the end. Returns how many lines were folded.
async fn fold_all<S: LedgerCompaction>(store: &S, number: i64, lines: usize) -> u64 {
    let mut folded = 0;
    loop {
        let step = store.compact(number, lines).await.unwrap();
        assert!(step.looked_at <= lines as u64 && step.folded <= step.looked_at, "{step:?}");
        folded += step.folded;
        if step.ended {
            return folded;
        }
    }
}

async fn compact<S: Database + LedgerCompaction>(store: &S, cutoff: Cutoff) -> u64 {
    let compaction = store.begin_compaction(cutoff).await.unwrap();
    assert_eq!((compaction.cutoff, compaction.lines), (cutoff, 0));
    fold_all(store, compaction.number, 1000).await
}

/// The opening balances of these articles.
async fn openings<S: LedgerCompaction>(store: &S, skus: &[&str]) -> BTreeMap<String, i64> {
    let (mut found, mut after): (BTreeMap<String, i64>, Option<String>) = (BTreeMap::new(), None);
    loop {
        let page = store.opening_balances(after.as_deref(), 3).await.unwrap();
        let Some(last) = page.last() else { return found };
        after = Some(last.sku.clone());
        for OpeningBalance { sku, quantity } in page.into_iter().filter(|balance| skus.contains(&balance.sku.as_str())) {
            assert_eq!(found.insert(sku, quantity), None, "one for each article");
        }
    }
}

/// How many opening balances there are.
async fn all_openings<S: LedgerCompaction>(store: &S) -> u64 {
    let (mut count, mut after) = (0, None::<String>);
    loop {
        let page = store.opening_balances(after.as_deref(), 100).await.unwrap();
        let Some(last) = page.last() else { return count };
        after = Some(last.sku.clone());
        count += page.len() as u64;
    }
}

async fn assert_stock_is_its_ledger<S: LedgerCompaction>(store: &S, skus: &[&str]) {
    let wrong = store.wrong_stock(10_000).await.unwrap();
    let wrong: Vec<_> = wrong.iter().filter(|wrong| skus.contains(&wrong.sku.as_str())).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

fn refused() -> Outcome {
    Outcome::Rejected { reason: Reason::LedgerCompacted, code: None }
}

pub async fn old_lines_become_one_opening_balance_per_article_and_stock_stays<S: Database + LedgerCompaction>(store: &S) {
    let base = begin(store).await;
    let (one, two, young) = (unique("sku"), unique("sku"), unique("sku"));
    let old = [adjustment(&one, 100), adjustment(&one, -30), adjustment(&two, i32::MIN), adjustment(&two, i32::MIN)];
    apply(store, &old.map(|event| at(event, base))).await;
    // At the cutoff itself is not before it.
    apply(store, &[at(adjustment(&one, 7), base.plus_micros(SECOND)), adjustment(&young, 5)]).await;
    let stock = [stock_view(store, &one).await, stock_view(store, &two).await];
    let cutoff = before(store, base.plus_micros(SECOND)).await;
    let foldable = store.foldable(cutoff).await.unwrap();
    assert!(foldable.lines >= 4 && foldable.articles >= 2, "{foldable:?}");
    let folded_before = store.ledger_state().await.unwrap().folded;
    assert_eq!(compact(store, cutoff).await, foldable.lines);
    let state = store.ledger_state().await.unwrap();
    assert_eq!((state.events_before, state.under_way), (Some(base.plus_micros(SECOND)), None));
    assert_eq!(state.folded - folded_before, foldable.lines);
    assert_eq!(store.foldable(cutoff).await.unwrap().lines, 0);
    let skus = [one.as_str(), &two, &young];
    assert_eq!(openings(store, &skus).await, BTreeMap::from([(one.clone(), 70), (two.clone(), 2 * i64::from(i32::MIN))]));
    assert_eq!([stock_view(store, &one).await, stock_view(store, &two).await], stock, "also updatedAt");
    assert_eq!((quantity(store, &one).await, quantity(store, &young).await), (77, 5));
    assert_stock_is_its_ledger(store, &skus).await;
}

pub async fn compacting_again_adds_to_the_opening_balances<S: Database + LedgerCompaction>(store: &S) {
    let base = begin(store).await;
    let (sku, other) = (unique("sku"), unique("sku"));
    for (hour, delta) in [(1, 5), (2, -8), (3, 1)] {
        let when = base.plus_micros(hour * HOUR);
        apply(store, &[at(adjustment(&sku, delta), when)]).await;
        let cutoff = before(store, when.plus_micros(1)).await;
        compact(store, cutoff).await;
    }
    apply(store, &[at(adjustment(&other, 4), base.plus_micros(4 * HOUR))]).await;
    let cutoff = before(store, base.plus_micros(5 * HOUR)).await;
    compact(store, cutoff).await;
    assert_eq!(openings(store, &[&sku, &other]).await, BTreeMap::from([(sku.clone(), -2), (other.clone(), 4)]));
    assert_stock_is_its_ledger(store, &[&sku, &other]).await;
    assert_eq!(quantity(store, &sku).await, -2);
}

pub async fn an_event_whose_line_was_folded_does_not_count_again_and_costs_only_itself<S: Database + LedgerCompaction>(store: &S) {
    let base = begin(store).await;
    let sku = unique("sku");
    let old = at(adjustment(&sku, 10), base);
    let kept = at(adjustment(&sku, 1), base.plus_micros(HOUR));
    apply(store, &[old.clone(), kept.clone()]).await;
    let cutoff = before(store, base.plus_micros(HOUR)).await;
    compact(store, cutoff).await;
    let stock = stock_view(store, &sku).await;
    assert_eq!(apply(store, std::slice::from_ref(&old)).await, [refused()]);
    let other_content = at(adjustment(&sku, 11), base).with_id(old.id);
    assert_eq!(apply(store, &[other_content, kept.clone()]).await, [refused(), Outcome::Duplicate]);
    assert_eq!(stock_view(store, &sku).await, stock);
    let neighbour = at(adjustment(&sku, 2), base.plus_micros(HOUR));
    assert_eq!(apply(store, &[old, neighbour, kept]).await, [refused(), Outcome::Applied, Outcome::Duplicate]);
    assert_eq!(quantity(store, &sku).await, 13);
    assert_stock_is_its_ledger(store, &[&sku]).await;
}

pub async fn an_old_event_that_never_came_is_refused_from_the_begin_on<S: Database + LedgerCompaction>(store: &S) {
    let base = begin(store).await;
    let sku = unique("sku");
    let known = at(adjustment(&sku, 10), base);
    apply(store, std::slice::from_ref(&known)).await;
    let cutoff = before(store, base.plus_micros(HOUR)).await;
    let compaction = store.begin_compaction(cutoff).await.unwrap();
    let late = at(adjustment(&sku, 5), base);
    let edge = at(adjustment(&sku, 3), base.plus_micros(HOUR));
    assert_eq!(apply(store, &[late.clone(), known.clone(), edge]).await, [refused(), Outcome::Duplicate, Outcome::Applied]);
    fold_all(store, compaction.number, 1000).await;
    assert_eq!(apply(store, &[late, known]).await, [refused(), refused()]);
    assert_eq!(quantity(store, &sku).await, 13);
}

pub async fn an_old_event_that_was_applied_lately_keeps_its_line<S: Database + LedgerCompaction>(store: &S) {
    let base = begin(store).await;
    let sku = unique("sku");
    let event = at(adjustment(&sku, 10), base);
    apply(store, std::slice::from_ref(&event)).await;
    let applied_before = store.now().await.unwrap().plus_micros(-HOUR);
    compact(store, Cutoff { events_before: base.plus_micros(HOUR), applied_before }).await;
    assert_eq!(openings(store, &[&sku]).await, BTreeMap::new());
    let other_content = at(adjustment(&sku, 11), base).with_id(event.id);
    let conflict = Outcome::Rejected { reason: Reason::EventIdConflict, code: None };
    assert_eq!(apply(store, std::slice::from_ref(&event)).await, [Outcome::Duplicate]);
    assert_eq!(apply(store, &[other_content]).await, [conflict]);
    assert_eq!(quantity(store, &sku).await, 10);
    assert!(store.trace(event.id, None).await.unwrap().ledger.is_some());
}

pub async fn a_compaction_goes_on_where_it_was_left<S: Database + LedgerCompaction>(store: &S) {
    let base = begin(store).await;
    let skus = [unique("sku"), unique("sku")];
    let all: Vec<_> = (0..40).map(|number| at(adjustment(&skus[number % 2], 1), base)).collect();
    apply(store, &all).await;
    // More of them than one transaction looks at.
    let young: Vec<_> = (0..30).map(|_| at(adjustment(&skus[0], 0), base.plus_micros(HOUR))).collect();
    apply(store, &young).await;
    let lines = store.count(Table::Adjustments).await.unwrap() + all_openings(store).await;
    let cutoff = before(store, base.plus_micros(HOUR)).await;
    let begun = store.begin_compaction(cutoff).await.unwrap();
    let (mut folded, mut steps) = (0, 0);
    loop {
        steps += 1;
        // Each line is looked at once, and opening balances that are made meanwhile may be, too.
        assert!(steps <= (lines + 2) / 7 + 1, "{steps} transactions for {lines} lines");
        // Whoever comes, as after a crash, and whatever it wants: this one is gone on with first.
        let other = Cutoff { events_before: base.plus_micros(2 * HOUR), ..cutoff };
        let under_way = store.begin_compaction(other).await.unwrap();
        assert_eq!(under_way, Compaction { lines: folded, ..begun });
        assert_eq!(store.ledger_state().await.unwrap().under_way, Some(under_way));
        let step = store.compact(begun.number, 7).await.unwrap();
        folded += step.folded;
        let [one, two] = skus.each_ref();
        assert_stock_is_its_ledger(store, &[one, two]).await;
        assert_eq!((quantity(store, one).await, quantity(store, two).await), (20, 20));
        // Folded or not, nothing counts again.
        apply(store, &all[..5]).await;
        if step.ended {
            break;
        }
    }
    assert!(folded >= 40);
    let openings = openings(store, &[&skus[0], &skus[1]]).await;
    assert_eq!(openings.into_values().collect::<Vec<_>>(), [20, 20]);
    let ended = CompactionStep { looked_at: 0, folded: 0, ended: true };
    assert_eq!(store.compact(begun.number, 7).await.unwrap(), ended, "it has ended");
    assert_eq!(store.ledger_state().await.unwrap().under_way, None);
    assert_eq!(store.ledger_state().await.unwrap().events_before, Some(cutoff.events_before), "the other cutoff was not published");
}

pub async fn the_rows_are_without_folded_lines_and_opening_balances<S: Database + LedgerCompaction>(store: &S) {
    let base = begin(store).await;
    let sku = unique("sku");
    let old: Vec<_> = (0..9).map(|_| at(adjustment(&sku, 1), base)).collect();
    let young = at(adjustment(&sku, 1), base.plus_micros(HOUR));
    apply(store, &old).await;
    apply(store, std::slice::from_ref(&young)).await;
    let count = store.count(Table::Adjustments).await.unwrap();
    let cutoff = before(store, base.plus_micros(HOUR)).await;
    let folded = compact(store, cutoff).await;
    assert_eq!(store.count(Table::Adjustments).await.unwrap(), count - folded);
    let ids: Vec<Uuid> = old.iter().chain([&young]).map(|event| event.id).collect();
    let rows = store.rows(Table::Adjustments, &ids).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.key).collect::<Vec<_>>(), [young.id]);
    let (mut after, mut seen) = (None, 0);
    loop {
        let page = store.rows_after(Table::Adjustments, after, 100).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.key);
        seen += page.len() as u64;
        for row in page.iter().filter(|row| row.fields.get("sku").as_deref() == Some(sku.as_str())) {
            assert_eq!(row.key, young.id);
        }
    }
    assert_eq!(seen, count - folded);
}

pub async fn a_trace_tells_before_which_time_lines_may_be_folded<S: Database + LedgerCompaction>(store: &S) {
    let base = begin(store).await;
    let sku = unique("sku");
    let event = at(adjustment(&sku, 4), base);
    apply(store, std::slice::from_ref(&event)).await;
    let line = store.trace(event.id, None).await.unwrap().ledger.expect("a line");
    assert_eq!((line.sku, line.delta), (sku, 4));
    let cutoff = before(store, base.plus_micros(1)).await;
    compact(store, cutoff).await;
    let trace = store.trace(event.id, None).await.unwrap();
    assert_eq!((trace.ledger, trace.folded_before), (None, Some(base.plus_micros(1))));
}

pub async fn writers_beside_a_compaction_lose_nothing_and_count_nothing_twice<S: Database + LedgerCompaction>(store: &S) {
    let base = begin(store).await;
    let mut seed = Seed::of_test("compaction");
    let skus = [unique("sku"), unique("sku")];
    let line = |seed: &mut Seed, when| at(adjustment(seed.pick::<String>(&skus), seed.number(-1000..=1000)), when);
    let old: Vec<_> = (0..200).map(|_| line(&mut seed, base)).collect();
    let young: Vec<_> = (0..200).map(|_| line(&mut seed, base.plus_micros(2 * HOUR))).collect();
    apply(store, &old).await;
    let cutoff = before(store, base.plus_micros(HOUR)).await;
    let number = store.begin_compaction(cutoff).await.unwrap().number;
    let fold = async {
        loop {
            if store.compact(number, 5).await.unwrap().ended {
                break;
            }
            tokio::task::yield_now().await;
        }
    };
    let mut parts: Vec<Vec<Event<'static>>> = young.chunks(10).zip(old.chunks(10)).map(|(young, old)| [young, old].concat()).collect();
    parts.extend(young.chunks(20).map(<[_]>::to_vec));
    let write = async {
        for mut part in parts {
            seed.shuffle(&mut part);
            for (event, outcome) in part.iter().zip(apply(store, &part).await) {
                // An old one has its line or is refused; a young one counts once.
                let known = [Outcome::Duplicate, if event.at < cutoff.events_before { refused() } else { Outcome::Applied }];
                assert!(known.contains(&outcome), "{outcome:?}");
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::join!(fold, write);
    for sku in &skus {
        let deltas = |events: &[Event<'static>]| -> i64 {
            let own = events.iter().filter_map(|event| match &event.body {
                events::Body::InventoryAdjusted(adjustment) if adjustment.sku == *sku => Some(adjustment.delta()),
                _ => None,
            });
            own.sum()
        };
        assert_eq!(quantity(store, sku).await, deltas(&old) + deltas(&young));
        assert_eq!(openings(store, &[sku]).await.get(sku).copied().unwrap_or_default(), deltas(&old));
    }
    assert_stock_is_its_ledger(store, &[&skus[0], &skus[1]]).await;
}
