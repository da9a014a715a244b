//! Typed text to values, by the rules of the contract. The errors complete the sentence "`field` …" and quote nothing.

use events::money::MoneyError;
use events::timestamp::TimestampError;
use events::{AdjustmentType, Money, OrderItem, Rule, Timestamp, rules};
use uuid::Uuid;

/// A value, or the rule that the text breaks.
pub type Checked<T> = Result<T, String>;

/// Text under one of the rules in [`events::rules`].
pub fn text(rule: fn(&str) -> Result<(), Rule>, text: &str) -> Checked<String> {
    rule(text).map(|()| text.to_owned()).map_err(|rule| rule.to_string())
}

/// An e-mail address.
pub fn email(input: &str) -> Checked<String> {
    text(rules::email, input)
}

/// A first or last name.
pub fn name(input: &str) -> Checked<String> {
    text(rules::name, input)
}

/// An article number.
pub fn sku(input: &str) -> Checked<String> {
    text(rules::sku, input)
}

/// Three upper-case letters.
pub fn currency(input: &str) -> Checked<String> {
    text(rules::currency, input)
}

/// How an order was paid.
pub fn payment_method(input: &str) -> Checked<String> {
    text(rules::payment_method, input)
}

/// How a payment ended.
pub fn status(input: &str) -> Checked<String> {
    text(rules::status, input)
}

/// Why stock moved.
pub fn reason(input: &str) -> Checked<String> {
    text(rules::reason, input)
}

/// An exact amount.
pub fn money(input: &str) -> Checked<Money> {
    let rule = |error| match error {
        MoneyError::NotANumber => Rule::InvalidMoney,
        MoneyError::TooPrecise => Rule::MoneyTooPrecise,
        MoneyError::OutOfRange => Rule::MoneyOutOfRange,
    };
    input.parse().map_err(|error| rule(error).to_string())
}

/// A whole number of 32 bits.
pub fn quantity(input: &str) -> Checked<i32> {
    let digits = input.strip_prefix('-').unwrap_or(input);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
        return Err(Rule::WrongType { expected: "a whole number" }.to_string());
    }
    input.parse().map_err(|_| Rule::QuantityOutOfRange.to_string())
}

/// A UUID with hyphens.
pub fn uuid(input: &str) -> Checked<Uuid> {
    let hyphenated = Some(input).filter(|text| text.len() == uuid::fmt::Hyphenated::LENGTH);
    hyphenated.and_then(|text| Uuid::try_parse(text).ok()).ok_or_else(|| Rule::InvalidUuid.to_string())
}

/// A time as RFC 3339 writes it.
pub fn time(input: &str) -> Checked<Timestamp> {
    let rule = |error| match error {
        TimestampError::NotRfc3339 => Rule::InvalidTimestamp,
        TimestampError::OutOfRange => Rule::TimestampOutOfRange,
    };
    Timestamp::parse(input).map_err(|error| rule(error).to_string())
}

/// One of the four types of adjustment.
pub fn adjustment_type(input: &str) -> Checked<AdjustmentType> {
    AdjustmentType::parse(input).ok_or_else(|| Rule::UnknownAdjustmentType.to_string())
}

/// An order item as `SKU:QUANTITY:PRICE`. The SKU may hold colons.
pub fn item(input: &str) -> Checked<OrderItem<'static>> {
    let mut parts = input.rsplitn(3, ':');
    let (Some(price), Some(count), Some(article)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("must be SKU:QUANTITY:PRICE, such as MOUSE-01:2:49.90".to_owned());
    };
    let of = |part: &'static str| move |rule: String| format!("has a {part} that {rule}");
    Ok(OrderItem {
        sku: sku(article).map_err(of("SKU"))?.into(),
        quantity: quantity(count).map_err(of("quantity"))?,
        price: money(price).map_err(of("price"))?,
    })
}

/// What the items cost together.
///
/// # Errors
/// More than an amount can hold.
pub fn total(items: &[OrderItem<'_>]) -> Checked<Money> {
    let sum = items.iter().try_fold(Money::ZERO, |sum, item| sum.checked_add(item.price.checked_mul(item.quantity)?));
    sum.ok_or_else(|| Rule::MoneyOutOfRange.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_checked_as_the_decoder_checks_it() {
        assert_eq!(quantity("-5"), Ok(-5));
        for (result, rule) in [
            (quantity("five").map(|_| ()), "must be a whole number"),
            (quantity("+5").map(|_| ()), "must be a whole number"),
            (quantity("2147483648").map(|_| ()), "must fit in 32 bits"),
            (money("19.90001").map(|_| ()), "has more than 4 decimals"),
            (money("ten").map(|_| ()), "must be a decimal number, or a string that holds one"),
            (uuid("2f1c7d5e000140008000000000000001").map(|_| ()), "must be a UUID with hyphens"),
            (time("2026-01-15").map(|_| ()), "must be a time as RFC 3339 writes it, with a zone"),
            (currency("eur").map(|_| ()), "must be three upper-case letters"),
            (adjustment_type("recounted").map(|_| ()), "must be add, subtract, order_fulfilled or returned"),
        ] {
            assert_eq!(result, Err(rule.to_owned()));
        }
    }

    #[test]
    fn an_item_is_read_from_its_end_so_that_a_sku_may_hold_colons() {
        let item = item("EAN:4006381333931:2:49.90").unwrap();
        assert_eq!((item.sku.as_ref(), item.quantity, item.price), ("EAN:4006381333931", 2, "49.9".parse().unwrap()));
        assert_eq!(super::item("MOUSE:2"), Err("must be SKU:QUANTITY:PRICE, such as MOUSE-01:2:49.90".to_owned()));
        assert_eq!(super::item("MOUSE:two:1"), Err("has a quantity that must be a whole number".to_owned()));
    }

    #[test]
    fn the_total_is_exact_or_refused() {
        let items = |text: &str| vec![item(text).unwrap(), item("B:3:0.1").unwrap()];
        assert_eq!(total(&items("A:2:0.2")), Ok("0.7".parse().unwrap()));
        assert!(total(&items("A:2:999999999999999")).is_err());
    }
}
