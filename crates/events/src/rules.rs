//! What a single text must satisfy. Used by the decoder, and by a menu that checks each answer as it is typed.

use crate::Rule;

/// The longest e-mail address, in UTF-16 code units (`nvarchar(255)`).
pub const EMAIL_MAX: usize = 255;
/// The longest first or last name, in UTF-16 code units (`nvarchar(100)`).
pub const NAME_MAX: usize = 100;
/// The longest SKU, in UTF-16 code units (`nvarchar(50)`).
pub const SKU_MAX: usize = 50;
/// The longest reason, in UTF-16 code units (`nvarchar(255)`).
pub const REASON_MAX: usize = 255;
/// The longest payment method, in UTF-16 code units (`nvarchar(50)`).
pub const PAYMENT_METHOD_MAX: usize = 50;
/// The longest payment status, in UTF-16 code units (`nvarchar(20)`).
pub const STATUS_MAX: usize = 20;

/// An e-mail address: compared, so exact at its ends, and its comparison key must fit its column too.
pub fn email(text: &str) -> Result<(), Rule> {
    exact(text, EMAIL_MAX)?;
    // Lower case can be longer than upper case ('İ' becomes two characters).
    if text.is_ascii() { Ok(()) } else { at_most(&email_key(text), EMAIL_MAX) }
}

/// The form in which two e-mail addresses are compared: lower case by Unicode's own mapping.
pub fn email_key(email: &str) -> String {
    email.to_lowercase()
}

/// A first or last name. May be empty: people have one name.
pub fn name(text: &str) -> Result<(), Rule> {
    at_most(text, NAME_MAX)
}

/// An article number: compared, so exact at its ends.
pub fn sku(text: &str) -> Result<(), Rule> {
    exact(text, SKU_MAX)
}

/// Why stock moved.
pub fn reason(text: &str) -> Result<(), Rule> {
    at_most(text, REASON_MAX)
}

/// How an order was paid.
pub fn payment_method(text: &str) -> Result<(), Rule> {
    at_most(text, PAYMENT_METHOD_MAX)
}

/// How a payment ended.
pub fn status(text: &str) -> Result<(), Rule> {
    at_most(text, STATUS_MAX)
}

/// A currency: three upper-case ASCII letters (ISO 4217).
pub fn currency(text: &str) -> Result<(), Rule> {
    if text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase()) { Ok(()) } else { Err(Rule::InvalidCurrency) }
}

/// Text that a database compares: SQL Server takes 'X' and 'X ' as equal, other stores do not.
fn exact(text: &str, max: usize) -> Result<(), Rule> {
    if text.is_empty() {
        return Err(Rule::Empty);
    }
    if text.starts_with(char::is_whitespace) || text.ends_with(char::is_whitespace) {
        return Err(Rule::SurroundingWhiteSpace);
    }
    if text.contains('\0') {
        return Err(Rule::NulCharacter);
    }
    at_most(text, max)
}

/// Length as SQL Server counts it: in UTF-16 code units, so that an emoji is two.
fn at_most(text: &str, max: usize) -> Result<(), Rule> {
    // A UTF-8 text never has fewer bytes than UTF-16 code units.
    if text.len() <= max || text.encode_utf16().count() <= max { Ok(()) } else { Err(Rule::TooLong { max }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_counted_in_utf16_code_units() {
        assert_eq!(name(&"é".repeat(100)), Ok(()));
        assert_eq!(name(&"😀".repeat(50)), Ok(()));
        assert_eq!(name(&"😀".repeat(51)), Err(Rule::TooLong { max: 100 }));
    }

    #[test]
    fn an_email_key_that_outgrows_its_column_is_refused() {
        let dotted = "İ".repeat(255);
        assert_eq!(dotted.encode_utf16().count(), 255);
        assert_eq!(email(&dotted), Err(Rule::TooLong { max: 255 }));
        assert_eq!(email_key("Ada@Example.COM"), "ada@example.com");
    }

    #[test]
    fn what_is_compared_is_exact_at_its_ends() {
        assert_eq!(sku("A B"), Ok(()));
        for text in [" A", "A ", "A\u{a0}", "\tA"] {
            assert_eq!(sku(text), Err(Rule::SurroundingWhiteSpace));
        }
        assert_eq!(sku("A\0B"), Err(Rule::NulCharacter));
        assert_eq!(sku(""), Err(Rule::Empty));
    }
}
