//! The stock of the sample shop: what is there, and what has been paid for and not yet left.

use std::borrow::Cow;
use std::collections::VecDeque;

use events::{AdjustmentType, InventoryAdjusted, OrderItem, Timestamp};
use rand::{Rng, RngExt};

use super::catalog::{ARTICLES, Article};

/// Paid lines beyond this are forgotten: memory stays bounded.
const MAX_WAITING: usize = 10_000;

/// Levels per article. In the order in which the adjustments are made, no level falls below zero.
pub(super) struct PriceList {
    levels: Vec<i32>,
    to_ship: VecDeque<(usize, i32)>,
}

/// How stock moves.
struct Move {
    article: usize,
    quantity: i32,
    kind: AdjustmentType,
    reason: &'static str,
}

impl PriceList {
    pub(super) fn new() -> Self {
        Self { levels: vec![0; ARTICLES.len()], to_ship: VecDeque::new() }
    }

    /// Notes what a paid order takes from the price list.
    pub(super) fn sell(&mut self, items: &[OrderItem<'_>]) {
        for item in items {
            let article = ARTICLES.iter().position(|article: &Article| article.sku == item.sku);
            if let Some(article) = article.filter(|_| self.to_ship.len() < MAX_WAITING) {
                self.to_ship.push_back((article, item.quantity));
            }
        }
    }

    /// The next adjustment.
    pub(super) fn adjust(&mut self, at: Timestamp, rng: &mut impl Rng) -> InventoryAdjusted<'static> {
        let step = self.next_move(rng);
        let delta = if step.kind == AdjustmentType::Subtract { -step.quantity } else { step.quantity };
        self.levels[step.article] = self.levels[step.article].saturating_add(delta);
        InventoryAdjusted {
            sku: Cow::Borrowed(ARTICLES[step.article].sku),
            quantity: step.quantity,
            adjustment_type: step.kind,
            reason: Cow::Borrowed(step.reason),
            adjusted_at: at,
        }
    }

    fn next_move(&mut self, rng: &mut impl Rng) -> Move {
        if let Some(&(article, quantity)) = self.to_ship.front().filter(|_| rng.random_ratio(3, 4)) {
            if self.levels[article] < quantity {
                return delivery(article, rng);
            }
            self.to_ship.pop_front();
            return Move { article, quantity: -quantity, kind: AdjustmentType::OrderFulfilled, reason: "order shipped" };
        }
        let article = rng.random_range(0..ARTICLES.len());
        match rng.random_range(0..10) {
            0..2 => Move { article, quantity: rng.random_range(1..=2), kind: AdjustmentType::Returned, reason: "returned by customer" },
            2..4 if self.levels[article] > 3 => {
                Move { article, quantity: rng.random_range(1..=3), kind: AdjustmentType::Subtract, reason: "damaged in the warehouse" }
            }
            _ => delivery(article, rng),
        }
    }
}

fn delivery(article: usize, rng: &mut impl Rng) -> Move {
    Move { article, quantity: rng.random_range(2..=20) * 10, kind: AdjustmentType::Add, reason: "delivery" }
}
