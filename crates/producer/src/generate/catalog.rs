//! What the sample shop sells, and to whom.

use events::Money;

/// An article of the sample shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Article {
    /// Its number.
    pub sku: &'static str,
    /// Its price in hundredths.
    pub cents: i32,
}

impl Article {
    /// The price of one.
    pub fn price(self) -> Money {
        Money::from_units(i128::from(self.cents) * 100).unwrap_or_default()
    }
}

macro_rules! articles {
    ($($sku:literal $cents:literal),+ $(,)?) => { &[$(Article { sku: $sku, cents: $cents }),+] };
}

/// All articles.
pub const ARTICLES: &[Article] = articles![
    "KEYBOARD-DE" 19_999, "KEYBOARD-US" 18_999, "MOUSE-01" 4990, "MOUSE-02-WIRELESS" 7990, "MONITOR-27" 32_900, "MONITOR-32" 49_900,
    "LAPTOP-13" 129_900, "LAPTOP-15" 159_900, "DOCK-USB-C" 14_950, "WEBCAM-HD" 6995, "HEADSET-PRO" 15_900, "SPEAKER-MINI" 3999,
    "CABLE-USB-C-1M" 999, "CABLE-USB-C-2M" 1299, "CABLE-HDMI" 1449, "CHARGER-65W" 4490, "SSD-1TB" 9999, "SSD-2TB" 17_999,
    "RAM-32GB" 11_900, "CHAIR-ERGO" 38_900, "DESK-160" 54_900, "LAMP-LED" 3495, "BAG-LAPTOP" 5990, "STICKER-SET" 99,
];

/// First names. Some are outside ASCII and one outside the Basic Multilingual Plane, because customers are.
pub const FIRST_NAMES: &[&str] = &[
    "Ada",
    "Grace",
    "Alan",
    "Edsger",
    "Barbara",
    "Donald",
    "Margaret",
    "Linus",
    "Zoë",
    "Łukasz",
    "Søren",
    "José",
    "Ngọc",
    "美咲",
    "Олена",
    "Noa 🦀",
    "Katherine",
    "Dennis",
    "Radia",
    "Tim",
];

/// Last names.
pub const LAST_NAMES: &[&str] = &[
    "Lovelace",
    "Hopper",
    "Turing",
    "Dijkstra",
    "Liskov",
    "Knuth",
    "Hamilton",
    "Torvalds",
    "O'Neil",
    "García",
    "Müller",
    "Nguyễn",
    "佐藤",
    "Шевченко",
    "Johnson",
    "Ritchie",
    "Perlman",
    "Lee",
];

/// Currencies, the most frequent first.
pub const CURRENCIES: &[&str] = &["EUR", "EUR", "EUR", "USD", "USD", "GBP"];

/// Payment methods.
pub const PAYMENT_METHODS: &[&str] = &["credit_card", "credit_card", "paypal", "bank_transfer", "invoice"];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use events::rules;

    use super::*;

    #[test]
    fn the_catalog_keeps_the_rules_of_the_contract() {
        let skus: HashSet<_> = ARTICLES.iter().map(|article| article.sku).collect();
        assert_eq!(skus.len(), ARTICLES.len());
        assert!(ARTICLES.iter().all(|article| rules::sku(article.sku).is_ok() && article.price() > Money::ZERO));
        assert!(FIRST_NAMES.iter().chain(LAST_NAMES).all(|name| rules::name(name).is_ok()));
        assert!(CURRENCIES.iter().all(|currency| rules::currency(currency).is_ok()));
        assert!(PAYMENT_METHODS.iter().all(|method| rules::payment_method(method).is_ok()));
    }
}
