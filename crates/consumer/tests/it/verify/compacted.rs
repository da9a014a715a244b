//! A ledger whose old lines were folded into opening balances is still what the log says.

use pipeline::ledger::Cutoff;
use pipeline::ports::{LedgerCompaction as _, ParkingExpiry as _};

use super::*;

/// Lines of events before the tenth second may go, whenever they were applied.
async fn begin(tables: &Sqlite) -> i64 {
    let applied_before = tables.now().await.unwrap().plus_micros(1_000_000);
    tables.begin_compaction(Cutoff { events_before: second(10), applied_before }).await.unwrap().number
}

async fn compact(tables: &Sqlite) {
    let number = begin(tables).await;
    while !tables.compact(number, 4).await.unwrap().ended {}
}

/// Five old lines of `old`, five of `both`, and five new ones of `both`.
fn lines() -> Vec<Event<'static>> {
    (0..15)
        .map(|number| {
            let (sku, at) = [("old", number), ("both", number), ("both", 10 + number)][number as usize / 5];
            adjustment(sku, 7).later(at)
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn folded_lines_are_no_differences_and_add_up_to_the_opening_balances() {
    let scene = Scene::of(&lines()).await;
    compact(&scene.tables).await;
    let report = scene.verify().await.unwrap();
    assert!(report.is_equal() && report.is_whole, "{report}");
    assert_eq!((report.compacted, report.opening_balances, report.tables[&Table::Adjustments].rows), (10, Some(2), 5));
    let text = report.to_string();
    assert!(text.contains("not counted: 10 lines of the ledger that were folded into opening balances"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn an_opening_balance_that_is_not_the_sum_of_what_was_folded_is_told_and_not_repaired() {
    for (sql, kinds) in [
        ("UPDATE inventory_adjustments SET delta = delta + 1 WHERE adjustment_type = 'opening_balance' AND sku = 'old'", 2),
        ("DELETE FROM inventory_adjustments WHERE adjustment_type = 'opening_balance' AND sku = 'old'", 2),
        ("UPDATE inventory SET quantity = quantity + 1 WHERE sku = 'old'", 1),
    ] {
        let scene = Scene::of(&lines()).await;
        compact(&scene.tables).await;
        assert_eq!(scene.damage(sql, id()), 1);
        let report = scene.verify().await.unwrap();
        let told = found(&report);
        assert!(told.contains(&(Kind::Stock, "inventory", "old")), "{report}");
        assert_eq!((told.contains(&(Kind::Opening, "opening_balances", "old")), told.len()), (kinds == 2, kinds), "{report}");
        assert_eq!(report.repairable(true), 1, "the stock alone");
    }
}

#[tokio::test(start_paused = true)]
async fn a_line_that_is_younger_than_what_was_folded_is_missing() {
    let events = lines();
    let scene = Scene::of(&events).await;
    compact(&scene.tables).await;
    let young = events.last().unwrap().id;
    assert_eq!(scene.damage("DELETE FROM inventory_adjustments WHERE event_id = ?1", young), 1);
    let report = scene.verify().await.unwrap();
    let (young, told) = (young.to_string(), found(&report));
    assert!(told.contains(&(Kind::Missing, "inventory_adjustments", &*young)) && told.len() == 2, "{report}");
}

#[tokio::test(start_paused = true)]
async fn while_lines_are_being_folded_balances_are_left_to_the_next_time() {
    let scene = Scene::of(&lines()).await;
    let number = begin(&scene.tables).await;
    for expected in [0, 1, 2, 3, 4] {
        let report = scene.verify().await.unwrap();
        assert!(report.is_equal(), "{report}");
        let ended = scene.tables.ledger_state().await.unwrap().under_way.is_none();
        assert_eq!(report.opening_balances, ended.then_some(2), "after {expected} transactions: {report}");
        if !ended {
            scene.tables.compact(number, 4).await.unwrap();
        }
    }
    assert_eq!(scene.verify().await.unwrap().opening_balances, Some(2));
}

/// It came when the ledger was compacted beyond it. The log makes a line of it, and the queue says why there is none.
#[tokio::test(start_paused = true)]
async fn an_event_that_came_too_late_is_a_dead_letter_and_explains_its_article() {
    let mut scene = Scene::of(&lines()).await;
    compact(&scene.tables).await;
    scene.topic.append(&adjustment("old", 100).later(3));
    scene.consume().await;
    let report = scene.verify().await.unwrap();
    assert!(report.is_equal(), "{report}");
    assert_eq!((report.compacted, report.dead_letters), (11, 1));
    scene.damage("DELETE FROM dead_letters", id());
    let report = scene.verify().await.unwrap();
    assert_eq!(found(&report), [(Kind::Opening, "opening_balances", "old")], "it was purged: {report}");
}

#[tokio::test(start_paused = true)]
async fn a_repair_takes_no_line_out_that_could_not_be_written_again() {
    let events = lines();
    let scene = Scene::of(&events).await;
    // Begun, and nothing is folded yet.
    let number = begin(&scene.tables).await;
    for event in [&events[0], events.last().unwrap()] {
        assert_eq!(scene.damage("UPDATE inventory_adjustments SET reason = 'other' WHERE event_id = ?1", event.id), 1);
    }
    let report = scene.verify().await.unwrap();
    assert_eq!(report.count(), 2, "{report}");
    let fold = fold(&scene.topic, &scene.shadow).await;
    repair(&scene.tables, &fold, &report, false).await.unwrap();
    let report = scene.verify().await.unwrap();
    let old = events[0].id.to_string();
    assert_eq!(found(&report), [(Kind::Changed, "inventory_adjustments", &*old)], "{report}");
    while !scene.tables.compact(number, 4).await.unwrap().ended {}
    assert!(scene.verify().await.unwrap().is_equal());
}

#[tokio::test(start_paused = true)]
async fn where_the_log_has_lost_its_beginning_balances_are_not_compared() {
    let scene = Scene::of(&lines()).await;
    compact(&scene.tables).await;
    // Rows of an earlier log.
    let earlier = LogPosition { log: LogId(id()), topic: "events".into(), partition: 0, next_offset: 9 };
    scene.tables.advance(&[earlier]).await.unwrap();
    scene.damage("UPDATE inventory_adjustments SET delta = delta + 1 WHERE adjustment_type = 'opening_balance'", id());
    scene.damage("UPDATE inventory SET quantity = quantity + 1", id());
    let report = scene.verify().await.unwrap();
    assert_eq!((report.is_equal(), report.is_whole, report.compacted, report.opening_balances), (true, false, 10, None), "{report}");
}
