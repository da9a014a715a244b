//! What a person types in the menu: the rules of the contract, and those by which a person notices a slip of the hand. `send` takes whatever the contract
//! does.

use events::{Money, Rule};

use crate::fields::{self, Checked};

/// An e-mail address: something before an `@`, and something after it.
pub(super) fn email(text: &str) -> Checked<String> {
    let email = fields::email(text)?;
    let is_one = email
        .split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && !host.is_empty() && !host.contains('@') && !email.contains(char::is_whitespace));
    if is_one { Ok(email) } else { Err("must be an e-mail address, such as ada@example.com".to_owned()) }
}

/// How many are ordered.
pub(super) fn ordered(text: &str) -> Checked<i32> {
    fields::quantity(text).and_then(|quantity| if quantity > 0 { Ok(quantity) } else { Err("must be 1 or more".to_owned()) })
}

/// By how much a stock changes.
pub(super) fn adjusted(text: &str) -> Checked<i32> {
    fields::quantity(text)
        .and_then(|quantity| if quantity == 0 { Err("must not be 0: nothing would change".to_owned()) } else { Ok(quantity) })
}

/// A price, or what is paid.
pub(super) fn amount(text: &str) -> Checked<Money> {
    let amount = fields::money(text).map_err(|rule| {
        // What the rule says is about JSON.
        if rule == Rule::InvalidMoney.to_string() { "must be an amount, such as 19.90".to_owned() } else { rule }
    })?;
    if amount < Money::ZERO { Err("must not be below 0".to_owned()) } else { Ok(amount) }
}

/// An amount with at least two decimals, as prices are written.
pub(super) fn shown(amount: Money) -> String {
    let text = amount.to_string();
    match text.split_once('.') {
        None => format!("{text}.00"),
        Some((_, decimals)) if decimals.len() == 1 => format!("{text}0"),
        Some(_) => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_hand_is_noticed_in_a_persons_words() {
        for wrong in ["Ada", "@example.com", "ada@", "a@b@c", "ada lovelace@example.com"] {
            assert_eq!(email(wrong), Err("must be an e-mail address, such as ada@example.com".to_owned()), "{wrong}");
        }
        assert_eq!(email("ada@example.com"), Ok("ada@example.com".to_owned()));
        assert_eq!(
            (ordered("2"), ordered("0"), ordered("-2")),
            (Ok(2), Err("must be 1 or more".to_owned()), Err("must be 1 or more".to_owned()))
        );
        assert_eq!(adjusted("0"), Err("must not be 0: nothing would change".to_owned()));
        assert_eq!((adjusted("-2"), adjusted("5")), (Ok(-2), Ok(5)));
        assert_eq!(amount("ten"), Err("must be an amount, such as 19.90".to_owned()));
        assert_eq!(amount("-1"), Err("must not be below 0".to_owned()));
        assert_eq!(amount("19.90001"), Err("has more than 4 decimals".to_owned()));
    }

    #[test]
    fn prices_have_two_decimals_or_as_many_as_they_need() {
        let told = ["1299", "149.5", "19.99", "149.995", "0"].map(|text| shown(amount(text).unwrap()));
        assert_eq!(told, ["1299.00", "149.50", "19.99", "149.995", "0.00"]);
    }
}
