//! What was created in this run: what later entries offer.

use std::collections::VecDeque;

use events::{Body, Event, Money};
use uuid::Uuid;

use crate::generate::catalog::{ARTICLES, Article};

/// How many of each are offered, the newest first.
const OFFERED: usize = 9;

/// A user to order for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KnownUser {
    pub(super) id: Uuid,
    pub(super) name: String,
}

/// An order to pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KnownOrder {
    pub(super) id: Uuid,
    pub(super) total: Money,
    pub(super) currency: String,
    pub(super) paid: bool,
}

/// An article to order or count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KnownArticle {
    pub(super) sku: String,
    pub(super) price: Money,
}

/// The newest users, orders and articles.
#[derive(Debug)]
pub(super) struct Memory {
    users: VecDeque<KnownUser>,
    orders: VecDeque<KnownOrder>,
    articles: VecDeque<KnownArticle>,
}

impl Memory {
    /// Nobody, nothing ordered, and the first articles of the catalog.
    pub(super) fn new() -> Self {
        let known = |article: &Article| KnownArticle { sku: article.sku.to_owned(), price: article.price() };
        Self { users: VecDeque::new(), orders: VecDeque::new(), articles: ARTICLES.iter().take(OFFERED).map(known).collect() }
    }

    /// Notes what an event created.
    pub(super) fn note(&mut self, event: &Event<'_>) {
        match &event.body {
            Body::UserCreated(user) => {
                let name = format!("{} {}", user.first_name, user.last_name);
                remember(&mut self.users, KnownUser { id: user.user_id, name }, |known| known.id == user.user_id);
            }
            Body::OrderPlaced(order) => {
                let currency = order.currency.clone().into_owned();
                let known = KnownOrder { id: order.order_id, total: order.total_amount, currency, paid: false };
                remember(&mut self.orders, known, |known| known.id == order.order_id);
                for item in order.items.iter().rev() {
                    self.note_article(&item.sku, Some(item.price));
                }
            }
            Body::PaymentSettled(payment) => {
                let order = self.orders.iter_mut().find(|order| order.id == payment.order_id);
                order.into_iter().for_each(|order| order.paid = true);
            }
            Body::InventoryAdjusted(adjustment) => self.note_article(&adjustment.sku, None),
        }
    }

    fn note_article(&mut self, sku: &str, price: Option<Money>) {
        let price = price.or_else(|| self.price_of(sku)).unwrap_or(Money::ZERO);
        remember(&mut self.articles, KnownArticle { sku: sku.to_owned(), price }, |known| known.sku == sku);
    }

    /// The price under which an article was last ordered, or that of the catalog.
    pub(super) fn price_of(&self, sku: &str) -> Option<Money> {
        let known = self.articles.iter().find(|article| article.sku == sku).map(|article| article.price);
        known.or_else(|| ARTICLES.iter().find(|article| article.sku == sku).map(|article| article.price()))
    }

    /// Users, the newest first.
    pub(super) const fn users(&self) -> &VecDeque<KnownUser> {
        &self.users
    }

    /// Orders: the unpaid before the paid, then the newest first.
    pub(super) fn orders(&self) -> Vec<&KnownOrder> {
        let mut orders: Vec<_> = self.orders.iter().collect();
        orders.sort_by_key(|order| order.paid);
        orders
    }

    /// Articles, the last used first.
    pub(super) const fn articles(&self) -> &VecDeque<KnownArticle> {
        &self.articles
    }
}

fn remember<T>(known: &mut VecDeque<T>, new: T, is_same: impl Fn(&T) -> bool) {
    known.retain(|thing| !is_same(thing));
    known.push_front(new);
    known.truncate(OFFERED);
}

#[cfg(test)]
mod tests {
    use events::{EventType, samples};

    use super::*;

    #[test]
    fn the_newest_come_first_and_paid_orders_last() {
        let mut memory = Memory::new();
        let mut ids = Vec::new();
        for _ in 0..OFFERED + 3 {
            let mut event = samples::of(EventType::OrderPlaced);
            if let Body::OrderPlaced(order) = &mut event.body {
                order.order_id = Uuid::new_v4();
                ids.push(order.order_id);
            }
            memory.note(&event);
        }
        let newest = *ids.last().unwrap();
        assert_eq!((memory.orders().len(), memory.orders()[0].id), (OFFERED, newest));
        let mut payment = samples::of(EventType::PaymentSettled);
        if let Body::PaymentSettled(payment) = &mut payment.body {
            payment.order_id = newest;
        }
        memory.note(&payment);
        assert_eq!(memory.orders().last().unwrap().id, newest);
    }

    #[test]
    fn an_article_keeps_the_price_under_which_it_was_ordered() {
        let mut memory = Memory::new();
        memory.note(&samples::of(EventType::OrderPlaced));
        memory.note(&samples::of(EventType::InventoryAdjusted));
        let first = &memory.articles()[0];
        assert_eq!((first.sku.as_str(), first.price), ("KEYBOARD-DE", "199.99".parse().unwrap()));
        assert_eq!(memory.articles().iter().filter(|article| article.sku == "KEYBOARD-DE").count(), 1);
    }
}
