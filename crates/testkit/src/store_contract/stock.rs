//! The ledger and its sum.

use events::AdjustmentType;
use pipeline::{Outcome, Reason};

use super::{Database, quantity, stock_view};
use crate::builders::{Build, adjustment, unique};
use crate::delivery::apply;
use crate::seed::Seed;

pub async fn adjustments_add_up_in_one_batch_and_over_batches<S: Database>(store: &S) {
    let (sku, other) = (unique("sku"), unique("sku"));
    let batch = [adjustment(&sku, 100), adjustment(&other, 5), adjustment(&sku, -30), adjustment(&sku, 1)];
    assert_eq!(apply(store, &batch).await, vec![Outcome::Applied; 4]);
    assert_eq!((quantity(store, &sku).await, quantity(store, &other).await), (71, 5));
    let subtract = adjustment(&sku, 21).with_adjustment(|adjustment| adjustment.adjustment_type = AdjustmentType::Subtract);
    assert_eq!(apply(store, &[subtract]).await, [Outcome::Applied]);
    assert_eq!((quantity(store, &sku).await, quantity(store, &other).await), (50, 5));
}

pub async fn an_adjustment_that_comes_again_counts_once<S: Database>(store: &S) {
    let sku = unique("sku");
    let (first, second) = (adjustment(&sku, 10), adjustment(&sku, 1));
    apply(store, std::slice::from_ref(&first)).await;
    assert_eq!(apply(store, &[first.clone(), second]).await, [Outcome::Duplicate, Outcome::Applied]);
    assert_eq!(quantity(store, &sku).await, 11);
    let before = stock_view(store, &sku).await;
    assert_eq!(apply(store, &[first.clone().later(-5).with_id(first.id)]).await, [Outcome::Duplicate], "sku and delta are the same");
    assert_eq!(stock_view(store, &sku).await, before, "also updatedAt");
}

pub async fn an_event_id_with_other_content_is_a_conflict_and_costs_only_itself<S: Database>(store: &S) {
    let (sku, elsewhere) = (unique("sku"), unique("sku"));
    let first = adjustment(&sku, 10);
    apply(store, std::slice::from_ref(&first)).await;
    for other in [adjustment(&sku, 11), adjustment(&elsewhere, 10), adjustment(&sku.to_uppercase(), 10)] {
        let outcomes = apply(store, &[other.with_id(first.id), adjustment(&sku, 0)]).await;
        assert!(matches!(outcomes[0], Outcome::Rejected { reason: Reason::EventIdConflict, .. }), "{outcomes:?}");
        assert_eq!(outcomes[1], Outcome::Applied);
    }
    assert_eq!((quantity(store, &sku).await, stock_view(store, &elsewhere).await), (10, None));
}

pub async fn stock_may_be_negative<S: Database>(store: &S) {
    let sku = unique("sku");
    apply(store, &[adjustment(&sku, i32::MIN), adjustment(&sku, i32::MIN)]).await;
    assert_eq!(quantity(store, &sku).await, 2 * i64::from(i32::MIN));
    let subtract = adjustment(&sku, i32::MIN).with_adjustment(|adjustment| adjustment.adjustment_type = AdjustmentType::Subtract);
    apply(store, &[subtract]).await;
    assert_eq!(quantity(store, &sku).await, i64::from(i32::MIN), "minus the smallest number of 32 bits");
}

pub async fn articles_compare_exactly<S: Database>(store: &S) {
    let suffix = unique("");
    let skus = ["a", "A", "á", "a\u{301}", "a b", "a  b", "ａ", "😀", "😁", "ß", "ss"].map(|name| format!("{name}{suffix}"));
    let batch: Vec<_> = skus.iter().zip(1..).map(|(sku, delta)| adjustment(sku, delta)).collect();
    apply(store, &batch).await;
    for (sku, delta) in skus.iter().zip(1_i64..) {
        assert_eq!(quantity(store, sku).await, delta, "{sku}");
    }
}

pub async fn the_quantity_is_the_sum_of_the_ledger<S: Database>(store: &S) {
    let mut seed = Seed::of_test("ledger");
    let skus = [unique("sku"), unique("sku")];
    let ledger: Vec<_> = (0..300).map(|_| adjustment(seed.pick::<String>(&skus), seed.number(-1000..=1000))).collect();
    for _ in 0..40 {
        // Any part of it, again and again: what is there already does not count.
        let mut part: Vec<_> = ledger.iter().filter(|_| seed.chance(0.2)).cloned().collect();
        seed.shuffle(&mut part);
        apply(store, &part).await;
    }
    apply(store, &ledger).await;
    for sku in &skus {
        let deltas = ledger.iter().filter_map(|event| match &event.body {
            events::Body::InventoryAdjusted(adjustment) if adjustment.sku == *sku => Some(adjustment.delta()),
            _ => None,
        });
        assert_eq!(quantity(store, sku).await, deltas.sum::<i64>());
    }
}
